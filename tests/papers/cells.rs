//! Cells from papers. Each line of a definition is one of the paper's equations, whose numbers the
//! comments give.

#![allow(missing_docs)]

use rnn_cell::prelude::*;

rnn_cell! {
    /// Neural Turing machine with a feed-forward controller and one head that reads and writes at
    /// the same location: A. Graves, G. Wayne, I. Danihelka, "Neural Turing Machines", 2014,
    /// equations 2 to 9. The memory has `N` locations of `W` numbers. The circular convolution of
    /// equation 8 has shifts by -1, 0 and 1, so it is written with two permutations.
    pub cell TuringHead<I, H, N, W> {
        input  x: [I];
        param  M_0: [N, W] = normal(0.5);
        param  w_0: [N];
        state  M: [N, W] = M_0;
        state  w: [N] = softmax(w_0);
        state  r: [W];
        param  W_u: [H, I + W];
        param  b_u: [H];
        param  W_k, W_e, W_a: [W, H];
        param  b_k, b_e, b_a: [W];
        param  w_beta, w_g, w_gamma: [H] = normal(0.5);
        param  b_beta: [], b_g: [], b_gamma: [];
        param  W_s: [3, H];
        param  b_s: [3];
        /// The permutation that moves every location to the next.
        buffer P: [N, N] = from_fn(next_location);

        u = tanh(W_u @ [x, r[t-1]] + b_u);
        k = tanh(W_k @ u + b_k);
        beta = softplus(w_beta.T @ u + b_beta);
        g = sigmoid(w_g.T @ u + b_g);
        [s_back, s_stay, s_on] = softmax(W_s @ u + b_s);
        gamma = 1 + softplus(w_gamma.T @ u + b_gamma);

        similarity = (M[t-1] @ k) / (sqrt(row_sum(square(M[t-1]))) * sqrt(sum(square(k))) + 1e-6);
        w_c = softmax(beta * similarity);
        w_gated = g * w_c + (1 - g) * w[t-1];
        w_s = s_back * (P.T @ w_gated) + s_stay * w_gated + s_on * (P @ w_gated);
        sharp = pow(w_s, gamma);
        w = sharp / sum(sharp);

        r = M[t-1].T @ w;
        e = sigmoid(W_e @ u + b_e);
        a = tanh(W_a @ u + b_a);
        M = M[t-1] * (1 - w @ e.T) + w @ a.T;

        output r;
    }

    /// Layer-normalised LSTM: J. Ba, J. Kiros, G. Hinton, "Layer Normalization", 2016, equations 20
    /// to 22.
    pub cell NormalisedLstm<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_h: [4*H, H];
        param  W_x: [4*H, I];
        param  b: [4*H];
        param  alpha_1, alpha_2: [4*H] = 1;
        param  beta_1, beta_2: [4*H];
        param  alpha_3: [H] = 1;
        param  beta_3: [H];

        [f, i, o, g] = layer_norm(W_h @ h[t-1], alpha_1, beta_1) + layer_norm(W_x @ x, alpha_2, beta_2) + b;
        c = sigmoid(f) * c[t-1] + sigmoid(i) * tanh(g);
        h = sigmoid(o) * tanh(layer_norm(c, alpha_3, beta_3));

        output h;
    }

    /// LSTM with a recurrent and a non-recurrent projection: H. Sak, A. Senior, F. Beaufays, "Long
    /// Short-Term Memory Based Recurrent Neural Network Architectures for Large Vocabulary Speech
    /// Recognition", 2014, equations 7 to 14.
    pub cell ProjectedLstm<I, H, R, P, O> {
        input  x: [I];
        state  c: [H];
        state  r: [R];
        param  W_ix, W_fx, W_cx, W_ox: [H, I];
        param  W_ir, W_fr, W_cr, W_or: [H, R];
        param  w_ic, w_fc, w_oc: [H] = normal(0.3);
        param  b_i, b_f, b_c, b_o: [H];
        param  W_rm: [R, H];
        param  W_pm: [P, H];
        param  W_yr: [O, R];
        param  W_yp: [O, P];
        param  b_y: [O];

        i = sigmoid(W_ix @ x + W_ir @ r[t-1] + w_ic * c[t-1] + b_i);
        f = sigmoid(W_fx @ x + W_fr @ r[t-1] + w_fc * c[t-1] + b_f);
        c = f * c[t-1] + i * tanh(W_cx @ x + W_cr @ r[t-1] + b_c);
        o = sigmoid(W_ox @ x + W_or @ r[t-1] + w_oc * c + b_o);
        m = o * tanh(c);
        r = W_rm @ m;
        p = W_pm @ m;
        y = W_yr @ r + W_yp @ p + b_y;

        output y;
    }

    /// LSTM with zoneout: D. Krueger et al., "Zoneout: Regularizing RNNs by Randomly Preserving
    /// Hidden Activations", 2016. The masks are inputs. A 1 means that a unit keeps its value.
    pub cell Zoneout<I, H> {
        input  x: [I], d_c: [H], d_h: [H];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, H + I];
        param  b_i, b_g, b_o: [H];
        param  b_f: [H] = 1;

        i = sigmoid(W_i @ [h[t-1], x] + b_i);
        f = sigmoid(W_f @ [h[t-1], x] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        o = sigmoid(W_o @ [h[t-1], x] + b_o);
        c_new = f * c[t-1] + i * g;
        c = d_c * c[t-1] + (1 - d_c) * c_new;
        h = d_h * h[t-1] + (1 - d_h) * (o * tanh(c_new));

        output h;
    }

    /// Character network whose output weights are its input embedding: O. Press, L. Wolf, "Using
    /// the Output Embedding to Improve Language Models", 2017. The input is the index of a
    /// character.
    pub cell TiedCharacters<V, D> {
        input  w: one_hot[V];
        state  h: [D];
        param  E: [D, V] = normal(0.3);
        param  W_z, W_h: [D, D + D];
        param  b_z, b_h: [D];
        param  b_o: [V];

        e = E @ w;
        z = sigmoid(W_z @ [h[t-1], e] + b_z);
        h = (1 - z) * h[t-1] + z * tanh(W_h @ [h[t-1], e] + b_h);
        scores = E.T @ h + b_o;

        output scores;
    }
}

/// Returns an entry of the permutation that moves location `column` to `column + 1`, for the five
/// locations of the test.
fn next_location(row: usize, column: usize) -> f64 {
    if row == (column + 1) % crate::LOCATIONS { 1.0 } else { 0.0 }
}
