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
#[cfg(rnn_cell_dsp)]
use core::arch::asm;
use core::mem::MaybeUninit;

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

/// The rounded entries of a chunk, those of each whole group in the order [`ORDER`].
#[repr(align(8))]
struct Rounded([MaybeUninit<i16>; CHUNK]);

/// The position of each entry of a group. `sxtb16` widens every other byte of a word.
const ORDER: [usize; GROUP] = if cfg!(rnn_cell_dsp) { [0, 2, 1, 3] } else { [0, 1, 2, 3] };

impl Rounded {
    /// Rounds at most [`CHUNK`] entries. Returns the value of a rounded entry of 1.
    #[inline(always)]
    fn round<T: Scalar>(&mut self, x: &[T]) -> f32 {
        // The largest magnitude is taken as at least 2^-100, so that its reciprocal is finite.
        const LEAST: f32 = f32::from_bits((127 - 100) << 23);
        // Adding this constant rounds to a whole number, ties to even, because the last place of
        // the sum is one. The low bits of the sum are the whole number in two's complement.
        const WHOLE: f32 = 1.5 * (1 << 23) as f32;
        // The bits of magnitudes have the order of the magnitudes, and those of NaN are the
        // largest.
        let mut most = LEAST.to_bits() as i32;
        for x in x {
            let bits = (x.as_f64() as f32).to_bits() as i32 & i32::MAX;
            most = if bits > most { bits } else { most };
        }
        let largest = f32::from_bits(most as u32);
        // With an infinite entry, the rounded entries are zero and the result is infinite. With a
        // NaN, the result is NaN. Both times the products are NaN.
        let factor = MOST / largest;
        let rounded = |x: T| MaybeUninit::new(((x.as_f64() as f32) * factor + WHOLE).to_bits() as i16);
        let (groups, alone) = x.as_chunks::<GROUP>();
        let (to, _) = self.0.as_chunks_mut::<GROUP>();
        let mut to = to.iter_mut();
        for (group, to) in groups.iter().zip(&mut to) {
            for entry in 0..GROUP {
                to[ORDER[entry]] = rounded(group[entry]);
            }
        }
        if let Some(to) = to.next() {
            for (x, to) in alone.iter().zip(to) {
                *to = rounded(*x);
            }
        }
        largest / MOST
    }
}

