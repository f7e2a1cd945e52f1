//! Spectral radius and spectral norm of a matrix, and scaling to a given value of either.

use alloc::vec;
use alloc::vec::Vec;

use nalgebra::ComplexField;

use crate::types::blocks::{At, Block};
use crate::{Scalar, functions};

/// Multiplies every entry by `gain`. An orthogonal matrix with a gain is `orthogonal` followed by
/// `scale`.
pub fn scale<P: Block>(parameter: &mut P, gain: f64) {
    let entries = entries(parameter);
    super::from_fn(parameter, |row, column| gain * entries[row + column * P::ROWS]);
}

/// Returns the largest magnitude of an eigenvalue.
///
/// The algorithm is Gelfand's formula, `|A^n|^(1/n)` with `n` = 2⁵⁰: the matrix is squared fifty
/// times. The result is accurate up to rounding if the eigenvalue is well conditioned.
///
/// # Panics
/// Panics if the matrix is not square.
#[track_caller]
pub fn spectral_radius<P: Block>(parameter: &P) -> f64 {
    assert!(P::ROWS == P::COLUMNS, "a matrix of {} x {} has no eigenvalues", P::ROWS, P::COLUMNS);
    gelfand(entries(parameter), P::ROWS)
}

/// Returns the largest singular value, which is the largest factor by which the matrix stretches a
/// vector. If it is below 1 in the recurrent matrix of a tanh network, gradients are certain to
/// vanish.
pub fn spectral_norm<P: Block>(parameter: &P) -> f64 {
    let (rows, columns) = (P::ROWS, P::COLUMNS);
    let a = entries(parameter);
    let largest = a.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    // The squares of the singular values are the eigenvalues of the transpose times the matrix.
    let mut square = vec![0.0; columns * columns];
    for (i, left) in a.chunks_exact(rows).enumerate() {
        for (j, right) in a.chunks_exact(rows).enumerate() {
            square[i + j * columns] =
                left.iter().zip(right).map(|(x, y)| (x / largest) * (y / largest)).sum();
        }
    }
    largest * ComplexField::sqrt(gelfand(square, columns))
}

/// Scales a square matrix to a spectral radius, as reservoirs need it (Jaeger 2001). A matrix whose
/// eigenvalues are all zero is unchanged.
///
/// ```
/// use nalgebra::SMatrix;
/// use rnn_cell::init;
/// use rnn_cell::prelude::*;
///
/// let mut w = SMatrix::<f64, 20, 20>::zeros();
/// init::normal(&mut w, 1.0, &mut Xoshiro256PlusPlus::seed_from_u64(1));
/// init::scale_to_spectral_radius(&mut w, 0.9);
/// assert!((init::spectral_radius(&w) - 0.9).abs() < 1e-12);
/// assert!(init::spectral_norm(&w) > 0.9);
/// ```
///
/// # Panics
/// Panics if the matrix is not square.
#[track_caller]
pub fn scale_to_spectral_radius<P: Block>(parameter: &mut P, radius: f64) {
    let before = spectral_radius(parameter);
    if before > 0.0 {
        scale(parameter, radius / before);
    }
}

/// Scales a matrix to a spectral norm. A matrix of zeros is unchanged.
pub fn scale_to_spectral_norm<P: Block>(parameter: &mut P, norm: f64) {
    let before = spectral_norm(parameter);
    if before > 0.0 {
        scale(parameter, norm / before);
    }
}

/// Returns the entries of a parameter, column by column.
fn entries<P: Block>(parameter: &P) -> Vec<f64> {
    let positions = (0..P::COLUMNS).flat_map(|column| (0..P::ROWS).map(move |row| (row, column)));
    positions
        .map(|(row, column)| parameter.entry(At { head: 0, row, column }).map_or(0.0, |x| x.as_f64()))
        .collect()
}

