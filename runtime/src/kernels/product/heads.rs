//! Products of values with heads: of a block `heads K { .. }`, or of a product of dimensions.
//!
//! The vectors of all heads of one sample are adjacent in memory, so one head's vectors of
//! consecutive samples are `K * rows` apart. The matrices of a parameter follow each other without
//! gaps.

use super::{FEW, products};
use crate::Scalar;
use crate::kernels::compiled::{Product, multiply_shared};
use crate::kernels::gemm::Blocks;
use crate::kernels::isa::Isa;
use crate::kernels::plain::Size;

/// The placement in memory of one matrix per head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadStrides {
    /// The distance between the matrices of two heads: zero if they share one.
    pub matrix: usize,
    /// The distance between two columns of a matrix.
    pub column: usize,
}

impl HeadStrides {
    /// Returns the number of scalars in one column of all heads together, for matrices of `rows`
    /// rows. It is at least 1, so that it can be a divisor.
    #[inline(always)]
    pub fn period(self, heads: usize, rows: usize) -> usize {
        let period = if self.matrix == 0 { rows } else { heads * rows };
        if period == 0 { 1 } else { period }
    }

    /// Returns the number of scalars from the first entry of `heads` matrices to the last.
    #[inline(always)]
    fn extent(self, heads: usize, rows: usize, columns: usize) -> usize {
        if heads == 0 || rows == 0 || columns == 0 {
            return 0;
        }
        (heads - 1) * self.matrix + (columns - 1) * self.column + rows
    }
}

/// Computes [`products`] for each of `K` heads:
/// `y_gh (M x n) = sum_p A_pgh (M x k_p) x_ph (k_p x n)`, or adds the sums to `y_gh` with
/// `accumulate`. All heads share an `x_p` without heads.
#[inline(always)]
pub fn head_products<S: Isa, T: Scalar, const K: usize, const M: usize, const G: usize, const P: usize>(
    isa: S,
    _: (Size<K>, Size<M>),
    a: [[&[T]; G]; P],
    x: [&[T]; P],
    x_has_heads: [bool; P],
    mut y: [&mut [T]; G],
    accumulate: bool,
) {
    if K == 0 || M == 0 || G == 0 || y[0].is_empty() {
        return;
    }
    let n = y[0].len() / (K * M);
    let mut size = [0; P];
    for p in 0..P {
        size[p] = x[p].len().checked_div(if x_has_heads[p] { K * n } else { n }).unwrap_or(0);
    }
    if n <= FEW {
        for j in 0..n {
            for head in 0..K {
                let (mut matrices, mut vectors) = (a, x);
                for p in 0..P {
                    let at = if x_has_heads[p] { j * K + head } else { j };
                    vectors[p] = &x[p][at * size[p]..][..size[p]];
                    for g in 0..G {
                        matrices[p][g] = &a[p][g][head * M * size[p]..][..M * size[p]];
                    }
                }
                let at = (j * K + head) * M;
                let results = y.each_mut().map(
                    #[inline(always)]
                    |y| &mut y[at..at + M],
                );
                products(isa, Size::<M>, matrices, vectors, results, accumulate);
            }
        }
        return;
    }
    let mut to = [[core::ptr::null_mut(); K]; G];
    for g in 0..G {
        let y = y[g][..K * M * n].as_mut_ptr();
        for head in 0..K {
            to[g][head] = y.wrapping_add(head * M);
        }
    }
    let transposed = [false, false];
    for p in 0..P {
        let (k, accumulate) = (size[p], accumulate || p > 0);
        let mut at = [[core::ptr::null(); K]; G];
        for g in 0..G {
            let a = a[p][g][..K * M * k].as_ptr();
            for head in 0..K {
                at[g][head] = a.wrapping_add(head * M * k);
            }
        }
        let b = x[p].as_ptr();
        if x_has_heads[p] {
            for head in 0..K {
                let (mut a, mut c) = ([core::ptr::null(); G], [core::ptr::null_mut(); G]);
                for g in 0..G {
                    (a[g], c[g]) = (at[g][head], to[g][head]);
                }
                let (b, columns) = (b.wrapping_add(head * k), [M, K * k, K * M]);
                let blocks = Blocks { m: M, k, n, a: &a, b, transposed, c: &c, columns, accumulate };
                // SAFETY: the slices have exactly the sizes of the matrices of all heads; `isa`
                // proves the instruction set.
                unsafe { multiply_shared::<S, T>(blocks) };
            }
        } else {
            // One call for all heads.
            let (a, c, columns) = (at.as_flattened(), to.as_flattened(), [M, k, K * M]);
            let blocks = Blocks { m: M, k, n, a, b, transposed, c, columns, accumulate };
            // SAFETY: as above.
            unsafe { multiply_shared::<S, T>(blocks) };
        }
    }
}

