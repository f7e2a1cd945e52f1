//! The fused element-wise chain: one closure over the rows of any number of vectors.
//!
//! Rows go through in blocks whose results are local arrays: the vectoriser then needs no proof that the slices are
//! disjoint. The last block is moved up to end at the last row and writes only what is new, since a scalar tail would
//! cost more than the vector blocks before it.

use super::isa::Isa;
use crate::Scalar;

const LANES: usize = 8;

/// Rows in a block where there are enough: a loop of this length is vectorised as a loop, while one of eight is
/// unrolled first, and what becomes of it then depends on the closure.
const WIDE: usize = 16;

/// `outs[.., row] = f(ins[.., row], outs[.., row])` for each of the `N` rows.
///
/// The closure gets the old contents of the outputs, so accumulators and updates in place need no aliasing.
#[inline(always)]
pub fn map<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize>(
    isa: S,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    rows(isa, N, ins, outs, f);
}

/// [`map`] over slices of any common length.
#[inline(always)]
pub fn map_flat<S: Isa, T: Scalar, const IN: usize, const OUT: usize>(
    isa: S,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    let n = if OUT > 0 { outs[0].len() } else { 0 };
    rows(isa, n, ins, outs, f);
}

#[inline(always)]
fn rows<S: Isa, T: Scalar, const IN: usize, const OUT: usize>(
    _isa: S,
    n: usize,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    // The one check of the lengths: below, every row is within `n`.
    let mut from = [core::ptr::null(); IN];
    for i in 0..IN {
        from[i] = ins[i][..n].as_ptr();
    }
    let mut to = [core::ptr::null_mut(); OUT];
    for o in 0..OUT {
        to[o] = outs[o][..n].as_mut_ptr();
    }
    // SAFETY: the rows are within `n`, and the slices are apart.
    unsafe {
        if n == 1 {
            return one(from, to, f);
        }
        if n < LANES {
            return few(n, from, to, &f);
        }
        // The last rows first: they share some with the block before, whose stores they would have to wait for.
        let rest = n % LANES;
        if rest > 0 {
            block(n - LANES, LANES - rest, from, to, &f);
        }
        let mut start = 0;
        while start + WIDE <= n {
            wide_block(start, from, to, &f);
            start += WIDE;
        }
        if start + LANES <= n {
            block(start, 0, from, to, &f);
        }
    }
}

/// A single row.
///
/// # Safety
/// Every pointer is good for one scalar.
#[inline(always)]
unsafe fn one<T: Scalar, const IN: usize, const OUT: usize>(
    from: [*const T; IN],
    to: [*mut T; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    let mut a = [T::ZERO; IN];
    let mut b = [T::ZERO; OUT];
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        for i in 0..IN {
            a[i] = *from[i];
        }
        for o in 0..OUT {
            b[o] = *to[o];
        }
        let b = f(a, b);
        for o in 0..OUT {
            *to[o] = b[o];
        }
    }
}

/// Sixteen rows from `start` on. Only the results need a local array: what is read can't change before the end.
///
/// # Safety
/// Every pointer is good for `start + WIDE` scalars; the outputs are apart from each other and from the inputs.
#[inline(always)]
unsafe fn wide_block<T: Scalar, const IN: usize, const OUT: usize>(
    start: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    f: &impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    let mut results = [[T::ZERO; WIDE]; OUT];
    for l in 0..WIDE {
        let mut a = [T::ZERO; IN];
        let mut b = [T::ZERO; OUT];
        for i in 0..IN {
            // SAFETY: the caller vouches for the row.
            a[i] = unsafe { *from[i].add(start + l) };
        }
        for o in 0..OUT {
            // SAFETY: as above.
            b[o] = unsafe { *to[o].add(start + l) };
        }
        let row = f(a, b);
        for o in 0..OUT {
            results[o][l] = row[o];
        }
    }
    for o in 0..OUT {
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(results[o].as_ptr(), to[o].add(start), WIDE) };
    }
}

/// Eight rows from `start` on; the first `skip` of them are not written.
///
/// # Safety
/// Every pointer is good for `start + LANES` scalars, and `skip` is at most `LANES`.
#[inline(always)]
unsafe fn block<T: Scalar, const IN: usize, const OUT: usize>(
    start: usize,
    skip: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    f: &impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    // SAFETY: the caller vouches for the rows.
    unsafe {
        let rows = lanes(start, LANES, from, to, f);
        for o in 0..OUT {
            core::ptr::copy_nonoverlapping(rows[o].as_ptr().add(skip), to[o].add(start + skip), LANES - skip);
        }
    }
}

