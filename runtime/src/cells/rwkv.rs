//! RWKV, version 4: B. Peng et al., "RWKV: Reinventing RNNs for the Transformer Era", 2023. A block is the time mixing and the
//! channel mixing, each with a norm before it and a [residual](crate::network::Residual) around it.
//!
//! Both shift: they read each channel of the input mixed with what it was a step ago, which is kept in a state.

use crate::rnn_cell;

rnn_cell! {
    /// The time mixing of RWKV-4 (Peng et al. 2023, section 3.1, and its appendix on the block as a recurrent cell): each channel's mean of
    /// all values so far, weighted by the exponentials of their keys, which fade.
    ///
    /// Numerator and denominator are kept relative to the largest exponent so far, as in the authors' code, so keys of any size do no
    /// harm.
    pub cell RwkvTimeMixing<D> {
        /// What one step reads.
        input x: [D];
        /// The input a step ago.
        state x_prev: [D];
        /// The weighted sum of values and the sum of weights, both divided by `exp(largest)`.
        state numerator, denominator: [D];
        /// The largest exponent so far; none at the start.
        state largest: [D] = -1e30;
        /// Shares of the present input in what keys, values and receptances read.
        param mu_k, mu_v, mu_r: [D] = uniform(0, 1);
        /// Weights of keys, values and receptances.
        param W_k, W_v, W_r: [D, D] = xavier_uniform;
        /// The logarithm of how fast the weights of each channel fade: `w = exp(decay)` a step.
        param decay: [D] = uniform(-5, 1);
        /// What is added to the present key: `u` in the paper.
        param bonus: [D] = uniform(-1, 1);
        /// Weights of the output.
        param W_o: [D, D] = xavier_uniform;

        k = W_k @ (mu_k * x + (1 - mu_k) * x_prev[t-1]);
        v = W_v @ (mu_v * x + (1 - mu_v) * x_prev[t-1]);
        r = W_r @ (mu_r * x + (1 - mu_r) * x_prev[t-1]);
        x_prev = x;

        now = max(largest[t-1], bonus + k);
        past_share = exp(largest[t-1] - now);
        share = exp(bonus + k - now);
        wkv = (past_share * numerator[t-1] + share * v) / (past_share * denominator[t-1] + share);

        faded = largest[t-1] - exp(decay);
        largest = max(faded, k);
        kept = exp(faded - largest);
        added = exp(k - largest);
        numerator = kept * numerator[t-1] + added * v;
        denominator = kept * denominator[t-1] + added;

        y = W_o @ (sigmoid(r) * wkv);

        output y;
    }

    /// The channel mixing of RWKV-4 (Peng et al. 2023, section 3.1): a gated layer with a squared `relu`, `H` wide within (the paper takes `H = 4 D`).
    pub cell RwkvChannelMixing<D, H> {
        /// What one step reads.
        input x: [D];
        /// The input a step ago.
        state x_prev: [D];
        /// Shares of the present input in what keys and receptances read.
        param mu_k, mu_r: [D] = uniform(0, 1);
        /// Weights of the keys.
        param W_k: [H, D] = xavier_uniform;
        /// Weights of the values.
        param W_v: [D, H] = xavier_uniform;
        /// Weights of the receptances.
        param W_r: [D, D] = xavier_uniform;

        k = W_k @ (mu_k * x + (1 - mu_k) * x_prev[t-1]);
        r = W_r @ (mu_r * x + (1 - mu_r) * x_prev[t-1]);
        x_prev = x;
        y = sigmoid(r) * (W_v @ square(relu(k)));

        output y;
    }
}
