//! The vectors that hand-blocked kernels hold in registers.
//!
//! Element-wise code is left to the compiler's vectoriser; matrix products are not, since a small change of the
//! surrounding code can cost a factor of ten there.

/// A scalar that has vectors.
#[doc(hidden)]
pub trait Packed: Copy + 'static {
    /// The vector of the target's baseline.
    type Portable: Pack<Self>;
    /// The vector of AVX2.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Pack<Self>;
}

/// A vector of `LANES` scalars.
///
/// # Safety
/// Every method wants a processor with the instruction set that the vector belongs to; a value of the
/// set's token is the proof. Pointers need no alignment beyond the scalar's.
#[doc(hidden)]
#[allow(clippy::missing_safety_doc, missing_docs)]
pub trait Pack<T>: Copy {
    const LANES: usize;
    unsafe fn splat(x: T) -> Self;
    unsafe fn load(from: *const T) -> Self;
    /// The first `count < LANES` scalars, then zeros; reads no others.
    unsafe fn load_first(from: *const T, count: usize) -> Self;
    unsafe fn store(self, to: *mut T);
    unsafe fn add(self, other: Self) -> Self;
    /// `self * factor + term`.
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self;
    /// The vector with its first `count < LANES` lanes taken from `first`.
    unsafe fn keep_first(self, first: Self, count: usize) -> Self;
    /// The sums of eight vectors' lanes.
    unsafe fn sums(vectors: [Self; 8]) -> [T; 8];
    /// Loads `LANES` columns of a column-major square, `stride` scalars apart, and stores its transpose.
    unsafe fn transpose(from: *const T, stride: usize, to: *mut T, to_stride: usize);
}

/// Vectors for targets that we know no instructions of: the compiler chooses.
#[cfg(not(target_arch = "x86_64"))]
mod fallback {
    use super::{Pack, Packed};
    use crate::kernels::isa::Portable;
    use crate::kernels::math::LaneMath;

    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct Lanes<T, const N: usize>([T; N]);

    macro_rules! fallback {
        ($float:ident, $lanes:literal) => {
            impl Packed for $float {
                type Portable = Lanes<$float, $lanes>;
            }

            impl Pack<$float> for Lanes<$float, $lanes> {
                const LANES: usize = $lanes;

                #[inline(always)]
                unsafe fn splat(x: $float) -> Self {
                    Lanes([x; $lanes])
                }

                #[inline(always)]
                unsafe fn load(from: *const $float) -> Self {
                    // SAFETY: the caller vouches for the scalars.
                    Lanes(unsafe { from.cast::<[$float; $lanes]>().read() })
                }

                #[inline(always)]
                unsafe fn load_first(from: *const $float, count: usize) -> Self {
                    let mut lanes = [0.0; $lanes];
                    for (l, lane) in lanes.iter_mut().enumerate().take(count) {
                        // SAFETY: the caller vouches for `count` scalars.
                        *lane = unsafe { *from.add(l) };
                    }
                    Lanes(lanes)
                }

                #[inline(always)]
                unsafe fn store(self, to: *mut $float) {
                    // SAFETY: the caller vouches for the room.
                    unsafe { to.cast::<[$float; $lanes]>().write(self.0) }
                }

                #[inline(always)]
                unsafe fn add(mut self, other: Self) -> Self {
                    for l in 0..$lanes {
                        self.0[l] += other.0[l];
                    }
                    self
                }

                #[inline(always)]
                unsafe fn mul_add(mut self, factor: Self, term: Self) -> Self {
                    for l in 0..$lanes {
                        self.0[l] = <$float>::lane_fused::<Portable>(self.0[l], factor.0[l], term.0[l]);
                    }
                    self
                }

                #[inline(always)]
                unsafe fn keep_first(mut self, first: Self, count: usize) -> Self {
                    self.0[..count].copy_from_slice(&first.0[..count]);
                    self
                }

                #[inline(always)]
                unsafe fn sums(vectors: [Self; 8]) -> [$float; 8] {
                    let mut sums = [0.0; 8];
                    for v in 0..8 {
                        for l in 0..$lanes {
                            sums[v] += vectors[v].0[l];
                        }
                    }
                    sums
                }

                #[inline(always)]
                unsafe fn transpose(from: *const $float, stride: usize, to: *mut $float, to_stride: usize) {
                    for column in 0..$lanes {
                        for row in 0..$lanes {
                            // SAFETY: the caller vouches for both squares.
                            unsafe { *to.add(row * to_stride + column) = *from.add(column * stride + row) };
                        }
                    }
                }
            }
        };
    }

