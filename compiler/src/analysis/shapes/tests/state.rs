//! Tests of values against declared and asserted shapes.

use crate::analysis::resolve::tests::mistakes;

mistakes! {
    state_of_another_shape:
        "<I, H> input x: [I]; state h: [H]; param W: [I, H]; h = W @ h[t-1] + x; output h;"
        => [
            "state `h` is `[H]`, its equation gives `[I]`\n\
             note: it is declared as `state h: [H]`\n\
             note: `W @ h[t-1] + x` is `[I]`, with `param W: [I, H]`, `state h: [H]`, `input x: [I]`",
        ];

    state_from_a_scalar:
        "<H> input x: [H]; state h: [H]; h = sum(x); output h;"
        => [
            "state `h` is `[H]`, its equation gives `[]`\n\
             note: it is declared as `state h: [H]`\n\
             note: `sum(x)` is `[]`, with `input x: [H]`\n\
             help: a scalar is not repeated automatically: multiply it by a `buffer one: [H] = ones;`",
        ];

    state_from_a_transpose:
        "<H> input x: [H]; state h: [H]; h = x.T; output h;"
        => [
            "state `h` is `[H]`, its equation gives `[1, H]`\n\
             note: it is declared as `state h: [H]`\n\
             note: `x.T` is `[1, H]`, with `input x: [H]`\n\
             help: its transpose fits: `x`",
        ];

    state_from_a_split:
        "<I, H> input x: [2*I]; state h: [H]; [h, g] = x; output h, g;"
        => [
            "state `h` is `[H]`, its equation gives `[I]`\n\
             note: it is declared as `state h: [H]`\n\
             note: `x` is declared as `input x: [2*I]`, split among 2 names",
        ];

    assertion_that_fails:
        "<I, H> input x: [I]; param b: [H]; y: [H] = tanh(x); z = y + b; output z;"
        => [
            "`y` is declared as `[H]`, its value is `[I]`\n\
             note: `tanh(x)` is `[I]`, with `input x: [I]`",
        ];

    assertion_on_a_number:
        "<H> input x: [H]; y: [H] = 1; z = x + y; output z;"
        => [
            "`y` is declared as `[H]`, its value is `[]`\n\
             note: `1` is `[]`\n\
             help: a constant of that shape is a `buffer y: [H] = 1;`",
        ];

    assertion_of_an_unknown_dimension:
        "<H> input x: [H]; y: [K] = x; output y;"
        => [
            "unknown dimension `K`\n\
             help: declare it: `cell Test<H, K>`",
        ];

    three_dimensions:
        "<H> input x: [H, H, H]; y = tanh(x); output y;"
        => [
            "a shape has at most two dimensions\n\
             help: the value of one sample at one step is a scalar, a vector or a matrix; \
             time and batch are not part of the shape",
        ];

    a_dimension_of_size_zero:
        "<H> input x: [0], m: [H]; y = tanh(x); z = tanh(m); output y, z;"
        => [
            "a dimension of size 0\n\
             help: leave out what has no entries; a scalar has the shape `[]`",
        ];

    a_multiple_that_is_too_large:
        "<H> input x: [1000000*H]; y = tanh(x); output y;"
        => [
            "a dimension of 1000000 terms\n\
             help: a sum has at most 64 terms; declare the whole size as a dimension of its own",
        ];

    initial_state_of_another_shape:
        "<I, H> input x: [H]; state h: [H] = h0; param h0: [I]; h = x + h[t-1]; output h;"
        => [
            "state `h` is `[H]`, its initial value `[I]`\n\
             note: it is declared as `state h: [H]`\n\
             note: `h0` is declared as `param h0: [I]`\n\
             help: declare `h0: [H]`",
        ];

    initial_state_from_a_row:
        "<H> input x: [H]; state h: [H] = m.T; context m: [H]; h = x + h[t-1]; output h;"
        => [
            "state `h` is `[H]`, its initial value `[1, H]`\n\
             note: it is declared as `state h: [H]`\n\
             note: `m.T` is `[1, H]`, with `context m: [H]`\n\
             help: its transpose fits: `m`",
        ];

    a_failed_equation_suppresses_messages_about_its_dependants:
        "<I, H> input x: [I]; state h: [H]; param W: [I, H]; z = W @ x; r = z + h[t-1] + x; h = r @ r; \
         output h;"
        => [
            "the columns of `W` are `H`, the rows of `x` are `I`\n\
             note: `W` is declared as `param W: [I, H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: declare `W: [H, I]` or write `W.T @ x`",
        ];

    three_mistakes_at_once:
        "<I, H> input x: [I]; state h: [H]; param W: [H, I]; a = W * x; b = x + h[t-1]; h = softmax(W); y \
         = a + b; output h, y;"
        => [
            "`*` can't combine `[H, I]` and `[I]`\n\
             note: `W` is declared as `param W: [H, I]`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: `*` is element-wise; the matrix product is `W @ x`\n\
             help: to scale each column of `W` by an entry of `x`, write `W * x.T`",
            "`+` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `h` is declared as `state h: [H]`",
            "`softmax` of a matrix `[H, I]`\n\
             note: `W` is declared as `param W: [H, I]`\n\
             help: `softmax` is over the entries of a vector `[s]` or a row `[1, s]`",
        ];
}
