//! The gated delta rule: S. Yang, J. Kautz, A. Hatamizadeh, "Gated Delta Networks: Improving Mamba2
//! with Delta Rule", 2025.

use crate::rnn_cell;

rnn_cell! {
    /// The gated delta network with one head (Yang, Kautz & Hatamizadeh 2025, "Gated Delta
    /// Networks: Improving Mamba2 with Delta Rule", equation 10), without the convolutions of
    /// queries, keys and values: `I` inputs and outputs, keys of `K` and values of `V` numbers.
    ///
    /// The memory replaces the value that it holds for a key, by the share `β`, instead of adding
    /// to it. The share `α` of the whole memory is kept; its gate is that of Mamba-2. Queries and
    /// keys pass through a SiLU and are normalised to length 1.
    pub cell GatedDeltaNet<I, K, V> {
        /// The input of a step.
        input x: [I];
        /// The memory: one row per value entry, one column per key entry.
        state S: [V, K];
        /// Weights of queries and keys.
        param W_q, W_k: [K, I] = xavier_uniform;
        /// Weights of the values.
        param W_v: [V, I] = xavier_uniform;
        /// Weights of the decay `α` and of the writing strength `β`.
        param w_a, w_b: [I] = uniform(1 / sqrt(I));
        /// The logarithm of the rate of decay, which starts between 1 and 16.
        param log_rate: [] = uniform(0, 2.77);
        /// Bias of the decay, whose step size starts between 0.001 and 0.1.
        param b_a: [] = uniform(-6.9, -2.25);
        /// Weights of the output gate.
        param W_g: [V, I] = xavier_uniform;
        /// Gain of the norm before the output.
        param gain: [V] = 1;
        /// Weights of the output.
        param W_o: [I, V] = xavier_uniform;

        fn unit(u, square_norm) = u / sqrt(square_norm + 1e-6);

        q_raw = silu(W_q @ x);
        k_raw = silu(W_k @ x);
        q = unit(q_raw, sum(square(q_raw))) / sqrt(K);
        k = unit(k_raw, sum(square(k_raw)));
        v = silu(W_v @ x);
        alpha = exp(-exp(log_rate) * softplus(w_a.T @ x + b_a));
        beta = sigmoid(w_b.T @ x);
        faded = alpha * S[t-1];
        S = faded + beta * ((v - faded @ k) @ k.T);
        o = rms_norm(S @ q, gain);
        y = W_o @ (o * silu(W_g @ x));

        output y;
    }
}
