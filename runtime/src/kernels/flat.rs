//! The product of small matrices with one vector, for columns that are no whole number of vectors.
//!
//! Columns lie side by side without a gap, so a few of them together, a *group*, are a whole number of vectors, its
//! *lines*: H = 20 is five lines of sixteen a group of four columns. No lane is idle, and every load is as aligned as the
//! matrix. A line that holds the end of one column and the start of the next is multiplied by both entries of `x`; what
//! the lines add up to is told apart at the end.

use super::pack::Pack;
use crate::Scalar;
use core::marker::PhantomData;

/// The most lines of a group, over all passes.
const MOST_LINES: usize = 28;

/// How matrices of `M` rows fall into groups, `G` of them at a time; all of it constants.
pub(super) struct Groups<L, T, const M: usize, const G: usize>(PhantomData<(L, T)>);

impl<L: Pack<T>, T: Scalar, const M: usize, const G: usize> Groups<L, T, M, G> {
    /// `M`, or one if there are no rows: these constants are evaluated for matrices of every size,
    /// though only products with rows get here.
    const ROWS: usize = if M == 0 { 1 } else { M };
    /// Columns of a group.
    const COLUMNS: usize = {
        let mut columns = 1;
        while !(columns * Self::ROWS).is_multiple_of(L::LANES) {
            columns += 1;
        }
        // Enough sums to cover the latency of an addition.
        while columns * Self::ROWS / L::LANES * G < 8 && 2 * columns * Self::ROWS / L::LANES * G <= L::SUMS {
            columns *= 2;
        }
        columns
    };
    const LINES: usize = Self::COLUMNS * Self::ROWS / L::LANES;
    /// Lines that one pass over the matrices keeps sums of.
    const HEIGHT: usize = {
        let most = if L::SUMS / G > 7 { 7 } else { L::SUMS / G };
        let most = if most == 0 { 1 } else { most };
        Self::LINES.div_ceil(Self::LINES.div_ceil(most))
    };
    /// Whether this can be the way to do it.
    pub(super) const PAY: bool = M > L::LANES
        && M.is_multiple_of(4)
        && !M.is_multiple_of(L::LANES)
        && Self::LINES <= MOST_LINES
        && Self::LINES.div_ceil(Self::HEIGHT) <= 4;

    /// Whether matrices of `k` columns are at least a group.
    #[inline(always)]
    pub(super) fn fit<const P: usize>(k: [usize; P]) -> bool {
        let mut columns = 0;
        for p in 0..P {
            columns += k[p];
        }
        columns >= Self::COLUMNS
    }

    /// `y_g (M) = or += sum_p A_pg (M x k_p) x_p (k_p)`.
    ///
    /// # Safety
    /// `a[p]` are `M x k[p]`, `x[p]` is `k[p]`, `y` are `M` and apart from the others; the processor has `L`.
    #[inline(always)]
    pub(super) unsafe fn multiply<const P: usize>(
        k: [usize; P],
        a: [[*const T; G]; P],
        x: [*const T; P],
        y: [*mut T; G],
        accumulate: bool,
    ) {
        // SAFETY: passed on from the caller.
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

    /// # Safety
    /// As for `multiply`.
    #[inline(always)]
    unsafe fn passes<const P: usize, const V: usize>(
        k: [usize; P],
        a: [[*const T; G]; P],
        x: [*const T; P],
        lines: &mut [[L; MOST_LINES]; G],
    ) {
        // Written out: within a pass everything but the group is a constant.
        // SAFETY: passed on from the caller.
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

    /// The sums of `V` lines, less if the group has no more.
    ///
    /// # Safety
    /// As for `multiply`.
    #[inline(always)]
    unsafe fn pass<const P: usize, const V: usize, const PASS: usize>(
        k: [usize; P],
        a: [[*const T; G]; P],
        x: [*const T; P],
        lines: &mut [[L; MOST_LINES]; G],
    ) {
        // SAFETY: the lines of whole groups lie within the matrices; of the last columns, only their scalars are read.
        unsafe {
            let mut sums = [[L::splat(T::ZERO); V]; G];
            for p in 0..P {
                let (x, a, k) = (x[p], a[p], k[p]);
                for group in 0..k / Self::COLUMNS {
                    let first = group * Self::COLUMNS;
                    for v in 0..V {
                        let line = PASS * V + v;
                        if line < Self::LINES {
                            let factor = Self::factor(x.add(first), line, Self::COLUMNS);
                            for g in 0..G {
                                let part = L::load(a[g].add(first * M + line * L::LANES));
                                sums[g][v] = part.mul_add(factor, sums[g][v]);
                            }
                        }
                    }
                }
                let rest = k % Self::COLUMNS;
                let first = k - rest;
                for v in 0..V {
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
                }
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

    /// The entries of `x` that a line meets, two at most, of the first `columns` columns of its group.
    ///
    /// # Safety
    /// `x` has `columns` entries, and the line starts within those columns; the processor has `L`.
    #[inline(always)]
    unsafe fn factor(x: *const T, line: usize, columns: usize) -> L {
        let start = line * L::LANES;
        let (first, last) = (start / M, (start + L::LANES - 1) / M);
        let last = if last < columns { last } else { columns - 1 };
        // SAFETY: the caller vouches for the columns.
        unsafe {
            let factor = L::splat(*x.add(last));
            if first < last {
                return factor.keep_first(L::splat(*x.add(first)), last * M - start);
            }
            factor
        }
    }

    /// Adds up the columns of a group.
    ///
    /// # Safety
    /// `y` is `M`; the processor has `L`.
    #[inline(always)]
    unsafe fn write(lines: &[L; MOST_LINES], y: *mut T, accumulate: bool) {
        let vectors = M.div_ceil(L::LANES);
        let mut sums = [lines[0]; MOST_LINES];
        // SAFETY: the last vector is moved up to end at row `M`; all old entries are read before it is written.
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

    /// A vector of a group's scalars from `start` on.
    ///
    /// # Safety
    /// The vector lies within the group; the processor has `L`.
    #[inline(always)]
    unsafe fn column(lines: &[L; MOST_LINES], start: usize) -> L {
        let (line, offset) = (start / L::LANES, start % L::LANES);
        if offset == 0 {
            return lines[line];
        }
        // SAFETY: passed on from the caller.
        unsafe { L::window(lines[line], lines[line + 1], offset) }
    }
}