    fallback!(f32, 4);
    fallback!(f64, 2);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    // Each method's contract is the instruction set's presence; within it the intrinsics are safe but for pointers.
    #![allow(clippy::undocumented_unsafe_blocks)]

    use super::{Pack, Packed};
    use core::arch::x86_64::*;

    impl Packed for f32 {
        type Portable = Quad;
        type Avx2 = Oct;
    }

    impl Packed for f64 {
        type Portable = WidePair;
        type Avx2 = WideQuad;
    }

    /// Four `f32`, SSE2.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct Quad(__m128);

    /// Eight `f32`, AVX2.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct Oct(__m256);

    /// Two `f64`, SSE2.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct WidePair(__m128d);

    /// Four `f64`, AVX2.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct WideQuad(__m256d);

    /// `WINDOW[8 - n..]` starts with `n` set entries.
    static WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
    static WIDE_WINDOW: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

    impl Pack<f32> for Quad {
        const LANES: usize = 4;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            unsafe { Quad(_mm_set1_ps(x)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Quad(_mm_loadu_ps(from)) }
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            let mut lanes = [0.0f32; 4];
            for (l, lane) in lanes.iter_mut().enumerate().take(count) {
                *lane = unsafe { *from.add(l) };
            }
            unsafe { Self::load(lanes.as_ptr()) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { Quad(_mm_add_ps(self.0, other.0)) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            unsafe { Quad(_mm_add_ps(_mm_mul_ps(self.0, factor.0), term.0)) }
        }

        #[inline(always)]
        unsafe fn keep_first(self, first: Self, count: usize) -> Self {
            debug_assert!(count <= 4);
            unsafe {
                let mask = _mm_loadu_ps(WINDOW.as_ptr().add(8 - count).cast());
                Quad(_mm_or_ps(_mm_and_ps(mask, first.0), _mm_andnot_ps(mask, self.0)))
            }
        }

        #[inline(always)]
        unsafe fn sums(vectors: [Self; 8]) -> [f32; 8] {
            let mut sums = [0.0; 8];
            for half in 0..2 {
                let [mut a, mut b, mut c, mut d] = [0, 1, 2, 3].map(|v| vectors[4 * half + v].0);
                unsafe {
                    _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
                    let sum = _mm_add_ps(_mm_add_ps(a, b), _mm_add_ps(c, d));
                    _mm_storeu_ps(sums.as_mut_ptr().add(4 * half), sum);
                }
            }
            sums
        }

        #[inline(always)]
        unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
            unsafe {
                let mut a = _mm_loadu_ps(from);
                let mut b = _mm_loadu_ps(from.add(stride));
                let mut c = _mm_loadu_ps(from.add(2 * stride));
                let mut d = _mm_loadu_ps(from.add(3 * stride));
                _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
                _mm_storeu_ps(to, a);
                _mm_storeu_ps(to.add(to_stride), b);
                _mm_storeu_ps(to.add(2 * to_stride), c);
                _mm_storeu_ps(to.add(3 * to_stride), d);
            }
        }
    }

    impl Pack<f64> for WidePair {
        const LANES: usize = 2;

