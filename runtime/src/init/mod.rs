//! Initial values of parameters.
//!
//! Each function fills a whole parameter: the fans are those of the whole matrix (`fan_in` its
//! columns, `fan_out` its rows), even if it consists of blocks. Values are computed in `f64`,
//! column by column, and then rounded. The `f32` and the `f64` model of one seed are therefore the
//! same model, and `[H, H + I]` starts with the same values as a `[H, K]` of the same size.

#[cfg(feature = "alloc")]
mod spectral;

use nalgebra::ComplexField;

use crate::Scalar;
#[cfg(not(feature = "alloc"))]
use crate::kernels::plain::Flat;
use crate::rng::{self, Rng};
use crate::types::blocks::Block;

#[cfg(feature = "alloc")]
pub use spectral::{scale, scale_to_spectral_norm, scale_to_spectral_radius, spectral_norm, spectral_radius};

/// Sets every entry to `value`.
pub fn constant<P: Block>(parameter: &mut P, value: f64) {
    parameter.fill_with_value(P::Scalar::of(value));
}

/// Sets the diagonal to `value` and all other entries to zero. With `value` near 1 this is the
/// recurrent matrix of an IRNN (Le, Jaitly & Hinton 2015).
pub fn identity<P: Block>(parameter: &mut P, value: f64) {
    from_fn(parameter, |row, column| if row == column { value } else { 0.0 });
}

/// Sets every entry to `f(row, column)`.
pub fn from_fn<P: Block>(parameter: &mut P, f: impl Fn(usize, usize) -> f64) {
    parameter.fill_with(|row, column| P::Scalar::of(f(row, column)));
}

/// Draws independent entries from the uniform distribution on `[lo, hi)`.
pub fn uniform<P: Block>(parameter: &mut P, lo: f64, hi: f64, rng: &mut (impl Rng + ?Sized)) {
    parameter.fill_with(|_, _| P::Scalar::of(rng::uniform(rng, lo, hi)));
}

/// Draws independent entries from the normal distribution with mean 0 and standard deviation
/// `deviation`.
pub fn normal<P: Block>(parameter: &mut P, deviation: f64, rng: &mut (impl Rng + ?Sized)) {
    parameter.fill_with(|_, _| P::Scalar::of(deviation * rng::normal(rng)));
}

/// Draws from the uniform distribution on ±sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq.
/// 16).
pub fn xavier_uniform<P: Block>(parameter: &mut P, rng: &mut (impl Rng + ?Sized)) {
    let bound = ComplexField::sqrt(6.0 / fans::<P>());
    uniform(parameter, -bound, bound, rng);
}

/// Draws from the normal distribution with variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010,
/// eq. 12).
pub fn xavier_normal<P: Block>(parameter: &mut P, rng: &mut (impl Rng + ?Sized)) {
    normal(parameter, ComplexField::sqrt(2.0 / fans::<P>()), rng);
}

/// Draws from the uniform distribution on ±sqrt(6 / fan_in), which keeps the variance through
/// `relu` (He et al. 2015, eq. 10).
///
/// This is PyTorch's `kaiming_uniform_` with `mode="fan_in"` and `nonlinearity="relu"` (a gain of
/// √2), not the default of its linear layers, which is uniform on ±sqrt(1 / fan_in).
pub fn kaiming_uniform<P: Block>(parameter: &mut P, rng: &mut (impl Rng + ?Sized)) {
    let bound = ComplexField::sqrt(6.0 / fan_in::<P>());
    uniform(parameter, -bound, bound, rng);
}

/// Draws from the normal distribution with variance 2 / fan_in, which keeps the variance through
/// `relu` (He et al. 2015, eq. 10).
///
/// This is PyTorch's `kaiming_normal_` with `mode="fan_in"` and `nonlinearity="relu"` (a gain of
/// √2).
pub fn kaiming_normal<P: Block>(parameter: &mut P, rng: &mut (impl Rng + ?Sized)) {
    normal(parameter, ComplexField::sqrt(2.0 / fan_in::<P>()), rng);
}

/// Draws from the normal distribution with variance 1 / fan_in (LeCun et al. 1998, section 4.6).
pub fn lecun_normal<P: Block>(parameter: &mut P, rng: &mut (impl Rng + ?Sized)) {
    normal(parameter, ComplexField::sqrt(1.0 / fan_in::<P>()), rng);
}

