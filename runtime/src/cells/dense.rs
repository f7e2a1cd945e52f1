//! A layer without memory.

use crate::rnn_cell;

rnn_cell! {
    /// A dense layer, `y = W x + b`: a cell without state, the readout of a network.
    pub cell Dense<I, O> {
        /// What one step reads.
        input x: [I];
        /// Weights.
        param W: [O, I] = xavier_uniform;
        /// Bias.
        param b: [O];

        y = W @ x + b;

        output y;
    }
}
