//! Embeddings of indices.

use crate::rnn_cell;

rnn_cell! {
    /// An embedding, `y = E w`: the column of `E` with the index of the input, one of `V` words or
    /// symbols, as a vector of `D` numbers (Bengio et al. 2003, "A Neural Probabilistic Language
    /// Model", section 2). An index that is not below `V` gives zeros and trains nothing.
    ///
    /// The entries start from a standard normal distribution, as in PyTorch, whose matrix is the
    /// transpose. A cell whose equations read the index directly (`input w: one_hot[V]`, `W @ w`)
    /// needs no embedding.
    pub cell Embedding<V, D> {
        /// The index of a step.
        input w: one_hot[V];
        /// The vectors, one per column.
        param E: [D, V] = normal(1);

        y = E @ w;

        output y;
    }
}
