//! Ready-made cells, each an [`rnn_cell!`](crate::rnn_cell) definition with its paper.
