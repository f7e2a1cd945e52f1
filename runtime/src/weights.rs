//! Weight files: safetensors, in the names and layouts of PyTorch, of Keras, of a cell of your own, or by our parameters'
//! own names; and the files of other programs, a feature each.
//!
//! | to read and write | use | feature |
//! | --- | --- | --- |
//! | what this library saved | [`load`], [`save`], [`load_file`], [`save_file`] | `safetensors` |
//! | `torch.nn.LSTM`, `GRU`, `RNN`, `Linear` | the [mappings](Mapping) of [`torch`] | `safetensors` |
//! | Keras's `LSTM`, `GRU`, `SimpleRNN`, `Dense` | those of [`keras`] | `safetensors` |
//! | anything else in safetensors | a mapping that you write | `safetensors` |
//! | `.nam` of Neural Amp Modeler, its LSTMs | `nam` | `nam` |
//! | ONNX's LSTM, GRU and RNN nodes (reading alone) | `onnx` | `onnx` |
//! | JSON of RTNeural and AIDA-X (reading alone) | `rtneural` | `rtneural` |
//!
//! A [`Mapping`] says once which tensor of a file holds which parameters, in which order and orientation, and serves both
//! ways. Each tensor is a [`matrix`], a [`vector`] or a [`scalar`] made of parts of parameters.
//!
//! ```
//! use rnn_cell::cells::PeepholeLstm;
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::{Mapping, matrix, plus, vector};
//!
//! // A program that keeps the gates in the order f, i, o, g, the input's and the hidden state's columns in one matrix,
//! // and two biases.
//! let mapping = Mapping::new()
//!     .with(matrix("gates").stack(["W_f", "W_i", "W_o", "W_g"]).stack(["U_f", "U_i", "U_o", "U_g"]))
//!     .with(vector("bias").stack(["b_f", "b_i", "b_o", "b_g"]))
//!     .with(vector("recurrent_bias").stack(["b_f", "b_i", "b_o", "b_g"].map(plus)))
//!     .with(vector("peepholes").stack(["p_f", "p_i", "p_o"]));
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let trained = PeepholeLstm::<3, 8>::init(&mut rng);
//! let file: Vec<u8> = mapping.save(&trained)?;
//!
//! let mut lstm = PeepholeLstm::<3, 8>::zeros();
//! mapping.load(&mut lstm, &file)?; // or `include_bytes!("lstm.safetensors")`
//! assert_eq!(lstm, trained);
//!
//! // A cell of another size: everything that is wrong, at once, and the cell is left as it was.
//! let error = mapping.load(&mut PeepholeLstm::<3, 16>::zeros(), &file).unwrap_err();
//! assert_eq!(error.problems().len(), 4);
//! assert!(error.to_string().contains("`gates` is [32, 11] in the file, [64, 19] in the cell"));
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # Parts of a file, parts of a network
//! A network's parameters have paths (`0.forward.W_i`, see [`network`](crate::network)), a file's tensors often a prefix.
//! [`under`](Mapping::under) and [`prefix`](Mapping::prefix) add them, [`and`](Mapping::and) joins mappings,
//! [`ignoring`](Mapping::ignoring) says what a file may hold besides, [`without_bias`](Mapping::without_bias) that it has no biases. To load a part of a network alone, load into that part
//! (`&mut net.0`).
//!
//! ```
//! use rnn_cell::cells::{Dense, GruResetAfter};
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::torch;
//!
//! // class Net(nn.Module): self.gru = nn.GRU(3, 8, num_layers=2); self.head = nn.Linear(8, 2)
//! let mapping = torch::layers(torch::gru, 2)
//!     .prefix("gru.")
//!     .and(torch::linear().prefix("head.").under(2))
//!     .ignoring("optimizer.");
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let gru = Stack(GruResetAfter::<3, 8>::init(&mut rng), GruResetAfter::<8, 8>::init(&mut rng));
//! let mut net = Stack(gru, Dense::<8, 2>::init(&mut rng));
//! let file = mapping.save(&net)?;
//! mapping.load(&mut net, &file)?;
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # Our own format
//! [`save`] writes each parameter and each buffer as the tensor of its path: a matrix `[rows, columns]`, whole however its
//! shape was written (`[H, H + I]`), a parameter of one column as a vector `[n]`, of one entry as a scalar `[]`; in Python
//! `safetensors.numpy.load_file("net.safetensors")["0.forward.W_i"]`.
//!
//! # Precision
//! Files of `F16`, `BF16`, `F32` and `F64` load into cells of `f32` and of `f64`: exactly, but for an `F64` file in an `f32` cell,
//! which is rounded to nearest. Sums are formed in double precision and rounded once. A cell saves its own precision.
//!
//! # Errors
//! A load checks everything before it changes anything: names, shapes, types, and every value, which must be finite. One
//! [`Error`] lists all that is wrong, a mistake that concerns a whole layer (its prefix, its path, its cell, its size) once.
//!
//! Files of other formats are recognised, and the message says what to do: archives and pickles of PyTorch, NumPy and Keras,
//! HDF5, compressed files, text in UTF-16, Git LFS pointers, HTML pages. A UTF-8 byte-order mark before JSON is passed over.
//!
//! Damaged files of every format are an error too, never a panic. They take no more memory than a constant times their size,
//! and their message has a bounded length. A key that occurs twice in a JSON object is damage.

