//! Cells that nobody ships, each with another shape of computation than the ready ones: what a user's own cell costs.

use rnn_cell::rnn_cell;

rnn_cell! {
    /// Fast weights: a matrix as state, written by outer products and read by a query (Schmidhuber 1992; Ba et al. 2016).
    pub cell FastWeights<I, H> {
        /// What one step reads.
        input x: [I];
        /// The memory.
        state M: [H, H];
        /// Weights of key, value, query and decay.
        param W_k, W_v, W_q, W_d: [H, I] = xavier_uniform;
        /// Bias of the decay.
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
        /// What one step reads.
        input x: [I];
        /// The encoder's outputs.
        context E: [H, S];
        /// The hidden state.
        state h: [H];
        /// Attention weights.
        param W_a, U_a: [H, H] = xavier_uniform;
        /// The row that scores.
        param v: [1, H] = xavier_uniform;
        /// Input weights.
        param W_r, W_z, W_n: [H, I] = xavier_uniform;
        /// Weights of what was attended to.
        param C_r, C_z, C_n: [H, H] = xavier_uniform;
        /// Recurrent weights.
        param U_r, U_z, U_n: [H, H] = orthogonal;

        e = v @ tanh(W_a @ h[t-1] + U_a @ E);
        c = E @ softmax(e).T;
        r = sigmoid(W_r @ x + C_r @ c + U_r @ h[t-1]);
        z = sigmoid(W_z @ x + C_z @ c + U_z @ h[t-1]);
        n = tanh(W_n @ x + C_n @ c + U_n @ (r * h[t-1]));
        h = (1 - z) * n + z * h[t-1];

        output h;
    }

    /// A sum of products: the multiplicative LSTM (Krause et al. 2016), whose gates read `(W_m x) * (U_m h)`.
    pub cell Multiplicative<I, H> {
        /// What one step reads.
        input x: [I];
        /// Hidden state and cell state.
        state h, c: [H];
        /// Input weights.
        param W_m, W_i, W_f, W_g, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights.
        param U_m, U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
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

    /// A deep transition: the state goes through three products in a row before it is back (Pascanu et al. 2014), and the input
    /// meets it before the first one.
    pub cell DeepTransition<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights.
        param W: [H, I] = xavier_uniform;
        /// Weights of the transition.
        param U_a, U_b, U_c: [H, H] = orthogonal;
        /// Biases.
        param b_a, b_b, b_c: [H];

        a = tanh(U_a @ (h[t-1] + W @ x) + b_a);
        b = tanh(U_b @ a + b_b);
        h = tanh(U_c @ b + b_c) + h[t-1] / 2;

        output h;
    }
}
