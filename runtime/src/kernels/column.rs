//! Sums of products of matrices with one vector each, as sums of columns.
//!
//! All rows of all gates that fit stay in registers while the columns pass. The bodies take their sizes as
//! numbers: constants where generated code inlines them, arguments in the compiled twins.

use super::pack::Pack;
use crate::Scalar;

/// The most chains of additions that the columns are dealt out to.
const CHAINS: usize = 4;

/// `y_g (m) = or += sum_p A_pg (m x k_p) x_p (k_p)`, at most `MOST >= 3` vectors of rows at once.
///
/// # Safety
/// `a[p]` are `m x k[p]`, `x[p]` is `k[p]`, `y` are `m` and apart from the others; the processor has `L`.
#[inline(always)]
pub(super) unsafe fn column<L: Pack<T>, T: Scalar, const G: usize, const P: usize, const MOST: usize>(
    m: usize,
    k: [usize; P],
    a: [[*const T; G]; P],
    x: [*const T; P],
    y: [*mut T; G],
    accumulate: bool,
) {
    let lanes = L::LANES;
    // SAFETY: every range of rows lies within `m`.
    unsafe {
        if m < lanes && L::Half::LANES < lanes {
            return column::<L::Half, T, G, P, MOST>(m, k, a, x, y, accumulate);
        }
        if m < lanes {
            return narrow::<L, T, G, P>(m, k, a, x, y, accumulate);
        }
        // Passes of nearly equal height. Each has two vectors at least (when there are two), so the last vector, which
        // may overlap the one before it, shares a pass with it and both read their old contents in time.
        let vectors = m.div_ceil(lanes);
        // Never zero, which the compiler can't see where `m` is an argument: a step can't panic.
        let passes = vectors.div_ceil(MOST).max(1);
        let (height, higher) = (vectors / passes, vectors % passes);
        let mut first = 0;
        for pass in 0..passes {
            let height = height + usize::from(pass < higher);
            match height {
                1 => rows::<L, T, G, P, 1>(m, k, a, x, y, first, accumulate),
                2 => rows::<L, T, G, P, 2>(m, k, a, x, y, first, accumulate),
                3 => rows::<L, T, G, P, 3>(m, k, a, x, y, first, accumulate),
                4 if MOST >= 4 => rows::<L, T, G, P, 4>(m, k, a, x, y, first, accumulate),
                5 if MOST >= 5 => rows::<L, T, G, P, 5>(m, k, a, x, y, first, accumulate),
                6 if MOST >= 6 => rows::<L, T, G, P, 6>(m, k, a, x, y, first, accumulate),
                7 if MOST >= 7 => rows::<L, T, G, P, 7>(m, k, a, x, y, first, accumulate),
                _ if MOST >= 8 => rows::<L, T, G, P, 8>(m, k, a, x, y, first, accumulate),
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
unsafe fn rows<L: Pack<T>, T: Scalar, const G: usize, const P: usize, const V: usize>(
    m: usize,
    k: [usize; P],
    a: [[*const T; G]; P],
    x: [*const T; P],
    y: [*mut T; G],
    first: usize,
    accumulate: bool,
) {
    let lanes = L::LANES;
    // SAFETY: `at` is at most `m - LANES`.
    unsafe {
        let mut at = [0; V];
        for v in 0..V {
            at[v] = ((first + v) * lanes).min(m - lanes);
        }
        // Too few sums don't cover the latency of an addition: then the columns go in several chains.
        let chains = (8 / (G * V)).clamp(1, CHAINS);
        let mut sums = [[[L::splat(T::ZERO); V]; G]; CHAINS];
        if accumulate {
            for g in 0..G {
                for v in 0..V {
                    sums[0][g][v] = L::load(y[g].add(at[v]));
                }
            }
        }
        for p in 0..P {
            let (x, a, k) = (x[p], a[p], k[p]);
            let mut j = 0;
            while chains > 1 && j + chains <= k {
                for c in 0..chains {
                    let factor = L::splat(*x.add(j + c));
                    for g in 0..G {
                        for v in 0..V {
                            let column = L::load(a[g].add((j + c) * m + at[v]));
                            sums[c][g][v] = column.mul_add(factor, sums[c][g][v]);
                        }
                    }
                }
                j += chains;
            }
            while j < k {
                let factor = L::splat(*x.add(j));
                for g in 0..G {
                    for v in 0..V {
                        let column = L::load(a[g].add(j * m + at[v]));
                        sums[0][g][v] = column.mul_add(factor, sums[0][g][v]);
                    }
                }
                j += 1;
            }
        }
        // Each pair by name: a loop over pairs that the compiler doesn't unroll keeps the sums in
        // memory, behind bounds checks that can panic.
        let [first, second, third, fourth] = &mut sums;
        if chains > 2 {
            add_chain::<L, T, G, V>(first, third);
            add_chain::<L, T, G, V>(second, fourth);
        }
        if chains > 1 {
            add_chain::<L, T, G, V>(first, second);
        }
        for g in 0..G {
            for v in 0..V {
                sums[0][g][v].store(y[g].add(at[v]));
            }
        }
    }
}

/// `to += from`
///
/// # Safety
/// The processor has `L`.
#[inline(always)]
unsafe fn add_chain<L: Pack<T>, T: Scalar, const G: usize, const V: usize>(
    to: &mut [[L; V]; G],
    from: &[[L; V]; G],
) {
    for g in 0..G {
        for v in 0..V {
            // SAFETY: passed on from the caller.
            to[g][v] = unsafe { to[g][v].add(from[g][v]) };
        }
    }
}

/// Fewer rows than a vector has lanes.
///
/// # Safety
/// As for `column`, with `m < LANES`.
#[inline(always)]
unsafe fn narrow<L: Pack<T>, T: Scalar, const G: usize, const P: usize>(
    m: usize,
    k: [usize; P],
    a: [[*const T; G]; P],
    x: [*const T; P],
    y: [*mut T; G],
    accumulate: bool,
) {
    // SAFETY: masked loads read `m` scalars of each column.
    unsafe {
        let mut sums = [L::splat(T::ZERO); G];
        if accumulate {
            for g in 0..G {
                sums[g] = L::load_first(y[g], m);
            }
        }
        for p in 0..P {
            for j in 0..k[p] {
                let factor = L::splat(*x[p].add(j));
                for g in 0..G {
                    sums[g] = L::load_first(a[p][g].add(j * m), m).mul_add(factor, sums[g]);
                }
            }
        }
        for g in 0..G {
            sums[g].store_first(y[g], m);
        }
    }
}
