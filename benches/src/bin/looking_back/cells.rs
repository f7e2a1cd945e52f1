//! The cells of these measurements.

use rnn_cell::rnn_cell;

rnn_cell! {
    /// A causal convolution of width three and dilation `D`.
    pub cell Convolution<I, O, D> {
        /// The input of a step.
        input x: [I];
        /// The filters, the oldest tap first.
        param K: [O, I + I + I] = xavier_uniform;
        /// The biases.
        param b: [O];

        y = K @ [x[t-2*D], x[t-D], x] + b;

        output y;
    }

    /// The same convolution of any width `W`.
    pub cell AnyWidth<I, O, W, D> {
        /// The input of a step.
        input x: [I];
        /// The filters, the oldest tap first.
        param K: [O, W*I] = xavier_uniform;
        /// The biases.
        param b: [O];

        y = K @ vec(window(x, W, D)) + b;

        output y;
    }

    /// The LSTM with `K` heads of `D` units. A head's gates read the hidden state of this head
    /// only: the recurrent matrix of all units is block-diagonal.
    pub cell BlockDiagonalLstm<I, D, K> {
        /// The input of a step.
        input x: [I];

        heads K {
            /// The hidden state and the cell state.
            state h, c: [D];
            /// Input weights, one matrix per gate.
            param W_i, W_f, W_g, W_o: [D, I] = xavier_uniform;
            /// Recurrent weights, one matrix per gate.
            param U_i, U_f, U_g, U_o: [D, D] = orthogonal;
            /// Biases.
            param b_i, b_f, b_g, b_o: [D];

            i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
            f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
            g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
            c = f * c[t-1] + i * g;
            o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
            h = o * tanh(c);
        }

        output h;
    }

    /// Attention over the last `S` steps, with `K` heads of `D` numbers.
    pub cell Recent<M, D, K, S> {
        /// The input of a step.
        input x: [M];

        heads K {
            /// Weights of queries, keys and values.
            param W_q, W_k, W_v: [D, M] = xavier_uniform;

            q = W_q @ x;
            k = W_k @ x;
            v = W_v @ x;
            alpha = softmax(q.T @ window(k, S) / sqrt(D), present(S));
            y = window(v, S) @ alpha.T;
        }

        output y;
    }

    /// The same attention with the history in matrices of the state, whose columns take turns. The
    /// user passes the column that is next, as a vector that is 1 there and 0 elsewhere.
    pub cell InTurns<M, D, K, S> {
        /// The input of a step, and the column that is next.
        input x: [M], next: [S];
        /// 1 for each column that holds a step.
        state mask: [S];

        mask = max(mask[t-1], next);
        heads K {
            /// Keys and values.
            state keys, values: [D, S];
            /// Weights of queries, keys and values.
            param W_q, W_k, W_v: [D, M] = xavier_uniform;

            q = W_q @ x;
            keys = where(next.T > 0, W_k @ x, keys[t-1]);
            values = where(next.T > 0, W_v @ x, values[t-1]);
            alpha = softmax(q.T @ keys / sqrt(D), mask);
            y = values @ alpha.T;
        }

        output y;
    }

    /// The same attention with the history in matrices of the state, which a product shifts by one
    /// column.
    pub cell Shifted<M, D, K, S> {
        /// The input of a step.
        input x: [M];
        /// 1 for each column that holds a step.
        state mask: [1, S];
        /// The matrix that shifts by one column, and the row that is 1 in the last column.
        buffer shift: [S, S] = 0, last: [1, S] = 0;

        mask = mask[t-1] @ shift + last;
        heads K {
            /// Keys and values.
            state keys, values: [D, S];
            /// Weights of queries, keys and values.
            param W_q, W_k, W_v: [D, M] = xavier_uniform;

            q = W_q @ x;
            keys = keys[t-1] @ shift + (W_k @ x) @ last;
            values = values[t-1] @ shift + (W_v @ x) @ last;
            alpha = softmax(q.T @ keys / sqrt(D), mask);
            y = values @ alpha.T;
        }

        output y;
    }
}
