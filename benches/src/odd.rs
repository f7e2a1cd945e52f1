//! Unusual cells whose computations differ in structure from those of the ready cells. They show
//! the cost of user-defined cells.

use rnn_cell::rnn_cell;

rnn_cell! {
    /// Fast weights: the state is a matrix that is written by outer products and read by a query
    /// (Schmidhuber 1992; Ba et al. 2016).
    pub cell FastWeights<I, H> {
        /// The input of a step.
        input x: [I];
        /// The memory.
        state M: [H, H];
        /// The weights of key, value, query and decay.
        param W_k, W_v, W_q, W_d: [H, I] = xavier_uniform;
        /// The bias of the decay.
        param b: [H] = 1;

        k = tanh(W_k @ x);
        v = W_v @ x;
        q = tanh(W_q @ x);
        d = sigmoid(W_d @ x + b);
        M = d * M[t-1] + v @ k.T;
        y = M @ q;

        output y;
    }

    /// A decoder that attends to `S` encoded steps (Bahdanau et al. 2015) before a GRU.
    pub cell Attention<I, H, S> {
        /// The input of a step.
        input x: [I];
        /// The encoder's outputs.
        context E: [H, S];
        /// The hidden state.
        state h: [H];
        /// The weights of the attention.
        param W_a, U_a: [H, H] = xavier_uniform;
        /// The row that computes the scores.
        param v: [1, H] = xavier_uniform;
        /// The input weights.
        param W_r, W_z, W_n: [H, I] = xavier_uniform;
        /// The weights of the attended vector.
        param C_r, C_z, C_n: [H, H] = xavier_uniform;
        /// The recurrent weights.
        param U_r, U_z, U_n: [H, H] = orthogonal;

        e = v @ tanh(W_a @ h[t-1] + U_a @ E);
        c = E @ softmax(e).T;
        r = sigmoid(W_r @ x + C_r @ c + U_r @ h[t-1]);
        z = sigmoid(W_z @ x + C_z @ c + U_z @ h[t-1]);
        n = tanh(W_n @ x + C_n @ c + U_n @ (r * h[t-1]));
        h = (1 - z) * n + z * h[t-1];

        output h;
    }

    /// The multiplicative LSTM (Krause et al. 2016), whose gates read the product
    /// `(W_m x) * (U_m h)`.
    pub cell Multiplicative<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state and the cell state.
        state h, c: [H];
        /// The input weights.
        param W_m, W_i, W_f, W_g, W_o: [H, I] = xavier_uniform;
        /// The recurrent weights.
        param U_m, U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// The biases.
        param b_i, b_f, b_g, b_o: [H];

        m = (W_m @ x) * (U_m @ h[t-1]);
        i = sigmoid(W_i @ x + U_i @ m + b_i);
        f = sigmoid(W_f @ x + U_f @ m + b_f);
        g = tanh(W_g @ x + U_g @ m + b_g);
        o = sigmoid(W_o @ x + U_o @ m + b_o);
        c = f * c[t-1] + i * g;
        h = tanh(c) * o;

        output h;
    }

    /// A deep transition: the state passes through three products in a row in each step (Pascanu et
    /// al. 2014), and the input is added before the first one.
    pub cell DeepTransition<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// The input weights.
        param W: [H, I] = xavier_uniform;
        /// The weights of the transition.
        param U_a, U_b, U_c: [H, H] = orthogonal;
        /// The biases.
        param b_a, b_b, b_c: [H];

        a = tanh(U_a @ (h[t-1] + W @ x) + b_a);
        b = tanh(U_b @ a + b_b);
        h = tanh(U_c @ b + b_c) + h[t-1] / 2;

        output h;
    }
}
