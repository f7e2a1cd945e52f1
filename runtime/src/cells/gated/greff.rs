//! The eight LSTM variants of Greff et al. 2017, "LSTM: A Search Space Odyssey", section 3.
//!
//! Each changes one thing in the LSTM with peepholes ([`PeepholeLstm`](super::PeepholeLstm)). The
//! notation is the paper's: `z` is the block input, `y` the block output. All cells have `I` inputs
//! and `H` units.

use crate::rnn_cell;

rnn_cell! {
    /// The LSTM without an input gate, `i = 1` ("NIG" of Greff et al. 2017, "LSTM: A Search Space
    /// Odyssey").
    pub cell GreffNig<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_f, U_o: [H, H] = orthogonal;
        /// Peephole weights.
        param p_f, p_o: [H];
        /// Biases.
        param b_z, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        f = sigmoid(W_f @ x + U_f @ y[t-1] + p_f * c[t-1] + b_f);
        c = z + f * c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + p_o * c + b_o);
        y = o * tanh(c);

        output y;
    }

    /// The LSTM without a forget gate, `f = 1` ("NFG" of Greff et al. 2017, "LSTM: A Search Space
    /// Odyssey").
    pub cell GreffNfg<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_o: [H, H] = orthogonal;
        /// Peephole weights.
        param p_i, p_o: [H];
        /// Biases.
        param b_z, b_i, b_o: [H];

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        i = sigmoid(W_i @ x + U_i @ y[t-1] + p_i * c[t-1] + b_i);
        c = i * z + c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + p_o * c + b_o);
        y = o * tanh(c);

        output y;
    }

    /// The LSTM without an output gate, `o = 1` ("NOG" of Greff et al. 2017, "LSTM: A Search Space
    /// Odyssey").
    pub cell GreffNog<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_f: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_f: [H, H] = orthogonal;
        /// Peephole weights.
        param p_i, p_f: [H];
        /// Biases.
        param b_z, b_i: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        i = sigmoid(W_i @ x + U_i @ y[t-1] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ y[t-1] + p_f * c[t-1] + b_f);
        c = i * z + f * c[t-1];
        y = tanh(c);

        output y;
    }

    /// The LSTM without an input activation function ("NIAF" of Greff et al. 2017, "LSTM: A Search
    /// Space Odyssey").
    pub cell GreffNiaf<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_f, U_o: [H, H] = orthogonal;
        /// Peephole weights.
        param p_i, p_f, p_o: [H];
        /// Biases.
        param b_z, b_i, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = W_z @ x + U_z @ y[t-1] + b_z;
        i = sigmoid(W_i @ x + U_i @ y[t-1] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ y[t-1] + p_f * c[t-1] + b_f);
        c = i * z + f * c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + p_o * c + b_o);
        y = o * tanh(c);

        output y;
    }

    /// The LSTM without an output activation function ("NOAF" of Greff et al. 2017, "LSTM: A Search
    /// Space Odyssey").
    pub cell GreffNoaf<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_f, U_o: [H, H] = orthogonal;
        /// Peephole weights.
        param p_i, p_f, p_o: [H];
        /// Biases.
        param b_z, b_i, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        i = sigmoid(W_i @ x + U_i @ y[t-1] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ y[t-1] + p_f * c[t-1] + b_f);
        c = i * z + f * c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + p_o * c + b_o);
        y = o * c;

        output y;
    }

    /// The LSTM with coupled input and forget gates, `f = 1 - i` ("CIFG" of Greff et al. 2017,
    /// "LSTM: A Search Space Odyssey"). [`CifgLstm`](super::CifgLstm) is the same without
    /// peepholes.
    pub cell GreffCifg<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_o: [H, H] = orthogonal;
        /// Peephole weights.
        param p_i, p_o: [H];
        /// Biases.
        param b_z, b_i, b_o: [H];

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        i = sigmoid(W_i @ x + U_i @ y[t-1] + p_i * c[t-1] + b_i);
        c = i * z + (1 - i) * c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + p_o * c + b_o);
        y = o * tanh(c);

        output y;
    }

    /// The LSTM without peepholes ("NP" of Greff et al. 2017, "LSTM: A Search Space Odyssey").
    pub cell GreffNp<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_f, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_z, b_i, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        i = sigmoid(W_i @ x + U_i @ y[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ y[t-1] + b_f);
        c = i * z + f * c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + b_o);
        y = o * tanh(c);

        output y;
    }

    /// The LSTM with full gate recurrence ("FGR" of Greff et al. 2017, "LSTM: A Search Space
    /// Odyssey", appendix). Every gate also reads all gates of the previous step, as in the
    /// original LSTM of 1997.
    pub cell GreffFgr<I, H> {
        /// The input of a step.
        input x: [I];
        /// The block output `y`, the cell state `c` and the three gates, which the gates of the
        /// next step read.
        state y, c, i, f, o: [H];
        /// Input weights, one matrix per gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_z, U_i, U_f, U_o: [H, H] = orthogonal;
        /// Weights from the previous step's gates to the input gate.
        param R_ii, R_fi, R_oi: [H, H] = xavier_uniform;
        /// Weights from the previous step's gates to the forget gate.
        param R_if, R_ff, R_of: [H, H] = xavier_uniform;
        /// Weights from the previous step's gates to the output gate.
        param R_io, R_fo, R_oo: [H, H] = xavier_uniform;
        /// Peephole weights.
        param p_i, p_f, p_o: [H];
        /// Biases.
        param b_z, b_i, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;

        z = tanh(W_z @ x + U_z @ y[t-1] + b_z);
        i = sigmoid(W_i @ x + U_i @ y[t-1] + p_i * c[t-1]
            + R_ii @ i[t-1] + R_fi @ f[t-1] + R_oi @ o[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ y[t-1] + p_f * c[t-1]
            + R_if @ i[t-1] + R_ff @ f[t-1] + R_of @ o[t-1] + b_f);
        c = i * z + f * c[t-1];
        o = sigmoid(W_o @ x + U_o @ y[t-1] + p_o * c
            + R_io @ i[t-1] + R_fo @ f[t-1] + R_oo @ o[t-1] + b_o);
        y = o * tanh(c);

        output y;
    }
}
