//! The blocked matrix product behind every product of several columns.
//!
//! A tile of two vectors of rows by six columns stays in registers over the whole inner dimension. Panels of `A`
//! are packed where they stand transposed, or too far apart for the cache.

use super::compiled::Product;
use super::isa::Isa;
use super::pack::Pack;
use crate::Scalar;
use core::mem::MaybeUninit;

/// The inner dimension is cut into pieces of this length: a packed panel then fills half a small L1 cache.
const INNER: usize = 256;

/// The scalars in a packed panel: two vectors of eight, `INNER` times.
const PANEL: usize = 16 * INNER;

/// From this distance in bytes between columns on, a panel is packed.
const FAR: usize = 512;

#[repr(align(64))]
struct Panel<T>([MaybeUninit<T>; PANEL]);

/// # Safety
/// The slices have the sizes of the matrices; the processor has `S`.
#[inline(always)]
pub(super) unsafe fn blocked<S: Isa, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, a, b, c, accumulate } = product;
    let lanes = S::Pack::<T>::LANES;
    let (a_row, a_column) = if a.transposed { (k, 1) } else { (1, m) };
    let (b_row, b_column) = if b.transposed { (n, 1) } else { (1, k) };
    let mut panel = Panel([const { MaybeUninit::<T>::uninit() }; PANEL]);
    let packed = panel.0.as_mut_ptr().cast::<T>();
    for first in (0..k).step_by(INNER) {
        let depth = INNER.min(k - first);
        let accumulate = accumulate || first > 0;
        // Columns of a tall matrix fall into few sets of the cache: worth a copy when enough columns of `B` read it.
        let pack_all = a.transposed || (m * size_of::<T>() >= FAR && depth >= 64 && n >= 128);
        let mut next = 0;
        while next < m {
            let height = if m - next > lanes && m >= 2 * lanes { 2 * lanes } else { lanes };
            // The last panel is moved up to end at row `m`; what it then has in common with the one before it is not
            // written a second time.
            let row = if m >= height { next.min(m - height) } else { next };
            let (rows, skip) = (height.min(m - row), next - row);
            // SAFETY: rows `row..row + rows` and the inner indices `first..first + depth` lie within `a`; the panel holds
            // `height * depth` scalars.
            unsafe {
                let at = a.values.as_ptr().add(row * a_row + first * a_column);
                let (at, step) = if pack_all || rows < height {
                    pack::<S, T>(at, a_row, a_column, rows, height, depth, packed);
                    (packed.cast_const(), height)
                } else {
                    (at, m)
                };
                let tile = Tile {
                    a: at,
                    a_step: step,
                    b: b.values.as_ptr().add(first * b_row),
                    b_row,
                    b_column,
                    c: c.as_mut_ptr().add(row),
                    c_column: m,
                    depth,
                    rows,
                    skip,
                    accumulate,
                };
                if height > lanes { tile.columns::<S, 2>(n) } else { tile.columns::<S, 1>(n) }
            }
            next += height;
        }
    }
}

/// Copies `rows` rows of `depth` columns into `height` rows without gaps, the last ones zero.
///
/// # Safety
/// `from` can be read at `r * row_stride + d * column_stride`, `to` holds `height * depth` scalars; the
/// processor has `S`.
#[inline(always)]
unsafe fn pack<S: Isa, T: Scalar>(
    from: *const T,
    row_stride: usize,
    column_stride: usize,
    rows: usize,
    height: usize,
    depth: usize,
    to: *mut T,
) {
    let lanes = S::Pack::<T>::LANES;
    // SAFETY: the caller vouches for both sides.
    unsafe {
        let mut row = 0;
        if column_stride == 1 {
            while row + lanes <= rows {
                let mut d = 0;
                while d + lanes <= depth {
                    let square = from.add(row * row_stride + d);
                    S::Pack::<T>::transpose(square, row_stride, to.add(row + d * height), height);
                    d += lanes;
                }
                for d in d..depth {
                    for r in row..row + lanes {
                        *to.add(r + d * height) = *from.add(r * row_stride + d);
                    }
                }
                row += lanes;
            }
        }
        if column_stride != 1 && rows == height {
            for d in 0..depth {
                let (from, to) = (from.add(d * column_stride), to.add(d * height));
                for v in 0..height / lanes {
                    S::Pack::<T>::load(from.add(v * lanes)).store(to.add(v * lanes));
                }
            }
            return;
        }
        if row == height {
            return;
        }
        for d in 0..depth {
            for r in row..rows {
                *to.add(r + d * height) = *from.add(r * row_stride + d * column_stride);
            }
            for r in rows..height {
                *to.add(r + d * height) = T::ZERO;
            }
        }
    }
}

