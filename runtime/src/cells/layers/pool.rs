//! Pooling over time: one value for all steps of a sequence so far.
//!
//! A layer maps a sequence to a sequence, but the pooled value is a single one. A pool therefore
//! returns at every step the value of the steps so far. This makes it a cell like any other: it
//! goes into a stack, streams with a constant state, and handles samples of different lengths. At a
//! sample's last step its output is the pooled value of the whole sample, which is what
//! [`last_step`](crate::train::loss::last_step) reads.
//!
//! The alternative, a function from all outputs to one value with a backward of its own, would save
//! the layers above from computing the other steps. It would end the chain of layers, could not
//! stream, and would need its own check. The state of a pool serves instead: after a pass it holds
//! the pooled value of each sample, and its cotangent is the cotangent of that value.

use crate::rnn_cell;

rnn_cell! {
    /// The mean of the inputs so far, `m_t = (x_1 + .. + x_t) / t`, by the recurrence of Welford
    /// (1962, "Note on a Method for Calculating Corrected Sums of Squares and Products", equation
    /// I). The last output of a sample is its mean over time.
    pub cell MeanPool<N> {
        /// The input of a step.
        input x: [N];
        /// The number of steps. In `f32` it stops at 2^24; beyond that, recent inputs weigh more.
        state n: [];
        /// The mean.
        state m: [N];

        n = n[t-1] + 1;
        m = m[t-1] + (x - m[t-1]) / n;

        output m;
    }

    /// The largest input so far, entry by entry: `m_t = max(x_1, .., x_t)`. The first of equal
    /// values receives the cotangent. After a NaN the maximum is NaN. The last output of a sample
    /// is its maximum over time.
    pub cell MaxPool<N> {
        /// The input of a step.
        input x: [N];
        /// The maximum. It starts below every input that occurs.
        state m: [N] = -1e30;

        m = where(x != x, x, where(x > m[t-1], x, m[t-1]));

        output m;
    }

    /// The mean of the inputs so far, weighted by attention (Yang et al. 2016, "Hierarchical
    /// Attention Networks for Document Classification", equations 5 to 7). The score of an input is
    /// its similarity to a learned query, `e = q · tanh(W x + b)`. The weights are the softmax of
    /// the scores over time. The last output of a sample is its weighted mean over time. `N` is the
    /// size of an input, `A` that of the query.
    ///
    /// The softmax is computed step by step, as by Milakov & Gimelshein (2018, "Online Normalizer
    /// Calculation for Softmax", algorithm 3): `l` is the logarithm of the sum of `exp(e)` so far,
    /// so the share of a new step is `exp(e) / (exp(l) + exp(e)) = sigmoid(e - l)`. Scores of any
    /// size are stable.
    pub cell AttentionPool<N, A> {
        /// The input of a step.
        input x: [N];
        /// `ln` of the sum of `exp(e)`. It starts below every score that occurs.
        state l: [] = -1e30;
        /// The weighted mean.
        state m: [N];
        /// Weights of the hidden layer (`W_w` in the paper).
        param W: [A, N] = xavier_uniform;
        /// Bias of the hidden layer (`b_w`).
        param b: [A];
        /// The query (`u_w`).
        param q: [A] = uniform(0.1);

        e = q.T @ tanh(W @ x + b);
        m = m[t-1] + sigmoid(e - l[t-1]) * (x - m[t-1]);
        l = max(l[t-1], e) + softplus(-abs(e - l[t-1]));

        output m;
    }
}
