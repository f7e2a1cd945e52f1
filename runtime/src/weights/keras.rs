//! Keras's names and layouts: the variables of `keras.layers.LSTM`, `GRU`, `SimpleRNN` and `Dense`
//! with the default activations (`tanh` and `sigmoid`; before Keras 2.3 `recurrent_activation` was
//! `hard_sigmoid`). For `use_bias=False` add `.without_bias()`.
//!
//! A layer has `kernel` `[I, gates * H]`, `recurrent_kernel` `[H, gates * H]` and `bias`. The
//! matrices multiply from the right, so each gate is a block of columns: `i, f, c, o` in an LSTM,
//! `z, r, h` in a GRU. A GRU with `reset_after=True`, the default, has a bias `[2, 3 * H]`, whose
//! second row is the recurrent bias. If the cell here has only the sum of both, a save writes the
//! sum to the first row and zeros to the second.
//!
//! Keras has no safetensors format of its own. Write the variables under their paths:
//! ```text
//! safetensors.numpy.save_file({v.path: v.numpy() for v in model.weights}, "model.safetensors")
//! ```
//! [`prefix`](Mapping::prefix) then adds the beginning of paths such as `lstm/lstm_cell/kernel`.
//!
//! ```
//! use rnn_cell::cells::{Dense, Lstm};
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::keras;
//!
//! // Sequential([Input((None, 3)), Bidirectional(LSTM(8, return_sequences=True)), Dense(2)])
//! let both = keras::bidirectional(
//!     keras::lstm().prefix("bidirectional/forward_lstm/lstm_cell/"),
//!     keras::lstm().prefix("bidirectional/backward_lstm/lstm_cell/"),
//! );
//! let mapping = both.under(0).and(keras::dense().prefix("dense/").under(1));
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let lstms = Bidirectional::new(Lstm::<3, 8>::init(&mut rng), Lstm::<3, 8>::init(&mut rng));
//! let mut net = Stack::new(lstms.joined(Concat::<16>), Dense::<16, 2>::init(&mut rng));
//! let file = mapping.save(&net)?;
//! mapping.load(&mut net, &file)?;
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```

use super::mapping::{LayerKind, Mapping, matrix, plus, vector};

static LSTM: LayerKind = LayerKind::recurrent("keras::lstm", "LSTM", "Lstm");
static GRU: LayerKind = LayerKind::recurrent("keras::gru", "GRU", "GruResetAfter");
static GRU_RESET_BEFORE: LayerKind = LayerKind::recurrent("keras::gru_reset_before", "GRU", "Gru");
static SIMPLE_RNN: LayerKind = LayerKind::recurrent("keras::simple_rnn", "SimpleRNN", "Elman");
static DENSE: LayerKind = LayerKind::dense("keras::dense", "Dense");

/// Returns the mapping of `LSTM` to [`Lstm`](crate::cells::Lstm).
pub fn lstm() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W_i", "W_f", "W_g", "W_o"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U_i", "U_f", "U_g", "U_o"]))
        .with(vector("bias").stack(["b_i", "b_f", "b_g", "b_o"]))
        .of(&LSTM)
}

/// Returns the mapping of `GRU` with `reset_after=True`, the default, to
/// [`GruResetAfter`](crate::cells::GruResetAfter).
pub fn gru() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W_z", "W_r", "W_n"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U_z", "U_r", "U_n"]))
        .with(matrix("bias").transposed().stack(["b_z", "b_r", "b_n"]).stack([
            plus("b_z"),
            plus("b_r"),
            "b_hn".into(),
        ]))
        .of(&GRU)
}

/// Returns the mapping of `GRU` with `reset_after=False` to [`Gru`](crate::cells::Gru), or with
/// `activation="relu"` to [`ReluGru`](crate::cells::ReluGru).
pub fn gru_reset_before() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W_z", "W_r", "W_h"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U_z", "U_r", "U_h"]))
        .with(vector("bias").stack(["b_z", "b_r", "b_h"]))
        .of(&GRU_RESET_BEFORE)
}

/// Returns the mapping of `SimpleRNN` to [`Elman`](crate::cells::Elman).
pub fn simple_rnn() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U"]))
        .with(vector("bias").stack(["b"]))
        .of(&SIMPLE_RNN)
}

/// Returns the mapping of `Dense` to [`Dense`](crate::cells::Dense).
pub fn dense() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W"]))
        .with(vector("bias").stack(["b"]))
        .of(&DENSE)
}

/// Returns the mapping of `Bidirectional` from the mappings of its two layers, each with its
/// prefix.
pub fn bidirectional(forward: Mapping, backward: Mapping) -> Mapping {
    forward.under("forward").and(backward.under("reverse"))
}
