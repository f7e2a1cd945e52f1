//! Sums, maxima, and transposition.

use super::isa::Isa;
use crate::Scalar;

/// Partial sums side by side: one chain of additions would wait for itself.
const LANES: usize = 8;

/// The sum of all entries.
#[inline(always)]
pub fn sum<S: Isa, T: Scalar>(_isa: S, x: &[T]) -> T {
    let mut sums = [T::ZERO; LANES];
    let mut blocks = x.chunks_exact(LANES);
    for block in &mut blocks {
        for l in 0..LANES {
            sums[l] += block[l];
        }
    }
    let mut total = T::ZERO;
    for &entry in blocks.remainder() {
        total += entry;
    }
    ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])) + total
}

/// The largest entry: NaN if there is one, minus infinity for none.
#[inline(always)]
pub fn maximum<S: Isa, T: Scalar>(isa: S, x: &[T]) -> T {
    let lowest = -T::INFINITE;
    let mut largest = [lowest; LANES];
    let mut blocks = x.chunks_exact(LANES);
    for block in &mut blocks {
        for l in 0..LANES {
            largest[l] = super::math::max(isa, block[l], largest[l]);
        }
    }
    let mut all = lowest;
    for &entry in blocks.remainder() {
        all = super::math::max(isa, entry, all);
    }
    for l in 0..LANES {
        all = super::math::max(isa, largest[l], all);
    }
    all
}

/// `out[r] = or += sum over columns of m[r, ..]`; `m` is `N x s`.
#[inline(always)]
pub fn row_sums<S: Isa, T: Scalar, const N: usize>(_isa: S, m: &[T], out: &mut [T], accumulate: bool) {
    let out = &mut out[..N];
    if !accumulate {
        out.fill(T::ZERO);
    }
    if N == 0 {
        return;
    }
    if N == 1 {
        out[0] += sum(_isa, m);
        return;
    }
    // Blocks of rows outermost: their sums stay in registers while the columns pass.
    let mut first = 0;
    while first < N {
        let count = if N - first < LANES { N - first } else { LANES };
        let mut sums = [T::ZERO; LANES];
        sums[..count].copy_from_slice(&out[first..first + count]);
        for column in m.chunks_exact(N) {
            let part = &column[first..first + count];
            for l in 0..count {
                sums[l] += part[l];
            }
        }
        out[first..first + count].copy_from_slice(&sums[..count]);
        first += count;
    }
}

/// `out[c] = or += sum over rows of m[.., c]`; `m` is `N x s`.
#[inline(always)]
pub fn column_sums<S: Isa, T: Scalar, const N: usize>(isa: S, m: &[T], out: &mut [T], accumulate: bool) {
    if N == 0 {
        if !accumulate {
            out.fill(T::ZERO);
        }
        return;
    }
    for (column, out) in m.chunks_exact(N).zip(out) {
        let total = sum(isa, column);
        *out = if accumulate { *out + total } else { total };
    }
}

/// `out (columns x rows)` is the transpose of `a (rows x columns)`.
#[inline(always)]
pub fn transpose<T: Copy>(rows: usize, columns: usize, a: &[T], out: &mut [T]) {
    let (a, out) = (&a[..rows * columns], &mut out[..rows * columns]);
    if rows == 1 || columns == 1 {
        out.copy_from_slice(a);
        return;
    }
    for column in 0..columns {
        let from = &a[column * rows..(column + 1) * rows];
        for row in 0..rows {
            out[column + row * columns] = from[row];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, assert_near, both, transposed};

    #[inline(always)]
    fn check<S: Isa, T: Scalar, const N: usize>(isa: S) {
        for s in [0, 1, 2, 5, 8, 33] {
            let mut random = Random::new((N * 100 + s) as u64);
            let m: Vec<T> = random.scalars(N * s);
            let total: f64 = m.iter().map(|entry| entry.as_f64()).sum();
            assert_near(&[sum(isa, &m)], &[total], N * s);
            let largest = m.iter().fold(f64::NEG_INFINITY, |largest, entry| largest.max(entry.as_f64()));
            assert!(maximum(isa, &m).as_f64() == largest);
            for accumulate in [false, true] {
                let old: Vec<T> = random.scalars(N);
                let mut out = old.clone();
                row_sums::<S, T, N>(isa, &m, &mut out, accumulate);
                let mut expected: Vec<f64> =
                    old.iter().map(|entry| if accumulate { entry.as_f64() } else { 0.0 }).collect();
                (0..N * s).for_each(|i| expected[i % N] += m[i].as_f64());
                assert_near(&out, &expected, s);

                let old: Vec<T> = random.scalars(s);
                let mut out = old.clone();
                column_sums::<S, T, N>(isa, &m, &mut out, accumulate);
                let mut expected: Vec<f64> =
                    old.iter().map(|entry| if accumulate { entry.as_f64() } else { 0.0 }).collect();
                (0..N * s).for_each(|i| expected[i / N] += m[i].as_f64());
                assert_near(&out, &expected, N);
            }
            let mut out = vec![T::ZERO; N * s];
            transpose(N, s, &m, &mut out);
            assert!(out == transposed(N, s, &m));
        }
    }

    #[test]
    fn against_plain_loops() {
        both!(isa => {
            check::<_, f32, 1>(isa); check::<_, f32, 2>(isa); check::<_, f32, 5>(isa); check::<_, f32, 8>(isa);
            check::<_, f32, 16>(isa); check::<_, f32, 20>(isa); check::<_, f32, 33>(isa); check::<_, f32, 64>(isa);
            check::<_, f32, 100>(isa);
            check::<_, f64, 1>(isa); check::<_, f64, 5>(isa); check::<_, f64, 20>(isa); check::<_, f64, 100>(isa);
        });
    }

    #[test]
    fn the_maximum_of_odd_values() {
        both!(isa => {
            assert_eq!(maximum::<_, f32>(isa, &[]), f32::NEG_INFINITY);
            assert_eq!(maximum::<_, f32>(isa, &[f32::NEG_INFINITY; 9]), f32::NEG_INFINITY);
            for at in 0..20 {
                let mut x = [1.0f32; 20];
                x[at] = f32::NAN;
                assert!(maximum(isa, &x).is_nan(), "NaN at {at}");
            }
        });
    }
}
