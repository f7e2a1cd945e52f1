//! Serde for cells, states and contexts (feature `serde`).
//!
//! Each is a map from the names of its fields to values. A matrix is a list of its rows, a matrix
//! of one column a list of its entries, a scalar a number. Blocks are one matrix, several heads a
//! list of their matrices. nalgebra's own format (`serde-serialize`) is not used: it lists the
//! entries column by column without the rows.

use core::fmt;

use nalgebra::SMatrix;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::ser::{SerializeStruct, SerializeTuple, Serializer};
use serde::{Deserialize, Serialize};

use crate::Scalar;
use crate::kernels::plain::Flat;
use crate::types::blocks::{self, Block, Cols, Rows};
use crate::types::heads::{HeadCols, HeadRows, Heads};
use crate::types::rings::{IndexRing, Ring, Steps};

/// The numbers of samples, matrices, rows and columns of a value. `None` is a level of lists that
/// the value does not have. There are several matrices for a parameter of several heads, for the
/// matrix of several samples, and for both at once.
type Sizes = [Option<usize>; 4];

/// The indices of an entry in the lists of [`Sizes`].
type At = [usize; 4];

/// A value of a struct that the macro writes: a [`Block`], or arrays with one for each sample and
/// head.
pub trait Field<T> {
    /// Returns the lengths of the lists of each level.
    fn sizes(&self) -> Sizes;

    /// Returns an entry.
    fn get(&self, at: At) -> T;

    /// Sets an entry.
    fn set(&mut self, at: At, value: T);
}

macro_rules! blocks {
    ($([$($generics:tt)*] $block:ty, $rows:expr;)+) => { $(
        impl<$($generics)*> Field<T> for $block
        where
            Self: Block<Scalar = T>,
        {
            fn sizes(&self) -> Sizes {
                let columns = (Self::COLUMNS != 1).then_some(Self::COLUMNS);
                [None, None, $rows, columns]
            }

            fn get(&self, [_, _, row, column]: At) -> T {
                self.entry(blocks::At { head: 0, row, column }).copied().unwrap_or_default()
            }

            fn set(&mut self, [_, _, row, column]: At, value: T) {
                if let Some(entry) = self.entry_mut(blocks::At { head: 0, row, column }) {
                    *entry = value;
                }
            }
        }
    )+ };
}

blocks! {
    [T: Scalar] T, None;
    [T: Scalar, const R: usize, const C: usize] SMatrix<T, R, C>, Some(R);
    [T: Scalar, M: Block<Scalar = T>, const K: usize] HeadRows<M, K>, Some(Self::ROWS);
    [T: Scalar, M: Block<Scalar = T>, const K: usize] HeadCols<M, K>, Some(Self::ROWS);
}

impl<T: Scalar, const D: usize, const B: usize, const K: usize> Field<T> for Heads<SMatrix<T, D, B>, K> {
    fn sizes(&self) -> Sizes {
        [None, None, Some(K * D), (B != 1).then_some(B)]
    }

    fn get(&self, [_, _, row, column]: At) -> T {
        self[(row, column)]
    }

    fn set(&mut self, [_, _, row, column]: At, value: T) {
        self[(row, column)] = value;
    }
}

impl<T, A: Field<T>, B: Field<T>> Field<T> for Rows<A, B> {
    fn sizes(&self) -> Sizes {
        let ([samples, matrices, top, columns], [.., bottom, _]) = (self.top.sizes(), self.bottom.sizes());
        [samples, matrices, Some(top.unwrap_or(1) + bottom.unwrap_or(1)), columns]
    }

    fn get(&self, [sample, matrix, row, column]: At) -> T {
        match row.checked_sub(self.top.sizes()[2].unwrap_or(1)) {
            Some(row) => self.bottom.get([sample, matrix, row, column]),
            None => self.top.get([sample, matrix, row, column]),
        }
    }

    fn set(&mut self, [sample, matrix, row, column]: At, value: T) {
        match row.checked_sub(self.top.sizes()[2].unwrap_or(1)) {
            Some(row) => self.bottom.set([sample, matrix, row, column], value),
            None => self.top.set([sample, matrix, row, column], value),
        }
    }
}

