//! Tests of stacks and splits.

use crate::analysis::resolve::tests::mistakes;

mistakes! {
    stack_of_two_widths:
        "<H, S, R> context M: [H, S], N: [H, R]; y = [M, N]; output y;"
        => [
            "a stack of `[H, S]` and `[H, R]`: their columns differ\n\
             note: `M` is declared as `context M: [H, S]`\n\
             note: `N` is declared as `context N: [H, R]`\n\
             help: the blocks of a stack must have the same columns",
        ];

    stack_of_a_transposed_matrix:
        "<H, S, R> context M: [H, S], N: [S, R]; y = [M, N]; output y;"
        => [
            "a stack of `[H, S]` and `[S, R]`: their columns differ\n\
             note: `M` is declared as `context M: [H, S]`\n\
             note: `N` is declared as `context N: [S, R]`\n\
             help: stack its transpose: `N.T`",
        ];

    split_with_too_few_names:
        "<H> input x: [4*H]; [f, i, g] = x; y = f + i + g; output y;"
        => [
            "3 names for the 4 terms of `4*H`\n\
             note: `x` is declared as `input x: [4*H]`\n\
             help: write one name per term",
        ];

    split_with_too_many_names:
        "<H, I> input x: [H + I]; [f, i, g] = x; output f, i, g;"
        => [
            "3 names for the 2 terms of `H + I`\n\
             note: `x` is declared as `input x: [H + I]`\n\
             help: write one name per term",
        ];

    split_of_one_dimension:
        "<H> input x: [H]; [f, g] = x; output f, g;"
        => [
            "`H` is not a sum and can't be split among 2 names\n\
             note: `x` is declared as `input x: [H]`\n\
             help: the sizes of the parts are unknown: make the rows a sum, such as `H + H` or \
             `2*H`",
        ];

    split_of_a_literal:
        "<> input x: [3]; [f, g] = x; output f, g;"
        => [
            "2 names for 3 rows\n\
             note: `x` is declared as `input x: [3]`\n\
             help: write one name per row; each is a scalar",
        ];

    split_of_a_scalar:
        "<H> input x: [H]; [f, g] = sum(x); output f, g;"
        => [
            "one row can't be split among 2 names\n\
             note: `sum(x)` is `[]`, with `input x: [H]`\n\
             help: write one name per row; each is a scalar",
        ];
}
