//! Products of a large matrix with one vector, where the columns do not start at multiples of a
//! vector.
//!
//! Nearly every load would cross a cache line and take twice as long. Instead, columns with the
//! same alignment are processed together. Loads start at multiples of a vector in memory, and the
//! lanes of neighbouring columns are masked.

use super::pack::Pack;
use crate::Scalar;

/// The largest number of vectors of a column in one pass.
const MOST: usize = 8;

/// The smallest number of columns per alignment for which this algorithm is faster, given the cost
/// of switching between alignments.
const ALIKE: usize = 8;

/// The alignment of the columns of an `m x k` matrix.
pub(super) struct Layout {
    /// The distance between columns with the same alignment.
    period: usize,
}

impl Layout {
    /// Returns the layout of a matrix, or `None` if the columns are better processed in order.
    #[inline(always)]
    pub(super) fn of<P: Pack<T>, T: Scalar>(m: usize, k: usize, a: *const T) -> Option<Layout> {
        let is_aligned = (a as usize).is_multiple_of(P::LANES * size_of::<T>());
        let period = P::LANES >> m.trailing_zeros().min(P::LANES.trailing_zeros());
        // Excluded in the deterministic mode, because the order of the additions would depend on
        // the address of the matrix.
        let is_free = !cfg!(feature = "deterministic");
        let pays =
            is_free && P::MASKED && m >= 4 * P::LANES && k >= ALIKE * period && !(is_aligned && period == 1);
        if pays { Some(Layout { period }) } else { None }
    }
}

/// A column as the aligned vectors of memory that it overlaps.
struct Span<T> {
    /// The start of the first vector.
    start: *const T,
    /// The number of lanes before the column.
    before: usize,
    /// The number of vectors, the last of which may contain lanes after the column.
    vectors: usize,
    /// The number of lanes of the last vector up to the end of the column.
    end: usize,
}

impl<T> Span<T> {
    #[inline(always)]
    fn of(column: *const T, m: usize, lanes: usize) -> Self {
        let before = column as usize / size_of::<T>() % lanes;
        let vectors = (before + m).div_ceil(lanes);
        Span { start: column.wrapping_sub(before), before, vectors, end: before + m - (vectors - 1) * lanes }
    }
}

/// Computes `y (m) += A (m x k) x (k)`.
///
/// # Safety
/// `a` is `m x k`, `x` has length `k`, and `y` has length `m` and overlaps nothing else. The
/// processor has the instruction set of `P`.
#[inline(always)]
pub(super) unsafe fn column<P: Pack<T>, T: Scalar>(
    layout: Layout,
    (m, k): (usize, usize),
    a: *const T,
    x: *const T,
    y: *mut T,
) {
    for first in 0..layout.period {
        // SAFETY: `first` is a column.
        let span = unsafe { Span::of(a.add(first * m), m, P::LANES) };
        // The passes have nearly equal heights.
        let passes = span.vectors.div_ceil(MOST);
        let mut vector = 0;
        for pass in 0..passes {
            let height = (span.vectors - vector).div_ceil((passes - pass).max(1));
            let columns = Columns { m, k, first, period: layout.period, span: &span, vector };
            // SAFETY: guaranteed by the caller; the vectors are in the span.
            unsafe {
                match height {
                    1 => columns.add::<P, 1>(x, y),
                    2 => columns.add::<P, 2>(x, y),
                    3 => columns.add::<P, 3>(x, y),
                    4 => columns.add::<P, 4>(x, y),
                    5 => columns.add::<P, 5>(x, y),
                    6 => columns.add::<P, 6>(x, y),
                    7 => columns.add::<P, 7>(x, y),
                    _ => columns.add::<P, 8>(x, y),
                }
            }
            vector += height;
        }
    }
}

/// Some vectors of all columns with one alignment.
struct Columns<'s, T> {
    m: usize,
    k: usize,
    first: usize,
    period: usize,
    span: &'s Span<T>,
    vector: usize,
}

