//! Cells from papers. Each line of a definition is one of the paper's equations, whose numbers the
//! comments give.

#![allow(missing_docs)]

use rnn_cell::prelude::*;

rnn_cell! {
    /// sLSTM with one head: M. Beck et al., "xLSTM: Extended Long Short-Term Memory", 2024,
    /// equations 8 to 17. The forget gate is a sigmoid, one of the paper's two choices.
    pub cell SLstm<I, H> {
        input  x: [I];
        state  c, n, h, m: [H];
        param  W_z, W_i, W_f, W_o: [H, I];
        param  R_z, R_i, R_f, R_o: [H, H];
        param  b_z, b_i, b_o: [H];
        param  b_f: [H] = 1;

        z = tanh(W_z @ x + R_z @ h[t-1] + b_z);
        log_i = W_i @ x + R_i @ h[t-1] + b_i;
        log_f = -softplus(-(W_f @ x + R_f @ h[t-1] + b_f));
        o = sigmoid(W_o @ x + R_o @ h[t-1] + b_o);
        m = max(log_f + m[t-1], log_i);
        i = exp(log_i - m);
        f = exp(log_f + m[t-1] - m);
        c = f * c[t-1] + i * z;
        n = f * n[t-1] + i;
        h = o * (c / n);

        output h;
    }

    /// mLSTM with one head: the same paper, equations 19 to 27, stabilised by the state `m`
    /// (equations 15 to 17) as in its appendix. The memory `C` has one row per value entry and one
    /// column per key entry.
    pub cell MLstm<I, D> {
        input  x: [I];
        state  C: [D, D];
        state  n: [D];
        state  m: [];
        param  W_q, W_k, W_v, W_o: [D, I];
        param  b_q, b_k, b_v, b_o: [D];
        param  w_i, w_f: [I] = normal(0.3);
        param  b_i: [], b_f: [] = 1;

        q = W_q @ x + b_q;
        k = (1 / sqrt(D)) * (W_k @ x) + b_k;
        v = W_v @ x + b_v;
        log_i = w_i.T @ x + b_i;
        log_f = -softplus(-(w_f.T @ x + b_f));
        m = max(log_f + m[t-1], log_i);
        i = exp(log_i - m);
        f = exp(log_f + m[t-1] - m);
        C = f * C[t-1] + i * (v @ k.T);
        n = f * n[t-1] + i * k;
        h_tilde = (C @ q) / max(abs(n.T @ q), exp(-m));
        o = sigmoid(W_o @ x + b_o);
        h = o * h_tilde;

        output h;
    }

    /// Gated delta rule: S. Yang, J. Kautz, A. Hatamizadeh, "Gated Delta Networks: Improving Mamba2
    /// with Delta Rule", 2024, equation 10. Keys and queries pass through a SiLU and are normalised
    /// to length 1. The decay is Mamba2's.
    pub cell GatedDelta<I, K, V> {
        input  x: [I];
        state  S: [V, K];
        param  W_q, W_k: [K, I];
        param  W_v: [V, I];
        param  w_a, w_b: [I] = normal(0.5);
        param  log_A: [], dt: [], b_b: [];

        fn unit(u, square_norm) = u / sqrt(square_norm + 1e-6);

        q_raw = silu(W_q @ x);
        k_raw = silu(W_k @ x);
        q = unit(q_raw, sum(square(q_raw)));
        k = unit(k_raw, sum(square(k_raw)));
        v = silu(W_v @ x);
        alpha = exp(-exp(log_A) * softplus(w_a.T @ x + dt));
        beta = sigmoid(w_b.T @ x + b_b);
        S = alpha * (S[t-1] - beta * (S[t-1] @ k @ k.T)) + beta * (v @ k.T);
        o = S @ q;

        output o;
    }

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

    /// Legendre memory unit: A. Voelker, I. Kajić, C. Eliasmith, "Legendre Memory Units:
    /// Continuous-Time Representation in Recurrent Neural Networks", 2019, equations 4 to 7. The
    /// matrices of the memory are fixed: those of equations 1 and 2, discretised by zero-order hold
    /// for a window of eight steps.
    pub cell LegendreUnit<I, H> {
        input  x: [I];
        state  h: [H];
        state  m: [6];
        param  e_x: [I] = normal(0.5);
        param  e_h: [H] = normal(0.3);
        param  e_m: [6] = 0;
        param  W_x: [H, I];
        param  W_h: [H, H];
        param  W_m: [H, 6];
        buffer A: [6, 6] = from_fn(crate::legendre::state_matrix);
        buffer B: [6] = from_fn(crate::legendre::input_matrix);

        u = e_x.T @ x + e_h.T @ h[t-1] + e_m.T @ m[t-1];
        m = A @ m[t-1] + B * u;
        h = tanh(W_x @ x + W_h @ h[t-1] + W_m @ m);

        output h, m;
    }

    /// Echo state network with leaky units: H. Jaeger, "The echo state approach", 2001; equations 2
    /// to 4 of M. Lukoševičius, "A Practical Guide to Applying Echo State Networks", 2012. Only the
    /// readout is learned.
    pub cell EchoState<I, H, O> {
        input  u: [I];
        state  x: [H];
        buffer W_in: [H, 1 + I] = uniform(0.5);
        buffer W: [H, H] = normal(0.2);
        buffer leak: [] = 0.3;
        param  W_out: [O, 1 + I + H];

        x_tilde = tanh(W_in @ [1, u] + W @ x[t-1]);
        x = (1 - leak) * x[t-1] + leak * x_tilde;
        y = W_out @ [1, u, x];

        output y;
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
