//! The blocked matrix product behind every product of several columns.
//!
//! A tile of a few vectors of rows by a few columns stays in registers over the whole inner
//! dimension. The rows may belong to several matrices that share the right factor, so small gates
//! fill a tile together. Panels of rows are packed if the matrix is transposed or its columns are
//! too far apart for the cache.

use super::pack::{MOST_LANES, Pack};
use crate::Scalar;
use core::hint::black_box;
use core::mem::MaybeUninit;

/// The length of the pieces of the inner dimension. A packed panel then fills half of a small
/// first-level cache.
const INNER: usize = 256;

/// The smallest distance in bytes between columns at which a panel is packed.
const FAR: usize = 512;

/// The largest number of vectors of rows in a tile.
const TALLEST: usize = 4;

/// The largest number of columns in a tile.
const MOST_COLUMNS: usize = 12;

/// A buffer for packed panels, in the stack frame of a separate function: even an unused large
/// frame would cost small products a tenth of their time.
#[repr(align(64))]
pub(super) struct Panel<T, const N: usize>([MaybeUninit<T>; N]);

impl<T, const N: usize> Panel<T, N> {
    /// Creates an uninitialised buffer.
    #[inline(always)]
    pub(super) fn new() -> Self {
        Panel([const { MaybeUninit::uninit() }; N])
    }

    /// Returns the buffer as a slice.
    #[inline(always)]
    pub(super) fn scratch(&mut self) -> &mut [MaybeUninit<T>] {
        &mut self.0
    }
}

/// The number of scalars in a packed panel: two vectors of sixteen scalars over `INNER` columns, or
/// four over half as many.
pub(super) const PANEL: usize = 32 * INNER;

/// The number of scalars in a panel with an inner dimension of at most [`SHORT`].
pub(super) const SHORT_PANEL: usize = 64 * SHORT;
/// The largest inner dimension of a short panel.
pub(super) const SHORT: usize = 32;

/// Products that share their right factor: `C_g (m x n) = A_g (m x k) B (k x n)`, or `C_g += A_g B`
/// with `accumulate`.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct Blocks<'a, T> {
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    /// The matrices `A_g`, or their transposes, in column-major order.
    pub(super) a: &'a [*const T],
    pub(super) b: *const T,
    /// Two flags: all `A_g` are transposed, and B is.
    pub(super) transposed: [bool; 2],
    /// The results, one per `A_g`.
    pub(super) c: &'a [*mut T],
    /// The distances between the columns in memory of A, B and C. Each is at least the number of
    /// rows in memory.
    pub(super) columns: [usize; 3],
    pub(super) accumulate: bool,
}

/// Returns the distances between the columns of matrices without gaps.
#[inline(always)]
pub(super) fn without_gaps(m: usize, k: usize, n: usize, [ta, tb]: [bool; 2]) -> [usize; 3] {
    [if ta { k } else { m }, if tb { n } else { k }, m]
}

impl<T: Scalar> Blocks<'_, T> {
    /// Returns whether [`blocked`] packs panels of A.
    #[inline(always)]
    pub(super) fn packs<P: Pack<T>>(&self) -> bool {
        // The columns of a tall matrix map to few sets of the cache. A copy pays if enough columns
        // of B read it.
        let is_far = self.m * size_of::<T>() >= FAR && self.k >= 64 && self.n >= 128;
        self.transposed[0] || self.m < P::LANES.min(P::Half::LANES) || is_far
    }
}

