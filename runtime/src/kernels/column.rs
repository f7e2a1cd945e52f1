//! Sums of products of matrices with one vector each, as sums of columns.
//!
//! The rows of as many gates as fit stay in registers during a pass over the columns. The sizes are
//! parameters, which are constants where generated code inlines the body and variables in the
//! compiled twins.

use super::pack::Pack;
use crate::Scalar;

/// The largest number of independent chains of additions that the columns are distributed to.
const CHAINS: usize = 4;

/// Computes `y_g (m) = sum_p A_pg (m x k_p) x_p (k_p)`, or adds the sums to `y_g` with
/// `accumulate`, with `3 <= MOST <= 24` vectors of rows at once, or fewer if the registers hold
/// fewer.
///
/// # Safety
/// `a[p]` are `m x k[p]`, `x[p]` has length `k[p]`, and `y` have length `m` and overlap nothing
/// else. The processor has the instruction set of `L`.
// A guard of `match` would instantiate all heights.
#[allow(clippy::collapsible_match)]
#[inline(always)]
pub(super) unsafe fn column<L: Pack<T>, T: Scalar, const G: usize, const P: usize, const MOST: usize>(
    m: usize,
    k: [usize; P],
    a: [[*const T; G]; P],
    x: [*const T; P],
    y: [*mut T; G],
    accumulate: bool,
) {
    if let Some(column) = T::COLUMN {
        for g in 0..G {
            for p in 0..P {
                // SAFETY: guaranteed by the caller.
                unsafe { column(m, k[p], a[p][g], x[p], y[g], accumulate || p > 0) };
            }
        }
        return;
    }
    let lanes = L::LANES;
    // SAFETY: every range of rows lies within `m`.
    unsafe {
        if m < lanes && L::Half::LANES < lanes {
            return column::<L::Half, T, G, P, MOST>(m, k, a, x, y, accumulate);
        }
        if m < lanes {
            return narrow::<L, T, G, P>(m, k, a, x, y, accumulate);
        }
        // The passes have nearly equal heights. If there are at least two vectors, every pass has
        // at least two. The last vector, which may overlap the one before it, is then in the same
        // pass, so both read the old contents before either is written.
        let most = const { tallest::<L, T>(MOST) };
        let vectors = m.div_ceil(lanes);
        // The number of passes is never zero. With a variable `m` the compiler cannot see this, and
        // a step must not contain a panic.
        let passes = vectors.div_ceil(most).max(1);
        let (height, higher) = (vectors / passes, vectors % passes);
        let mut first = 0;
        for pass in 0..passes {
            let height = height + usize::from(pass < higher);
            macro_rules! of_height {
                ($($height:literal)*) => {
                    match height {
                        // Other heights are not instantiated.
                        $($height => if const { $height <= tallest::<L, T>(MOST) } {
                            rows::<L, T, G, P, $height>(m, k, a, x, y, first, accumulate);
                        })*
                        _ => {}
                    }
                };
            }
            of_height!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24);
            first += height;
        }
    }
}

/// Returns the largest number of vectors in a pass: `most`, or fewer if the registers hold fewer.
const fn tallest<L: Pack<T>, T: Scalar>(most: usize) -> usize {
    if most < L::SUMS + 1 { most } else { L::SUMS + 1 }
}

/// Computes `V` vectors of rows, starting with vector `first`. The last vector of the matrix is
/// moved back to end at row `m`.
///
/// # Safety
/// The same as for `column`. Also, `m >= LANES`, and the vectors are within `m`.
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
        // Only the last vector of the matrix is moved back, and it is the last one of a pass. The
        // others have constant distances from the first one.
        let mut at = [0; V];
        for v in 0..V {
            at[v] = (first + v) * lanes;
        }
        at[V - 1] = at[V - 1].min(m - lanes);
        // Few sums cannot hide the latency of an addition, so the columns are then added in several
        // chains.
        let enough = if L::SUMS > 24 { 16 } else { 8 };
        let chains = (enough / (G * V)).clamp(1, CHAINS);
        let at_once = if L::COLUMNS > chains { L::COLUMNS } else { chains };
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
            while at_once > 1 && j + at_once <= k {
                for c in 0..at_once {
                    let factor = L::splat(*x.add(j + c));
                    for g in 0..G {
                        for v in 0..V {
                            let column = L::load(a[g].add((j + c) * m + at[v]));
                            let sum = &mut sums[c % chains][g][v];
                            *sum = column.mul_add(factor, *sum);
                        }
                    }
                }
                j += at_once;
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
        // The pairs are written out. If the compiler does not unroll a loop over them, the sums
        // stay in memory, behind bounds checks that can panic.
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

/// Computes `to += from`.
///
/// # Safety
/// The processor has the instruction set of `L`.
#[inline(always)]
unsafe fn add_chain<L: Pack<T>, T: Scalar, const G: usize, const V: usize>(
    to: &mut [[L; V]; G],
    from: &[[L; V]; G],
) {
    for g in 0..G {
        for v in 0..V {
            // SAFETY: guaranteed by the caller.
            to[g][v] = unsafe { to[g][v].add(from[g][v]) };
        }
    }
}

/// Handles matrices with fewer rows than a vector has lanes.
///
/// # Safety
/// The same as for `column`, with `m < LANES`.
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
