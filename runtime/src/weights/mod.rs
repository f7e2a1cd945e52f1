//! Weight files: safetensors, with the names and layouts of PyTorch, of Keras, of your own program
//! or of this library; and the files of other programs, each behind a feature.
//!
//! | to read and write | use | feature |
//! | --- | --- | --- |
//! | the state of a stream | [`load_state`], [`save_state`] and the same with `_file` | `safetensors` |
//! | several models, states and tensors in one file | [`Writer`], [`Reader`] | `safetensors` |
//! | this library's own files | [`load`], [`save`], [`load_file`], [`save_file`] | `safetensors` |
//! | `torch.nn.LSTM`, `GRU`, `RNN`, `Linear` | the [mappings](Mapping) of [`torch`] | `safetensors` |
//! | Keras's `LSTM`, `GRU`, `SimpleRNN`, `Dense` | the mappings of [`keras`] | `safetensors` |
//! | any other safetensors file | a mapping that you write | `safetensors` |
//! | WaveNets and LSTMs of Neural Amp Modeler (`.nam`) | `nam` | `nam` |
//! | LSTM, GRU and RNN nodes of ONNX (read only) | `onnx` | `onnx` |
//! | JSON of RTNeural and AIDA-X (read only) | `rtneural` | `rtneural` |
//!
//! A [`Mapping`] describes which tensor of a file holds which parameters, in which order and
//! orientation. The same mapping reads and writes. Each tensor is a [`matrix`], a [`vector`] or a
//! [`scalar`] that consists of parts of parameters.
//!
//! ```
//! use rnn_cell::cells::PeepholeLstm;
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::{Mapping, matrix, plus, vector};
//!
//! // A program with the gates in the order f, i, o, g, the columns of the input and of the hidden
//! // state in one matrix, and two biases.
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
//! // A cell of another size: the error lists all mistakes, and the cell is unchanged.
//! let error = mapping.load(&mut PeepholeLstm::<3, 16>::zeros(), &file).unwrap_err();
//! assert_eq!(error.problems().len(), 4);
//! assert!(error.to_string().contains("`gates` is [32, 11] in the file, [64, 19] in the cell"));
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # Parts of a file, parts of a network
//! The parameters of a network have paths (`0.forward.W_i`, see [`network`](crate::network)), and
//! the tensors of a file often have a prefix. [`under`](Mapping::under) and
//! [`prefix`](Mapping::prefix) add them, [`and`](Mapping::and) joins mappings,
//! [`ignoring`](Mapping::ignoring) permits other tensors in the file, and
//! [`without_bias`](Mapping::without_bias) describes a file without biases. To load only a part of
//! a network, load into that part (`&mut net.0`).
//!
//! ```
//! use rnn_cell::cells::{Dense, GruResetAfter};
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::torch;
//!
//! // class Net(nn.Module): self.gru = nn.GRU(3, 8, num_layers=2); self.head = nn.Linear(8, 2)
//! let mapping = torch::layers(torch::gru(), 2)
//!     .prefix("gru.")
//!     .and(torch::linear().prefix("head.").under(2))
//!     .ignoring("optimizer.");
//!
//! let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
//! let gru = Stack::new(GruResetAfter::<3, 8>::init(&mut rng), GruResetAfter::<8, 8>::init(&mut rng));
//! let mut net = Stack::new(gru, Dense::<8, 2>::init(&mut rng));
//! let file = mapping.save(&net)?;
//! mapping.load(&mut net, &file)?;
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # The library's own format
//! [`save`] writes each parameter and each buffer as the tensor of its path. A matrix has the shape
//! `[rows, columns]`, whatever its size; it is one tensor even if its declaration was a sum, as
//! `[H, H + I]`. A parameter `[H]` is a vector `[n]`, and a parameter `[]` a scalar `[]`. In
//! Python: `safetensors.numpy.load_file("net.safetensors")["0.forward.W_i"]`.
//!
//! # Precision
//! Files of `F16`, `BF16`, `F32` and `F64` load into cells of `f32` and of `f64`. An `F64` file is
//! rounded to nearest in an `f32` cell; all other conversions are exact. Sums are computed in
//! double precision and rounded once. A cell is saved in its own precision.
//!
//! # Errors
//! A load checks names, shapes, types and values before it changes the model. Values must be
//! finite. One [`Error`] lists all mistakes. A mistake in a whole layer (its prefix, its path, its
//! cell, its size) is listed once.
//!
//! Files of other formats are recognised, and the message explains what to do: archives and pickles
//! of PyTorch, NumPy and Keras, HDF5, compressed files, text in UTF-16, Git LFS pointers, HTML
//! pages. A UTF-8 byte-order mark before JSON is skipped.
//!
//! A damaged file of any format is an error, never a panic. Reading it takes at most a constant
//! times its size in memory, and the message has a bounded length. A duplicate key in a JSON object
//! counts as damage.

// Each module imports only from the ones above it:
//
// 1. `error`: mistakes and their messages
// 2. `tensor`: the tensors of a file and of a model; `parameters`: the parameters of a model
// 3. `mapping`: which tensor holds which parameters; `torch`, `keras`: ready mappings
// 4. `apply`: loading and saving by a mapping, and the mistakes that either can find
// 5. `other_format`, `json`, `disk`, `chain`: code that several formats share; `family`: models of
//    several sizes, from which a file chooses one
// 6. `safetensors`, `nam`, `rtneural`, `onnx`: one format each. In `safetensors`, `format` is below
//    `writer` and `reader`, and these below `state`

mod apply;
#[cfg(any(feature = "onnx", feature = "rtneural"))]
mod chain;
#[cfg(feature = "std")]
pub(crate) mod disk;
mod error;
mod family;
#[cfg(any(feature = "nam", feature = "rtneural", feature = "safetensors"))]
mod json;
pub mod keras;
mod mapping;
#[cfg(feature = "nam")]
pub mod nam;
#[cfg(feature = "onnx")]
pub mod onnx;
mod other_format;
mod parameters;
#[cfg(feature = "rtneural")]
pub mod rtneural;
#[cfg(feature = "safetensors")]
mod safetensors;
mod tensor;
pub mod torch;

pub use error::{Error, Problem};
pub use family::{Family, Player, Source};
pub use mapping::{Mapping, Part, Tensor, matrix, part, plus, scalar, vector};
#[cfg(feature = "safetensors")]
pub use safetensors::{Reader, Writer, load, load_state, save, save_state};
#[cfg(all(feature = "std", feature = "safetensors"))]
pub use safetensors::{load_file, load_state_file, save_file, save_state_file};
