//! The layers of the WaveNets of Neural Amp Modeler.

use crate::rnn_cell;

rnn_cell! {
    /// The beginning of a WaveNet of Neural Amp Modeler (Atkinson; nam/models/wavenet.py): expands
    /// `I` values, which are also the condition of every layer, to `C` channels.
    ///
    /// The vectors between the layers of a WaveNet have three parts: the channels, the sum for the
    /// head, and the condition.
    pub cell NamStart<I, C> {
        /// A sample.
        input x: [I];
        /// The weights of the channels.
        param R: [C, I];

        y = R @ x;
        s = 0 * y;
        u = [y, s, x];

        output u;
    }

    /// A layer of the WaveNets of Neural Amp Modeler with `C` channels: a causal convolution of
    /// three taps, `D` steps apart, with `tanh`.
    pub cell NamLayer<I, C, D> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The convolution, the oldest tap first.
        param K: [C, C + C + C];
        /// The biases of the convolution.
        param b: [C];
        /// The weights of the condition.
        param M: [C, I];
        /// The weights of the residual.
        param R: [C, C];
        /// The biases of the residual.
        param r: [C];

        [x, s, c] = u;
        z = tanh(K @ [x[t-2*D], x[t-D], x] + M @ c + b);
        y = x + R @ z + r;
        v = [y, s + z, c];

        output v;
    }

    /// The layer [`NamLayer`] with a gate: the setting `gated` of Neural Amp Modeler.
    pub cell NamGatedLayer<I, C, D> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The convolution and that of the gate, the oldest tap first.
        param K: [C + C, C + C + C];
        /// The biases of the convolutions.
        param b: [C + C];
        /// The weights of the condition.
        param M: [C + C, I];
        /// The weights of the residual.
        param R: [C, C];
        /// The biases of the residual.
        param r: [C];

        [x, s, c] = u;
        [p, g] = K @ [x[t-2*D], x[t-D], x] + M @ c + b;
        z = tanh(p) * sigmoid(g);
        y = x + R @ z + r;
        v = [y, s + z, c];

        output v;
    }

    /// The step from one layer array of Neural Amp Modeler, of `C` channels, to another, of `O`
    /// channels.
    pub cell NamNext<I, C, O> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The weights of the head of the first array.
        param H: [O, C];
        /// The weights of the channels of the second array.
        param R: [O, C];

        [x, s, c] = u;
        v = [R @ x, H @ s, c];

        output v;
    }

    /// The end of a WaveNet of Neural Amp Modeler: returns a sample.
    pub cell NamHead<I, C> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The weights of the head.
        param H: [1, C];
        /// The bias of the head.
        param b: [1];
        /// The scale of the output.
        param a: [] = 0.02;

        [_x, s, _c] = u;
        y = a * (H @ s + b);

        output y;
    }

    /// A layer of the A2 models of Neural Amp Modeler: a causal convolution of six taps, `D` steps
    /// apart, with a leaky rectifier.
    pub cell NamLeakyLayer6<I, C, D> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The convolution, the oldest tap first.
        param K: [C, C + C + C + C + C + C];
        /// The biases of the convolution.
        param b: [C];
        /// The weights of the condition.
        param M: [C, I];
        /// The weights of the residual.
        param R: [C, C];
        /// The biases of the residual.
        param r: [C];

        [x, s, c] = u;
        p = K @ [x[t-5*D], x[t-4*D], x[t-3*D], x[t-2*D], x[t-D], x] + M @ c + b;
        z = max(p, 0.01 * p);
        y = x + R @ z + r;
        v = [y, s + z, c];

        output v;
    }

    /// The layer [`NamLeakyLayer6`] with fifteen taps.
    pub cell NamLeakyLayer15<I, C, D> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The convolution, the oldest tap first.
        param K: [C, C + C + C + C + C + C + C + C + C + C + C + C + C + C + C];
        /// The biases of the convolution.
        param b: [C];
        /// The weights of the condition.
        param M: [C, I];
        /// The weights of the residual.
        param R: [C, C];
        /// The biases of the residual.
        param r: [C];

        [x, s, c] = u;
        p = K @ [
            x[t-14*D], x[t-13*D], x[t-12*D], x[t-11*D], x[t-10*D], x[t-9*D], x[t-8*D], x[t-7*D],
            x[t-6*D], x[t-5*D], x[t-4*D], x[t-3*D], x[t-2*D], x[t-D], x
        ] + M @ c + b;
        z = max(p, 0.01 * p);
        y = x + R @ z + r;
        v = [y, s + z, c];

        output v;
    }

    /// The end of an A2 model of Neural Amp Modeler: a convolution over the last sixteen sums.
    pub cell NamHead16<I, C> {
        /// The channels, the sum for the head, the condition.
        input u: [C + C + I];
        /// The convolution, the oldest tap first.
        param H: [C, 16];
        /// The bias of the head.
        param b: [1];
        /// The scale of the output.
        param a: [] = 0.01;

        [_x, s, _c] = u;
        y = a * (sum(H * window(s, 16)) + b);

        output y;
    }
}
