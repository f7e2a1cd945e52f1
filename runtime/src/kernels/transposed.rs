//! Products with a transposed matrix that has more columns than the other factor: `C^T = B^T A`.
//!
//! The blocks of `gemm` need consecutive rows, so one factor must be transposed. This module
//! transposes the smaller factor and then the result.

use super::compiled::Product;
use super::gemm::{Blocks, PANEL, Panel, without_gaps};
use super::isa::Isa;
use super::pack::Pack;
use crate::Scalar;
use core::mem::MaybeUninit;

/// The number of rows and columns of the result that are computed before they are transposed.
const SIDE: usize = 64;

#[repr(align(64))]
struct Square<T, const N: usize>([MaybeUninit<T>; N]);

/// Computes `C (m x n) = sum over terms of A^T (k x m)^T B (k x n)`, or adds the sum to C with
/// `accumulate`.
///
/// # Safety
/// The slices have the sizes of the matrices. The processor has the instruction set `S`.
#[inline(always)]
pub(super) unsafe fn by_transpose<S: Isa, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, terms, c, accumulate, .. } = product;
    let c = c.as_mut_ptr();
    let mut square = Square([const { MaybeUninit::<T>::uninit() }; SIDE * SIDE]);
    let mut panel = Panel::<T, PANEL>::new();
    let result = square.0.as_mut_ptr().cast::<T>();
    for column in (0..n).step_by(SIDE) {
        let rows = SIDE.min(n - column);
        for row in (0..m).step_by(SIDE) {
            let columns = SIDE.min(m - row);
            // SAFETY: `result (rows x columns)` fits in the square, and the caller guarantees the
            // sizes of the matrices.
            unsafe {
                for (term, [a, b]) in terms.iter().enumerate() {
                    let left = b.as_ptr().add(column * k);
                    let (a, b, c) = (&[left][..], a.as_ptr().add(row * k), &[result][..]);
                    let (transposed, accumulate) = ([true, false], term > 0);
                    let distances = without_gaps(rows, k, columns, transposed);
                    let (m, n, columns) = (rows, columns, distances);
                    let blocks = Blocks { m, k, n, a, b, transposed, c, columns, accumulate };
                    T::multiply_blocked::<S>(blocks, Some(panel.scratch()));
                }
                transpose::<S::Pack<T>, T>((rows, columns), result, c.add(row + column * m), m, accumulate);
            }
        }
    }
}

/// Computes `C (columns x rows) = A (rows x columns)^T`, or `C += A^T` with `accumulate`. The
/// columns of `C` are `stride` scalars apart.
///
/// # Safety
/// Both matrices have these sizes. The processor has the instruction set of `P`.
#[inline(always)]
unsafe fn transpose<P: Pack<T>, T: Scalar>(
    (rows, columns): (usize, usize),
    a: *const T,
    c: *mut T,
    stride: usize,
    accumulate: bool,
) {
    let (whole_rows, whole_columns) = (rows - rows % P::LANES, columns - columns % P::LANES);
    let mut square = Square([const { MaybeUninit::<T>::uninit() }; 256]);
    let transposed = square.0.as_mut_ptr().cast::<T>();
    // SAFETY: the squares of whole vectors and the remaining entries are within both matrices.
    unsafe {
        for row in (0..whole_rows).step_by(P::LANES) {
            for column in (0..whole_columns).step_by(P::LANES) {
                P::transpose(a.add(row + column * rows), rows, transposed, P::LANES);
                for r in 0..P::LANES {
                    let (mut sum, to) =
                        (P::load(transposed.add(r * P::LANES)), c.add(column + (row + r) * stride));
                    if accumulate {
                        sum = sum.add(P::load(to));
                    }
                    sum.store(to);
                }
            }
        }
        for row in 0..rows {
            for column in if row < whole_rows { whole_columns } else { 0 }..columns {
                let (entry, to) = (*a.add(row + column * rows), c.add(column + row * stride));
                *to = if accumulate { *to + entry } else { entry };
            }
        }
    }
}
