//! Gated linear attention: S. Yang, B. Wang, Y. Shen, R. Panda, Y. Kim, "Gated Linear Attention
//! Transformers with Hardware-Efficient Training", 2024.

use crate::rnn_cell;

rnn_cell! {
    /// Gated linear attention with one head (Yang et al. 2024, "Gated Linear Attention Transformers
    /// with Hardware-Efficient Training", equation 3 and section 4.4): `I` inputs and outputs, keys
    /// of `K` and values of `V` numbers. `R` is the rank of the forget gate's weights.
    ///
    /// Every key entry has a forget gate of its own, which depends on the input. The gate's 16th
    /// root is taken so that it starts near one.
    pub cell GatedLinearAttention<I, K, V, R> {
        /// The input of a step.
        input x: [I];
        /// The memory: one row per key entry, one column per value entry.
        state S: [K, V];
        /// Weights of queries and keys.
        param W_q, W_k: [K, I] = xavier_uniform;
        /// Weights of the values.
        param W_v: [V, I] = xavier_uniform;
        /// Weights of the forget gate: from the input down to rank `R`.
        param W_down: [R, I] = xavier_uniform;
        /// Weights of the forget gate: from rank `R` up to the key entries.
        param W_up: [K, R] = xavier_uniform;
        /// Bias of the forget gate.
        param b_a: [K];
        /// Weights of the output gate.
        param W_r: [V, I] = xavier_uniform;
        /// Bias of the output gate.
        param b_r: [V];
        /// Gain of the norm before the output.
        param gain: [V] = 1;
        /// Bias of the norm before the output.
        param bias: [V];
        /// Weights of the output.
        param W_o: [I, V] = xavier_uniform;

        q = W_q @ x / sqrt(K);
        k = W_k @ x;
        v = W_v @ x;
        // The 16th root of the sigmoid.
        alpha = exp(-softplus(-(W_up @ (W_down @ x) + b_a)) / 16);
        S = alpha * S[t-1] + k @ v.T;
        o = layer_norm(S.T @ q, gain, bias);
        y = W_o @ (silu(W_r @ x + b_r) * o);

        output y;
    }
}