/// Computes [`Format::products`](super::Format::products).
#[inline(always)]
pub fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
    _isa: S,
    a: [[Narrow<'_, Int8By16, T>; G]; P],
    x: [&[T]; P],
    y: [&mut [T]; G],
    accumulate: bool,
) {
    if M == 0 || G == 0 || y[0].is_empty() {
        return;
    }
    let n = y[0].len() / M;
    let mut rounded = Rounded([MaybeUninit::uninit(); CHUNK]);
    for p in 0..P {
        let k = x[p].len() / n.max(1);
        for j in 0..n {
            let mut first = 0;
            loop {
                let count = if k - first < CHUNK { k - first } else { CHUNK };
                let Some(chunk) = x[p].get(j * k + first..j * k + first + count) else { return };
                let unit = rounded.round(chunk);
                for g in 0..G {
                    // Wrong sizes would be a bug in this crate, and a step must not panic. The
                    // compiler cannot remove the checks within these loops.
                    let (Some(entries), Some(scales), Some(y)) = (
                        a[p][g].entries.get(..M * k),
                        a[p][g].scales.get(..M),
                        y[g].get_mut(j * M..(j + 1) * M),
                    ) else {
                        debug_assert!(false, "the slices do not have the sizes of the matrices");
                        return;
                    };
                    let part = Part {
                        entries: entries.as_ptr(),
                        scales: scales.as_ptr(),
                        k,
                        first,
                        count,
                        x: rounded.0.as_ptr().cast(),
                        unit,
                        accumulate: accumulate || p > 0 || first > 0,
                    };
                    // SAFETY: the slices have the sizes of the matrices, and `count` entries are
                    // rounded. The token proves the instruction set.
                    unsafe { part.multiply::<S, M>(y.as_mut_ptr()) }
                }
                first += count;
                if first >= k {
                    break;
                }
            }
        }
    }
}

/// Some columns of a matrix and the rounded entries of a vector that belong to them.
struct Part<T> {
    entries: *const i8,
    scales: *const T,
    /// The number of columns of the matrix.
    k: usize,
    /// The first column of the part, a multiple of [`GROUP`].
    first: usize,
    /// The number of columns of the part, a multiple of [`GROUP`] unless it is the last part.
    count: usize,
    /// The rounded entries.
    x: *const i16,
    /// The value of a rounded entry of 1.
    unit: f32,
    /// Whether the product is added to the result.
    accumulate: bool,
}

impl<T: Scalar> Part<T> {
    /// Computes the rows of the result.
    ///
    /// # Safety
    /// There are `M * k` entries, `M` scales, `count` entries of the vector and `M` rows of the
    /// result. The processor has the instruction set `S`.
    #[inline(always)]
    unsafe fn multiply<S: Isa, const M: usize>(&self, y: *mut T) {
        let whole = M - M % PANEL;
        let mut row = 0;
        // SAFETY: the panels cover the rows.
        unsafe {
            if has_avx2::<S>() {
                while row + 4 * PANEL <= whole {
                    self.panels::<S, 4, PANEL>(row, y);
                    row += 4 * PANEL;
                }
                if row + 2 * PANEL <= whole {
                    self.panels::<S, 2, PANEL>(row, y);
                    row += 2 * PANEL;
                }
            }
            while row < whole {
                self.panels::<S, 1, PANEL>(row, y);
                row += PANEL;
            }
            match M % PANEL {
                1 => self.panels::<S, 1, 1>(row, y),
                2 => self.panels::<S, 1, 2>(row, y),
                3 => self.panels::<S, 1, 3>(row, y),
                _ => {}
            }
        }
    }

    /// Computes `V` panels of `H` rows, starting with row `row`.
    ///
    /// # Safety
    /// The same as for [`multiply`](Self::multiply). The matrix has these panels.
    #[inline(always)]
    unsafe fn panels<S: Isa, const V: usize, const H: usize>(&self, row: usize, y: *mut T) {
        let (groups, stride) = (self.count / GROUP, H * self.k);
        // SAFETY: guaranteed by the caller.
        unsafe {
            let panel = self.entries.add(row * self.k + self.first * H);
            let mut sums = whole_groups::<S, V, H>(panel, stride, self.x, groups);
            for column in GROUP * groups..self.count {
                let x = i32::from(*self.x.add(column));
                for v in 0..V {
                    for r in 0..H {
                        sums[v][r] += i32::from(*panel.add(v * stride + column * H + r)) * x;
                    }
                }
            }
            let sums = sums.as_flattened();
            for r in 0..V * H {
                let (scale, y) = (*self.scales.add(row + r), y.add(row + r));
                // For `f32` these are no conversions, so no `f64` is involved.
                let sum = T::of(f64::from(sums[r] as f32)) * (scale * T::of(f64::from(self.unit)));
                *y = if self.accumulate { *y + sum } else { sum };
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
/// There are these groups of the panels and of the vector. The processor has the instruction set
/// `S`.
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
        for group in 0..groups {
            for v in 0..V {
                for r in 0..H {
                    let entries = panel.add(v * stride + (group * H + r) * GROUP);
                    sums[v][r] = group_of_row(entries, x.add(group * GROUP), sums[v][r]);
                }
            }
        }
        sums
    }
}

/// Adds the products of a row's four entries of a group to a sum.
///
/// # Safety
/// There are four entries and four entries of the vector, in the order [`ORDER`]. Both are aligned
/// to four bytes.
#[cfg(rnn_cell_dsp)]
#[inline(always)]
unsafe fn group_of_row(entries: *const i8, x: *const i16, sum: i32) -> i32 {
    // SAFETY: guaranteed by the caller. The instructions read and write only their registers, and
    // the sum does not overflow, so they change no flag.
    unsafe {
        let (entries, x) = (entries.cast::<u32>().read(), x.cast::<[u32; 2]>().read());
        let (even, odd): (u32, u32);
        let mut sum = sum;
        asm!("sxtb16 {}, {}", lateout(reg) even, in(reg) entries, options(pure, nomem, nostack, preserves_flags));
        asm!("sxtb16 {}, {}, ror #8", lateout(reg) odd, in(reg) entries, options(pure, nomem, nostack, preserves_flags));
        asm!("smlad {0}, {1}, {2}, {0}", inlateout(reg) sum, in(reg) even, in(reg) x[0], options(pure, nomem, nostack, preserves_flags));
        asm!("smlad {0}, {1}, {2}, {0}", inlateout(reg) sum, in(reg) odd, in(reg) x[1], options(pure, nomem, nostack, preserves_flags));
        sum
    }
}

/// Adds the products of a row's four entries of a group to a sum.
///
/// # Safety
/// There are four entries and four entries of the vector.
#[cfg(not(rnn_cell_dsp))]
#[inline(always)]
unsafe fn group_of_row(entries: *const i8, x: *const i16, mut sum: i32) -> i32 {
    // SAFETY: guaranteed by the caller.
    let (entries, x) = unsafe { (entries.cast::<[i8; GROUP]>().read(), x.cast::<[i16; GROUP]>().read()) };
    for entry in 0..GROUP {
        sum += i32::from(entries[entry]) * i32::from(x[entry]);
    }
    sum
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
