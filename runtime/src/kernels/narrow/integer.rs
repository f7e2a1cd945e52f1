//! Products in integers: entries of eight bits times a vector rounded to 16 bits, added up in 32
//! bits.
//!
//! A vector is rounded in chunks of [`CHUNK`] entries. The largest magnitude of a chunk becomes
//! 32767, as the largest magnitude of a row becomes 127. The sums of a chunk are exact. Everything
//! else is a fixed sequence of operations on `f32` without fused multiply-adds, so all processors
//! compute the same bits.
//!
//! The rows are stored in panels of four, one panel after the other, and within a panel in groups
//! of four columns: four entries of the first row, four of the second, and so on. The remaining
//! columns follow one by one. The last panel has the remaining rows. A Cortex-M4 multiplies a word
//! of four entries in four instructions, AVX2 a group of four rows in three.

use super::{Int8By16, Narrow};
use crate::Scalar;
use crate::kernels::isa::{Isa, Level};
use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

/// The number of rows of a panel.
const PANEL: usize = 4;

/// The number of columns of a group.
const GROUP: usize = 4;

/// The number of columns whose part of the vector is rounded together.
const CHUNK: usize = 128;

/// The largest magnitude of a rounded entry of a vector.
const MOST: f32 = 32767.0;

// A sum of a chunk has 32 bits even if entries are -128, which only damaged bytes contain.
const _: () = assert!(CHUNK as i64 * 128 * MOST as i64 <= i32::MAX as i64);
const _: () = assert!(CHUNK.is_multiple_of(GROUP));

/// Computes [`Format::place`](super::Format::place).
pub fn place((rows, columns): (usize, usize), row: usize, column: usize) -> usize {
    let (first, alone) = (row - row % PANEL, columns - columns % GROUP);
    let (start, height) = (first * columns, if first + PANEL <= rows { PANEL } else { rows - first });
    if column < alone {
        start + (column - column % GROUP) * height + (row - first) * GROUP + column % GROUP
    } else {
        start + column * height + (row - first)
    }
}

/// The rounded entries of vectors, those of each whole group in the order [`ORDER`].
#[repr(align(8))]
struct Rounded([MaybeUninit<i16>; CHUNK]);

/// The position of each entry of a group. `sxtb16` widens every other byte of a word.
const ORDER: [usize; GROUP] = if cfg!(rnn_cell_dsp) { [0, 2, 1, 3] } else { [0, 1, 2, 3] };

/// Rounds a vector to the beginning of `to`, which is not shorter. Returns the value of a rounded
/// entry of 1.
#[inline(always)]
fn round<T: Scalar>(x: &[T], to: &mut [MaybeUninit<i16>]) -> f32 {
    // The largest magnitude is taken as at least 2^-100, so that its reciprocal is finite.
    const LEAST: f32 = f32::from_bits((127 - 100) << 23);
    // Adding this constant rounds to a whole number, ties to even, because the last place of the
    // sum is one. The low bits of the sum are the whole number in two's complement.
    const WHOLE: f32 = 1.5 * (1 << 23) as f32;
    // The bits of magnitudes have the order of the magnitudes, and those of NaN are the largest.
    let mut most = LEAST.to_bits() as i32;
    for x in x {
        let bits = (x.as_f64() as f32).to_bits() as i32 & i32::MAX;
        most = if bits > most { bits } else { most };
    }
    let largest = f32::from_bits(most as u32);
    // With an infinite entry, the rounded entries are zero and the result is infinite. With a NaN,
    // the result is NaN. Both times the products are NaN.
    let factor = MOST / largest;
    let rounded = |x: T| MaybeUninit::new(((x.as_f64() as f32) * factor + WHOLE).to_bits() as i16);
    let (groups, alone) = x.as_chunks::<GROUP>();
    let (to, rest) = to.as_chunks_mut::<GROUP>();
    let mut to = to.iter_mut();
    for (group, to) in groups.iter().zip(&mut to) {
        for entry in 0..GROUP {
            to[ORDER[entry]] = rounded(group[entry]);
        }
    }
    let rest = to.next().map_or(rest, |to| to.as_mut_slice());
    for (x, to) in alone.iter().zip(rest) {
        *to = rounded(*x);
    }
    largest / MOST
}

