//! Selective state spaces: A. Gu, T. Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023.
//!
//! The step size and the matrices that write and read the modes depend on the input, so that the model chooses what to keep; all of them are
//! computed for all steps of a chunk at once, and only the scan runs step by step.

use super::state_space::log_real_rates;
use crate::rnn_cell;

rnn_cell! {
    /// The selective state space S6 (Gu & Dao 2023, algorithm 2): `D` channels of `N` real modes each, the rates those of S4D-Real.
    /// `A` by zero-order hold and `B` by Euler's rule, as in the authors' code.
    pub cell SelectiveSsm<D, N, R> {
        /// What one step reads, a channel a row.
        input x: [D];
        /// The modes of each channel, a channel a row.
        state s: [D, N];
        /// The logarithms of the rates of decay, `-A`.
        param log_rate: [D, N] = from_fn(log_real_rates);
        /// Weights of what is written into the modes and of how they are read.
        param W_B, W_C: [N, D] = xavier_uniform;
        /// Weights of the step sizes, of rank `R`: down.
        param W_down: [R, D] = xavier_uniform;
        /// Weights of the step sizes, of rank `R`: up.
        param W_dt: [D, R] = xavier_uniform;
        /// Bias of the step sizes: they start between 0.001 and 0.1, since the softplus of what is far below zero is its exponential.
        param b_dt: [D] = uniform(-6.9, -2.25);
        /// What passes by: `D` in the paper.
        param skip: [D] = 1;

        dt = softplus(W_dt @ (W_down @ x) + b_dt);
        B = W_B @ x;
        C = W_C @ x;
        s = exp(-exp(log_rate) * dt) * s[t-1] + (dt * x) @ B.T;
        y = s @ C + skip * x;

        output y;
    }

    /// The Mamba block (Gu & Dao 2023, section 3.4 and figure 3), without the norm and the residual around it: up to `D` channels (the paper takes
    /// `D = 2 M`), a causal convolution of width four in each, the selective state space, a gate, and down again.
    pub cell Mamba<M, D, N, R> {
        /// What one step reads.
        input u: [M];
        /// The channels one, two and three steps ago: the convolution's window.
        state x_1, x_2, x_3: [D];
        /// The modes of each channel, a channel a row.
        state s: [D, N];
        /// Weights up, of the channels and of their gates.
        param W_x, W_z: [D, M] = xavier_uniform;
        /// The convolution's filters, of the present step and of those before.
        param k_0, k_1, k_2, k_3: [D] = uniform(0.5);
        /// The convolution's bias.
        param b_conv: [D] = uniform(0.5);
        /// The logarithms of the rates of decay, `-A`.
        param log_rate: [D, N] = from_fn(log_real_rates);
        /// Weights of what is written into the modes and of how they are read.
        param W_B, W_C: [N, D] = xavier_uniform;
        /// Weights of the step sizes, of rank `R`: down.
        param W_down: [R, D] = xavier_uniform;
        /// Weights of the step sizes, of rank `R`: up.
        param W_dt: [D, R] = xavier_uniform;
        /// Bias of the step sizes, as in [`SelectiveSsm`].
        param b_dt: [D] = uniform(-6.9, -2.25);
        /// What passes by: `D` in the paper.
        param skip: [D] = 1;
        /// Weights down.
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
