//! The blocked matrix product behind every product of several columns.
//!
//! A tile of some vectors of rows by some columns stays in registers over the whole inner dimension. Panels of `A`
//! are packed where they stand transposed, or too far apart for the cache.

use super::compiled::Product;
use super::pack::Pack;
use crate::Scalar;
use core::mem::MaybeUninit;

/// The inner dimension is cut into pieces of this length: a packed panel then fills half a small first-level cache.
const INNER: usize = 256;

/// The scalars in a packed panel: two vectors of sixteen, `INNER` times, or four half as often.
const PANEL: usize = 32 * INNER;

/// From this distance in bytes between columns on, a panel is packed.
const FAR: usize = 512;

#[repr(align(64))]
struct Panel<T>([MaybeUninit<T>; PANEL]);

/// # Safety
/// The slices have the sizes of the matrices; the processor has `P`.
#[inline(always)]
pub(super) unsafe fn blocked<P: Pack<T>, T: Scalar>(product: Product<'_, T>) {
    let Product { m, k, n, a, b, c, accumulate } = product;
    if m < P::LANES && P::Half::LANES < P::LANES {
        // SAFETY: as for this function; the halves belong to a set that this one includes.
        return unsafe { blocked::<P::Half, T>(Product { m, k, n, a, b, c, accumulate }) };
    }
    let lanes = P::LANES;
    let (a_row, a_column) = if a.transposed { (k, 1) } else { (1, m) };
    let (b_row, b_column) = if b.transposed { (n, 1) } else { (1, k) };
    let mut panel = Panel([const { MaybeUninit::<T>::uninit() }; PANEL]);
    let packed = panel.0.as_mut_ptr().cast::<T>();
    for first in (0..k).step_by(INNER) {
        let depth = INNER.min(k - first);
        let accumulate = accumulate || first > 0;
        // Columns of a tall matrix fall into few sets of the cache: worth a copy when enough columns of `B` read it.
        let pack_all = a.transposed || m < lanes || (m * size_of::<T>() >= FAR && depth >= 64 && n >= 128);
        // Panels of nearly equal height. The last vector of all is moved up to end at row `m`.
        let most = if pack_all { P::TALL.min(PANEL / (depth * lanes)) } else { P::TALL };
        let mut row = 0;
        while row < m {
            let vectors = (m - row).div_ceil(lanes);
            let height = vectors.div_ceil(vectors.div_ceil(most)) * lanes;
            let moved = if m < lanes { 0 } else { (row + height).saturating_sub(m) };
            // SAFETY: rows `row..row + height` (the last vector moved up) and the inner indices `first..first + depth` lie
            // within `a`, or there are `m` rows and the panel is packed; it holds `height * depth` scalars.
            unsafe {
                let at = a.values.as_ptr().add(row * a_row + first * a_column);
                let (a, a_step, a_moved) = if pack_all {
                    let last =
                        at.offset((height - lanes) as isize * a_row as isize - (moved * a_row) as isize);
                    for v in 0..height / lanes {
                        let from = if v + 1 < height / lanes { at.add(v * lanes * a_row) } else { last };
                        let to = packed.add(v * lanes);
                        pack::<P, T>(from, a_row, a_column, m.min(lanes), depth, to, height);
                    }
                    (packed.cast_const(), height, 0)
                } else {
                    (at, m, moved)
                };
                let tile = Tile {
                    a,
                    a_step,
                    a_moved,
                    b: b.values.as_ptr().add(first * b_row),
                    b_row,
                    b_column,
                    c: c.as_mut_ptr().add(row),
                    c_column: m,
                    c_moved: moved,
                    // A vector that is moved up alone has rows in common with the panel before it.
                    skip: if height == lanes { moved } else { 0 },
                    rows: m.min(lanes),
                    depth,
                    accumulate,
                };
                match height / lanes {
                    1 => tile.columns::<P, 1>(n),
                    3 if P::TALL >= 3 => tile.columns::<P, 3>(n),
                    4 if P::TALL >= 4 => tile.columns::<P, 4>(n),
                    _ => tile.columns::<P, 2>(n),
                }
            }
            row += height;
        }
    }
}

