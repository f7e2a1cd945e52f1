//! Fused element-wise loops: one closure over the rows of any number of vectors, with optional
//! sums.
//!
//! Rows are processed in blocks whose results are local arrays, so the vectoriser needs no proof
//! that the slices are disjoint. The last block is moved back to end at the last row and writes
//! only the remaining rows, because a scalar tail would take longer than the vector blocks before
//! it.

use super::isa::{Isa, M_PROFILE};
use super::plain::Size;
use crate::Scalar;
use core::mem::MaybeUninit;

const LANES: usize = 8;

/// The number of rows of a block if there are enough. A loop of this length is vectorised as a
/// loop. A loop of eight is unrolled first, and the result then depends on the closure.
const WIDE: usize = 16;

/// The computation of one row: the new contents of the outputs, and the terms of the sums. Every
/// closure is one. (A `dyn Fn` would have two more functions for each closure.)
trait Rule<T, const IN: usize, const OUT: usize, const SUMS: usize> {
    fn row(&self, ins: [T; IN], old: [T; OUT]) -> ([T; OUT], [T; SUMS]);
}

impl<T, const IN: usize, const OUT: usize, const SUMS: usize, F> Rule<T, IN, OUT, SUMS> for F
where
    F: Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
{
    #[inline(always)]
    fn row(&self, ins: [T; IN], old: [T; OUT]) -> ([T; OUT], [T; SUMS]) {
        self(ins, old)
    }
}

/// Returns the rule for the loops. In an unoptimised build, all closures share the loops: with
/// loops of their own, cells compile twice as long.
#[cfg(rnn_cell_unoptimised)]
fn shared<'a, T, const IN: usize, const OUT: usize, const SUMS: usize>(
    rule: &'a impl Rule<T, IN, OUT, SUMS>,
) -> &'a (dyn Rule<T, IN, OUT, SUMS> + 'a) {
    rule
}

/// Returns the rule for the loops, which are compiled for each closure.
#[cfg(not(rnn_cell_unoptimised))]
#[inline(always)]
fn shared<R>(rule: &R) -> &R {
    rule
}

