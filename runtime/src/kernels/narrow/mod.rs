//! Products of matrices that are stored in fewer bits than the computation uses.
//!
//! A product with one vector reads each entry of its matrix once. From some size on it is limited
//! by the memory bandwidth, so half the bytes take half the time. Entries are widened in registers;
//! vectors and sums keep their precision.
//!
//! The rows are stored in panels of 64, one panel after the other, and within a panel in pairs of
//! columns. A product thus reads memory sequentially, and each cache line once. The panels are no
//! taller than the registers allow, and the last panel has at least one full vector of rows, unless
//! it is the only one.

mod format;

use super::isa::Isa;
use super::pack::Pack;
use super::product::heads::Head;
use crate::Scalar;
use core::slice;

pub use format::{Bf16, Format, Int8};

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

/// A stored matrix.
#[derive(Debug, Clone, Copy)]
pub struct Narrow<'a, Q: Format, T> {
    /// The entries, panel by panel.
    pub entries: &'a [Q::Entry],
    /// The scales, one per row, or an empty slice.
    pub scales: &'a [T],
}

/// Returns the position of an entry in the stored matrix.
#[inline(always)]
fn place<Q: Format>((rows, columns): (usize, usize), row: usize, column: usize) -> usize {
    let panel = (row / PANEL).min(panels(rows) - 1);
    let (start, height, row) = (PANEL * panel * columns, height(rows, panel), row - PANEL * panel);
    if Q::PAIRED && column + 1 - column % 2 < columns {
        start + (column - column % 2) * height + 2 * row + column % 2
    } else {
        start + column * height + row
    }
}

/// Stores a matrix with the entries `number(row, column)`. Returns `false` if an entry cannot be
/// stored; the contents of `entries` and `scales` are then unspecified.
pub fn narrow<Q: Format, T: Scalar>(
    (rows, columns): (usize, usize),
    number: impl Fn(usize, usize) -> T,
    entries: &mut [Q::Entry],
    scales: &mut [T],
) -> bool {
    for row in 0..rows {
        let Some(scale) = scale::<Q, T>((0..columns).map(|column| number(row, column))) else { return false };
        if let Some(own) = scales.get_mut(row) {
            *own = scale;
        }
        for column in 0..columns {
            let at = place::<Q>((rows, columns), row, column);
            match (stored::<Q, T>(number(row, column), scale), entries.get_mut(at)) {
                (Some((entry, _)), Some(own)) => *own = entry,
                _ => return false,
            }
        }
    }
    true
}

/// Returns the scale of a row, or `None` if an entry is not finite.
fn scale<Q: Format, T: Scalar>(row: impl Iterator<Item = T>) -> Option<T> {
    let mut largest = 0.0;
    for number in row {
        let size = number.as_f64().abs();
        if !size.is_finite() {
            return None;
        }
        largest = if size > largest { size } else { largest };
    }
    Some(T::of(Q::scale(largest)))
}

/// Returns the stored entry for a number and the number that this entry represents, or `None` if it
/// is not finite.
fn stored<Q: Format, T: Scalar>(number: T, scale: T) -> Option<(Q::Entry, T)> {
    let entry = Q::narrowed(number.as_f64(), scale.as_f64())?;
    let number = Q::widened::<T>(entry) * if Q::SCALES > 0 { scale } else { T::ONE };
    // The largest magnitude over 127 may be rounded up.
    number.as_f64().is_finite().then_some((entry, number))
}

/// Returns the positions, in a column-major matrix, of the entries that share a scale. They are a
/// row, or a column if the transpose is stored.
fn line((rows, columns): (usize, usize), is_transposed: bool, index: usize) -> impl Iterator<Item = usize> {
    let (first, step, count) = if is_transposed { (index * rows, 1, rows) } else { (index, rows, columns) };
    (0..count).map(move |place| first + place * step)
}

fn lines((rows, columns): (usize, usize), is_transposed: bool) -> usize {
    if is_transposed { columns } else { rows }
}

/// Returns whether every entry of a column-major matrix can be stored.
pub fn fits<Q: Format, T: Scalar>(size: (usize, usize), is_transposed: bool, entries: &[T]) -> bool {
    (0..lines(size, is_transposed)).all(|index| {
        let line = || line(size, is_transposed, index).filter_map(|place| entries.get(place).copied());
        scale::<Q, T>(line()).is_some_and(|scale| line().all(|entry| stored::<Q, T>(entry, scale).is_some()))
    })
}

/// Rounds the entries of a column-major matrix that [`fits`] to the numbers that their stored
/// entries represent.
pub fn round<Q: Format, T: Scalar>(size: (usize, usize), is_transposed: bool, entries: &mut [T]) {
    for index in 0..lines(size, is_transposed) {
        let line = || line(size, is_transposed, index);
        let Some(scale) = scale::<Q, T>(line().filter_map(|place| entries.get(place).copied())) else {
            continue;
        };
        for place in line() {
            let Some(own) = entries.get_mut(place) else { continue };
            *own = stored::<Q, T>(*own, scale).map_or(*own, |(_, number)| number);
        }
    }
}

