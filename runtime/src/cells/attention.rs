//! Attention as a cell: maps a query and a memory to one weight per memory column and the weighted
//! sum of the columns.
//!
//! The memory `M` is a context, usually the outputs of an encoder, one column per source step
//! ([`data::memory`](crate::data::memory) builds it). The mask is 1 for source steps and 0 for
//! padding, whose weights are exactly zero. Terms that depend only on the memory are computed once
//! per sequence.
//!
//! The scores are from D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
//! Learning to Align and Translate", 2015, and M.-T. Luong, H. Pham, C. Manning, "Effective
//! Approaches to Attention-based Neural Machine Translation", 2015. The
//! [decoders](super::BahdanauDecoder) with attention contain the same equations.

use crate::rnn_cell;

rnn_cell! {
    /// Additive attention (Bahdanau, Cho & Bengio 2015, "Neural Machine Translation by Jointly
    /// Learning to Align and Translate", appendix A.1.2, equations 5 and 6): a query of `Q`
    /// numbers, a memory of `S` columns of `E` numbers, a hidden layer of `A` units.
    pub cell AdditiveAttention<Q, E, A, S> {
        /// The query, a decoder's state.
        input s: [Q];
        /// The memory, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// Weights of the query.
        param W_a: [A, Q];
        /// Weights of the memory.
        param U_a: [A, E];
        /// Weights from the hidden layer to a score.
        param v_a: [A] = uniform(0.1);

        scores = (v_a.T @ tanh(W_a @ s + U_a @ M)).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }

    /// Dot-product attention (Luong, Pham & Manning 2015, "Effective Approaches to Attention-based
    /// Neural Machine Translation", section 3.1, score "dot"). The query is as long as a column of
    /// the memory, `E`.
    pub cell DotAttention<E, S> {
        /// The query, a decoder's state.
        input s: [E];
        /// The memory, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;

        scores = M.T @ s;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }

    /// Bilinear attention: the score "general" of Luong et al. 2015, section 3.1 (see
    /// [`DotAttention`]). The query has `Q` numbers, a column of the memory `E`.
    pub cell GeneralAttention<Q, E, S> {
        /// The query, a decoder's state.
        input s: [Q];
        /// The memory, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// The matrix of the bilinear score.
        param W_a: [Q, E];

        scores = (s.T @ (W_a @ M)).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }

    /// Concatenation attention: the score "concat" of Luong et al. 2015, section 3.1 (see
    /// [`DotAttention`]). It equals [`AdditiveAttention`] with the two weight matrices in one,
    /// which multiplies the query stacked on the memory's column.
    pub cell ConcatAttention<Q, E, A, S> {
        /// The query, a decoder's state.
        input s: [Q];
        /// The memory, one column per source step.
        context M: [E, S];
        /// The mask of the memory: 1 for a source step, 0 for padding.
        context mask: [S] = 1;
        /// Weights of the query and of the memory.
        param W_a: [A, Q + E];
        /// Weights from the hidden layer to a score.
        param v_a: [A] = uniform(0.1);

        scores = (v_a.T @ tanh(W_a @ [s, M])).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }
}
