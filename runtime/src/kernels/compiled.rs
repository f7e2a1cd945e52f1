//! The matrix products that are compiled with this crate, once per scalar and instruction set.
//!
//! Generic bodies are compiled at the profile of the crate that holds the cell; these are not, so products that are
//! worth a call run at full speed even from a dev build. Each has its `#[target_feature]` twin.

use super::column::column;
use super::dots::dots;
use super::gemm::blocked;
use super::isa::{Isa, Level, Portable};
use crate::Scalar;

/// A column-major matrix, or the transpose of one.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct Operand<'a, T> {
    pub(super) values: &'a [T],
    pub(super) transposed: bool,
}

/// `C (m x n) = or += A (m x k) B (k x n)`.
#[derive(Debug)]
#[doc(hidden)]
pub struct Product<'a, T> {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) a: Operand<'a, T>,
    pub(super) b: Operand<'a, T>,
    pub(super) c: &'a mut [T],
    pub(super) accumulate: bool,
}

/// A scalar with compiled matrix products.
#[doc(hidden)]
pub trait Compiled: Sized {
    /// Computes a product under the caller's instruction set.
    fn multiply<S: Isa>(isa: S, product: Product<'_, Self>);
}

macro_rules! compiled {
    ($float:ident, $portable:ident, $avx2:ident, $avx512:ident) => {
        #[inline(never)]
        fn $portable(product: Product<'_, $float>) {
            // SAFETY: the baseline is always there.
            unsafe { best::<Portable, $float>(product) }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        #[inline(never)]
        fn $avx2(product: Product<'_, $float>) {
            // SAFETY: this function has the features.
            unsafe { best::<super::isa::Avx2, $float>(product) }
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
        #[inline(never)]
        fn $avx512(product: Product<'_, $float>) {
            // SAFETY: this function has the features.
            unsafe { best::<super::isa::Avx512, $float>(product) }
        }

        impl Compiled for $float {
            #[inline(always)]
            fn multiply<S: Isa>(_isa: S, product: Product<'_, Self>) {
                match S::LEVEL {
                    // SAFETY: `_isa` proves the features.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512 => unsafe { $avx512(product) },
                    // SAFETY: as above.
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2 => unsafe { $avx2(product) },
                    _ => $portable(product),
                }
            }
        }
    };
}

compiled!(f32, multiply_f32, multiply_f32_avx2, multiply_f32_avx512);
compiled!(f64, multiply_f64, multiply_f64_avx2, multiply_f64_avx512);

/// Below this many columns (or this few rows), dot products beat the packing of a transposed matrix; up to the
/// second number, if they are long.
const FEW_COLUMNS: usize = 12;
const FEW_COLUMNS_LONG: usize = 40;
const LONG: usize = 48;
const FEW_ROWS: usize = 8;

/// Chooses the form: a sum of columns, dot products, or blocks.
///
/// # Safety
/// The processor has `S`.
#[inline(always)]
unsafe fn best<S: Isa, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, a, b, accumulate, .. } = product;
    assert!(a.values.len() >= m * k && b.values.len() >= k * n && product.c.len() >= m * n);
    if k == 0 && !accumulate {
        product.c[..m * n].fill(T::ZERO);
    }
    if m == 0 || k == 0 || n == 0 {
        return;
    }
    let (left, right, to) = (a.values.as_ptr(), b.values.as_ptr(), product.c.as_mut_ptr());
    // A matrix of one row or column is its own transpose in memory, and so is the result: `C^T = B^T A^T`.
    let columns = match (m, n) {
        (_, 1) if !a.transposed => Some((m, left, right)),
        (1, _) if b.transposed => Some((n, right, left)),
        _ => None,
    };
    let few = n < FEW_COLUMNS || (n < FEW_COLUMNS_LONG && k >= LONG) || m < FEW_ROWS;
    let turned = match (m, n) {
        (1, _) => Some((n, 1, right, left)),
        _ if a.transposed && (!b.transposed || n == 1) && few => Some((m, n, left, right)),
        _ => None,
    };
    // SAFETY: the sizes are asserted above. Each form stands here once, since its code is large.
    unsafe {
        if let Some((rows, matrix, vector)) = columns {
            column::<S::Pack<T>, T, 1, 1, 8>(rows, [k], [[matrix]], [vector], [to], accumulate);
        } else if let Some((rows, columns, left, right)) = turned {
            dots::<S::Pack<T>, T, 1>((k, rows, columns), [left], [right], to, accumulate);
        } else {
            blocked::<S::Pack<T>, T>(product);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, assert_near, both, product, transposed};

    #[inline(always)]
    fn check<S: Isa, T: Scalar>(isa: S, m: usize, k: usize, n: usize) {
        let mut random = Random::new((m * 10_000 + k * 100 + n) as u64);
        let (a, b): (Vec<T>, Vec<T>) = (random.scalars(m * k), random.scalars(k * n));
        let (a_t, b_t) = (transposed(m, k, &a), transposed(k, n, &b));
        let old: Vec<T> = random.scalars(m * n);
        for variant in 0..8 {
            let (ta, tb, accumulate) = (variant & 1 > 0, variant & 2 > 0, variant & 4 > 0);
            let start = if accumulate { old.clone() } else { vec![T::ZERO; m * n] };
            let expected = product(m, k, n, &a, &b, &start);
            let mut c = if accumulate { old.clone() } else { vec![T::NOT_A_NUMBER; m * n] };
            let a = Operand { values: if ta { &a_t } else { &a }, transposed: ta };
            let b = Operand { values: if tb { &b_t } else { &b }, transposed: tb };
            T::multiply(isa, Product { m, k, n, a, b, c: &mut c, accumulate });
            assert_near(&c, &expected, k);
        }
    }

    #[test]
    fn sizes_and_transpositions() {
        both!(isa => {
            for m in [1, 2, 5, 8, 16, 20, 33] {
                for k in [1, 2, 5, 8, 33] {
                    for n in [1, 2, 5, 6, 7, 16, 20, 33] {
                        check::<_, f32>(isa, m, k, n);
                        check::<_, f64>(isa, m, k, n);
                    }
                }
            }
            check::<_, f32>(isa, 100, 64, 33);
            check::<_, f64>(isa, 64, 100, 20);
            check::<_, f32>(isa, 33, 600, 16);
            check::<_, f64>(isa, 20, 513, 9);
            check::<_, f32>(isa, 4, 0, 3);
            check::<_, f32>(isa, 0, 4, 3);
            check::<_, f32>(isa, 4, 3, 0);
        });
    }
}
