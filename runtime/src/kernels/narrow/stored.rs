//! Stored matrices, and the bytes of the fields of quantised cells.

use super::{Format, Narrow, narrow};
use crate::Scalar;
use crate::cell::TypeName;
use crate::kernels::plain::Flat;
use core::fmt;
use core::mem::{MaybeUninit, offset_of};
use core::ptr;
use nalgebra::SMatrix;

/// A matrix in a quantised format.
#[doc(hidden)]
#[derive(Clone, PartialEq)]
// One column of a panel's bytes is one cache line.
#[repr(C, align(64))]
pub struct Stored<Q: Format, T: Scalar, const R: usize, const C: usize> {
    entries: [[Q::Entry; R]; C],
    scales: Q::Scales<T, R>,
}

/// The shape and the format, without the entries.
impl<Q: Format, T: Scalar, const R: usize, const C: usize> fmt::Debug for Stored<Q, T, R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{R}, {C}] {}", TypeName::of::<Q>())
    }
}

impl<Q: Format, T: Scalar, const R: usize, const C: usize> Stored<Q, T, R, C> {
    /// Returns a matrix of zeros.
    pub fn zero() -> Self {
        Stored { entries: [[Q::Entry::default(); R]; C], scales: Q::no_scales() }
    }

    /// Stores a matrix, column by column. Returns `false` if an entry does not fit.
    pub fn store(&mut self, matrix: &SMatrix<T, R, C>) -> bool {
        let (numbers, entries) = (matrix.flat(), self.entries.as_flattened_mut());
        let number = |row, column| numbers.get(column * R + row).copied().unwrap_or_default();
        narrow::<Q, T>((R, C), number, entries, self.scales.as_mut())
    }

    /// Stores the transpose of a matrix. Returns `false` if an entry does not fit.
    pub fn store_turned(&mut self, matrix: &SMatrix<T, C, R>) -> bool {
        let (numbers, entries) = (matrix.flat(), self.entries.as_flattened_mut());
        let number = |row, column| numbers.get(row * C + column).copied().unwrap_or_default();
        narrow::<Q, T>((R, C), number, entries, self.scales.as_mut())
    }

    /// Returns the view of the matrix that products read.
    #[inline(always)]
    pub fn view(&self) -> Narrow<'_, Q, T> {
        Narrow { entries: self.entries.as_flattened(), scales: self.scales.as_ref() }
    }
}

/// A field of a quantised cell, which is written as bytes.
///
/// # Safety
/// The value is an array of [`COUNT`](Self::COUNT) equal parts. All bits are valid in the
/// [`PIECES`](Self::PIECES) of a part, and the rest of it is padding. The pieces do not overlap. On
/// a little-endian target, the bytes of the value are the pieces of each part, in this order.
#[doc(hidden)]
pub unsafe trait Bytes: Sized {
    /// The number of parts.
    const COUNT: usize;
    /// The offset and the size of each piece of a part.
    const PIECES: [(usize, usize); 2];
    /// The number of bytes.
    const BYTES: usize = Self::COUNT * (Self::PIECES[0].1 + Self::PIECES[1].1);

    /// Writes the bytes and returns the rest of `to`.
    fn write<'b>(&self, to: &'b mut [u8]) -> Option<&'b mut [u8]>;

    /// Reads the bytes and returns the rest of `from`.
    fn read<'b>(&mut self, from: &'b [u8]) -> Option<&'b [u8]>;
}

/// Returns the value with the bytes at the beginning of `rest`, and removes them from `rest`. Does
/// not compile for big-endian targets.
///
/// # Panics
/// Panics if there are fewer bytes.
pub const fn from_bytes<V: Bytes>(rest: &mut &[u8]) -> V {
    const { assert!(cfg!(target_endian = "little"), "the bytes of a copy are little-endian") };
    assert!(V::BYTES <= rest.len(), "there are fewer bytes than `BYTES` of this copy");
    let (mut from, after) = rest.split_at(V::BYTES);
    let mut value = MaybeUninit::<V>::uninit();
    let mut part = 0;
    while part < V::COUNT {
        let start = part * (size_of::<V>() / V::COUNT);
        let mut piece = 0;
        while piece < V::PIECES.len() {
            let (offset, size) = V::PIECES[piece];
            let (bytes, others) = from.split_at(size);
            // SAFETY: the trait promises that the piece is part of the value, and that all bits are
            // valid there.
            unsafe {
                let to = value.as_mut_ptr().cast::<u8>().add(start + offset);
                ptr::copy_nonoverlapping(bytes.as_ptr(), to, size);
            }
            from = others;
            piece += 1;
        }
        part += 1;
    }
    *rest = after;
    // SAFETY: everything but padding is written.
    unsafe { value.assume_init() }
}

