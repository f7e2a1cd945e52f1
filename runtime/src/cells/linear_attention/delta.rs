//! The gated delta rule: S. Yang, J. Kautz, A. Hatamizadeh, "Gated Delta Networks: Improving Mamba2
//! with Delta Rule", 2025.

use crate::rnn_cell;

rnn_cell! {
    /// The gated delta network (Yang, Kautz & Hatamizadeh 2025, "Gated Delta Networks: Improving
    /// Mamba2 with Delta Rule", equation 10 and figure 1): `M` inputs and outputs, and `K` heads
    /// with keys of `D` and values of `V` numbers.
    ///
    /// The memory replaces the value that it holds for a key, by the share `β`, instead of adding
    /// to it. The share `α` of the whole memory is kept; its gate is that of Mamba-2. Queries, keys
    /// and values pass through a causal convolution of width four with a SiLU; queries and keys are
    /// then normalised to length 1. The heads form `G` groups, and the `K / G` consecutive heads of
    /// a group share queries and keys. In the paper, `G = K`.
    ///
    /// A program whose `K` is not a multiple of `G` does not build.
    pub cell GatedDeltaNet<M, D, V, K, G> {
        /// The input of a step.
        input x: [M];

        fn unit(u, square_norm) = u / sqrt(square_norm + 1e-6);

        heads G {
            /// Weights of queries and keys.
            param W_q, W_k: [D, M] = xavier_uniform;
            /// The convolution's filters of queries and keys, the current step last.
            param c_q, c_k: [D, 4] = uniform(0.5);

            q_raw = silu(row_sum(c_q * window(W_q @ x, 4)));
            k_raw = silu(row_sum(c_k * window(W_k @ x, 4)));
            q_group = unit(q_raw, sum(square(q_raw))) / sqrt(D);
            k_group = unit(k_raw, sum(square(k_raw)));
        }

        q = repeat_heads(q_group, K);
        k = repeat_heads(k_group, K);

        /// Gain of the norm before the output, which all heads share.
        param gain: [V] = 1;

        heads K {
            /// The memory: one row per value entry, one column per key entry.
            state S: [V, D];
            /// Weights of the values.
            param W_v: [V, M] = xavier_uniform;
            /// The convolution's filters of the values, the current step last.
            param c_v: [V, 4] = uniform(0.5);
            /// Weights of the decay `α` and of the writing strength `β`.
            param w_a, w_b: [M] = uniform(1 / sqrt(M));
            /// The logarithm of the rate of decay, which starts between 1 and 16.
            param log_rate: [] = uniform(0, 2.77);
            /// Bias of the decay, whose step size starts between 0.001 and 0.1.
            param b_a: [] = uniform(-6.9, -2.25);
            /// Weights of the output gate.
            param W_g: [V, M] = xavier_uniform;

            v = silu(row_sum(c_v * window(W_v @ x, 4)));
            alpha = exp(-exp(log_rate) * softplus(w_a.T @ x + b_a));
            beta = sigmoid(w_b.T @ x);
            faded = alpha * S[t-1];
            S = faded + beta * ((v - faded @ k.head) @ k.head.T);
            o = rms_norm(S @ q.head, gain) * silu(W_g @ x);
        }

        /// Weights of the output.
        param W_o: [M, K*V] = xavier_uniform;

        y = W_o @ o;

        output y;
    }
}
