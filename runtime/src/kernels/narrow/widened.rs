//! Products that widen the entries of a stored matrix in registers. Vectors and sums keep their
//! precision.
//!
//! The rows are stored in panels of 64, one panel after the other, and within a panel in pairs of
//! columns. A product thus reads memory sequentially, and each cache line once. The panels are no
//! taller than the registers allow, and the last panel has at least one full vector of rows, unless
//! it is the only one.

use super::format::Widened;
use super::{Narrow, entry};
use crate::Scalar;
use crate::kernels::isa::Isa;
use crate::kernels::pack::Pack;
use core::slice;

/// The number of rows of a panel. The last panel takes the remaining rows, up to [`LEAST`] more.
const PANEL: usize = 64;

/// The smallest number of rows of a panel unless it is the only one: the widest vector of any
/// processor.
const LEAST: usize = 16;

/// The number of columns of a batch that share the widened entries.
const SHARED: usize = 2;

const fn panels(rows: usize) -> usize {
    rows.saturating_sub(LEAST) / PANEL + 1
}

const fn height(rows: usize, panel: usize) -> usize {
    if panel + 1 < panels(rows) { PANEL } else { rows - PANEL * panel }
}

/// Computes [`Format::place`].
#[inline(always)]
pub fn place<Q: Widened>((rows, columns): (usize, usize), row: usize, column: usize) -> usize {
    let panel = (row / PANEL).min(panels(rows) - 1);
    let (start, height, row) = (PANEL * panel * columns, height(rows, panel), row - PANEL * panel);
    if Q::PAIRED && column + 1 - column % 2 < columns {
        start + (column - column % 2) * height + 2 * row + column % 2
    } else {
        start + column * height + row
    }
}