/// Draws a random matrix with orthonormal columns (rows, if there are fewer rows than columns) from
/// the uniform (Haar) distribution (Saxe et al. 2014).
///
/// The matrix is the Q of the QR decomposition of a normal matrix, with a positive diagonal in R.
/// Without this choice of signs Q would not be uniform (Mezzadri 2007).
pub fn orthogonal<P: Block>(parameter: &mut P, rng: &mut (impl Rng + ?Sized)) {
    let (long, short) = (P::ROWS.max(P::COLUMNS), P::ROWS.min(P::COLUMNS));
    // Without an allocator the matrix is on the stack, in double precision.
    #[cfg(feature = "alloc")]
    let mut buffer = alloc::vec![0.0; long * short];
    #[cfg(not(feature = "alloc"))]
    let mut buffer = P::Double::zeros();
    #[cfg(not(feature = "alloc"))]
    let buffer = buffer.flat_mut();
    for head in 0..P::HEADS.unwrap_or(1) {
        orthonormal(&mut buffer[..], long, short, rng);
        parameter.fill_head_with(head, |row, column| {
            let tall = P::ROWS >= P::COLUMNS;
            P::Scalar::of(if tall { buffer[row + column * long] } else { buffer[column + row * long] })
        });
    }
}

/// Draws a matrix of `long` rows with `short` orthonormal columns.
fn orthonormal(q: &mut [f64], long: usize, short: usize, rng: &mut (impl Rng + ?Sized)) {
    for column in 0..short {
        let (before, rest) = q.split_at_mut(column * long);
        let vector = &mut rest[..long];
        loop {
            vector.iter_mut().for_each(|x| *x = rng::normal(rng));
            let drawn = norm(vector);
            // Two rounds of Gram-Schmidt are orthogonal up to rounding (Giraud et al. 2005) and
            // give R its positive diagonal.
            for _ in 0..2 {
                for earlier in before.chunks_exact(long) {
                    let along: f64 = earlier.iter().zip(&*vector).map(|(a, b)| a * b).sum();
                    earlier.iter().zip(&mut *vector).for_each(|(a, x)| *x -= along * a);
                }
            }
            let left = norm(vector);
            // If the vector lies in the span of the earlier columns, the remainder is rounding
            // error, not a direction: draw again.
            if left > 1e-10 * drawn {
                vector.iter_mut().for_each(|x| *x /= left);
                break;
            }
        }
    }
}

fn norm(vector: &[f64]) -> f64 {
    ComplexField::sqrt(vector.iter().map(|x| x * x).sum::<f64>())
}

fn fan_in<P: Block>() -> f64 {
    P::COLUMNS.max(1) as f64
}

fn fans<P: Block>() -> f64 {
    (P::ROWS + P::COLUMNS).max(1) as f64
}

#[cfg(test)]
mod tests {
    use nalgebra::{SMatrix, SVector};

    use super::*;
    use crate::rng::{SeedableRng, Xoshiro256PlusPlus};
    use crate::types::blocks::{Cols, Rows};