/// Computes `outs[.., row] = f(ins[.., row], outs[.., row])` for each of the `N` rows.
///
/// The closure receives the old contents of the outputs, so accumulation and in-place updates need
/// no aliasing.
#[inline(always)]
pub fn map<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize>(
    isa: S,
    _: Size<N>,
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

/// Computes outputs like [`map`], and the sums over the rows of the terms that the closure returns
/// with them.
///
/// There are sixteen partial sums on every instruction set, so the order of the additions depends
/// only on `N`.
#[inline(always)]
pub fn fold<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize, const SUMS: usize>(
    isa: S,
    _: Size<N>,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) -> [T; SUMS] {
    rows(isa, N, ins, outs, f)
}

/// Computes outputs like [`map`], for slices of any common length.
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

/// The largest number of entries of a fixed input that [`map_columns`] repeats.
const TILE: usize = WIDE * WIDE;

/// Computes outputs like [`map`], for all columns of `N` rows. An input that is `fixed` is one
/// column, the same for all. Columns of less than sixteen rows are computed side by side.
#[inline(always)]
pub fn map_columns<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize>(
    isa: S,
    _: Size<N>,
    ins: [&[T]; IN],
    fixed: [bool; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> [T; OUT],
) {
    columns::<S, T, N, IN, OUT>(
        isa,
        ins,
        fixed,
        outs,
        #[inline(always)]
        |ins, old| (f(ins, old), []),
    );
}

#[inline(always)]
fn columns<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize>(
    isa: S,
    ins: [&[T]; IN],
    fixed: [bool; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; 0]),
) {
    each_column::<S, T, N, IN, OUT>(isa, ins, fixed, outs, shared(&f));
}

#[cfg_attr(not(rnn_cell_unoptimised), inline(always))]
fn each_column<S: Isa, T: Scalar, const N: usize, const IN: usize, const OUT: usize>(
    isa: S,
    ins: [&[T]; IN],
    fixed: [bool; IN],
    outs: [&mut [T]; OUT],
    rule: &(impl Rule<T, IN, OUT, 0> + ?Sized),
) {
    let n = if OUT > 0 { outs[0].len() } else { 0 };
    if N == 0 || n == 0 {
        return;
    }
    // These are the only checks of the lengths.
    let (mut from, mut to) = ([core::ptr::null(); IN], [core::ptr::null_mut(); OUT]);
    for i in 0..IN {
        from[i] = ins[i][..if fixed[i] { N } else { n }].as_ptr();
    }
    for o in 0..OUT {
        to[o] = outs[o][..n].as_mut_ptr();
    }
    if N >= WIDE || n < WIDE {
        for start in (0..n / N * N).step_by(N) {
            let (mut ins, mut outs) = ([&[][..]; IN], to.map(|_| &mut [][..]));
            // SAFETY: the column is within `n`, and the slices do not overlap.
            unsafe {
                for i in 0..IN {
                    let from = if fixed[i] { from[i] } else { from[i].add(start) };
                    ins[i] = core::slice::from_raw_parts(from, N);
                }
                for o in 0..OUT {
                    outs[o] = core::slice::from_raw_parts_mut(to[o].add(start), N);
                }
            }
            each_row(isa, N, ins, outs, rule);
        }
        return;
    }
    // The columns are one vector. A fixed input is repeated as often as its positions in blocks of
    // sixteen rows differ, and once more.
    let period = const { period(N) };
    let mut tiles = [const { [const { MaybeUninit::uninit() }; TILE] }; IN];
    for i in 0..IN {
        for entry in 0..if fixed[i] { period + WIDE } else { 0 } {
            // SAFETY: the index is less than `N`, and a period less than sixteen times sixteen.
            unsafe {
                tiles[i].get_unchecked_mut(entry).write(*from[i].add(entry % if N == 0 { 1 } else { N }))
            };
        }
    }
    let mut sums = [[T::ZERO; WIDE]; 0];
    // SAFETY: the rows are within `n`, those of a tile within the period and a block.
    unsafe {
        let rest = n % WIDE;
        // The last rows come first, as in `rows`.
        if !rest.is_multiple_of(LANES) {
            let start = n - LANES;
            block(
                start,
                LANES - rest % LANES,
                positions(from, fixed, &tiles, start, start % N),
                to,
                &mut sums,
                rule,
            );
        }
        if rest >= LANES {
            let start = n - rest;
            block(start, 0, positions(from, fixed, &tiles, start, start % period), to, &mut sums, rule);
        }
        let (mut start, mut phase) = (0, 0);
        while start + WIDE <= n {
            wide_block(start, positions(from, fixed, &tiles, start, phase), to, &mut sums, rule);
            one_by_one::<S>();
            start += WIDE;
            phase = if phase + WIDE == period { 0 } else { phase + WIDE };
        }
    }
}

/// Returns pointers to the inputs for a block of rows that begins at row `start`. The kernels add
/// `start` to them. The block begins at entry `phase` of the repetitions of a fixed input.
#[inline(always)]
fn positions<T: Scalar, const IN: usize>(
    from: [*const T; IN],
    fixed: [bool; IN],
    tiles: &[[MaybeUninit<T>; TILE]; IN],
    start: usize,
    phase: usize,
) -> [*const T; IN] {
    let mut at = from;
    for i in 0..IN {
        if fixed[i] {
            at[i] = tiles[i].as_ptr().cast::<T>().wrapping_add(phase).wrapping_sub(start);
        }
    }
    at
}

/// Returns the least common multiple of a number of rows and of sixteen.
const fn period(rows: usize) -> usize {
    let mut period = WIDE;
    while rows > 0 && !period.is_multiple_of(rows) {
        period += WIDE;
    }
    period
}

#[inline(always)]
fn rows<S: Isa, T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    isa: S,
    n: usize,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    f: impl Fn([T; IN], [T; OUT]) -> ([T; OUT], [T; SUMS]),
) -> [T; SUMS] {
    each_row(isa, n, ins, outs, shared(&f))
}

