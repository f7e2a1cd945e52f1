//! The fused element-wise chain: one closure over the rows of any number of vectors, and sums of what it makes.
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
    rows(
        isa,
        N,
        ins,
        outs,
        #[inline(always)]
        |ins, old| (f(ins, old), []),
    );
}

/// [`map`], and the sums over the rows of what the closure returns beside the outputs.
///
/// Sixteen partial sums, whatever the instruction set: the order of the additions depends on `N` alone.
#[inline(always)]
pub fn fold<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize, const SUMS: usize>(
    isa: S,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) -> [T; SUMS] {
    rows(isa, N, ins, outs, f)
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
    rows(
        isa,
        n,
        ins,
        outs,
        #[inline(always)]
        |ins, old| (f(ins, old), []),
    );
}

#[inline(always)]
fn rows<S: Isa, T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    _: S,
    n: usize,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) -> [T; SUMS] {
    // The one check of the lengths: below, every row is within `n`.
    let mut from = [core::ptr::null(); IN];
    for i in 0..IN {
        from[i] = ins[i][..n].as_ptr();
    }
    let mut to = [core::ptr::null_mut(); OUT];
    for o in 0..OUT {
        to[o] = outs[o][..n].as_mut_ptr();
    }
    let mut sums = [[T::ZERO; WIDE]; SUMS];
    // SAFETY: the rows are within `n`, and the slices are apart.
    unsafe {
        if n == 1 {
            return one(from, to, f);
        }
        if n < LANES {
            few(n, from, to, &mut sums, &f);
            return totals(sums);
        }
        // The last rows first: they share some with the block before, whose stores they would have to wait for.
        let rest = n % LANES;
        if rest > 0 {
            block(n - LANES, LANES - rest, from, to, &mut sums, &f);
        }
        let mut start = 0;
        while start + WIDE <= n {
            wide_block(start, from, to, &mut sums, &f);
            one_by_one::<S>();
            start += WIDE;
        }
        if start + LANES <= n {
            block(start, 0, from, to, &mut sums, &f);
        }
    }
    totals(sums)
}

/// Keeps blocks what they are: where the body of a short closure is unrolled, LLVM makes lanes of sixteen blocks, by gathers and
/// scatters, which only AVX-512 has. It doesn't vectorise a loop that holds assembly.
#[inline(always)]
fn one_by_one<S: Isa>() {
    #[cfg(target_arch = "x86_64")]
    if S::LEVEL == super::isa::Level::Avx512 {
        // SAFETY: it is empty.
        unsafe { core::arch::asm!("", options(nomem, nostack, preserves_flags)) };
    }
}

/// The partial sums, added up as a tree.
#[inline(always)]
fn totals<T: Scalar, const SUMS: usize>(sums: [[T; WIDE]; SUMS]) -> [T; SUMS] {
    let mut totals = [T::ZERO; SUMS];
    // Written out for the first eight: the vectoriser makes one loop over many sums into gathers across them.
    macro_rules! first {
        ($($s:literal)*) => {$(
            if SUMS > $s {
                totals[$s] = total(sums[$s]);
            }
        )*};
    }
    first!(0 1 2 3 4 5 6 7);
    for s in 8..SUMS {
        totals[s] = total(sums[s]);
    }
    totals
}

#[inline(always)]
fn total<T: Scalar>(mut sums: [T; WIDE]) -> T {
    let mut width = WIDE / 2;
    while width > 0 {
        for l in 0..width {
            sums[l] += sums[l + width];
        }
        width /= 2;
    }
    sums[0]
}

/// A single row.
///
/// # Safety
/// Every pointer is good for one scalar.
#[inline(always)]
unsafe fn one<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    from: [*const T; IN],
    to: [*mut T; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) -> [T; SUMS] {
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
        let (b, terms) = f(a, b);
        for o in 0..OUT {
            *to[o] = b[o];
        }
        terms
    }
}

/// Sixteen rows from `start` on. Only the results need a local array: what is read can't change before the end.
///
/// # Safety
/// Every pointer is good for `start + WIDE` scalars; the outputs are apart from each other and from the inputs.
#[inline(always)]
unsafe fn wide_block<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    start: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    f: &impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) {
    let mut results = [[T::ZERO; WIDE]; OUT];
    let mut added = [[T::ZERO; WIDE]; SUMS];
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
        let (row, term) = f(a, b);
        for o in 0..OUT {
            results[o][l] = row[o];
        }
        for s in 0..SUMS {
            added[s][l] = sums[s][l] + term[s];
        }
    }
    for o in 0..OUT {
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(results[o].as_ptr(), to[o].add(start), WIDE) };
    }
    *sums = added;
}

/// Eight rows from `start` on; the first `skip` of them are neither written nor added up.
///
/// # Safety
/// Every pointer is good for `start + LANES` scalars, and `skip` is at most `LANES`.
#[inline(always)]
unsafe fn block<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    start: usize,
    skip: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    f: &impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) {
    // SAFETY: the caller vouches for the rows.
    unsafe {
        let rows = lanes(start, skip, LANES, from, to, sums, f);
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
unsafe fn few<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    n: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    f: &impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) {
    // SAFETY: the caller vouches for the rows.
    unsafe {
        let rows = lanes(0, 0, n, from, to, sums, f);
        for o in 0..OUT {
            core::ptr::copy_nonoverlapping(rows[o].as_ptr(), to[o], n);
        }
    }
}

/// The results of `count` rows from `start` on, padded to eight; adds the terms of all but the first `skip`. Copies by pointer,
/// since `copy_from_slice` stays a call without link-time optimisation.
///
/// # Safety
/// Every pointer is good for `start + count` scalars, and `count` is at most `LANES`.
#[inline(always)]
unsafe fn lanes<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    start: usize,
    skip: usize,
    count: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    f: &impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) -> [[T; LANES]; OUT] {
    let mut a = [[T::ZERO; LANES]; IN];
    let mut b = [[T::ZERO; LANES]; OUT];
    let mut added = *sums;
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
        let (row, term) = f(row_a, row_b);
        for o in 0..OUT {
            b[o][l] = row[o];
        }
        for s in 0..SUMS {
            // A choice, not a product: what is left out may be NaN.
            added[s][l] += if l >= skip && l < count { term[s] } else { T::ZERO };
        }
    }
    *sums = added;
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
        let mut doubled = vec![T::NOT_A_NUMBER; N];
        let sums =
            fold::<S, T, N, 2, 1, 2>(isa, [&a, &b], [&mut doubled], |[a, b], [_]| ([a + a], [a, a * b]));
        let exact =
            |term: fn(f64, f64) -> f64| (0..N).map(|row| term(a[row].as_f64(), b[row].as_f64())).sum();
        crate::kernels::testing::assert_near(&sums, &[exact(|a, _| a), exact(|a, b| a * b)], N);
        for row in 0..N {
            assert!(doubled[row] == a[row] + a[row], "row {row} of {N}");
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
