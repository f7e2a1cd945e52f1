//! The formats of stored matrices.

use super::{Narrow, integer, widened};
use crate::Scalar;
use crate::kernels::isa::Isa;
use crate::kernels::pack::Pack;
use core::fmt::Debug;

/// A storage format for matrices.
///
/// # Safety
/// [`Scales`](Self::Scales) consists of `SCALES * R` scalars. An entry is an integer, with the
/// bytes of [`to_bytes`](Self::to_bytes) on little-endian targets.
pub unsafe trait Format: Copy + Debug + Default + Eq + Send + Sync + 'static {
    /// The type of an entry.
    type Entry: Copy + Debug + Default + PartialEq + Send + Sync + 'static;
    /// The scales of `R` rows, or an empty array.
    type Scales<T: Scalar, const R: usize>: AsRef<[T]> + AsMut<[T]> + Copy + Debug + PartialEq + Send + Sync;

    /// The number of scales per row.
    const SCALES: usize;

    /// Returns the scales of rows of zeros.
    fn no_scales<T: Scalar, const R: usize>() -> Self::Scales<T, R>;

    /// Returns the scale of a row with the given largest magnitude.
    fn scale(largest: f64) -> f64;

    /// Returns the entry nearest to a number, or `None` if the number is out of range.
    fn narrowed(number: f64, scale: f64) -> Option<Self::Entry>;

    /// Returns the number that an entry represents before scaling.
    fn widened<T: Scalar>(entry: Self::Entry) -> T;

    /// Returns the bytes of an entry, the lowest first. An entry of one byte uses only the first.
    fn to_bytes(entry: Self::Entry) -> [u8; 2];

    /// Returns the entry with the given bytes. The inverse of [`to_bytes`](Self::to_bytes).
    fn from_bytes(bytes: [u8; 2]) -> Self::Entry;

    /// Returns the position of an entry of a matrix of `size` rows and columns in the stored
    /// matrix.
    #[doc(hidden)]
    fn place(size: (usize, usize), row: usize, column: usize) -> usize;

    /// Computes `y_g (M x n) = sum_p A_pg (M x K_p) x_p (K_p x n)`, or adds the sums to `y_g` with
    /// `accumulate`. Computes nothing if a slice does not have the size of its matrix.
    #[doc(hidden)]
    fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
        isa: S,
        a: [[Narrow<'_, Self, T>; G]; P],
        x: [&[T]; P],
        y: [&mut [T]; G],
        accumulate: bool,
    );
}

/// A format whose products widen entries to the scalar type.
///
/// # Safety
/// The same as for [`Format`].
pub unsafe trait Widened: Format {
    /// True if the two columns of a pair are stored interleaved, entry by entry, instead of one
    /// after the other.
    const PAIRED: bool;

    /// Loads `LANES` rows of the two columns of a pair, starting with row `row`.
    ///
    /// # Safety
    /// The pair starts at `pair`, in a panel of `height` rows that contains the loaded rows. The
    /// processor has the instruction set of `L`.
    unsafe fn pair<L: Pack<T>, T: Scalar>(pair: *const Self::Entry, height: usize, row: usize) -> [L; 2];

    /// Loads `LANES` rows of a column without a partner.
    ///
    /// # Safety
    /// The column has at least `LANES` rows. The processor has the instruction set of `L`.
    unsafe fn alone<L: Pack<T>, T: Scalar>(column: *const Self::Entry) -> L;

    /// Returns `sum * scale + old`.
    ///
    /// # Safety
    /// There are `LANES` scales, unless the format has none. The processor has the instruction set
    /// of `L`.
    unsafe fn scaled<L: Pack<T>, T: Scalar>(sum: L, scales: *const T, old: L) -> L;
}

/// Integers of eight bits with one scale per row. The scale is the row's largest magnitude divided
/// by 127, and an entry is a multiple of the scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Int8;

/// The largest magnitude of an entry. -128 is not used.
const MOST: f64 = 127.0;

// SAFETY: an array of `R` scalars consists of `R` scalars. An `i8` has the byte.
unsafe impl Format for Int8 {
    type Entry = i8;
    type Scales<T: Scalar, const R: usize> = [T; R];

    const SCALES: usize = 1;

    fn no_scales<T: Scalar, const R: usize>() -> [T; R] {
        [T::ZERO; R]
    }

    fn scale(largest: f64) -> f64 {
        largest / MOST
    }

    fn narrowed(number: f64, scale: f64) -> Option<i8> {
        // A row of zeros, or of numbers too small for a scale.
        if scale == 0.0 {
            return Some(0);
        }
        // Adding this constant rounds to a whole number, ties to even, because the last place of
        // the sum is one.
        const WHOLE: f64 = 1.5 * (1u64 << 52) as f64;
        Some(((number / scale).clamp(-MOST, MOST) + WHOLE - WHOLE) as i8)
    }

    #[inline(always)]
    fn widened<T: Scalar>(entry: i8) -> T {
        T::of(f64::from(entry))
    }

    fn to_bytes(entry: i8) -> [u8; 2] {
        [entry.to_le_bytes()[0], 0]
    }

    fn from_bytes([byte, _]: [u8; 2]) -> i8 {
        i8::from_le_bytes([byte])
    }

    fn place(size: (usize, usize), row: usize, column: usize) -> usize {
        widened::place::<Self>(size, row, column)
    }

    #[inline(always)]
    fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
        isa: S,
        a: [[Narrow<'_, Self, T>; G]; P],
        x: [&[T]; P],
        y: [&mut [T]; G],
        accumulate: bool,
    ) {
        widened::products::<S, Self, T, M, G, P>(isa, a, x, y, accumulate);
    }
}

// SAFETY: as above.
unsafe impl Widened for Int8 {
    const PAIRED: bool = false;

