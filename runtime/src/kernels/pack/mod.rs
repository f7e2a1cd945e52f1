//! The vectors that hand-blocked kernels hold in registers.
//!
//! Element-wise code is left to the compiler's vectoriser. Matrix products are not, because a small
//! change of the surrounding code can make them ten times slower.

/// Evaluates an expression under the contract of the surrounding method of [`Pack`]: the caller of
/// the method vouches for the instruction set and for the scalars behind each pointer.
#[cfg(any(target_arch = "x86_64", feature = "deterministic"))]
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

/// The vectors of the target's baseline, for each scalar type. For tests, `--cfg rnn_cell_fallback`
/// selects the vectors of other targets on x86-64.
mod baseline {
    #[cfg(any(not(target_arch = "x86_64"), rnn_cell_fallback))]
    pub use super::fallback::{Double, Single};
    #[cfg(all(target_arch = "x86_64", not(rnn_cell_fallback)))]
    pub use super::sse2::{Quad as Single, WidePair as Double};
}

/// A scalar type with vectors.
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
    /// The target's own product of a matrix with a vector, if it has one.
    const COLUMN: Option<Column<Self>> = None;
}

/// A function that computes `y (m) = A (m x k) x (k)`, or adds it to `y` if the last argument is
/// true. The arguments are `m`, `k`, `a`, `x`, `y`. It has the contract of `column`.
#[doc(hidden)]
pub type Column<T> = unsafe fn(usize, usize, *const T, *const T, *mut T, bool);

impl Packed for f32 {
    #[cfg(not(feature = "deterministic"))]
    type Portable = baseline::Single;
    #[cfg(feature = "deterministic")]
    type Portable = twice::Twice<baseline::Single>;
    #[cfg(target_arch = "x86_64")]
    type Avx2 = avx2::Oct;
    #[cfg(target_arch = "x86_64")]
    type Avx512 = avx512::Hex;
    // The deterministic mode has one order of additions.
    #[cfg(all(
        target_arch = "arm",
        target_abi = "eabihf",
        not(target_has_atomic = "64"),
        not(feature = "deterministic")
    ))]
    const COLUMN: Option<Column<f32>> = Some(super::cortex_m::column);
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

/// The number of scalars of the widest vector.
#[doc(hidden)]
pub const MOST_LANES: usize = 16;

/// A mask of the upper half of an `f32`.
#[cfg(target_arch = "x86_64")]
pub(crate) const UPPER_HALF: i32 = -0x1_0000;

/// A vector of `LANES` scalars.
///
/// # Safety
/// Every method requires a processor with the instruction set of the vector, which a value of the
/// set's token proves. Pointers need only the alignment of the scalar.
#[doc(hidden)]
#[allow(clippy::missing_safety_doc, missing_docs)]
pub trait Pack<T: Copy + Default>: Copy {
    const LANES: usize;
    /// A vector of half as many scalars if there is one, for data that would not fill this one.
    type Half: Pack<T>;
    /// The number of sums that fit in the registers together with their operands.
    const SUMS: usize = 12;
    /// The number of vectors in a column of the tile that a matrix product holds in registers.
    const TALL: usize = 2;
    /// The number of columns in an iteration of a loop over columns with one chain of additions.
    const COLUMNS: usize = 1;
    /// True if [`spread`](Self::spread) is one instruction.
    const SPREADS: bool = false;
    unsafe fn splat(x: T) -> Self;
    unsafe fn load(from: *const T) -> Self;
    /// Loads the first `count <= LANES` scalars, followed by zeros. Reads no other scalars.
    unsafe fn load_first(from: *const T, count: usize) -> Self;
    unsafe fn store(self, to: *mut T);
    /// Loads `LANES` integers of eight bits and converts them.
    unsafe fn widen_bytes(from: *const i8) -> Self;
    /// Loads `LANES` upper halves of `f32` and converts them.
    unsafe fn widen_halves(from: *const u16) -> Self;
    /// Loads `2 * LANES` upper halves of `f32` and converts them. Returns the even and the odd
    /// ones.
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2];
    /// Stores the first `count <= LANES` scalars and writes no others. There are no branches if the
    /// count is a constant.
    unsafe fn store_first(self, to: *mut T, count: usize);
    unsafe fn add(self, other: Self) -> Self;
    /// Returns `self * factor + term`.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// Returns the vector with its first `count <= LANES` lanes taken from `first`.
    unsafe fn keep_first(self, first: Self, count: usize) -> Self;
    /// Returns `LANES` scalars of two concatenated vectors, starting with lane `start < LANES`.
    unsafe fn window(low: Self, high: Self, start: usize) -> Self;
    /// Returns the vector whose lane `l` is lane `indices[l] < LANES` of this one. There are
    /// `LANES` indices.
    #[inline(always)]
    unsafe fn spread(self, indices: *const u32) -> Self {
        let (mut lanes, mut spread) = ([T::default(); MOST_LANES], [T::default(); MOST_LANES]);
        // SAFETY: the arrays are as large as any vector; the caller vouches for the indices.
        unsafe {
            self.store(lanes.as_mut_ptr());
            for (l, lane) in spread.iter_mut().enumerate().take(Self::LANES) {
                *lane = lanes[*indices.add(l) as usize % MOST_LANES];
            }
            Self::load(spread.as_ptr())
        }
    }
    /// Returns the sum of the lanes of each of eight vectors. Neighbouring lanes are added first,
    /// then neighbouring pairs, and so on.
    unsafe fn sums(vectors: [Self; 8]) -> [T; 8];
    /// Loads `LANES` columns of a column-major square, `stride` scalars apart, and stores its
    /// transpose.
    unsafe fn transpose(from: *const T, stride: usize, to: *mut T, to_stride: usize);
}
