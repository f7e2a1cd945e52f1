//! Selective state spaces: A. Gu, T. Dao, "Mamba: Linear-Time Sequence Modeling with Selective
//! State Spaces", 2023.
//!
//! The step size and the matrices that write and read the modes depend on the input, so the model
//! can choose what to keep. All of them are computed for many steps at once. Only the scan runs
//! step by step.

use super::diagonal::log_real_rates;
use crate::rnn_cell;

rnn_cell! {
    /// The selective state space S6 (Gu & Dao 2023, "Mamba: Linear-Time Sequence Modeling with
    /// Selective State Spaces", algorithm 2): `D` channels of `N` real modes each, with the rates
    /// of S4D-Real. `A` is discretised by zero-order hold and `B` by Euler's rule, as in the
    /// authors' code. `R` is the rank of the step sizes' weights.
    pub cell SelectiveSsm<D, N, R> {
        /// The input of a step, one channel per row.
        input x: [D];
        /// The modes, one channel per row.
        state s: [D, N];
        /// The logarithms of the rates of decay, `-A`.
        param log_rate: [D, N] = from_fn(log_real_rates);
        /// Weights of the input-dependent `B` and `C`, which write and read the modes.
        param W_B, W_C: [N, D] = xavier_uniform;
        /// Weights of the step sizes: from the channels down to rank `R`.
        param W_down: [R, D] = xavier_uniform;
        /// Weights of the step sizes: from rank `R` up to the channels.
        param W_dt: [D, R] = xavier_uniform;
        /// Bias of the step sizes, which start between 0.001 and 0.1: the softplus of a number far
        /// below zero is close to its exponential.
        param b_dt: [D] = uniform(-6.9, -2.25);
        /// Weights of the direct path from input to output: `D` in the paper.
        param skip: [D] = 1;

        dt = softplus(W_dt @ (W_down @ x) + b_dt);
        B = W_B @ x;
        C = W_C @ x;
        s = exp(-exp(log_rate) * dt) * s[t-1] + (dt * x) @ B.T;
        y = s @ C + skip * x;

        output y;
    }

    /// The Mamba block (Gu & Dao 2023, "Mamba: Linear-Time Sequence Modeling with Selective State
    /// Spaces", section 3.4 and figure 3), without the norm before it and the residual connection
    /// around it. It maps `M` inputs up to `D` channels (the paper takes `D = 2 M`), applies a
    /// causal convolution of width four to each channel, then the selective state space and a gate,
    /// and maps the channels down to `M` outputs.
    pub cell Mamba<M, D, N, R> {
        /// The input of a step.
        input u: [M];
        /// The channels one, two and three steps ago, the window of the convolution.
        state x_1, x_2, x_3: [D];
        /// The modes, one channel per row.
        state s: [D, N];
        /// Weights from the input up to the channels and to their gates.
        param W_x, W_z: [D, M] = xavier_uniform;
        /// The convolution's filters, for the current step and the three before it.
        param k_0, k_1, k_2, k_3: [D] = uniform(0.5);
        /// Bias of the convolution.
        param b_conv: [D] = uniform(0.5);
        /// The logarithms of the rates of decay, `-A`.
        param log_rate: [D, N] = from_fn(log_real_rates);
        /// Weights of the input-dependent `B` and `C`, which write and read the modes.
        param W_B, W_C: [N, D] = xavier_uniform;
        /// Weights of the step sizes: from the channels down to rank `R`.
        param W_down: [R, D] = xavier_uniform;
        /// Weights of the step sizes: from rank `R` up to the channels.
        param W_dt: [D, R] = xavier_uniform;
        /// Bias of the step sizes, as in [`SelectiveSsm`].
        param b_dt: [D] = uniform(-6.9, -2.25);
        /// Weights of the direct path from input to output: `D` in the paper.
        param skip: [D] = 1;
        /// Weights from the channels down to the output.
        param W_out: [M, D] = xavier_uniform;

        x_0 = W_x @ u;
        x_1 = x_0;
        x_2 = x_1[t-1];
        x_3 = x_2[t-1];
        x = silu(k_0 * x_0 + k_1 * x_1[t-1] + k_2 * x_2[t-1] + k_3 * x_3[t-1] + b_conv);

        dt = softplus(W_dt @ (W_down @ x) + b_dt);
        B = W_B @ x;
        C = W_C @ x;
        s = exp(-exp(log_rate) * dt) * s[t-1] + (dt * x) @ B.T;
        y = s @ C + skip * x;
        out = W_out @ (y * silu(W_z @ u));

        output out;
    }
}