    #[inline(always)]
    unsafe fn pair<L: Pack<T>, T: Scalar>(pair: *const i8, height: usize, row: usize) -> [L; 2] {
        // SAFETY: guaranteed by the caller.
        unsafe { [L::widen_bytes(pair.add(row)), L::widen_bytes(pair.add(height + row))] }
    }

    #[inline(always)]
    unsafe fn alone<L: Pack<T>, T: Scalar>(column: *const i8) -> L {
        // SAFETY: guaranteed by the caller.
        unsafe { L::widen_bytes(column) }
    }

    #[inline(always)]
    unsafe fn scaled<L: Pack<T>, T: Scalar>(sum: L, scales: *const T, old: L) -> L {
        // SAFETY: guaranteed by the caller.
        unsafe { sum.mul_add(L::load(scales), old) }
    }
}

/// The integers of [`Int8`], multiplied in integers. A product rounds its right-hand side to 16
/// bits and adds up in 32 bits, like the 16x8 mode of TensorFlow Lite; activations keep their type.
///
/// Each product finds the scale of its right-hand side: the largest magnitude of the vector, or of
/// 128 entries of a longer one, becomes 32767. No range has to be known or measured beforehand, no
/// entry is too large, and a sum of 128 products fits in 32 bits. Every processor computes the same
/// bits for the same vector. If an entry of the vector is NaN or infinite, the product is NaN.
///
/// The Cortex-M4F and M7 (target `thumbv7em-none-eabihf`) and AVX2 multiply two pairs of 16 bits or
/// more per instruction. Other targets use plain integers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Int8By16;

// SAFETY: an array of `R` scalars consists of `R` scalars. An `i8` has the byte.
unsafe impl Format for Int8By16 {
    type Entry = i8;
    type Scales<T: Scalar, const R: usize> = [T; R];

    const SCALES: usize = 1;

    fn no_scales<T: Scalar, const R: usize>() -> [T; R] {
        [T::ZERO; R]
    }

    fn scale(largest: f64) -> f64 {
        Int8::scale(largest)
    }

    fn narrowed(number: f64, scale: f64) -> Option<i8> {
        Int8::narrowed(number, scale)
    }

    #[inline(always)]
    fn widened<T: Scalar>(entry: i8) -> T {
        Int8::widened(entry)
    }

    fn to_bytes(entry: i8) -> [u8; 2] {
        Int8::to_bytes(entry)
    }

    fn from_bytes(bytes: [u8; 2]) -> i8 {
        Int8::from_bytes(bytes)
    }

    fn place(size: (usize, usize), row: usize, column: usize) -> usize {
        integer::place(size, row, column)
    }

    #[inline(always)]
    fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
        isa: S,
        a: [[Narrow<'_, Self, T>; G]; P],
        x: [&[T]; P],
        y: [&mut [T]; G],
        accumulate: bool,
    ) {
        integer::products::<S, T, M, G, P>(isa, a, x, y, accumulate);
    }
}

/// The upper half of an `f32`, with its range and eight of its 24 bits of precision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bf16;

// SAFETY: an empty array contains no scalars. A `u16` has the bytes.
unsafe impl Format for Bf16 {
    type Entry = u16;
    type Scales<T: Scalar, const R: usize> = [T; 0];

    const SCALES: usize = 0;

    fn no_scales<T: Scalar, const R: usize>() -> [T; 0] {
        []
    }

    fn scale(_: f64) -> f64 {
        1.0
    }

    fn narrowed(number: f64, _: f64) -> Option<u16> {
        let bits = (number as f32).to_bits();
        // Rounds to nearest, ties to even: adds half a unit of the upper half, less one if the
        // upper half is even.
        let rounded = bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16;
        f32::from_bits(rounded << 16).is_finite().then_some(rounded as u16)
    }

    #[inline(always)]
    fn widened<T: Scalar>(entry: u16) -> T {
        T::of(f64::from(f32::from_bits(u32::from(entry) << 16)))
    }

    fn to_bytes(entry: u16) -> [u8; 2] {
        entry.to_le_bytes()
    }

    fn from_bytes(bytes: [u8; 2]) -> u16 {
        u16::from_le_bytes(bytes)
    }

    fn place(size: (usize, usize), row: usize, column: usize) -> usize {
        widened::place::<Self>(size, row, column)
    }

    #[inline(always)]
    fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
        isa: S,
        a: [[Narrow<'_, Self, T>; G]; P],
        x: [&[T]; P],
        y: [&mut [T]; G],
        accumulate: bool,
    ) {
        widened::products::<S, Self, T, M, G, P>(isa, a, x, y, accumulate);
    }
}

// SAFETY: as above.
unsafe impl Widened for Bf16 {
    const PAIRED: bool = true;

    #[inline(always)]
    unsafe fn pair<L: Pack<T>, T: Scalar>(pair: *const u16, _: usize, row: usize) -> [L; 2] {
        // SAFETY: guaranteed by the caller.
        unsafe { L::widen_pairs(pair.add(2 * row)) }
    }

    #[inline(always)]
    unsafe fn alone<L: Pack<T>, T: Scalar>(column: *const u16) -> L {
        // SAFETY: guaranteed by the caller.
        unsafe { L::widen_halves(column) }
    }

    #[inline(always)]
    unsafe fn scaled<L: Pack<T>, T: Scalar>(sum: L, _: *const T, old: L) -> L {
        // SAFETY: guaranteed by the caller.
        unsafe { sum.add(old) }
    }
}
