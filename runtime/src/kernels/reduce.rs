//! Maxima, transposition, and blocks of vectors. Sums are computed by `fold` in `elementwise`,
//! together with their terms.

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

/// Writes the matrix (`ROWS` x `SIZE`) whose row `i` is the block of `SIZE` entries of `u` that
/// contains entry `i`. The sizes are checked when the program is built.
#[inline(always)]
pub fn blocks<T: Copy, const ROWS: usize, const SIZE: usize>(u: &[T], out: &mut [T]) {
    const { assert_blocks(ROWS, SIZE) };
    for (column, out) in out.chunks_exact_mut(ROWS.max(1)).enumerate().take(SIZE) {
        for (block, out) in u.chunks_exact(SIZE).zip(out.chunks_exact_mut(SIZE)) {
            if let Some(entry) = block.get(column) {
                out.fill(*entry);
            }
        }
    }
}

/// Adds up the entries of a matrix (`ROWS` x `SIZE`) as [`blocks`] repeats those of a vector: the
/// entry `j` of a block of `out` is the sum of column `j` over the rows of the block.
#[inline(always)]
pub fn sum_blocks<T: Scalar, const ROWS: usize, const SIZE: usize>(a: &[T], out: &mut [T]) {
    const { assert_blocks(ROWS, SIZE) };
    for (column, a) in a.chunks_exact(ROWS.max(1)).enumerate().take(SIZE) {
        for (a, block) in a.chunks_exact(SIZE).zip(out.chunks_exact_mut(SIZE)) {
            if let Some(sum) = block.get_mut(column) {
                *sum = a.iter().fold(T::ZERO, |sum, entry| sum + *entry);
            }
        }
    }
}

const fn assert_blocks(rows: usize, size: usize) {
    assert!(
        size > 0 && rows.is_multiple_of(size),
        "the number of entries must be a multiple of the size of the blocks"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Random, for_each_isa, transposed};

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
        for_each_isa!(isa => {
            check::<_, f32, 1>(isa); check::<_, f32, 2>(isa); check::<_, f32, 5>(isa); check::<_, f32, 8>(isa);
            check::<_, f32, 16>(isa); check::<_, f32, 20>(isa); check::<_, f32, 33>(isa); check::<_, f32, 64>(isa);
            check::<_, f32, 100>(isa);
            check::<_, f64, 1>(isa); check::<_, f64, 5>(isa); check::<_, f64, 20>(isa); check::<_, f64, 100>(isa);
        });
    }

    #[test]
    fn the_maximum_of_special_values() {
        for_each_isa!(isa => {
            assert_eq!(maximum::<_, f32>(isa, &[]), f32::NEG_INFINITY);
            assert_eq!(maximum::<_, f32>(isa, &[f32::NEG_INFINITY; 9]), f32::NEG_INFINITY);
            for at in 0..20 {
                let mut x = [1.0f32; 20];
                x[at] = f32::NAN;
                assert!(maximum(isa, &x).is_nan(), "NaN at {at}");
            }
        });
    }

    #[test]
    fn blocks_of_a_vector() {
        let u = [1.0, 2.0, 3.0, 4.0];
        let mut out = [0.0; 8];
        blocks::<_, 4, 2>(&u, &mut out);
        assert_eq!(out, [1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 4.0, 4.0]);
        let mut sums = [0.0; 4];
        sum_blocks::<_, 4, 2>(&[1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0], &mut sums);
        assert_eq!(sums, [3.0, 30.0, 7.0, 70.0]);
        blocks::<f32, 0, 2>(&[], &mut []);
    }
}
