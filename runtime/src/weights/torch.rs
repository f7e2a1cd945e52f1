//! PyTorch's names and layouts: the `state_dict` of `torch.nn.LSTM`, `GRU`, `RNN` and `Linear` (without projections), as
//! `safetensors.torch.save_file(net.state_dict(), "net.safetensors")` writes it.
//!
//! A layer has `weight_ih_l0` and `weight_hh_l0`, the gates' matrices one below the other (`i, f, g, o` of an LSTM, `r, z, n` of a GRU),
//! and two biases whose sum is ours: it is read as the sum and written as `bias_ih_l0`, zeros beside it. Only
//! the candidate of a GRU has two, `b_n` and `b_hn`. The direction backwards has `_reverse` at the end of its names.
//!
//! | in PyTorch | here | mapping |
//! | --- | --- | --- |
//! | `LSTM(3, 8)` | `Lstm<3, 8>` | `torch::lstm(0, Forward)` |
//! | `GRU(3, 8, num_layers=2)` | `Stack(GruResetAfter<3, 8>, GruResetAfter<8, 8>)` | `torch::layers(torch::gru, 2)` |
//! | `RNN(3, 8, bidirectional=True)` | [`Bidirectional`](crate::network::Bidirectional) of two `Elman<3, 8>` | `torch::bidirectional(torch::rnn, 1)` |
//! | `Linear(8, 2)` | `Dense<8, 2>` | `torch::linear()` |
//!
//! In a module of your own the names have the attribute's name before them: `.prefix("lstm.")`. A GRU is
//! [`GruResetAfter`](crate::cells::GruResetAfter), as PyTorch resets after the recurrent product; [`Gru`](crate::cells::Gru)
//! resets before it.
//!
//! With `bias=False` the biases are not in the file: `torch::layers(torch::lstm, 2).without_bias()`. Read, they are zero;
//! written, they must be.
//!
//! A model of `.half()` or `.bfloat16()` is read as it is. A `.pt` file of `torch.save` is another format, which isn't read.
//!
//! ```
//! use rnn_cell::cells::Lstm;
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::torch::{self, Direction};
//!
//! let lstm = Lstm::<3, 8>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
//! let file = torch::lstm(0, Direction::Forward).save(&lstm)?; // What `nn.LSTM(3, 8).load_state_dict` takes.
//!
//! let mut copy = Lstm::<3, 8>::zeros();
//! torch::lstm(0, Direction::Forward).load(&mut copy, &file)?;
//! assert_eq!(copy, lstm);
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```

use alloc::format;
use alloc::string::String;

use super::ready::Kind;
use super::{Mapping, matrix, plus, vector};

/// The direction that a layer reads in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the first step.
    Forward,
    /// From the last step.
    Reverse,
}

static LSTM: Kind =
    Kind { mapping: "torch::lstm", layer: "LSTM", cell: "Lstm", recurrent: true, numbered: true };
static GRU: Kind =
    Kind { mapping: "torch::gru", layer: "GRU", cell: "GruResetAfter", recurrent: true, numbered: true };
static RNN: Kind =
    Kind { mapping: "torch::rnn", layer: "RNN", cell: "Elman", recurrent: true, numbered: true };
static LINEAR: Kind =
    Kind { mapping: "torch::linear", layer: "Linear", cell: "Dense", recurrent: false, numbered: false };

fn name(kind: &str, layer: usize, direction: Direction) -> String {
    let end = if direction == Direction::Reverse { "_reverse" } else { "" };
    format!("{kind}_l{layer}{end}")
}

/// A layer of `nn.LSTM`: [`Lstm`](crate::cells::Lstm).
pub fn lstm(layer: usize, direction: Direction) -> Mapping {
    let name = |kind| name(kind, layer, direction);
    let biases = ["b_i", "b_f", "b_g", "b_o"];
    Mapping::new()
        .with(matrix(name("weight_ih")).stack(["W_i", "W_f", "W_g", "W_o"]))
        .with(matrix(name("weight_hh")).stack(["U_i", "U_f", "U_g", "U_o"]))
        .with(vector(name("bias_ih")).stack(biases))
        .with(vector(name("bias_hh")).stack(biases.map(plus)))
        .of(&LSTM)
}

/// A layer of `nn.GRU`: [`GruResetAfter`](crate::cells::GruResetAfter).
pub fn gru(layer: usize, direction: Direction) -> Mapping {
    let name = |kind| name(kind, layer, direction);
    Mapping::new()
        .with(matrix(name("weight_ih")).stack(["W_r", "W_z", "W_n"]))
        .with(matrix(name("weight_hh")).stack(["U_r", "U_z", "U_n"]))
        .with(vector(name("bias_ih")).stack(["b_r", "b_z", "b_n"]))
        .with(vector(name("bias_hh")).stack([plus("b_r"), plus("b_z"), "b_hn".into()]))
        .of(&GRU)
}

/// A layer of `nn.RNN` with tanh: [`Elman`](crate::cells::Elman).
pub fn rnn(layer: usize, direction: Direction) -> Mapping {
    let name = |kind| name(kind, layer, direction);
    Mapping::new()
        .with(matrix(name("weight_ih")).stack(["W"]))
        .with(matrix(name("weight_hh")).stack(["U"]))
        .with(vector(name("bias_ih")).stack(["b"]))
        .with(vector(name("bias_hh")).stack([plus("b")]))
        .of(&RNN)
}

/// `nn.Linear`: [`Dense`](crate::cells::Dense).
pub fn linear() -> Mapping {
    Mapping::new().with(matrix("weight").stack(["W"])).with(vector("bias").stack(["b"])).of(&LINEAR)
}

/// `num_layers` layers, one on top of another: a [`Stack`](crate::network::Stack) of them; of one layer, the cell alone. `cell` is
/// [`lstm`], [`gru`], [`rnn`], or a function of your own for a cell that is saved in this way.
pub fn layers(cell: impl Fn(usize, Direction) -> Mapping, num_layers: usize) -> Mapping {
    stacked(num_layers, |layer| cell(layer, Direction::Forward))
}

/// [`layers`] that read in both directions (`bidirectional=True`): a stack of
/// [`Bidirectional`](crate::network::Bidirectional)s joined by [`Concat`](crate::network::Concat).
pub fn bidirectional(cell: impl Fn(usize, Direction) -> Mapping, num_layers: usize) -> Mapping {
    stacked(num_layers, |layer| {
        let forward = cell(layer, Direction::Forward).under("forward");
        forward.and(cell(layer, Direction::Reverse).under("reverse"))
    })
}

fn stacked(num_layers: usize, layer: impl Fn(usize) -> Mapping) -> Mapping {
    match num_layers {
        1 => layer(0),
        _ => (0..num_layers).fold(Mapping::new(), |mapping, number| mapping.and(layer(number).under(number))),
    }
}
