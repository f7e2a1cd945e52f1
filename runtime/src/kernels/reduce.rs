//! Maxima and transposition. Sums are computed by `fold` in `elementwise`, together with their
//! terms.

use super::isa::Isa;
use crate::Scalar;

/// The number of partial maxima, which are computed independently to hide the latency of one
/// maximum.
const LANES: usize = 8;

/// Returns the largest entry, NaN if there is one, or minus infinity for an empty slice.
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

/// Writes the transpose of `a (rows x columns)` to `out (columns x rows)`.
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
    use crate::kernels::testing::{Random, both, transposed};

    #[inline(always)]
    fn check<S: Isa, T: Scalar, const N: usize>(isa: S) {
        for s in [0, 1, 2, 5, 8, 33] {
            let mut random = Random::new((N * 100 + s) as u64);
            let m: Vec<T> = random.scalars(N * s);
            let largest = m.iter().fold(f64::NEG_INFINITY, |largest, entry| largest.max(entry.as_f64()));
            assert!(maximum(isa, &m).as_f64() == largest);
            let mut out = vec![T::ZERO; N * s];
            transpose(N, s, &m, &mut out);
            assert!(out == transposed(N, s, &m));
        }
    }

    #[test]
    fn results_equal_those_of_plain_loops() {
        both!(isa => {
            check::<_, f32, 1>(isa); check::<_, f32, 2>(isa); check::<_, f32, 5>(isa); check::<_, f32, 8>(isa);
            check::<_, f32, 16>(isa); check::<_, f32, 20>(isa); check::<_, f32, 33>(isa); check::<_, f32, 64>(isa);
            check::<_, f32, 100>(isa);
            check::<_, f64, 1>(isa); check::<_, f64, 5>(isa); check::<_, f64, 20>(isa); check::<_, f64, 100>(isa);
        });
    }

    #[test]
    fn the_maximum_of_special_values() {
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