#[cfg_attr(not(rnn_cell_unoptimised), inline(always))]
fn each_row<S: Isa, T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    _: S,
    n: usize,
    ins: [&[T]; IN],
    outs: [&mut [T]; OUT],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) -> [T; SUMS] {
    // This is the only check of the lengths. All rows below are within `n`.
    let mut from = [core::ptr::null(); IN];
    for i in 0..IN {
        from[i] = ins[i][..n].as_ptr();
    }
    let mut to = [core::ptr::null_mut(); OUT];
    for o in 0..OUT {
        to[o] = outs[o][..n].as_mut_ptr();
    }
    if S::DECIMALS.is_some() && n > WIDE {
        read_from_memory::<S, T, IN>(from);
    }
    let mut sums = [[T::ZERO; WIDE]; SUMS];
    // SAFETY: the rows are within `n`, and the slices do not overlap.
    unsafe {
        if n == 1 {
            return one(0, from, to, rule);
        }
        if M_PROFILE {
            one_after_the_other(n, from, to, &mut sums, rule);
            return totals(sums);
        }
        if n < LANES {
            few(n, from, to, &mut sums, rule);
            return totals(sums);
        }
        // The last rows come first. After the block that they overlap, they would have to wait for
        // its stores.
        let rest = n % LANES;
        if rest > 0 {
            block(n - LANES, LANES - rest, from, to, &mut sums, rule);
        }
        let mut start = 0;
        while start + WIDE <= n {
            wide_block(start, from, to, &mut sums, rule);
            one_by_one::<S>();
            start += WIDE;
        }
        if start + LANES <= n {
            block(start, 0, from, to, &mut sums, rule);
        }
    }
    totals(sums)
}

/// Prevents LLVM from vectorising across blocks. When it unrolls a loop with a short closure, it
/// would use one lane per block, with gathers and scatters, which only AVX-512 has. It does not
/// vectorise loops that contain assembly.
#[inline(always)]
fn one_by_one<S: Isa>() {
    #[cfg(target_arch = "x86_64")]
    if S::LEVEL == super::isa::Level::Avx512 {
        // SAFETY: the assembly is empty.
        unsafe { core::arch::asm!("", options(nomem, nostack, preserves_flags)) };
    }
}

