//! Cells for sequences whose steps are not equally long.

use crate::rnn_cell;

rnn_cell! {
    /// The closed-form continuous-time network (Hasani et al. 2022, "Closed-form Continuous-time
    /// Neural Networks", the gated solution with a shared backbone): `I` inputs, `H` units, a
    /// backbone of `U` units.
    ///
    /// A step also reads the time since the previous one. A gate between two candidates depends on
    /// it, so the network runs on irregularly sampled sequences without solving a differential
    /// equation. As in the authors' code (`ncps`), the backbone's activation function is LeCun's
    /// tanh, and the gate's argument also has an offset, which does not depend on time.
    pub cell Cfc<I, H, U> {
        /// The input of a step, and the time since the previous step.
        input x: [I], elapsed: [];
        /// The hidden state.
        state h: [H];
        /// Weights of the backbone: input.
        param W_x: [U, I] = xavier_uniform;
        /// Weights of the backbone: previous state.
        param W_h: [U, H] = xavier_uniform;
        /// Bias of the backbone.
        param b: [U];
        /// Weights of the two candidates, for short and for long times: `g` and `h` in the paper.
        param W_short, W_long: [H, U] = xavier_uniform;
        /// Biases of the candidates.
        param b_short, b_long: [H];
        /// Weights of the gate's rate, `f` in the paper, which time multiplies, and of its offset.
        param W_rate, W_offset: [H, U] = xavier_uniform;
        /// Biases of the gate's rate and offset.
        param b_rate, b_offset: [H];

        fn lecun_tanh(u) = 1.7159 * tanh(0.666 * u);

        z = lecun_tanh(W_x @ x + W_h @ h[t-1] + b);
        short = tanh(W_short @ z + b_short);
        long = tanh(W_long @ z + b_long);
        gate = sigmoid((W_rate @ z + b_rate) * elapsed + W_offset @ z + b_offset);
        h = (1 - gate) * short + gate * long;

        output h;
    }
}
