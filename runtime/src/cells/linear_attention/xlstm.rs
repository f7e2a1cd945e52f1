//! The cells of xLSTM: M. Beck et al., "xLSTM: Extended Long Short-Term Memory", 2024.
//!
//! Both have exponential gates. A normaliser divides by the sum of the gates, and the largest
//! exponent so far is kept apart, so that no exponential overflows.

use crate::rnn_cell;

rnn_cell! {
    /// sLSTM with one head (Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory", equations 8
    /// to 17): `I` inputs, `H` units. Its memory is a vector, and its gates read the hidden state.
    /// The forget gate is a sigmoid, one of the paper's two choices.
    pub cell SLstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The cell state, the normaliser, the hidden state and the largest exponent.
        state c, n, h, m: [H];
        /// Input weights of the cell input and the gates.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights of the cell input and the gates.
        param R_z, R_i, R_f, R_o: [H, H] = orthogonal;
        /// Biases.
        param b_z, b_i, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(W_z @ x + R_z @ h[t-1] + b_z);
        log_i = W_i @ x + R_i @ h[t-1] + b_i;
        log_f = -softplus(-(W_f @ x + R_f @ h[t-1] + b_f));
        o = sigmoid(W_o @ x + R_o @ h[t-1] + b_o);
        m = max(log_f + m[t-1], log_i);
        i = exp(log_i - m);
        f = exp(log_f + m[t-1] - m);
        c = f * c[t-1] + i * z;
        n = f * n[t-1] + i;
        h = o * (c / n);

        output h;
    }

    /// mLSTM with one head (Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory", equations
    /// 19 to 27): `I` inputs, keys and values of `D` numbers. Its memory is a matrix. The gates
    /// read only the input, and are stabilised as those of [`SLstm`] (equations 15 to 17).
    pub cell MLstm<I, D> {
        /// The input of a step.
        input x: [I];
        /// The memory: one row per value entry, one column per key entry.
        state C: [D, D];
        /// The normaliser: the sum of the keys.
        state n: [D];
        /// The largest exponent.
        state m: [];
        /// Weights of queries, keys and values.
        param W_q, W_k, W_v: [D, I] = xavier_uniform;
        /// Weights of the output gate.
        param W_o: [D, I] = xavier_uniform;
        /// Biases.
        param b_q, b_k, b_v, b_o: [D];
        /// Weights of the input gate and the forget gate.
        param w_i, w_f: [I] = uniform(1 / sqrt(I));
        /// Bias of the input gate.
        param b_i: [];
        /// Bias of the forget gate.
        param b_f: [] = 1;

        q = W_q @ x + b_q;
        k = (1 / sqrt(D)) * (W_k @ x) + b_k;
        v = W_v @ x + b_v;
        log_i = w_i.T @ x + b_i;
        log_f = -softplus(-(w_f.T @ x + b_f));
        m = max(log_f + m[t-1], log_i);
        i = exp(log_i - m);
        f = exp(log_f + m[t-1] - m);
        C = f * C[t-1] + i * (v @ k.T);
        n = f * n[t-1] + i * k;
        h_tilde = (C @ q) / max(abs(n.T @ q), exp(-m));
        o = sigmoid(W_o @ x + b_o);
        h = o * h_tilde;

        output h;
    }

    /// sLSTM with `K` heads (Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory", equations
    /// 8 to 17 and section 2.2): `I` inputs, and `D` units in each head. A head's gates read the
    /// hidden state of this head only: the recurrent matrix of all `K*D` units is block-diagonal.
    /// Each head is an [`SLstm`]. The output is the stack of the heads, `[K*D]`.
    pub cell SLstmHeads<I, D, K> {
        /// The input of a step.
        input x: [I];

        heads K {
            /// The cell state, the normaliser, the hidden state and the largest exponent.
            state c, n, h, m: [D];
            /// Input weights of the cell input and the gates.
            param W_z, W_i, W_f, W_o: [D, I] = xavier_uniform;
            /// Recurrent weights of the cell input and the gates: a block of the diagonal per head.
            param R_z, R_i, R_f, R_o: [D, D] = orthogonal;
            /// Biases.
            param b_z, b_i, b_o: [D];
            /// Bias of the forget gate.
            param b_f: [D] = 1;

            z = tanh(W_z @ x + R_z @ h[t-1] + b_z);
            log_i = W_i @ x + R_i @ h[t-1] + b_i;
            log_f = -softplus(-(W_f @ x + R_f @ h[t-1] + b_f));
            o = sigmoid(W_o @ x + R_o @ h[t-1] + b_o);
            m = max(log_f + m[t-1], log_i);
            i = exp(log_i - m);
            f = exp(log_f + m[t-1] - m);
            c = f * c[t-1] + i * z;
            n = f * n[t-1] + i;
            h = o * (c / n);
        }

        output h;
    }

    /// mLSTM with `K` heads (Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory", equations
    /// 19 to 27): `I` inputs, and keys and values of `D` numbers in each head. Each head is an
    /// [`MLstm`] up to its output gate, which is one product for all `K*D` outputs. The output is
    /// the stack of the heads, `[K*D]`.
    pub cell MLstmHeads<I, D, K> {
        /// The input of a step.
        input x: [I];
        /// Weights of the output gate.
        param W_o: [K*D, I] = xavier_uniform;
        /// Bias of the output gate.
        param b_o: [K*D];

        heads K {
            /// The memory: one row per value entry, one column per key entry.
            state C: [D, D];
            /// The normaliser: the sum of the keys.
            state n: [D];
            /// The largest exponent.
            state m: [];
            /// Weights of queries, keys and values.
            param W_q, W_k, W_v: [D, I] = xavier_uniform;
            /// Biases.
            param b_q, b_k, b_v: [D];
            /// Weights of the input gate and the forget gate.
            param w_i, w_f: [I] = uniform(1 / sqrt(I));
            /// Bias of the input gate.
            param b_i: [];
            /// Bias of the forget gate.
            param b_f: [] = 1;

            q = W_q @ x + b_q;
            k = (1 / sqrt(D)) * (W_k @ x) + b_k;
            v = W_v @ x + b_v;
            log_i = w_i.T @ x + b_i;
            log_f = -softplus(-(w_f.T @ x + b_f));
            m = max(log_f + m[t-1], log_i);
            i = exp(log_i - m);
            f = exp(log_f + m[t-1] - m);
            C = f * C[t-1] + i * (v @ k.T);
            n = f * n[t-1] + i * k;
            h_tilde = (C @ q) / max(abs(n.T @ q), exp(-m));
        }

        o = sigmoid(W_o @ x + b_o);
        h = o * h_tilde;

        output h;
    }

    /// The mLSTM block of xLSTM (Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory",
    /// appendix, "Detailed Block Structure"), with the norm before it and the residual connection
    /// around it: `M` inputs and outputs, and `K` heads of `D` channels. The paper takes
    /// `K*D = 2*M`.
    ///
    /// Queries and keys read the channels after a causal convolution of width four with a SiLU,
    /// values the channels themselves. Their weights are block-diagonal with blocks of size `N`,
    /// which divides `D`. The paper takes `N = 4`; with `N = D` there is one block per head. The
    /// gates of each head read the queries, keys and values of all heads. A norm for each head
    /// follows the memory, which is that of [`MLstmHeads`].
    ///
    /// A program whose `D` is not a multiple of `N` does not build.
    pub cell MLstmBlock<M, D, K, N> {
        /// The input of a step.
        input x: [M];
        /// Gain of the norm before the block.
        param gain_x: [M] = 1;

        x_normal = layer_norm(x, gain_x, 0);

        heads K {
            /// Weights from the input up to the channels.
            param W_up: [D, M] = xavier_uniform;
            /// The convolution's filters, the current step last.
            param k_conv: [D, 4] = uniform(0.5);
            /// Bias of the convolution.
            param b_conv: [D] = uniform(0.5);
            /// Weights of queries, keys and values: the blocks of the diagonal, one below the
            /// other.
            param W_q, W_k, W_v: [D, N] = uniform(sqrt(3 / N));

            up = W_up @ x_normal;
            conv = silu(row_sum(k_conv * window(up, 4)) + b_conv);
            q = row_sum(W_q * blocks(conv, N));
            k = row_sum(W_k * blocks(conv, N));
            v = row_sum(W_v * blocks(up, N));
        }

        /// Weights of the heads' input gates, for queries, keys and values.
        param W_iq, W_ik, W_iv: [K, K*D] = 0;
        /// Weights of the heads' forget gates, for queries, keys and values.
        param W_fq, W_fk, W_fv: [K, K*D] = 0;
        /// Biases of the input gates.
        param b_i: [K] = normal(0.1);
        /// Biases of the forget gates.
        param b_f: [K] = uniform(3, 6);

        log_i = W_iq @ q + W_ik @ k + W_iv @ v + b_i;
        log_f = -softplus(-(W_fq @ q + W_fk @ k + W_fv @ v + b_f));

        heads K {
            /// The memory: one row per value entry, one column per key entry.
            state C: [D, D];
            /// The normaliser: the sum of the keys.
            state n: [D];
            /// The largest exponent.
            state m: [];
            /// Gain of the norm after the memory.
            param gain: [D] = 1;
            /// Weight of the path from the convolution past the memory.
            param skip: [D] = 1;

            m = max(log_f.head + m[t-1], log_i.head);
            i = exp(log_i.head - m);
            f = exp(log_f.head + m[t-1] - m);
            key = k.head / sqrt(D);
            C = f * C[t-1] + i * (v.head @ key.T);
            n = f * n[t-1] + i * key;
            h = layer_norm((C @ q.head) / max(abs(n.T @ q.head), exp(-m)), gain, 0);
            h_skip = h + skip * conv.head;
        }

        /// Weights from the input to the gates of the channels.
        param W_z: [K*D, M] = xavier_uniform;
        /// Weights from the channels down to the output.
        param W_down: [M, K*D] = xavier_uniform;

        y = x + W_down @ (h_skip * silu(W_z @ x_normal));

        output y;
    }

    /// The sLSTM block of xLSTM (Beck et al. 2024, "xLSTM: Extended Long Short-Term Memory",
    /// appendix, "Detailed Block Structure"), with its norms and residual connections: `K` heads of
    /// `D` units, so `K*D` inputs and outputs, and a feed-forward layer of `U` units. The paper
    /// takes `U = 4*K*D/3`.
    ///
    /// Input gate and forget gate read the input after a causal convolution of width four with a
    /// SiLU, cell input and output gate the input itself. All weights are block-diagonal with one
    /// block per head, as in [`SLstmHeads`]. A norm for each head follows.
    pub cell SLstmBlock<D, K, U> {
        /// The input of a step.
        input x: [K*D];
        /// Gain of the norm before the sLSTM.
        param gain_x: [K*D] = 1;

        x_normal = layer_norm(x, gain_x, 0);

        heads K {
            /// The cell state, the normaliser, the hidden state and the largest exponent.
            state c, n, h, m: [D];
            /// The convolution's filters, the current step last.
            param k_conv: [D, 4] = uniform(0.5);
            /// Bias of the convolution.
            param b_conv: [D] = uniform(0.5);
            /// Input weights of the cell input and the gates: a block of the diagonal per head.
            param W_z, W_i, W_f, W_o: [D, D] = xavier_uniform;
            /// Recurrent weights of the cell input and the gates: a block of the diagonal per head.
            param R_z, R_i, R_f, R_o: [D, D] = orthogonal;
            /// Biases.
            param b_z, b_i, b_o: [D];
            /// Bias of the forget gate.
            param b_f: [D] = 1;
            /// Gain of the norm after the sLSTM.
            param gain: [D] = 1;

            conv = silu(row_sum(k_conv * window(x_normal.head, 4)) + b_conv);
            z = tanh(W_z @ x_normal.head + R_z @ h[t-1] + b_z);
            log_i = W_i @ conv + R_i @ h[t-1] + b_i;
            log_f = -softplus(-(W_f @ conv + R_f @ h[t-1] + b_f));
            o = sigmoid(W_o @ x_normal.head + R_o @ h[t-1] + b_o);
            m = max(log_f + m[t-1], log_i);
            i = exp(log_i - m);
            f = exp(log_f + m[t-1] - m);
            c = f * c[t-1] + i * z;
            n = f * n[t-1] + i;
            h = o * (c / n);
            h_normal = layer_norm(h, gain, 0);
        }

        /// Gain of the norm before the feed-forward layer.
        param gain_u: [K*D] = 1;
        /// Weights of the feed-forward layer and its gate.
        param W_up, W_gate: [U, K*D] = xavier_uniform;
        /// Weights from the feed-forward layer down to the output.
        param W_down: [K*D, U] = xavier_uniform;

        u = x + h_normal;
        u_normal = layer_norm(u, gain_u, 0);
        y = u + W_down @ (gelu(W_gate @ u_normal) * (W_up @ u_normal));

        output y;
    }
}
