//! What the kernels' tests share: reproducible numbers, naive references, every instruction set.

use crate::Scalar;

/// A small linear congruential generator.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ (self.0 >> 29)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `n` scalars in `[-1, 1)`.
    pub(crate) fn scalars<T: Scalar>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::of(2.0 * self.unit() - 1.0)).collect()
    }
}

/// `c (m x n) + a (m x k) b (k x n)` in double precision, from column-major slices.
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

/// The transpose of a column-major matrix.
pub(crate) fn transposed<T: Scalar>(rows: usize, columns: usize, a: &[T]) -> Vec<T> {
    let mut out = Vec::with_capacity(a.len());
    for row in 0..rows {
        for column in 0..columns {
            out.push(a[row + rows * column]);
        }
    }
    out
}

/// Checks `found` against `expected`, for sums of `terms` products of numbers within one.
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

/// Runs a body with `isa` under every instruction set of the processor. What it calls should be
/// `#[inline(always)]`, as generated code is.
macro_rules! both {
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
pub(crate) use both;
