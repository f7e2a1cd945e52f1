//! Gated recurrent units: `I` inputs, `H` units.

use crate::rnn_cell;

rnn_cell! {
    /// The gated recurrent unit (Cho et al. 2014, "Learning Phrase Representations using RNN
    /// Encoder-Decoder for Statistical Machine Translation", equations 5 to 8). The reset gate acts
    /// *before* the recurrent product, and `z` is the share of the old state. The paper has no
    /// biases.
    pub cell Gru<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights of the reset gate, the update gate and the candidate.
        param W_r, W_z, W_h: [H, I] = xavier_uniform;
        /// Recurrent weights of the reset gate, the update gate and the candidate.
        param U_r, U_z, U_h: [H, H] = orthogonal;
        /// Biases.
        param b_r, b_z, b_h: [H];

        r = sigmoid(W_r @ x + U_r @ h[t-1] + b_r);
        z = sigmoid(W_z @ x + U_z @ h[t-1] + b_z);
        h_tilde = tanh(W_h @ x + U_h @ (r * h[t-1]) + b_h);
        h = z * h[t-1] + (1 - z) * h_tilde;

        output h;
    }

    /// The gated recurrent unit of RNNoise (Valin 2018, "A Hybrid DSP/Deep Learning Approach to
    /// Real-Time Full-Band Speech Enhancement"): [`Gru`] with a rectified candidate.
    pub cell ReluGru<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights of the reset gate, the update gate and the candidate.
        param W_r, W_z, W_h: [H, I] = xavier_uniform;
        /// Recurrent weights of the reset gate, the update gate and the candidate.
        param U_r, U_z, U_h: [H, H] = orthogonal;
        /// Biases.
        param b_r, b_z, b_h: [H];

        r = sigmoid(W_r @ x + U_r @ h[t-1] + b_r);
        z = sigmoid(W_z @ x + U_z @ h[t-1] + b_z);
        h_tilde = relu(W_h @ x + U_h @ (r * h[t-1]) + b_h);
        h = z * h[t-1] + (1 - z) * h_tilde;

        output h;
    }

    /// The gated recurrent unit of cuDNN, PyTorch and Keras (`reset_after=True`). The reset gate
    /// acts *after* the recurrent product, which has its own bias. PyTorch's other pairs of biases
    /// are one bias each here, their sum.
    pub cell GruResetAfter<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights of the reset gate, the update gate and the candidate.
        param W_r, W_z, W_n: [H, I] = xavier_uniform;
        /// Recurrent weights of the reset gate, the update gate and the candidate.
        param U_r, U_z, U_n: [H, H] = orthogonal;
        /// Biases.
        param b_r, b_z, b_n: [H];
        /// Bias of the candidate's recurrent product, which the reset gate scales.
        param b_hn: [H];

        r = sigmoid(W_r @ x + U_r @ h[t-1] + b_r);
        z = sigmoid(W_z @ x + U_z @ h[t-1] + b_z);
        n = tanh(W_n @ x + b_n + r * (U_n @ h[t-1] + b_hn));
        h = (1 - z) * n + z * h[t-1];

        output h;
    }

    /// The minimal gated unit (Zhou et al. 2016, "Minimal Gated Unit for Recurrent Neural
    /// Networks", equation 6). One gate both forgets and updates.
    pub cell Mgu<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights of the gate and the candidate.
        param W_f, W_h: [H, I] = xavier_uniform;
        /// Recurrent weights of the gate and the candidate.
        param U_f, U_h: [H, H] = orthogonal;
        /// Bias of the gate.
        param b_f: [H] = 1;
        /// Bias of the candidate.
        param b_h: [H];

        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        h_tilde = tanh(W_h @ x + U_h @ (f * h[t-1]) + b_h);
        h = (1 - f) * h[t-1] + f * h_tilde;

        output h;
    }

    /// The update gate RNN (Collins, Sohl-Dickstein & Sussillo 2017, "Capacity and Trainability in
    /// Recurrent Neural Networks", equations 17 to 19). Its one gate is the share of the old state.
    pub cell UgRnn<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights of the candidate and the gate.
        param W_c, W_g: [H, I] = xavier_uniform;
        /// Recurrent weights of the candidate and the gate.
        param U_c, U_g: [H, H] = orthogonal;
        /// Bias of the candidate.
        param b_c: [H];
        /// Bias of the gate. It starts at 1 so that the unit keeps most of its state at first.
        param b_g: [H] = 1;

        c = tanh(W_c @ x + U_c @ h[t-1] + b_c);
        g = sigmoid(W_g @ x + U_g @ h[t-1] + b_g);
        h = g * h[t-1] + (1 - g) * c;

        output h;
    }

    /// The light GRU (Ravanelli et al. 2018, "Light Gated Recurrent Units for Speech Recognition",
    /// equation 4). It has no reset gate, and its candidate is rectified. The paper's batch
    /// normalisation is left out: normalise the inputs, or write your own cell with `layer_norm`.
    pub cell LiGru<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights of the update gate and the candidate.
        param W_z, W_h: [H, I] = xavier_uniform;
        /// Recurrent weights of the update gate and the candidate.
        param U_z, U_h: [H, H] = orthogonal;
        /// Biases.
        param b_z, b_h: [H];

        z = sigmoid(W_z @ x + U_z @ h[t-1] + b_z);
        h_tilde = relu(W_h @ x + U_h @ h[t-1] + b_h);
        h = z * h[t-1] + (1 - z) * h_tilde;

        output h;
    }

    /// The minimal GRU (Feng et al. 2024, "Were RNNs all we needed?", section 3.1). The gate and
    /// the candidate do not read the hidden state, so everything except the scan is computed for
    /// many steps at once.
    pub cell MinGru<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Weights of the update gate and the candidate.
        param W_z, W_h: [H, I] = xavier_uniform;
        /// Biases.
        param b_z, b_h: [H];

        z = sigmoid(W_z @ x + b_z);
        h_tilde = W_h @ x + b_h;
        h = (1 - z) * h[t-1] + z * h_tilde;

        output h;
    }
}
