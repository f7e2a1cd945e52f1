//! PyTorch's names and layouts: the `state_dict` of `torch.nn.LSTM`, `GRU`, `RNN` and `Linear`
//! (without projections), as `safetensors.torch.save_file(net.state_dict(), "net.safetensors")`
//! writes it.
//!
//! A layer has the matrices `weight_ih_l0` and `weight_hh_l0`, in which the matrices of the gates
//! are stacked (`i, f, g, o` in an LSTM, `r, z, n` in a GRU), and two biases. A cell here has the
//! sum of the two. A load adds them; a save writes the sum as `bias_ih_l0` and zeros as the other.
//! Only the candidate of a GRU has two biases, `b_n` and `b_hn`. The names of the backward
//! direction end with `_reverse`.
//!
//! | in PyTorch | here | mapping |
//! | --- | --- | --- |
//! | `LSTM(3, 8)` | `Lstm<3, 8>` | `torch::lstm()` |
//! | `GRU(3, 8, num_layers=2)` | `Stack(GruResetAfter<3, 8>, GruResetAfter<8, 8>)` | `torch::layers(torch::gru(), 2)` |
//! | `RNN(3, 8, bidirectional=True)` | [`Bidirectional`](crate::network::Bidirectional) of two `Elman<3, 8>` | `torch::bidirectional(torch::rnn(), 1)` |
//! | `Linear(8, 2)` | `Dense<8, 2>` | `torch::linear()` |
//!
//! In a module of your own, the name of the attribute precedes each name: `.prefix("lstm.")`.
//! PyTorch's GRU applies the reset gate after the recurrent product, as
//! [`GruResetAfter`](crate::cells::GruResetAfter) does. [`Gru`](crate::cells::Gru) applies it
//! before the product.
//!
//! With `bias=False` the file has no biases: `torch::layers(torch::lstm(), 2).without_bias()`. A
//! load then sets them to zero; a save reports an error if they are not zero.
//!
//! Models converted by `.half()` and `.bfloat16()` load as well. A `.pt` file of `torch.save` has
//! another format, which this module does not read.
//!
//! ```
//! use rnn_cell::cells::Lstm;
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::torch;
//!
//! let lstm = Lstm::<3, 8>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
//! let file = torch::lstm().save(&lstm)?; // For `nn.LSTM(3, 8).load_state_dict`.
//!
//! let mut copy = Lstm::<3, 8>::zeros();
//! torch::lstm().load(&mut copy, &file)?;
//! assert_eq!(copy, lstm);
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```

use alloc::format;

use super::mapping::{LayerKind, Mapping, matrix, plus, vector};

static LSTM: LayerKind = LayerKind::recurrent("torch::lstm", "LSTM", "Lstm");
static GRU: LayerKind = LayerKind::recurrent("torch::gru", "GRU", "GruResetAfter");
static RNN: LayerKind = LayerKind::recurrent("torch::rnn", "RNN", "Elman");
static LINEAR: LayerKind = LayerKind::dense("torch::linear", "Linear");

/// Returns the mapping of `nn.LSTM` of one layer to [`Lstm`](crate::cells::Lstm).
pub fn lstm() -> Mapping {
    let biases = ["b_i", "b_f", "b_g", "b_o"];
    Mapping::new()
        .with(matrix("weight_ih_l0").stack(["W_i", "W_f", "W_g", "W_o"]))
        .with(matrix("weight_hh_l0").stack(["U_i", "U_f", "U_g", "U_o"]))
        .with(vector("bias_ih_l0").stack(biases))
        .with(vector("bias_hh_l0").stack(biases.map(plus)))
        .of(&LSTM)
}

/// Returns the mapping of `nn.GRU` of one layer to [`GruResetAfter`](crate::cells::GruResetAfter).
pub fn gru() -> Mapping {
    Mapping::new()
        .with(matrix("weight_ih_l0").stack(["W_r", "W_z", "W_n"]))
        .with(matrix("weight_hh_l0").stack(["U_r", "U_z", "U_n"]))
        .with(vector("bias_ih_l0").stack(["b_r", "b_z", "b_n"]))
        .with(vector("bias_hh_l0").stack([plus("b_r"), plus("b_z"), "b_hn".into()]))
        .of(&GRU)
}

/// Returns the mapping of `nn.RNN` of one layer, with tanh, to [`Elman`](crate::cells::Elman).
pub fn rnn() -> Mapping {
    Mapping::new()
        .with(matrix("weight_ih_l0").stack(["W"]))
        .with(matrix("weight_hh_l0").stack(["U"]))
        .with(vector("bias_ih_l0").stack(["b"]))
        .with(vector("bias_hh_l0").stack([plus("b")]))
        .of(&RNN)
}

/// Returns the mapping of `nn.Linear` to [`Dense`](crate::cells::Dense).
pub fn linear() -> Mapping {
    Mapping::new().with(matrix("weight").stack(["W"])).with(vector("bias").stack(["b"])).of(&LINEAR)
}

/// Returns the mapping of `num_layers` layers on top of each other to a
/// [`Stack`](crate::network::Stack), or of one layer to its cell. `layer` is [`lstm`], [`gru`],
/// [`rnn`], or a mapping of your own for the first layer, whose names end with `_l0`.
pub fn layers(layer: Mapping, num_layers: usize) -> Mapping {
    stacked(num_layers, |number| renamed(&layer, &format!("_l{number}")))
}

/// Returns the mapping of [`layers`] in both directions (`bidirectional=True`) to a stack of
/// [`Bidirectional`](crate::network::Bidirectional)s joined by [`Concat`](crate::network::Concat).
pub fn bidirectional(layer: Mapping, num_layers: usize) -> Mapping {
    stacked(num_layers, |number| {
        let forward = renamed(&layer, &format!("_l{number}")).under("forward");
        forward.and(renamed(&layer, &format!("_l{number}_reverse")).under("reverse"))
    })
}

/// Returns the mapping of the first layer with another end than `_l0` of the names.
fn renamed(layer: &Mapping, end: &str) -> Mapping {
    let mut layer = layer.clone();
    for tensor in layer.tensors.iter_mut().chain(&mut layer.omitted) {
        if let Some(kind) = tensor.name.strip_suffix("_l0") {
            tensor.name = format!("{kind}{end}");
        }
    }
    layer
}

fn stacked(num_layers: usize, layer: impl Fn(usize) -> Mapping) -> Mapping {
    match num_layers {
        1 => layer(0),
        _ => (0..num_layers).fold(Mapping::new(), |mapping, number| mapping.and(layer(number).under(number))),
    }
}
