//! Every function and operator within a recurrence, where its cotangent is a sum over several
//! steps.

use rnn_cell::prelude::*;

/// Defines tests of cells whose state passes through `$value`, an expression of
///
/// - the vectors `u` and `v`,
/// - the state `h[t-1]`,
/// - the matrix `M` (`[N, S]`, depends on the state),
/// - the parameters `k` (a column) and `row` (a row).
///
/// The value `spread` uses all of them, so that each has a gradient in every test.
macro_rules! operators {
    (verify $cell:ident, [$($batch:literal),*]) => { $(crate::verify::<$batch, _>(&mut $cell);)* };
    ($batches:tt $($test:ident = $shape:tt { $($value:tt)* };)*) => { $(
        mod $test {
            use super::*;

            rnn_cell! {
                pub cell Probe<N, S> {
                    input  x: [N], X: [N, S];
                    state  h: [N];
                    param  w, k, gain, shift: [N] = uniform(0.5, 1.5);
                    param  row: [1, S] = uniform(0.5, 1.5);
                    param  s: [] = 0.7;
                    param  U: [N, N];
                    param  Q: [S, N];

                    u = w * x + U @ h[t-1];
                    v = tanh(k - x * h[t-1]);
                    M = X + h[t-1] * row;
                    value: $shape = $($value)*;
                    spread = mean(value) + sum(gain * shift) * s + sum(Q @ v + row.T) + sum(M) + sum(u);
                    h = tanh(0.5 * h[t-1] + spread * w);

                    output h, value;
                }
            }

            #[test]
            fn gradients_and_properties() {
                let mut cell = Probe::<3, 2, f64>::init(&mut tests::exactness::rng(11));
                operators!(verify cell, $batches);
            }
        }
    )* };
}

// Several functions share a cell, with different factors, because each cell takes a second to
// compile.
operators! { [3]
    activations = [N] { sigmoid(u) + 2 * tanh(u) + 3 * relu(u) - 2 * leaky_relu(u) + elu(u) };
    smooth_activations = [N] { softplus(u) + 2 * silu(u) + 3 * gelu(u) };
    hard_activations = [N] { hard_sigmoid(5 * u) + 2 * hard_tanh(u) };
    exponentials = [N] { exp(u) + 2 * ln(1.5 + v) + 3 * sqrt(1.5 + v) + recip(1.5 + v) };
    powers = [N] { pow(1.5 + v, u) + 2 * pow(1.5 + v, 2.5) + 3 * pow(u, 3) + square(u) };
    waves = [N] { sin(3 * u) + 2 * cos(3 * u) };
    steps = [N] { u * floor(3 * u + 0.1) + 2 * u * sign(u) + 3 * abs(u) };
    extremes = [N] { min(u, v) + 2 * max(u, v) + 3 * max(u, 0.1) };
    clamps = [N] { clamp(u, -0.4, 0.6) + 2 * clamp(2 * u, -1 - square(v), 1 + k) };
    where_ = [N] { where(u >= v, u * v, u - v) };
    where_of_scalars = [N] { where(s < 0.5, u, v) + where(sum(u) > 0.05, u, s) };
    where_of_several_conditions = [N] {
        where(u >= v and x < 0.3, u * v, u - v) + 2 * where(u >= v or x < 0.3 and k > 1, u * v, u - v)
    };
    where_not = [N] { where(not (u >= v or x < 0.3), u * v, u - v) + where(not u > v, s, u) };
    where_broadcasts_a_condition = [N, S] { where(M > 0.1, u, row) + where(u > 0.1 and row > 1, s, M) };
    where_broadcasts_values = [N, S] { where(u > v, M, row) * where(s > 0.5 and row > 1, u, s) };
    stop_gradient_of_constants = [N] { u * stop_gradient(2 + 0.5) };
    sums_and_products = [N] { u + v + 1 - 2 * (u - v - s) + 3 * (u * v * s) - u * -v };
    quotients = [N] { u / (1.5 + v) / 2 + 2 * (s / (1.5 + v)) };
    used_twice = [N] { u * u + (u - u * v) * u };
    sum_ = [] { sum(square(u)) * sum(M) };
    mean_ = [] { mean(square(M)) };
    row_sum_ = [N] { row_sum(square(M)) };
    blocks_ = [N] { row_sum(blocks(u, N) * (k - v @ v.T)) };
    softmax_of_vector = [N] { softmax(2 * u) };
    softmax_of_row = [1, S] { softmax(u.T @ M) };
    softmax_with_mask = [N] { softmax(2 * u, where(x > 0.1, 1, 0)) };
    softmax_with_everything_masked = [N] { u + softmax(u, 0 * sign(k) + 0) };
    layer_norm_of_vector = [N] { layer_norm(3 * u, gain, shift) };
    layer_norm_of_matrix = [N, S] { layer_norm(3 * M, gain, shift) };
    rms_norm_of_vector = [N] { rms_norm(3 * u, gain) };
}

