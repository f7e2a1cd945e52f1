//! Products with one vector of a large matrix whose columns don't start at multiples of a vector.
//!
//! Nearly every load would then lie across two cache lines and take twice as long. Instead, columns that lie alike go
//! together: loads start where the memory's vectors do, and what belongs to a neighbouring column is masked.

use super::pack::Pack;
use crate::Scalar;

/// Vectors that a column touches at most in one pass.
const MOST: usize = 8;

/// Columns of each alignment there must be, for what it costs to change from one to the next.
const ALIKE: usize = 8;

/// How the columns of an `m x k` matrix lie.
pub(super) struct Layout {
    /// Every how many columns one lies alike.
    period: usize,
}

impl Layout {
    /// `None` if columns are best taken as they come.
    #[inline(always)]
    pub(super) fn of<P: Pack<T>, T: Scalar>(m: usize, k: usize, a: *const T) -> Option<Layout> {
        let is_aligned = (a as usize).is_multiple_of(P::LANES * size_of::<T>());
        let period = P::LANES >> m.trailing_zeros().min(P::LANES.trailing_zeros());
        // The order of the additions would follow from where the matrix lies in memory.
        let is_free = !cfg!(feature = "deterministic");
        let pays =
            is_free && P::MASKED && m >= 4 * P::LANES && k >= ALIKE * period && !(is_aligned && period == 1);
        if pays { Some(Layout { period }) } else { None }
    }
}

/// A column as the vectors of memory that it touches.
struct Span<T> {
    /// The first vector.
    start: *const T,
    /// Lanes before the column.
    before: usize,
    /// Vectors, the last of which may hold lanes after the column.
    vectors: usize,
    /// Lanes of the last vector up to the column's end.
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

/// `y (m) += A (m x k) x (k)`.
///
/// # Safety
/// `a` is `m x k`, `x` is `k`, `y` is `m` and apart from the others; the processor has `P`.
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
        // Passes of nearly equal height.
        let passes = span.vectors.div_ceil(MOST);
        let mut vector = 0;
        for pass in 0..passes {
            let height = (span.vectors - vector).div_ceil((passes - pass).max(1));
            let columns = Columns { m, k, first, period: layout.period, span: &span, vector };
            // SAFETY: passed on from the caller; the vectors are some of the span's.
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

/// Some vectors of all columns that lie alike.
struct Columns<'s, T> {
    m: usize,
    k: usize,
    first: usize,
    period: usize,
    span: &'s Span<T>,
    vector: usize,
}

impl<T: Scalar> Columns<'_, T> {
    /// # Safety
    /// As for `column`; the span has `V` vectors from `vector` on.
    #[inline(always)]
    unsafe fn add<P: Pack<T>, const V: usize>(&self, x: *const T, y: *mut T) {
        let Span { start, before, vectors, end } = *self.span;
        // Lanes of the first and the last vector of this pass that belong to the column.
        let skip = if self.vector == 0 { before } else { 0 };
        let keep = if self.vector + V == vectors { end } else { P::LANES };
        // SAFETY: masked lanes are neither read nor written, all others lie within the column and within `y`.
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

/// Vector `v` of `V`, of which the first starts with lane `skip` and the last ends with lane `keep`.
///
/// # Safety
/// The lanes can be read; the processor has `P`.
#[inline(always)]
unsafe fn some<P: Pack<T>, T: Scalar, const V: usize>(
    from: *const T,
    v: usize,
    (skip, keep): (usize, usize),
) -> P {
    let from = from.wrapping_add(v * P::LANES);
    let (first, end) = (if v == 0 { skip } else { 0 }, if v == V - 1 { keep } else { P::LANES });
    // SAFETY: passed on from the caller.
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
        let room: Vec<T> = random.scalars(m * k + 2 * MOST_LANES);
        let ahead = room.as_ptr().align_offset(64) + misplaced;
        let a = &room[ahead..ahead + m * k];
        let (x, old): (Vec<T>, Vec<T>) = (random.scalars(k), random.scalars(m));
        let Some(layout) = Layout::of::<S::Pack<T>, T>(m, k, a.as_ptr()) else { return };
        let mut y = old.clone();
        // SAFETY: the slices have the matrices' sizes; the token proves the set.
        unsafe { column::<S::Pack<T>, T>(layout, (m, k), a.as_ptr(), x.as_ptr(), y.as_mut_ptr()) };
        assert_near(&y, &product(m, k, 1, a, &x, &old), k);
    }

    #[test]
    fn columns_anywhere_in_memory() {
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
    fn most_columns_are_found_to_be_misplaced() {
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
