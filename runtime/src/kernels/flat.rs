//! Products of small matrices with one vector, where the columns do not fill whole vectors.
//!
//! Columns are contiguous, so a few of them, a *group*, together fill whole vectors, the *lines* of
//! the group. For example, with H = 20 a group of four columns fills five lines of sixteen lanes.
//! No lane is idle, and every load is as aligned as the matrix. A line that contains the end of one
//! column and the start of the next is multiplied by both entries of `x`. The sums of the lines are
//! separated by column at the end.

use super::pack::Pack;
use crate::Scalar;
use core::marker::PhantomData;

/// The largest number of lines of a group, over all passes.
const MOST_LINES: usize = 28;

/// The constants of `G` matrices of `M` rows that are divided into groups and multiplied together.
pub(super) struct Groups<L, T, const M: usize, const G: usize>(PhantomData<(L, T)>);

impl<L: Pack<T>, T: Scalar, const M: usize, const G: usize> Groups<L, T, M, G> {
    /// `M`, or one if there are no rows. These constants are evaluated for matrices of every size,
    /// although only products with rows use them.
    const ROWS: usize = if M == 0 { 1 } else { M };
    /// The number of columns of a group.
    const COLUMNS: usize = {
        let mut columns = 1;
        while !(columns * Self::ROWS).is_multiple_of(L::LANES) {
            columns += 1;
        }
        // Larger groups give enough sums to hide the latency of an addition.
        while columns * Self::ROWS / L::LANES * G < 8 && 2 * columns * Self::ROWS / L::LANES * G <= L::SUMS {
            columns *= 2;
        }
        columns
    };
    const LINES: usize = Self::COLUMNS * Self::ROWS / L::LANES;
    /// The number of lines whose sums one pass over the matrices keeps.
    const HEIGHT: usize = {
        // With more than 24 sums, the factors would displace some of them from the registers.
        let most = if L::SUMS > 24 { 24 / G } else { L::SUMS / G };
        let most = if most > 7 { 7 } else { most };
        let most = if most == 0 { 1 } else { most };
        Self::LINES.div_ceil(Self::LINES.div_ceil(most))
    };
    /// True if this form can be faster than the others.
    pub(super) const PAY: bool = M > L::LANES
        && M.is_multiple_of(4)
        && !M.is_multiple_of(L::LANES)
        && Self::LINES <= MOST_LINES
        && Self::LINES.div_ceil(Self::HEIGHT) <= 4;

    /// Returns whether matrices of `k` columns have at least one group.
    #[inline(always)]
    pub(super) fn fit<const P: usize>(k: [usize; P]) -> bool {
        let mut columns = 0;
        for p in 0..P {
            columns += k[p];
        }
        columns >= Self::COLUMNS
    }

