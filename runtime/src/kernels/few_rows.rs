//! Products of matrices of few rows with many columns.
//!
//! A column of a result with few rows does not fill a vector, but several contiguous columns do.
//! The column of the left factor is repeated for each of them once, and the entries of the right
//! factor are spread over the rows by a permutation.

use super::pack::{MOST_LANES, Pack};
use crate::Scalar;
use core::mem::MaybeUninit;

/// The largest number of columns of all left factors.
pub(super) const DEEPEST: usize = 160;

/// The number of vectors that are computed at once, so that each of the repeated columns is loaded
/// once for all of them.
const AT_ONCE: usize = 4;

/// The largest number of terms.
pub(super) const MOST_TERMS: usize = 16;

/// Returns whether [`few_rows`] can compute products of `m` rows and inner dimensions `k`.
#[inline(always)]
pub(super) fn fits<P: Pack<T>, T: Copy + Default>(m: usize, k: &[usize]) -> bool {
    let (mut depth, mut deepest) = (0, 0);
    for k in k {
        depth += k;
        deepest = if *k > deepest { *k } else { deepest };
    }
    P::SPREADS && m > 1 && 2 * m <= P::LANES && deepest <= m && depth <= DEEPEST && k.len() <= MOST_TERMS
}

/// The product `C (m x n) = sum over terms of A (m x k) B (k x n)`, added to C with `accumulate`.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct FewRows<'a, T> {
    pub(super) m: usize,
    pub(super) n: usize,
    /// The inner dimensions, and the matrices A and B, by term.
    pub(super) terms: &'a [(usize, *const T, *const T)],
    pub(super) c: *mut T,
    pub(super) accumulate: bool,
}

/// The columns of the left factors, repeated, and the permutations that spread the right factors.
struct Tables<T> {
    columns: [MaybeUninit<[T; MOST_LANES]>; DEEPEST],
    indices: [MaybeUninit<[u32; MOST_LANES]>; DEEPEST],
}

/// Computes a product.
///
/// # Safety
/// The product [fits](fits). The pointers refer to matrices of the given sizes, and C overlaps none
/// of the others. The processor has the instruction set of `P`.
#[inline(always)]
pub(super) unsafe fn few_rows<P: Pack<T>, T: Scalar>(product: FewRows<'_, T>) {
    let FewRows { m, n, terms, .. } = product;
    let group = P::LANES / m;
    let mut tables = Tables::<T> {
        columns: [const { MaybeUninit::uninit() }; DEEPEST],
        indices: [const { MaybeUninit::uninit() }; DEEPEST],
    };
    // The row and the column of each lane.
    let (mut rows, mut columns) = ([0; MOST_LANES], [0; MOST_LANES]);
    for column in 0..group {
        for row in 0..m {
            let lane = (column * m + row) % MOST_LANES;
            (rows[lane], columns[lane]) = (row as u32, column as u32);
        }
    }
    let mut depth = 0;
    for &(k, a, _) in terms {
        let mut indices = columns.map(|column| column * k as u32);
        for inner in 0..k {
            tables.indices[depth].write(indices);
            indices = indices.map(|index| index + 1);
            let column = tables.columns[depth].as_mut_ptr().cast();
            // SAFETY: the column has `m` entries; the table has space for a vector.
            unsafe { P::load_first(a.add(inner * m), m).spread(rows.as_ptr()).store(column) };
            depth += 1;
        }
    }
    let mut column = 0;
    // SAFETY: the tables are filled for all terms, and the columns are within the matrices.
    unsafe {
        while column + AT_ONCE * group <= n {
            block::<P, T, AT_ONCE>(&product, &tables, column, group);
            column += AT_ONCE * group;
        }
        while column < n {
            block::<P, T, 1>(&product, &tables, column, group.min(n - column));
            column += group;
        }
    }
}

/// Computes `V` vectors of `group` columns each, from column `first` on.
///
/// # Safety
/// The same as for [`few_rows`]. There are `V * group` columns from `first` on.
#[inline(always)]
unsafe fn block<P: Pack<T>, T: Scalar, const V: usize>(
    product: &FewRows<'_, T>,
    tables: &Tables<T>,
    first: usize,
    group: usize,
) {
    let FewRows { m, n, terms, c, accumulate } = *product;
    let lanes = P::LANES;
    // SAFETY: a whole vector is loaded or stored only within a matrix.
    unsafe {
        let mut sums = [P::splat(T::ZERO); V];
        if accumulate {
            for v in 0..V {
                sums[v] = P::load_first(c.add((first + v * group) * m), group * m);
            }
        }
        let mut depth = 0;
        for &(k, _, b) in terms {
            let mut right = [P::splat(T::ZERO); V];
            for v in 0..V {
                let at = (first + v * group) * k;
                right[v] = match at + lanes <= n * k {
                    true => P::load(b.add(at)),
                    false => P::load_first(b.add(at), group * k),
                };
            }
            for _ in 0..k {
                let column = P::load(tables.columns[depth].as_ptr().cast());
                let indices = tables.indices[depth].as_ptr().cast();
                for v in 0..V {
                    sums[v] = column.mul_add(right[v].spread(indices), sums[v]);
                }
                depth += 1;
            }
        }
        for v in 0..V {
            let at = (first + v * group) * m;
            // The lanes past the last row belong to columns that are stored later.
            match !accumulate && at + lanes <= n * m {
                true => sums[v].store(c.add(at)),
                false => sums[v].store_first(c.add(at), group * m),
            }
        }
    }
}
