//! Products in integers: entries of eight bits times a vector rounded to 16 bits, added up in 32
//! bits.
//!
//! A vector is rounded in chunks of [`CHUNK`] entries. The largest magnitude of a chunk becomes
//! 32767, just as the largest magnitude of a row of the matrix becomes 127. The sums of a chunk are
//! exact. Everything else is a fixed sequence of operations on `f32` without fused multiply-adds,
//! so all processors compute the same bits.
//!
//! The rows are stored in panels of four, one panel after the other, and within a panel in groups
//! of four columns: four entries of the first row, four of the second, and so on. The remaining
//! columns follow one by one. The last panel has the remaining rows. A Cortex-M4 multiplies a word
//! of four entries in four instructions, AVX2 a group of four rows in three.

use super::{Int8By16, Narrow};
use crate::Scalar;
use crate::kernels::isa::{Isa, Level};
use core::mem::MaybeUninit;
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

/// The rounded entries of a chunk of a vector. Each whole group has the order [`ORDER`].
#[repr(align(8))]
struct Rounded([MaybeUninit<i16>; CHUNK]);

/// The position of each entry of a group. `sxtb16` widens every other byte of a word.
const ORDER: [usize; GROUP] = if cfg!(rnn_cell_dsp) { [0, 2, 1, 3] } else { [0, 1, 2, 3] };

/// Rounds at most [`CHUNK`] entries. Returns the value of a rounded entry of 1.
#[inline(always)]
fn round<S: Isa, T: Scalar>(_isa: S, x: &[T], to: &mut [MaybeUninit<i16>; CHUNK]) -> f32 {
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
    let factor = MOST / largest;
    let done = match () {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the scalar is `f32`, and the token proves the instruction set.
        () if has_avx2::<S>() && size_of::<T>() == size_of::<f32>() => unsafe { avx2::round(x, factor, to) },
        () => 0,
    };
    let (Some(x), Some(to)) = (x.get(done..), to.get_mut(done..)) else { return f32::NAN };
    let rounded = |x: T| MaybeUninit::new(((x.as_f64() as f32) * factor + WHOLE).to_bits() as i16);
    let (groups, alone) = x.as_chunks::<GROUP>();
    let (to, rest) = to.as_chunks_mut::<GROUP>();
    let mut to = to.iter_mut();
    for (group, to) in groups.iter().zip(&mut to) {
        for entry in 0..GROUP {
            to[ORDER[entry] % GROUP] = rounded(group[entry]);
        }
    }
    let rest = to.next().map_or(rest, |to| to.as_mut_slice());
    for (x, to) in alone.iter().zip(rest) {
        *to = rounded(*x);
    }
    // NaN if the largest magnitude is infinite, which makes the products NaN.
    largest / MOST + 0.0 * largest
}

/// Computes [`round`] with the baseline's instructions. It is not inlined, to keep programs small.
#[inline(never)]
fn round_outlined<S: Isa, T: Scalar>(isa: S, x: &[T], to: &mut [MaybeUninit<i16>; CHUNK]) -> f32 {
    round(isa, x, to)
}

/// Computes [`Format::products`](super::Format::products).
#[inline(always)]
pub fn products<S: Isa, T: Scalar, const M: usize, const G: usize, const P: usize>(
    isa: S,
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
        let mut fits = true;
        for g in 0..G {
            fits &= a[p][g].entries.len() == M * k && a[p][g].scales.len() == M && y[g].len() == M * n;
            // The entries of `Stored` are aligned.
            fits &= !cfg!(rnn_cell_dsp) || a[p][g].entries.as_ptr().addr().is_multiple_of(4);
        }
        if !fits {
            // Wrong sizes would be a bug in this crate, and a step must not panic.
            debug_assert!(false, "the slices do not have the sizes of the matrices");
            return;
        }
        for j in 0..n {
            let mut first = 0;
            while first == 0 || first < k {
                let count = if k - first < CHUNK { k - first } else { CHUNK };
                let Some(x) = x[p].get(j * k + first..j * k + first + count) else { return };
                let unit = match has_avx2::<S>() {
                    true => round(isa, x, &mut rounded.0),
                    false => round_outlined(isa, x, &mut rounded.0),
                };
                let mut matrices = [(ptr::null(), ptr::null(), ptr::null_mut()); G];
                for g in 0..G {
                    let y = y[g].as_mut_ptr().wrapping_add(j * M);
                    matrices[g] = (a[p][g].entries.as_ptr(), a[p][g].scales.as_ptr(), y);
                }
                let part = Part {
                    matrices: &matrices,
                    k,
                    first,
                    count,
                    x: rounded.0.as_ptr().cast(),
                    unit,
                    accumulate: accumulate || p > 0 || first > 0,
                };
                // SAFETY: the slices have the sizes of the matrices, and the part of the vector is
                // rounded. The token proves the instruction set.
                unsafe {
                    match has_avx2::<S>() {
                        true => part.multiply::<S, M>(),
                        false => part.multiply_outlined::<S, M>(),
                    }
                }
                first += CHUNK;
            }
        }
    }
}

