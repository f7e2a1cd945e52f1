//! Reservoirs: recurrent networks whose recurrent weights are random and fixed.

use crate::rnn_cell;

rnn_cell! {
    /// The echo state network with leaky units (Jaeger 2001, "The 'echo state' approach to
    /// analysing and training recurrent neural networks"; Lukoševičius 2012, "A Practical Guide to
    /// Applying Echo State Networks", equations 2 to 4): `I` inputs, a reservoir of `H` units, `O`
    /// outputs. Only the readout is learned.
    ///
    /// The spectral radius of the reservoir starts near 0.9 (by the circular law, exactly for large
    /// `H`). [`init::scale_to_spectral_radius`](crate::init::scale_to_spectral_radius) sets it:
    /// `scale_to_spectral_radius(&mut cell.W, 1.1)`.
    pub cell EchoState<I, H, O> {
        /// The input of a step.
        input u: [I];
        /// The activations of the reservoir.
        state x: [H];
        /// Weights of the input.
        buffer W_in: [H, I] = uniform(1);
        /// Weights of the reservoir.
        buffer W: [H, H] = normal(0.9 / sqrt(H));
        /// Biases of the reservoir.
        buffer bias: [H] = uniform(1);
        /// The leaking rate: the share of the new activation.
        buffer leak: [] = 0.3;
        /// Weights of the readout: the input and the reservoir.
        param W_out: [O, I + H] = xavier_uniform;
        /// Bias of the readout.
        param b_out: [O];

        x_new = tanh(W_in @ u + W @ x[t-1] + bias);
        x = (1 - leak) * x[t-1] + leak * x_new;
        y = W_out @ [u, x] + b_out;

        output y;
    }
}