        #[inline(always)]
        unsafe fn splat(x: f64) -> Self {
            unsafe { WidePair(_mm_set1_pd(x)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            unsafe { WidePair(_mm_loadu_pd(from)) }
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f64, count: usize) -> Self {
            unsafe { WidePair(if count == 0 { _mm_setzero_pd() } else { _mm_set_sd(*from) }) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            unsafe { _mm_storeu_pd(to, self.0) }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { WidePair(_mm_add_pd(self.0, other.0)) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            unsafe { WidePair(_mm_add_pd(_mm_mul_pd(self.0, factor.0), term.0)) }
        }

        #[inline(always)]
        unsafe fn keep_first(self, first: Self, count: usize) -> Self {
            debug_assert!(count <= 2);
            unsafe {
                let mask = _mm_loadu_pd(WIDE_WINDOW.as_ptr().add(4 - count).cast());
                WidePair(_mm_or_pd(_mm_and_pd(mask, first.0), _mm_andnot_pd(mask, self.0)))
            }
        }

        #[inline(always)]
        unsafe fn sums(vectors: [Self; 8]) -> [f64; 8] {
            let mut sums = [0.0; 8];
            for pair in 0..4 {
                let (a, b) = (vectors[2 * pair].0, vectors[2 * pair + 1].0);
                unsafe {
                    let sum = _mm_add_pd(_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b));
                    _mm_storeu_pd(sums.as_mut_ptr().add(2 * pair), sum);
                }
            }
            sums
        }

        #[inline(always)]
        unsafe fn transpose(from: *const f64, stride: usize, to: *mut f64, to_stride: usize) {
            unsafe {
                let a = _mm_loadu_pd(from);
                let b = _mm_loadu_pd(from.add(stride));
                _mm_storeu_pd(to, _mm_unpacklo_pd(a, b));
                _mm_storeu_pd(to.add(to_stride), _mm_unpackhi_pd(a, b));
            }
        }
    }

    impl Pack<f32> for Oct {
        const LANES: usize = 8;

        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            unsafe { Oct(_mm256_set1_ps(x)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            unsafe { Oct(_mm256_loadu_ps(from)) }
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f32, count: usize) -> Self {
            debug_assert!(count <= 8);
            unsafe {
                let mask = _mm256_loadu_si256(WINDOW.as_ptr().add(8 - count).cast());
                Oct(_mm256_maskload_ps(from, mask))
            }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { _mm256_storeu_ps(to, self.0) }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { Oct(_mm256_add_ps(self.0, other.0)) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            unsafe { Oct(_mm256_fmadd_ps(self.0, factor.0, term.0)) }
        }

        #[inline(always)]
        unsafe fn keep_first(self, first: Self, count: usize) -> Self {
            debug_assert!(count <= 8);
            unsafe {
                let mask = _mm256_loadu_ps(WINDOW.as_ptr().add(8 - count).cast());
                Oct(_mm256_blendv_ps(self.0, first.0, mask))
            }
        }

        #[inline(always)]
        unsafe fn sums(v: [Self; 8]) -> [f32; 8] {
            unsafe {
                let first = _mm256_hadd_ps(_mm256_hadd_ps(v[0].0, v[1].0), _mm256_hadd_ps(v[2].0, v[3].0));
                let second = _mm256_hadd_ps(_mm256_hadd_ps(v[4].0, v[5].0), _mm256_hadd_ps(v[6].0, v[7].0));
                // Each half of `first` holds the sums of half the lanes of vectors 0 to 3.
                let low = _mm256_permute2f128_ps::<0x20>(first, second);
                let high = _mm256_permute2f128_ps::<0x31>(first, second);
                let mut sums = [0.0; 8];
                _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_add_ps(low, high));
                sums
            }
        }

        #[inline(always)]
        unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
            unsafe {
                let column = |c: usize| _mm256_loadu_ps(from.add(c * stride));
                // Pairs of columns interleaved, then pairs of pairs, then the halves.
                let (c0, c1, c2, c3) = (column(0), column(1), column(2), column(3));
                let (c4, c5, c6, c7) = (column(4), column(5), column(6), column(7));
                let (a0, a1) = (_mm256_unpacklo_ps(c0, c1), _mm256_unpackhi_ps(c0, c1));
                let (a2, a3) = (_mm256_unpacklo_ps(c2, c3), _mm256_unpackhi_ps(c2, c3));
                let (a4, a5) = (_mm256_unpacklo_ps(c4, c5), _mm256_unpackhi_ps(c4, c5));
                let (a6, a7) = (_mm256_unpacklo_ps(c6, c7), _mm256_unpackhi_ps(c6, c7));
                let (b0, b1) = (_mm256_shuffle_ps::<0x44>(a0, a2), _mm256_shuffle_ps::<0xee>(a0, a2));
                let (b2, b3) = (_mm256_shuffle_ps::<0x44>(a1, a3), _mm256_shuffle_ps::<0xee>(a1, a3));
                let (b4, b5) = (_mm256_shuffle_ps::<0x44>(a4, a6), _mm256_shuffle_ps::<0xee>(a4, a6));
                let (b6, b7) = (_mm256_shuffle_ps::<0x44>(a5, a7), _mm256_shuffle_ps::<0xee>(a5, a7));
                let row = |r: usize, v: __m256| _mm256_storeu_ps(to.add(r * to_stride), v);
                row(0, _mm256_permute2f128_ps::<0x20>(b0, b4));
                row(1, _mm256_permute2f128_ps::<0x20>(b1, b5));
                row(2, _mm256_permute2f128_ps::<0x20>(b2, b6));
                row(3, _mm256_permute2f128_ps::<0x20>(b3, b7));
                row(4, _mm256_permute2f128_ps::<0x31>(b0, b4));
                row(5, _mm256_permute2f128_ps::<0x31>(b1, b5));
                row(6, _mm256_permute2f128_ps::<0x31>(b2, b6));
                row(7, _mm256_permute2f128_ps::<0x31>(b3, b7));
            }
        }
    }

    impl Pack<f64> for WideQuad {
        const LANES: usize = 4;

        #[inline(always)]
        unsafe fn splat(x: f64) -> Self {
            unsafe { WideQuad(_mm256_set1_pd(x)) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f64) -> Self {
            unsafe { WideQuad(_mm256_loadu_pd(from)) }
        }

        #[inline(always)]
        unsafe fn load_first(from: *const f64, count: usize) -> Self {
            debug_assert!(count <= 4);
            unsafe {
                let mask = _mm256_loadu_si256(WIDE_WINDOW.as_ptr().add(4 - count).cast());
                WideQuad(_mm256_maskload_pd(from, mask))
            }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f64) {
            unsafe { _mm256_storeu_pd(to, self.0) }
        }

        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            unsafe { WideQuad(_mm256_add_pd(self.0, other.0)) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
            unsafe { WideQuad(_mm256_fmadd_pd(self.0, factor.0, term.0)) }
        }

        #[inline(always)]
        unsafe fn keep_first(self, first: Self, count: usize) -> Self {
            debug_assert!(count <= 4);
            unsafe {
                let mask = _mm256_loadu_pd(WIDE_WINDOW.as_ptr().add(4 - count).cast());
                WideQuad(_mm256_blendv_pd(self.0, first.0, mask))
            }
        }

        #[inline(always)]
        unsafe fn sums(v: [Self; 8]) -> [f64; 8] {
            let mut sums = [0.0; 8];
            for half in 0..2 {
                unsafe {
                    let first = _mm256_hadd_pd(v[4 * half].0, v[4 * half + 1].0);
                    let second = _mm256_hadd_pd(v[4 * half + 2].0, v[4 * half + 3].0);
                    let low = _mm256_permute2f128_pd::<0x20>(first, second);
                    let high = _mm256_permute2f128_pd::<0x31>(first, second);
                    _mm256_storeu_pd(sums.as_mut_ptr().add(4 * half), _mm256_add_pd(low, high));
                }
            }
            sums
        }

        #[inline(always)]
        unsafe fn transpose(from: *const f64, stride: usize, to: *mut f64, to_stride: usize) {
            unsafe {
                let column = |c: usize| _mm256_loadu_pd(from.add(c * stride));
                let (c0, c1, c2, c3) = (column(0), column(1), column(2), column(3));
                let (a0, a1) = (_mm256_unpacklo_pd(c0, c1), _mm256_unpackhi_pd(c0, c1));
                let (a2, a3) = (_mm256_unpacklo_pd(c2, c3), _mm256_unpackhi_pd(c2, c3));
                let row = |r: usize, v: __m256d| _mm256_storeu_pd(to.add(r * to_stride), v);
                row(0, _mm256_permute2f128_pd::<0x20>(a0, a2));
                row(1, _mm256_permute2f128_pd::<0x20>(a1, a3));
                row(2, _mm256_permute2f128_pd::<0x31>(a0, a2));
                row(3, _mm256_permute2f128_pd::<0x31>(a1, a3));
            }
        }
    }
}
