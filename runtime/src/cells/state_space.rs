//! Linear state spaces with a diagonal transition: `s'(t) = A s(t) + B u(t)`, `y(t) = C s(t) + D u(t)`, sampled.
//!
//! A. Gu, A. Gupta, K. Goel, C. Ré, "On the Parameterization and Initialization of Diagonal State Space Models", 2022 (S4D), and
//! before it A. Gupta, A. Gu, J. Berant, "Diagonal State Spaces are as Effective as Structured State Spaces", 2022 (DSS). The papers
//! train such a model as a convolution; here it is run as the recurrence that it is, where everything but the scan is done for all
//! steps of a chunk at once, and what the discretisation needs of the parameters once a call.
//!
//! The S4D cells are one input and one output a channel: what mixes the channels, and what is not linear, stands around them in a network. `B`
//! is one, as in the papers' simplest form, since only its product with `C` matters. Complex numbers are pairs of reals, and of
//! conjugate pairs of modes one is kept, so the outputs are twice the real part.

use crate::rnn_cell;

/// The frequencies of S4D-Lin: the imaginary part of mode `n` is πn (Gu et al. 2022, section 4).
fn linear_frequencies(_channel: usize, mode: usize) -> f64 {
    core::f64::consts::PI * mode as f64
}

/// The logarithms of the rates of S4D-Real: mode `n` decays at the rate `n + 1` (Gu et al. 2022, section 4).
pub(super) fn log_real_rates(_channel: usize, mode: usize) -> f64 {
    nalgebra::ComplexField::ln((mode + 1) as f64)
}

rnn_cell! {
    /// A real diagonal state space whose modes all read all inputs (one system with `I` inputs, `N` modes and `O` outputs), by zero-order hold.
    pub cell DiagonalSsm<I, N, O> {
        /// What one step reads.
        input x: [I];
        /// The modes.
        state s: [N];
        /// The step size and the rate of decay of each mode, before the softplus that keeps them positive.
        param dt_raw, a_raw: [N] = uniform(-2, 2);
        /// How inputs drive the modes.
        param B: [N, I] = xavier_uniform;
        /// How outputs read them.
        param C: [O, N] = xavier_uniform;
        /// What passes by.
        param D: [O, I] = xavier_uniform;

        dt = softplus(dt_raw);
        a = softplus(a_raw);
        A_bar = exp(-dt * a);
        B_bar = (1 - A_bar) / a;
        s = A_bar * s[t-1] + B_bar * (B @ x);
        y = C @ s + D @ x;

        output y;
    }

    /// S4D with real modes, S4D-Real: `D` channels of `N` decaying modes each, by zero-order hold (Gu et al. 2022).
    pub cell S4dReal<D, N> {
        /// What one step reads, a channel a row.
        input u: [D];
        /// The modes of each channel, a channel a row.
        state s: [D, N];
        /// The logarithm of each channel's step size: between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay, `-A`.
        param log_rate: [D, N] = from_fn(log_real_rates);
        /// How each channel's output reads its modes.
        param C: [D, N] = normal(1);
        /// What passes by.
        param skip: [D] = normal(1);

        rate = exp(log_rate);
        A_bar = exp(-rate * exp(log_dt));
        B_bar = (1 - A_bar) / rate;
        s = A_bar * s[t-1] + B_bar * u;
        y = row_sum(C * s) + skip * u;

        output y;
    }

    /// S4D-Lin: `D` channels of `N` complex modes `A = -rate + i frequency` each, by zero-order hold: `Ā = exp(Δ A)`, `B̄ = (Ā - 1) / A`
    /// (Gu et al. 2022).
    pub cell S4d<D, N> {
        /// What one step reads, a channel a row.
        input u: [D];
        /// The real and the imaginary parts of the modes, a channel a row.
        state s_re, s_im: [D, N];
        /// The logarithm of each channel's step size: between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay: the rate is 1/2.
        param log_rate: [D, N] = -0.6931471805599453;
        /// The frequencies.
        param frequency: [D, N] = from_fn(linear_frequencies);
        /// How each channel's output reads its modes: the real and the imaginary part.
        param C_re, C_im: [D, N] = normal(0.70710678);
        /// What passes by.
        param skip: [D] = normal(1);

        dt = exp(log_dt);
        rate = exp(log_rate);
        size = exp(-rate * dt);
        A_re = size * cos(frequency * dt);
        A_im = size * sin(frequency * dt);
        // (Ā - 1) / A, by the conjugate of A.
        norm = square(rate) + square(frequency);
        B_re = (A_im * frequency - (A_re - 1) * rate) / norm;
        B_im = -((A_re - 1) * frequency + A_im * rate) / norm;
        s_re = A_re * s_re[t-1] - A_im * s_im[t-1] + B_re * u;
        s_im = A_re * s_im[t-1] + A_im * s_re[t-1] + B_im * u;
        y = 2 * row_sum(C_re * s_re - C_im * s_im) + skip * u;

        output y;
    }

    /// S4D-Lin by the bilinear rule: `Ā = (1 + Δ A / 2) / (1 - Δ A / 2)`, `B̄ = Δ / (1 - Δ A / 2)` (Gu et al. 2022).
    pub cell S4dBilinear<D, N> {
        /// What one step reads, a channel a row.
        input u: [D];
        /// The real and the imaginary parts of the modes, a channel a row.
        state s_re, s_im: [D, N];
        /// The logarithm of each channel's step size: between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay: the rate is 1/2.
        param log_rate: [D, N] = -0.6931471805599453;
        /// The frequencies.
        param frequency: [D, N] = from_fn(linear_frequencies);
        /// How each channel's output reads its modes: the real and the imaginary part.
        param C_re, C_im: [D, N] = normal(0.70710678);
        /// What passes by.
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