mod error;
#[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
mod family;
mod formats;
mod found;
mod further;
#[cfg(any(feature = "nam", feature = "rtneural", feature = "safetensors"))]
mod json;
pub mod keras;
mod left_out;
mod mapping;
#[cfg(feature = "nam")]
pub mod nam;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "std")]
mod path;
mod plan;
mod ready;
#[cfg(feature = "rtneural")]
pub mod rtneural;
#[cfg(feature = "safetensors")]
mod safetensors;
mod sizes;
mod tensor;
pub mod torch;
mod transfer;

pub use error::{Error, Problem};
#[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
pub use family::{Family, Player, Source};
pub use mapping::{Mapping, Part, Tensor, matrix, part, plus, scalar, vector};

#[cfg(feature = "safetensors")]
use alloc::vec::Vec;

#[cfg(feature = "safetensors")]
use crate::cell::{Model, ModelMut};

/// Loads what [`save`] wrote: [`Mapping::by_name`] and [`Mapping::load`].
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights;
///
/// let gru = Gru::<3, 8>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let mut copy = Gru::<3, 8>::zeros();
/// weights::load(&mut copy, &weights::save(&gru)?)?;
/// assert_eq!(copy, gru);
/// # Ok::<(), weights::Error>(())
/// ```
///
/// # Errors
/// Lists everything that does not fit; the model is then as it was.
#[cfg(feature = "safetensors")]
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    Mapping::by_name(model).load(model, bytes)
}

/// The parameters and buffers of `model` as a safetensors file, a tensor each, by their own names.
///
/// # Errors
/// Values that are not finite.
#[cfg(feature = "safetensors")]
pub fn save<M: Model>(model: &M) -> Result<Vec<u8>, Error> {
    Mapping::by_name(model).save(model)
}

/// [`load`] from the file at `path`.
///
/// # Errors
/// Those of [`load`], and a file that cannot be read.
#[cfg(all(feature = "std", feature = "safetensors"))]
pub fn load_file<M: ModelMut>(model: &mut M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    Mapping::by_name(model).load_file(model, path)
}

/// [`save`] to the file at `path`.
///
/// # Errors
/// Those of [`save`], and a file that cannot be written.
#[cfg(all(feature = "std", feature = "safetensors"))]
pub fn save_file<M: Model>(model: &M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    Mapping::by_name(model).save_file(model, path)
}