    /// Computes `y_g (M) = sum_p A_pg (M x k_p) x_p (k_p)`, or adds the sums to `y_g` with
    /// `accumulate`.
    ///
    /// # Safety
    /// `a[p]` are `M x k[p]`, `x[p]` has length `k[p]`, and `y` have length `M` and overlap nothing
    /// else. The processor has the instruction set of `L`.
    #[inline(always)]
    pub(super) unsafe fn multiply<const P: usize>(
        k: [usize; P],
        a: [[*const T; G]; P],
        x: [*const T; P],
        y: [*mut T; G],
        accumulate: bool,
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut lines = [[L::splat(T::ZERO); MOST_LINES]; G];
            match Self::HEIGHT {
                1 => Self::passes::<P, 1>(k, a, x, &mut lines),
                2 => Self::passes::<P, 2>(k, a, x, &mut lines),
                3 => Self::passes::<P, 3>(k, a, x, &mut lines),
                4 => Self::passes::<P, 4>(k, a, x, &mut lines),
                5 => Self::passes::<P, 5>(k, a, x, &mut lines),
                6 => Self::passes::<P, 6>(k, a, x, &mut lines),
                _ => Self::passes::<P, 7>(k, a, x, &mut lines),
            }
            for g in 0..G {
                Self::write(&lines[g], y[g], accumulate);
            }
        }
    }

    /// Computes the sums of all lines.
    ///
    /// # Safety
    /// The same as for `multiply`.
    #[inline(always)]
    unsafe fn passes<const P: usize, const V: usize>(
        k: [usize; P],
        a: [[*const T; G]; P],
        x: [*const T; P],
        lines: &mut [[L; MOST_LINES]; G],
    ) {
        // Unrolled, so that within a pass everything except the group is a constant.
        // SAFETY: guaranteed by the caller.
        unsafe {
            Self::pass::<P, V, 0>(k, a, x, lines);
            if Self::LINES > V {
                Self::pass::<P, V, 1>(k, a, x, lines);
            }
            if Self::LINES > 2 * V {
                Self::pass::<P, V, 2>(k, a, x, lines);
            }
            if Self::LINES > 3 * V {
                Self::pass::<P, V, 3>(k, a, x, lines);
            }
        }
    }

    /// Computes the sums of `V` lines, or fewer if the group has no more.
    ///
    /// # Safety
    /// The same as for `multiply`.
    #[inline(always)]
    unsafe fn pass<const P: usize, const V: usize, const PASS: usize>(
        k: [usize; P],
        a: [[*const T; G]; P],
        x: [*const T; P],
        lines: &mut [[L; MOST_LINES]; G],
    ) {
        // SAFETY: the lines of whole groups are within the matrices. The last columns are read only
        // up to their last scalar.
        unsafe {
            let mut sums = [[L::splat(T::ZERO); V]; G];
            for p in 0..P {
                let (x, a, k) = (x[p], a[p], k[p]);
                for group in 0..k / Self::COLUMNS {
                    let first = group * Self::COLUMNS;
                    unrolled!(v < V {
                        let line = PASS * V + v;
                        if line < Self::LINES {
                            let factor = Self::factor(x.add(first), line, Self::COLUMNS);
                            for g in 0..G {
                                let part = L::load(a[g].add(first * M + line * L::LANES));
                                sums[g][v] = part.mul_add(factor, sums[g][v]);
                            }
                        }
                    });
                }
                let rest = k % Self::COLUMNS;
                let first = k - rest;
                unrolled!(v < V {
                    let line = PASS * V + v;
                    let count = (rest * M).saturating_sub(line * L::LANES);
                    if count > 0 {
                        let mut factor = Self::factor(x.add(first), line, rest);
                        if count < L::LANES {
                            factor = L::splat(T::ZERO).keep_first(factor, count);
                        }
                        for g in 0..G {
                            let from = a[g].add(first * M + line * L::LANES);
                            let part =
                                if count < L::LANES { L::load_first(from, count) } else { L::load(from) };
                            sums[g][v] = part.mul_add(factor, sums[g][v]);
                        }
                    }
                });
            }
            for g in 0..G {
                for v in 0..V {
                    if PASS * V + v < Self::LINES {
                        lines[g][PASS * V + v] = sums[g][v];
                    }
                }
            }
        }
    }

    /// Returns the entries of `x`, at most two, that a line is multiplied by, within the first
    /// `columns` columns of its group.
    ///
    /// # Safety
    /// `x` has `columns` entries, and the line starts within these columns. The processor has the
    /// instruction set of `L`.
    #[inline(always)]
    unsafe fn factor(x: *const T, line: usize, columns: usize) -> L {
        let start = line * L::LANES;
        let (first, last) = (start / M, (start + L::LANES - 1) / M);
        let last = if last < columns { last } else { columns - 1 };
        // SAFETY: the caller guarantees the columns.
        unsafe {
            let factor = L::splat(*x.add(last));
            if first < last {
                return factor.keep_first(L::splat(*x.add(first)), last * M - start);
            }
            factor
        }
    }

    /// Adds up the columns of a group and writes the result.
    ///
    /// # Safety
    /// `y` has length `M`. The processor has the instruction set of `L`.
    #[inline(always)]
    unsafe fn write(lines: &[L; MOST_LINES], y: *mut T, accumulate: bool) {
        let vectors = M.div_ceil(L::LANES);
        let mut sums = [lines[0]; MOST_LINES];
        // SAFETY: the last vector is moved back to end at row `M`, and all old entries are read
        // before it is written.
        unsafe {
            for v in 0..vectors {
                let row = (v * L::LANES).min(M - L::LANES);
                let mut sum = Self::column(lines, row);
                for column in 1..Self::COLUMNS {
                    sum = sum.add(Self::column(lines, column * M + row));
                }
                if accumulate {
                    sum = sum.add(L::load(y.add(row)));
                }
                sums[v] = sum;
            }
            for v in 0..vectors {
                sums[v].store(y.add((v * L::LANES).min(M - L::LANES)));
            }
        }
    }

    /// Returns a vector of a group's scalars, starting at `start`.
    ///
    /// # Safety
    /// The vector is within the group. The processor has the instruction set of `L`.
    #[inline(always)]
    unsafe fn column(lines: &[L; MOST_LINES], start: usize) -> L {
        let (line, offset) = (start / L::LANES, start % L::LANES);
        if offset == 0 {
            return lines[line];
        }
        // SAFETY: guaranteed by the caller.
        unsafe { L::window(lines[line], lines[line + 1], offset) }
    }
}
