//! Gated cells whose products read inputs alone, so that a step of the recurrence is element-wise: SRU and QRNN. [`MinGru`](super::MinGru) and
//! [`MinLstm`](super::MinLstm) are of their kind.

use crate::rnn_cell;

rnn_cell! {
    /// The simple recurrent unit (Lei et al. 2018, "Simple Recurrent Units for Highly Parallelizable Recurrence", equations 1 to 4),
    /// with the scale of its highway's input (section 3.2). The gates see the state through a vector, channel by channel.
    pub cell Sru<D> {
        /// What one step reads.
        input x: [D];
        /// The internal state.
        state c: [D];
        /// Weights of the candidate, the forget gate and the reset gate.
        param W, W_f, W_r: [D, D] = xavier_uniform;
        /// How the gates see the state.
        param v_f, v_r: [D] = normal(0.3);
        /// Biases.
        param b_f, b_r: [D];

        f = sigmoid(W_f @ x + v_f * c[t-1] + b_f);
        c = f * c[t-1] + (1 - f) * (W @ x);
        r = sigmoid(W_r @ x + v_r * c[t-1] + b_r);
        h = r * c + (1 - r) * x * sqrt(3);

        output h;
    }

    /// The quasi-recurrent network with a filter of width two and "fo-pooling" (Bradbury et al. 2017, "Quasi-Recurrent Neural
    /// Networks", equations 2 and 4).
    pub cell Qrnn<I, H> {
        /// What one step reads.
        input x: [I];
        /// The input a step ago: the filter's window.
        state x_prev: [I];
        /// The pooled state.
        state c: [H];
        /// Filters of the candidate, the forget gate and the output gate: of the input a step ago.
        param V_z, V_f, V_o: [H, I] = xavier_uniform;
        /// Filters of the candidate, the forget gate and the output gate: of the present input.
        param W_z, W_f, W_o: [H, I] = xavier_uniform;
        /// Biases of the candidate and the output gate.
        param b_z, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(V_z @ x_prev[t-1] + W_z @ x + b_z);
        f = sigmoid(V_f @ x_prev[t-1] + W_f @ x + b_f);
        o = sigmoid(V_o @ x_prev[t-1] + W_o @ x + b_o);
        x_prev = x;
        c = f * c[t-1] + (1 - f) * z;
        h = o * c;

        output h;
    }
}