/// Some columns of matrices and the rounded entries of a vector that belong to them.
struct Part<'a, T> {
    /// The entries and the scales of each whole matrix, and its results.
    matrices: &'a [(*const i8, *const T, *mut T)],
    /// The number of columns of a whole matrix.
    k: usize,
    /// The first column, a multiple of [`GROUP`].
    first: usize,
    /// The number of columns.
    count: usize,
    /// The rounded entries.
    x: *const i16,
    /// The value of a rounded entry of 1.
    unit: f32,
    /// True if the products are added to the results.
    accumulate: bool,
}

impl<T: Scalar> Part<'_, T> {
    /// Computes the products of the part.
    ///
    /// # Safety
    /// The matrices have `M` rows, scales and results, and the columns. There are `count` rounded
    /// entries, aligned to eight bytes. The processor has the instruction set `S`.
    #[inline(always)]
    unsafe fn multiply<S: Isa, const M: usize>(&self) {
        for &(entries, scales, y) in self.matrices {
            let mut row = 0;
            let mut rows = Rows { entries: entries.wrapping_add(self.first * PANEL), scales, y };
            // SAFETY: the panels cover the rows.
            unsafe {
                // The scalar is `f32`.
                if size_of::<T>() == size_of::<f32>() {
                    #[cfg(rnn_cell_dsp)]
                    if M >= PANEL {
                        row = M - M % PANEL;
                        dsp::panels(self, row, &mut rows);
                    }
                    #[cfg(target_arch = "x86_64")]
                    if has_avx2::<S>() {
                        while row + 4 * PANEL <= M {
                            avx2::panels::<S, T, 4>(self, &mut rows);
                            row += 4 * PANEL;
                        }
                        if row + 2 * PANEL <= M {
                            avx2::panels::<S, T, 2>(self, &mut rows);
                            row += 2 * PANEL;
                        }
                        if row + PANEL <= M {
                            avx2::panels::<S, T, 1>(self, &mut rows);
                            row += PANEL;
                        }
                    }
                }
                while row + PANEL <= M {
                    self.panel::<PANEL>(&mut rows);
                    row += PANEL;
                }
                rows.entries = entries.wrapping_add(row * self.k + self.first * (M % PANEL));
                match M % PANEL {
                    1 => self.panel::<1>(&mut rows),
                    2 => self.panel::<2>(&mut rows),
                    3 => self.panel::<3>(&mut rows),
                    _ => {}
                }
            }
        }
    }

    /// Computes [`multiply`](Self::multiply) with the baseline's instructions, like
    /// [`round_outlined`].
    ///
    /// # Safety
    /// The same.
    #[inline(never)]
    unsafe fn multiply_outlined<S: Isa, const M: usize>(&self) {
        // SAFETY: guaranteed by the caller.
        unsafe { self.multiply::<S, M>() }
    }

    /// Computes a panel of `H` rows in plain Rust, and moves on to the rows behind it.
    ///
    /// # Safety
    /// The same as for [`multiply`](Self::multiply). The matrix has this panel.
    #[inline(always)]
    unsafe fn panel<const H: usize>(&self, rows: &mut Rows<T>) {
        let Rows { entries, scales, y } = *rows;
        let groups = self.count / GROUP;
        let mut sums = [0; H];
        // SAFETY: guaranteed by the caller.
        unsafe {
            for group in 0..groups {
                let x = self.x.add(group * GROUP);
                for r in 0..H {
                    let entries = entries.add((group * H + r) * GROUP);
                    for entry in 0..GROUP {
                        sums[r] += i32::from(*entries.add(entry)) * i32::from(*x.add(ORDER[entry]));
                    }
                }
            }
            for column in groups * GROUP..self.count {
                for r in 0..H {
                    sums[r] += i32::from(*entries.add(column * H + r)) * i32::from(*self.x.add(column));
                }
            }
            for r in 0..H {
                // For `f32` these convert nothing, so no `f64` is involved.
                let scale = *scales.add(r) * T::of(f64::from(self.unit));
                let product = T::of(f64::from(sums[r] as f32)) * scale;
                let y = y.add(r);
                *y = if self.accumulate { *y + product } else { product };
            }
        }
        rows.advance(H, self.k);
    }
}

