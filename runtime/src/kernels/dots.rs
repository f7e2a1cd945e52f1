//! Products with a transposed matrix as dot products of columns.
//!
//! Eight sums are computed at a time: eight columns with one vector, or four columns with two. The
//! lanes of all eight are added together at the end, which makes this form fast.

use super::pack::Pack;
use crate::Scalar;

/// Computes `C (k x n) = sum_g A_g^T (k x m) B_g (m x n)`, or adds the sum to C with `accumulate`.
///
/// # Safety
/// `a` are `m x k`, `b` are `m x n`, and `c` is `k x n` and overlaps nothing else. The processor
/// has the instruction set of `P`.
#[inline(always)]
pub(super) unsafe fn dots<P: Pack<T>, T: Scalar, const G: usize>(
    (m, k, n): (usize, usize, usize),
    a: [*const T; G],
    b: [*const T; G],
    c: *mut T,
    accumulate: bool,
) {
    // SAFETY: every tile lies within `k` and `n`.
    unsafe {
        if m <= P::Half::LANES && P::Half::LANES < P::LANES {
            return dots::<P::Half, T, G>((m, k, n), a, b, c, accumulate);
        }
        let mut row = 0;
        if n == 1 {
            while row + 8 <= k {
                let sums = tile::<P, T, G, 8, 1>(m, a, b, row, 0);
                write::<T, 8, 1>(sums, c, k, row, 0, accumulate);
                row += 8;
            }
        }
        while row + 4 <= k {
            let mut column = 0;
            while column + 2 <= n {
                let sums = tile::<P, T, G, 4, 2>(m, a, b, row, column);
                write::<T, 4, 2>(sums, c, k, row, column, accumulate);
                column += 2;
            }
            if column < n {
                let sums = tile::<P, T, G, 4, 1>(m, a, b, row, column);
                write::<T, 4, 1>(sums, c, k, row, column, accumulate);
            }
            row += 4;
        }
        while row < k {
            let mut column = 0;
            while column + 8 <= n {
                let sums = tile::<P, T, G, 1, 8>(m, a, b, row, column);
                write::<T, 1, 8>(sums, c, k, row, column, accumulate);
                column += 8;
            }
            while column < n {
                let sums = tile::<P, T, G, 1, 1>(m, a, b, row, column);
                write::<T, 1, 1>(sums, c, k, row, column, accumulate);
                column += 1;
            }
            row += 1;
        }
    }
}

/// Computes the dot products of `R` columns of `A` with `C` columns of `B`. The columns of `B` are
/// the outer dimension.
///
/// # Safety
/// `R * C <= 8`, and `row + R` and `column + C` are within the matrices of `dots`.
#[inline(always)]
unsafe fn tile<P: Pack<T>, T: Scalar, const G: usize, const R: usize, const C: usize>(
    m: usize,
    a: [*const T; G],
    b: [*const T; G],
    row: usize,
    column: usize,
) -> [T; 8] {
    let lanes = P::LANES;
    // SAFETY: full vectors end at `m`; the last one reads `m % LANES` scalars.
    unsafe {
        let mut sums = [P::splat(T::ZERO); 8];
        for g in 0..G {
            let (a, b) = (a[g].add(row * m), b[g].add(column * m));
            let mut at = 0;
            while at + lanes <= m {
                let mut left = [P::splat(T::ZERO); R];
                for r in 0..R {
                    left[r] = P::load(a.add(r * m + at));
                }
                for c in 0..C {
                    let right = P::load(b.add(c * m + at));
                    for r in 0..R {
                        sums[c * R + r] = left[r].mul_add(right, sums[c * R + r]);
                    }
                }
                at += lanes;
            }
            if at < m {
                for c in 0..C {
                    let right = P::load_first(b.add(c * m + at), m - at);
                    for r in 0..R {
                        let left = P::load_first(a.add(r * m + at), m - at);
                        sums[c * R + r] = left.mul_add(right, sums[c * R + r]);
                    }
                }
            }
        }
        P::sums(sums)
    }
}

/// Writes the sums of a tile to the result.
///
/// # Safety
/// `c` has `k` rows, with `row + R <= k`, and at least `column + C` columns.
#[inline(always)]
unsafe fn write<T: Scalar, const R: usize, const C: usize>(
    sums: [T; 8],
    c: *mut T,
    k: usize,
    row: usize,
    column: usize,
    accumulate: bool,
) {
    for j in 0..C {
        for r in 0..R {
            // SAFETY: the caller guarantees that the entry exists.
            unsafe {
                let to = c.add(row + r + (column + j) * k);
                *to = if accumulate { *to + sums[j * R + r] } else { sums[j * R + r] };
            }
        }
    }
}