// The matrix kernels have their own code for a single sample.
operators! { [1, 3]
    softmax_of_row_with_vector_mask = [1, S] { softmax(u.T @ M, where(row.T > 1, 1, 0)) };
    softmax_of_vector_with_row_mask = [N] { softmax(2 * u, where(x.T > 0.1, 1, 0)) };
    matrix_times_vector = [S] { M.T @ u };
    row_times_matrix = [1, S] { u.T @ M };
    outer_product = [N, N] { u @ v.T };
    inner_product = [] { u.T @ v };
    matrix_times_matrix = [N, N] { M @ M.T };
    chain_of_products = [N] { M @ M.T @ U @ v };
    transposes = [N, S] { (M.T * 2).T + (row.T @ k.T).T };
    scalar_between = [N] { s * U @ u + 2 * M @ (Q @ u) / 3 };
    column_over_columns = [N, S] { M * u + k };
    row_over_rows = [N, S] { M * row - row / 2 };
    column_and_row = [N, S] { u * row + k };
    scalar_over_matrix = [N, S] { s * M + s / (2 + square(M)) };
    stack_of_vectors = [N + S + 1] { [u, Q @ v, mean(u)] };
    stack_with_parameter = [N + 2 + S + N] { [u, s, tanh(s), Q @ v, k] };
    stack_of_matrices = [2*N, S] { [M, tanh(M)] };
    stack_with_repeated_vector = [N + N + 1, S] { [u, M, s] };
    product_with_stack = [N] { U @ u * tanh(sum([u, v, 1] * [v, u, s])) };
    literals = [N] { (1/2 + 3e-1) * u + (N - S) * v + sqrt(N) };
}

mod split {
    use super::*;

    rnn_cell! {
        pub cell Split<I, H> {
            input  x: [I];
            state  h, c: [H];
            param  W: [4*H, H + I];
            param  V: [2*H + I, I];
            param  L: [3, H];

            [i, f, g, o] = W @ [h[t-1], x];
            [p, q, r] = V @ x;
            [alpha, beta, gamma] = tanh(L @ c[t-1]);
            c = sigmoid(f) * c[t-1] + sigmoid(i) * tanh(g) + alpha * p;
            h = sigmoid(o) * tanh(c + beta * q) + gamma * sum(r);

            output h;
        }

        /// One name for each term, and one for each row of a literal term.
        pub cell SplitTerms<I> {
            input  x: [I];
            state  h: [];
            param  V: [I + 2, I];

            [a, b, c] = tanh(V @ x);
            h = b * h[t-1] + c * sum(a);

            output h;
        }

        pub cell SplitMatrix<E, S> {
            input  x: [E];
            state  P: [2*E, S];
            param  U: [E, E];
            param  row: [1, S] = uniform(1);

            [upper, lower] = P[t-1];
            mixed = U @ upper * 0.3 + x * row;
            P = [tanh(lower + mixed), tanh(mixed * upper)];

            output P;
        }
    }

    #[test]
    fn vectors_and_scalars() {
        let mut cell = Split::<2, 3, f64>::init(&mut tests::exactness::rng(3));
        crate::verify::<1, _>(&mut cell);
        crate::verify::<4, _>(&mut cell);
    }

    #[test]
    fn matrices() {
        let mut cell = SplitMatrix::<2, 3, f64>::init(&mut tests::exactness::rng(3));
        crate::verify::<1, _>(&mut cell);
        crate::verify::<4, _>(&mut cell);
    }

    #[test]
    fn a_sum_with_a_literal() {
        let mut cell = SplitTerms::<2, f64>::init(&mut tests::exactness::rng(3));
        crate::verify::<1, _>(&mut cell);
        crate::verify::<4, _>(&mut cell);
    }
}

mod user_functions {
    use super::*;

    rnn_cell! {
        pub cell Functions<H> {
            input x: [H];
            state h: [H];
            param w: [H] = 0.5;

            fn mix(a, u, v) = a * u + (1 - a) * v;
            fn bent(u) = u * sigmoid(gain(u));
            fn gain(u) = 1.7 * u + square(u) / 9;

            h = mix(sigmoid(w), bent(x + h[t-1]), mix(0.25, h[t-1], tanh(x)));

            output h;
        }
    }

    #[test]
    fn have_derivatives() {
        let mut cell = Functions::<3, f64>::init(&mut tests::exactness::rng(3));
        crate::verify::<1, _>(&mut cell);
        crate::verify::<4, _>(&mut cell);
    }
}
