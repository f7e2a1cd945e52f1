//! The Conformer block: A. Gulati et al., "Conformer: Convolution-augmented Transformer for Speech
//! Recognition", 2020.

use crate::rnn_cell;

rnn_cell! {
    /// The Conformer block (Gulati et al. 2020, "Conformer: Convolution-augmented Transformer for
    /// Speech Recognition", equation 1), as a stream: a feed-forward module with half a residual
    /// step, attention over the last `S` steps, a causal convolution of width `C`, and another
    /// feed-forward module with half a step. `M` is the size of a step, `F` that of the hidden
    /// layers (the paper takes `4*M`). The attention has `K` heads of `D` numbers.
    ///
    /// It differs from the paper where the paper needs the whole sequence, in the ways of w2v-BERT
    /// 2.0 (Barrault et al. 2023, "Seamless: Multilingual Expressive and Streaming Speech
    /// Translation"):
    ///
    /// - Attention and convolution read no later steps.
    /// - Layer normalisation replaces the batch normalisation within the convolution module, so a
    ///   sample does not depend on its batch.
    /// - Each distance within the window has a learned key (Shaw et al. 2018, "Self-Attention with
    ///   Relative Position Representations"). The paper projects sinusoids of any distance.
    ///
    /// Dropout is left to the layers between the blocks.
    pub cell Conformer<M, F, D, K, S, C> {
        /// The input of a step.
        input x: [M];

        /// Gain and bias of the normalisation in the first feed-forward module.
        param g_1: [M] = 1, b_1: [M];
        /// Weights and bias of its hidden layer.
        param U_1: [F, M] = xavier_uniform, c_1: [F];
        /// Weights and bias of its output.
        param V_1: [M, F] = xavier_uniform, d_1: [M];

        /// Gain and bias of the normalisation in the attention module.
        param g_a: [M] = 1, b_a: [M];
        /// The key of each distance, which the heads share: the present step is the last column.
        param P: [D, S] = normal(0.02);
        /// Weights and bias of the attention's output.
        param W_o: [M, K*D] = xavier_uniform, b_o: [M];

        /// Gain and bias of the normalisation in the convolution module.
        param g_c: [M] = 1, b_c: [M];
        /// Weights of the gated linear unit: its values and its gates.
        param W_u, W_z: [M, M] = xavier_uniform;
        /// The filter of each channel: the present step is the last column.
        param k: [M, C] = uniform(1 / sqrt(C));
        /// Gain and bias of the normalisation after the filters.
        param g_d: [M] = 1, b_d: [M];
        /// Weights of the convolution module's output.
        param W_p: [M, M] = xavier_uniform;

        /// Gain and bias of the normalisation in the second feed-forward module.
        param g_2: [M] = 1, b_2: [M];
        /// Weights and bias of its hidden layer.
        param U_2: [F, M] = xavier_uniform, c_2: [F];
        /// Weights and bias of its output.
        param V_2: [M, F] = xavier_uniform, d_2: [M];

        /// Gain and bias of the normalisation of the output.
        param g: [M] = 1, b: [M];

        ffn_1 = V_1 @ silu(U_1 @ layer_norm(x, g_1, b_1) + c_1) + d_1;
        x_1 = x + 1/2 * ffn_1;

        a = layer_norm(x_1, g_a, b_a);
        heads K {
            /// Weights of queries, keys and values.
            param W_q, W_k, W_v: [D, M] = xavier_uniform;
            /// Biases of queries and values. A bias of the keys would add the same number to all
            /// scores of a step, which the softmax ignores.
            param b_q, b_v: [D];

            q = W_q @ a + b_q;
            key = W_k @ a;
            v = W_v @ a + b_v;
            alpha = softmax((q.T @ window(key, S) + q.T @ P) / sqrt(D), present(S));
            head = window(v, S) @ alpha.T;
        }
        x_2 = x_1 + W_o @ head + b_o;

        c = layer_norm(x_2, g_c, b_c);
        u = (W_u @ c) * sigmoid(W_z @ c);
        conv = row_sum(k * window(u, C));
        x_3 = x_2 + W_p @ silu(layer_norm(conv, g_d, b_d));

        ffn_2 = V_2 @ silu(U_2 @ layer_norm(x_3, g_2, b_2) + c_2) + d_2;
        y = layer_norm(x_3 + 1/2 * ffn_2, g, b);

        output y;
    }
}