/// Fewer rows than lanes.
///
/// # Safety
/// Every pointer is good for `n <= LANES` scalars.
#[inline(always)]
unsafe fn few<T: Scalar, const IN: usize, const OUT: usize>(
    n: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    f: &impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    // SAFETY: the caller vouches for the rows.
    unsafe {
        let rows = lanes(0, n, from, to, f);
        for o in 0..OUT {
            core::ptr::copy_nonoverlapping(rows[o].as_ptr(), to[o], n);
        }
    }
}

/// The results of `count` rows from `start` on, padded to eight. Copies by pointer, since `copy_from_slice` stays
/// a call without link-time optimisation.
///
/// # Safety
/// Every pointer is good for `start + count` scalars, and `count` is at most `LANES`.
#[inline(always)]
unsafe fn lanes<T: Scalar, const IN: usize, const OUT: usize>(
    start: usize,
    count: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    f: &impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) -> [[T; LANES]; OUT] {
    let mut a = [[T::ZERO; LANES]; IN];
    let mut b = [[T::ZERO; LANES]; OUT];
    for i in 0..IN {
        // SAFETY: the caller vouches for the rows; the local array has eight.
        unsafe { core::ptr::copy_nonoverlapping(from[i].add(start), a[i].as_mut_ptr(), count) };
    }
    for o in 0..OUT {
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(to[o].cast_const().add(start), b[o].as_mut_ptr(), count) };
    }
    for l in 0..LANES {
        let mut row_a = [T::ZERO; IN];
        let mut row_b = [T::ZERO; OUT];
        for i in 0..IN {
            row_a[i] = a[i][l];
        }
        for o in 0..OUT {
            row_b[o] = b[o][l];
        }
        let row = f(row_a, row_b);
        for o in 0..OUT {
            b[o][l] = row[o];
        }
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::math;
    use crate::kernels::testing::{Random, both};

    fn check<S: Isa, T: Scalar, const N: usize>(isa: S) {
        let mut random = Random::new(N as u64);
        let (a, b): (Vec<T>, Vec<T>) = (random.scalars(N), random.scalars(N));
        let (old, mut sum) = {
            let old: Vec<T> = random.scalars(N);
            (old.clone(), old)
        };
        let mut product = vec![T::NOT_A_NUMBER; N];
        map::<S, T, N, 2, 2>(isa, [&a, &b], [&mut sum, &mut product], |[a, b], [sum, _]| [sum + a, a * b]);
        for row in 0..N {
            assert!(sum[row] == old[row] + a[row], "row {row} of {N}");
            assert!(product[row] == a[row] * b[row], "row {row} of {N}");
        }
        let mut longer = old.clone();
        map_flat(isa, [&a], [&mut longer], |[a], [old]| [math::max(isa, a, old)]);
        for row in 0..N {
            assert!(longer[row] == if a[row] > old[row] { a[row] } else { old[row] });
        }
        map::<S, T, N, 0, 1>(isa, [], [&mut longer], |[], [_]| [T::ONE]);
        assert!(longer.iter().all(|&entry| entry == T::ONE));
    }

    #[test]
    fn every_row_once_with_its_old_contents() {
        both!(isa => {
            check::<_, f32, 1>(isa); check::<_, f32, 2>(isa); check::<_, f32, 5>(isa); check::<_, f32, 8>(isa);
            check::<_, f32, 16>(isa); check::<_, f32, 20>(isa); check::<_, f32, 33>(isa); check::<_, f32, 64>(isa);
            check::<_, f32, 100>(isa);
            check::<_, f64, 1>(isa); check::<_, f64, 5>(isa); check::<_, f64, 20>(isa); check::<_, f64, 33>(isa);
        });
    }

    #[test]
    fn rows_beyond_the_last_stay() {
        let mut out = [1.0f32; 12];
        map::<_, _, 10, 0, 1>(crate::kernels::isa::Portable::token(), [], [&mut out], |[], [_]| [2.0]);
        assert_eq!(&out[8..], [2.0, 2.0, 1.0, 1.0]);
    }
}