/// Computes `C_h (m x n) = op(A_h) op(B_h)` for each of `heads` heads, or adds the products to
/// `C_h` with `accumulate`. `op(A)` is `m x k` and `op(B)` is `k x n`; `TA` and `TB` transpose A
/// and B. If all heads share C, it is the sum of their products.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub fn head_product<S: Isa, T: Scalar, const TA: bool, const TB: bool>(
    isa: S,
    heads: usize,
    (m, k, n): (usize, usize, usize),
    (a, a_head): (&[T], HeadStrides),
    (b, b_head): (&[T], HeadStrides),
    (c, c_head): (&mut [T], HeadStrides),
    accumulate: bool,
) {
    // If all heads share one factor, and neither the other factor nor the result has gaps between
    // heads, one larger product computes all of them.
    let (heads, m, n) = if TA
        && b_head.matrix == 0
        && a_head == (HeadStrides { matrix: k * m, column: k })
        && c_head == (HeadStrides { matrix: m, column: heads * m })
    {
        (1, heads * m, n)
    } else if TB
        && a_head.matrix == 0
        && b_head == (HeadStrides { matrix: n, column: heads * n })
        && c_head == (HeadStrides { matrix: m * n, column: m })
    {
        (1, m, heads * n)
    } else {
        (heads, m, n)
    };
    let (a_size, b_size) = (if TA { (k, m) } else { (m, k) }, if TB { (n, k) } else { (k, n) });
    let (a, b) =
        (&a[..a_head.extent(heads, a_size.0, a_size.1)], &b[..b_head.extent(heads, b_size.0, b_size.1)]);
    let c = &mut c[..c_head.extent(heads, m, n)];
    let is_dense = (a_size.1 <= 1 || a_head.column == a_size.0)
        && (b_size.1 <= 1 || b_head.column == b_size.0)
        && (n <= 1 || c_head.column == m);
    for head in 0..heads {
        let [a_at, b_at, c_at] = [a_head, b_head, c_head].map(|of| head * of.matrix);
        let accumulate = accumulate || c_head.matrix == 0 && head > 0;
        if is_dense {
            let terms = [[&a[a_at..][..m * k], &b[b_at..][..k * n]]];
            let (transposed, c) = ([TA, TB], &mut c[c_at..][..m * n]);
            let product = Product { m, k, n, terms: &terms, transposed, c, accumulate };
            // SAFETY: the slices have exactly the sizes of the matrices.
            unsafe { T::multiply(isa, product) };
            continue;
        }
        let columns = [a_head.column, b_head.column, c_head.column];
        let (a, b, c) = ([a[a_at..].as_ptr()], b[b_at..].as_ptr(), [c[c_at..].as_mut_ptr()]);
        let blocks = Blocks { m, k, n, a: &a, b, transposed: [TA, TB], c: &c, columns, accumulate };
        if m > 0 && n > 0 {
            // SAFETY: the slices above contain the matrices of all heads; `isa` proves the
            // instruction set.
            unsafe { multiply_shared::<S, T>(blocks) };
        }
    }
}

/// Returns the number of heads of each of `GROUPS` groups of equal size. The sizes are checked when
/// the program is built.
#[inline(always)]
pub const fn heads_per_group<const HEADS: usize, const GROUPS: usize>() -> usize {
    const {
        assert!(
            GROUPS > 0 && HEADS.is_multiple_of(GROUPS),
            "the number of heads must be a multiple of the number of groups"
        );
        HEADS / GROUPS
    }
}

/// Copies each matrix of `size` scalars `times` times in a row.
#[inline]
pub fn repeat_heads<T: Copy>(from: &[T], times: usize, size: usize, to: &mut [T]) {
    for (from, to) in from.chunks_exact(size.max(1)).zip(to.chunks_exact_mut((times * size).max(1))) {
        for to in to.chunks_exact_mut(size.max(1)) {
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        }
    }
}

