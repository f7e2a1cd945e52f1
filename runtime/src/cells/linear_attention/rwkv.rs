//! RWKV, version 4: B. Peng et al., "RWKV: Reinventing RNNs for the Transformer Era", 2023.
//!
//! A block consists of time mixing and channel mixing. Each has a norm before it and a [residual
//! connection](crate::network::Residual) around it. Both start with a token shift: a channel's
//! input is mixed with the same channel of the previous input, which is kept in a state.

use crate::rnn_cell;

rnn_cell! {
    /// The time mixing of RWKV-4 (Peng et al. 2023, "RWKV: Reinventing RNNs for the Transformer
    /// Era", section 3.1 and the appendix on the block as a recurrent cell): `D` channels. Each
    /// channel averages all its values so far, weighted by the exponentials of their keys; the
    /// weights decay with time.
    ///
    /// Each channel of the input is mixed with the same channel of the previous input. Numerator
    /// and denominator are kept relative to the largest exponent so far, as in the authors' code,
    /// so large keys cannot overflow.
    pub cell RwkvTimeMixing<D> {
        /// The input of a step.
        input x: [D];
        /// The previous input.
        state x_prev: [D];
        /// The weighted sum of values and the sum of weights, both divided by `exp(largest)`.
        state numerator, denominator: [D];
        /// The largest exponent so far. It starts below every exponent that occurs.
        state largest: [D] = -1e30;
        /// The current input's shares in the inputs of keys, values and receptances.
        param mu_k, mu_v, mu_r: [D] = uniform(0, 1);
        /// Weights of keys, values and receptances.
        param W_k, W_v, W_r: [D, D] = xavier_uniform;
        /// The logarithms of the channels' decay rates: `w = exp(decay)` per step.
        param decay: [D] = uniform(-5, 1);
        /// The bonus of the current key: `u` in the paper.
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

    /// The channel mixing of RWKV-4 (Peng et al. 2023, "RWKV: Reinventing RNNs for the Transformer
    /// Era", section 3.1): a gated layer of `D` channels with a squared `relu` and a hidden layer
    /// of `H` units. The paper takes `H = 4 D`. Each channel of the input is mixed with the same
    /// channel of the previous input.
    pub cell RwkvChannelMixing<D, H> {
        /// The input of a step.
        input x: [D];
        /// The previous input.
        state x_prev: [D];
        /// The current input's shares in the inputs of keys and receptances.
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