impl<T: Scalar> Columns<'_, T> {
    /// Adds `V` vectors of the columns to `y`.
    ///
    /// # Safety
    /// The same as for `column`. The span has `V` vectors from `vector` on.
    #[inline(always)]
    unsafe fn add<P: Pack<T>, const V: usize>(&self, x: *const T, y: *mut T) {
        let Span { start, before, vectors, end } = *self.span;
        // The lanes of the first and the last vector of this pass that belong to the column.
        let skip = if self.vector == 0 { before } else { 0 };
        let keep = if self.vector + V == vectors { end } else { P::LANES };
        // SAFETY: masked lanes are neither read nor written. All other lanes are in the column and
        // in `y`.
        unsafe {
            let mut sums = [P::splat(T::ZERO); V];
            let mut odd = [P::splat(T::ZERO); V];
            let step = self.period * self.m;
            let mut from = start.wrapping_add(self.vector * P::LANES);
            let mut j = self.first;
            while j + self.period < self.k && V <= 4 {
                let (factor, odd_factor) = (P::splat(*x.add(j)), P::splat(*x.add(j + self.period)));
                for v in 0..V {
                    sums[v] = some::<P, T, V>(from, v, (skip, keep)).mul_add(factor, sums[v]);
                    odd[v] =
                        some::<P, T, V>(from.wrapping_add(step), v, (skip, keep)).mul_add(odd_factor, odd[v]);
                }
                from = from.wrapping_add(2 * step);
                j += 2 * self.period;
            }
            while j < self.k {
                let factor = P::splat(*x.add(j));
                for v in 0..V {
                    sums[v] = some::<P, T, V>(from, v, (skip, keep)).mul_add(factor, sums[v]);
                }
                from = from.wrapping_add(step);
                j += self.period;
            }
            let y = y.wrapping_add(self.vector * P::LANES).wrapping_sub(before);
            for v in 0..V {
                sums[v] = sums[v].add(odd[v]).add(some::<P, T, V>(y.cast_const(), v, (skip, keep)));
            }
            for v in 0..V {
                let to = y.wrapping_add(v * P::LANES);
                sums[v].store_between(
                    to,
                    if v == 0 { skip } else { 0 },
                    if v == V - 1 { keep } else { P::LANES },
                );
            }
        }
    }
}

/// Loads vector `v` of `V`. The first vector starts with lane `skip`, and the last one ends with
/// lane `keep`.
///
/// # Safety
/// The lanes can be read. The processor has the instruction set of `P`.
#[inline(always)]
unsafe fn some<P: Pack<T>, T: Scalar, const V: usize>(
    from: *const T,
    v: usize,
    (skip, keep): (usize, usize),
) -> P {
    let from = from.wrapping_add(v * P::LANES);
    let (first, end) = (if v == 0 { skip } else { 0 }, if v == V - 1 { keep } else { P::LANES });
    // SAFETY: guaranteed by the caller.
    unsafe { if v == 0 || v == V - 1 { P::load_between(from, first, end) } else { P::load(from) } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::isa::Isa;
    use crate::kernels::pack::MOST_LANES;
    use crate::kernels::testing::{Random, assert_near, both, product};

    #[inline(always)]
    fn check<S: Isa, T: Scalar>(_isa: S, m: usize, k: usize, misplaced: usize) {
        let mut random = Random::new((m * 10_000 + k * 100 + misplaced) as u64);
        let memory: Vec<T> = random.scalars(m * k + 2 * MOST_LANES);
        let ahead = memory.as_ptr().align_offset(64) + misplaced;
        let a = &memory[ahead..ahead + m * k];
        let (x, old): (Vec<T>, Vec<T>) = (random.scalars(k), random.scalars(m));
        let Some(layout) = Layout::of::<S::Pack<T>, T>(m, k, a.as_ptr()) else { return };
        let mut y = old.clone();
        // SAFETY: the slices have the sizes of the matrices; the token proves the instruction set.
        unsafe { column::<S::Pack<T>, T>(layout, (m, k), a.as_ptr(), x.as_ptr(), y.as_mut_ptr()) };
        assert_near(&y, &product(m, k, 1, a, &x, &old), k);
    }

    #[test]
    fn columns_of_any_alignment() {
        both!(isa => {
            for (m, k) in [(64, 8), (65, 130), (66, 64), (100, 33), (128, 9), (300, 40)] {
                for misplaced in [0, 1, 2, 5, 7, 8, 15] {
                    check::<_, f32>(isa, m, k, misplaced);
                    check::<_, f64>(isa, m, k, misplaced);
                }
            }
        });
    }

    #[test]
    fn most_matrices_are_recognised_as_misaligned() {
        both!(isa => { asked(isa); });
    }

    #[inline(always)]
    fn asked<S: Isa>(_isa: S) {
        let of = |m: usize, at: usize| Layout::of::<S::Pack<f32>, f32>(m, 200, at as *const f32).is_some();
        let masked = <S::Pack<f32> as Pack<f32>>::MASKED && !cfg!(feature = "deterministic");
        assert_eq!(of(100, 64), masked);
        assert_eq!(of(128, 68), masked);
        assert!(!of(128, 64));
        assert!(!of(8, 68));
    }
}
