//! Gated linear attention: S. Yang, B. Wang, Y. Shen, R. Panda, Y. Kim, "Gated Linear Attention
//! Transformers with Hardware-Efficient Training", 2024.

use crate::rnn_cell;

rnn_cell! {
    /// Gated linear attention (Yang et al. 2024, "Gated Linear Attention Transformers with
    /// Hardware-Efficient Training", equation 3 and section 4.4): `M` inputs and outputs, and `K`
    /// heads with keys of `D` and values of `V` numbers. `R` is the rank of the forget gate's
    /// weights.
    ///
    /// Every key entry has a forget gate of its own, which depends on the input. The gate's 16th
    /// root is taken so that it starts near one.
    pub cell GatedLinearAttention<M, D, V, K, R> {
        /// The input of a step.
        input x: [M];
        /// Weights of the forget gate: from the input down to rank `R`.
        param W_down: [R, M] = xavier_uniform;
        /// Gain of the norm before the output, which all heads share.
        param gain: [V] = 1;
        /// Bias of the norm before the output, which all heads share.
        param bias: [V];

        down = W_down @ x;

        heads K {
            /// The memory: one row per key entry, one column per value entry.
            state S: [D, V];
            /// Weights of queries and keys.
            param W_q, W_k: [D, M] = xavier_uniform;
            /// Weights of the values.
            param W_v: [V, M] = xavier_uniform;
            /// Weights of the forget gate: from rank `R` up to the key entries.
            param W_up: [D, R] = xavier_uniform;
            /// Bias of the forget gate.
            param b_a: [D];

            q = W_q @ x / sqrt(D);
            k = W_k @ x;
            v = W_v @ x;
            // The 16th root of the sigmoid.
            alpha = exp(-softplus(-(W_up @ down + b_a)) / 16);
            S = alpha * S[t-1] + k @ v.T;
            o = layer_norm(S.T @ q, gain, bias);
        }

        /// Weights of the output gate.
        param W_r: [K*V, M] = xavier_uniform;
        /// Bias of the output gate.
        param b_r: [K*V];
        /// Weights of the output.
        param W_o: [M, K*V] = xavier_uniform;

        y = W_o @ (silu(W_r @ x + b_r) * o);

        output y;
    }
}