/// Computes the sum of each `heads` consecutive matrices, of `size` scalars each.
#[inline]
pub fn sum_heads<T: Scalar>(from: &[T], heads: usize, size: usize, to: &mut [T]) {
    for (from, to) in from.chunks_exact((heads * size).max(1)).zip(to.chunks_exact_mut(size.max(1))) {
        to.fill(T::ZERO);
        for part in from.chunks_exact(size.max(1)) {
            for (to, from) in to.iter_mut().zip(part) {
                *to += *from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, assert_near, for_each_isa, product};

    /// Returns the matrix of one head: its columns are `head.column` apart.
    fn of_head<T: Scalar>(all: &[T], place: HeadStrides, head: usize, rows: usize, columns: usize) -> Vec<T> {
        let at = |column: usize, row: usize| all[head * place.matrix + column * place.column + row];
        (0..columns)
            .flat_map(|column| (0..rows).map(move |row| (column, row)))
            .map(|(c, r)| at(c, r))
            .collect()
    }

    fn check_products<S: Isa, const K: usize, const M: usize>(isa: S, k: [usize; 2], n: usize) {
        let mut random = Random::new((M * 1000 + k[0] * 10 + n) as u64);
        let x_has_heads = [false, true];
        let a: [[Vec<f64>; 2]; 2] = [0, 1].map(|p| [0, 1].map(|_| random.scalars(K * M * k[p])));
        let x: [Vec<f64>; 2] = [random.scalars(k[0] * n), random.scalars(K * k[1] * n)];
        for accumulate in [false, true] {
            let old: [Vec<f64>; 2] = [0, 1].map(|_| random.scalars(K * M * n));
            let mut y = old.clone();
            head_products(
                isa,
                (Size::<K>, Size::<M>),
                a.each_ref().map(|a| a.each_ref().map(Vec::as_slice)),
                x.each_ref().map(Vec::as_slice),
                x_has_heads,
                y.each_mut().map(Vec::as_mut_slice),
                accumulate,
            );
            let place = HeadStrides { matrix: M, column: K * M };
            for (g, head) in (0..2).flat_map(|g| (0..K).map(move |head| (g, head))) {
                let mut expected = vec![0.0; M * n];
                if accumulate {
                    expected = of_head(&old[g], place, head, M, n);
                }
                for p in 0..2 {
                    let matrix = &a[p][g][head * M * k[p]..][..M * k[p]];
                    let vectors = match x_has_heads[p] {
                        true => of_head(&x[p], HeadStrides { matrix: k[p], column: K * k[p] }, head, k[p], n),
                        false => x[p].clone(),
                    };
                    expected = product(M, k[p], n, matrix, &vectors, &expected);
                }
                assert_near(&of_head(&y[g], place, head, M, n), &expected, k[0] + k[1]);
            }
        }
    }

    #[test]
    fn products_of_heads() {
        for_each_isa!(isa => {
            for n in [1, 2, 7, 8, 9, 20, 33] {
                check_products::<_, 1, 8>(isa, [5, 3], n);
                check_products::<_, 3, 5>(isa, [7, 4], n);
                check_products::<_, 4, 16>(isa, [9, 16], n);
                check_products::<_, 2, 33>(isa, [40, 33], n);
            }
        });
    }

    fn check_product<S: Isa, const TA: bool, const TB: bool>(
        isa: S,
        heads: usize,
        m: usize,
        k: usize,
        n: usize,
    ) {
        let mut random = Random::new((m * 100 + k * 10 + n) as u64);
        let (a_rows, a_columns) = if TA { (k, m) } else { (m, k) };
        let (b_rows, b_columns) = if TB { (n, k) } else { (k, n) };
        // Each operand has gaps, none, or is shared.
        let places = |rows: usize, columns: usize| {
            [
                HeadStrides { matrix: rows, column: heads * rows },
                HeadStrides { matrix: rows * columns, column: rows },
                HeadStrides { matrix: 0, column: rows },
            ]
        };
        let a: Vec<f64> = random.scalars(heads * m * k);
        let b: Vec<f64> = random.scalars(heads * k * n);
        let old: Vec<f64> = random.scalars(heads * m * n);
        for (index, accumulate) in (0..27).flat_map(|index| [(index, false), (index, true)]) {
            let a_head = places(a_rows, a_columns)[index % 3];
            let b_head = places(b_rows, b_columns)[index / 3 % 3];
            let c_head = places(m, n)[index / 9];
            let mut c = old.clone();
            head_product::<S, f64, TA, TB>(
                isa,
                heads,
                (m, k, n),
                (&a, a_head),
                (&b, b_head),
                (&mut c, c_head),
                accumulate,
            );
            let mut sum = if accumulate { of_head(&old, c_head, 0, m, n) } else { vec![0.0; m * n] };
            for head in 0..heads {
                if c_head.matrix > 0 {
                    sum = if accumulate { of_head(&old, c_head, head, m, n) } else { vec![0.0; m * n] };
                }
                let mut left = of_head(&a, a_head, head, a_rows, a_columns);
                let mut right = of_head(&b, b_head, head, b_rows, b_columns);
                if TA {
                    left = crate::kernels::testing::transposed(k, m, &left);
                }
                if TB {
                    right = crate::kernels::testing::transposed(n, k, &right);
                }
                sum = product(m, k, n, &left, &right, &sum);
                if c_head.matrix > 0 || head + 1 == heads {
                    assert_near(&of_head(&c, c_head, head, m, n), &sum, heads * k);
                }
            }
        }
    }

    #[test]
    fn products_with_gaps() {
        for_each_isa!(isa => {
            for (m, k, n) in [(1, 1, 1), (5, 3, 1), (8, 5, 7), (16, 8, 20), (3, 20, 16), (33, 9, 12)] {
                check_product::<_, false, false>(isa, 3, m, k, n);
                check_product::<_, true, false>(isa, 3, m, k, n);
                check_product::<_, false, true>(isa, 3, m, k, n);
                check_product::<_, true, true>(isa, 2, m, k, n);
            }
        });
    }

    #[test]
    fn sums_over_heads() {
        let mut to = [9.0; 4];
        sum_heads(&[1.0, 2.0, 10.0, 20.0, 3.0, 4.0, 30.0, 40.0], 2, 2, &mut to);
        assert_eq!(to, [11.0, 22.0, 33.0, 44.0]);
    }

    #[test]
    fn repeated_heads() {
        let mut to = [0.0; 8];
        repeat_heads(&[1.0, 2.0, 3.0, 4.0], heads_per_group::<4, 2>(), 2, &mut to);
        assert_eq!(to, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
        repeat_heads::<f32>(&[], 2, 0, &mut []);
    }
}
