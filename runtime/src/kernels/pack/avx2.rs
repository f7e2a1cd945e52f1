//! Vectors of AVX2 with FMA.

use super::{Pack, UPPER_HALF};
use core::arch::x86_64::*;

/// Eight `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Oct(__m256);

/// Four `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct WideQuad(__m256d);

/// A table of masks: `WINDOW[8 - n..]` starts with `n` set entries.
static WINDOW: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static WIDE_WINDOW: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

/// A table of rotations: `ROTATE[n..]` counts from `n`, modulo eight.
static ROTATE: [i32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7];

/// Returns eight `f32` of two concatenated vectors, starting with lane `start < 8`.
#[inline(always)]
unsafe fn window(low: __m256, high: __m256, start: usize) -> __m256 {
    debug_assert!(start < 8);
    // SAFETY: the caller vouches for the instruction set; both statics have eight entries after
    // each index from 0 to 7.
    unsafe {
        let from = _mm256_loadu_si256(ROTATE.as_ptr().add(start).cast());
        let (low, high) = (_mm256_permutevar8x32_ps(low, from), _mm256_permutevar8x32_ps(high, from));
        _mm256_blendv_ps(high, low, _mm256_loadu_ps(WINDOW.as_ptr().add(start).cast()))
    }
}

impl Pack<f32> for Oct {
    const LANES: usize = 8;
    const SPREADS: bool = !cfg!(feature = "deterministic");
    type Half = Oct;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        caller_vouches!(Oct(_mm256_set1_ps(x)))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        caller_vouches!(Oct(_mm256_loadu_ps(from)))
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        caller_vouches!(Oct(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast())))))
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let halves = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
            Oct(_mm256_castsi256_ps(_mm256_slli_epi32::<16>(halves)))
        }
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let pairs = _mm256_loadu_si256(from.cast());
            let odd = _mm256_and_si256(pairs, _mm256_set1_epi32(UPPER_HALF));
            [_mm256_slli_epi32::<16>(pairs), odd].map(|bits| Oct(_mm256_castsi256_ps(bits)))
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        debug_assert!(count <= 8);
        // SAFETY: the window is in its static; the caller vouches for the instruction set and the
        // first `count` scalars.
        unsafe {
            let mask = _mm256_loadu_si256(WINDOW.as_ptr().add(8 - count).cast());
            Oct(_mm256_maskload_ps(from, mask))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        caller_vouches!(_mm256_storeu_ps(to, self.0))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        debug_assert!(count <= 8);
        // A masked store is slow on some processors and does not forward its data to later loads.
        // SAFETY: the caller vouches for the instruction set and for `count` scalars; each store
        // writes the next of them.
        unsafe {
            let (mut to, mut rest) = (to, _mm256_castps256_ps128(self.0));
            if count == 8 {
                return self.store(to);
            }
            if count & 4 > 0 {
                _mm_storeu_ps(to, rest);
                (to, rest) = (to.add(4), _mm256_extractf128_ps::<1>(self.0));
            }
            if count & 2 > 0 {
                _mm_store_sd(to.cast(), _mm_castps_pd(rest));
                (to, rest) = (to.add(2), _mm_movehl_ps(rest, rest));
            }
            if count & 1 > 0 {
                _mm_store_ss(to, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(Oct(_mm256_add_ps(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            if cfg!(feature = "deterministic") {
                return Oct(_mm256_add_ps(_mm256_mul_ps(self.0, factor.0), term.0));
            }
            Oct(_mm256_fmadd_ps(self.0, factor.0, term.0))
        }
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        debug_assert!(count <= 8);
        // SAFETY: the window is in its static; the caller vouches for the instruction set.
        unsafe {
            let mask = _mm256_loadu_ps(WINDOW.as_ptr().add(8 - count).cast());
            Oct(_mm256_blendv_ps(self.0, first.0, mask))
        }
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        caller_vouches!(Oct(window(low.0, high.0, start)))
    }

    #[inline(always)]
    unsafe fn spread(self, indices: *const u32) -> Self {
        caller_vouches!(Oct(_mm256_permutevar8x32_ps(self.0, _mm256_loadu_si256(indices.cast()))))
    }

    #[inline(always)]
    unsafe fn sums(v: [Self; 8]) -> [f32; 8] {
        // SAFETY: the caller vouches for the instruction set; the array holds what is stored.
        unsafe {
            let first = _mm256_hadd_ps(_mm256_hadd_ps(v[0].0, v[1].0), _mm256_hadd_ps(v[2].0, v[3].0));
            let second = _mm256_hadd_ps(_mm256_hadd_ps(v[4].0, v[5].0), _mm256_hadd_ps(v[6].0, v[7].0));
            // Each half of `first` has the sums of half of the lanes of vectors 0 to 3.
            let low = _mm256_permute2f128_ps::<0x20>(first, second);
            let high = _mm256_permute2f128_ps::<0x31>(first, second);
            let mut sums = [0.0; 8];
            _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_add_ps(low, high));
            sums
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller vouches for the instruction set and both squares.
        unsafe {
            let column = |c: usize| _mm256_loadu_ps(from.add(c * stride));
            // Interleaves pairs of columns, then pairs of pairs, then the halves.
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
    type Half = WideQuad;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        caller_vouches!(WideQuad(_mm256_set1_pd(x)))
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        caller_vouches!(WideQuad(_mm256_loadu_pd(from)))
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let bytes = _mm_cvtsi32_si128(from.cast::<i32>().read_unaligned());
            WideQuad(_mm256_cvtepi32_pd(_mm_cvtepi8_epi32(bytes)))
        }
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let halves = _mm_slli_epi32::<16>(_mm_cvtepu16_epi32(_mm_loadl_epi64(from.cast())));
            WideQuad(_mm256_cvtps_pd(_mm_castsi128_ps(halves)))
        }
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let pairs = _mm_loadu_si128(from.cast());
            let odd = _mm_and_si128(pairs, _mm_set1_epi32(UPPER_HALF));
            [_mm_slli_epi32::<16>(pairs), odd].map(|bits| WideQuad(_mm256_cvtps_pd(_mm_castsi128_ps(bits))))
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        debug_assert!(count <= 4);
        // SAFETY: the window is in its static; the caller vouches for the instruction set and the
        // first `count` scalars.
        unsafe {
            let mask = _mm256_loadu_si256(WIDE_WINDOW.as_ptr().add(4 - count).cast());
            WideQuad(_mm256_maskload_pd(from, mask))
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        caller_vouches!(_mm256_storeu_pd(to, self.0))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        debug_assert!(count <= 4);
        // SAFETY: the caller vouches for the instruction set and for `count` scalars; each store
        // writes the next of them.
        unsafe {
            let (mut to, mut rest) = (to, _mm256_castpd256_pd128(self.0));
            if count == 4 {
                return self.store(to);
            }
            if count & 2 > 0 {
                _mm_storeu_pd(to, rest);
                (to, rest) = (to.add(2), _mm256_extractf128_pd::<1>(self.0));
            }
            if count & 1 > 0 {
                _mm_store_sd(to, rest);
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(WideQuad(_mm256_add_pd(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            if cfg!(feature = "deterministic") {
                return WideQuad(_mm256_add_pd(_mm256_mul_pd(self.0, factor.0), term.0));
            }
            WideQuad(_mm256_fmadd_pd(self.0, factor.0, term.0))
        }
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        debug_assert!(count <= 4);
        // SAFETY: the window is in its static; the caller vouches for the instruction set.
        unsafe {
            let mask = _mm256_loadu_pd(WIDE_WINDOW.as_ptr().add(4 - count).cast());
            WideQuad(_mm256_blendv_pd(self.0, first.0, mask))
        }
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        // SAFETY: the caller vouches for the instruction set and for `start < 4`.
        unsafe {
            let (low, high) = (_mm256_castpd_ps(low.0), _mm256_castpd_ps(high.0));
            WideQuad(_mm256_castps_pd(window(low, high, 2 * start)))
        }
    }

    #[inline(always)]
    unsafe fn sums(v: [Self; 8]) -> [f64; 8] {
        let mut sums = [0.0; 8];
        for half in 0..2 {
            // SAFETY: the caller vouches for the instruction set; the array holds what is stored.
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
        // SAFETY: the caller vouches for the instruction set and both squares.
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
