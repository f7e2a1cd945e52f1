//! Tests of function calls.

use crate::analysis::resolve::tests::mistakes;

mistakes! {
    arguments_of_two_sizes:
        "<I, H> input x: [I], m: [H]; y = max(x, m); output y;"
        => [
            "`max` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `m` is declared as `input m: [H]`\n\
             help: `max` is element-wise: its arguments must have the same shape, apart from scalars",
        ];

    arguments_of_clamp:
        "<I, H> input x: [I], lo: [H]; y = clamp(x, 0, lo); output y;"
        => [
            "`clamp` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `lo` is declared as `input lo: [H]`\n\
             help: `clamp` is element-wise: its arguments must have the same shape, apart from scalars",
        ];

    sides_of_a_comparison:
        "<I, H> input x: [I], m: [H]; y = where(x > m, 1, 0); output y;"
        => [
            "`where` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `m` is declared as `input m: [H]`\n\
             help: `where` is element-wise: its arguments must have the same shape, apart from scalars",
        ];

    branches_of_where:
        "<I, H> input x: [I], m: [H]; y = where(x > 0, x, m); output y;"
        => [
            "`where` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `m` is declared as `input m: [H]`\n\
             help: `where` is element-wise: its arguments must have the same shape, apart from scalars",
        ];

    arguments_of_the_users_function:
        "<I, H> input x: [I], m: [H]; fn f(u, v) = u * v; y = f(x, m); output y;"
        => [
            "`f` can't combine `[I]` and `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `m` is declared as `input m: [H]`\n\
             help: `f` is element-wise: its arguments must have the same shape, apart from scalars",
        ];

    row_sum_of_a_vector:
        "<H> input x: [H]; y = row_sum(x); output y;"
        => [
            "`row_sum` of a vector\n\
             note: `x` is declared as `input x: [H]`\n\
             note: `row_sum` adds up the columns of a matrix `[n, s]` to a vector `[n]`\n\
             help: the sum of all entries is `sum(x)`",
        ];

    row_sum_of_a_scalar:
        "<H> input x: [H]; y = row_sum(mean(x)); output y;"
        => [
            "`row_sum` of a scalar\n\
             note: `mean(x)` is `[]`, with `input x: [H]`\n\
             note: `row_sum` adds up the columns of a matrix `[n, s]` to a vector `[n]`",
        ];

    softmax_of_a_matrix:
        "<H> input x: [H, H]; y = softmax(x); output y;"
        => [
            "`softmax` of a matrix `[H, H]`\n\
             note: `x` is declared as `input x: [H, H]`\n\
             help: `softmax` is over the entries of a vector `[s]` or a row `[1, s]`",
        ];

    softmax_of_a_scalar:
        "<H> input x: [H]; y = softmax(sum(x)); output y;"
        => [
            "`softmax` of a scalar is always 1\n\
             note: `sum(x)` is `[]`, with `input x: [H]`\n\
             help: `softmax` is over the entries of a vector `[s]` or a row `[1, s]`",
        ];

    softmax_mask_of_another_size:
        "<S, H> input e: [S], m: [H]; y = softmax(e, m); output y;"
        => [
            "the mask of `softmax` is `[H]`, the scores `[S]`\n\
             note: `e` is declared as `input e: [S]`\n\
             note: `m` is declared as `input m: [H]`\n\
             help: the mask must have one entry per score",
        ];

    softmax_mask_of_another_size_for_a_row:
        "<S, H> input v: [H]; context M: [H, S], mask: [H]; y = softmax(v.T @ M, mask); output y;"
        => [
            "the mask of `softmax` is `[H]`, the scores `[1, S]`\n\
             note: `v.T @ M` is `[1, S]`, with `input v: [H]`, `context M: [H, S]`\n\
             note: `mask` is declared as `context mask: [H]`\n\
             help: the mask must have one entry per score",
        ];

    softmax_mask_of_a_scalar:
        "<S> input e: [S]; y = softmax(e, 1); output y;"
        => [
            "the mask of `softmax` is `[]`, the scores `[S]`\n\
             note: `e` is declared as `input e: [S]`\n\
             note: `1` is `[]`\n\
             help: the mask must have one entry per score",
        ];

    layer_norm_gain:
        "<I, H> input x: [I]; param g: [H], b: [I]; y = layer_norm(x, g, b); output y;"
        => [
            "`layer_norm` of `[I]` can't take `[H]`\n\
             note: `x` is declared as `input x: [I]`\n\
             note: `g` is declared as `param g: [H]`\n\
             help: gain and bias must have the shape of the normalised value, or be scalars",
        ];

    layer_norm_enlarged:
        "<H, S> input x: [H]; param g: [H, S]; y = rms_norm(x, g); output y;"
        => [
            "`rms_norm` of `[H]` can't take `[H, S]`\n\
             note: `x` is declared as `input x: [H]`\n\
             note: `g` is declared as `param g: [H, S]`\n\
             help: gain and bias must have the shape of the normalised value, or be scalars",
        ];

    layer_norm_of_a_scalar:
        "<H> input x: [H]; y = rms_norm(sum(x), 1); output y;"
        => [
            "`rms_norm` of a scalar\n\
             note: `sum(x)` is `[]`, with `input x: [H]`\n\
             help: `rms_norm` normalises over the entries of a vector",
        ];
}
