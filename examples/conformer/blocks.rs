//! The Conformer block without one of its modules, and the subsampling below the blocks.

use rnn_cell::prelude::*;

rnn_cell! {
    /// A causal convolution over the last three steps, after the standardisation of its input.
    pub cell Subsampling<I, O> {
        /// The input of a step.
        input x: [I];
        /// The mean of the inputs of the training, and the inverse of their standard deviation.
        buffer mean: [I] = 0, scale: [I] = 1;
        /// Weights of the step before the last, of the last, and of the present one.
        param K: [O, I + I + I] = kaiming_uniform;
        /// Bias.
        param b: [O];

        u = (x - mean) * scale;
        y = relu(K @ [u[t-2], u[t-1], u] + b);

        output y;
    }

    /// [`Conformer`](rnn_cell::cells::Conformer) without its attention.
    pub cell WithoutAttention<M, F, C> {
        input x: [M];
        param g_1: [M] = 1, b_1: [M], U_1: [F, M] = xavier_uniform, c_1: [F];
        param V_1: [M, F] = xavier_uniform, d_1: [M];
        param g_c: [M] = 1, b_c: [M], W_u, W_z: [M, M] = xavier_uniform;
        param K: [M, C] = uniform(1 / sqrt(C)), g_d: [M] = 1, b_d: [M], W_p: [M, M] = xavier_uniform;
        param g_2: [M] = 1, b_2: [M], U_2: [F, M] = xavier_uniform, c_2: [F];
        param V_2: [M, F] = xavier_uniform, d_2: [M];
        param g: [M] = 1, b: [M];

        x_1 = x + 1/2 * (V_1 @ silu(U_1 @ layer_norm(x, g_1, b_1) + c_1) + d_1);

        c = layer_norm(x_1, g_c, b_c);
        u = (W_u @ c) * sigmoid(W_z @ c);
        x_2 = x_1 + W_p @ silu(layer_norm(row_sum(K * window(u, C)), g_d, b_d));

        ffn = V_2 @ silu(U_2 @ layer_norm(x_2, g_2, b_2) + c_2) + d_2;
        y = layer_norm(x_2 + 1/2 * ffn, g, b);

        output y;
    }

    /// [`Conformer`](rnn_cell::cells::Conformer) without its convolution.
    pub cell WithoutConvolution<M, F, D, S> {
        input x: [M];
        param g_1: [M] = 1, b_1: [M], U_1: [F, M] = xavier_uniform, c_1: [F];
        param V_1: [M, F] = xavier_uniform, d_1: [M];
        param g_a: [M] = 1, b_a: [M], W_q, W_k, W_v: [D, M] = xavier_uniform, b_q, b_v: [D];
        param P: [D, S] = normal(0.02), W_o: [M, D] = xavier_uniform, b_o: [M];
        param g_2: [M] = 1, b_2: [M], U_2: [F, M] = xavier_uniform, c_2: [F];
        param V_2: [M, F] = xavier_uniform, d_2: [M];
        param g: [M] = 1, b: [M];

        x_1 = x + 1/2 * (V_1 @ silu(U_1 @ layer_norm(x, g_1, b_1) + c_1) + d_1);

        a = layer_norm(x_1, g_a, b_a);
        q = W_q @ a + b_q;
        k = W_k @ a;
        v = W_v @ a + b_v;
        alpha = softmax((q.T @ window(k, S) + q.T @ P) / sqrt(D), present(S));
        x_2 = x_1 + W_o @ (window(v, S) @ alpha.T) + b_o;

        ffn = V_2 @ silu(U_2 @ layer_norm(x_2, g_2, b_2) + c_2) + d_2;
        y = layer_norm(x_2 + 1/2 * ffn, g, b);

        output y;
    }
}