/// The rows of a matrix that are still to be multiplied.
struct Rows<T> {
    /// The entries of the part's first column.
    entries: *const i8,
    scales: *const T,
    y: *mut T,
}

impl<T> Rows<T> {
    /// Moves on by `count` rows of a matrix of `k` columns.
    #[inline(always)]
    fn advance(&mut self, count: usize, k: usize) {
        self.entries = self.entries.wrapping_add(count * k);
        self.scales = self.scales.wrapping_add(count);
        self.y = self.y.wrapping_add(count);
    }
}

const fn has_avx2<S: Isa>() -> bool {
    !matches!(S::LEVEL, Level::Portable)
}

#[cfg(rnn_cell_dsp)]
mod dsp {
    use super::{GROUP, PANEL, Part, Rows};
    use core::arch::asm;

    /// Computes `count` rows of `f32`, a multiple of four that is not zero, and moves on to the
    /// rows behind them. It is the loop of [`Part::multiply`] over whole panels.
    ///
    /// The compiler does not keep the twelve values of the inner loop in registers, so the loop is
    /// assembly. `sxtb16` widens the bytes 0 and 2 of a word, or 1 and 3. `smlad` adds the products
    /// of both halves. `ldrd` needs multiples of four, which the distances of groups and panels
    /// are.
    ///
    /// # Safety
    /// The same as for [`Part::multiply`]. The scalar is `f32`, and the entries are aligned to four
    /// bytes.
    #[inline(always)]
    pub unsafe fn panels<T>(part: &Part<'_, T>, count: usize, rows: &mut Rows<T>) {
        let groups = part.count / GROUP;
        let end = rows.y.wrapping_add(count);
        // SAFETY: the assembly reads entries of the panels, the rounded entries, the scales and the
        // results, and writes the results. It removes what it puts on the stack.
        unsafe {
            asm!(
                // The target does not let `asm!` declare these registers as overwritten.
                "vpush {{s0-s9}}",
                "vmov s8, {wide}",
                "sub sp, sp, #32",
                "strd {first}, {second}, [sp]",
                "strd {third}, {fourth}, [sp, #8]",
                "strd {even}, {odd}, [sp, #16]",
                "strd {a}, {b}, [sp, #24]",
                // Begin a panel.
                "2:",
                "ldrd {x}, {end}, [sp]",
                "mov {first}, #0",
                "mov {second}, #0",
                "mov {third}, #0",
                "mov {fourth}, #0",
                "adds {end}, {end}, {entries}",
                "cmp {end}, {entries}",
                "beq 4f",
                // Add the products of a whole group.
                "3:",
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
                "bne 3b",
                // Add the products of the remaining columns.
                "4:",
                "ldr {end}, [sp, #8]",
                "cmp {end}, #0",
                "beq 6f",
                "5:",
                "ldrsh {even}, [{x}], #2",
                "ldrsb {a}, [{entries}], #1",
                "ldrsb {b}, [{entries}], #1",
                "smlabb {first}, {a}, {even}, {first}",
                "ldrsb {a}, [{entries}], #1",
                "smlabb {second}, {b}, {even}, {second}",
                "ldrsb {b}, [{entries}], #1",
                "smlabb {third}, {a}, {even}, {third}",
                "subs {end}, {end}, #1",
                "smlabb {fourth}, {b}, {even}, {fourth}",
                "bne 5b",
                // Scale the sums and add them to the results.
                "6:",
                "ldrd {wide}, {odd}, [sp, #12]",
                "ldrd {a}, {b}, [sp, #24]",
                "add {entries}, {entries}, {wide}",
                "vmov s0, s1, {first}, {second}",
                "vmov s2, s3, {third}, {fourth}",
                "vldmia {a}!, {{s4-s7}}",
                "vcvt.f32.s32 s0, s0",
                "vcvt.f32.s32 s1, s1",
                "vcvt.f32.s32 s2, s2",
                "vcvt.f32.s32 s3, s3",
                "vmul.f32 s4, s4, s8",
                "vmul.f32 s5, s5, s8",
                "vmul.f32 s6, s6, s8",
                "vmul.f32 s7, s7, s8",
                "vmul.f32 s0, s0, s4",
                "vmul.f32 s1, s1, s5",
                "vmul.f32 s2, s2, s6",
                "vmul.f32 s3, s3, s7",
                "cmp {odd}, #0",
                "beq 7f",
                "vldmia {b}, {{s4-s7}}",
                "vadd.f32 s0, s4, s0",
                "vadd.f32 s1, s5, s1",
                "vadd.f32 s2, s6, s2",
                "vadd.f32 s3, s7, s3",
                "7:",
                "vstmia {b}!, {{s0-s3}}",
                "ldr {wide}, [sp, #20]",
                "strd {a}, {b}, [sp, #24]",
                "cmp {b}, {wide}",
                "bne 2b",
                "add sp, sp, #32",
                "vpop {{s0-s9}}",
                entries = inout(reg) rows.entries => rows.entries,
                // These are stored on the stack, in this order.
                first = inout(reg) part.x => _,
                second = inout(reg) groups * GROUP * PANEL => _,
                third = inout(reg) part.count % GROUP => _,
                fourth = inout(reg) (part.k - part.count) * PANEL => _,
                even = inout(reg) usize::from(part.accumulate) => _,
                odd = inout(reg) end => _,
                a = inout(reg) rows.scales => rows.scales,
                b = inout(reg) rows.y => rows.y,
                x = out(reg) _,
                end = out(reg) _,
                wide = inout(reg) part.unit.to_bits() => _,
            );
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use super::{CHUNK, GROUP, PANEL, Part, Rows};
    use crate::kernels::isa::{Isa, Level};
    use core::arch::x86_64::*;
    use core::mem::MaybeUninit;

    /// Rounds numbers multiplied by `factor`, like [`round`](super::round), eight at a time.
    /// Returns how many are rounded.
    ///
    /// # Safety
    /// The scalar is `f32`. The processor has AVX2.
    #[inline(always)]
    pub unsafe fn round<T>(x: &[T], factor: f32, to: &mut [MaybeUninit<i16>; CHUNK]) -> usize {
        let mut done = 0;
        while done + 8 <= x.len() && done + 8 <= CHUNK {
            // SAFETY: there are eight entries on both sides; the rest is guaranteed by the caller.
            unsafe {
                let x = _mm256_loadu_ps(x.as_ptr().add(done).cast());
                // The conversion rounds ties to even. A NaN becomes a number, but then the unit is
                // NaN.
                let whole = _mm256_cvtps_epi32(_mm256_mul_ps(x, _mm256_set1_ps(factor)));
                let halves = _mm256_permute4x64_epi64::<0b1000>(_mm256_packs_epi32(whole, whole));
                _mm_storeu_si128(to.as_mut_ptr().add(done).cast(), _mm256_castsi256_si128(halves));
            }
            done += 8;
        }
        done
    }

    /// Computes `V` panels of four rows of `f32`, where `V` is 1 or even, and moves on to the rows
    /// behind them.
    ///
    /// # Safety
    /// The same as for [`Part::multiply`]. The scalar is `f32`, the matrix has these panels, and
    /// `S` includes AVX2.
    #[inline(always)]
    pub unsafe fn panels<S: Isa, T, const V: usize>(part: &Part<'_, T>, rows: &mut Rows<T>) {
        let (groups, stride) = (part.count / GROUP, PANEL * part.k);
        let mut group = 0;
        // SAFETY: guaranteed by the caller. AVX-512 includes its extension BW.
        unsafe {
            // Each row of a panel has two neighbouring sums.
            let mut pairs = [_mm256_setzero_si256(); V];
            if matches!(S::LEVEL, Level::Avx512) {
                let mut wide = [_mm512_setzero_si512(); V];
                while group + 2 <= groups {
                    let x = _mm_loadu_si128(part.x.add(group * GROUP).cast());
                    let each_four = _mm512_set_epi64(1, 1, 1, 1, 0, 0, 0, 0);
                    let x = _mm512_permutexvar_epi64(each_four, _mm512_castsi128_si512(x));
                    for v in 0..V {
                        let entries = rows.entries.add(v * stride + group * GROUP * PANEL);
                        let entries = _mm512_cvtepi8_epi16(_mm256_loadu_si256(entries.cast()));
                        wide[v] = _mm512_add_epi32(wide[v], _mm512_madd_epi16(entries, x));
                    }
                    group += 2;
                }
                for v in 0..V {
                    let upper = _mm512_extracti64x4_epi64::<1>(wide[v]);
                    pairs[v] = _mm256_add_epi32(_mm512_castsi512_si256(wide[v]), upper);
                }
            }
            while group < groups {
                let x = _mm256_set1_epi64x(part.x.add(group * GROUP).cast::<i64>().read_unaligned());
                for v in 0..V {
                    let entries = rows.entries.add(v * stride + group * GROUP * PANEL);
                    let entries = _mm256_cvtepi8_epi16(_mm_loadu_si128(entries.cast()));
                    pairs[v] = _mm256_add_epi32(pairs[v], _mm256_madd_epi16(entries, x));
                }
                group += 1;
            }
            // A remaining column is the first of a pair.
            for column in groups * GROUP..part.count {
                let x = _mm256_set1_epi64x(i64::from(*part.x.add(column)) & 0xFFFF);
                for v in 0..V {
                    let entries = rows.entries.add(v * stride + column * PANEL).cast::<i32>();
                    let entries = _mm256_cvtepi8_epi64(_mm_cvtsi32_si128(entries.read_unaligned()));
                    pairs[v] = _mm256_add_epi32(pairs[v], _mm256_madd_epi16(entries, x));
                }
            }
            let (scales, y) = (rows.scales.cast::<f32>(), rows.y.cast::<f32>());
            let unit = _mm256_set1_ps(part.unit);
            if V == 1 {
                let sums = _mm256_hadd_epi32(pairs[0], pairs[0]);
                let sums = _mm256_castsi256_si128(_mm256_permute4x64_epi64::<0b1000>(sums));
                let scales = _mm_mul_ps(_mm_loadu_ps(scales), _mm256_castps256_ps128(unit));
                let products = _mm_mul_ps(_mm_cvtepi32_ps(sums), scales);
                let sum = if part.accumulate { _mm_add_ps(_mm_loadu_ps(y), products) } else { products };
                _mm_storeu_ps(y, sum);
            }
            for two in 0..V / 2 {
                let (scales, y) = (scales.add(two * 2 * PANEL), y.add(two * 2 * PANEL));
                let sums = _mm256_hadd_epi32(pairs[2 * two], pairs[2 * two + 1]);
                let sums = _mm256_permute4x64_epi64::<0b1101_1000>(sums);
                let scales = _mm256_mul_ps(_mm256_loadu_ps(scales), unit);
                let products = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), scales);
                let sum =
                    if part.accumulate { _mm256_add_ps(_mm256_loadu_ps(y), products) } else { products };
                _mm256_storeu_ps(y, sum);
            }
        }
        rows.advance(V * PANEL, part.k);
    }
}
