//! Gated cells whose matrix products read only inputs, so that a step of the recurrence is
//! element-wise: SRU and QRNN. [`MinGru`](super::MinGru) and [`MinLstm`](super::MinLstm) are
//! similar.

use crate::rnn_cell;

rnn_cell! {
    /// The simple recurrent unit (Lei et al. 2018, "Simple Recurrent Units for Highly
    /// Parallelizable Recurrence", equations 1 to 4), with the scale of the highway input (section
    /// 3.2). It has as many units as inputs, `D`. The gates read the state through an element-wise
    /// product.
    pub cell Sru<D> {
        /// The input of a step.
        input x: [D];
        /// The internal state.
        state c: [D];
        /// Weights of the candidate, the forget gate and the reset gate.
        param W, W_f, W_r: [D, D] = xavier_uniform;
        /// Weights of the state in the gates, one per channel.
        param v_f, v_r: [D] = normal(0.3);
        /// Biases.
        param b_f, b_r: [D];

        f = sigmoid(W_f @ x + v_f * c[t-1] + b_f);
        c = f * c[t-1] + (1 - f) * (W @ x);
        r = sigmoid(W_r @ x + v_r * c[t-1] + b_r);
        h = r * c + (1 - r) * x * sqrt(3);

        output h;
    }

    /// The quasi-recurrent network (Bradbury et al. 2017, "Quasi-Recurrent Neural Networks",
    /// equations 1 and 4) with filters of width `K` and "fo-pooling": `I` inputs, `H` units.
    pub cell Qrnn<I, H, K> {
        /// The input of a step.
        input x: [I];
        /// The pooled state.
        state c: [H];
        /// Filters of the candidate, the forget gate and the output gate, the oldest input first.
        param W_z, W_f, W_o: [H, K*I] = xavier_uniform;
        /// Biases of the candidate and the output gate.
        param b_z, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        u = vec(window(x, K));
        z = tanh(W_z @ u + b_z);
        f = sigmoid(W_f @ u + b_f);
        o = sigmoid(W_o @ u + b_o);
        c = f * c[t-1] + (1 - f) * z;
        h = o * c;

        output h;
    }
}
