//! Tests of valid definitions, some of them unusual, with the inferred shapes.

use crate::analysis::resolve::tests::{check, check_valid};

#[test]
fn infers_a_peephole_lstm() {
    let cell = check_valid(
        "<I, H>
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
        output h;",
    );
    assert_eq!(cell.shape("i"), "[H]");
    assert_eq!(cell.order(), ["i", "f", "g", "c", "o", "h"]);
}

#[test]
fn infers_gated_recurrent_units() {
    for candidate in ["U @ (r * h[t-1])", "r * (U @ h[t-1] + b)"] {
        let cell = check_valid(&format!(
            "<I, H> input x: [I]; state h: [H]; param W_r, W_z, W: [H, I]; param U_r, U_z, U: [H, H]; \
             param b: [H]; r = σ(W_r @ x + U_r @ h[t-1]); z = σ(W_z @ x + U_z @ h[t-1]); \
             n = tanh(W @ x + {candidate} + b); h = (1 - z) * n + z * h[t-1]; output h;"
        ));
        assert_eq!(cell.shape("n"), "[H]");
        assert_eq!(cell.initialiser("U"), "Orthogonal");
        assert_eq!(cell.initialiser("W"), "XavierUniform");
    }
}

#[test]
fn infers_four_gates_from_one_product() {
    let cell = check_valid(
        "<I, H> input x: [I]; state h, c: [H]; param W: [4*H, I + H]; param b: [H + H + H + H]; \
         z = W @ [x, h[t-1]] + b; [f, i, o, g] = z; c = σ(f) * c[t-1] + σ(i) * tanh(g); \
         h = σ(o) * tanh(c); output h;",
    );
    assert_eq!(cell.shape("z"), "[4*H]");
    assert_eq!(cell.shape("g"), "[H]");
}

#[test]
fn infers_attention_over_a_context() {
    let cell = check_valid(
        "<D, H, E, S, A> input y: [D]; context M: [E, S], mask: [S] = 1; state s: [H] = tanh(W_0 @ mean_row); \
         buffer mean_row: [E] = 0; param W_0: [H, E]; param W_a: [A, H]; param U_a: [A, E]; param v: [A]; \
         param W: [H, D + H + E]; \
         e = v.T @ tanh(W_a @ s[t-1] + U_a @ M); a = softmax(e, mask.T); q = M @ a.T; \
         s = tanh(W @ [y, s[t-1], q]); output s, a;",
    );
    assert_eq!(cell.shape("e"), "[1, S]");
    assert_eq!(cell.shape("a"), "[1, S]");
    assert_eq!(cell.shape("q"), "[E]");
}

#[test]
fn infers_a_matrix_memory() {
    let cell = check_valid(
        "<I, D> input x: [I]; state C: [D, D], n: [D], m: [] = -1e30; param W_q, W_k, W_v: [D, I]; \
         param w_i, w_f: [I]; \
         q = W_q @ x; k = W_k @ x / sqrt(D); v = W_v @ x; i = w_i.T @ x; f = w_f.T @ x; \
         m = max(f + m[t-1], i); i_ = exp(i - m); f_ = exp(f + m[t-1] - m); \
         C = f_ * C[t-1] + i_ * (v @ k.T); n = f_ * n[t-1] + i_ * k; \
         h = C @ q / max(abs(n.T @ q), 1); output h;",
    );
    assert_eq!(cell.shape("i"), "[]");
    assert_eq!(cell.shape("C"), "[D, D]");
    assert_eq!(cell.shape("h"), "[D]");
    assert_eq!(cell.initialiser("m"), "Constant(Number(-1e30))");
}

#[test]
fn infers_a_tied_one_hot_embedding() {
    let cell = check_valid(
        "<V, H> input w: one_hot[V]; state h: [H]; param E: [H, V]; param U: [H, H]; \
         h = tanh(U @ h[t-1] + E @ w); y = E.T @ h; output y;",
    );
    assert_eq!(cell.shape("y"), "[V]");
}

#[test]
fn accepts_layers_without_state_or_input() {
    check_valid("<I, O> input x: [I]; param W: [O, I]; param b: [O]; y = W @ x + b; output y;");
    check_valid("<H> state h: [H] = h0; param h0: [H]; h = tanh(h[t-1]); output h;");
    check_valid("input x: [16]; param W: [8, 16]; y = W @ x; output y;");
}

#[test]
fn columns_rows_and_scalars_broadcast() {
    let cell = check_valid(
        "<N, S> context M: [N, S]; input c: [N], r: [1, S]; param k: []; \
         a = M + c; b = r * M; d = k - M; e = c * r; f = max(c, max(r, k)); g = where(c > r, M, 0); \
         output a, b, d, e, f, g;",
    );
    for name in ["a", "b", "d", "e", "f", "g"] {
        assert_eq!(cell.shape(name), "[N, S]", "{name}");
    }
}

