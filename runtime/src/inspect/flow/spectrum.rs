//! Singular values and growth rates of long products of matrices.

use core::fmt;

use alloc::vec;
use alloc::vec::Vec;
use nalgebra::DMatrix;

use super::jacobian::Stepper;
use crate::cell::{Cell, IntoPass};
use crate::functions::{exp, ln};

/// The smallest ratio of the smallest to the largest singular value at which a product is
/// multiplied out and decomposed as one matrix. The rounding errors of the large singular values
/// would affect smaller ones.
const CLOSE: f64 = 1e-8;
/// The number of QR sweeps over a product before its triangular factors are multiplied.
const SWEEPS: usize = 4;
/// The overlap per entry up to which two rows count as orthogonal, and the largest number of
/// rotations of every pair.
const ORTHOGONAL: f64 = 2.5e-16;
const ROTATIONS: usize = 60;

/// The singular values of a product of Jacobians.
#[derive(Debug, Clone, PartialEq)]
pub struct SingularValues {
    /// The number of steps.
    pub steps: usize,
    /// The natural logarithms of the singular values, the largest first. The logarithm of zero is
    /// `-inf`.
    pub ln: Vec<f64>,
}

impl SingularValues {
    /// Returns the logarithm of the largest singular value, or `-inf` if there is none.
    pub fn largest(&self) -> f64 {
        self.ln.first().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Returns the logarithm of the smallest singular value, or `-inf` if there is none.
    pub fn smallest(&self) -> f64 {
        self.ln.last().copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Returns the logarithm of the median singular value, or `-inf` if there is none.
    pub fn median(&self) -> f64 {
        self.ln.get(self.ln.len() / 2).copied().unwrap_or(f64::NEG_INFINITY)
    }

    /// Returns the factor by which the largest singular value grows per step, as a geometric mean.
    /// For no steps it is 1.
    pub fn growth(&self) -> f64 {
        rate(self.largest(), self.steps)
    }
}

/// Returns the factor per step whose product over all steps is `exp(ln)`.
pub(super) fn rate(ln: f64, steps: usize) -> f64 {
    if steps == 0 { 1.0 } else { exp(ln / steps as f64) }
}

impl fmt::Display for SingularValues {
    /// Writes `100 steps: singular values 2.1e-3 .. 4.5e-9, median 1.0e-5; ..`, followed by the
    /// growth per step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [largest, smallest, median] = [self.largest(), self.smallest(), self.median()].map(Magnitude);
        let (steps, growth) = (self.steps, self.growth());
        write!(
            f,
            "{steps} steps: singular values {largest} .. {smallest}, median {median}; the largest grows by {growth:.3} per step"
        )
    }
}

/// A number given by its natural logarithm, possibly outside the range of `f64`. It prints as
/// `2.1e-3` or `5.0e-812`.
pub(super) struct Magnitude(pub(super) f64);

impl fmt::Display for Magnitude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == f64::NEG_INFINITY {
            return f.pad("0");
        }
        if !self.0.is_finite() {
            return f.pad(if self.0.is_nan() { "NaN" } else { "inf" });
        }
        let tens = self.0 / core::f64::consts::LN_10;
        let fraction = (tens - tens.floor()) * core::f64::consts::LN_10;
        let (mut exponent, mut digits) = (tens.floor(), exp(fraction));
        if digits >= 9.95 {
            (exponent, digits) = (exponent + 1.0, 1.0);
        }
        f.pad(&alloc::format!("{digits:.1}e{exponent:.0}"))
    }
}

/// Computes the singular values of `factors[n - 1] .. factors[0]`, which are square matrices of one
/// size. The product of no factors is the identity.
pub(super) fn singular_values(factors: &[DMatrix<f64>], size: usize) -> SingularValues {
    let is_finite = factors.iter().all(|factor| factor.iter().all(|x| x.is_finite()));
    let ln = if factors.is_empty() || size == 0 {
        vec![0.0; size]
    } else if is_finite {
        multiplied(factors, size).unwrap_or_else(|| swept(factors, size))
    } else {
        vec![f64::NAN; size]
    };
    SingularValues { steps: factors.len(), ln }
}

/// Computes `a * b` for square matrices of `size` rows. nalgebra chooses its kernel by the
/// processor, so the last bits of its products differ between processors.
fn product(a: &DMatrix<f64>, b: &DMatrix<f64>, size: usize) -> DMatrix<f64> {
    let mut product = DMatrix::zeros(size, size);
    let columns = product.as_mut_slice().chunks_exact_mut(size).zip(b.as_slice().chunks_exact(size));
    for (to, factors) in columns {
        for (column, factor) in a.as_slice().chunks_exact(size).zip(factors) {
            to.iter_mut().zip(column).for_each(|(to, x)| *to += factor * x);
        }
    }
    product
}

/// A power of two to scale by, which causes no rounding.
pub(super) struct Scale {
    /// The scale in two factors, because it may be outside the range of `f64`.
    pub(super) factors: [f64; 2],
    /// The logarithm of the reciprocal of the scale.
    pub(super) ln: f64,
}