impl<T, A: Field<T>, B: Field<T>> Field<T> for Cols<A, B> {
    fn sizes(&self) -> Sizes {
        let ([samples, matrices, rows, left], [.., right]) = (self.left.sizes(), self.right.sizes());
        [samples, matrices, rows, Some(left.unwrap_or(1) + right.unwrap_or(1))]
    }

    fn get(&self, [sample, matrix, row, column]: At) -> T {
        match column.checked_sub(self.left.sizes()[3].unwrap_or(1)) {
            Some(column) => self.right.get([sample, matrix, row, column]),
            None => self.left.get([sample, matrix, row, column]),
        }
    }

    fn set(&mut self, [sample, matrix, row, column]: At, value: T) {
        match column.checked_sub(self.left.sizes()[3].unwrap_or(1)) {
            Some(column) => self.right.set([sample, matrix, row, column], value),
            None => self.left.set([sample, matrix, row, column], value),
        }
    }
}

impl<T, V: Field<T>, const N: usize> Field<T> for [V; N] {
    fn sizes(&self) -> Sizes {
        match self.first().map_or([None; 4], V::sizes) {
            [_, None, rows, columns] => [None, Some(N), rows, columns],
            [_, matrices, rows, columns] => [Some(N), matrices, rows, columns],
        }
    }

    fn get(&self, at: At) -> T {
        self[at[outermost(self)]].get(at)
    }

    fn set(&mut self, at: At, value: T) {
        let level = outermost(self);
        self[at[level]].set(at, value);
    }
}

/// The past of a state: a list of the values, from the latest to the oldest. The numbers of a value
/// are one list, with those of all samples one after the other.
impl<T, V, const B: usize, const COUNT: usize, const N: usize, const M: usize> Field<T>
    for Ring<V, B, COUNT, N, M>
where
    T: Scalar,
    V: Flat<Scalar = T>,
{
    fn sizes(&self) -> Sizes {
        [None, None, Some(Self::DEPTH), Some(V::LEN)]
    }

    fn get(&self, [_, _, age, entry]: At) -> T {
        self.get(age + 1, entry / Self::SIZE)[entry % Self::SIZE]
    }

    fn set(&mut self, [_, _, age, entry]: At, value: T) {
        self.get_mut(age + 1, entry / Self::SIZE)[entry % Self::SIZE] = value;
    }
}

/// Indices above 2^24 are rounded in the state of a cell of `f32`.
impl<T: Scalar, const B: usize, const COUNT: usize, const N: usize, const M: usize> Field<T>
    for IndexRing<B, COUNT, N, M>
{
    fn sizes(&self) -> Sizes {
        [None, None, Some(Ring::<[u32; B], B, COUNT, N, M>::DEPTH), Some(B)]
    }

    fn get(&self, [_, _, age, sample]: At) -> T {
        T::of(f64::from((**self).get(age + 1, sample)[0]))
    }

    fn set(&mut self, [_, _, age, sample]: At, value: T) {
        (**self).get_mut(age + 1, sample)[0] = value.as_f64() as u32;
    }
}

/// Counts above 2^24 are rounded in the state of a cell of `f32`, which no mask can tell.
impl<T: Scalar, const B: usize> Field<T> for Steps<B> {
    fn sizes(&self) -> Sizes {
        [None, None, Some(B), None]
    }

    fn get(&self, [_, _, sample, _]: At) -> T {
        T::of(f64::from(self.counts()[sample]))
    }

    fn set(&mut self, [_, _, sample, _]: At, value: T) {
        self.counts_mut()[sample] = value.as_f64() as u32;
    }
}

/// Returns the level of the outermost lists of a value.
fn outermost<T>(field: &impl Field<T>) -> usize {
    usize::from(field.sizes()[0].is_none())
}

/// Returns the first level of a value's lists from `from` on, and the length of its lists.
fn level<T>(field: &dyn Field<T>, from: usize) -> Option<(usize, usize)> {
    let mut levels = field.sizes().into_iter().enumerate().skip(from);
    levels.find_map(|(level, size)| Some((level, size?)))
}