/// Prevents LLVM from keeping the inputs, such as the results of a product, in registers until the
/// loop reads them. With short closures it unrolls the loop and would try to, and would spill the
/// sums of the product instead. AVX-512 has enough registers.
#[inline(always)]
fn read_from_memory<S: Isa, T, const IN: usize>(from: [*const T; IN]) {
    #[cfg(target_arch = "x86_64")]
    if S::LEVEL != super::isa::Level::Avx512 {
        for i in 0..IN {
            // SAFETY: the assembly is empty.
            unsafe { core::arch::asm!("/* {0} */", in(reg) from[i], options(nostack, preserves_flags)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

/// Adds the partial sums as a tree.
#[inline(always)]
fn totals<T: Scalar, const SUMS: usize>(sums: [[T; WIDE]; SUMS]) -> [T; SUMS] {
    let mut totals = [T::ZERO; SUMS];
    // Unrolled for the first eight sums. The vectoriser would turn one loop over many sums into
    // gathers.
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

/// Computes a single row.
///
/// # Safety
/// Every pointer is valid for `row + 1` scalars.
#[inline(always)]
unsafe fn one<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    row: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) -> [T; SUMS] {
    let mut a = [T::ZERO; IN];
    let mut b = [T::ZERO; OUT];
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        for i in 0..IN {
            a[i] = *from[i].add(row);
        }
        for o in 0..OUT {
            b[o] = *to[o].add(row);
        }
        let (b, terms) = rule.row(a, b);
        for o in 0..OUT {
            *to[o].add(row) = b[o];
        }
        terms
    }
}

/// Computes rows without blocks, for targets without vectors. Each term is added to the same
/// partial sum, in the same order, as in the blocks.
///
/// # Safety
/// Every pointer is valid for `n` scalars. The outputs overlap neither each other nor the inputs.
#[inline(always)]
unsafe fn one_after_the_other<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    n: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) {
    // The rows after the last block of eight come first, as the last lanes of a block.
    let rest = if n < LANES { 0 } else { n % LANES };
    for row in 0..n {
        let (row, lane) =
            if row < rest { (n - rest + row, LANES - rest + row) } else { (row - rest, row - rest) };
        // SAFETY: the caller guarantees the row.
        let terms = unsafe { one(row, from, to, rule) };
        for s in 0..SUMS {
            sums[s][lane % WIDE] += terms[s];
        }
    }
}

/// Computes sixteen rows, starting at `start`. Only the results need a local array, because the
/// inputs cannot change before the end.
///
/// # Safety
/// Every pointer is valid for `start + WIDE` scalars. The outputs overlap neither each other nor
/// the inputs.
#[inline(always)]
unsafe fn wide_block<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    start: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) {
    let mut results = [[T::ZERO; WIDE]; OUT];
    let mut added = [[T::ZERO; WIDE]; SUMS];
    for l in 0..WIDE {
        let mut a = [T::ZERO; IN];
        let mut b = [T::ZERO; OUT];
        for i in 0..IN {
            // SAFETY: the caller guarantees the row.
            a[i] = unsafe { *from[i].add(start + l) };
        }
        for o in 0..OUT {
            // SAFETY: as above.
            b[o] = unsafe { *to[o].add(start + l) };
        }
        let (row, term) = rule.row(a, b);
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

/// Computes eight rows, starting at `start`. The first `skip` rows are neither written nor added to
/// the sums.
///
/// # Safety
/// Every pointer is valid for `start + LANES` scalars, and `skip` is at most `LANES`.
#[inline(always)]
unsafe fn block<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    start: usize,
    skip: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) {
    // SAFETY: the caller guarantees the rows.
    unsafe {
        let rows = lanes(start, skip, LANES, from, to, sums, rule);
        for o in 0..OUT {
            core::ptr::copy_nonoverlapping(rows[o].as_ptr().add(skip), to[o].add(start + skip), LANES - skip);
        }
    }
}

/// Computes fewer rows than there are lanes.
///
/// # Safety
/// Every pointer is valid for `n <= LANES` scalars.
#[inline(always)]
unsafe fn few<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    n: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) {
    // SAFETY: the caller guarantees the rows.
    unsafe {
        let rows = lanes(0, 0, n, from, to, sums, rule);
        for o in 0..OUT {
            core::ptr::copy_nonoverlapping(rows[o].as_ptr(), to[o], n);
        }
    }
}

/// Returns the results of `count` rows, starting at `start`, padded to eight, and adds the terms of
/// all rows except the first `skip`. It copies by pointer, because `copy_from_slice` stays a call
/// without link-time optimisation.
///
/// # Safety
/// Every pointer is valid for `start + count` scalars, and `count` is at most `LANES`.
#[inline(always)]
unsafe fn lanes<T: Scalar, const IN: usize, const OUT: usize, const SUMS: usize>(
    start: usize,
    skip: usize,
    count: usize,
    from: [*const T; IN],
    to: [*mut T; OUT],
    sums: &mut [[T; WIDE]; SUMS],
    rule: &(impl Rule<T, IN, OUT, SUMS> + ?Sized),
) -> [[T; LANES]; OUT] {
    let mut a = [[T::ZERO; LANES]; IN];
    let mut b = [[T::ZERO; LANES]; OUT];
    let mut added = *sums;
    for i in 0..IN {
        // SAFETY: the caller guarantees the rows; the local array has eight.
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
        let (row, term) = rule.row(row_a, row_b);
        for o in 0..OUT {
            b[o][l] = row[o];
        }
        for s in 0..SUMS {
            // A selection instead of a product, because a skipped term may be NaN.
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
    use crate::kernels::testing::{Random, for_each_isa};

    fn check<S: Isa, T: Scalar, const N: usize>(isa: S) {
        let mut random = Random::new(N as u64);
        let (a, b): (Vec<T>, Vec<T>) = (random.scalars(N), random.scalars(N));
        let (old, mut sum) = {
            let old: Vec<T> = random.scalars(N);
            (old.clone(), old)
        };
        let mut product = vec![T::NOT_A_NUMBER; N];
        map(isa, Size::<N>, [&a, &b], [&mut sum, &mut product], |[a, b], [sum, _]| [sum + a, a * b]);
        for row in 0..N {
            assert!(sum[row] == old[row] + a[row], "row {row} of {N}");
            assert!(product[row] == a[row] * b[row], "row {row} of {N}");
        }
        let mut doubled = vec![T::NOT_A_NUMBER; N];
        let sums = fold(isa, Size::<N>, [&a, &b], [&mut doubled], |[a, b], [_]| ([a + a], [a, a * b]));
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
        map(isa, Size::<N>, [], [&mut longer], |[], [_]| [T::ONE]);
        assert!(longer.iter().all(|&entry| entry == T::ONE));
    }

    #[test]
    fn every_row_is_computed_once_from_its_old_contents() {
        for_each_isa!(isa => {
            check::<_, f32, 1>(isa); check::<_, f32, 2>(isa); check::<_, f32, 5>(isa); check::<_, f32, 8>(isa);
            check::<_, f32, 16>(isa); check::<_, f32, 20>(isa); check::<_, f32, 33>(isa); check::<_, f32, 64>(isa);
            check::<_, f32, 100>(isa);
            check::<_, f64, 1>(isa); check::<_, f64, 5>(isa); check::<_, f64, 20>(isa); check::<_, f64, 33>(isa);
        });
    }

    fn check_columns<S: Isa, const N: usize>(isa: S) {
        for columns in [0, 1, 2, 3, 5, 16, 17, 33] {
            let mut random = Random::new((N * 100 + columns) as u64);
            let (a, b): (Vec<f32>, Vec<f32>) = (random.scalars(N * columns), random.scalars(N));
            let old: Vec<f32> = random.scalars(N * columns);
            let (mut sum, mut product) = (old.clone(), vec![f32::NAN; N * columns]);
            map_columns(
                isa,
                Size::<N>,
                [&a, &b],
                [false, true],
                [&mut sum, &mut product],
                |[a, b], [sum, _]| [sum + b, a * b],
            );
            for row in 0..N * columns {
                assert!(sum[row] == old[row] + b[row % N], "row {row} of {N} x {columns}");
                assert!(product[row] == a[row] * b[row % N], "row {row} of {N} x {columns}");
            }
        }
    }

    #[test]
    fn columns_share_the_fixed_inputs() {
        for_each_isa!(isa => {
            check_columns::<_, 1>(isa); check_columns::<_, 2>(isa); check_columns::<_, 3>(isa);
            check_columns::<_, 4>(isa); check_columns::<_, 6>(isa); check_columns::<_, 8>(isa);
            check_columns::<_, 12>(isa); check_columns::<_, 15>(isa); check_columns::<_, 16>(isa);
            check_columns::<_, 20>(isa); check_columns::<_, 32>(isa);
        });
    }

    #[test]
    fn rows_past_the_last_are_unchanged() {
        let mut out = [1.0f32; 12];
        map(crate::kernels::isa::Portable::token(), Size::<10>, [], [&mut out], |[], [_]| [2.0]);
        assert_eq!(&out[8..], [2.0, 2.0, 1.0, 1.0]);
    }
}
