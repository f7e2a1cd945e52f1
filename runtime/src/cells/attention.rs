//! Attention by itself: from a query and a memory to the weights of the memory's columns and their weighted sum.
//!
//! The memory `M` is the context, most often an encoder's outputs, a step a column
//! ([`sequence::memory`](crate::data::memory) makes it); `mask` is 1 where there is one and 0 past the source's end, where the
//! weights are exactly zero. What depends on the memory alone is computed once a sequence.
//!
//! The scores are those of D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly Learning to Align and
//! Translate", 2015, and of M.-T. Luong, H. Pham, C. Manning, "Effective Approaches to Attention-based Neural Machine
//! Translation", 2015. [Decoders](super::BahdanauDecoder) that attend have them among their equations.

use crate::rnn_cell;

rnn_cell! {
    /// Additive attention (Bahdanau et al. 2015, appendix A.1.2; equations 5 and 6).
    pub cell AdditiveAttention<Q, E, A, S> {
        /// The query, a decoder's state.
        input s: [Q];
        /// The memory, a column a step of the source.
        context M: [E, S];
        /// 1 where the memory has a step, 0 where it has none.
        context mask: [S] = 1;
        /// Weights of the query.
        param W_a: [A, Q];
        /// Weights of the memory.
        param U_a: [A, E];
        /// What turns a hidden layer into a score.
        param v_a: [A] = uniform(0.1);

        scores = (v_a.T @ tanh(W_a @ s + U_a @ M)).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }

    /// Luong et al. 2015, section 3.1, score "dot": the query is as long as a column of the memory.
    pub cell DotAttention<E, S> {
        /// The query, a decoder's state.
        input s: [E];
        /// The memory, a column a step of the source.
        context M: [E, S];
        /// 1 where the memory has a step, 0 where it has none.
        context mask: [S] = 1;

        scores = M.T @ s;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }

    /// Luong et al. 2015, section 3.1, score "general".
    pub cell GeneralAttention<Q, E, S> {
        /// The query, a decoder's state.
        input s: [Q];
        /// The memory, a column a step of the source.
        context M: [E, S];
        /// 1 where the memory has a step, 0 where it has none.
        context mask: [S] = 1;
        /// The bilinear form.
        param W_a: [Q, E];

        scores = (s.T @ (W_a @ M)).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }

    /// Luong et al. 2015, section 3.1, score "concat": the additive one, with one matrix over the query and the memory's column stacked.
    pub cell ConcatAttention<Q, E, A, S> {
        /// The query, a decoder's state.
        input s: [Q];
        /// The memory, a column a step of the source.
        context M: [E, S];
        /// 1 where the memory has a step, 0 where it has none.
        context mask: [S] = 1;
        /// Weights of the query and of the memory.
        param W_a: [A, Q + E];
        /// What turns a hidden layer into a score.
        param v_a: [A] = uniform(0.1);

        scores = (v_a.T @ tanh(W_a @ [s, M])).T;
        alpha = softmax(scores, mask);
        read = M @ alpha;

        output read, alpha;
    }
}
