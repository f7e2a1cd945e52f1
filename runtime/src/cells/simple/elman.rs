//! Simple recurrent networks.

use crate::rnn_cell;

rnn_cell! {
    /// The simple recurrent network of Elman 1990, "Finding structure in time", in its common form
    /// with tanh: `I` inputs, `H` units.
    pub cell Elman<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights.
        param W: [H, I] = xavier_uniform;
        /// Recurrent weights.
        param U: [H, H] = orthogonal;
        /// Bias.
        param b: [H];

        h = tanh(W @ x + U @ h[t-1] + b);

        output h;
    }

    /// The network of Jordan 1986, "Serial Order: A Parallel Distributed Processing Approach": `I`
    /// inputs, `H` hidden units, `O` outputs. It feeds back the output instead of the hidden layer.
    pub cell Jordan<I, H, O> {
        /// The input of a step.
        input x: [I];
        /// The output, fed back.
        state y: [O];
        /// Input weights.
        param W_xh: [H, I] = xavier_uniform;
        /// Weights of the previous output.
        param W_yh: [H, O] = xavier_uniform;
        /// Weights of the output layer.
        param W_hy: [O, H] = xavier_uniform;
        /// Bias of the hidden layer.
        param b_h: [H];
        /// Bias of the output layer.
        param b_y: [O];

        h = tanh(W_xh @ x + W_yh @ y[t-1] + b_h);
        y = tanh(W_hy @ h + b_y);

        output y, h;
    }

    /// The independently recurrent network (Li et al. 2018, "Independently Recurrent Neural Network
    /// (IndRNN): Building a Longer and Deeper RNN", equation 2): `I` inputs, `H` units. A unit
    /// reads its own previous value and no other unit's.
    pub cell IndRnn<I, H> {
        /// The input of a step.
        input x: [I];
        /// The hidden state.
        state h: [H];
        /// Input weights.
        param W: [H, I] = xavier_uniform;
        /// Recurrent weights, one per unit. Li et al., section 3, keep them at or below 1 in
        /// magnitude for long sequences.
        param u: [H] = uniform(0, 1);
        /// Bias.
        param b: [H];

        h = relu(W @ x + u * h[t-1] + b);

        output h;
    }
}
