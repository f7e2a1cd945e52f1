//! Vectors of the baseline of x86-64, SSE2.

use super::{Pack, UPPER_HALF};
use core::arch::x86_64::*;

/// Four `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Quad(__m128);

/// Two `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct WidePair(__m128d);

/// A table of masks: `WINDOW[4 - n..]` starts with `n` set entries.
static WINDOW: [i32; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];
static WIDE_WINDOW: [i64; 4] = [-1, -1, 0, 0];

/// Returns the first four bytes, sign-extended to 32 bits.
#[inline(always)]
unsafe fn widened(bytes: __m128i) -> __m128i {
    // SAFETY: the caller vouches for the instruction set.
    unsafe {
        let twice = _mm_unpacklo_epi8(bytes, bytes);
        _mm_srai_epi32::<24>(_mm_unpacklo_epi16(twice, twice))
    }
}

impl Pack<f32> for Quad {
    const LANES: usize = 4;
    type Half = Quad;

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        caller_vouches!(Quad(_mm_set1_ps(x)))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        caller_vouches!(Quad(_mm_loadu_ps(from)))
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        caller_vouches!(Quad(_mm_cvtepi32_ps(widened(_mm_cvtsi32_si128(
            from.cast::<i32>().read_unaligned()
        )))))
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            Quad(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64(from.cast()))))
        }
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let pairs = _mm_loadu_si128(from.cast());
            let odd = _mm_and_si128(pairs, _mm_set1_epi32(UPPER_HALF));
            [_mm_slli_epi32::<16>(pairs), odd].map(|bits| Quad(_mm_castsi128_ps(bits)))
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        debug_assert!(count <= 4);
        // SAFETY: the caller vouches for the instruction set and the first `count` scalars.
        unsafe {
            Quad(match count {
                0 => _mm_setzero_ps(),
                1 => _mm_load_ss(from),
                2 => _mm_castpd_ps(_mm_load_sd(from.cast())),
                3 => _mm_movelh_ps(_mm_castpd_ps(_mm_load_sd(from.cast())), _mm_load_ss(from.add(2))),
                _ => _mm_loadu_ps(from),
            })
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        debug_assert!(count <= 4);
        // SAFETY: the caller vouches for the instruction set and for `count` scalars; each store
        // writes the next of them.
        unsafe {
            let (mut to, mut rest) = (to, self.0);
            if count == 4 {
                return self.store(to);
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
    unsafe fn store(self, to: *mut f32) {
        caller_vouches!(_mm_storeu_ps(to, self.0))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(Quad(_mm_add_ps(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        caller_vouches!(Quad(_mm_add_ps(_mm_mul_ps(self.0, factor.0), term.0)))
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        debug_assert!(count <= 4);
        // SAFETY: the window is in its static; the caller vouches for the instruction set.
        unsafe {
            let mask = _mm_loadu_ps(WINDOW.as_ptr().add(4 - count).cast());
            Quad(_mm_or_ps(_mm_and_ps(mask, first.0), _mm_andnot_ps(mask, self.0)))
        }
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        debug_assert!(start < 4);
        let mut both = [0.0; 8];
        // SAFETY: the caller vouches for the instruction set; the array holds both vectors.
        unsafe {
            low.store(both.as_mut_ptr());
            high.store(both.as_mut_ptr().add(4));
            Self::load(both.as_ptr().add(start))
        }
    }

    #[inline(always)]
    unsafe fn sums(vectors: [Self; 8]) -> [f32; 8] {
        let mut sums = [0.0; 8];
        for half in 0..2 {
            let [mut a, mut b, mut c, mut d] = [0, 1, 2, 3].map(|v| vectors[4 * half + v].0);
            // SAFETY: the caller vouches for the instruction set; the array holds what is stored.
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
        // SAFETY: the caller vouches for the instruction set and both squares.
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
    type Half = WidePair;

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        caller_vouches!(WidePair(_mm_set1_pd(x)))
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        caller_vouches!(WidePair(_mm_loadu_pd(from)))
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let bytes = i32::from(from.cast::<i16>().read_unaligned());
            WidePair(_mm_cvtepi32_pd(widened(_mm_cvtsi32_si128(bytes))))
        }
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let halves = _mm_cvtsi32_si128(from.cast::<i32>().read_unaligned());
            WidePair(_mm_cvtps_pd(_mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), halves))))
        }
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let pairs = _mm_loadl_epi64(from.cast());
            let odd = _mm_and_si128(pairs, _mm_set1_epi32(UPPER_HALF));
            [_mm_slli_epi32::<16>(pairs), odd].map(|bits| WidePair(_mm_cvtps_pd(_mm_castsi128_ps(bits))))
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        debug_assert!(count <= 2);
        // SAFETY: the caller vouches for the instruction set and the first `count` scalars.
        unsafe {
            WidePair(match count {
                0 => _mm_setzero_pd(),
                1 => _mm_load_sd(from),
                _ => _mm_loadu_pd(from),
            })
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        debug_assert!(count <= 2);
        // SAFETY: the caller vouches for the instruction set and for `count` scalars; each store
        // writes the next of them.
        unsafe {
            match count {
                0 => {}
                1 => _mm_store_sd(to, self.0),
                _ => _mm_storeu_pd(to, self.0),
            }
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        caller_vouches!(_mm_storeu_pd(to, self.0))
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(WidePair(_mm_add_pd(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        caller_vouches!(WidePair(_mm_add_pd(_mm_mul_pd(self.0, factor.0), term.0)))
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        debug_assert!(count <= 2);
        // SAFETY: the window is in its static; the caller vouches for the instruction set.
        unsafe {
            let mask = _mm_loadu_pd(WIDE_WINDOW.as_ptr().add(2 - count).cast());
            WidePair(_mm_or_pd(_mm_and_pd(mask, first.0), _mm_andnot_pd(mask, self.0)))
        }
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        debug_assert!(start < 2);
        let mut both = [0.0; 4];
        // SAFETY: the caller vouches for the instruction set; the array holds both vectors.
        unsafe {
            low.store(both.as_mut_ptr());
            high.store(both.as_mut_ptr().add(2));
            Self::load(both.as_ptr().add(start))
        }
    }

    #[inline(always)]
    unsafe fn sums(vectors: [Self; 8]) -> [f64; 8] {
        let mut sums = [0.0; 8];
        for pair in 0..4 {
            let (a, b) = (vectors[2 * pair].0, vectors[2 * pair + 1].0);
            // SAFETY: the caller vouches for the instruction set; the array holds what is stored.
            unsafe {
                let sum = _mm_add_pd(_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b));
                _mm_storeu_pd(sums.as_mut_ptr().add(2 * pair), sum);
            }
        }
        sums
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f64, stride: usize, to: *mut f64, to_stride: usize) {
        // SAFETY: the caller vouches for the instruction set and both squares.
        unsafe {
            let a = _mm_loadu_pd(from);
            let b = _mm_loadu_pd(from.add(stride));
            _mm_storeu_pd(to, _mm_unpacklo_pd(a, b));
            _mm_storeu_pd(to.add(to_stride), _mm_unpackhi_pd(a, b));
        }
    }
}
