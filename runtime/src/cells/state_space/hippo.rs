//! HiPPO-LegS, the matrix with which a state space memorises its whole past, and the state spaces
//! that start from it: S4 and S5.
//!
//! A. Gu, K. Goel, C. Ré, "Efficiently Modeling Long Sequences with Structured State Spaces", 2022,
//! shows in theorem 1 that the matrix is normal plus low-rank: conjugated by a unitary matrix, it
//! is `Λ - P P*` with a diagonal `Λ`. The conjugated input vector is `B = √2 P`. Complex numbers
//! are pairs of reals. A matrix of order `2 N` has `N` pairs of conjugate modes; only one mode of
//! each pair is kept, so sums over all modes are twice the real part.

use crate::rnn_cell;
use core::f64::consts::{FRAC_1_SQRT_2, PI};
use nalgebra::RealField;

/// Returns the imaginary part of the eigenvalue of mode `mode` of the normal part of HiPPO-LegS
/// with `N` pairs of modes. The real part is -1/2.
///
/// The normal part has the entries `±½ sqrt((2i+1)(2j+1))`, so the difference of neighbouring rows
/// of `S v = iω v` relates only two entries of `v`. The condition on the phases of all entries is
/// `Σ_i atan(2ω / (2i+1)) = (mode + ½) π`, with a sum over `2 N` terms that increases with ω.
fn legs_frequency<const N: usize>(_channel: usize, mode: usize) -> f64 {
    let phase =
        |omega: f64| (0..2 * N).map(|i| RealField::atan2(2.0 * omega, (2 * i + 1) as f64)).sum::<f64>();
    let want = (mode as f64 + 0.5) * PI;
    let (mut low, mut high) = (0.0, 1.0);
    while phase(high) < want {
        high *= 2.0;
    }
    // Bisection down to neighbouring numbers.
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if phase(middle) < want {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// Returns the frequency of a mode of S5, whose modes are the rows of a vector.
fn s5_frequency<const N: usize>(mode: usize, _: usize) -> f64 {
    legs_frequency::<N>(0, mode)
}

/// Returns the entry of a mode in the conjugated input vector of HiPPO-LegS. The phase of an
/// eigenvector is arbitrary; this is the one that makes the entry positive.
fn legs_input<const N: usize>(channel: usize, mode: usize) -> f64 {
    let double = 2.0 * legs_frequency::<N>(channel, mode);
    let weight = |i: usize| {
        let odd = (2 * i + 1) as f64;
        odd / (double * double + odd * odd)
    };
    1.0 / nalgebra::ComplexField::sqrt((0..2 * N).map(weight).sum::<f64>())
}

/// Returns the entry of a mode in the low-rank part of HiPPO-LegS.
fn legs_low_rank<const N: usize>(channel: usize, mode: usize) -> f64 {
    FRAC_1_SQRT_2 * legs_input::<N>(channel, mode)
}

rnn_cell! {
    /// S4 (Gu, Goel & Ré 2022, "Efficiently Modeling Long Sequences with Structured State Spaces"):
    /// `D` channels of `N` pairs of complex modes each, with the normal plus low-rank matrix
    /// `A = Λ - P P*` that starts as HiPPO-LegS of order `2 N`, discretised by the bilinear rule.
    ///
    /// The paper trains the model as a convolution and runs it as this recurrence (appendix C.2): a
    /// step solves `(1 - Δ/2 A) s = (1 + Δ/2 A) s[t-1] + Δ B u` by Woodbury's identity, so it costs
    /// O(N). A channel has one input and one output; mixing the channels and nonlinearities are
    /// left to the other layers of a network.
    pub cell S4<D, N> {
        /// The input of a step, one channel per row.
        input u: [D];
        /// The real and imaginary parts of the modes, one channel per row.
        state s_re, s_im: [D, N];
        /// The logarithms of the channels' step sizes, which start between 0.001 and 0.1.
        param log_dt: [D] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay, `-Re Λ`, which start at 1/2.
        param log_rate: [D, N] = -0.6931471805599453;
        /// The frequencies, `Im Λ`.
        param frequency: [D, N] = from_fn(legs_frequency::<N>);
        /// The low-rank part: real and imaginary parts.
        param P_re: [D, N] = from_fn(legs_low_rank::<N>), P_im: [D, N] = 0;
        /// Input weights of the modes: real and imaginary parts.
        param B_re: [D, N] = from_fn(legs_input::<N>), B_im: [D, N] = 0;
        /// Output weights of the modes: real and imaginary parts.
        param C_re, C_im: [D, N] = normal(0.70710678);
        /// Weights of the direct path from input to output: `D` in the paper.
        param skip: [D] = normal(1);

        dt = exp(log_dt);
        // -Δ/2 Λ is p - i q, and G = 1 / (1 - Δ/2 Λ).
        p = exp(log_rate) * dt / 2;
        q = frequency * dt / 2;
        norm = square(1 + p) + square(q);
        G_re = (1 + p) / norm;
        G_im = q / norm;
        GP_re = G_re * P_re - G_im * P_im;
        GP_im = G_re * P_im + G_im * P_re;
        share = 1 + dt * row_sum(P_re * GP_re + P_im * GP_im);

        // z = (1 + Δ/2 A) s[t-1] + Δ B u
        past = dt * row_sum(P_re * s_re[t-1] + P_im * s_im[t-1]);
        z_re = (1 - p) * s_re[t-1] - q * s_im[t-1] - P_re * past + B_re * (dt * u);
        z_im = (1 - p) * s_im[t-1] + q * s_re[t-1] - P_im * past + B_im * (dt * u);

        // s = G (z - Δ/2 P P* s)
        w_re = G_re * z_re - G_im * z_im;
        w_im = G_re * z_im + G_im * z_re;
        present = dt * row_sum(P_re * w_re + P_im * w_im) / share;
        s_re = w_re - GP_re * present;
        s_im = w_im - GP_im * present;
        y = 2 * row_sum(C_re * s_re - C_im * s_im) + skip * u;

        output y;
    }

    /// S5 (Smith, Warrington & Linderman 2023, "Simplified State Space Layers for Sequence
    /// Modeling", section 3): one system with `D` inputs, `D` outputs and `N` pairs of complex
    /// modes, discretised by zero-order hold. The modes start as the normal part of HiPPO-LegS.
    ///
    /// Unlike [`S4d`](crate::cells::S4d), every mode reads all inputs and has a step size of its
    /// own. Nonlinearities are left to the other layers of a network.
    pub cell S5<D, N> {
        /// The input of a step.
        input u: [D];
        /// The real and imaginary parts of the modes.
        state s_re, s_im: [N];
        /// The logarithms of the modes' step sizes, which start between 0.001 and 0.1.
        param log_dt: [N] = uniform(-6.9078, -2.3026);
        /// The logarithms of the rates of decay, which start at 1/2.
        param log_rate: [N] = -0.6931471805599453;
        /// The frequencies.
        param frequency: [N] = from_fn(s5_frequency::<N>);
        /// Input weights of the modes: real and imaginary parts.
        param B_re, B_im: [N, D] = normal(1 / sqrt(2 * D));
        /// Output weights of the modes: real and imaginary parts.
        param C_re, C_im: [D, N] = normal(1 / sqrt(2 * N));
        /// Weights of the direct path from input to output: `D` in the paper.
        param skip: [D] = normal(1);

        dt = exp(log_dt);
        rate = exp(log_rate);
        size = exp(-rate * dt);
        A_re = size * cos(frequency * dt);
        A_im = size * sin(frequency * dt);
        // The scale of the input, (Ā - 1) / A, expanded by the conjugate of A.
        norm = square(rate) + square(frequency);
        scale_re = (A_im * frequency - (A_re - 1) * rate) / norm;
        scale_im = -((A_re - 1) * frequency + A_im * rate) / norm;
        v_re = B_re @ u;
        v_im = B_im @ u;
        s_re = A_re * s_re[t-1] - A_im * s_im[t-1] + scale_re * v_re - scale_im * v_im;
        s_im = A_re * s_im[t-1] + A_im * s_re[t-1] + scale_re * v_im + scale_im * v_re;
        y = 2 * (C_re @ s_re - C_im @ s_im) + skip * u;

        output y;
    }
}