/// Computes [`Format::products`](super::Format::products). Vectors that fit in one chunk are
/// multiplied together. The result does not depend on it.
#[inline(always)]
pub fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
    _isa: S,
    a: [[Narrow<'_, Int8By16, T>; G]; P],
    x: [&[T]; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    if M == 0 || G == 0 || P == 0 || y[0].is_empty() {
        return;
    }
    let n = y[0].len() / M;
    let (mut k, mut starts, mut total) = ([0; P], [0; P], 0);
    let mut fits = true;
    for p in 0..P {
        k[p] = x[p].len() / n.max(1);
        starts[p] = total;
        total += k[p].div_ceil(GROUP) * GROUP;
        for g in 0..G {
            fits &= a[p][g].entries.len() == M * k[p] && a[p][g].scales.len() == M;
        }
    }
    for g in 0..G {
        fits &= y[g].len() == M * n;
    }
    if !fits {
        // A bug in this crate, and a step must not panic.
        debug_assert!(false, "the slices do not have the sizes of the matrices");
        return;
    }
    let mut rounded = Rounded([MaybeUninit::uninit(); CHUNK]);
    for j in 0..n {
        if total <= CHUNK {
            let mut terms = [[Term::NONE; P]; G];
            for p in 0..P {
                let (Some(x), Some(to)) =
                    (x[p].get(j * k[p]..(j + 1) * k[p]), rounded.0.get_mut(starts[p]..))
                else {
                    return;
                };
                let unit = round(x, to);
                let to = to.as_ptr().cast();
                for g in 0..G {
                    terms[g][p] = Term::new(a[p][g], k[p], 0..k[p], to, unit);
                }
            }
            for g in 0..G {
                // SAFETY: the slices have the sizes of the matrices, and the vectors are rounded.
                // The token proves the instruction set.
                unsafe { rows_on::<S, T, M, P>(&terms[g], y[g].as_mut_ptr().add(j * M), accumulate) }
            }
            continue;
        }
        for p in 0..P {
            let mut first = 0;
            while first == 0 || first < k[p] {
                let part = first..if k[p] - first < CHUNK { k[p] } else { first + CHUNK };
                let Some(x) = x[p].get(j * k[p] + part.start..j * k[p] + part.end) else { return };
                let unit = round(x, &mut rounded.0);
                for g in 0..G {
                    let term = Term::new(a[p][g], k[p], part.clone(), rounded.0.as_ptr().cast(), unit);
                    let accumulate = accumulate || p > 0 || first > 0;
                    // SAFETY: as above.
                    unsafe { rows_on::<S, T, M, 1>(&[term], y[g].as_mut_ptr().add(j * M), accumulate) }
                }
                first += CHUNK;
            }
        }
    }
}

/// Some columns of a stored matrix and the rounded entries of a vector that belong to them.
#[derive(Clone, Copy)]
struct Term<T> {
    /// The entries of the whole matrix.
    entries: *const i8,
    scales: *const T,
    /// The number of columns of the whole matrix.
    k: usize,
    /// The first column, a multiple of [`GROUP`].
    first: usize,
    /// The number of columns.
    count: usize,
    /// The rounded entries.
    x: *const i16,
    /// The value of a rounded entry of 1.
    unit: f32,
}

impl<T: Scalar> Term<T> {
    const NONE: Self = Term {
        entries: ptr::null(),
        scales: ptr::null(),
        k: 0,
        first: 0,
        count: 0,
        x: ptr::null(),
        unit: 0.0,
    };

    #[inline(always)]
    fn new(a: Narrow<'_, Int8By16, T>, k: usize, part: Range<usize>, x: *const i16, unit: f32) -> Self {
        let (first, count) = (part.start, part.len());
        Term { entries: a.entries.as_ptr(), scales: a.scales.as_ptr(), k, first, count, x, unit }
    }
}

/// Computes the `M` rows of a sum of terms, `y = sum_p A_p x_p`, or adds it with `accumulate`.
///
/// # Safety
/// Each matrix has `M` rows, scales and the columns of its term. There are the entries of the
/// vectors, aligned to eight bytes, and `M` rows of the result. The processor has the instruction
/// set `S`.
#[inline(always)]
unsafe fn rows_on<S: Isa, T: Scalar, const M: usize, const P: usize>(
    terms: &[Term<T>; P],
    y: *mut T,
    accumulate: bool,
) {
    /// Is not inlined, for the sake of the size of programs.
    #[inline(never)]
    unsafe fn outlined<S: Isa, T: Scalar, const M: usize, const P: usize>(
        terms: &[Term<T>; P],
        y: *mut T,
        accumulate: bool,
    ) {
        // SAFETY: guaranteed by the caller. The set is the baseline, which a function has without
        // attributes.
        unsafe { rows::<S, T, M, P>(terms, y, accumulate) }
    }

    // SAFETY: guaranteed by the caller.
    unsafe {
        if has_avx2::<S>() {
            rows::<S, T, M, P>(terms, y, accumulate);
        } else {
            outlined::<S, T, M, P>(terms, y, accumulate);
        }
    }
}

/// Computes [`rows_on`].
///
/// # Safety
/// The same.
#[inline(always)]
unsafe fn rows<S: Isa, T: Scalar, const M: usize, const P: usize>(
    terms: &[Term<T>; P],
    y: *mut T,
    accumulate: bool,
) {
    let whole = M - M % PANEL;
    let mut row = 0;
    // SAFETY: the panels cover the rows.
    unsafe {
        if has_avx2::<S>() {
            while row + 4 * PANEL <= whole {
                panels::<S, T, P, 4, PANEL>(terms, row, y, accumulate);
                row += 4 * PANEL;
            }
            if row + 2 * PANEL <= whole {
                panels::<S, T, P, 2, PANEL>(terms, row, y, accumulate);
                row += 2 * PANEL;
            }
        }
        while row < whole {
            panels::<S, T, P, 1, PANEL>(terms, row, y, accumulate);
            row += PANEL;
        }
        match M % PANEL {
            1 => panels::<S, T, P, 1, 1>(terms, row, y, accumulate),
            2 => panels::<S, T, P, 1, 2>(terms, row, y, accumulate),
            3 => panels::<S, T, P, 1, 3>(terms, row, y, accumulate),
            _ => {}
        }
    }
}

/// Computes `V` panels of `H` rows, starting with row `row`.
///
/// # Safety
/// The same as for [`rows_on`]. The matrices have these panels.
#[inline(always)]
unsafe fn panels<S: Isa, T: Scalar, const P: usize, const V: usize, const H: usize>(
    terms: &[Term<T>; P],
    row: usize,
    y: *mut T,
    accumulate: bool,
) {
    // SAFETY: guaranteed by the caller.
    unsafe {
        let y = y.add(row);
        // Nothing changes when it is added to -0.
        let mut results = [[-T::ZERO; H]; V];
        if accumulate {
            for v in 0..V {
                for r in 0..H {
                    results[v][r] = *y.add(v * H + r);
                }
            }
        }
        for term in terms {
            let (groups, stride) = (term.count / GROUP, H * term.k);
            let panel = term.entries.add(row * term.k + term.first * H);
            let mut sums = whole_groups::<S, V, H>(panel, stride, term.x, groups);
            for column in GROUP * groups..term.count {
                let x = i32::from(*term.x.add(column));
                for v in 0..V {
                    for r in 0..H {
                        sums[v][r] += i32::from(*panel.add(v * stride + column * H + r)) * x;
                    }
                }
            }
            for v in 0..V {
                for r in 0..H {
                    let scale = *term.scales.add(row + v * H + r) * T::of(f64::from(term.unit));
                    // For `f32` these are no conversions, so no `f64` is involved.
                    results[v][r] += T::of(f64::from(sums[v][r] as f32)) * scale;
                }
            }
        }
        for v in 0..V {
            for r in 0..H {
                *y.add(v * H + r) = results[v][r];
            }
        }
    }
}

const fn has_avx2<S: Isa>() -> bool {
    !matches!(S::LEVEL, Level::Portable)
}

/// Returns the sums of the products of whole groups with a vector, for `V` panels of `H` rows that
/// are `stride` entries apart.
///
/// # Safety
/// There are these groups of the panels and of the vector, which is aligned to eight bytes. The
/// processor has the instruction set `S`.
#[inline(always)]
unsafe fn whole_groups<S: Isa, const V: usize, const H: usize>(
    panel: *const i8,
    stride: usize,
    x: *const i16,
    groups: usize,
) -> [[i32; PANEL]; V] {
    // SAFETY: guaranteed by the caller.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if has_avx2::<S>() && H == PANEL {
            return avx2::whole_groups(panel, stride, x, groups);
        }
        let mut sums = [[0; PANEL]; V];
        #[cfg(rnn_cell_dsp)]
        if H == PANEL && groups > 0 {
            for v in 0..V {
                sums[v] = dsp::whole_groups(panel.add(v * stride), x, groups);
            }
            return sums;
        }
        for group in 0..groups {
            let x = x.add(group * GROUP);
            for v in 0..V {
                for r in 0..H {
                    let entries = panel.add(v * stride + (group * H + r) * GROUP);
                    for entry in 0..GROUP {
                        sums[v][r] += i32::from(*entries.add(entry)) * i32::from(*x.add(ORDER[entry]));
                    }
                }
            }
        }
        sums
    }
}

