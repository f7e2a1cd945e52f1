//! The formats that matrices are stored in.

use crate::Scalar;
use crate::kernels::pack::Pack;
use core::fmt::Debug;

/// How a matrix is stored.
///
/// # Safety
/// [`Scales`](Self::Scales) is `SCALES * R` scalars.
pub unsafe trait Format: Copy + Debug + Default + Eq + Send + Sync + 'static {
    /// One entry.
    type Entry: Copy + Debug + Default + PartialEq + Send + Sync + 'static;
    /// A scale a row, or none.
    type Scales<T: Scalar, const R: usize>: AsRef<[T]> + AsMut<[T]> + Copy + Debug + PartialEq + Send + Sync;

    /// Scales of a row.
    const SCALES: usize;
    /// Whether the two columns of a pair lie entry by entry, not one after the other.
    const PAIRED: bool;

    /// Scales of empty rows.
    fn no_scales<T: Scalar, const R: usize>() -> Self::Scales<T, R>;

    /// The scale of a row whose largest entry is given.
    fn scale(largest: f64) -> f64;

    /// The entry that is nearest to a number; `None` if there is none near.
    fn narrowed(number: f64, scale: f64) -> Option<Self::Entry>;

    /// The number that an entry stands for, but for the scale.
    fn widened<T: Scalar>(entry: Self::Entry) -> T;

    /// An entry's bytes, the lowest first, from `to[0]` on.
    fn to_bytes(entry: Self::Entry) -> [u8; 2];

    /// The other way.
    fn from_bytes(bytes: [u8; 2]) -> Self::Entry;

    /// `LANES` rows of the two columns of a pair, from row `row` on.
    ///
    /// # Safety
    /// The pair starts at `pair`, in a panel of `height` rows, of which there are as many; the processor has `L`.
    unsafe fn pair<L: Pack<T>, T: Scalar>(pair: *const Self::Entry, height: usize, row: usize) -> [L; 2];

    /// `LANES` rows of a column that is alone.
    ///
    /// # Safety
    /// There are as many; the processor has `L`.
    unsafe fn alone<L: Pack<T>, T: Scalar>(column: *const Self::Entry) -> L;

    /// `sum * scale + old`.
    ///
    /// # Safety
    /// There are `LANES` scales, if there are any; the processor has `L`.
    unsafe fn scaled<L: Pack<T>, T: Scalar>(sum: L, scales: *const T, old: L) -> L;
}

/// Eight bits and a scale a row: an entry is a whole number of the row's largest entry over 127.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Int8;

/// The largest integer: the negative ones go no further.
const MOST: f64 = 127.0;

// SAFETY: an array of `R` scalars is as many.
unsafe impl Format for Int8 {
    type Entry = i8;
    type Scales<T: Scalar, const R: usize> = [T; R];

    const SCALES: usize = 1;
    const PAIRED: bool = false;

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
        // Where this is added, the last place is one: the sum is rounded to a whole number, ties to even.
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

    #[inline(always)]
    unsafe fn pair<L: Pack<T>, T: Scalar>(pair: *const i8, height: usize, row: usize) -> [L; 2] {
        // SAFETY: passed on from the caller.
        unsafe { [L::widen_bytes(pair.add(row)), L::widen_bytes(pair.add(height + row))] }
    }

    #[inline(always)]
    unsafe fn alone<L: Pack<T>, T: Scalar>(column: *const i8) -> L {
        // SAFETY: passed on from the caller.
        unsafe { L::widen_bytes(column) }
    }

    #[inline(always)]
    unsafe fn scaled<L: Pack<T>, T: Scalar>(sum: L, scales: *const T, old: L) -> L {
        // SAFETY: passed on from the caller.
        unsafe { sum.mul_add(L::load(scales), old) }
    }
}

/// The upper half of an `f32`: its range, and eight of its 24 bits of precision.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bf16;

// SAFETY: an empty array is no scalar.
unsafe impl Format for Bf16 {
    type Entry = u16;
    type Scales<T: Scalar, const R: usize> = [T; 0];

    const SCALES: usize = 0;
    const PAIRED: bool = true;

    fn no_scales<T: Scalar, const R: usize>() -> [T; 0] {
        []
    }

    fn scale(_: f64) -> f64 {
        1.0
    }

    fn narrowed(number: f64, _: f64) -> Option<u16> {
        let bits = (number as f32).to_bits();
        // To the nearest, ties to even: half an upper unit, less one where the upper half is even.
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

    #[inline(always)]
    unsafe fn pair<L: Pack<T>, T: Scalar>(pair: *const u16, _: usize, row: usize) -> [L; 2] {
        // SAFETY: passed on from the caller.
        unsafe { L::widen_pairs(pair.add(2 * row)) }
    }

    #[inline(always)]
    unsafe fn alone<L: Pack<T>, T: Scalar>(column: *const u16) -> L {
        // SAFETY: passed on from the caller.
        unsafe { L::widen_halves(column) }
    }

    #[inline(always)]
    unsafe fn scaled<L: Pack<T>, T: Scalar>(sum: L, _: *const T, old: L) -> L {
        // SAFETY: passed on from the caller.
        unsafe { sum.add(old) }
    }
}
