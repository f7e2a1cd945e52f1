//! A pair of vectors as one vector. On the baseline of x86-64, it is as wide as a vector of AVX2.
//!
//! The order of a kernel's additions depends on the width of its vectors. The deterministic mode
//! gives all instruction sets the same width.

use super::Pack;
use core::ops::AddAssign;

/// The vector `low`, with the vector `high` in the lanes above.
#[derive(Clone, Copy)]
pub struct Twice<P> {
    low: P,
    high: P,
}

/// Returns how many of the first `count` lanes are in each half.
#[inline(always)]
fn split(count: usize, lanes: usize) -> (usize, usize) {
    (count.min(lanes), count.saturating_sub(lanes))
}

impl<T: Copy + Default + AddAssign, P: Pack<T>> Pack<T> for Twice<P> {
    const LANES: usize = 2 * P::LANES;
    type Half = Self;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        caller_vouches!(Twice { low: P::splat(x), high: P::splat(x) })
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        caller_vouches!(Twice { low: P::load(from), high: P::load(from.add(P::LANES)) })
    }

    #[inline(always)]
    unsafe fn widen_bytes(from: *const i8) -> Self {
        caller_vouches!(Twice { low: P::widen_bytes(from), high: P::widen_bytes(from.add(P::LANES)) })
    }

    #[inline(always)]
    unsafe fn widen_halves(from: *const u16) -> Self {
        caller_vouches!(Twice { low: P::widen_halves(from), high: P::widen_halves(from.add(P::LANES)) })
    }

    #[inline(always)]
    unsafe fn widen_pairs(from: *const u16) -> [Self; 2] {
        // SAFETY: the caller vouches for the instruction set and, half by half, for the memory.
        unsafe {
            let ([even, odd], [even_above, odd_above]) =
                (P::widen_pairs(from), P::widen_pairs(from.add(2 * P::LANES)));
            [Twice { low: even, high: even_above }, Twice { low: odd, high: odd_above }]
        }
    }

    #[inline(always)]
    unsafe fn load_first(from: *const T, count: usize) -> Self {
        let (low, high) = split(count, P::LANES);
        // SAFETY: the caller vouches for the instruction set and, half by half, for the memory.
        unsafe {
            let upper =
                if high > 0 { P::load_first(from.add(P::LANES), high) } else { P::splat(T::default()) };
            Twice { low: P::load_first(from, low), high: upper }
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller vouches for the instruction set and, half by half, for the memory.
        unsafe {
            self.low.store(to);
            self.high.store(to.add(P::LANES));
        }
    }

    #[inline(always)]
    unsafe fn store_first(self, to: *mut T, count: usize) {
        let (low, high) = split(count, P::LANES);
        // SAFETY: the caller vouches for the instruction set and, half by half, for the memory.
        unsafe {
            self.low.store_first(to, low);
            if high > 0 {
                self.high.store_first(to.add(P::LANES), high);
            }
        }
    }

    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        caller_vouches!(Twice { low: self.low.add(other.low), high: self.high.add(other.high) })
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            Twice {
                low: self.low.mul_add(factor.low, term.low),
                high: self.high.mul_add(factor.high, term.high),
            }
        }
    }

    #[inline(always)]
    unsafe fn keep_first(self, first: Self, count: usize) -> Self {
        let (low, high) = split(count, P::LANES);
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            Twice { low: self.low.keep_first(first.low, low), high: self.high.keep_first(first.high, high) }
        }
    }

    #[inline(always)]
    unsafe fn window(low: Self, high: Self, start: usize) -> Self {
        // SAFETY: the caller vouches for the instruction set. Each window of two halves starts
        // below `P::LANES`.
        unsafe {
            if start < P::LANES {
                Twice { low: P::window(low.low, low.high, start), high: P::window(low.high, high.low, start) }
            } else {
                let start = start - P::LANES;
                Twice {
                    low: P::window(low.high, high.low, start),
                    high: P::window(high.low, high.high, start),
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn sums(vectors: [Self; 8]) -> [T; 8] {
        // SAFETY: the caller vouches for the instruction set.
        unsafe {
            let mut halves = [[vectors[0].low; 8]; 2];
            for v in 0..8 {
                halves[0][v] = vectors[v].low;
                halves[1][v] = vectors[v].high;
            }
            let (mut sums, upper) = (P::sums(halves[0]), P::sums(halves[1]));
            for v in 0..8 {
                sums[v] += upper[v];
            }
            sums
        }
    }

    #[inline(always)]
    unsafe fn transpose(from: *const T, stride: usize, to: *mut T, to_stride: usize) {
        // SAFETY: the caller vouches for the instruction set and both squares, each of which
        // consists of four squares of half the side.
        unsafe {
            for column in [0, P::LANES] {
                for row in [0, P::LANES] {
                    let square = from.add(column * stride + row);
                    P::transpose(square, stride, to.add(row * to_stride + column), to_stride);
                }
            }
        }
    }
}