/// A panel of rows of `A` against all columns of `B`.
struct Tile<T> {
    a: *const T,
    a_step: usize,
    b: *const T,
    b_row: usize,
    b_column: usize,
    c: *mut T,
    c_column: usize,
    depth: usize,
    rows: usize,
    /// Rows at the top that are already written.
    skip: usize,
    accumulate: bool,
}

impl<T: Scalar> Tile<T> {
    /// # Safety
    /// `a` holds `V` vectors every `a_step` scalars, `depth` times; `b` has `n` columns, `c` `rows` rows of
    /// `n` columns; the processor has `S`.
    #[inline(always)]
    unsafe fn columns<S: Isa, const V: usize>(&self, n: usize) {
        let mut column = 0;
        // SAFETY: passed on from the caller, `column + N <= n`.
        unsafe {
            if V == 1 {
                // Half the rows want more columns, to keep enough sums going.
                while n - column >= 9 {
                    self.tile::<S, V, 9>(column);
                    column += 9;
                }
            }
            while n - column >= 6 {
                self.tile::<S, V, 6>(column);
                column += 6;
            }
            if n - column >= 4 {
                self.tile::<S, V, 4>(column);
                column += 4;
            }
            if n - column >= 2 {
                self.tile::<S, V, 2>(column);
                column += 2;
            }
            if n > column {
                self.tile::<S, V, 1>(column);
            }
        }
    }

    /// # Safety
    /// As for `columns`, with `column + N` columns.
    #[inline(always)]
    unsafe fn tile<S: Isa, const V: usize, const N: usize>(&self, column: usize) {
        let lanes = S::Pack::<T>::LANES;
        // SAFETY: the caller vouches for all three matrices.
        unsafe {
            let mut sums = [[S::Pack::<T>::splat(T::ZERO); N]; V];
            let mut a = self.a;
            // A pointer for every third column: the two next ones are then within reach of one addressing mode.
            let mut b = [self.b; N];
            for j in 0..N.div_ceil(3) {
                b[j] = self.b.add((column + 3 * j) * self.b_column);
            }
            for _ in 0..self.depth {
                let mut rows = [S::Pack::<T>::splat(T::ZERO); V];
                for v in 0..V {
                    rows[v] = S::Pack::<T>::load(a.add(v * lanes));
                }
                for j in 0..N {
                    let factor = S::Pack::<T>::splat(*b[j / 3].add(j % 3 * self.b_column));
                    for v in 0..V {
                        sums[v][j] = rows[v].mul_add(factor, sums[v][j]);
                    }
                }
                a = a.wrapping_add(self.a_step);
                for j in 0..N.div_ceil(3) {
                    b[j] = b[j].wrapping_add(self.b_row);
                }
            }
            let c = self.c.add(column * self.c_column);
            if V > 1 || self.rows == lanes {
                for j in 0..N {
                    for v in 0..V {
                        let to = c.add(j * self.c_column + v * lanes);
                        let mut sum = sums[v][j];
                        if self.accumulate {
                            sum = sum.add(S::Pack::<T>::load(to));
                        }
                        if v == 0 && self.skip > 0 {
                            sum = sum.keep_first(S::Pack::<T>::load(to), self.skip);
                        }
                        sum.store(to);
                    }
                }
            } else {
                let mut spilled = [[T::ZERO; 16]; N];
                for j in 0..N {
                    for v in 0..V {
                        sums[v][j].store(spilled[j].as_mut_ptr().add(v * lanes));
                    }
                    for r in 0..self.rows {
                        let to = c.add(j * self.c_column + r);
                        *to = if self.accumulate { *to + spilled[j][r] } else { spilled[j][r] };
                    }
                }
            }
        }
    }
}
