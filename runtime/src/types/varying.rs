//! Values as points of a vector space.
//!
//! Generic code uses this view to perturb an input, add up a cotangent or draw a random direction,
//! whatever the type of the value.

use core::marker::PhantomData;

use nalgebra::{ArrayStorage, SMatrix};

use crate::Scalar;
use crate::types::blocks::{Cols, Rows};

/// A value made of scalars of type `T`, which are always visited in the same order.
///
/// Inputs, outputs, states and contexts of generated cells implement it. An index (`one_hot`) has
/// no scalars.
pub trait Varying<T> {
    /// Returns the value whose scalars are all zero.
    fn zero() -> Self
    where
        Self: Sized;

    /// Calls `f` with every scalar.
    fn scalars(&self, f: &mut dyn FnMut(T));

    /// Calls `f` with a mutable reference to every scalar.
    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T));

    /// Calls `f` with a mutable reference to every scalar of one sample, where `self` is a value of
    /// `batch` samples. The sample is a column of a matrix or an element of an array. The default
    /// visits nothing, for values that do not distinguish samples.
    fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        let _ = (sample, batch, f);
    }

    /// Exchanges one sample with the same sample of `other`. Both values have `batch` samples.
    /// Indices are exchanged too.
    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize)
    where
        Self: Sized;

    /// Calls `f` with a mutable reference to every scalar and the same scalar of `other`.
    fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T))
    where
        Self: Sized;

    /// Adds `other` scalar by scalar. Indices are unchanged.
    fn add(&mut self, other: &Self)
    where
        Self: Sized,
        T: Scalar,
    {
        self.zip_scalars(other, &mut |x, y| *x += y);
    }
}

impl<T> Varying<T> for () {
    fn zero() -> Self {}

    fn scalars(&self, _: &mut dyn FnMut(T)) {}

    fn scalars_mut(&mut self, _: &mut dyn FnMut(&mut T)) {}

    fn swap_sample(&mut self, (): &mut (), _: usize, _: usize) {}

    fn zip_scalars(&mut self, (): &(), _: &mut dyn FnMut(&mut T, T)) {}
}

impl<T, M> Varying<T> for PhantomData<M> {
    fn zero() -> Self {
        PhantomData
    }

    fn scalars(&self, _: &mut dyn FnMut(T)) {}

    fn scalars_mut(&mut self, _: &mut dyn FnMut(&mut T)) {}

    fn swap_sample(&mut self, _: &mut Self, _: usize, _: usize) {}

    fn zip_scalars(&mut self, _: &Self, _: &mut dyn FnMut(&mut T, T)) {}
}

impl<T> Varying<T> for u32 {
    fn zero() -> Self {
        0
    }

    fn scalars(&self, _: &mut dyn FnMut(T)) {}

    fn scalars_mut(&mut self, _: &mut dyn FnMut(&mut T)) {}

    fn swap_sample(&mut self, other: &mut u32, _: usize, batch: usize) {
        if batch == 1 {
            core::mem::swap(self, other);
        }
    }

    fn zip_scalars(&mut self, _: &u32, _: &mut dyn FnMut(&mut T, T)) {}
}

impl<T: Scalar> Varying<T> for T {
    fn zero() -> Self {
        T::default()
    }

    fn scalars(&self, f: &mut dyn FnMut(T)) {
        f(*self);
    }

    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
        f(self);
    }

    fn sample_mut(&mut self, _: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        if batch == 1 {
            f(self);
        }
    }

    fn swap_sample(&mut self, other: &mut T, _: usize, batch: usize) {
        if batch == 1 {
            core::mem::swap(self, other);
        }
    }

    fn zip_scalars(&mut self, other: &T, f: &mut dyn FnMut(&mut T, T)) {
        f(self, *other);
    }
}

impl<T: Scalar, const R: usize, const C: usize> Varying<T> for SMatrix<T, R, C> {
    // Inlined and without nalgebra's constructors, which would stay calls without link-time
    // optimisation.
    #[inline(always)]
    fn zero() -> Self {
        SMatrix::from_array_storage(ArrayStorage([[T::ZERO; R]; C]))
    }

    fn scalars(&self, f: &mut dyn FnMut(T)) {
        self.as_slice().iter().for_each(|&x| f(x));
    }

    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
        self.as_mut_slice().iter_mut().for_each(f);
    }

    fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        if C == batch {
            self.column_mut(sample).iter_mut().for_each(f);
        }
    }

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        if C == batch {
            let column = sample * R..(sample + 1) * R;
            self.as_mut_slice()[column.clone()].swap_with_slice(&mut other.as_mut_slice()[column]);
        }
    }

    fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
        self.as_mut_slice().iter_mut().zip(other.as_slice()).for_each(|(x, y)| f(x, *y));
    }

    // This loop is vectorised, unlike the default.
    fn add(&mut self, other: &Self) {
        *self += other;
    }
}

impl<T, V: Varying<T>, const B: usize> Varying<T> for [V; B] {
    #[inline(always)]
    fn zero() -> Self {
        core::array::from_fn(|_| V::zero())
    }

