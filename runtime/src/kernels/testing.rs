//! Common parts of the kernels' tests: reproducible random numbers, naive references, all
//! instruction sets.

use crate::Scalar;
use crate::rng::{SeedableRng, uniform};
use rand_xoshiro::SplitMix64;

/// A seeded generator of random numbers.
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(SplitMix64::seed_from_u64(seed))
    }

    /// Returns a number uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        uniform(&mut self.0, 0.0, 1.0)
    }

    /// Returns `n` scalars uniform in `[-1, 1)`.
    pub(crate) fn scalars<T: Scalar>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::of(2.0 * self.unit() - 1.0)).collect()
    }
}

/// Computes `c (m x n) + a (m x k) b (k x n)` in double precision, from column-major slices.
pub(crate) fn product<T: Scalar>(m: usize, k: usize, n: usize, a: &[T], b: &[T], c: &[T]) -> Vec<f64> {
    let mut sums: Vec<f64> = c.iter().map(|entry| entry.as_f64()).collect();
    for column in 0..n {
        for inner in 0..k {
            for row in 0..m {
                sums[row + m * column] += a[row + m * inner].as_f64() * b[inner + k * column].as_f64();
            }
        }
    }
    sums
}

/// Returns the transpose of a column-major matrix.
pub(crate) fn transposed<T: Scalar>(rows: usize, columns: usize, a: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(a.len());
    for row in 0..rows {
        for column in 0..columns {
            out.push(a[row + rows * column]);
        }
    }
    out
}

/// Checks `found` against `expected`, both sums of `terms` products of numbers within [-1, 1].
#[track_caller]
pub(crate) fn assert_near<T: Scalar>(found: &[T], expected: &[f64], terms: usize) {
    assert_eq!(found.len(), expected.len());
    let epsilon = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let bound = epsilon * (terms + 1) as f64;
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found.as_f64() - expected).abs();
        assert!(error <= bound, "entry {i}: {found} instead of {expected}, bound {bound:e}");
    }
}

/// Runs a body with `isa` under every instruction set of the processor. Functions that it calls
/// should be `#[inline(always)]`, like generated code.
macro_rules! for_each_isa {
    ($isa:ident => $body:block) => {{
        struct Body;
        impl $crate::kernels::isa::Job for Body {
            type Out = ();
            #[inline(always)]
            fn run<S: $crate::kernels::isa::Isa>(self, $isa: S) {
                $body
            }
        }
        for level in $crate::kernels::isa::available() {
            $crate::kernels::isa::run_at(level, Body);
        }
    }};
}
pub(crate) use for_each_isa;