/// Returns the spectral radius of a square matrix that is stored column by column.
fn gelfand(mut power: Vec<f64>, size: usize) -> f64 {
    const SQUARINGS: i32 = 50;
    let mut next = vec![0.0; power.len()];
    // ln |A^n| / n, because every power is scaled to a norm of one.
    let (mut ln, mut share) = (0.0, 1.0);
    for _ in 0..=SQUARINGS {
        let norm = ComplexField::sqrt(power.iter().map(|x| x * x).sum::<f64>());
        if norm == 0.0 || !norm.is_finite() {
            return norm;
        }
        ln += share * functions::ln(norm);
        share *= 0.5;
        power.iter_mut().for_each(|x| *x /= norm);
        next.fill(0.0);
        for (to, right) in next.chunks_exact_mut(size).zip(power.chunks_exact(size)) {
            for (column, factor) in power.chunks_exact(size).zip(right) {
                to.iter_mut().zip(column).for_each(|(to, x)| *to += factor * x);
            }
        }
        core::mem::swap(&mut power, &mut next);
    }
    functions::exp(ln)
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, Matrix2, Matrix3, SMatrix};

    use super::*;
    use crate::init;
    use crate::rng::{SeedableRng, Xoshiro256PlusPlus};
    use crate::types::blocks::Cols;

    fn random<const R: usize, const C: usize>(seed: u64) -> SMatrix<f64, R, C> {
        let mut matrix = SMatrix::zeros();
        init::normal(&mut matrix, 1.0, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        matrix
    }

    #[track_caller]
    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found}, not {expected}");
    }

    #[test]
    fn eigenvalues_that_are_known() {
        assert_close(spectral_radius(&Matrix3::new(0.5, 9.0, 9.0, 0.0, -2.0, 9.0, 0.0, 0.0, 1.0)), 2.0);
        // A rotation: complex eigenvalues 0.6 ± 0.8i, stretched.
        assert_close(spectral_radius(&(3.0 * Matrix2::new(0.6, -0.8, 0.8, 0.6))), 3.0);
        // A Jordan block, whose powers grow before they decay.
        assert_close(spectral_radius(&Matrix2::new(0.5, 100.0, 0.0, 0.5)), 0.5);
        assert_eq!(spectral_radius(&Matrix2::new(0.0, 1.0, 0.0, 0.0)), 0.0);
        assert_eq!(spectral_radius(&-2.5_f64), 2.5);
    }

    #[test]
    fn random_matrices_agree_with_schurs_decomposition() {
        for seed in 0..5 {
            let matrix = random::<16, 16>(seed);
            let eigenvalues = matrix.complex_eigenvalues();
            let largest = eigenvalues.iter().map(|x| x.norm()).fold(0.0, f64::max);
            assert_close(spectral_radius(&matrix), largest);
        }
    }

    #[test]
    fn norms_agree_with_the_singular_values() {
        fn check<const R: usize, const C: usize>(scale: f64) {
            let matrix = scale * random::<R, C>(7);
            let values = DMatrix::from_column_slice(R, C, matrix.as_slice()).singular_values();
            assert_close(spectral_norm(&matrix), values.max());
        }
        check::<6, 9>(1.0);
        check::<9, 6>(1e200);
        check::<1, 5>(1e-200);
        assert_eq!(spectral_norm(&Matrix2::<f64>::zeros()), 0.0);
    }

    #[test]
    fn matrices_are_rescaled() {
        let mut matrix = random::<12, 12>(1);
        scale_to_spectral_radius(&mut matrix, 1.5);
        assert_close(spectral_radius(&matrix), 1.5);
        scale_to_spectral_norm(&mut matrix, 0.5);
        assert_close(spectral_norm(&matrix), 0.5);

        // An orthogonal matrix with a gain has one singular value; blocks are scaled as the whole.
        let mut blocks = Cols { left: SMatrix::<f32, 4, 2>::zeros(), right: SMatrix::<f32, 4, 2>::zeros() };
        init::orthogonal(&mut blocks, &mut Xoshiro256PlusPlus::seed_from_u64(1));
        scale(&mut blocks, 0.5);
        assert!((spectral_norm(&blocks) - 0.5).abs() < 1e-6 && (spectral_radius(&blocks) - 0.5).abs() < 1e-6);

        let mut nilpotent = Matrix2::new(0.0, 1.0, 0.0, 0.0);
        scale_to_spectral_radius(&mut nilpotent, 0.9);
        assert_eq!(nilpotent, Matrix2::new(0.0, 1.0, 0.0, 0.0));
    }

    #[test]
    #[should_panic(expected = "a matrix of 2 x 3 has no eigenvalues")]
    fn only_square_matrices_have_eigenvalues() {
        spectral_radius(&SMatrix::<f64, 2, 3>::zeros());
    }
}
