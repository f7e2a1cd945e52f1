//! State space duality, the recurrence of Mamba-2: T. Dao, A. Gu, "Transformers are SSMs:
//! Generalized Models and Efficient Algorithms Through Structured State Space Duality", 2024.

use crate::rnn_cell;

rnn_cell! {
    /// State space duality (Dao & Gu 2024, "Transformers are SSMs: Generalized Models and Efficient
    /// Algorithms Through Structured State Space Duality", sections 5 and 7): the Mamba-2 block
    /// without its convolution. It has `M` inputs and outputs, and `K` heads of `P` channels with
    /// `N` modes each.
    ///
    /// All modes of all channels of a head decay at one rate, which depends on the input. The state
    /// is therefore the memory of a linear attention with `P` values, and `B` and `C` are its keys
    /// and queries. The heads form `G` groups, and the `K / G` consecutive heads of a group share
    /// one `B` and one `C`. The gated norm before the output is over the channels of a group.
    ///
    /// A program whose `K` is not a multiple of `G` does not build.
    pub cell Ssd<M, P, N, K, G> {
        /// The input of a step.
        input u: [M];

        heads G {
            /// Weights from the input to the groups' `B` and `C`, which write and read the modes.
            param W_B, W_C: [N, M] = xavier_uniform;

            B_group = W_B @ u;
            C_group = W_C @ u;
        }

        /// Weights from the input to the gates of the channels.
        param W_z: [K*P, M] = xavier_uniform;

        B = repeat_heads(B_group, K);
        C = repeat_heads(C_group, K);
        z = silu(W_z @ u);

        heads K {
            /// The modes, one channel per row.
            state S: [P, N];
            /// Weights from the input to the channels.
            param W_x: [P, M] = xavier_uniform;
            /// Weights of the step size.
            param w_dt: [M] = uniform(1 / sqrt(M));
            /// Bias of the step size, which starts between 0.001 and 0.1.
            param b_dt: [] = uniform(-6.9, -2.25);
            /// The logarithm of the rate of decay, `-A`, which starts between 1 and 16.
            param log_rate: [] = uniform(0, 2.77);
            /// Weight of the direct path from the channels to the output: `D` in the paper.
            param skip: [] = 1;

            x = W_x @ u;
            dt = softplus(w_dt.T @ u + b_dt);
            S = exp(-exp(log_rate) * dt) * S[t-1] + (dt * x) @ B.head.T;
            y = (S @ C.head + skip * x) * z.head;
            mean_square = mean(square(y));
        }

        // The mean over the channels of a group.
        variance = sum_heads(mean_square, G) * G / K;
        scale = repeat_heads(1 / sqrt(variance + 1e-5), K);

        heads K {
            y_normal = scale.head * y.head;
        }

        /// Gain of the norm before the output.
        param g: [K*P] = 1;
        /// Weights of the output.
        param W_out: [M, K*P] = xavier_uniform;

        out = W_out @ (g * y_normal);

        output out;
    }

    /// The Mamba-2 block (Dao & Gu 2024, "Transformers are SSMs: Generalized Models and Efficient
    /// Algorithms Through Structured State Space Duality", section 7.1 and figure 6), without the
    /// norm before it and the residual connection around it. It has `M` inputs and outputs, and `K`
    /// heads of `P` channels with `N` modes each. The paper takes `K*P = 2*M`.
    ///
    /// Channels, `B` and `C` pass through a causal convolution of width four with a SiLU. Heads and
    /// groups are those of [`Ssd`]: with `G = 1`, all heads share one `B` and one `C` (multi-value
    /// attention). The norm over the channels of a group is that of the authors' code.
    pub cell Mamba2<M, P, N, K, G> {
        /// The input of a step.
        input u: [M];

        heads G {
            /// Weights from the input to the groups' `B` and `C`, which write and read the modes.
            param W_B, W_C: [N, M] = xavier_uniform;
            /// The convolution's filters of `B` and `C`, the current step last.
            param k_B, k_C: [N, 4] = uniform(0.5);
            /// Biases of the convolution.
            param b_B, b_C: [N] = uniform(0.5);

            B_group = silu(row_sum(k_B * window(W_B @ u, 4)) + b_B);
            C_group = silu(row_sum(k_C * window(W_C @ u, 4)) + b_C);
        }

        /// Weights from the input to the gates of the channels.
        param W_z: [K*P, M] = xavier_uniform;

        B = repeat_heads(B_group, K);
        C = repeat_heads(C_group, K);
        z = silu(W_z @ u);

        heads K {
            /// The modes, one channel per row.
            state S: [P, N];
            /// Weights from the input to the channels.
            param W_x: [P, M] = xavier_uniform;
            /// The convolution's filters of the channels, the current step last.
            param k_x: [P, 4] = uniform(0.5);
            /// Bias of the convolution.
            param b_x: [P] = uniform(0.5);
            /// Weights of the step size.
            param w_dt: [M] = uniform(1 / sqrt(M));
            /// Bias of the step size, which starts between 0.001 and 0.1.
            param b_dt: [] = uniform(-6.9, -2.25);
            /// The logarithm of the rate of decay, `-A`, which starts between 1 and 16.
            param log_rate: [] = uniform(0, 2.77);
            /// Weight of the direct path from the channels to the output: `D` in the paper.
            param skip: [] = 1;

            x = silu(row_sum(k_x * window(W_x @ u, 4)) + b_x);
            dt = softplus(w_dt.T @ u + b_dt);
            S = exp(-exp(log_rate) * dt) * S[t-1] + (dt * x) @ B.head.T;
            y = (S @ C.head + skip * x) * z.head;
            mean_square = mean(square(y));
        }

        // The mean over the channels of a group.
        variance = sum_heads(mean_square, G) * G / K;
        scale = repeat_heads(1 / sqrt(variance + 1e-5), K);

        heads K {
            y_normal = scale.head * y.head;
        }

        /// Gain of the norm before the output.
        param g: [K*P] = 1;
        /// Weights of the output.
        param W_out: [M, K*P] = xavier_uniform;

        out = W_out @ (g * y_normal);

        output out;
    }
}
