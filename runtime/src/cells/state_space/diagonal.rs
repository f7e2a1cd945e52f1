//! Linear state spaces with a diagonal transition: `s'(t) = A s(t) + B u(t)`,
//! `y(t) = C s(t) + D u(t)`, sampled.
//!
//! The sources are A. Gu, A. Gupta, K. Goel, C. Ré, "On the Parameterization and Initialization of
//! Diagonal State Space Models", 2022 (S4D), and A. Gupta, A. Gu, J. Berant, "Diagonal State Spaces
//! are as Effective as Structured State Spaces", 2022 (DSS). The papers train such a model as a
//! convolution; these cells run it as a recurrence. Everything except the scan is computed for many
//! steps at once, and the discretisation of the parameters once per call.
//!
//! The S4D cells have one input and one output per channel. Mixing the channels and nonlinearities
//! are left to the other layers of a network. `B` is fixed at one, as in the papers' simplest form,
//! because only its product with `C` matters. Complex numbers are pairs of reals. Only one mode of
//! each conjugate pair is kept, so the outputs are twice the real part.

use crate::rnn_cell;

/// Returns the frequency of a mode in S4D-Lin: the imaginary part of mode `n` is πn (Gu et al.
/// 2022, section 4).
fn linear_frequencies(_channel: usize, mode: usize) -> f64 {
    core::f64::consts::PI * mode as f64
}

/// Returns the logarithm of a mode's rate in S4D-Real: mode `n` decays at the rate `n + 1` (Gu et
/// al. 2022, section 4).
pub(super) fn log_real_rates(_channel: usize, mode: usize) -> f64 {
    nalgebra::ComplexField::ln((mode + 1) as f64)
}

rnn_cell! {
    /// A real diagonal state space with `I` inputs, `N` modes and `O` outputs, discretised by
    /// zero-order hold. It is one system: every mode reads all inputs, unlike the modes of
    /// [`S4dReal`].
    pub cell DiagonalSsm<I, N, O> {
        /// The input of a step.
        input x: [I];
        /// The modes.
        state s: [N];
        /// The step size and the rate of decay of each mode, before the softplus that makes them
        /// positive.
        param dt_raw, a_raw: [N] = uniform(-2, 2);
        /// Input weights of the modes.
        param B: [N, I] = xavier_uniform;
        /// Output weights of the modes.
        param C: [O, N] = xavier_uniform;
        /// Weights of the direct path from input to output.
        param D: [O, I] = xavier_uniform;

        dt = softplus(dt_raw);
        a = softplus(a_raw);
        A_bar = exp(-dt * a);
        B_bar = (1 - A_bar) / a;
        s = A_bar * s[t-1] + B_bar * (B @ x);
        y = C @ s + D @ x;

        output y;
    }

    /// S4D-Real (Gu, Gupta, Goel & Ré 2022, "On the Parameterization and Initialization of Diagonal
    /// State Space Models"): `D` channels of `N` decaying real modes each, discretised by
    /// zero-order hold. A channel has one input and one output; `B` is fixed at one, because only
    /// its product with `C` matters.
    pub cell S4dReal<D, N> {
        /// The input of a step, one channel per row.
        input u: [D];
        /// The modes, one channel per row.
        state s: [D, N];
        /// The logarithms of the channels' step sizes, which start between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay, `-A`.
        param log_rate: [D, N] = from_fn(log_real_rates);
        /// Output weights of the modes.
        param C: [D, N] = normal(1);
        /// Weights of the direct path from input to output.
        param skip: [D] = normal(1);

        rate = exp(log_rate);
        A_bar = exp(-rate * exp(log_dt));
        B_bar = (1 - A_bar) / rate;
        s = A_bar * s[t-1] + B_bar * u;
        y = row_sum(C * s) + skip * u;

        output y;
    }

    /// S4D-Lin (Gu, Gupta, Goel & Ré 2022, "On the Parameterization and Initialization of Diagonal
    /// State Space Models"): `D` channels of `N` complex modes `A = -rate + i frequency` each,
    /// discretised by zero-order hold: `Ā = exp(Δ A)`, `B̄ = (Ā - 1) / A`.
    ///
    /// A channel has one input and one output; `B` is fixed at one, because only its product with
    /// `C` matters. One mode of each conjugate pair is kept, so the output is twice the real part.
    pub cell S4d<D, N> {
        /// The input of a step, one channel per row.
        input u: [D];
        /// The real and imaginary parts of the modes, one channel per row.
        state s_re, s_im: [D, N];
        /// The logarithms of the channels' step sizes, which start between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay, which start at 1/2.
        param log_rate: [D, N] = -0.6931471805599453;
        /// The frequencies.
        param frequency: [D, N] = from_fn(linear_frequencies);
        /// Output weights of the modes: real and imaginary parts.
        param C_re, C_im: [D, N] = normal(0.70710678);
        /// Weights of the direct path from input to output.
        param skip: [D] = normal(1);

        dt = exp(log_dt);
        rate = exp(log_rate);
        size = exp(-rate * dt);
        A_re = size * cos(frequency * dt);
        A_im = size * sin(frequency * dt);
        // B̄ = (Ā - 1) / A, expanded by the conjugate of A.
        norm = square(rate) + square(frequency);
        B_re = (A_im * frequency - (A_re - 1) * rate) / norm;
        B_im = -((A_re - 1) * frequency + A_im * rate) / norm;
        s_re = A_re * s_re[t-1] - A_im * s_im[t-1] + B_re * u;
        s_im = A_re * s_im[t-1] + A_im * s_re[t-1] + B_im * u;
        y = 2 * row_sum(C_re * s_re - C_im * s_im) + skip * u;

        output y;
    }

    /// [`S4d`] discretised by the bilinear rule: `Ā = (1 + Δ A / 2) / (1 - Δ A / 2)`,
    /// `B̄ = Δ / (1 - Δ A / 2)` (Gu et al. 2022).
    pub cell S4dBilinear<D, N> {
        /// The input of a step, one channel per row.
        input u: [D];
        /// The real and imaginary parts of the modes, one channel per row.
        state s_re, s_im: [D, N];
        /// The logarithms of the channels' step sizes, which start between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay, which start at 1/2.
        param log_rate: [D, N] = -0.6931471805599453;
        /// The frequencies.
        param frequency: [D, N] = from_fn(linear_frequencies);
        /// Output weights of the modes: real and imaginary parts.
        param C_re, C_im: [D, N] = normal(0.70710678);
        /// Weights of the direct path from input to output.
        param skip: [D] = normal(1);

        dt = exp(log_dt);
        // -Δ A / 2 is p - i q.
        p = exp(log_rate) * dt / 2;
        q = frequency * dt / 2;
        norm = square(1 + p) + square(q);
        A_re = (1 - square(p) - square(q)) / norm;
        A_im = 2 * q / norm;
        B_re = dt * (1 + p) / norm;
        B_im = dt * q / norm;
        s_re = A_re * s_re[t-1] - A_im * s_im[t-1] + B_re * u;
        s_im = A_re * s_im[t-1] + A_im * s_re[t-1] + B_im * u;
        y = 2 * row_sum(C_re * s_re - C_im * s_im) + skip * u;

        output y;
    }
}