    fn scalars(&self, f: &mut dyn FnMut(T)) {
        self.iter().for_each(|value| value.scalars(f));
    }

    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
        self.iter_mut().for_each(|value| value.scalars_mut(f));
    }

    fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        if B == batch {
            self[sample].scalars_mut(f);
        }
    }

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        if B == batch {
            core::mem::swap(&mut self[sample], &mut other[sample]);
        }
    }

    fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
        self.iter_mut().zip(other).for_each(|(value, other)| value.zip_scalars(other, f));
    }
}

/// Implements the methods of [`Varying`] that visit one field after the other.
macro_rules! visit_fields {
    ($($field:tt)+) => {
        fn scalars(&self, f: &mut dyn FnMut(T)) {
            $(self.$field.scalars(f);)+
        }

        fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
            $(self.$field.scalars_mut(f);)+
        }

        fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
            $(self.$field.sample_mut(sample, batch, f);)+
        }

        fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
            $(self.$field.swap_sample(&mut other.$field, sample, batch);)+
        }

        fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
            $(self.$field.zip_scalars(&other.$field, f);)+
        }
    };
}

/// Implements [`Varying`] for structs of two fields.
macro_rules! structs {
    ($($type:ident { $first:ident, $second:ident })+) => { $(
        impl<T, A: Varying<T>, B: Varying<T>> Varying<T> for $type<A, B> {
            fn zero() -> Self {
                Self { $first: A::zero(), $second: B::zero() }
            }

            $crate::types::varying::visit_fields! { $first $second }
        }
    )+ };
}

#[cfg(feature = "alloc")]
pub(crate) use structs;
pub(crate) use visit_fields;

structs! { Rows { top, bottom } Cols { left, right } }

macro_rules! tuples {
    ($(($($of:ident $field:tt),+))+) => { $(
        impl<T, $($of: Varying<T>),+> Varying<T> for ($($of,)+) {
            fn zero() -> Self {
                ($($of::zero(),)+)
            }

            visit_fields! { $($field)+ }
        }
    )+ };
}

tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn listed(value: &impl Varying<f32>) -> Vec<f32> {
        let mut scalars = Vec::new();
        value.scalars(&mut |x| scalars.push(x));
        scalars
    }

    #[test]
    fn every_scalar_is_visited_once_and_in_order() {
        let matrix = SMatrix::<f32, 2, 2>::new(1.0, 3.0, 2.0, 4.0);
        let mut value = (
            matrix,
            [matrix * 2.0, matrix * 3.0],
            Rows { top: 5.0_f32, bottom: Cols { left: 6.0_f32, right: () } },
            [7_u32, 8],
        );
        assert_eq!(listed(&value), [1.0, 2.0, 3.0, 4.0, 2.0, 4.0, 6.0, 8.0, 3.0, 6.0, 9.0, 12.0, 5.0, 6.0]);
        let mut next = 0.0;
        value.scalars_mut(&mut |x: &mut f32| {
            *x = next;
            next += 1.0;
        });
        assert_eq!(listed(&value), (0..14).map(|i| i as f32).collect::<Vec<_>>());
        assert_eq!(value.3, [7, 8]);
    }

    #[test]
    fn a_sample_is_a_column_or_an_element() {
        let matrix = SMatrix::<f32, 2, 2>::new(1.0, 3.0, 2.0, 4.0);
        let mut value = (Rows { top: matrix, bottom: matrix * 10.0 }, [matrix, -matrix], [7_u32, 8]);
        let mut second = Vec::new();
        value.sample_mut(1, 2, &mut |x: &mut f32| second.push(*x));
        assert_eq!(second, [3.0, 4.0, 30.0, 40.0, -1.0, -2.0, -3.0, -4.0]);
    }

    #[test]
    fn samples_and_indices_are_exchanged() {
        let matrix = SMatrix::<f32, 2, 2>::new(1.0, 3.0, 2.0, 4.0);
        let mut one = ((matrix, [5.0_f32, 6.0]), [7_u32, 8]);
        let mut other = ((matrix * 10.0, [50.0, 60.0]), [70, 80]);
        Varying::<f32>::swap_sample(&mut one, &mut other, 1, 2);
        assert_eq!((listed(&one), one.1), ([1.0, 2.0, 30.0, 40.0, 5.0, 60.0].to_vec(), [7, 80]));
        assert_eq!((listed(&other), other.1), ([10.0, 20.0, 3.0, 4.0, 50.0, 6.0].to_vec(), [70, 8]));
    }

    #[test]
    fn scalars_are_visited_in_pairs() {
        let matrix = SMatrix::<f32, 1, 2>::new(1.0, 2.0);
        let mut sum = (Rows { top: matrix, bottom: [3.0_f32] }, (), 4_u32);
        Varying::<f32>::add(&mut sum, &(Rows { top: matrix * 10.0, bottom: [30.0] }, (), 5));
        assert_eq!((listed(&sum), sum.2), ([11.0, 22.0, 33.0].to_vec(), 4));
    }

    #[test]
    fn zero_is_zero() {
        type Value = ([SMatrix<f32, 2, 40>; 3], Rows<f32, f32>, (), [u32; 2]);
        let zero = <Value as Varying<f32>>::zero();
        assert_eq!(listed(&zero), [0.0; 242]);
    }
}
