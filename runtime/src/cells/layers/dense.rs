//! Dense layers.

use crate::rnn_cell;

rnn_cell! {
    /// A dense layer (linear, fully connected), `y = W x + b`, from `I` inputs to `O` outputs. It
    /// has no state: applied to every step alike, it is the time-distributed readout of a network.
    #[doc(alias = "Linear")]
    #[doc(alias = "TimeDistributed")]
    pub cell Dense<I, O> {
        /// The input of a step.
        input x: [I];
        /// Weights.
        param W: [O, I] = xavier_uniform;
        /// Bias.
        param b: [O];

        y = W @ x + b;

        output y;
    }
}