impl Scale {
    /// Returns the scale that brings numbers of magnitude `size` close to 1, or `None` if `size` is
    /// zero or not finite.
    pub(super) fn of(size: f64) -> Option<Self> {
        let exponent = (ln(size) * core::f64::consts::LOG2_E).round();
        let half = (exponent / 2.0).floor();
        exponent.is_finite().then(|| Scale {
            factors: [half, exponent - half].map(|exponent| 2f64.powi(-exponent as i32)),
            ln: exponent * core::f64::consts::LN_2,
        })
    }
}

/// Computes the singular values from the product itself. Returns `None` if it is too badly
/// conditioned.
fn multiplied(factors: &[DMatrix<f64>], size: usize) -> Option<Vec<f64>> {
    let mut whole = DMatrix::<f64>::identity(size, size);
    let mut scaled = 0.0;
    for factor in factors {
        whole = product(factor, &whole, size);
        let scale = Scale::of(whole.amax())?;
        scale.factors.iter().for_each(|factor| whole *= *factor);
        scaled += scale.ln;
    }
    let mut rows = Rows { units: whole.transpose(), ln: vec![0.0; size] };
    (0..size).for_each(|i| rows.normalise(i));
    rows.orthogonalise();
    let mut values = rows.ln;
    values.sort_by(|a, b| b.total_cmp(a));
    let largest = *values.first()?;
    if factors.len() == 1 {
        // Values below the rounding error of the largest count as zero.
        let rounding = largest + ln(f64::EPSILON * size as f64);
        values.iter_mut().filter(|value| **value <= rounding).for_each(|value| *value = f64::NEG_INFINITY);
    } else if *values.last()? < largest + ln(CLOSE) {
        return None;
    }
    Some(values.iter().map(|value| value + scaled).collect())
}

/// Computes the singular values from triangular factors.
///
/// A QR sweep turns the product into a product of triangular matrices, `Q (R_n .. R_1)`, with the
/// same singular values. A sweep over the transposed product brings it closer to diagonal, like a
/// step of the QR algorithm (Stewart 1997, "On graded QR decompositions of products of matrices").
/// After a few sweeps the diagonal is sorted. The triangular factors are then multiplied row by
/// row, with the magnitudes of the rows kept separately. One-sided Jacobi rotations make the rows
/// orthogonal and keep small values exact beside large ones (Demmel & Veselić 1992).
pub(super) fn swept(factors: &[DMatrix<f64>], size: usize) -> Vec<f64> {
    let mut factors = factors.to_vec();
    for sweep in 0..SWEEPS {
        if sweep > 0 {
            factors.reverse();
            factors.iter_mut().for_each(|factor| *factor = factor.transpose());
        }
        let mut frame = Frame::new(size);
        for factor in &mut factors {
            *factor = frame.advance(factor, &mut vec![0.0; size]);
        }
    }
    let mut rows = Rows::of(&factors, size);
    rows.orthogonalise();
    rows.ln.sort_by(|a, b| b.total_cmp(a));
    rows.ln
}

/// A matrix as rows of length one (the columns of `units`) and the logarithms of the rows' lengths.
struct Rows {
    units: DMatrix<f64>,
    ln: Vec<f64>,
}

impl Rows {
    /// Computes the product `R_n .. R_1` of triangular matrices with positive diagonals.
    fn of(factors: &[DMatrix<f64>], size: usize) -> Self {
        let mut rows = Rows { units: DMatrix::identity(size, size), ln: vec![0.0; size] };
        for r in factors {
            for i in 0..size {
                let diagonal = r[(i, i)];
                if diagonal == 0.0 || rows.ln[i] == f64::NEG_INFINITY {
                    rows.ln[i] = f64::NEG_INFINITY;
                    continue;
                }
                // The rows below do not include this factor yet.
                for j in (i + 1..size).filter(|j| r[(i, *j)] != 0.0) {
                    let weight = r[(i, j)] / diagonal * exp(rows.ln[j] - rows.ln[i]);
                    let below = rows.units.column(j).clone_owned();
                    rows.units.column_mut(i).axpy(weight, &below, 1.0);
                }
                rows.ln[i] += ln(diagonal);
            }
        }
        (0..size).for_each(|i| rows.normalise(i));
        rows
    }

    fn normalise(&mut self, i: usize) {
        let norm = self.units.column(i).norm();
        if norm > 0.0 {
            self.units.column_mut(i).unscale_mut(norm);
        }
        self.ln[i] += ln(norm);
    }

    fn orthogonalise(&mut self) {
        let there: Vec<usize> = (0..self.ln.len()).filter(|i| self.ln[*i] > f64::NEG_INFINITY).collect();
        for _ in 0..ROTATIONS {
            let mut is_done = true;
            for (position, i) in there.iter().enumerate() {
                for j in &there[position + 1..] {
                    is_done &= self.rotate(*i, *j);
                }
            }
            if is_done {
                break;
            }
        }
    }

