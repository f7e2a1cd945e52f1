//! The product of matrices with one vector, as a sum of columns.
//!
//! All rows of all gates that fit stay in registers while the columns pass. The bodies take their sizes as
//! numbers: constants where generated code inlines them, arguments in the compiled twins.

use super::pack::Pack;
use crate::Scalar;

/// `y_g (m) = or += A_g (m x k) x (k)`, at most `MOST >= 3` vectors of rows at once.
///
/// # Safety
/// `a` are `m x k`, `x` is `k`, `y` are `m` and apart from the others; the processor has `P`.
#[inline(always)]
pub(super) unsafe fn column<P: Pack<T>, T: Scalar, const G: usize, const MOST: usize>(
    m: usize,
    k: usize,
    a: [*const T; G],
    x: *const T,
    y: [*mut T; G],
    accumulate: bool,
) {
    let lanes = P::LANES;
    // SAFETY: every range of rows lies within `m`.
    unsafe {
        if m < lanes && P::Half::LANES < lanes {
            return column::<P::Half, T, G, MOST>(m, k, a, x, y, accumulate);
        }
        if m < lanes {
            return narrow::<P, T, G>(m, k, a, x, y, accumulate);
        }
        // Passes of nearly equal height. Each has two vectors at least (when there are two), so the last vector, which
        // may overlap the one before it, shares a pass with it and both read their old contents in time.
        let vectors = m.div_ceil(lanes);
        let passes = vectors.div_ceil(MOST);
        let (height, higher) = (vectors / passes, vectors % passes);
        let mut first = 0;
        for pass in 0..passes {
            let height = height + usize::from(pass < higher);
            match height {
                1 => rows::<P, T, G, 1>(m, k, a, x, y, first, accumulate),
                2 => rows::<P, T, G, 2>(m, k, a, x, y, first, accumulate),
                3 => rows::<P, T, G, 3>(m, k, a, x, y, first, accumulate),
                4 if MOST >= 4 => rows::<P, T, G, 4>(m, k, a, x, y, first, accumulate),
                5 if MOST >= 5 => rows::<P, T, G, 5>(m, k, a, x, y, first, accumulate),
                6 if MOST >= 6 => rows::<P, T, G, 6>(m, k, a, x, y, first, accumulate),
                7 if MOST >= 7 => rows::<P, T, G, 7>(m, k, a, x, y, first, accumulate),
                _ if MOST >= 8 => rows::<P, T, G, 8>(m, k, a, x, y, first, accumulate),
                _ => {}
            }
            first += height;
        }
    }
}

/// `V` vectors of rows, from vector `first` on; the last vector of all is moved up to end at row `m`.
///
/// # Safety
/// As for `column`, with `m >= LANES` and the vectors within `m`.
#[inline(always)]
unsafe fn rows<P: Pack<T>, T: Scalar, const G: usize, const V: usize>(
    m: usize,
    k: usize,
    a: [*const T; G],
    x: *const T,
    y: [*mut T; G],
    first: usize,
    accumulate: bool,
) {
    let lanes = P::LANES;
    // SAFETY: `at` is at most `m - LANES`.
    unsafe {
        let mut at = [0; V];
        for v in 0..V {
            at[v] = ((first + v) * lanes).min(m - lanes);
        }
        let mut sums = [[P::splat(T::ZERO); V]; G];
        if accumulate {
            for g in 0..G {
                for v in 0..V {
                    sums[g][v] = P::load(y[g].add(at[v]));
                }
            }
        }
        let mut j = 0;
        if G * V <= 4 {
            // Too few sums to cover the latency of an addition: the columns in two chains.
            let mut odd = [[P::splat(T::ZERO); V]; G];
            while j + 2 <= k {
                let (factor, odd_factor) = (P::splat(*x.add(j)), P::splat(*x.add(j + 1)));
                for g in 0..G {
                    for v in 0..V {
                        let column = a[g].add(j * m + at[v]);
                        sums[g][v] = P::load(column).mul_add(factor, sums[g][v]);
                        odd[g][v] = P::load(column.add(m)).mul_add(odd_factor, odd[g][v]);
                    }
                }
                j += 2;
            }
            for g in 0..G {
                for v in 0..V {
                    sums[g][v] = sums[g][v].add(odd[g][v]);
                }
            }
        }
        while j < k {
            let factor = P::splat(*x.add(j));
            for g in 0..G {
                for v in 0..V {
                    let column = P::load(a[g].add(j * m + at[v]));
                    sums[g][v] = column.mul_add(factor, sums[g][v]);
                }
            }
            j += 1;
        }
        for g in 0..G {
            for v in 0..V {
                sums[g][v].store(y[g].add(at[v]));
            }
        }
    }
}

/// Fewer rows than a vector has lanes.
///
/// # Safety
/// As for `column`, with `m < LANES`.
#[inline(always)]
unsafe fn narrow<P: Pack<T>, T: Scalar, const G: usize>(
    m: usize,
    k: usize,
    a: [*const T; G],
    x: *const T,
    y: [*mut T; G],
    accumulate: bool,
) {
    // SAFETY: masked loads read `m` scalars of each column.
    unsafe {
        let mut sums = [P::splat(T::ZERO); G];
        if accumulate {
            for g in 0..G {
                sums[g] = P::load_first(y[g], m);
            }
        }
        for k in 0..k {
            let factor = P::splat(*x.add(k));
            for g in 0..G {
                sums[g] = P::load_first(a[g].add(k * m), m).mul_add(factor, sums[g]);
            }
        }
        for g in 0..G {
            sums[g].store_first(y[g], m);
        }
    }
}
