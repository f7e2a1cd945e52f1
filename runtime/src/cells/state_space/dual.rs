//! State space duality, the recurrence of Mamba-2: T. Dao, A. Gu, "Transformers are SSMs:
//! Generalized Models and Efficient Algorithms Through Structured State Space Duality", 2024.

use crate::rnn_cell;

rnn_cell! {
    /// State space duality with one head (Dao & Gu 2024, "Transformers are SSMs: Generalized Models
    /// and Efficient Algorithms Through Structured State Space Duality", sections 5 and 7): the
    /// Mamba-2 block without its convolution. It has `M` inputs and outputs, and `P` channels with
    /// `N` modes each.
    ///
    /// All modes of all channels decay at one rate, which depends on the input. The state is
    /// therefore the memory of a linear attention with `P` values, and `B` and `C` are its keys and
    /// queries.
    pub cell Ssd<M, P, N> {
        /// The input of a step.
        input u: [M];
        /// The modes, one channel per row.
        state S: [P, N];
        /// Weights from the input to the channels and to their gates.
        param W_x, W_z: [P, M] = xavier_uniform;
        /// Weights of the input-dependent `B` and `C`, which write and read the modes.
        param W_B, W_C: [N, M] = xavier_uniform;
        /// Weights of the step size.
        param w_dt: [M] = uniform(1 / sqrt(M));
        /// Bias of the step size, which starts between 0.001 and 0.1.
        param b_dt: [] = uniform(-6.9, -2.25);
        /// The logarithm of the rate of decay, `-A`, which starts between 1 and 16.
        param log_rate: [] = uniform(0, 2.77);
        /// Weight of the direct path from the channels to the output: `D` in the paper.
        param skip: [] = 1;
        /// Gain of the norm before the output.
        param g: [P] = 1;
        /// Weights of the output.
        param W_out: [M, P] = xavier_uniform;

        x = W_x @ u;
        dt = softplus(w_dt.T @ u + b_dt);
        S = exp(-exp(log_rate) * dt) * S[t-1] + (dt * x) @ (W_B @ u).T;
        y = S @ (W_C @ u) + skip * x;
        out = W_out @ rms_norm(y * silu(W_z @ u), g);

        output out;
    }
}
