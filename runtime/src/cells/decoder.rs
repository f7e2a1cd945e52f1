//! Decoders, which write a sequence of symbols after an encoder has read another sequence.
//!
//! Each decoder reads the index of the previous symbol and returns the logits of the next one. The
//! decoders with attention also return the alignment `alpha`, one weight per source step. An index
//! of `K` or above is no symbol and is read as zeros: it starts a sequence. The module
//! [`decode`](crate::decode) trains and runs decoders.
//!
//! The papers omit the biases to keep their equations short; these cells include them.

use crate::rnn_cell;

rnn_cell! {
    /// The GRU decoder of K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder
    /// for Statistical Machine Translation", 2014, appendix A.1.2. It has no attention: one vector
    /// summarises the source. `K` symbols, embeddings of `D` numbers, `H` hidden units, a summary
    /// of `E` numbers, `2 L` units before the maxout.
    pub cell ChoDecoder<K, D, H, E, L> {
        /// The index of the previous symbol.
        input y: one_hot[K];
        /// The encoder's last state.
        context summary: [E];
        /// The hidden state.
        state h: [H] = tanh(V_0 @ tanh(V @ summary));
        /// Weights of the summary and of the initial state.
        param V: [H, E], V_0: [H, H] = xavier_uniform;
        /// The embeddings of the symbols, one per column.
        param Y: [D, K] = normal(0.1);
        /// Input weights of the candidate, the update gate and the reset gate.
        param W, W_z, W_r: [H, D];
        /// Recurrent weights of the candidate, the update gate and the reset gate.
        param U, U_z, U_r: [H, H];
        /// Weights of the summary in the candidate, the update gate and the reset gate.
        param C, C_z, C_r: [H, H] = xavier_uniform;
        /// Biases.
        param b, b_z, b_r: [H];
        /// Weights of the hidden state, the symbol and the summary before the maxout.
        param O_h: [L + L, H], O_y: [L + L, D], O_c: [L + L, H] = xavier_uniform;
        /// Bias before the maxout.
        param b_o: [L + L];
        /// Weights of the logits.
        param G: [K, L];
        /// Bias of the logits.
        param b_g: [K];

        c = tanh(V @ summary);
        e = Y @ y;
        z = sigmoid(W_z @ e + U_z @ h[t-1] + C_z @ c + b_z);
        r = sigmoid(W_r @ e + U_r @ h[t-1] + C_r @ c + b_r);
        h_tilde = tanh(W @ e + r * (U @ h[t-1] + C @ c) + b);
        h = z * h[t-1] + (1 - z) * h_tilde;
        [o_1, o_2] = O_h @ h + O_y @ e + O_c @ c + b_o;
        logits = G @ max(o_1, o_2) + b_g;

        output logits;
    }

    /// The GRU decoder with additive attention of Bahdanau, Cho & Bengio 2015, "Neural Machine
    /// Translation by Jointly Learning to Align and Translate", appendices A.1.2 and A.2.2. The
    /// previous state is the query, and a maxout over pairs precedes the logits. `K` symbols,
    /// embeddings of `D` numbers, `H` hidden units, `S` source steps of `E` numbers, `A` units in
    /// the hidden layer of the score, `2 L` units before the maxout.
    pub cell BahdanauDecoder<K, D, H, E, A, L, S> {
        /// The index of the previous symbol.
        input y: one_hot[K];
        /// The memory: the encoder's outputs, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// The source of the initial state: the state of the encoder's backward direction at the
        /// first step.
        context first: [H];
        /// The hidden state.
        state s: [H] = tanh(W_s @ first);
        /// Weights of the initial state.
        param W_s: [H, H] = xavier_uniform;
        /// The embeddings of the symbols, one per column.
        param Y: [D, K] = normal(0.1);
        /// Weights of the state and of the memory in the score.
        param W_a: [A, H], U_a: [A, E] = xavier_uniform;
        /// Weights from the hidden layer to a score.
        param v_a: [A] = uniform(0.1);
        /// Input weights of the candidate, the update gate and the reset gate.
        param W, W_z, W_r: [H, D];
        /// Recurrent weights of the candidate, the update gate and the reset gate.
        param U, U_z, U_r: [H, H];
        /// Weights of the context vector in the candidate, the update gate and the reset gate.
        param C, C_z, C_r: [H, E];
        /// Biases.
        param b, b_z, b_r: [H];
        /// Weights of the state, the symbol and the context vector before the maxout.
        param U_o: [L + L, H], V_o: [L + L, D], C_o: [L + L, E] = xavier_uniform;
        /// Bias before the maxout.
        param b_t: [L + L];
        /// Weights of the logits.
        param W_o: [K, L];
        /// Bias of the logits.
        param b_o: [K];

        e = Y @ y;
        scores = (v_a.T @ tanh(W_a @ s[t-1] + U_a @ M)).T;
        alpha = softmax(scores, mask);
        c = M @ alpha;
        r = sigmoid(W_r @ e + U_r @ s[t-1] + C_r @ c + b_r);
        z = sigmoid(W_z @ e + U_z @ s[t-1] + C_z @ c + b_z);
        s_tilde = tanh(W @ e + U @ (r * s[t-1]) + C @ c + b);
        s = (1 - z) * s[t-1] + z * s_tilde;
        [t_1, t_2] = U_o @ s[t-1] + V_o @ e + C_o @ c + b_t;
        logits = W_o @ max(t_1, t_2) + b_o;

        output logits, alpha;
    }

    /// The LSTM decoder of Luong, Pham & Manning 2015, "Effective Approaches to Attention-based
    /// Neural Machine Translation", with the score "dot". The new state is the query (section 3,
    /// equations 5 to 7), and the previous attentional vector is part of the input (input feeding,
    /// section 3.3). `K` symbols, embeddings of `D` numbers, `H` hidden units, `S` source steps. A
    /// column of the memory is as long as the state, `H`.
    pub cell LuongDotDecoder<K, D, H, S> {
        /// The index of the previous symbol.
        input y: one_hot[K];
        /// The memory: the encoder's outputs, one column per source step.
        context M: [H, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// The encoder's last states.
        context h_0, c_0: [H];
        /// The hidden state.
        state h: [H] = h_0;
        /// The cell state.
        state c: [H] = c_0;
        /// The attentional vector.
        state h_tilde: [H];
        /// The embeddings of the symbols, one per column.
        param Y: [D, K] = normal(0.1);
        /// Weights of the embedded symbol and the previous attentional vector, one matrix per gate.
        param W_i, W_f, W_g, W_o: [H, D + H] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_i, b_g, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;
        /// Weights of the context vector and the state in the attentional vector.
        param W_c: [H, H + H] = xavier_uniform;
        /// Weights of the logits.
        param W_s: [K, H];
        /// Bias of the logits.
        param b_s: [K];

        x = [Y @ y, h_tilde[t-1]];
        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);
        scores = M.T @ h;
        alpha = softmax(scores, mask);
        read = M @ alpha;
        h_tilde = tanh(W_c @ [read, h]);
        logits = W_s @ h_tilde + b_s;

        output logits, alpha;
    }

    /// The LSTM decoder of Luong et al. 2015 with the score "general"; see [`LuongDotDecoder`]. A
    /// column of the memory has `E` numbers.
    pub cell LuongGeneralDecoder<K, D, H, E, S> {
        /// The index of the previous symbol.
        input y: one_hot[K];
        /// The memory: the encoder's outputs, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// The encoder's last states.
        context h_0, c_0: [H];
        /// The hidden state.
        state h: [H] = h_0;
        /// The cell state.
        state c: [H] = c_0;
        /// The attentional vector.
        state h_tilde: [H];
        /// The embeddings of the symbols, one per column.
        param Y: [D, K] = normal(0.1);
        /// Weights of the embedded symbol and the previous attentional vector, one matrix per gate.
        param W_i, W_f, W_g, W_o: [H, D + H] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_i, b_g, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;
        /// The matrix of the bilinear score.
        param W_a: [H, E] = xavier_uniform;
        /// Weights of the context vector and the state in the attentional vector.
        param W_c: [H, E + H] = xavier_uniform;
        /// Weights of the logits.
        param W_s: [K, H];
        /// Bias of the logits.
        param b_s: [K];

        x = [Y @ y, h_tilde[t-1]];
        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);
        scores = (h.T @ (W_a @ M)).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;
        h_tilde = tanh(W_c @ [read, h]);
        logits = W_s @ h_tilde + b_s;

        output logits, alpha;
    }

    /// The LSTM decoder of Luong et al. 2015 with the score "concat"; see [`LuongDotDecoder`]. A
    /// column of the memory has `E` numbers, the hidden layer of the score `A` units.
    pub cell LuongConcatDecoder<K, D, H, E, A, S> {
        /// The index of the previous symbol.
        input y: one_hot[K];
        /// The memory: the encoder's outputs, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// The encoder's last states.
        context h_0, c_0: [H];
        /// The hidden state.
        state h: [H] = h_0;
        /// The cell state.
        state c: [H] = c_0;
        /// The attentional vector.
        state h_tilde: [H];
        /// The embeddings of the symbols, one per column.
        param Y: [D, K] = normal(0.1);
        /// Weights of the embedded symbol and the previous attentional vector, one matrix per gate.
        param W_i, W_f, W_g, W_o: [H, D + H] = xavier_uniform;
        /// Recurrent weights, one matrix per gate.
        param U_i, U_f, U_g, U_o: [H, H] = orthogonal;
        /// Biases.
        param b_i, b_g, b_o: [H];
        /// Bias of the forget gate.
        param b_f: [H] = 1;
        /// Weights of the state and of the memory in the score.
        param W_a: [A, H + E] = xavier_uniform;
        /// Weights from the hidden layer to a score.
        param v_a: [A] = uniform(0.1);
        /// Weights of the context vector and the state in the attentional vector.
        param W_c: [H, E + H] = xavier_uniform;
        /// Weights of the logits.
        param W_s: [K, H];
        /// Bias of the logits.
        param b_s: [K];

        x = [Y @ y, h_tilde[t-1]];
        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        f = sigmoid(W_f @ x + U_f @ h[t-1] + b_f);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);
        scores = (v_a.T @ tanh(W_a @ [h, M])).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;
        h_tilde = tanh(W_c @ [read, h]);
        logits = W_s @ h_tilde + b_s;

        output logits, alpha;
    }
}