#[test]
fn scalars_can_be_written_in_three_ways() {
    let cell = check_valid(
        "<H> input x: [H], k: [], l: [1], m: [1, 1]; a = k + l + m; b = x.T @ x; y = a * b * x; output y;",
    );
    assert_eq!(cell.shape("a"), "[]");
    assert_eq!(cell.shape("b"), "[]");
}

#[test]
fn stacks_contain_scalars_vectors_and_matrices() {
    let cell = check_valid(
        "<H, I, S> input x: [I]; context M: [H, S]; state h: [H]; param W: [H, H + I + 1]; \
         h = W @ [h[t-1], x, 1]; a = [M, x]; b = [M, x, 0, mean(M)]; c = [1, 2, 3]; d = [h]; \
         e = [x.T @ x, 1]; output h, a, b, c, d, e;",
    );
    assert_eq!(cell.shape("a"), "[H + I, S]");
    assert_eq!(cell.shape("b"), "[H + I + 2, S]");
    assert_eq!(cell.shape("c"), "[3]");
    assert_eq!(cell.shape("d"), "[H]");
    assert_eq!(cell.shape("e"), "[2]");
}

#[test]
fn splits_are_by_terms_or_by_rows() {
    let cell = check_valid(
        "<H, S> input x: [H + 1], z: [3], w: [H + 2]; context M: [2*H, S]; \
         [a, b] = x; [p, q, r] = z; [m, n] = M; [u, v] = w; [i, j, k] = w; output a, b, p, q, r, m, n, u, v, i, j, k;",
    );
    assert_eq!(cell.shape("a"), "[H]");
    assert_eq!(cell.shape("b"), "[]");
    assert_eq!(cell.shape("q"), "[]");
    assert_eq!(cell.shape("n"), "[H, S]");
    assert_eq!(cell.shape("v"), "[2]");
    assert_eq!(cell.shape("k"), "[]");
}

#[test]
fn infers_calls_of_every_kind_of_function() {
    let cell = check_valid(
        "<H, S> input x: [H]; context M: [H, S]; param g, b: [H]; \
         fn swish(u) = u * sigmoid(u); fn gate(a, b, u) = where(a > b, swish(u) / sqrt(H), 0); fn first(u, _v) = u; \
         s = sum(M); m = mean(x); r = row_sum(M); n = layer_norm(x, g, b); k = rms_norm(M, 1); \
         l = layer_norm(M, g, 0); y = gate(x, M, s); z = stop_gradient(clamp(x, -1, 1)); \
         o = softmax(x); p = softmax(x.T); q = first(x, M); \
         output s, m, r, n, k, l, y, z, o, p, q;",
    );
    for (name, shape) in [
        ("s", "[]"),
        ("m", "[]"),
        ("r", "[H]"),
        ("n", "[H]"),
        ("k", "[H, S]"),
        ("l", "[H, S]"),
        ("y", "[H, S]"),
    ] {
        assert_eq!(cell.shape(name), shape, "{name}");
    }
    assert_eq!(cell.shape("p"), "[1, H]");
    // Only the arguments that the function reads affect the shape.
    assert_eq!(cell.shape("q"), "[H]");
}

#[test]
fn names_with_a_leading_underscore_may_be_unused() {
    check_valid(
        "<H, _K> input x: [2*H], _m: [H]; context _q: [H]; buffer _b: [H]; param _w: [H]; state _s: [H]; \
         _s = _s[t-1] + 1 + tanh(_w); fn _f(u, _v) = u; [a, _rest] = x; _z = tanh(a); output a;",
    );
}

#[test]
fn a_state_may_be_used_by_an_output_only() {
    check_valid(
        "<H> input x: [H]; state n: []; state m: [H]; n = n[t-1] + 1; m = m[t-1] + x; y = m / n; output y;",
    );
}

#[test]
fn initial_states_can_be_learned_or_scalar() {
    check_valid(
        "<H> input x: [H]; state h: [H] = h0, c: [H] = k, d: [H] = ones, e: [H] = 1/2; param h0: [H]; param k: []; \
         h = x + h[t-1]; c = c[t-1] + h; d = d[t-1] * h; e = e[t-1] * h; output c, d, e;",
    );
}

#[test]
fn a_split_can_define_several_states() {
    let cell =
        check_valid("<H> input x: [2*H]; state a, b: [H]; [a, b] = x + [a[t-1], b[t-1]]; output a, b;");
    assert_eq!(cell.shape("b"), "[H]");
}

#[test]
fn names_in_code_that_failed_to_parse_are_not_reported() {
    let messages =
        check("<I, H> input x: [I]; state h: [H]; param W: [H, I]; param b: [H]; z = W @ x + ^ b; h = z + h[t-1]; output h;")
            .messages;
    assert_eq!(messages.len(), 1, "{messages:#?}");
}
