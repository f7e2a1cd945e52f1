//! Long short-term memory and related cells: `I` inputs, `H` units.
//!
//! The initial values are those of Keras: forget biases of 1 (Gers et al. 2000; Jozefowicz et al.
//! 2015), orthogonal recurrent matrices, and input matrices as in Glorot and Bengio (2010).

use crate::rnn_cell;

rnn_cell! {
    /// The LSTM with a forget gate (Hochreiter & Schmidhuber 1997, "Long Short-Term Memory"; Gers
    /// et al. 2000, "Learning to Forget: Continual Prediction with LSTM"). It computes what
    /// PyTorch's `nn.LSTM` does, with one bias in place of its two.
    pub cell Lstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `h` and the cell state `c`.
        state h, c: [H];
        /// Input weights, one matrix per gate.
        param W_i, W_f, W_g, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_i, b_g, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        h = o * tanh(c);

        output h;
    }

    /// [`Lstm`] with a learned initial state, as in Neural Amp Modeler (`weights::nam` reads and
    /// writes its files). The learned state spares a sequence the transient from a zero state.
    pub cell InitialStateLstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H] = h_0;
        /// The cell state.
        state c: [H] = c_0;
        /// Input weights, one matrix per gate.
        param W_i, W_f, W_g, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_i, b_g, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;
        /// The initial hidden state and cell state.
        param h_0, c_0: [H];

        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        h = o * tanh(c);

        output h;
    }

    /// The LSTM with peepholes (Gers & Schmidhuber 2000, "Recurrent Nets that Time and Count";
    /// Greff et al. 2017, "LSTM: A Search Space Odyssey", equations 1 to 6).
    pub cell PeepholeLstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `h` and the cell state `c`.
        state h, c: [H];
        /// Input weights, one matrix per gate.
        param W_i, W_f, W_g, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Peephole weights.
        param p_i, p_f, p_o: [H];
        /// Biases.
        param b_i, b_g, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        i = sigmoid(W_i @ x + U_i @ h[t-1] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + p_f * c[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ x + U_o @ h[t-1] + p_o * c + b_o);
        h = o * tanh(c);

        output h;
    }

    /// The LSTM with coupled input and forget gates, `f = 1 - i` (Greff et al. 2017, "LSTM: A
    /// Search Space Odyssey"), without peepholes.
    pub cell CifgLstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `h` and the cell state `c`.
        state h, c: [H];
        /// Input weights, one matrix per gate.
        param W_i, W_g, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_i, b_g, b_o: [H];

        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        c = (1 - i) * c[t-1] + i * g;
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        h = o * tanh(c);

        output h;
    }

    /// The layer-normalised LSTM (Ba, Kiros & Hinton 2016, "Layer Normalization", equations 20 to
    /// 22). Three vectors are normalised: the recurrent product and the input product of all four
    /// gates, and the cell state before the output.
    pub cell LayerNormLstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `h` and the cell state `c`.
        state h, c: [H];
        /// Recurrent weights of the gates f, i, o and g, stacked.
        param W_h: [4*H, H] = orthogonal;
        /// Input weights of the gates f, i, o and g, stacked.
        param W_x: [4*H, I] = xavier_uniform;
        /// Gains of the normalised products.
        param a_h, a_x: [4*H] = 1;
        /// Shift of the normalised recurrent product, which is also the bias of the gates. The
        /// paper adds a separate bias to the same sum.
        param b: [4*H];
        /// Gain of the normalised cell state.
        param a_c: [H] = 1;
        /// Shift of the normalised cell state.
        param b_c: [H];
        /// The shift of the normalised input product. It stays zero because `b` covers it.
        buffer b_x: [4*H] = 0;

        [f_pre, i_pre, o_pre, g_pre] = layer_norm(W_h @ h[t-1], a_h, b) + layer_norm(W_x @ x, a_x, b_x);
        // The forget bias of 1 is in the equation because the four gates share one parameter.
        f = sigmoid(f_pre + 1);
        i = sigmoid(i_pre);
        o = sigmoid(o_pre);
        g = tanh(g_pre);
        c = f * c[t-1] + i * g;
        h = o * tanh(layer_norm(c, a_c, b_c));

        output h;
    }

    /// The minimal LSTM (Feng et al. 2024, "Were RNNs all we needed?", section 3.2). The gates and
    /// the candidate do not read the hidden state, so everything except the scan is computed for
    /// many steps at once.
    pub cell MinLstm<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Weights of the forget gate, the input gate and the candidate.
        param W_f, W_i, W_h: [H, I] = xavier_uniform;
        /// Bias of the forget gate.
        param b_f: [H] = 1;
        /// Biases of the input gate and the candidate.
        param b_i, b_h: [H];

        // The shares f / (f + i) and i / (f + i) of the gates f = sigmoid(f_pre) and i =
        // sigmoid(i_pre) are computed from ln(f / i), as in the paper's log-space implementation.
        // The result is defined even where both gates vanish.
        f_pre = W_f @ x + b_f;
        i_pre = W_i @ x + b_i;
        h_tilde = W_h @ x + b_h;
        log_ratio = softplus(-i_pre) - softplus(-f_pre);
        f_share = sigmoid(log_ratio);
        i_share = sigmoid(-log_ratio);
        h = f_share * h[t-1] + i_share * h_tilde;

        output h;
    }
}