/// Checks that no bytes are left.
///
/// # Panics
/// Panics if there are bytes.
pub const fn check_end(rest: &mut &[u8]) {
    assert!(rest.is_empty(), "there are more bytes than `BYTES` of this copy");
}

fn write_scalars<'b, T: Scalar>(scalars: &[T], mut to: &'b mut [u8]) -> Option<&'b mut [u8]> {
    for scalar in scalars {
        let bits = scalar.as_f64();
        if size_of::<T>() == 4 {
            let (own, rest) = to.split_first_chunk_mut()?;
            *own = (bits as f32).to_le_bytes();
            to = rest;
        } else {
            let (own, rest) = to.split_first_chunk_mut()?;
            *own = bits.to_le_bytes();
            to = rest;
        }
    }
    Some(to)
}

fn read_scalars<'b, T: Scalar>(scalars: &mut [T], mut from: &'b [u8]) -> Option<&'b [u8]> {
    for scalar in scalars {
        if size_of::<T>() == 4 {
            let (own, rest) = from.split_first_chunk()?;
            *scalar = T::of(f64::from(f32::from_le_bytes(*own)));
            from = rest;
        } else {
            let (own, rest) = from.split_first_chunk()?;
            *scalar = T::of(f64::from_le_bytes(*own));
            from = rest;
        }
    }
    Some(from)
}

// SAFETY: the scales and the entries are all of the struct but padding. A format promises that all
// bits are valid in them.
unsafe impl<Q: Format, T: Scalar, const R: usize, const C: usize> Bytes for Stored<Q, T, R, C> {
    const COUNT: usize = 1;
    const PIECES: [(usize, usize); 2] = [
        (offset_of!(Self, scales), size_of::<Q::Scales<T, R>>()),
        (offset_of!(Self, entries), size_of::<[[Q::Entry; R]; C]>()),
    ];

    fn write<'b>(&self, to: &'b mut [u8]) -> Option<&'b mut [u8]> {
        let mut to = write_scalars(self.scales.as_ref(), to)?;
        for entry in self.entries.as_flattened() {
            for byte in Q::to_bytes(*entry).into_iter().take(size_of::<Q::Entry>()) {
                let (own, rest) = to.split_first_mut()?;
                *own = byte;
                to = rest;
            }
        }
        Some(to)
    }

    fn read<'b>(&mut self, from: &'b [u8]) -> Option<&'b [u8]> {
        let mut from = read_scalars(self.scales.as_mut(), from)?;
        for entry in self.entries.as_flattened_mut() {
            let mut bytes = [0; 2];
            for byte in bytes.iter_mut().take(size_of::<Q::Entry>()) {
                let (own, rest) = from.split_first()?;
                *byte = *own;
                from = rest;
            }
            *entry = Q::from_bytes(bytes);
        }
        Some(from)
    }
}

// SAFETY: a block of scalars has no padding, and all bits are valid scalars.
unsafe impl<T: Scalar, const R: usize, const C: usize> Bytes for SMatrix<T, R, C> {
    const COUNT: usize = 1;
    const PIECES: [(usize, usize); 2] = [(0, size_of::<Self>()), (0, 0)];

    fn write<'b>(&self, to: &'b mut [u8]) -> Option<&'b mut [u8]> {
        write_scalars(self.flat(), to)
    }

    fn read<'b>(&mut self, from: &'b [u8]) -> Option<&'b [u8]> {
        read_scalars(self.flat_mut(), from)
    }
}

// SAFETY: an array of arrays of parts is an array of these parts.
unsafe impl<V: Bytes, const K: usize> Bytes for [V; K] {
    const COUNT: usize = K * V::COUNT;
    const PIECES: [(usize, usize); 2] = V::PIECES;

    fn write<'b>(&self, to: &'b mut [u8]) -> Option<&'b mut [u8]> {
        self.iter().try_fold(to, |to, value| value.write(to))
    }

    fn read<'b>(&mut self, from: &'b [u8]) -> Option<&'b [u8]> {
        self.iter_mut().try_fold(from, |from, value| value.read(from))
    }
}