/// Computes [`Format::products`].
#[inline(always)]
pub fn products<S: Isa, Q: Widened, T: Scalar, const M: usize, const G: usize, const P: usize>(
    _isa: S,
    a: [[Narrow<'_, Q, T>; G]; P],
    x: [&[T]; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    if M == 0 || G == 0 || y[0].is_empty() {
        return;
    }
    let n = y[0].len() / M;
    for p in 0..P {
        let k = x[p].len() / n.max(1);
        for g in 0..G {
            // Wrong sizes would be a bug in this crate, and a step must not panic. The compiler
            // cannot remove the checks within these loops.
            let (Some(entries), Some(scales), Some(x), Some(y)) = (
                a[p][g].entries.get(..M * k),
                a[p][g].scales.get(..Q::SCALES * M),
                x[p].get(..k * n),
                y[g].get_mut(..M * n),
            ) else {
                debug_assert!(false, "the slices do not have the sizes of the matrices");
                return;
            };
            let matrix = Matrix::<Q, T> { m: M, k, entries: entries.as_ptr(), scales: scales.as_ptr() };
            // SAFETY: the slices have the sizes of the matrices; the token proves the instruction
            // set.
            unsafe { matrix.multiply::<S::Pack<T>>(n, x.as_ptr(), y.as_mut_ptr(), accumulate || p > 0) }
        }
    }
}

/// A stored matrix of `m` rows and `k` columns.
struct Matrix<Q: Widened, T> {
    m: usize,
    k: usize,
    entries: *const Q::Entry,
    scales: *const T,
}

/// The rows of one panel.
struct Rows<Q: Widened, T> {
    height: usize,
    k: usize,
    entries: *const Q::Entry,
    scales: *const T,
    /// The number of rows of the result, the distance between its columns.
    stride: usize,
}

impl<Q: Widened, T: Scalar> Matrix<Q, T> {
    /// Computes `y (m x n) = A x (k x n)`, or `y += A x` with `accumulate`.
    ///
    /// # Safety
    /// There are `m * k` entries and `SCALES * m` scales. `x` and `y` have their sizes, and `y`
    /// overlaps nothing else. The processor has the instruction set of `L`.
    #[inline(always)]
    unsafe fn multiply<L: Pack<T>>(&self, n: usize, x: *const T, y: *mut T, accumulate: bool) {
        let m = self.m;
        // SAFETY: the panels cover the rows, and `j` is a column.
        unsafe {
            if m < L::LANES && L::Half::LANES < L::LANES {
                return self.multiply::<L::Half>(n, x, y, accumulate);
            }
            let last = panels(m) - 1;
            // The heights are written out so that they stay constants where generated code inlines
            // this function.
            for panel in 0..last {
                self.panel(panel, PANEL).multiply_all::<L>(n, x, y, PANEL * panel, accumulate);
            }
            let rows = self.panel(last, height(m, last));
            rows.multiply_all::<L>(n, x, y, PANEL * last, accumulate);
        }
    }

    /// Returns the rows of a panel.
    ///
    /// # Safety
    /// The matrix has this panel, of this height.
    #[inline(always)]
    unsafe fn panel(&self, panel: usize, height: usize) -> Rows<Q, T> {
        let first = PANEL * panel;
        let scales = self.scales.wrapping_add(Q::SCALES * first);
        // SAFETY: guaranteed by the caller.
        let entries = unsafe { self.entries.add(first * self.k) };
        Rows { height, k: self.k, entries, scales, stride: self.m }
    }
}

impl<Q: Widened, T: Scalar> Rows<Q, T> {
    /// Computes the panel's rows, which start at row `first`, in all columns of the result.
    ///
    /// # Safety
    /// The same as for `Matrix::multiply`.
    #[inline(always)]
    unsafe fn multiply_all<L: Pack<T>>(
        &self,
        n: usize,
        x: *const T,
        y: *mut T,
        first: usize,
        accumulate: bool,
    ) {
        let mut j = 0;
        // SAFETY: `j` is a column.
        unsafe {
            while j + SHARED <= n {
                let (x, y) = (x.add(j * self.k), y.add(j * self.stride + first));
                self.multiply::<L, SHARED, 4>(x, y, accumulate);
                j += SHARED;
            }
            while j < n {
                self.multiply::<L, 1, 4>(x.add(j * self.k), y.add(j * self.stride + first), accumulate);
                j += 1;
            }
        }
    }

    /// Computes `N` columns of the result, with at most `MOST >= 3` vectors of rows at once.
    ///
    /// # Safety
    /// The same as for `Matrix::multiply`.
    #[inline(always)]
    unsafe fn multiply<L: Pack<T>, const N: usize, const MOST: usize>(
        &self,
        x: *const T,
        y: *mut T,
        accumulate: bool,
    ) {
        // SAFETY: guaranteed by the caller.
        unsafe {
            if self.height < L::LANES {
                return self.few::<N>(x, y, accumulate);
            }
            // The passes have nearly equal heights. If there are at least two vectors, every pass
            // has at least two. The last vector, which may overlap the one before it, is then in
            // the same pass, so both read the old contents before either is written.
            let vectors = self.height.div_ceil(L::LANES);
            let passes = vectors.div_ceil(MOST).max(1);
            let (lower, higher) = (vectors / passes, vectors % passes);
            let mut first = 0;
            for pass in 0..passes {
                let count = lower + usize::from(pass < higher);
                match count {
                    1 => self.vectors::<L, N, 1>(first, x, y, accumulate),
                    2 => self.vectors::<L, N, 2>(first, x, y, accumulate),
                    3 => self.vectors::<L, N, 3>(first, x, y, accumulate),
                    4 if MOST >= 4 => self.vectors::<L, N, 4>(first, x, y, accumulate),
                    5 if MOST >= 5 => self.vectors::<L, N, 5>(first, x, y, accumulate),
                    6 if MOST >= 6 => self.vectors::<L, N, 6>(first, x, y, accumulate),
                    7 if MOST >= 7 => self.vectors::<L, N, 7>(first, x, y, accumulate),
                    _ if MOST >= 8 => self.vectors::<L, N, 8>(first, x, y, accumulate),
                    _ => {}
                }
                first += count;
            }
        }
    }

    /// Computes `V` vectors of rows, starting with vector `first`. The last vector of the panel is
    /// moved back to end at its last row.
    ///
    /// # Safety
    /// The same as for `Matrix::multiply`. The panel contains the vectors and has a height of at
    /// least `LANES`.
    #[inline(always)]
    unsafe fn vectors<L: Pack<T>, const N: usize, const V: usize>(
        &self,
        first: usize,
        x: *const T,
        y: *mut T,
        accumulate: bool,
    ) {
        let Rows { height, k, entries, scales, stride } = *self;
        // SAFETY: `at` is at most `height - LANES`.
        unsafe {
            let mut at = [0; V];
            for v in 0..V {
                at[v] = ((first + v) * L::LANES).min(height - L::LANES);
            }
            // Few sums cannot hide the latency of an addition, so each column of a pair then has
            // its own sums.
            let odd = if V * N <= 4 { 1 } else { 0 };
            let mut sums = [[[L::splat(T::ZERO); V]; N]; 2];
            for j in (0..k / 2).map(|pair| 2 * pair) {
                let mut factors = [[L::splat(T::ZERO); 2]; N];
                for n in 0..N {
                    factors[n] = [L::splat(*x.add(n * k + j)), L::splat(*x.add(n * k + j + 1))];
                }
                let pair = entries.add(j * height);
                for v in 0..V {
                    let columns = Q::pair::<L, T>(pair, height, at[v]);
                    for n in 0..N {
                        sums[0][n][v] = columns[0].mul_add(factors[n][0], sums[0][n][v]);
                        sums[odd][n][v] = columns[1].mul_add(factors[n][1], sums[odd][n][v]);
                    }
                }
            }
            if k % 2 == 1 {
                let j = k - 1;
                for v in 0..V {
                    let column = Q::alone::<L, T>(entries.add(j * height + at[v]));
                    for n in 0..N {
                        sums[0][n][v] = column.mul_add(L::splat(*x.add(n * k + j)), sums[0][n][v]);
                    }
                }
            }
            for n in 0..N {
                for v in 0..V {
                    let old = if accumulate { L::load(y.add(n * stride + at[v])) } else { L::splat(T::ZERO) };
                    let sum = if odd == 1 { sums[0][n][v].add(sums[1][n][v]) } else { sums[0][n][v] };
                    sums[0][n][v] = Q::scaled(sum, scales.wrapping_add(Q::SCALES * at[v]), old);
                }
                for v in 0..V {
                    sums[0][n][v].store(y.add(n * stride + at[v]));
                }
            }
        }
    }

    /// Handles panels with fewer rows than a vector has lanes.
    ///
    /// # Safety
    /// The same as for `Matrix::multiply`.
    #[inline(always)]
    unsafe fn few<const N: usize>(&self, x: *const T, y: *mut T, accumulate: bool) {
        let Rows { height, k, entries, scales, stride } = *self;
        // SAFETY: guaranteed by the caller. A panel of this height is the only one.
        unsafe {
            let entries = slice::from_raw_parts(entries, height * k);
            let scales = slice::from_raw_parts(scales, Q::SCALES * height);
            let matrix = Narrow::<Q, T> { entries, scales };
            for n in 0..N {
                for r in 0..height {
                    let y = y.add(n * stride + r);
                    let mut sum = if accumulate { *y } else { T::ZERO };
                    for j in 0..k {
                        sum += entry((height, k), matrix, r, j) * *x.add(n * k + j);
                    }
                    *y = sum;
                }
            }
        }
    }
}