#[cfg(rnn_cell_dsp)]
mod dsp {
    use super::{GROUP, PANEL};
    use core::arch::asm;

    /// Computes [`whole_groups`](super::whole_groups) of a panel of four rows.
    ///
    /// # Safety
    /// The same, with at least one group.
    #[inline(always)]
    pub unsafe fn whole_groups(panel: *const i8, x: *const i16, groups: usize) -> [i32; PANEL] {
        // Written as a loop, because the compiler does not keep its twelve values in registers.
        // `sxtb16` widens the bytes 0 and 2, or 1 and 3. `smlad` adds the products of both halves.
        // `ldrd` needs an address that is a multiple of four, like the distances of panels.
        debug_assert!(panel.addr().is_multiple_of(4) && x.addr().is_multiple_of(4));
        let mut sums = [0; PANEL];
        let [first, second, third, fourth] = &mut sums;
        // SAFETY: the loop reads the groups of the panel and of the vector.
        unsafe {
            asm!(
                "2:",
                "ldrd {even}, {odd}, [{x}], #8",
                "ldrd {a}, {b}, [{entries}], #8",
                "sxtb16 {wide}, {a}",
                "sxtb16 {a}, {a}, ror #8",
                "smlad {first}, {wide}, {even}, {first}",
                "smlad {first}, {a}, {odd}, {first}",
                "sxtb16 {wide}, {b}",
                "sxtb16 {b}, {b}, ror #8",
                "smlad {second}, {wide}, {even}, {second}",
                "smlad {second}, {b}, {odd}, {second}",
                "ldrd {a}, {b}, [{entries}], #8",
                "sxtb16 {wide}, {a}",
                "sxtb16 {a}, {a}, ror #8",
                "smlad {third}, {wide}, {even}, {third}",
                "smlad {third}, {a}, {odd}, {third}",
                "sxtb16 {wide}, {b}",
                "sxtb16 {b}, {b}, ror #8",
                "cmp {entries}, {end}",
                "smlad {fourth}, {wide}, {even}, {fourth}",
                "smlad {fourth}, {b}, {odd}, {fourth}",
                "bne 2b",
                entries = inout(reg) panel => _,
                x = inout(reg) x => _,
                end = in(reg) panel.add(groups * GROUP * PANEL),
                first = inout(reg) *first,
                second = inout(reg) *second,
                third = inout(reg) *third,
                fourth = inout(reg) *fourth,
                even = out(reg) _,
                odd = out(reg) _,
                a = out(reg) _,
                b = out(reg) _,
                wide = out(reg) _,
                options(nostack, readonly),
            );
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{GROUP, PANEL};
    use core::arch::x86_64::*;

    /// Computes [`whole_groups`](super::whole_groups) of panels of four rows, for `V` that is 1 or
    /// even.
    ///
    /// # Safety
    /// The same, with AVX2.
    #[inline(always)]
    pub unsafe fn whole_groups<const V: usize>(
        panel: *const i8,
        stride: usize,
        x: *const i16,
        groups: usize,
    ) -> [[i32; PANEL]; V] {
        // SAFETY: guaranteed by the caller.
        unsafe {
            let mut pairs = [_mm256_setzero_si256(); V];
            for group in 0..groups {
                let x = _mm256_set1_epi64x(x.add(group * GROUP).cast::<i64>().read_unaligned());
                for v in 0..V {
                    let entries = _mm_loadu_si128(panel.add(v * stride + group * GROUP * PANEL).cast());
                    let products = _mm256_madd_epi16(_mm256_cvtepi8_epi16(entries), x);
                    pairs[v] = _mm256_add_epi32(pairs[v], products);
                }
            }
            // Each row has two neighbouring sums.
            let mut sums = [[0; PANEL]; V];
            for v in 0..V {
                let sum = _mm256_hadd_epi32(pairs[v], pairs[v]);
                let rows =
                    _mm_unpacklo_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
                _mm_storeu_si128(sums[v].as_mut_ptr().cast(), rows);
            }
            sums
        }
    }
}