    fn rng() -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(11)
    }

    /// Returns the mean, the standard deviation and the largest magnitude.
    fn statistics<const R: usize, const C: usize>(matrix: &SMatrix<f64, R, C>) -> (f64, f64, f64) {
        let n = (R * C) as f64;
        let mean = matrix.sum() / n;
        let variance = matrix.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt(), matrix.amax())
    }

    #[test]
    fn scales_match_the_papers() {
        type Matrix = SMatrix<f64, 40, 60>;
        let drawn = |initialise: fn(&mut Matrix, &mut Xoshiro256PlusPlus)| {
            let mut matrix = Matrix::zeros();
            initialise(&mut matrix, &mut rng());
            statistics(&matrix)
        };
        let check =
            |name: &str, (mean, deviation, largest): (f64, f64, f64), expected: f64, bound: Option<f64>| {
                assert!(mean.abs() < 0.08 * expected, "{name}: mean {mean}");
                assert!(
                    (deviation / expected - 1.0).abs() < 0.04,
                    "{name}: deviation {deviation}, not {expected}"
                );
                if let Some(bound) = bound {
                    assert!(largest <= bound && largest > 0.99 * bound, "{name}: {largest} of {bound}");
                } else {
                    assert!(largest > 2.8 * expected, "{name}: no tails, {largest}");
                }
            };
        let xavier = (6.0_f64 / 100.0).sqrt();
        check("xavier_uniform", drawn(xavier_uniform), xavier / 3.0_f64.sqrt(), Some(xavier));
        check("xavier_normal", drawn(xavier_normal), (2.0_f64 / 100.0).sqrt(), None);
        let kaiming = (6.0_f64 / 60.0).sqrt();
        check("kaiming_uniform", drawn(kaiming_uniform), kaiming / 3.0_f64.sqrt(), Some(kaiming));
        check("kaiming_normal", drawn(kaiming_normal), (2.0_f64 / 60.0).sqrt(), None);
        check("lecun_normal", drawn(lecun_normal), (1.0_f64 / 60.0).sqrt(), None);
        check("uniform", drawn(|m, rng| uniform(m, -0.2, 0.2, rng)), 0.2 / 3.0_f64.sqrt(), Some(0.2));
        check("normal", drawn(|m, rng| normal(m, 0.1, rng)), 0.1, None);
    }

    fn assert_orthonormal<const R: usize, const C: usize>() {
        let mut matrix = SMatrix::<f64, R, C>::zeros();
        orthogonal(&mut matrix, &mut rng());
        let error = if R >= C {
            (matrix.transpose() * matrix - SMatrix::<f64, C, C>::identity()).amax()
        } else {
            (matrix * matrix.transpose() - SMatrix::<f64, R, R>::identity()).amax()
        };
        assert!(error < 1e-14, "{R} x {C}: {error}");
    }

    #[test]
    fn orthogonal_matrices_are_orthonormal() {
        assert_orthonormal::<1, 1>();
        assert_orthonormal::<16, 16>();
        assert_orthonormal::<40, 12>();
        assert_orthonormal::<12, 40>();
        assert_orthonormal::<1, 7>();
        assert_orthonormal::<7, 1>();
        orthogonal(&mut SMatrix::<f64, 3, 0>::zeros(), &mut rng());
    }

    #[test]
    fn orthogonal_is_uniform_on_the_circle() {
        // A QR decomposition without the choice of signs fails here: its first entry is never
        // positive.
        let mut rng = rng();
        let (mut positive, mut rotations, mut square) = (0, 0, 0.0);
        for _ in 0..4_000 {
            let mut matrix = SMatrix::<f64, 2, 2>::zeros();
            orthogonal(&mut matrix, &mut rng);
            positive += usize::from(matrix[(0, 0)] > 0.0);
            rotations += usize::from(matrix.determinant() > 0.0);
            square += matrix[(0, 0)].powi(2) / 4e3;
        }
        assert!(
            (1_880..2_120).contains(&positive) && (1_880..2_120).contains(&rotations),
            "{positive}, {rotations}"
        );
        assert!((square - 0.5).abs() < 0.02, "{square}");
    }

    #[test]
    fn blocks_start_as_the_whole_matrix_would() {
        type Blocks =
            Rows<Cols<SMatrix<f64, 4, 4>, SMatrix<f64, 4, 3>>, Cols<SMatrix<f64, 5, 4>, SMatrix<f64, 5, 3>>>;
        fn both<P: Block>(initialise: impl Fn(&mut P, &mut Xoshiro256PlusPlus)) -> P {
            let mut parameter = P::zeros();
            initialise(&mut parameter, &mut rng());
            parameter
        }
        let whole: SMatrix<f64, 9, 7> = both(xavier_normal);
        assert_eq!(both::<Blocks>(xavier_normal).to_matrix::<9, 7>(), whole);
        let whole: SMatrix<f64, 9, 7> = both(orthogonal);
        assert_eq!(both::<Blocks>(orthogonal).to_matrix::<9, 7>(), whole);
    }

    #[test]
    fn single_precision_is_the_rounded_double() {
        let (mut single, mut double) = (SMatrix::<f32, 6, 5>::zeros(), SMatrix::<f64, 6, 5>::zeros());
        for initialise in [true, false] {
            if initialise {
                orthogonal(&mut single, &mut rng());
                orthogonal(&mut double, &mut rng());
            } else {
                kaiming_uniform(&mut single, &mut rng());
                kaiming_uniform(&mut double, &mut rng());
            }
            assert_eq!(single, double.map(|x| x as f32));
        }
    }

    #[test]
    fn constants_and_functions_fill_parameters() {
        let mut vector = SVector::<f32, 3>::zeros();
        constant(&mut vector, 0.5);
        assert_eq!(vector.as_slice(), [0.5; 3]);
        let mut scalar = 0.0_f64;
        constant(&mut scalar, -1.5);
        assert_eq!(scalar, -1.5);
        let mut wide = Cols { left: SMatrix::<f64, 2, 1>::zeros(), right: SMatrix::<f64, 2, 2>::zeros() };
        identity(&mut wide, 3.0);
        assert_eq!(wide.to_matrix::<2, 3>(), SMatrix::<f64, 2, 3>::new(3.0, 0.0, 0.0, 0.0, 3.0, 0.0));
        from_fn(&mut wide, |row, column| (10 * row + column) as f64);
        assert_eq!(wide.to_matrix::<2, 3>(), SMatrix::<f64, 2, 3>::new(0.0, 1.0, 2.0, 10.0, 11.0, 12.0));
    }
}