/// Returns an entry of a stored matrix as products use it, or zero outside the matrix.
pub fn entry<Q: Format, T: Scalar>(
    size: (usize, usize),
    matrix: Narrow<'_, Q, T>,
    row: usize,
    column: usize,
) -> T {
    if row >= size.0 || column >= size.1 {
        return T::ZERO;
    }
    let number =
        matrix.entries.get(place::<Q>(size, row, column)).map_or(T::ZERO, |entry| Q::widened(*entry));
    matrix.scales.get(row).map_or(number, |scale| number * *scale)
}

/// Computes `y_g (M x n) = sum_p A_pg (M x K_p) x_p (K_p x n)`, or adds the sums to `y_g` with
/// `accumulate`, like `products`.
#[inline(always)]
pub fn narrow_products<S: Isa, Q: Format, T: Scalar, const M: usize, const G: usize, const P: usize>(
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

/// Computes [`narrow_products`] for each of `K` heads, like `head_products`.
#[inline(always)]
pub fn narrow_head_products<
    S: Isa,
    Q: Format,
    T: Scalar,
    const K: usize,
    const M: usize,
    const G: usize,
    const P: usize,
>(
    isa: S,
    a: [[[Narrow<'_, Q, T>; K]; G]; P],
    x: [&[T]; P],
    x_has_heads: [bool; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    for (g, y) in y.into_iter().enumerate() {
        for p in 0..P {
            let k = a[p][g].first().map_or(0, |first| first.entries.len() / M.max(1));
            let x_head = match x_has_heads[p] {
                true => Head { matrix: k, column: K * k },
                false => Head { matrix: 0, column: k },
            };
            let y_head = Head { matrix: M, column: K * M };
            let accumulate = accumulate || p > 0;
            narrow_head_product::<S, Q, T, K, M>(isa, a[p][g], (x[p], x_head), (y, y_head), accumulate);
        }
    }
}

/// Computes `y_h (M x n) = or += A_h x_h` for each of `K` heads, like `head_product`. If all heads
/// share `y`, their products add up.
#[inline(always)]
pub fn narrow_head_product<S: Isa, Q: Format, T: Scalar, const K: usize, const M: usize>(
    isa: S,
    a: [Narrow<'_, Q, T>; K],
    (x, x_head): (&[T], Head),
    (y, y_head): (&mut [T], Head),
    accumulate: bool,
) {
    let n = y.len() / y_head.period(K, M);
    for (head, matrix) in a.into_iter().enumerate() {
        let k = matrix.entries.len() / M.max(1);
        let accumulate = accumulate || y_head.matrix == 0 && head > 0;
        for j in 0..n {
            let from = head * x_head.matrix + j * x_head.column;
            let to = head * y_head.matrix + j * y_head.column;
            let (Some(x), Some(y)) = (x.get(from..from + k), y.get_mut(to..to + M)) else {
                debug_assert!(false, "the slices do not have the sizes of the matrices");
                return;
            };
            narrow_products::<S, Q, T, M, 1, 1>(isa, [[matrix]], [x], [y], accumulate);
        }
    }
}

/// Computes `y[.., j] = e[.., w[j] - offset]`, or `+=` with `accumulate`, like `gather`, where `e`
/// is `M x V`.
#[inline(always)]
pub fn narrow_gather<Q: Format, T: Scalar, const M: usize>(
    e: Narrow<'_, Q, T>,
    w: &[u32],
    offset: usize,
    y: &mut [T],
    accumulate: bool,
) {
    if M == 0 {
        return;
    }
    let columns = e.entries.len() / M;
    for (&index, y) in w.iter().zip(y.chunks_exact_mut(M)) {
        let column = usize::try_from(index).ok().and_then(|index| index.checked_sub(offset));
        for r in 0..M {
            let number = column.map_or(T::ZERO, |column| entry((M, columns), e, r, column));
            y[r] = if accumulate { y[r] + number } else { number };
        }
    }
}

/// A stored matrix of `m` rows and `k` columns.
struct Matrix<Q: Format, T> {
    m: usize,
    k: usize,
    entries: *const Q::Entry,
    scales: *const T,
}

/// The rows of one panel.
struct Rows<Q: Format, T> {
    height: usize,
    k: usize,
    entries: *const Q::Entry,
    scales: *const T,
    /// The number of rows of the result, the distance between its columns.
    stride: usize,
}

impl<Q: Format, T: Scalar> Matrix<Q, T> {
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

impl<Q: Format, T: Scalar> Rows<Q, T> {
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

#[cfg(test)]
mod tests;
