//! Tests of the matrix product, and of mistakes in its place.

use crate::analysis::resolve::tests::mistakes;

mistakes! {
    product_with_a_transposed_matrix:
        "<I, H> input x: [I]; param W: [I, H]; y = W @ x; output y;"
        => [
            "the columns of `W` are `H`, the rows of `x` are `I`\n\
             note: `W` is declared as `param W: [I, H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: declare `W: [H, I]` or write `W.T @ x`",
        ];

    product_with_a_transposed_equation:
        "<I, H> input x: [I]; param W: [I, H]; V = 2 * W; y = V @ x; output y;"
        => [
            "the columns of `V` are `H`, the rows of `x` are `I`\n\
             note: `V` is `[I, H]`, by the equation `V = 2 * W`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: `V.T @ x`",
        ];

    product_from_the_left:
        "<I, H> input x: [I]; param W: [I, H]; y = x @ W; output y;"
        => [
            "`x` is a vector, one column, while the rows of `W` are `I`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `W` is declared as `param W: [I, H]`\n\
             help: a vector is a column: `W.T @ x`",
        ];

    product_from_the_wrong_side:
        "<I, H> input x: [I]; param W: [H, I]; y = x @ W; output y;"
        => [
            "`x` is a vector, one column, while the rows of `W` are `H`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `W` is declared as `param W: [H, I]`\n\
             help: a vector is a column and goes on the right: `W @ x`",
        ];

    product_with_a_superfluous_transpose:
        "<I, H> input x: [I]; param W: [H, I]; y = W.T @ x; output y;"
        => [
            "the columns of `W.T` are `H`, the rows of `x` are `I`\n\
             note: `W.T` is `[I, H]`, with `param W: [H, I]`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: `W @ x`",
        ];

    product_with_a_stack_in_the_wrong_order:
        "<I, H> input x: [I]; state h: [H]; param W: [H, H + I]; h = tanh(W @ [x, h[t-1]]); output h;"
        => [
            "the columns of `W` are `H + I`, the rows of the stack are `I + H`\n\
             note: `W` is declared as `param W: [H, H + I]`\n\
             note: `[x, h[t-1]]` is `[I + H]`, with `input x: [I]`, `state h: [H]`\n\
             help: stack them in the order of the columns: `[h[t-1], x]`",
        ];

    product_with_a_stack_of_three_in_the_wrong_order:
        "<I, H> input x: [I]; state h: [H]; param W: [H, I + H + 1]; h = tanh(W @ [1, h[t-1], x]); output \
         h;"
        => [
            "the columns of `W` are `I + H + 1`, the rows of the stack are `1 + H + I`\n\
             note: `W` is declared as `param W: [H, I + H + 1]`\n\
             note: `[1, h[t-1], x]` is `[1 + H + I]`, with `state h: [H]`, `input x: [I]`\n\
             help: stack them in the order of the columns: `[x, h[t-1], 1]`",
        ];

    product_with_a_stack_that_lacks_a_part:
        "<I, H> input x: [I]; state h: [H]; param W: [H, H + I + 1]; h = tanh(W @ [h[t-1], x]); output \
         h;"
        => [
            "the columns of `W` are `H + I + 1`, the rows of the stack are `H + I`\n\
             note: `W` is declared as `param W: [H, H + I + 1]`\n\
             note: `[h[t-1], x]` is `[H + I]`, with `state h: [H]`, `input x: [I]`",
        ];

    product_with_a_swapped_sum:
        "<I, H> input x: [I]; state h: [H]; param W: [H, H + I]; z = [x, h[t-1]]; h = tanh(W @ z); output \
         h;"
        => [
            "the columns of `W` are `H + I`, the rows of `z` are `I + H`\n\
             note: `W` is declared as `param W: [H, H + I]`\n\
             note: `z` is `[I + H]`, by the equation `z = [x, h[t-1]]`\n\
             help: the terms of a sum are ordered like its blocks: write both in the same order",
        ];

    product_of_two_vectors:
        "<H> input x, y: [H]; z = x @ y; output z;"
        => [
            "`x` is a vector, one column, while the rows of `y` are `H`\n\
             note: `x` is declared as `input x: [H]`\n\
             note: `y` is declared as `input y: [H]`\n\
             help: the inner product is `x.T @ y`, the element-wise one `x * y`, the outer one `x @ \
             y.T`",
        ];

    product_of_two_vectors_of_other_sizes:
        "<I, H> input x: [I], y: [H]; z = x @ y; output z;"
        => [
            "`x` is a vector, one column, while the rows of `y` are `H`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `y` is declared as `input y: [H]`\n\
             help: the outer product is `x @ y.T`",
        ];

    product_with_a_scalar:
        "<H> input x: [H]; param a: []; y = a @ x; output y;"
        => [
            "`a` is a scalar, not a factor of a matrix product\n\
             note: `a` is declared as `param a: []`\n\
             note: `x` is declared as `input x: [H]`\n\
             help: a scalar is multiplied by `*`: `a * x`",
        ];

    product_with_a_transposed_right_side:
        "<I, H, S> context M: [I, S]; param A: [H, S]; y = A @ M; output y;"
        => [
            "the columns of `A` are `S`, the rows of `M` are `I`\n\
             note: `A` is declared as `param A: [H, S]`\n\
             note: `M` is declared as `context M: [I, S]`\n\
             help: `A @ M.T`",
        ];

    product_with_a_literal_size:
        "<H> input x: [3]; param W: [H, 4]; y = W @ x; output y;"
        => [
            "the columns of `W` are `4`, the rows of `x` are `3`\n\
             note: `W` is declared as `param W: [H, 4]`\n\
             note: `x` is declared as `input x: [3]`",
        ];

    star_for_a_matrix_product:
        "<I, H> input x: [I]; param W: [H, I]; y = W * x; output y;"
        => [
            "`*` can't combine `[H, I]` and `[I]`\n\
             note: `W` is declared as `param W: [H, I]`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: `*` is element-wise; the matrix product is `W @ x`\n\
             help: to scale each column of `W` by an entry of `x`, write `W * x.T`",
        ];

    star_of_other_sizes:
        "<I, H> context B: [2, I]; param W: [I, H]; y = W * B; output y;"
        => [
            "`*` can't combine `[I, H]` and `[2, I]`\n\
             note: `W` is declared as `param W: [I, H]`\n\
             note: `B` is declared as `context B: [2, I]`",
        ];

    star_for_a_transposed_product:
        "<I, H> input x: [I]; state h: [H]; param W: [I, H]; h = tanh(W * x + h[t-1].T); output h;"
        => [
            "`*` is element-wise: `[I, H]` and `[I]` make `[I, H]`, where `[H]` is needed\n\
             note: `W` is declared as `param W: [I, H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             help: the matrix product is `W.T @ x`",
        ];

    star_for_a_square_product:
        "<H> input x: [H]; state h: [H]; param W: [H, H]; h = tanh(W * h[t-1] + x); output h;"
        => [
            "`*` is element-wise: `[H, H]` and `[H]` make `[H, H]`, where `[H]` is needed\n\
             note: `W` is declared as `param W: [H, H]`\n\
             note: `h` is declared as `state h: [H]`\n\
             help: the matrix product is `W @ h[t-1]`",
        ];

    star_for_a_square_product_in_another_equation:
        "<H> input x: [H]; state h: [H]; param W: [H, H]; param b: [H]; z = W * h[t-1]; g = sigmoid(x + z \
         + b); h = g * tanh(x); output h;"
        => [
            "`*` is element-wise: `[H, H]` and `[H]` make `[H, H]`, where `[H]` is needed\n\
             note: `W` is declared as `param W: [H, H]`\n\
             note: `h` is declared as `state h: [H]`\n\
             help: the matrix product is `W @ h[t-1]`",
        ];

    star_for_a_square_product_against_an_assertion:
        "<H> input x: [H]; param W: [H, H]; y: [H] = -(W * x); output y;"
        => [
            "`*` is element-wise: `[H, H]` and `[H]` make `[H, H]`, where `[H]` is needed\n\
             note: `W` is declared as `param W: [H, H]`\n\
             note: `x` is declared as `input x: [H]`\n\
             help: the matrix product is `W @ x`",
        ];

    one_hot_as_a_vector:
        "<V> input w: one_hot[V]; y = tanh(w); output y;"
        => [
            "the one-hot input `w` can only be the right operand of `@`\n\
             note: `input w: one_hot[V]` is an index, not a vector\n\
             help: `E @ w` is a column of a matrix `E: [.., V]`",
        ];

    one_hot_in_a_stack:
        "<V, H> input w: one_hot[V]; state h: [H]; param W: [H, H + V]; h = W @ [h[t-1], w]; output h;"
        => [
            "the one-hot input `w` can only be the right operand of `@`\n\
             note: `input w: one_hot[V]` is an index, not a vector\n\
             help: `E @ w` is a column of a matrix `E: [.., V]`",
        ];

    one_hot_on_the_left:
        "<V, H> input w: one_hot[V]; param W: [V, H]; y = w @ W; output y;"
        => [
            "the one-hot input `w` can only be the right operand of `@`\n\
             note: `input w: one_hot[V]` is an index, not a vector\n\
             help: `E @ w` is a column of a matrix `E: [.., V]`",
        ];

    one_hot_with_a_transposed_matrix:
        "<V, H> input w: one_hot[V]; param E: [V, H]; y = E @ w; output y;"
        => [
            "the columns of `E` are `H`, the rows of `w` are `V`\n\
             note: `E` is declared as `param E: [V, H]`\n\
             note: `w` is declared as `input w: one_hot[V]`\n\
             help: declare `E: [H, V]` or write `E.T @ w`",
        ];

    one_hot_with_another_size:
        "<V, H> input w: one_hot[V]; param E: [H, 10]; y = E @ w; output y;"
        => [
            "the columns of `E` are `10`, the rows of `w` are `V`\n\
             note: `E` is declared as `param E: [H, 10]`\n\
             note: `w` is declared as `input w: one_hot[V]`",
        ];

    one_hot_state:
        "<V> state s: one_hot[V]; input x: [V]; s = x; output s;"
        => [
            "only an input can be one-hot\n\
             help: a matrix is `[H, I]`, a vector `[H]`, a scalar `[]`",
        ];
}
