//! The recurrent unit of Griffin: S. De et al., "Griffin: Mixing Gated Linear Recurrences with
//! Local Attention for Efficient Language Models", 2024.

use crate::rnn_cell;
use nalgebra::ComplexField;

/// Returns the initial decay of channel `n` (De et al. 2024, section 2.4): `a^8` is spread evenly
/// over 0.9 to 0.999, and the softplus of the result is `-ln a`. The paper draws it at random;
/// these are multiples of the golden ratio modulo 1.
fn log_decay(n: usize, _: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let share = (n + 1) as f64 * GOLDEN % 1.0;
    let decay = -ComplexField::ln(0.9 + 0.099 * share) / 8.0;
    ComplexField::ln(ComplexField::exp_m1(decay))
}

rnn_cell! {
    /// The real-gated linear recurrent unit (De et al. 2024, "Griffin: Mixing Gated Linear
    /// Recurrences with Local Attention for Efficient Language Models", equations 1 to 4 and 6):
    /// `D` channels. The gates read only the input, so that a step of the recurrence is
    /// element-wise. The paper's block has a convolution before it and a gated branch beside it.
    ///
    /// The decay is `a = exp(-8 softplus(Λ) r)`, as in equation 6 and in the authors' code. The
    /// square root never reaches zero, where its derivative is infinite.
    pub cell RgLru<D> {
        /// The input of a step.
        input x: [D];
        /// The hidden state.
        state h: [D];
        /// Weights of the recurrence gate and the input gate.
        param W_a, W_x: [D, D] = lecun_normal;
        /// Biases of the gates.
        param b_a, b_x: [D];
        /// The channels' decay, `Λ`, before the softplus.
        param decay: [D] = from_fn(log_decay);

        r = sigmoid(W_a @ x + b_a);
        i = sigmoid(W_x @ x + b_x);
        log_a = -8 * softplus(decay) * r;
        h = exp(log_a) * h[t-1] + sqrt(max(1 - exp(2 * log_a), 1e-12)) * (i * x);

        output h;
    }
}