/// Computes products.
///
/// # Safety
/// The pointers refer to matrices of the given sizes. The matrices C overlap neither each other nor
/// any other matrix. `scratch` is `Some` if the products [`pack`](Blocks::packs). It has [`PANEL`]
/// scalars, or [`SHORT_PANEL`] if `k` is at most [`SHORT`], and is aligned for the vectors `P`. The
/// processor has their instruction set.
#[inline(always)]
pub(super) unsafe fn blocked<P: Pack<T>, T: Scalar>(
    blocks: Blocks<'_, T>,
    scratch: Option<&mut [MaybeUninit<T>]>,
) {
    let Blocks { m, k, n, a, b, transposed: [ta, tb], c, columns, accumulate } = blocks;
    if m < P::LANES && P::Half::LANES < P::LANES {
        // SAFETY: as for this function; the instruction set of `P` includes that of its halves.
        return unsafe { blocked::<P::Half, T>(blocks, scratch) };
    }
    if k == 0 && !accumulate {
        for &c in c {
            for column in 0..n {
                // SAFETY: the matrix has this size.
                unsafe { core::slice::from_raw_parts_mut(c.add(column * columns[2]), m).fill(T::ZERO) };
            }
        }
    }
    let lanes = P::LANES;
    let (a_row, a_column) = if ta { (columns[0], 1) } else { (1, columns[0]) };
    let (b_row, b_column) = if tb { (columns[1], 1) } else { (1, columns[1]) };
    let capacity = scratch.as_ref().map_or(usize::MAX, |scratch| scratch.len());
    let packed = scratch.map(|scratch| scratch.as_mut_ptr().cast::<T>());
    // The vectors of rows of all matrices are numbered consecutively. The last vector of each
    // matrix is moved back to end at row `m`.
    let vectors = m.div_ceil(lanes);
    let all = a.len() * vectors;
    for first in (0..k).step_by(INNER) {
        let depth = INNER.min(k - first);
        // None of the divisors below is zero. `max(1)` shows this to the compiler, so that a step
        // contains no panic.
        let most = P::TALL.min(capacity / (depth * lanes).max(1)).max(1);
        let mut tile = Tile {
            a: [core::ptr::null(); TALLEST],
            a_step: columns[0],
            // SAFETY: the inner index is within B.
            b: unsafe { b.add(first * b_row) },
            b_row,
            b_column,
            c: [core::ptr::null_mut(); TALLEST],
            c_column: columns[2],
            skip: 0,
            rows: m.min(lanes),
            depth,
            accumulate: accumulate || first > 0,
        };
        // The panels have nearly equal heights.
        let panels = all.div_ceil(most);
        let (lower, higher) = (all / panels.max(1), all % panels.max(1));
        let (mut matrix, mut vector) = (0, 0);
        for panel in 0..panels {
            let height = (lower + usize::from(panel < higher)).min(TALLEST);
            for v in 0..height {
                let row = (vector * lanes).min(m.saturating_sub(lanes));
                // The vector may overlap the one before it, which the previous panel may have
                // written.
                if v == 0 {
                    tile.skip = vector * lanes - row;
                }
                // SAFETY: all panels together cover the vectors of all matrices. The rows are in
                // the matrix, or there are `m` rows and the panel is packed. The packed panel holds
                // `height * depth` vectors.
                unsafe {
                    let from = a.get_unchecked(matrix).add(row * a_row + first * a_column);
                    tile.a[v] = match packed {
                        Some(packed) => {
                            let to = packed.add(v * lanes);
                            pack::<P, T>(from, a_row, a_column, m.min(lanes), depth, to, height * lanes);
                            to
                        }
                        None => from,
                    };
                    tile.c[v] = c.get_unchecked(matrix).add(row);
                }
                vector += 1;
                if vector == vectors {
                    (matrix, vector) = (matrix + 1, 0);
                }
            }
            if packed.is_some() {
                tile.a_step = height * lanes;
            }
            // SAFETY: the pointers of the tile are valid for `height` vectors.
            unsafe {
                match height {
                    1 => tile.columns::<P, 1>(n),
                    3 if P::TALL >= 3 => tile.columns::<P, 3>(n),
                    4 if P::TALL >= 4 => tile.columns::<P, 4>(n),
                    _ => tile.columns::<P, 2>(n),
                }
            }
        }
    }
}