    /// Makes two rows orthogonal. Returns whether they already were.
    fn rotate(&mut self, i: usize, j: usize) -> bool {
        let (i, j) = if self.ln[i] >= self.ln[j] { (i, j) } else { (j, i) };
        let overlap = self.units.column(i).dot(&self.units.column(j));
        if overlap.abs() <= ORTHOGONAL * self.units.nrows() as f64 {
            return true;
        }
        let (long, short) = (self.units.column(i).clone_owned(), self.units.column(j).clone_owned());
        // `ratio` is the length of the short row divided by that of the long one, `tangent` the
        // tangent of the angle of rotation, and `share` is `tangent / ratio`.
        let ratio = exp(self.ln[j] - self.ln[i]);
        let zeta = (ratio * ratio - 1.0) / (2.0 * ratio * overlap);
        let (tangent, share) = if zeta.abs() < 1e8 {
            let tangent = zeta.signum() / (zeta.abs() + (zeta * zeta + 1.0).sqrt());
            (tangent, tangent / ratio)
        } else {
            let share = overlap / (ratio * ratio - 1.0);
            (ratio * share, share)
        };
        let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
        self.units.set_column(i, &((&long - &short * (tangent * ratio)) * cosine));
        self.units.set_column(j, &((&short + &long * share) * cosine));
        self.normalise(i);
        self.normalise(j);
        false
    }
}

/// Orthonormal directions that are propagated through a product of matrices.
pub(super) struct Frame(DMatrix<f64>);

impl Frame {
    pub(super) fn new(size: usize) -> Self {
        Frame(DMatrix::identity(size, size))
    }

    /// Propagates the directions through `factor` and makes them orthonormal again. Returns the
    /// triangular factor, whose diagonal is positive, and adds the logarithms of the diagonal to
    /// `sum`.
    pub(super) fn advance(&mut self, factor: &DMatrix<f64>, sum: &mut [f64]) -> DMatrix<f64> {
        let size = self.0.nrows();
        if size == 0 {
            return DMatrix::zeros(0, 0);
        }
        let image = product(factor, &self.0, size);
        // Lengths below the rounding error of the largest count as zero.
        let rounding = f64::EPSILON * image.nrows() as f64 * image.amax();
        let (mut q, mut r) = image.qr().unpack();
        for (index, sum) in sum.iter_mut().enumerate() {
            if r[(index, index)] < 0.0 {
                r.row_mut(index).neg_mut();
                q.column_mut(index).neg_mut();
            }
            let length = r[(index, index)];
            if length <= rounding {
                r[(index, index)] = 0.0;
                *sum = f64::NEG_INFINITY;
            } else {
                *sum += ln(length);
            }
        }
        self.0 = q;
        r
    }
}

/// Growth rates of small changes of a state: Lyapunov exponents over a finite time.
#[derive(Debug, Clone, PartialEq)]
pub struct Exponents {
    /// The number of steps that are averaged.
    pub steps: usize,
    /// The natural logarithms of the growth per step, the largest first. A direction that is lost
    /// has `-inf`.
    pub values: Vec<f64>,
}

impl Exponents {
    /// Returns the largest exponent. Above 0, neighbouring states diverge and gradients explode.
    /// Below 0, states forget their past and gradients vanish.
    pub fn largest(&self) -> f64 {
        self.values.first().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

impl fmt::Display for Exponents {
    /// Writes `exponents over 1000 steps: 0.0042 .. -1.3071 (20)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (largest, smallest) = (self.largest(), self.values.last().copied().unwrap_or(f64::NEG_INFINITY));
        write!(
            f,
            "exponents over {} steps: {largest:.4} .. {smallest:.4} ({})",
            self.steps,
            self.values.len()
        )
    }
}

/// Computes the Lyapunov exponents of a layer that reads `xs`: the mean logarithms of the growth
/// per step along directions that are made orthonormal again after each step (Benettin et al. 1980;
/// for recurrent networks, Vogt et al. 2022 and Engelken, Wolf & Abbott 2023). The first `warm_up`
/// steps only align the directions. `state` is the initial state on entry and the final state on
/// return.
///
/// The memory does not grow with the sequence. Over few steps the exponents depend on the initial
/// directions, unlike [`Jacobians::singular_values`](super::Jacobians::singular_values).
pub fn exponents<'a, L>(
    layer: &L,
    pass: impl IntoPass<'a, L::Input, L::Context, 1>,
    state: &mut L::State,
    warm_up: usize,
) -> Exponents
where
    L: Cell<1, Input: 'a, Context: 'a>,
{
    let pass = pass.into_pass();
    let mut stepper = Stepper::new(layer, state);
    let mut frame = Frame::new(stepper.scalars());
    let mut sum = vec![0.0; stepper.scalars()];
    for t in 0..pass.xs.len() {
        if t == warm_up {
            sum.fill(0.0);
        }
        let jacobian = stepper.step(layer, pass.window(t..t + 1), state);
        frame.advance(&jacobian, &mut sum);
    }
    let steps = pass.xs.len().saturating_sub(warm_up);
    let mut values: Vec<f64> = match steps {
        0 => vec![f64::NAN; sum.len()],
        _ => sum.iter().map(|sum| sum / steps as f64).collect(),
    };
    values.sort_by(|a, b| b.total_cmp(a));
    Exponents { steps, values }
}