/// The entries of a value that have the indices `at` before a level.
struct Entries<'a, T> {
    field: &'a dyn Field<T>,
    level: usize,
    at: At,
}

impl<T: Scalar> Serialize for Entries<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((level, length)) = level(self.field, self.level) else {
            let number = self.field.get(self.at).as_f64();
            return match size_of::<T>() == size_of::<f32>() {
                true => serializer.serialize_f32(number as f32),
                false => serializer.serialize_f64(number),
            };
        };
        let mut list = serializer.serialize_tuple(length)?;
        for index in 0..length {
            let mut at = self.at;
            at[level] = index;
            list.serialize_element(&Entries { field: self.field, level: level + 1, at })?;
        }
        list.end()
    }
}

/// The entries of a value that have the indices `at` before a level, to be deserialised.
struct EntriesMut<'a, T> {
    name: &'static str,
    field: &'a mut dyn Field<T>,
    level: usize,
    at: At,
}

impl<T> EntriesMut<'_, T> {
    /// Writes a number of lists or entries.
    fn count(&self, level: usize, number: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, many) = match (level, self.field.sizes()) {
            (0, _) => ("sample", "samples"),
            (1, [.., Some(_), _]) => ("matrix", "matrices"),
            (2, [.., Some(_)]) => ("row", "rows"),
            (1 | 2, _) => ("entry", "entries"),
            _ => ("column", "columns"),
        };
        write!(f, "{number} {}", if number == 1 { one } else { many })
    }

    /// Writes the list at a level: `W`, or its row or sample.
    fn list(&self, level: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.field.sizes();
        for (index, what) in ["sample", "matrix", "row"].into_iter().enumerate().take(level).rev() {
            if sizes[index].is_some() {
                write!(f, "{what} {} of ", self.at[index])?;
            }
        }
        write!(f, "`{}`", self.name)
    }
}

impl<'de, T: Scalar> DeserializeSeed<'de> for EntriesMut<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match level(self.field, self.level) {
            Some((_, length)) => deserializer.deserialize_tuple(length, self),
            None if size_of::<T>() == size_of::<f32>() => deserializer.deserialize_f32(self),
            None => deserializer.deserialize_f64(self),
        }
    }
}

impl<'de, T: Scalar> Visitor<'de> for EntriesMut<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match level(self.field, self.level) {
            Some((level, length)) => {
                f.write_str("the ")?;
                self.count(level, length, f)?;
                f.write_str(" of ")?;
                self.list(level, f)
            }
            None => write!(f, "a number in `{}`", self.name),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if level(self.field, self.level).is_some() {
            return Err(E::invalid_type(Unexpected::Float(value), &self));
        }
        self.field.set(self.at, T::of(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((level, length)) = level(self.field, self.level) else {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        };
        let mut at = self.at;
        let mut count = 0;
        while count < length {
            at[level] = count;
            let entries = EntriesMut { name: self.name, field: &mut *self.field, level: level + 1, at };
            if list.next_element_seed(entries)?.is_none() {
                break;
            }
            count += 1;
        }
        while count >= length && list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        match count == length {
            true => Ok(()),
            false => Err(A::Error::custom(WrongLength { entries: &self, level, length, count })),
        }
    }
}

/// The message about a list of a wrong length.
struct WrongLength<'a, 'b, T> {
    entries: &'a EntriesMut<'b, T>,
    level: usize,
    length: usize,
    count: usize,
}

impl<T> fmt::Display for WrongLength<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongLength { entries, level, length, count } = *self;
        entries.list(level, f)?;
        f.write_str(" has ")?;
        entries.count(level, count, f)?;
        write!(f, ", but must have {length}")
    }
}

/// Writes the fields of a struct.
///
/// # Errors
/// The errors of the serializer.
pub fn write_fields<T: Scalar, S: Serializer>(
    serializer: S,
    of: &'static str,
    names: &'static [&'static str],
    fields: &[&dyn Field<T>],
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_struct(of, names.len())?;
    for (name, field) in names.iter().zip(fields) {
        map.serialize_field(name, &Entries { field: *field, level: 0, at: [0; 4] })?;
    }
    map.end()
}

