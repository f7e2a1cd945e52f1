//! Keras's names and layouts: the variables of `keras.layers.LSTM`, `GRU`, `SimpleRNN` and `Dense` with their usual activations
//! (`tanh`, `sigmoid`; since Keras 2.3, before that `recurrent_activation` was `hard_sigmoid`); with `use_bias=False`, `.without_bias()`.
//!
//! A layer has `kernel` `[I, gates * H]`, `recurrent_kernel` `[H, gates * H]` and `bias`. They multiply from the right,
//! so each gate is a block of columns: `i, f, c, o` of an LSTM, `z, r, h` of a GRU. A GRU with `reset_after=True` (as is usual)
//! has a bias `[2, 3 * H]`, the recurrent one below the other; where ours is their sum it is written as the first, and zeros.
//!
//! Keras has no safetensors format of its own. Write one from the variables, under their paths:
//! ```text
//! safetensors.numpy.save_file({v.path: v.numpy() for v in model.weights}, "model.safetensors")
//! ```
//! Paths such as `lstm/lstm_cell/kernel` are then what [`prefix`](Mapping::prefix) is for.
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
//! let mut net = Stack(lstms.joined(Concat::<16>), Dense::<16, 2>::init(&mut rng));
//! let file = mapping.save(&net)?;
//! mapping.load(&mut net, &file)?;
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```

use super::ready::Kind;
use super::{Mapping, matrix, plus, vector};

static LSTM: Kind =
    Kind { mapping: "keras::lstm", layer: "LSTM", cell: "Lstm", recurrent: true, numbered: false };
static GRU: Kind =
    Kind { mapping: "keras::gru", layer: "GRU", cell: "GruResetAfter", recurrent: true, numbered: false };
static GRU_RESET_BEFORE: Kind =
    Kind { mapping: "keras::gru_reset_before", layer: "GRU", cell: "Gru", recurrent: true, numbered: false };
static SIMPLE_RNN: Kind = Kind {
    mapping: "keras::simple_rnn",
    layer: "SimpleRNN",
    cell: "Elman",
    recurrent: true,
    numbered: false,
};
static DENSE: Kind =
    Kind { mapping: "keras::dense", layer: "Dense", cell: "Dense", recurrent: false, numbered: false };

/// `LSTM`: [`Lstm`](crate::cells::Lstm).
pub fn lstm() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W_i", "W_f", "W_g", "W_o"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U_i", "U_f", "U_g", "U_o"]))
        .with(vector("bias").stack(["b_i", "b_f", "b_g", "b_o"]))
        .of(&LSTM)
}

/// `GRU` with `reset_after=True`, as is usual: [`GruResetAfter`](crate::cells::GruResetAfter).
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

/// `GRU` with `reset_after=False`: [`Gru`](crate::cells::Gru).
pub fn gru_reset_before() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W_z", "W_r", "W_h"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U_z", "U_r", "U_h"]))
        .with(vector("bias").stack(["b_z", "b_r", "b_h"]))
        .of(&GRU_RESET_BEFORE)
}

/// `SimpleRNN`: [`Elman`](crate::cells::Elman).
pub fn simple_rnn() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W"]))
        .with(matrix("recurrent_kernel").transposed().stack(["U"]))
        .with(vector("bias").stack(["b"]))
        .of(&SIMPLE_RNN)
}

/// `Dense`: [`Dense`](crate::cells::Dense).
pub fn dense() -> Mapping {
    Mapping::new()
        .with(matrix("kernel").transposed().stack(["W"]))
        .with(vector("bias").stack(["b"]))
        .of(&DENSE)
}

/// `Bidirectional`: the mappings of its two layers, each with its prefix.
pub fn bidirectional(forward: Mapping, backward: Mapping) -> Mapping {
    forward.under("forward").and(backward.under("reverse"))
}
