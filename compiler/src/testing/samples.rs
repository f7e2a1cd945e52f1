//! Correct definitions, which tests parse unchanged and damaged.

pub const SAMPLES: [&str; 31] = [
    // peepholes
    r"
    /// LSTM with peepholes (Gers & Schmidhuber 2000; Greff et al. 2017, eq. 1-6).
    pub cell Peephole<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, H + I] = xavier_uniform;
        param  b_i, b_g, b_o: [H];
        param  b_f: [H] = 1;
        param  p_i, p_f, p_o: [H];

        i = sigmoid(W_i @ [h[t-1], x] + p_i * c[t-1] + b_i);
        f = sigmoid(W_f @ [h[t-1], x] + p_f * c[t-1] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        c = f * c[t-1] + i * g;
        o = sigmoid(W_o @ [h[t-1], x] + p_o * c + b_o);
        h = o * tanh(c);

        output h;
    }",
    // conditions, a mask of another orientation, initial values of dimensions
    "cell Conditions<H, S> { input x: [H]; context M: [H, S], mask: [S]; state h: [H]; \
     param W: [H, H] = uniform(1 / sqrt(H)); param U: [H, H] = identity, b: [H] = 2 / (H + S); \
     a = softmax(x.T @ M, mask); u = M @ a.T + W @ h[t-1]; \
     h = where(x > 0 and not (u < b or u >= 2), U @ u, where(x < u or b > 0 and x > 1, u, h[t-1])); output h; }",
    // a feed-forward layer, with no state
    "cell Dense<I, O> { input x: [I]; param W: [O, I], b: [O]; y = W @ x + b; output y; }",
    // literal sizes, no dimensions, initial values
    "pub(crate) cell Small { input x: [16]; state pp: [4] = -1e30; param W: [4, 4 + 16] = normal(0.1); \
     pp = tanh(W @ [pp[t-1], x]); output pp; }",
    // contexts, defaults, a mask, an initial state of the context
    "#[derive(Debug)] #[cfg(all())] #[allow(dead_code)]
     cell Attention<E, S, H> {
        context M: [E, S], mask: [S] = 1;
        input x: [E],;
        state s: [H] = tanh(W_0 @ m_0);
        context m_0: [H];
        param W_0: [H, H], U: [E, H], V: [H, E + E];
        e = M.T @ (U @ s[t-1]);
        a = softmax(e, mask);
        s = tanh(V @ [M @ a, x]);
        output s, a;
     }",
    // one-hot input, tied embedding
    "cell Characters<V, E, H> { input w: one_hot[V]; state h: [H]; param E_w: [E, V], W: [H, H + E], D: [E, H];
        h = tanh(W @ [h[t-1], E_w @ w]); y = E_w.T @ (D @ h); output y; }",
    // splits of a sum, a literal split, time index on the target
    "cell Split<I, H> { input x: [I]; state c, h: [H]; param W: [4*H, H + I] = orthogonal, k: [3];
        [f, i, o, g] = W @ [h[t-1], x];
        [k_1, k_2, _k_3] = k;
        c[t] = sigmoid(f) * c[t-1] + sigmoid(i) * tanh(g);
        h: [H] = k_1 * sigmoid(o) * tanh(c[t]) / k_2;
        output h; }",
    // the user's functions
    "cell Swish<N> { input x: [N]; param b: [] = 0.25; fn swish(u, beta) = u * sigmoid(beta * u);
        fn twice(u) = 2 * u; y = twice(swish(x, b)) + 1.; output y; }",
    // a buffer from a function, a reservoir
    "cell Echo<I, N> { input x: [I]; state r: [N]; buffer W: [N, N] = from_fn(crate::reservoir), leak: [] = 0.3;
        buffer W_in: [N, I] = uniform(-0.5, 0.5);
        r = (1 - leak) * r[t-1] + leak * tanh(W @ r[t-1] + W_in @ x); output r; }",
    // matrix state, outer products, transposes of transposes
    "cell DeltaRule<D, N> { input k: [N], v: [D], beta: []; state S: [D, N];
        e = v - S[t-1] @ k; S = S[t-1] + beta * e @ k.T; o = S @ k; z = o.T.T; output z; }",
    // where, comparisons, numbers
    "cell Gate<N> { input x: [N]; state h: [N]; param a: [N] = 1e-3;
        h = where(x >= a, -x, where((h[t-1] != 0), 2.5e+3, 1_000.0)); output h; }",
    // a learned initial state, layer normalisation, nested stacks
    "cell Normed<I, H> { input x: [I]; state h: [H] = h0; param h0, gain: [H], bias: [H], W: [H, H + I + 1];
        h = layer_norm(tanh(W @ [[h[t-1], x], 1]), gain, bias); output h,; }",
    // dimension as a number, unary minus, division
    "cell Scaled<D, S> { context K: [D, S]; input q: [D]; s = softmax(K.T @ q / sqrt(D)); y = K @ s * -1; output y; }",
    // `σ`, and documentation on items
    "cell Sigma<H> {
        /// what comes in
        input x: [H];
        /// a gate
        g = σ(x);
        /// the result
        output g;
     }",
    // equations before declarations
    "cell Reversed<H> { output h; h = tanh(u); u = U @ h[t-1] + x; param U: [H, H] = identity(0.9); state h: [H]; input x: [H]; }",
    // two cells in one macro
    "cell One<H> { input x: [H]; y = exp(x); output y; } pub cell Two<H,> { input x: [H]; y = ln(x); output y; }",
    // a filter of width two through a state that holds the input
    "cell Filter<I, H> { input x: [I]; state x_prev: [I], c: [H]; param V, W, V_f, W_f: [H, I];
        z = tanh(V @ x_prev[t-1] + W @ x); f = sigmoid(V_f @ x_prev[t-1] + W_f @ x); x_prev = x;
        c = f * c[t-1] + (1 - f) * z; output c, x_prev; }",
    // delays of delays, of computed values, of a matrix, and one after the recurrence
    "cell Delays<I, H> { input x: [I]; state a, b: [H]; state M: [H, H]; state h, late: [H]; param W, V: [H, I], U: [H, H], k: [H];
        a = tanh(W @ x); b = a[t-1] * k + U @ a[t-1]; M = a @ b[t-1].T + b @ k.T;
        h = sigmoid(M[t-1] @ a + V @ x) * h[t-1] + U @ b[t-1]; late = U @ h; y = late[t-1] + a[t-1] * b;
        output y, M; }",
    // no recurrence
    "cell Difference<I> { input x: [I]; state x_1, x_2: [I]; x_1 = x; x_2 = x_1[t-1]; d = x - 2 * x_1[t-1] + x_2[t-1]; output d; }",
    // heads with a product each, read outside as a stack
    "cell Projections<I, D, K, O> { input x: [I]; heads K { param W: [D, I], b: [D]; q = W @ x + b; }
        param W_o: [O, K*D], g: [K*D]; y = W_o @ (g * q); output y, q; }",
    // mLSTM with heads
    "pub cell MLstm<I, D, K> { input x: [I];
        heads K {
            state C: [D, D], n: [D], m: [];
            param W_q, W_k, W_v: [D, I], w_i, w_f: [I], b_i, b_f: [];
            q = W_q @ x; k = W_k @ x / sqrt(D); v = W_v @ x;
            l_f = -softplus(-(w_f.T @ x + b_f));
            m = max(l_f + m[t-1], w_i.T @ x + b_i);
            i = exp(w_i.T @ x + b_i - m); f = exp(l_f + m[t-1] - m);
            C = f * C[t-1] + i * (v @ k.T); n = f * n[t-1] + i * k;
            y = C @ q / max(abs(n.T @ q), exp(-m));
        }
        param W_o: [K*D, I], b_o: [K*D]; h = sigmoid(W_o @ x + b_o) * y; output h; }",
    // sLSTM: block-diagonal recurrences, sums of dimensions, shared parameters and states, parts of
    // stacks, scalars of heads outside
    "cell Blocks<I, D, K> { input x: [I]; state s: [D], z: [K*D], a: [K]; param U: [D, D], p: [D], c: [], B: [D, K*D];
        heads K {
            state h: [D] = h_0, r: [] = 0.5;
            param h_0: [D], W: [D, D + I + D], k: [] = 1, V: [D, D];
            buffer u: [D] = 0.5;
            g = tanh(W @ [h[t-1], x, s[t-1]] + U @ h[t-1] + p * u);
            r = sigmoid(k * r[t-1] + c + mean(g) + a[t-1].head);
            h = g * z[t-1].head + r * (V @ s[t-1]) + U.T @ g;
        }
        z = tanh(h + c); a = r * softmax(r) + max(a[t-1], 0.5);
        s = 0.1 * (B @ h) + 0.1 * sum(h) * p; o = rms_norm(h, z); output s, o, r; }",
    // two blocks of the same number of heads, a matrix that all heads share, one-hot inputs, splits
    "cell Two<V, I, D, K> { input w: one_hot[V], x: [I]; state S: [D, D]; param A: [D, D], p: [D];
        heads K { param E: [D, V], M: [2*D, I], q: [2]; e = E @ w; [a, b] = M @ x; [q_1, q_2] = q; f = S[t-1] @ (q_1 * e + a); v = q_2 * b; }
        heads K { param P: [D, D]; state n: [D]; n = P @ f.head + n[t-1] * v.head; y = A @ n; }
        S = 0.5 * S[t-1] + (A @ p) @ p.T; output y, f; }",
    // a literal number of heads, and one head
    "cell Literal<I, D> { input x: [I]; heads 3 { param W: [D, I]; state h: [D]; h = tanh(W @ x + h[t-1]); }
        heads 1 { param U: [D, I]; z = U @ x; } param P: [D, 3*D]; y = P @ h + z; output y, h; }",
    // contexts and initial values of heads
    "cell Contexts<E, S, D, K> { context m: [E], M: [K*D, S], l: [S, K*D]; input x: [S];
        heads K { param W: [D, E], c: []; state h: [D] = tanh(W @ m), g: [] = c; h = h[t-1] + M.head @ x; g = g[t-1] * 0.5 + sum(h); y = g * h; }
        z = l @ y; output z; }",
    // groups of heads, and blocks of vectors
    "cell Groups<I, D> { input x: [I], e: [2*D]; state s: [2*D], a: [2]; param p: [2*D], r: [2], A: [2*D, D], c: [4], k: [4, 2];
        heads 2 { param W: [D, I], B: [D, D]; state g: [D]; g = tanh(W @ x + row_sum(B * blocks(g[t-1], D)) + s[t-1].head); }
        every = repeat_heads(g + e * p, 6); share = repeat_heads(a[t-1] + r, 6);
        heads 6 { param V: [D, D]; state h: [D]; h = tanh(V @ h[t-1] + every.head * share.head); m = mean(h); }
        s = 0.5 * sum_heads(h, 2) + row_sum(A * blocks(p * s[t-1], D));
        a = tanh(sum_heads(m, 2) + mean(row_sum(k * blocks(c * sum(x), 2)))); output h, s; }",
    // no spaces
    "cell Dense2<I,O>{input x:[I];param W:[2*O,I];y=-W@-x*-1e-3-1;output y;}",
    // delays of inputs, indices, equations and states, by literals and dimensions
    "cell Delays<I, H, D, V> { input x: [I], w: one_hot[V]; state h: [H] = h_0; state n: [] = 0.5;
        param h_0: [H], A: [H, I + I], U: [H, H], E: [H, V];
        p = tanh(A @ [x[t-2*D], x[t-1]] + E @ w[t-3]);
        q = sigmoid(U @ p[t-2] + n[t-2]);
        h = tanh(U @ h[t-D]) * q + 0.3 * h[t-1] + 0.1 * r[t-2];
        n = 0.5 * n[t-1] + mean(h);
        r = h[t-1] * p;
        z = tanh(U @ r) * h;
        y = z + z[t-1] * z[t-4] + r[t-D] + E @ w;
        output y, h, p; }",
    // a depthwise convolution and attention over the recent past
    "cell Recent<I, D, S> { input x: [I]; param k: [I, 4], Q, K, V: [D, I];
        u = row_sum(k * window(x, 4));
        q = Q @ u; k_u = K @ u; v = V @ u;
        a = softmax(q.T @ window(k_u, S) / sqrt(D), present(S));
        y = window(v, S) @ a.T;
        output y; }",
    // windows within the recurrence, with a spacing, of an expression, of a scalar
    "cell Spaced<I, H, S, D> { input x: [I]; state h: [H]; param W: [H, I], U: [H, H], g: [S];
        k = U @ h[t-1];
        a = window(k, S, D) @ (g * present(S, D).T);
        h = tanh(W @ x + a + mean(window(sum(x) * x, 3, 2)));
        y = h * sum(window(mean(h), S)) + row_sum(window(h, 2, D));
        output y; }",
    // blocks: a sum of dimensions, a matrix one step back
    "cell Blocks<I, J> { input x: [I], X: [I, J]; param K: [J, I + J], A: [I + J, I + J];
        u = tanh(A @ [x, X.T @ x]);
        v = K @ u[t-2] + X[t-1].T @ x + u_2[t-1] + K @ row_sum(window(u, 3));
        [_u_1, u_2] = u;
        output v, u; }",
];
