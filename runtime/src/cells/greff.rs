//! The eight variants of "LSTM: A Search Space Odyssey" (Greff et al. 2017, section 3) of the LSTM with peepholes, in the
//! paper's notation: `z` is the block input, `y` the block output.

use crate::rnn_cell;

rnn_cell! {
    /// No input gate: `i = 1`.
    pub cell GreffNig<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// No forget gate: `f = 1`.
    pub cell GreffNfg<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// No output gate: `o = 1`.
    pub cell GreffNog<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_f: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// No input activation function.
    pub cell GreffNiaf<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// No output activation function.
    pub cell GreffNoaf<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// Coupled input and forget gate: `f = 1 - i`.
    pub cell GreffCifg<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// No peepholes.
    pub cell GreffNp<I, H> {
        /// What one step reads.
        input x: [I];
        /// The hidden state `y` and the cell state `c`.
        state y, c: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
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

    /// Full gate recurrence: every gate also sees every gate of the step before (Greff et al. 2017, appendix; as in the
    /// first LSTM of 1997).
    pub cell GreffFgr<I, H> {
        /// What one step reads.
        input x: [I];
        /// The block output `y`, the cell state `c`, and the gates, which the next step's gates see.
        state y, c, i, f, o: [H];
        /// Input weights, a matrix a gate.
        param W_z, W_i, W_f, W_o: [H, I] = xavier_uniform;
        /// Recurrent weights, a matrix a gate.
        param U_z, U_i, U_f, U_o: [H, H] = orthogonal;
        /// Weights from the gates of the step before to the input gate.
        param R_ii, R_fi, R_oi: [H, H] = xavier_uniform;
        /// Weights from the gates of the step before to the forget gate.
        param R_if, R_ff, R_of: [H, H] = xavier_uniform;
        /// Weights from the gates of the step before to the output gate.
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