/// Copies a vector of rows of `depth` columns: `rows` rows, zeros below them.
///
/// # Safety
/// `from` can be read at `r * row_stride + d * column_stride`, `to` holds a vector at every `to_stride`; `rows` is at
/// most `LANES`; the processor has `P`.
#[inline(always)]
unsafe fn pack<P: Pack<T>, T: Scalar>(
    from: *const T,
    row_stride: usize,
    column_stride: usize,
    rows: usize,
    depth: usize,
    to: *mut T,
    to_stride: usize,
) {
    let lanes = P::LANES;
    // SAFETY: the caller vouches for both sides.
    unsafe {
        if rows == lanes && column_stride != 1 {
            for d in 0..depth {
                P::load(from.add(d * column_stride)).store(to.add(d * to_stride));
            }
        } else if rows == lanes && depth >= lanes {
            let mut d = 0;
            while d < depth {
                // The last square is moved up to end at the last column.
                let at = d.min(depth - lanes);
                P::transpose(from.add(at), row_stride, to.add(at * to_stride), to_stride);
                d += lanes;
            }
        } else if rows == lanes && P::Half::LANES < lanes {
            for half in 0..2 {
                let row = half * P::Half::LANES;
                let from = from.add(row * row_stride);
                pack::<P::Half, T>(from, row_stride, column_stride, lanes / 2, depth, to.add(row), to_stride);
            }
        } else {
            for d in 0..depth {
                for r in 0..lanes {
                    let entry =
                        if r < rows { *from.add(r * row_stride + d * column_stride) } else { T::ZERO };
                    *to.add(r + d * to_stride) = entry;
                }
            }
        }
    }
}

/// A panel of rows of `A` against all columns of `B`.
struct Tile<T> {
    a: *const T,
    a_step: usize,
    /// How far the last vector of rows is moved up.
    a_moved: usize,
    b: *const T,
    b_row: usize,
    b_column: usize,
    c: *mut T,
    c_column: usize,
    c_moved: usize,
    /// Rows at the top that are already written.
    skip: usize,
    /// Rows of a vector that exist: all of them, unless the whole matrix has fewer.
    rows: usize,
    depth: usize,
    accumulate: bool,
}

impl<T: Scalar> Tile<T> {
    /// # Safety
    /// `a` holds `V` vectors every `a_step` scalars, `depth` times; `b` has `n` columns, `c` `rows` rows of
    /// `n` columns; the processor has `P`.
    #[inline(always)]
    unsafe fn columns<P: Pack<T>, const V: usize>(&self, n: usize) {
        let mut column = 0;
        // SAFETY: passed on from the caller, `column + N <= n`.
        unsafe {
            // The fewer the vectors, the more columns it takes to keep enough sums going.
            if P::TALL >= 4 {
                while V <= 2 && n - column >= 12 {
                    self.tile::<P, V, 12>(column);
                    column += 12;
                }
                while V == 3 && n - column >= 8 {
                    self.tile::<P, V, 8>(column);
                    column += 8;
                }
            } else {
                while V == 1 && n - column >= 9 {
                    self.tile::<P, V, 9>(column);
                    column += 9;
                }
            }
            while n - column >= 6 {
                self.tile::<P, V, 6>(column);
                column += 6;
            }
            if n - column >= 4 {
                self.tile::<P, V, 4>(column);
                column += 4;
            }
            if n - column >= 2 {
                self.tile::<P, V, 2>(column);
                column += 2;
            }
            if n > column {
                self.tile::<P, V, 1>(column);
            }
        }
    }

    /// # Safety
    /// As for `columns`, with `column + N` columns.
    #[inline(always)]
    unsafe fn tile<P: Pack<T>, const V: usize, const N: usize>(&self, column: usize) {
        let lanes = P::LANES;
        // SAFETY: the caller vouches for all three matrices.
        unsafe {
            let mut sums = [[P::splat(T::ZERO); N]; V];
            let mut a = self.a;
            let a_last = ((V - 1) * lanes).wrapping_sub(self.a_moved);
            // A pointer for every third column: the two next ones are then within reach of one addressing mode.
            let mut b = [self.b; N];
            for j in 0..N.div_ceil(3) {
                b[j] = self.b.add((column + 3 * j) * self.b_column);
            }
            for _ in 0..self.depth {
                let mut rows = [P::splat(T::ZERO); V];
                for v in 0..V {
                    rows[v] = P::load(a.wrapping_add(if v == V - 1 { a_last } else { v * lanes }));
                }
                for j in 0..N {
                    let factor = P::splat(*b[j / 3].add(j % 3 * self.b_column));
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
            if self.rows < lanes {
                for j in 0..N {
                    let to = c.add(j * self.c_column);
                    if self.accumulate {
                        sums[0][j] = sums[0][j].add(P::load_first(to, self.rows));
                    }
                    sums[0][j].store_first(to, self.rows);
                }
                return;
            }
            let c_last = ((V - 1) * lanes).wrapping_sub(self.c_moved);
            let at = |v: usize, j: usize| {
                c.add(j * self.c_column).wrapping_add(if v == V - 1 { c_last } else { v * lanes })
            };
            // All loads before all stores, since the last vector has rows in common with others.
            if self.accumulate {
                for j in 0..N {
                    for v in 0..V {
                        sums[v][j] = sums[v][j].add(P::load(at(v, j)));
                    }
                }
            }
            for j in 0..N {
                for v in 0..V {
                    if V == 1 && self.skip > 0 {
                        sums[v][j] = sums[v][j].keep_first(P::load(at(v, j)), self.skip);
                    }
                    sums[v][j].store(at(v, j));
                }
            }
        }
    }
}
