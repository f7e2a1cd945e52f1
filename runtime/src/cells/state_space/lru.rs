//! The linear recurrent unit: A. Orvieto et al., "Resurrecting Recurrent Neural Networks for Long
//! Sequences", 2023.

use crate::rnn_cell;
use crate::scalar::Scalar;
use core::f64::consts::TAU;
use core::ops::Range;
use nalgebra::ComplexField;

/// The magnitude and the phase of an eigenvalue, as the cell stores them.
struct Eigenvalue {
    /// `ln(-ln |λ|)`.
    nu_log: f64,
    /// The logarithm of the phase.
    theta_log: f64,
    /// `ln sqrt(1 - |λ|²)`.
    gamma_log: f64,
}

/// Returns the eigenvalue of unit `n` on a ring (Orvieto et al. 2023, lemma 3.2).
///
/// The paper draws two uniform numbers per unit. These are the points of a sequence that fills the
/// unit square evenly: the multiples of (1/g, 1/g²) modulo 1, where g³ = g + 1 (Roberts 2018, "The
/// Unreasonable Effectiveness of Quasirandom Sequences").
fn on_ring(n: usize, radii: &Range<f64>, largest_phase: f64) -> Eigenvalue {
    const G: f64 = 1.324_717_957_244_746;
    let fraction = |step: f64| (n + 1) as f64 * step % 1.0;
    let (inner, outer) = (radii.start * radii.start, radii.end * radii.end);
    let square = inner + fraction(1.0 / G) * (outer - inner);
    Eigenvalue {
        nu_log: ComplexField::ln(-0.5 * ComplexField::ln(square)),
        theta_log: ComplexField::ln(largest_phase * fraction(1.0 / (G * G))),
        gamma_log: 0.5 * ComplexField::ln(1.0 - square),
    }
}

fn whole_disk(n: usize) -> Eigenvalue {
    on_ring(n, &(0.0..1.0), TAU)
}

fn nu_log(n: usize, _: usize) -> f64 {
    whole_disk(n).nu_log
}

fn theta_log(n: usize, _: usize) -> f64 {
    whole_disk(n).theta_log
}

fn gamma_log(n: usize, _: usize) -> f64 {
    whole_disk(n).gamma_log
}

impl<const D: usize, const N: usize, T: Scalar> Lru<D, N, T> {
    /// Places the eigenvalues evenly on the ring with these radii and on phases from 0 to
    /// `largest_phase`, in radians, and sets `γ` to match (Orvieto et al. 2023, lemma 3.2 and
    /// section 3.4).
    ///
    /// # Panics
    /// Panics unless 0 ≤ `radii.start` < `radii.end` ≤ 1 and `largest_phase` is positive.
    ///
    /// ```
    /// use rnn_cell::prelude::*;
    /// use rnn_cell::cells::Lru;
    ///
    /// let mut lru = Lru::<8, 64>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    /// lru.place_on_ring(0.9..0.999, 0.314);
    /// ```
    pub fn place_on_ring(&mut self, radii: Range<f64>, largest_phase: f64) {
        assert!(
            0.0 <= radii.start && radii.start < radii.end && radii.end <= 1.0,
            "the radii {radii:?} are not increasing numbers from 0 to 1"
        );
        assert!(largest_phase > 0.0, "the largest phase, {largest_phase}, is not positive");
        for n in 0..N {
            let eigenvalue = on_ring(n, &radii, largest_phase);
            self.nu_log[n] = T::of(eigenvalue.nu_log);
            self.theta_log[n] = T::of(eigenvalue.theta_log);
            self.gamma_log[n] = T::of(eigenvalue.gamma_log);
        }
    }
}

rnn_cell! {
    /// The linear recurrent unit (Orvieto et al. 2023, "Resurrecting Recurrent Neural Networks for
    /// Long Sequences", section 3 and appendix A): `D` inputs and outputs, `N` complex units. The
    /// recurrence is linear and diagonal, `x = λ x + γ B u`, `y = Re(C x) + skip u`, and stable for
    /// all values of the parameters: the eigenvalues are `λ = exp(-exp(ν) + i exp(θ))`.
    ///
    /// The eigenvalues start evenly spread over the unit disk.
    /// [`place_on_ring`](Lru::place_on_ring) restricts them to a ring and to small phases, which
    /// the paper recommends for long sequences. Nonlinearities are left to the other layers of a
    /// network.
    pub cell Lru<D, N> {
        /// The input of a step.
        input u: [D];
        /// The real and imaginary parts of the units.
        state x_re, x_im: [N];
        /// The logarithms of the decay, `ν`.
        param nu_log: [N] = from_fn(nu_log);
        /// The logarithms of the phase, `θ`.
        param theta_log: [N] = from_fn(theta_log);
        /// The logarithms of the input's scale `γ`, which starts at `sqrt(1 - |λ|²)`.
        param gamma_log: [N] = from_fn(gamma_log);
        /// Weights of the input: real and imaginary parts.
        param B_re, B_im: [N, D] = normal(1 / sqrt(2 * D));
        /// Weights of the output: real and imaginary parts.
        param C_re, C_im: [D, N] = normal(1 / sqrt(N));
        /// Weights of the direct path from input to output: `D` in the paper.
        param skip: [D] = normal(1);

        size = exp(-exp(nu_log));
        theta = exp(theta_log);
        lambda_re = size * cos(theta);
        lambda_im = size * sin(theta);
        gamma = exp(gamma_log);
        x_re = lambda_re * x_re[t-1] - lambda_im * x_im[t-1] + gamma * (B_re @ u);
        x_im = lambda_re * x_im[t-1] + lambda_im * x_re[t-1] + gamma * (B_im @ u);
        y = C_re @ x_re - C_im @ x_im + skip * u;

        output y;
    }
}