/// Packs `rows` rows and `depth` columns: column `d` goes to `to + d * to_stride`, padded with
/// zeros.
///
/// # Safety
/// `from` can be read at `r * row_stride + d * column_stride`, and `to` has space for a vector at
/// every multiple of `to_stride`. `rows` is at most `LANES`. The processor has the instruction set
/// of `P`.
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
    // SAFETY: the caller guarantees both sides.
    unsafe {
        if rows == lanes && column_stride != 1 {
            for d in 0..depth {
                P::load(from.add(d * column_stride)).store(to.add(d * to_stride));
            }
        } else if rows == lanes && depth >= lanes {
            let mut d = 0;
            while d < depth {
                // The last square is moved back to end at the last column.
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

/// A panel of vectors of rows, multiplied by all columns of B.
struct Tile<T> {
    a: [*const T; TALLEST],
    a_step: usize,
    b: *const T,
    b_row: usize,
    b_column: usize,
    c: [*mut T; TALLEST],
    c_column: usize,
    /// The number of rows of the first vector that are already written.
    skip: usize,
    /// The number of valid rows of a vector: all of them, unless the matrix has fewer.
    rows: usize,
    depth: usize,
    accumulate: bool,
}

impl<T: Scalar> Tile<T> {
    /// Computes all columns of the result.
    ///
    /// # Safety
    /// Each of the first `V` pointers in `a` has a vector every `a_step` scalars, `depth` times.
    /// `b` has `n` columns. Each of the first `V` pointers in `c` has `rows` rows of `n` columns.
    /// The processor has the instruction set of `P`.
    #[inline(always)]
    unsafe fn columns<P: Pack<T>, const V: usize>(&self, n: usize) {
        let mut column = 0;
        // The offsets of every third column of a tile, which `black_box` makes opaque to the
        // compiler. It would otherwise compute each offset from the one before, in a chain that
        // takes longer than the products.
        let mut thirds = [0; MOST_COLUMNS / 3];
        for (j, third) in thirds.iter_mut().enumerate().skip(1) {
            *third = black_box(3 * j * self.b_column);
        }
        let thirds = &thirds;
        // SAFETY: guaranteed by the caller; `column + N <= n`.
        unsafe {
            // Tiles with fewer vectors need more columns to keep enough sums in flight.
            if P::TALL >= 4 {
                while V <= 2 && n - column >= 12 {
                    self.tile::<P, V, 12>(column, thirds);
                    column += 12;
                }
                while V == 3 && n - column >= 8 {
                    self.tile::<P, V, 8>(column, thirds);
                    column += 8;
                }
            } else {
                while V == 1 && n - column >= 9 {
                    self.tile::<P, V, 9>(column, thirds);
                    column += 9;
                }
            }
            while n - column >= 6 {
                self.tile::<P, V, 6>(column, thirds);
                column += 6;
            }
            if n - column >= 4 {
                self.tile::<P, V, 4>(column, thirds);
                column += 4;
            }
            if n - column >= 2 {
                self.tile::<P, V, 2>(column, thirds);
                column += 2;
            }
            if n > column {
                self.tile::<P, V, 1>(column, thirds);
            }
        }
    }

    /// Computes `N` columns of the result.
    ///
    /// # Safety
    /// The same as for `columns`, with `column + N <= n`. `thirds` are the offsets of every third
    /// column.
    #[inline(always)]
    unsafe fn tile<P: Pack<T>, const V: usize, const N: usize>(
        &self,
        column: usize,
        thirds: &[usize; MOST_COLUMNS / 3],
    ) {
        let lanes = P::LANES;
        // SAFETY: the caller guarantees all three matrices.
        unsafe {
            let mut sums = [[P::splat(T::ZERO); N]; V];
            let mut a = self.a;
            // One pointer per three columns: an addressing mode reaches the two columns after it.
            let mut b = [self.b.add(column * self.b_column); MOST_COLUMNS / 3];
            for j in 0..N.div_ceil(3) {
                b[j] = b[j].add(thirds[j]);
            }
            for _ in 0..self.depth {
                let mut rows = [P::splat(T::ZERO); V];
                for v in 0..V {
                    rows[v] = P::load(a[v]);
                    a[v] = a[v].wrapping_add(self.a_step);
                }
                unrolled!(j < N {
                    let factor = P::splat(*b[j / 3].add(j % 3 * self.b_column));
                    for v in 0..V {
                        sums[v][j] = rows[v].mul_add(factor, sums[v][j]);
                    }
                });
                for j in 0..N.div_ceil(3) {
                    b[j] = b[j].wrapping_add(self.b_row);
                }
            }
            if self.rows < lanes {
                // The sums go through memory. Loops over a part of a vector would keep them out of
                // the registers.
                let mut spilled = [[[const { MaybeUninit::<T>::uninit() }; MOST_LANES]; N]; V];
                unrolled!(j < N {
                    for v in 0..V {
                        sums[v][j].store(spilled[v][j].as_mut_ptr().cast());
                    }
                });
                for (v, columns) in spilled.iter().enumerate() {
                    for (j, entries) in columns.iter().enumerate() {
                        let to = self.c[v].add((column + j) * self.c_column);
                        for (r, entry) in entries.iter().enumerate().take(self.rows) {
                            let entry = entry.assume_init();
                            *to.add(r) = if self.accumulate { *to.add(r) + entry } else { entry };
                        }
                    }
                }
                return;
            }
            // All loads come before all stores, because a vector may overlap the one before it.
            if self.accumulate {
                unrolled!(j < N {
                    for v in 0..V {
                        let old = P::load(self.c[v].add((column + j) * self.c_column));
                        sums[v][j] = sums[v][j].add(old);
                    }
                });
            }
            if self.skip > 0 {
                unrolled!(j < N {
                    let old = P::load(self.c[0].add((column + j) * self.c_column));
                    sums[0][j] = sums[0][j].keep_first(old, self.skip);
                });
            }
            unrolled!(j < N {
                for v in 0..V {
                    sums[v][j].store(self.c[v].add((column + j) * self.c_column));
                }
            });
        }
    }
}
