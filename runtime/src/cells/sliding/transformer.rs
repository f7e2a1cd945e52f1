//! The Transformer layer with a sliding window: A. Vaswani et al., "Attention Is All You Need",
//! 2017; I. Beltagy, M. Peters, A. Cohan, "Longformer: The Long-Document Transformer", 2020.

use crate::rnn_cell;

rnn_cell! {
    /// A Transformer layer (Vaswani et al. 2017, "Attention Is All You Need", section 3) whose
    /// attention reads the last `S` steps (Beltagy, Peters & Cohan 2020, "Longformer: The
    /// Long-Document Transformer", section 3.1). The normalisation comes before each module (Xiong
    /// et al. 2020, "On Layer Normalization in the Transformer Architecture"). `M` is the size of a
    /// step, `F` that of the hidden layer. The attention has `K` heads of `D` numbers.
    ///
    /// Positions enter as one number per distance, which is added to the scores (Raffel et al.
    /// 2020, "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer",
    /// section 2.1). No position is absolute, so a stream may be of any length.
    pub cell SlidingTransformer<M, F, D, K, S> {
        /// The input of a step.
        input x: [M];

        /// Gain and bias of the normalisation before the attention.
        param g_a: [M] = 1, b_a: [M];
        /// Weights and bias of the attention's output.
        param W_o: [M, K*D] = xavier_uniform, b_o: [M];

        /// Gain and bias of the normalisation before the feed-forward module.
        param g_f: [M] = 1, b_f: [M];
        /// Weights and bias of its hidden layer.
        param U: [F, M] = xavier_uniform, c: [F];
        /// Weights and bias of its output.
        param V: [M, F] = xavier_uniform, d: [M];

        a = layer_norm(x, g_a, b_a);
        heads K {
            /// Weights of queries, keys and values.
            param W_q, W_k, W_v: [D, M] = xavier_uniform;
            /// Biases of queries and values. A bias of the keys would add the same number to all
            /// scores of a step, which the softmax ignores.
            param b_q, b_v: [D];
            /// The score of each distance: the present step is the last entry.
            param r: [S];

            q = W_q @ a + b_q;
            k = W_k @ a;
            v = W_v @ a + b_v;
            alpha = softmax(q.T @ window(k, S) / sqrt(D) + r.T, present(S));
            head = window(v, S) @ alpha.T;
        }
        z = x + W_o @ head + b_o;

        y = z + V @ gelu(U @ layer_norm(z, g_f, b_f) + c) + d;

        output y;
    }
}
