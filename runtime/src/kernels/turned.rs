//! Products with a transposed matrix that meets fewer columns than it has itself: `C^T = B^T A`.
//!
//! The blocks of `gemm` want rows side by side, so one factor has to be transposed: here the small one, and then the
//! result.

use super::compiled::Product;
use super::gemm::{Blocks, PANEL, Panel};
use super::isa::Isa;
use super::pack::Pack;
use crate::Scalar;
use core::mem::MaybeUninit;

/// Rows and columns of the result that are computed before they are transposed.
const SIDE: usize = 64;

#[repr(align(64))]
struct Square<T, const N: usize>([MaybeUninit<T>; N]);

/// `C (m x n) = or += sum over terms of A^T (k x m)^T B (k x n)`.
///
/// # Safety
/// The matrices have their sizes; the processor has `S`.
#[inline(always)]
pub(super) unsafe fn turned<S: Isa, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, terms, c, accumulate, .. } = product;
    let c = c.as_mut_ptr();
    let mut square = Square([const { MaybeUninit::<T>::uninit() }; SIDE * SIDE]);
    let mut panel = Panel::<T, PANEL>::new();
    let result = square.0.as_mut_ptr().cast::<T>();
    for column in (0..n).step_by(SIDE) {
        let rows = SIDE.min(n - column);
        for row in (0..m).step_by(SIDE) {
            let columns = SIDE.min(m - row);
            // SAFETY: `result (rows x columns)` fits the square; the matrices are as large as the caller says.
            unsafe {
                for (term, [a, b]) in terms.iter().enumerate() {
                    let left = b.as_ptr().add(column * k);
                    let (a, b, c) = (&[left][..], a.as_ptr().add(row * k), &[result][..]);
                    let (transposed, accumulate) = ([true, false], term > 0);
                    let blocks = Blocks { m: rows, k, n: columns, a, b, transposed, c, accumulate };
                    T::multiply_blocked::<S>(blocks, Some(panel.room()));
                }
                transpose::<S::Pack<T>, T>((rows, columns), result, c.add(row + column * m), m, accumulate);
            }
        }
    }
}

/// `C (columns x rows) = or += A (rows x columns)^T`; the columns of `C` are `stride` scalars apart.
///
/// # Safety
/// Both matrices have those sizes; the processor has `P`.
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
    let turned = square.0.as_mut_ptr().cast::<T>();
    // SAFETY: squares of whole vectors lie within both matrices, and so does what is left of them.
    unsafe {
        for row in (0..whole_rows).step_by(P::LANES) {
            for column in (0..whole_columns).step_by(P::LANES) {
                P::transpose(a.add(row + column * rows), rows, turned, P::LANES);
                for r in 0..P::LANES {
                    let (mut sum, to) =
                        (P::load(turned.add(r * P::LANES)), c.add(column + (row + r) * stride));
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