/// Reads the fields of a struct, each of which is in `fields`.
///
/// # Errors
/// Returns an error if a field is missing, unknown or there twice, or a size is wrong.
pub fn read_fields<'de, T: Scalar, D: Deserializer<'de>>(
    deserializer: D,
    of: &'static str,
    names: &'static [&'static str],
    fields: &mut [Option<&mut dyn Field<T>>],
) -> Result<(), D::Error> {
    deserializer.deserialize_struct(of, names, Fields { of, names, fields })
}

struct Fields<'a, 'b, T> {
    of: &'static str,
    names: &'static [&'static str],
    /// The fields that were not read so far.
    fields: &'a mut [Option<&'b mut dyn Field<T>>],
}

impl<'de, T: Scalar> Visitor<'de> for Fields<'_, '_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map with the fields of `{}`", self.of)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(index) = map.next_key_seed(Key(self.names))? {
            let name = self.names[index];
            let field = self.fields[index].take().ok_or_else(|| A::Error::duplicate_field(name))?;
            map.next_value_seed(EntriesMut { name, field, level: 0, at: [0; 4] })?;
        }
        match self.names.iter().zip(self.fields).find(|(_, field)| field.is_some()) {
            Some((name, _)) => Err(A::Error::missing_field(name)),
            None => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        for (&name, field) in self.names.iter().zip(self.fields) {
            let Some(field) = field.take() else { continue };
            let entries = EntriesMut { name, field, level: 0, at: [0; 4] };
            list.next_element_seed(entries)?.ok_or_else(|| A::Error::missing_field(name))?;
        }
        Ok(())
    }
}

/// The name of a field. Its value is the field's index.
struct Key(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let index = self.0.iter().position(|other| *other == name);
        index.ok_or_else(|| E::unknown_field(name, self.0))
    }

    fn visit_u64<E: Error>(self, index: u64) -> Result<usize, E> {
        let known = usize::try_from(index).ok().filter(|&index| index < self.0.len());
        known.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(index), &self))
    }
}

macro_rules! whole_matrix {
    ($($blocks:ident)+) => { $(
        impl<A, B> Serialize for $blocks<A, B>
        where
            Self: Block + Field<<Self as Block>::Scalar>,
        {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Entries::<<Self as Block>::Scalar> { field: self, level: 0, at: [0; 4] }.serialize(serializer)
            }
        }

        impl<'de, A, B> Deserialize<'de> for $blocks<A, B>
        where
            Self: Block + Field<<Self as Block>::Scalar>,
        {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut blocks = Self::zeros();
                let field: &mut dyn Field<<Self as Block>::Scalar> = &mut blocks;
                let name = stringify!($blocks);
                EntriesMut { name, field, level: 0, at: [0; 4] }.deserialize(deserializer)?;
                Ok(blocks)
            }
        }
    )+ };
}

whole_matrix!(Rows Cols);

/// Implements serde's traits for structs that the macro writes.
#[doc(hidden)]
#[macro_export]
macro_rules! __serde {
    ($([$($generics:tt)*] $scalar:ident $of:literal $type:ty = $zero:expr; $($field:ident)*,)*) => { $(
        impl<$($generics)*> $crate::generated::Serialize for $type {
            fn serialize<__S: $crate::generated::Serializer>(
                &self,
                __serializer: __S,
            ) -> ::core::result::Result<__S::Ok, __S::Error> {
                $crate::generated::write_fields::<$scalar, __S>(
                    __serializer, $of, &[$(::core::stringify!($field)),*], &[$(&self.$field),*],
                )
            }
        }

        impl<'__de, $($generics)*> $crate::generated::Deserialize<'__de> for $type {
            fn deserialize<__D: $crate::generated::Deserializer<'__de>>(
                __deserializer: __D,
            ) -> ::core::result::Result<Self, __D::Error> {
                let mut __value: Self = $zero;
                $crate::generated::read_fields::<$scalar, __D>(
                    __deserializer, $of, &[$(::core::stringify!($field)),*],
                    &mut [$(::core::option::Option::Some(&mut __value.$field)),*],
                )?;
                ::core::result::Result::Ok(__value)
            }
        }
    )* };
}
