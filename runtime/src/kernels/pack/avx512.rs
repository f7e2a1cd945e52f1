//! Vectors of AVX-512 (F, VL, DQ, BW).

use super::{Pack, UPPER_HALF};
use core::arch::x86_64::*;

/// Sixteen `f32`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Hex(__m512);

/// Eight `f64`.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct WideOct(__m512d);

/// Returns a mask of the first `count <= 16` lanes.
#[inline(always)]
fn first_of_16(count: usize) -> __mmask16 {
    debug_assert!(count <= 16);
    ((1u32 << count) - 1) as __mmask16
}

/// Returns a mask of the first `count <= 8` lanes.
#[inline(always)]
fn first_of_8(count: usize) -> __mmask8 {
    debug_assert!(count <= 8);
    ((1u32 << count) - 1) as __mmask8
}

/// A table of lane indices: `SLIDE[n..]` counts from `n`.
static SLIDE: [i32; 32] = {
    let mut slide = [0; 32];
    let mut n = 0;
    while n < 32 {
        slide[n] = n as i32;
        n += 1;
    }
    slide
};
static WIDE_SLIDE: [i64; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

impl Pack<f32> for Hex {
    const LANES: usize = 16;
    type Half = super::avx2::Oct;
    const SUMS: usize = 28;
    const TALL: usize = 4;
    const SPREADS: bool = !cfg!(feature = "deterministic");

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        caller_vouches!(Hex(_mm512_set1_ps(x)))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        caller_vouches!(Hex(_mm512_loadu_ps(from)))
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        caller_vouches!(Hex(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.cast())))))
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let halves = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
            Hex(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(halves)))
        }
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let pairs = _mm512_loadu_si512(from.cast());
            let odd = _mm512_and_si512(pairs, _mm512_set1_epi32(UPPER_HALF));
            [_mm512_slli_epi32::<16>(pairs), odd].map(|bits| Hex(_mm512_castsi512_ps(bits)))
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f32, count: usize) -> Self {
        caller_vouches!(Hex(_mm512_maskz_loadu_ps(first_of_16(count), from)))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        caller_vouches!(_mm512_storeu_ps(to, self.0))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f32, count: usize) {
        // A masked store does not forward its data to later loads.
        // SAFETY: the caller vouches for the instruction set and for `count` scalars; no others are
        // written.
        unsafe {
            match count {
                4 => _mm_storeu_ps(to, _mm512_castps512_ps128(self.0)),
                8 => _mm256_storeu_ps(to, _mm512_castps512_ps256(self.0)),
                _ => _mm512_mask_storeu_ps(to, first_of_16(count), self.0),
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(Hex(_mm512_add_ps(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        caller_vouches!(Hex(_mm512_fmadd_ps(self.0, factor.0, term.0)))
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        caller_vouches!(Hex(_mm512_mask_mov_ps(self.0, first_of_16(count), first.0)))
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        debug_assert!(start < 16);
        // SAFETY: the caller vouches for the instruction set; the static has a whole vector after
        // each lane.
        unsafe {
            let from = _mm512_loadu_epi32(SLIDE.as_ptr().add(start));
            Hex(_mm512_permutex2var_ps(low.0, from, high.0))
        }
    }

    #[inline(always)]
    unsafe fn spread(self, indices: *const u32) -> Self {
        caller_vouches!(Hex(_mm512_permutexvar_ps(_mm512_loadu_epi32(indices.cast()), self.0)))
    }

    #[inline(always)]
    unsafe fn sums(v: [Self; 8]) -> [f32; 8] {
        // SAFETY: the caller vouches for the instruction set; the array holds what is stored.
        unsafe {
            // Adds the halves of two vectors into one vector, whose quarters then hold four partial
            // sums of one vector each.
            let halves = |a: Self, b: Self| {
                let low = _mm512_shuffle_f32x4::<0x44>(a.0, b.0);
                let high = _mm512_shuffle_f32x4::<0xee>(a.0, b.0);
                _mm512_add_ps(low, high)
            };
            let pairs = |a, b| _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
            let even = pairs(halves(v[0], v[4]), halves(v[1], v[5]));
            let odd = pairs(halves(v[2], v[6]), halves(v[3], v[7]));
            let low = _mm512_shuffle_ps::<0x44>(even, odd);
            let high = _mm512_shuffle_ps::<0xee>(even, odd);
            // The quarters are two parts of vectors 0 to 3 and two of 4 to 7.
            let all = _mm512_add_ps(low, high);
            let first = _mm512_castps512_ps256(_mm512_shuffle_f32x4::<0x08>(all, all));
            let second = _mm512_castps512_ps256(_mm512_shuffle_f32x4::<0x0d>(all, all));
            let mut sums = [0.0; 8];
            _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_add_ps(first, second));
            sums
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f32, stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: the caller vouches for the instruction set and both squares.
        unsafe {
            for part in 0..4 {
                // Transposes four rows of all columns: concatenates quarters of columns, then
                // transposes squares of four by four.
                let quarter = |c: usize| _mm_loadu_ps(from.add(c * stride + 4 * part));
                let quarters = |c: usize| {
                    let all = _mm512_castps128_ps512(quarter(c));
                    let all = _mm512_insertf32x4::<1>(all, quarter(c + 4));
                    let all = _mm512_insertf32x4::<2>(all, quarter(c + 8));
                    _mm512_insertf32x4::<3>(all, quarter(c + 12))
                };
                let (c0, c1, c2, c3) = (quarters(0), quarters(1), quarters(2), quarters(3));
                let (a0, a1) = (_mm512_unpacklo_ps(c0, c1), _mm512_unpackhi_ps(c0, c1));
                let (a2, a3) = (_mm512_unpacklo_ps(c2, c3), _mm512_unpackhi_ps(c2, c3));
                let row = |r: usize, v: __m512| _mm512_storeu_ps(to.add((4 * part + r) * to_stride), v);
                row(0, _mm512_shuffle_ps::<0x44>(a0, a2));
                row(1, _mm512_shuffle_ps::<0xee>(a0, a2));
                row(2, _mm512_shuffle_ps::<0x44>(a1, a3));
                row(3, _mm512_shuffle_ps::<0xee>(a1, a3));
            }
        }
    }
}

impl Pack<f64> for WideOct {
    const LANES: usize = 8;
    type Half = super::avx2::WideQuad;
    const SUMS: usize = 28;
    const TALL: usize = 4;
    const SPREADS: bool = !cfg!(feature = "deterministic");

    #[inline(always)]
    unsafe fn splat(x: f64) -> Self {
        caller_vouches!(WideOct(_mm512_set1_pd(x)))
    }

    #[inline(always)]
    unsafe fn load(from: *const f64) -> Self {
        caller_vouches!(WideOct(_mm512_loadu_pd(from)))
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        caller_vouches!(WideOct(_mm512_cvtepi32_pd(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.cast())))))
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let halves = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast())));
            WideOct(_mm512_cvtps_pd(_mm256_castsi256_ps(halves)))
        }
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and the scalars.
        unsafe {
            let pairs = _mm256_loadu_si256(from.cast());
            let odd = _mm256_and_si256(pairs, _mm256_set1_epi32(UPPER_HALF));
            [_mm256_slli_epi32::<16>(pairs), odd]
                .map(|bits| WideOct(_mm512_cvtps_pd(_mm256_castsi256_ps(bits))))
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const f64, count: usize) -> Self {
        caller_vouches!(WideOct(_mm512_maskz_loadu_pd(first_of_8(count), from)))
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f64) {
        caller_vouches!(_mm512_storeu_pd(to, self.0))
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut f64, count: usize) {
        // SAFETY: the caller vouches for the instruction set and for `count` scalars; no others are
        // written.
        unsafe {
            match count {
                4 => _mm256_storeu_pd(to, _mm512_castpd512_pd256(self.0)),
                _ => _mm512_mask_storeu_pd(to, first_of_8(count), self.0),
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(WideOct(_mm512_add_pd(self.0, other.0)))
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        caller_vouches!(WideOct(_mm512_fmadd_pd(self.0, factor.0, term.0)))
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        caller_vouches!(WideOct(_mm512_mask_mov_pd(self.0, first_of_8(count), first.0)))
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        debug_assert!(start < 8);
        // SAFETY: the caller vouches for the instruction set; the static has a whole vector after
        // each lane.
        unsafe {
            let from = _mm512_loadu_epi64(WIDE_SLIDE.as_ptr().add(start));
            WideOct(_mm512_permutex2var_pd(low.0, from, high.0))
        }
    }

    #[inline(always)]
    unsafe fn spread(self, indices: *const u32) -> Self {
        // SAFETY: the caller vouches for the instruction set and the indices.
        unsafe {
            let indices = _mm512_cvtepu32_epi64(_mm256_loadu_si256(indices.cast()));
            WideOct(_mm512_permutexvar_pd(indices, self.0))
        }
    }

    #[inline(always)]
    unsafe fn sums(v: [Self; 8]) -> [f64; 8] {
        // SAFETY: the caller vouches for the instruction set; the array holds what is stored.
        unsafe {
            let halves = |a: Self, b: Self| {
                let low = _mm512_shuffle_f64x2::<0x44>(a.0, b.0);
                let high = _mm512_shuffle_f64x2::<0xee>(a.0, b.0);
                _mm512_add_pd(low, high)
            };
            let pairs = |a, b| _mm512_add_pd(_mm512_unpacklo_pd(a, b), _mm512_unpackhi_pd(a, b));
            // The quarters are two parts of vectors 0 and 1 and two of 2 and 3, then the same for 4
            // to 7.
            let first = pairs(halves(v[0], v[2]), halves(v[1], v[3]));
            let second = pairs(halves(v[4], v[6]), halves(v[5], v[7]));
            let even = _mm512_shuffle_f64x2::<0x88>(first, second);
            let odd = _mm512_shuffle_f64x2::<0xdd>(first, second);
            let mut sums = [0.0; 8];
            _mm512_storeu_pd(sums.as_mut_ptr(), _mm512_add_pd(even, odd));
            sums
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const f64, stride: usize, to: *mut f64, to_stride: usize) {
        // SAFETY: the caller vouches for the instruction set and both squares.
        unsafe {
            for part in 0..4 {
                let quarter = |c: usize| _mm_loadu_pd(from.add(c * stride + 2 * part));
                let quarters = |c: usize| {
                    let all = _mm512_castpd128_pd512(quarter(c));
                    let all = _mm512_insertf64x2::<1>(all, quarter(c + 2));
                    let all = _mm512_insertf64x2::<2>(all, quarter(c + 4));
                    _mm512_insertf64x2::<3>(all, quarter(c + 6))
                };
                let (c0, c1) = (quarters(0), quarters(1));
                let row = |r: usize, v: __m512d| _mm512_storeu_pd(to.add((2 * part + r) * to_stride), v);
                row(0, _mm512_unpacklo_pd(c0, c1));
                row(1, _mm512_unpackhi_pd(c0, c1));
            }
        }
    }
}
