//! The Legendre memory unit: A. Voelker, I. Kajić, C. Eliasmith, "Legendre Memory Units:
//! Continuous-Time Representation in Recurrent Neural Networks", 2019.

use crate::rnn_cell;
use crate::scalar::Scalar;
use nalgebra::{SMatrix, SVector};

/// Marks the memory's matrices until a window is set.
fn without_window(_: usize, _: usize) -> f64 {
    f64::NAN
}

/// Computes the memory's matrices for a window of `theta` steps: equations 1 and 2 of the paper,
/// discretised by zero-order hold, `exp(A/θ)` and `∫ exp(A s) ds B` over one step.
///
/// Both are Taylor series for a fraction of a step, doubled until the step is whole. `change` is
/// `exp(A s) - 1`, which loses no digits for a short step.
fn discretise<const N: usize>(theta: f64) -> (SMatrix<f64, N, N>, SVector<f64, N>) {
    const TERMS: u32 = 12;
    let sign = |power: usize| if power.is_multiple_of(2) { 1.0 } else { -1.0 };
    let entry = |i: usize, j: usize| (2 * i + 1) as f64 * if i < j { -1.0 } else { sign(i - j + 1) };
    // The sum of the magnitudes of the last row bounds the norm.
    let (mut fraction, mut doublings) = (1.0 / theta, 0);
    while (2 * N * N) as f64 * fraction > 0.5 {
        fraction *= 0.5;
        doublings += 1;
    }
    let a = SMatrix::<f64, N, N>::from_fn(|i, j| fraction * entry(i, j));
    let b = SVector::<f64, N>::from_fn(|i, _| fraction * sign(i) * (2 * i + 1) as f64);
    let (mut change, mut input) = (a, b);
    for term in (2..=TERMS).rev() {
        change = a + a * change / f64::from(term);
        input = b + a * input / f64::from(term);
    }
    for _ in 0..doublings {
        let further = (input + change * input, change + change * change);
        (input, change) = (input + further.0, change + further.1);
    }
    (SMatrix::identity() + change, input)
}

impl<const I: usize, const H: usize, const N: usize, T: Scalar> Lmu<I, H, N, T> {
    /// Sets the length of the memory's window to `theta` steps, which may be fractional.
    ///
    /// # Panics
    /// Panics unless `theta` is positive and finite.
    pub fn set_window(&mut self, theta: f64) {
        assert!(theta > 0.0 && theta.is_finite(), "the window, {theta} steps, is not positive and finite");
        let (a, b) = discretise::<N>(theta);
        self.A = a.map(T::of);
        self.B = b.map(T::of);
    }
}

rnn_cell! {
    /// The Legendre memory unit (Voelker et al. 2019, "Legendre Memory Units: Continuous-Time
    /// Representation in Recurrent Neural Networks", equations 4 to 7): `I` inputs, `H` units, a
    /// memory of `N` numbers. The memory holds the coefficients of the first `N` Legendre
    /// polynomials that approximate its input over a sliding window. Its matrices are fixed.
    ///
    /// The length of the window has no default: the memory's matrices are NaN until
    /// [`set_window`](Lmu::set_window) has set it or weights have been loaded.
    ///
    /// ```
    /// use rnn_cell::prelude::*;
    /// use rnn_cell::cells::Lmu;
    ///
    /// let mut lmu = Lmu::<3, 16, 6>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    /// lmu.set_window(100.0);
    /// ```
    pub cell Lmu<I, H, N> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// The memory.
        state m: [N];
        /// Encoders of the memory's input: the step's input and the hidden state.
        param e_x: [I] = uniform(sqrt(3 / I)), e_h: [H] = uniform(sqrt(3 / H));
        /// Encoder of the memory's input: the memory itself.
        param e_m: [N];
        /// Weights of the input.
        param W_x: [H, I] = xavier_normal;
        /// Weights of the hidden state.
        param W_h: [H, H] = xavier_normal;
        /// Weights of the memory.
        param W_m: [H, N] = xavier_normal;
        /// The memory's transition, discretised for its window.
        buffer A: [N, N] = from_fn(without_window);
        /// The memory's input weights, discretised for its window.
        buffer B: [N] = from_fn(without_window);

        u = e_x.T @ x + e_h.T @ h[t-1] + e_m.T @ m[t-1];
        m = A @ m[t-1] + B * u;
        h = tanh(W_x @ x + W_h @ h[t-1] + W_m @ m);

        output h;
    }
}
