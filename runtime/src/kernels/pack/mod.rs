//! The vectors that hand-blocked kernels hold in registers.
//!
//! Element-wise code is left to the compiler's vectoriser; matrix products are not, since a small change of the
//! surrounding code can cost a factor of ten there.

/// Evaluates an expression whose contract is that of the method of [`Pack`] around it: the caller of the
/// method vouches for the instruction set, and for the scalars behind each pointer.
macro_rules! caller_vouches {
    ($expression:expr) => {
        // SAFETY: the caller of the method vouches for it.
        unsafe { $expression }
    };
}

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(any(not(target_arch = "x86_64"), rnn_cell_fallback))]
mod fallback;
#[cfg(all(target_arch = "x86_64", not(rnn_cell_fallback)))]
mod sse2;
#[cfg(feature = "deterministic")]
mod twice;

/// The vectors of the target's baseline, for each scalar. For tests, `--cfg rnn_cell_fallback`
/// gives x86-64 those of other targets.
mod baseline {
    #[cfg(any(not(target_arch = "x86_64"), rnn_cell_fallback))]
    pub use super::fallback::{Double, Single};
    #[cfg(all(target_arch = "x86_64", not(rnn_cell_fallback)))]
    pub use super::sse2::{Quad as Single, WidePair as Double};
}

/// A scalar that has vectors.
#[doc(hidden)]
pub trait Packed: Copy + Default + 'static {
    /// The vector of the target's baseline.
    type Portable: Pack<Self>;
    /// The vector of AVX2.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Pack<Self>;
    /// The vector of AVX-512.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Pack<Self>;
}

impl Packed for f32 {
    #[cfg(not(feature = "deterministic"))]
    type Portable = baseline::Single;
    #[cfg(feature = "deterministic")]
    type Portable = twice::Twice<baseline::Single>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::Oct;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::Hex;
}

impl Packed for f64 {
    #[cfg(not(feature = "deterministic"))]
    type Portable = baseline::Double;
    #[cfg(feature = "deterministic")]
    type Portable = twice::Twice<baseline::Double>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::WideQuad;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::WideOct;
}

/// The widest vector has at most so many scalars.
#[doc(hidden)]
pub const MOST_LANES: usize = 16;

/// The bits of an `f32` that its upper half holds.
#[cfg(target_arch = "x86_64")]
pub(crate) const UPPER_HALF: i32 = -0x1_0000;

/// A vector of `LANES` scalars.
///
/// # Safety
/// Every method wants a processor with the instruction set that the vector belongs to; a value of the
/// set's token is the proof. Pointers need no alignment beyond the scalar's.
#[doc(hidden)]
#[allow(clippy::missing_safety_doc, missing_docs)]
pub trait Pack<T: Copy + Default>: Copy {
    const LANES: usize;
    /// A vector of half as many scalars, where there is one: for what would not fill this one.
    type Half: Pack<T>;
    /// Whether there are loads and stores of some lanes that cost no more than those of all.
    const MASKED: bool = false;
    /// Sums that fit the registers, beside what is added to them.
    const SUMS: usize = 12;
    /// Vectors in a column of the tile that a matrix product holds in registers.
    const TALL: usize = 2;
    unsafe fn splat(x: T) -> Self;
    unsafe fn load(from: *const T) -> Self;
    /// The first `count <= LANES` scalars, then zeros; reads no others.
    unsafe fn load_first(from: *const T, count: usize) -> Self;
    unsafe fn store(self, to: *mut T);
    /// `LANES` small integers.
    unsafe fn widen_bytes(from: *const i8) -> Self;
    /// `LANES` upper halves of `f32`.
    unsafe fn widen_halves(from: *const u16) -> Self;
    /// The even ones of `2 * LANES` upper halves of `f32`, and the odd ones.
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2];
    /// Stores the first `count <= LANES` scalars; writes no others. Free of branches where the count is a constant.
    unsafe fn store_first(self, to: *mut T, count: usize);
    /// The scalars of lanes `first..end`, at their places, and zeros; reads no others.
    #[inline(always)]
    unsafe fn load_between(from: *const T, first: usize, end: usize) -> Self {
        let mut lanes = [T::default(); MOST_LANES];
        // SAFETY: the array has room for any vector; the caller vouches for the scalars.
        unsafe {
            for l in first..end {
                lanes[l] = *from.wrapping_add(l);
            }
            Self::load(lanes.as_ptr())
        }
    }
    /// Stores lanes `first..end`; writes no others.
    #[inline(always)]
    unsafe fn store_between(self, to: *mut T, first: usize, end: usize) {
        let mut lanes = [T::default(); MOST_LANES];
        // SAFETY: as above.
        unsafe {
            self.store(lanes.as_mut_ptr());
            for l in first..end {
                *to.wrapping_add(l) = lanes[l];
            }
        }
    }
    unsafe fn add(self, other: Self) -> Self;
    /// `self * factor + term`.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The vector with its first `count <= LANES` lanes taken from `first`.
    unsafe fn keep_first(self, first: Self, count: usize) -> Self;
    /// `LANES` scalars of two vectors side by side, from `start < LANES` on.
    unsafe fn window(low: Self, high: Self, start: usize) -> Self;
    /// The sums of eight vectors' lanes: neighbours first, then neighbouring pairs, and so on.
    unsafe fn sums(vectors: [Self; 8]) -> [T; 8];
    /// Loads `LANES` columns of a column-major square, `stride` scalars apart, and stores its transpose.
    unsafe fn transpose(from: *const T, stride: usize, to: *mut T, to_stride: usize);
}
