//! The documentation of the language's functions, which editors show where an equation calls one.
//! There is no code here. A test of the compiler writes the trait's items from the table of
//! functions (`GUIDE=overwrite cargo test -p rnn-cell-compiler guide`).

/// The arguments and results of the functions. `u` has any shape unless the function says
/// otherwise.
///
/// Nothing implements this trait: the compiler of `rnn_cell!` has its own table of functions.
pub trait Function: Sized {
    /// Computes the logistic function, `1 / (1 + exp(-u))`. With `y` as its value, the derivative
    /// is `y * (1 - y)`. Also written `σ`.
    fn sigmoid(u: Self) -> Self;
    /// Computes the hyperbolic tangent. With `y` as its value, the derivative is `1 - y * y`.
    fn tanh(u: Self) -> Self;
    /// Computes `ln(1 + exp(u))`. The derivative is `sigmoid(u)`.
    fn softplus(u: Self) -> Self;
    /// Computes the exponential, which is its own derivative.
    fn exp(u: Self) -> Self;
    /// Computes the natural logarithm. The derivative is `1 / u`.
    fn ln(u: Self) -> Self;
    /// Computes the square root. With `y` as its value, the derivative is `1 / (2 * y)`.
    fn sqrt(u: Self) -> Self;
    /// Computes the absolute value. The derivative is `sign(u)`, which is 0 at 0.
    fn abs(u: Self) -> Self;
    /// Computes `1 / u`. With `y` as its value, the derivative is `-y * y`.
    fn recip(u: Self) -> Self;
    /// Computes the sine. The derivative is `cos(u)`.
    fn sin(u: Self) -> Self;
    /// Computes the cosine. The derivative is `-sin(u)`.
    fn cos(u: Self) -> Self;
    /// Returns the greatest integer not above `u`. The derivative is 0.
    fn floor(u: Self) -> Self;
    /// Returns the sign: -1, 0 or 1. The derivative is 0.
    fn sign(u: Self) -> Self;
    /// Returns `u` where it is positive, 0 elsewhere. The derivative at 0 is 0.
    fn relu(u: Self) -> Self;
    /// Returns `u` where it is positive, `0.01 * u` elsewhere. The derivative at 0 is 0.01.
    fn leaky_relu(u: Self) -> Self;
    /// Returns `u` where it is positive, `exp(u) - 1` elsewhere (α = 1). The derivative at 0 is 1.
    fn elu(u: Self) -> Self;
    /// Computes `u * sigmoid(u)`, also called swish.
    fn silu(u: Self) -> Self;
    /// Computes `u * Φ(u)`, exactly, with `Φ` the distribution function of the standard normal
    /// distribution.
    fn gelu(u: Self) -> Self;
    /// Computes `u / 6 + 1 / 2`, limited to the range from 0 to 1. The derivative at the bounds,
    /// `u = ±3`, is 1/6.
    fn hard_sigmoid(u: Self) -> Self;
    /// Limits `u` to the range from -1 to 1. The derivative at the bounds is 1.
    fn hard_tanh(u: Self) -> Self;
    /// Computes `u * u`. The derivative is `2 * u`.
    fn square(u: Self) -> Self;
    /// Computes `u` to the power of `p`, entry by entry. The derivative with respect to `u` is
    /// `p * pow(u, p - 1)`, the one with respect to `p` is `pow(u, p) * ln(u)`, or 0 where `u`
    /// isn't positive.
    fn pow(u: Self, p: Self) -> Self;
    /// Returns the smaller of the two, entry by entry. Where they are equal, each gets half of the
    /// cotangent.
    fn min(u: Self, v: Self) -> Self;
    /// Returns the greater of the two, entry by entry. Where they are equal, each gets half of the
    /// cotangent.
    fn max(u: Self, v: Self) -> Self;
    /// Limits `u` to the range from `low` to `high`. The derivative with respect to `u` is 1 at the
    /// bounds and 0 beyond them.
    fn clamp(u: Self, low: Self, high: Self) -> Self;
    /// Returns `u`, without passing a cotangent back to it.
    fn stop_gradient(u: Self) -> Self;
    /// Returns `u` where the condition holds, `v` elsewhere, entry by entry. A condition is a
    /// comparison (`<`, `<=`, `>`, `>=`, `==`, `!=`), or several with `and`, `or` and `not`: `not`
    /// binds most tightly, then `and`, then `or`. Conditions are allowed nowhere else. The compared
    /// values, `u` and `v` broadcast like the operands of `+`. The compared values get no
    /// cotangent.
    fn r#where(condition: bool, u: Self, v: Self) -> Self;
    /// Computes the sum of all entries, a scalar.
    fn sum(u: Self) -> Self;
    /// Computes the mean of all entries, a scalar.
    fn mean(u: Self) -> Self;
    /// Computes the sum over the columns: maps `[n, s]` to a vector `[n]`.
    fn row_sum(u: Self) -> Self;
    /// Computes positive entries with sum 1: `exp(e)` divided by its sum. `e` is a vector `[s]` or
    /// a row `[1, s]`, and `mask` has an entry for each of its entries, as a vector or a row. The
    /// result is exactly zero where `mask` is zero, and everywhere if all of `mask` is zero. No
    /// cotangent passes to the mask.
    fn softmax(e: Self, mask: Option<Self>) -> Self;
    /// Computes `gain * (u - mean(u)) / sqrt(variance + 1e-5) + bias`, over all entries. The
    /// variance is biased: the mean of the squared deviations.
    fn layer_norm(u: Self, gain: Self, bias: Self) -> Self;
    /// Computes `gain * u / sqrt(mean(square(u)) + 1e-5)`, over all entries.
    fn rms_norm(u: Self, gain: Self) -> Self;
    /// Returns the columns of a matrix `[n, s]`, one below the other: the vector `[s*n]`. `n` and
    /// `s` must be dimensions of the cell, not numbers. A vector is returned as it is, and a row
    /// transposed. `W @ vec(window(x, S))`, with `W: [O, S*I]`, is a convolution over the last `S`
    /// steps.
    fn vec(u: Self) -> Self;
    /// Divides a vector into blocks of `n` entries. Returns the matrix `[rows, n]` whose row `i` is
    /// a copy of the block that contains the entry `i`. `row_sum(W * blocks(u, n))`, with
    /// `W: [rows, n]`, is the product of a block-diagonal matrix with `u`.
    fn blocks(u: Self, n: Self) -> Self;
    /// Repeats each head of a stack, so that there are `k` heads: maps `[G*D]` to `[k*D]`, and
    /// `[G]` to `[k]`. Each `k / G` consecutive heads are equal.
    fn repeat_heads(u: Self, k: Self) -> Self;
    /// Adds up consecutive heads of a stack, so that there are `g` sums: maps `[K*D]` to `[g*D]`,
    /// and `[K]` to `[g]`. Each sum has `K / g` terms.
    fn sum_heads(u: Self, g: Self) -> Self;
    /// Returns the last `n` values of a vector as a matrix `[rows, n]`, oldest first, the present
    /// one last; zero before the start. `spacing` is the distance of the values in steps.
    fn window(u: Self, n: Self, spacing: Option<Self>) -> Self;
    /// Returns the row `[1, n]` that is 1 where `window` has a value and 0 before the start of the
    /// sequence: a mask.
    fn present(n: Self, spacing: Option<Self>) -> Self;
}
