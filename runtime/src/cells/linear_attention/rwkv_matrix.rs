//! RWKV with a matrix as the state of each head, versions 5 and 6: B. Peng et al., "Eagle and
//! Finch: RWKV with Matrix-Valued States and Dynamic Recurrence", 2024.
//!
//! Channel mixing is as in [RWKV-4](super::RwkvChannelMixing). A channel's input is mixed with the
//! same channel of the previous input, which is kept in a state. The models take `M = K*D` and
//! `D = 64`. The variance in the norm of a head is increased by `64e-5`, as in the authors' code:
//! `layer_norm` adds `1e-5` to the variance of `o / 8`.

use crate::rnn_cell;

rnn_cell! {
    /// The time mixing of RWKV-5, "Eagle" (Peng et al. 2024, "Eagle and Finch: RWKV with
    /// Matrix-Valued States and Dynamic Recurrence", section 4.1): `M` inputs and outputs, and `K`
    /// heads of `D` channels. Every channel has a decay of its own, which does not depend on the
    /// input.
    pub cell Rwkv5TimeMixing<M, D, K> {
        /// The input of a step.
        input x: [M];
        /// The previous input.
        state x_prev: [M];
        /// The previous input's shares in receptances, keys, values and gates.
        param mu_r, mu_k, mu_v, mu_g: [M] = uniform(0, 1);

        step = x_prev[t-1] - x;
        x_r = x + step * mu_r;
        x_k = x + step * mu_k;
        x_v = x + step * mu_v;
        x_g = x + step * mu_g;
        x_prev = x;

        heads K {
            /// The memory: one row per key entry, one column per value entry.
            state S: [D, D];
            /// Weights of receptances, keys, values and gates.
            param W_r, W_k, W_v, W_g: [D, M] = xavier_uniform;
            /// The logarithms of the decay rates: `ω` in the paper.
            param decay: [D] = uniform(-6, -1);
            /// The bonus of the current key: `u` in the paper.
            param bonus: [D] = uniform(0, 1);
            /// Gain of the norm before the output.
            param gain: [D] = 1;
            /// Bias of the norm before the output.
            param bias: [D];

            r = W_r @ x_r;
            k = W_k @ x_k;
            v = W_v @ x_v;
            g = W_g @ x_g;
            o = S[t-1].T @ r + sum(r * bonus * k) * v;
            S = exp(-exp(decay)) * S[t-1] + k @ v.T;
            p = silu(g) * layer_norm(o / 8, gain, bias);
        }

        /// Weights of the output.
        param W_o: [M, K*D] = xavier_uniform;

        y = W_o @ p;

        output y;
    }

    /// The time mixing of RWKV-6, "Finch" (Peng et al. 2024, "Eagle and Finch: RWKV with
    /// Matrix-Valued States and Dynamic Recurrence", section 4.2): `M` inputs and outputs, and `K`
    /// heads of `D` channels. `R` is the rank of the weights with which the input chooses its own
    /// mixture with the previous input, and the decay.
    pub cell Rwkv6TimeMixing<M, D, K, R> {
        /// The input of a step.
        input x: [M];
        /// The previous input.
        state x_prev: [M];
        /// The previous input's share in the mixture that determines the others: `μ_x` in the
        /// paper.
        param mu: [M] = uniform(0, 1);
        /// The previous input's shares in receptances, keys, values, gates and decays: `λ` in the
        /// paper.
        param mu_r, mu_k, mu_v, mu_g, mu_d: [M] = uniform(0, 1);
        /// Weights of the shares: from the channels down to rank `R`.
        param A_r, A_k, A_v, A_g, A_d: [R, M] = xavier_uniform;
        /// Weights of the shares: from rank `R` up to the channels.
        param B_r, B_k, B_v, B_g, B_d: [M, R] = uniform(0.01);
        /// Weights of the decay: from the channels down to rank `R`.
        param A_w: [R, M] = xavier_uniform;

        step = x_prev[t-1] - x;
        mixed = x + step * mu;
        x_r = x + step * (mu_r + B_r @ tanh(A_r @ mixed));
        x_k = x + step * (mu_k + B_k @ tanh(A_k @ mixed));
        x_v = x + step * (mu_v + B_v @ tanh(A_v @ mixed));
        x_g = x + step * (mu_g + B_g @ tanh(A_g @ mixed));
        x_d = x + step * (mu_d + B_d @ tanh(A_d @ mixed));
        down = tanh(A_w @ x_d);
        x_prev = x;

        heads K {
            /// The memory: one row per key entry, one column per value entry.
            state S: [D, D];
            /// Weights of receptances, keys, values and gates.
            param W_r, W_k, W_v, W_g: [D, M] = xavier_uniform;
            /// Weights of the decay: from rank `R` up to the channels.
            param B_w: [D, R] = uniform(0.01);
            /// The logarithms of the decay rates.
            param decay: [D] = uniform(-6, -1);
            /// The bonus of the current key: `u` in the paper.
            param bonus: [D] = uniform(0, 1);
            /// Gain of the norm before the output.
            param gain: [D] = 1;
            /// Bias of the norm before the output.
            param bias: [D];

            r = W_r @ x_r;
            k = W_k @ x_k;
            v = W_v @ x_v;
            g = W_g @ x_g;
            d = decay + B_w @ down;
            o = S[t-1].T @ r + sum(r * bonus * k) * v;
            S = exp(-exp(d)) * S[t-1] + k @ v.T;
            p = silu(g) * layer_norm(o / 8, gain, bias);
        }

        /// Weights of the output.
        param W_o: [M, K*D] = xavier_uniform;

        y = W_o @ p;

        output y;
    }
}
