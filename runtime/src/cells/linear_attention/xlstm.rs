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
}
