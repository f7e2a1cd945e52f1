//! The layers of temporal convolutional networks and of WaveNet.

use crate::rnn_cell;

rnn_cell! {
    /// The residual block of a temporal convolutional network (Bai, Kolter & Koltun 2018, "An
    /// Empirical Evaluation of Generic Convolutional and Recurrent Networks for Sequence Modeling",
    /// section 3 and figure 1) with filters of width `W`: `I` inputs, `O` channels, dilation `D`.
    ///
    /// The paper's weight normalisation only reparametrises the filters. Its dropout is
    /// [`Dropout`](crate::network::Dropout) on the block.
    pub cell TcnBlock<I, O, W, D> {
        /// The input of a step.
        input x: [I];
        /// The first filter, the oldest tap first.
        param K_1: [O, W*I] = kaiming_normal;
        /// The second filter.
        param K_2: [O, W*O] = kaiming_normal;
        /// The weights of the residual, a convolution of width one.
        param S: [O, I] = xavier_uniform;
        /// The biases.
        param b_1, b_2, b_s: [O];

        h = relu(K_1 @ vec(window(x, W, D)) + b_1);
        g = relu(K_2 @ vec(window(h, W, D)) + b_2);
        y = relu(S @ x + b_s + g);

        output y;
    }

    /// A layer of WaveNet (van den Oord et al. 2016, "WaveNet: A Generative Model for Raw Audio",
    /// equation 2 and figure 4) with filters of width `W` and dilation `D`: `R` residual channels,
    /// which are also those of the filters, and `S` skip channels.
    ///
    /// The skip connections are summed on the way: layers with other dilations follow each other in
    /// a [`Stack`](crate::network::Stack). Before the first one the sum is zero.
    pub cell WaveNetLayer<R, S, W, D> {
        /// The residual channels and the sum of the skip connections so far.
        input u: [R + S];
        /// The filter and its gate, the oldest tap first.
        param W_f, W_g: [R, W*R];
        /// The weights of the residual and of the skip connection.
        param W_r: [R, R], W_s: [S, R];
        /// The biases.
        param b_f, b_g, b_r: [R], b_s: [S];

        [x, s] = u;
        v = vec(window(x, W, D));
        z = tanh(W_f @ v + b_f) * sigmoid(W_g @ v + b_g);
        y = [x + W_r @ z + b_r, s + W_s @ z + b_s];

        output y;
    }
}
