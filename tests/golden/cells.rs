//! The cells of the golden cases, with the cases' names. The gates are additional outputs without a
//! cotangent in the loss, which must not change the gradients.

#![allow(missing_docs)]

use rnn_cell::prelude::*;

rnn_cell! {
    /// Elman (1990) with its readout.
    pub cell ElmanWithReadout<I, H, O> {
        input  x: [I];
        state  h: [H];
        param  W_hh: [H, H];
        param  W_xh: [H, I];
        param  b: [H];
        param  W_hy: [O, H];
        param  b_y: [O];

        h = tanh(W_hh @ h[t-1] + W_xh @ x + b);
        y = W_hy @ h + b_y;

        output h, y;
    }

    /// Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000).
    pub cell LstmWithGates<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, I];
        param  R_i, R_f, R_g, R_o: [H, H];
        param  b_i, b_f, b_g, b_o: [H];

        i = sigmoid(W_i @ x + R_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + R_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + R_g @ h[t-1] + b_g);
        o = sigmoid(W_o @ x + R_o @ h[t-1] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);

        output h, i, f, g, o;
    }

    /// Gers & Schmidhuber (2000).
    pub cell PeepholeWithGates<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, I];
        param  R_i, R_f, R_g, R_o: [H, H];
        param  b_i, b_f, b_g, b_o: [H];
        param  p_i, p_f, p_o: [H];

        i = sigmoid(W_i @ x + R_i @ h[t-1] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ x + R_f @ h[t-1] + p_f * c[t-1] + b_f);
        g = tanh(W_g @ x + R_g @ h[t-1] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ x + R_o @ h[t-1] + p_o * c + b_o);
        h = o * tanh(c);

        output h, i, f, g, o;
    }

    /// Coupled input and forget gate, without peepholes.
    pub cell CifgWithGates<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_f, W_g, W_o: [H, I];
        param  R_f, R_g, R_o: [H, H];
        param  b_f, b_g, b_o: [H];

        f = sigmoid(W_f @ x + R_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + R_g @ h[t-1] + b_g);
        o = sigmoid(W_o @ x + R_o @ h[t-1] + b_o);
        c = f * c[t-1] + (1 - f) * g;
        h = o * tanh(c);

        output h, f, g, o;
    }

    /// Cho et al. (2014) as printed: no biases.
    pub cell GruWithoutBias<I, H> {
        input  x: [I];
        state  h: [H];
        param  W_z, W_r, W_h: [H, I];
        param  R_z, R_r, R_h: [H, H];

        z = sigmoid(W_z @ x + R_z @ h[t-1]);
        r = sigmoid(W_r @ x + R_r @ h[t-1]);
        h_tilde = tanh(W_h @ x + R_h @ (r * h[t-1]));
        h = (1 - z) * h[t-1] + z * h_tilde;

        output h, z, r, h_tilde;
    }

    /// `torch.nn.GRU`: the reset gate is applied after the product, and every gate has two biases.
    pub cell TorchGru<I, H> {
        input  x: [I];
        state  h: [H];
        param  W_r, W_z, W_n: [H, I];
        param  R_r, R_z, R_n: [H, H];
        param  b_ir, b_iz, b_in, b_hr, b_hz, b_hn: [H];

        r = sigmoid(W_r @ x + b_ir + R_r @ h[t-1] + b_hr);
        z = sigmoid(W_z @ x + b_iz + R_z @ h[t-1] + b_hz);
        n = tanh(W_n @ x + b_in + r * (R_n @ h[t-1] + b_hn));
        h = (1 - z) * n + z * h[t-1];

        output h, r, z, n;
    }

    /// Zhou et al. (2016).
    pub cell MguWithGates<I, H> {
        input  x: [I];
        state  h: [H];
        param  W_f, W_h: [H, I];
        param  R_f, R_h: [H, H];
        param  b_f, b_h: [H];

        f = sigmoid(W_f @ x + R_f @ h[t-1] + b_f);
        h_tilde = tanh(W_h @ x + R_h @ (f * h[t-1]) + b_h);
        h = (1 - f) * h[t-1] + f * h_tilde;

        output h, f, h_tilde;
    }

    /// Collins et al. (2017).
    pub cell UgRnnWithGates<I, H> {
        input  x: [I];
        state  h: [H];
        param  W_c, W_g: [H, I];
        param  R_c, R_g: [H, H];
        param  b_c, b_g: [H];

        c = tanh(W_c @ x + R_c @ h[t-1] + b_c);
        g = sigmoid(W_g @ x + R_g @ h[t-1] + b_g);
        h = g * h[t-1] + (1 - g) * c;

        output h, c, g;
    }
}
