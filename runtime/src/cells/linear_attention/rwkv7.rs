//! RWKV-7: B. Peng et al., "RWKV-7 Goose with Expressive Dynamic State Evolution", 2025.
//!
//! The values of the first layer are mixed into those of all later layers. The layers therefore
//! pass them on: between two layers, a step is the vector `[M + K*D]`, the stream of `M` channels
//! above the first layer's values. The models take `M = K*D`, `D = 64` and `U = 4*M`.
//!
//! The ranks of the weights of decay, replacement, values and gate are the same here. The models
//! use different ones. A smaller rank is a larger one with zeros in the additional rows and
//! columns.
//!
//! The variance in the norm of a head is increased by `64e-5`, as in the authors' code:
//! `layer_norm` adds `1e-5` to the variance of `o / 8`.

use crate::rnn_cell;

rnn_cell! {
    /// The time mixing of RWKV-7, "Goose" (Peng et al. 2025, "RWKV-7 Goose with Expressive Dynamic
    /// State Evolution", section 4): `M` inputs and outputs, and `K` heads of `D` channels. `R` is
    /// the rank of the weights of decay, replacement and gate. This is the time mixing of a first
    /// layer, without the norm before it and the residual connection around it.
    /// [`Rwkv7FirstLayer`] and [`Rwkv7Layer`] are whole layers.
    ///
    /// The memory forgets the value of the removal key `κ`, by shares `a` that depend on the input,
    /// before it adds the new value: a generalised delta rule.
    pub cell Rwkv7TimeMixing<M, D, K, R> {
        /// The input of a step.
        input x: [M];
        /// The previous input.
        state x_prev: [M];
        /// The previous input's shares in receptances, decays, keys, values, replacements and
        /// gates.
        param mu_r, mu_d, mu_k, mu_v, mu_a, mu_g: [M] = uniform(0, 1);
        /// Weights of decay, replacement and gate: from the channels down to rank `R`.
        param A_d, A_a, A_g: [R, M] = xavier_uniform;

        step = x_prev[t-1] - x;
        x_r = x + step * mu_r;
        x_k = x + step * mu_k;
        x_v = x + step * mu_v;
        down_d = tanh(A_d @ (x + step * mu_d));
        down_a = A_a @ (x + step * mu_a);
        down_g = sigmoid(A_g @ (x + step * mu_g));
        x_prev = x;

        fn unit(u, square_norm) = u / max(sqrt(square_norm), 1e-12);

        heads K {
            /// The memory: one row per value entry, one column per key entry.
            state S: [D, D];
            /// Weights of receptances, keys and values.
            param W_r, W_k, W_v: [D, M] = xavier_uniform;
            /// Weights of decay, replacement and gate: from rank `R` up to the channels.
            param B_d, B_a, B_g: [D, R] = uniform(0.1);
            /// Bias of the decay.
            param b_d: [D] = uniform(-6, -1);
            /// Bias of the replacement's shares.
            param b_a: [D];
            /// The scale of the removal key: `ξ` in the paper.
            param xi: [D] = 0.85;
            /// The share with which the replacement scales the new key: `α` in the paper.
            param alpha: [D] = 1;
            /// The bonus of the current key: `ρ` in the paper.
            param bonus: [D] = uniform(0.1);
            /// Gain of the norm before the output.
            param gain: [D] = 1;
            /// Bias of the norm before the output.
            param bias: [D];

            r = W_r @ x_r;
            k = W_k @ x_k;
            v = W_v @ x_v;
            d = b_d + B_d @ down_d;
            a = sigmoid(b_a + B_a @ down_a);
            g = B_g @ down_g;
            // exp(-1/2) = 0.6065306597126334
            w = exp(-0.6065306597126334 * sigmoid(d));
            kappa = unit(k * xi, sum(square(k * xi)));
            key = k * (1 + (a - 1) * alpha);
            S = S[t-1] * w.T - (S[t-1] @ kappa) @ (a * kappa).T + v @ key.T;
            p = g * (layer_norm(S @ r / 8, gain, bias) + sum(r * bonus * key) * v);
        }

        /// Weights of the output.
        param W_o: [M, K*D] = xavier_uniform;

        y = W_o @ p;

        output y;
    }

    /// The channel mixing of RWKV-7 (Peng et al. 2025, "RWKV-7 Goose with Expressive Dynamic State
    /// Evolution", section 4): a layer of `M` channels with a squared `relu` and a hidden layer of
    /// `U` units, without the norm before it and the residual connection around it. Unlike in
    /// [RWKV-4](super::RwkvChannelMixing) to 6, there is no gate.
    pub cell Rwkv7ChannelMixing<M, U> {
        /// The input of a step.
        input x: [M];
        /// The previous input.
        state x_prev: [M];
        /// The previous input's share in the input of the hidden layer.
        param mu: [M] = uniform(0, 1);
        /// Weights up to the hidden layer.
        param W_up: [U, M] = xavier_uniform;
        /// Weights down to the channels.
        param W_down: [M, U] = xavier_uniform;

        y = W_down @ square(relu(W_up @ (x + (x_prev[t-1] - x) * mu)));
        x_prev = x;

        output y;
    }

    /// The first layer of RWKV-7 (Peng et al. 2025, "RWKV-7 Goose with Expressive Dynamic State
    /// Evolution", section 4): [time mixing](Rwkv7TimeMixing) with `K` heads of `D` channels and
    /// weights of rank `R`, then [channel mixing](Rwkv7ChannelMixing) with a hidden layer of `U`
    /// units. Each has a norm before it and a residual connection around it.
    ///
    /// It reads `M` channels. Its output `[M + K*D]` consists of the `M` channels and of its
    /// values, which [later layers](Rwkv7Layer) read and [`Rwkv7Readout`] ignores:
    ///
    /// ```
    /// use rnn_cell::cells::{Embedding, LayerNorm, Rwkv7FirstLayer, Rwkv7Layer, Rwkv7Readout};
    /// use rnn_cell::prelude::*;
    ///
    /// const VOCABULARY: usize = 20;
    ///
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    /// let net = Embedding::<VOCABULARY, 8>::init(&mut rng)
    ///     .then(LayerNorm::<8>::init(&mut rng))
    ///     .then(Rwkv7FirstLayer::<8, 4, 2, 3, 32>::init(&mut rng))
    ///     .then(Rwkv7Layer::<8, 4, 2, 3, 32>::init(&mut rng))
    ///     .then(Rwkv7Layer::<8, 4, 2, 3, 32>::init(&mut rng))
    ///     .then(Rwkv7Readout::<8, 4, 2, VOCABULARY>::init(&mut rng));
    /// let logits = net.step(&[7], &mut net.initial_state());
    /// assert_eq!(logits.len(), VOCABULARY);
    /// ```
    pub cell Rwkv7FirstLayer<M, D, K, R, U> {
        /// The input of a step.
        input x: [M];
        /// The previous inputs of time mixing and channel mixing.
        state x_prev, z_prev: [M];
        /// Gain of the norm before the time mixing.
        param gain_x: [M] = 1;
        /// Bias of the norm before the time mixing.
        param bias_x: [M];
        /// The previous input's shares in receptances, decays, keys, values, replacements and
        /// gates.
        param mu_r, mu_d, mu_k, mu_v, mu_a, mu_g: [M] = uniform(0, 1);
        /// Weights of decay, replacement and gate: from the channels down to rank `R`.
        param A_d, A_a, A_g: [R, M] = xavier_uniform;

        x_normal = layer_norm(x, gain_x, bias_x);
        step = x_prev[t-1] - x_normal;
        x_r = x_normal + step * mu_r;
        x_k = x_normal + step * mu_k;
        x_v = x_normal + step * mu_v;
        down_d = tanh(A_d @ (x_normal + step * mu_d));
        down_a = A_a @ (x_normal + step * mu_a);
        down_g = sigmoid(A_g @ (x_normal + step * mu_g));
        x_prev = x_normal;

        fn unit(u, square_norm) = u / max(sqrt(square_norm), 1e-12);

        heads K {
            /// The memory: one row per value entry, one column per key entry.
            state S: [D, D];
            /// Weights of receptances, keys and values.
            param W_r, W_k, W_v: [D, M] = xavier_uniform;
            /// Weights of decay, replacement and gate: from rank `R` up to the channels.
            param B_d, B_a, B_g: [D, R] = uniform(0.1);
            /// Bias of the decay.
            param b_d: [D] = uniform(-6, -1);
            /// Bias of the replacement's shares.
            param b_a: [D];
            /// The scale of the removal key: `ξ` in the paper.
            param xi: [D] = 0.85;
            /// The share with which the replacement scales the new key: `α` in the paper.
            param alpha: [D] = 1;
            /// The bonus of the current key: `ρ` in the paper.
            param bonus: [D] = uniform(0.1);
            /// Gain of the norm before the output.
            param gain: [D] = 1;
            /// Bias of the norm before the output.
            param bias: [D];

            r = W_r @ x_r;
            k = W_k @ x_k;
            v = W_v @ x_v;
            d = b_d + B_d @ down_d;
            a = sigmoid(b_a + B_a @ down_a);
            g = B_g @ down_g;
            // exp(-1/2) = 0.6065306597126334
            w = exp(-0.6065306597126334 * sigmoid(d));
            kappa = unit(k * xi, sum(square(k * xi)));
            key = k * (1 + (a - 1) * alpha);
            S = S[t-1] * w.T - (S[t-1] @ kappa) @ (a * kappa).T + v @ key.T;
            p = g * (layer_norm(S @ r / 8, gain, bias) + sum(r * bonus * key) * v);
        }

        /// Weights of the output of the time mixing.
        param W_o: [M, K*D] = xavier_uniform;
        /// Gain of the norm before the channel mixing.
        param gain_z: [M] = 1;
        /// Bias of the norm before the channel mixing.
        param bias_z: [M];
        /// The previous input's share in the input of the channel mixing.
        param mu_z: [M] = uniform(0, 1);
        /// Weights of the channel mixing: up to the hidden layer.
        param W_up: [U, M] = xavier_uniform;
        /// Weights of the channel mixing: down to the channels.
        param W_down: [M, U] = xavier_uniform;

        z = x + W_o @ p;
        z_normal = layer_norm(z, gain_z, bias_z);
        hidden = square(relu(W_up @ (z_normal + (z_prev[t-1] - z_normal) * mu_z)));
        z_prev = z_normal;
        y = [z + W_down @ hidden, v];

        output y;
    }

    /// A layer of RWKV-7 after the first one (Peng et al. 2025, "RWKV-7 Goose with Expressive
    /// Dynamic State Evolution", section 4): [`Rwkv7FirstLayer`] whose values are moved towards
    /// those of the first layer, by shares `ν` that depend on the input.
    pub cell Rwkv7Layer<M, D, K, R, U> {
        /// The stream, and the values of the first layer.
        input u: [M + K*D];
        /// The previous inputs of time mixing and channel mixing.
        state x_prev, z_prev: [M];
        /// Gain of the norm before the time mixing.
        param gain_x: [M] = 1;
        /// Bias of the norm before the time mixing.
        param bias_x: [M];
        /// The previous input's shares in receptances, decays, keys, values, replacements and
        /// gates.
        param mu_r, mu_d, mu_k, mu_v, mu_a, mu_g: [M] = uniform(0, 1);
        /// Weights of decay, replacement, values and gate: from the channels down to rank `R`.
        param A_d, A_a, A_v, A_g: [R, M] = xavier_uniform;

        [x, v_first] = u;
        x_normal = layer_norm(x, gain_x, bias_x);
        step = x_prev[t-1] - x_normal;
        x_r = x_normal + step * mu_r;
        x_k = x_normal + step * mu_k;
        x_v = x_normal + step * mu_v;
        down_d = tanh(A_d @ (x_normal + step * mu_d));
        down_a = A_a @ (x_normal + step * mu_a);
        down_g = sigmoid(A_g @ (x_normal + step * mu_g));
        down_v = A_v @ x_v;
        x_prev = x_normal;

        fn unit(u, square_norm) = u / max(sqrt(square_norm), 1e-12);

        heads K {
            /// The memory: one row per value entry, one column per key entry.
            state S: [D, D];
            /// Weights of receptances, keys and values.
            param W_r, W_k, W_v: [D, M] = xavier_uniform;
            /// Weights of decay, replacement, values and gate: from rank `R` up to the channels.
            param B_d, B_a, B_v, B_g: [D, R] = uniform(0.1);
            /// Bias of the decay.
            param b_d: [D] = uniform(-6, -1);
            /// Bias of the replacement's shares.
            param b_a: [D];
            /// Bias of the shares of the first layer's values.
            param b_v: [D] = 1;
            /// The scale of the removal key: `ξ` in the paper.
            param xi: [D] = 0.85;
            /// The share with which the replacement scales the new key: `α` in the paper.
            param alpha: [D] = 1;
            /// The bonus of the current key: `ρ` in the paper.
            param bonus: [D] = uniform(0.1);
            /// Gain of the norm before the output.
            param gain: [D] = 1;
            /// Bias of the norm before the output.
            param bias: [D];

            r = W_r @ x_r;
            k = W_k @ x_k;
            v_own = W_v @ x_v;
            v = v_own + (v_first.head - v_own) * sigmoid(b_v + B_v @ down_v);
            d = b_d + B_d @ down_d;
            a = sigmoid(b_a + B_a @ down_a);
            g = B_g @ down_g;
            // exp(-1/2) = 0.6065306597126334
            w = exp(-0.6065306597126334 * sigmoid(d));
            kappa = unit(k * xi, sum(square(k * xi)));
            key = k * (1 + (a - 1) * alpha);
            S = S[t-1] * w.T - (S[t-1] @ kappa) @ (a * kappa).T + v @ key.T;
            p = g * (layer_norm(S @ r / 8, gain, bias) + sum(r * bonus * key) * v);
        }

        /// Weights of the output of the time mixing.
        param W_o: [M, K*D] = xavier_uniform;
        /// Gain of the norm before the channel mixing.
        param gain_z: [M] = 1;
        /// Bias of the norm before the channel mixing.
        param bias_z: [M];
        /// The previous input's share in the input of the channel mixing.
        param mu_z: [M] = uniform(0, 1);
        /// Weights of the channel mixing: up to the hidden layer.
        param W_up: [U, M] = xavier_uniform;
        /// Weights of the channel mixing: down to the channels.
        param W_down: [M, U] = xavier_uniform;

        z = x + W_o @ p;
        z_normal = layer_norm(z, gain_z, bias_z);
        hidden = square(relu(W_up @ (z_normal + (z_prev[t-1] - z_normal) * mu_z)));
        z_prev = z_normal;
        y = [z + W_down @ hidden, v_first];

        output y;
    }

    /// The readout of RWKV-7: a norm of the stream, and `N` outputs for each step. It ignores the
    /// values of the first layer.
    pub cell Rwkv7Readout<M, D, K, N> {
        /// The stream, and the values of the first layer.
        input u: [M + K*D];
        /// Gain of the norm.
        param gain: [M] = 1;
        /// Bias of the norm.
        param bias: [M];
        /// Weights of the output.
        param W: [N, M] = xavier_uniform;

        [x, v_first] = u;
        y = W @ layer_norm(x, gain, bias);

        // A dimension `K*D` needs a block of `K` heads.
        heads K {
            _ignored = v_first.head;
        }

        output y;
    }
}
