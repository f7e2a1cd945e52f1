//! Normalisation of each step by itself.

use crate::rnn_cell;

rnn_cell! {
    /// Layer normalisation of `N` values (Ba, Kiros & Hinton 2016, "Layer Normalization", equation
    /// 4 without the recurrence): subtracts the mean of the values, divides by their standard
    /// deviation (biased variance, ε = 1e-5), and applies a gain and a bias.
    pub cell LayerNorm<N> {
        /// The input of a step.
        input x: [N];
        /// Gain.
        param g: [N] = 1;
        /// Bias.
        param b: [N];

        y = layer_norm(x, g, b);

        output y;
    }

    /// Root-mean-square normalisation of `N` values (Zhang & Sennrich 2019, "Root Mean Square Layer
    /// Normalization", equation 4): divides by the root mean square of the values (ε = 1e-5) and
    /// applies a gain.
    pub cell RmsNorm<N> {
        /// The input of a step.
        input x: [N];
        /// Gain.
        param g: [N] = 1;

        y = rms_norm(x, g);

        output y;
    }
}
