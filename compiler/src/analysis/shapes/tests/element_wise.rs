//! Tests of element-wise operators.

use crate::analysis::resolve::tests::mistakes;

mistakes! {
    sum_of_two_sizes:
        "<I, H> input x: [I]; param b: [H]; y = x + b; output y;"
        => [
            "`+` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `b` is declared as `param b: [H]`",
        ];

    sum_of_a_matrix_and_a_row:
        "<S, H> input v: [S]; context M: [H, S]; y = M + v; output y;"
        => [
            "`+` can't combine `[H, S]` and `[S]`\n\
             note: `M` is declared as `context M: [H, S]`\n\
             note: `v` is declared as `input v: [S]`\n\
             help: a vector is a column, repeated in every column; to repeat it in every row, write \
             `v.T`",
        ];

    sum_of_transposes:
        "<S, H> context M: [H, S]; param A: [S, H]; y = M - A; output y;"
        => [
            "`-` can't combine `[H, S]` and `[S, H]`\n\
             note: `M` is declared as `context M: [H, S]`\n\
             note: `A` is declared as `param A: [S, H]`\n\
             help: one is the transpose of the other: `M - A.T`",
        ];

    sum_of_swapped_sums:
        "<I, H> input x: [I], y: [H]; z = [x, y] + [y, x]; output z;"
        => [
            "`+` can't combine `[I + H]` and `[H + I]`\n\
             note: `[x, y]` is `[I + H]`, with `input x: [I]`, `input y: [H]`\n\
             note: `[y, x]` is `[H + I]`, with `input y: [H]`, `input x: [I]`\n\
             help: the terms of a sum are ordered like its blocks: write both in the same order",
        ];

    quotient_of_two_sizes:
        "<I, H> input x: [I], m: [H]; y = x / m; output y;"
        => [
            "`/` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `m` is declared as `input m: [H]`",
        ];

    literal_sizes_that_differ:
        "<> input x: [3], m: [4]; y = x + m; output y;"
        => [
            "`+` can't combine `[3]` and `[4]`\n\
             note: `x` is declared as `input x: [3]`\n\
             note: `m` is declared as `input m: [4]`",
        ];
}
