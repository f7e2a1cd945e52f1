//! JSON files of [RTNeural](https://github.com/jatinchowdhury18/RTNeural) and of AIDA-X, which
//! builds on it. They contain layers `lstm`, `gru` and `dense` (also `time-distributed-dense`), as
//! RTNeural's Python scripts write them from Keras.
//!
//! For each layer a file contains the type, the activation, the shape and Keras's weights in
//! [Keras's layouts](super::keras). A GRU has `reset_after=True`:
//! [`GruResetAfter`](crate::cells::GruResetAfter).
//!
//! ```
//! use rnn_cell::cells::{Dense, Lstm};
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::rtneural;
//!
//! let json = r#"{"in_shape": [null, null, 1], "layers": [
//!     {"type": "lstm", "activation": "", "shape": [null, null, 1],
//!      "weights": [[[0.1, 0.2, 0.3, 0.4]], [[0.5, 0.6, 0.7, 0.8]], [0, 1, 0, 0]]},
//!     {"type": "dense", "activation": "", "shape": [null, null, 1], "weights": [[[2]], [0.5]]}]}"#;
//!
//! let mut net = Stack::new(Lstm::<1, 1>::zeros(), Dense::<1, 1>::zeros());
//! rtneural::load(&mut net, json.as_bytes())?; // or `include_bytes!("amp.json")`
//! assert_eq!((net.0.W_f[0], net.1.b[0]), (0.2, 0.5));
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # Activations
//! An LSTM and a GRU have fixed activations, as in RTNeural, regardless of the file. The activation
//! of a dense layer must be that of the cell. [`Dense`](crate::cells::Dense) has none. To load a
//! layer with an activation, write a cell and name the layer in the mapping:
//!
//! ```
//! use rnn_cell::cells::Lstm;
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::rtneural::{self, dense, lstm};
//!
//! rnn_cell! {
//!     /// `y = tanh(W x + b)`.
//!     pub cell DenseTanh<I, O> {
//!         input x: [I];
//!         param W: [O, I];
//!         param b: [O];
//!         y = tanh(W @ x + b);
//!         output y;
//!     }
//! }
//!
//! let mapping = rtneural::layers([lstm(), dense("tanh")]);
//! # let json = r#"{"in_shape": [null, null, 1], "layers": [
//! #     {"type": "lstm", "activation": "", "shape": [null, null, 1],
//! #      "weights": [[[0.1, 0.2, 0.3, 0.4]], [[0.5, 0.6, 0.7, 0.8]], [0, 1, 0, 0]]},
//! #     {"type": "dense", "activation": "tanh", "shape": [null, null, 1], "weights": [[[2]], [0.5]]}]}"#;
//! let mut net = Stack::new(Lstm::<1, 1>::zeros(), DenseTanh::<1, 1>::zeros());
//! rtneural::File::read(json.as_bytes())?.load_by(&mapping, &mut net)?;
//! # assert_eq!(net.1.W[0], 2.0);
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # AIDA-X
//! Files of AIDA-X may also scale the input and the output (in dB) and add the scaled input to the
//! output of the layers. Weights cannot express that, so [`load`] rejects such a file.
//! [`File::read`] accepts it, and [`File::info`] returns the gains and the flag to apply.
//!
//! The tests compare this module with files and outputs of Keras itself, in float64
//! (`tests/weights/fixtures/make_keras.py`).

mod document;

pub use document::Info;

use alloc::string::String;
use alloc::vec::Vec;

use super::chain::{self, dense_kind, split_layer};
#[cfg(feature = "std")]
use super::disk;
use super::error::{Error, decimal, setting};
use super::family::Source;
use super::json::parse_file;
use super::keras;
use super::mapping::Mapping;
use super::other_format::Format;
use super::tensor::{FileTensor, Values};
use crate::cell::{Model, ModelMut};
use document::Document;

const FORMAT: Format = Format {
    name: "RTNeural",
    is_json: true,
    exporter: Some("RTNeural's Python scripts write its JSON from Keras and PyTorch models"),
};

/// The content of a file. It is consistent, but may not fit a model.
#[derive(Debug, Clone)]
pub struct File {
    document: Document,
}

impl File {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Lists all mistakes, about 20 of them at most in the layers: invalid JSON, layers of other
    /// types, activations that do not follow a dense layer, weights that are not matrices and
    /// vectors, contradictory sizes.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let json = parse_file(bytes, &FORMAT)?;
        Ok(File { document: Document::read(&json).map_err(Error::loading)? })
    }

    /// Reads the file at `path`: see [`read`](Self::read).
    ///
    /// # Errors
    /// Returns an error if [`read`](Self::read) fails, or the file cannot be read.
    #[cfg(feature = "std")]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        disk::read(path.as_ref(), Self::read)
    }

    /// Returns the content of the file besides the layers.
    pub fn info(&self) -> &Info {
        &self.document.info
    }

    /// Sets every parameter of `model`, a stack of [`Lstm`](crate::cells::Lstm)s,
    /// [`GruResetAfter`](crate::cells::GruResetAfter)s and [`Dense`](crate::cells::Dense)s in the
    /// file's order.
    ///
    /// # Errors
    /// Lists all mistakes. The model is then unchanged.
    pub fn load<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load_by(&layers(guess_layers(model).into_iter().map(|guess| guess.layer())), model)
    }

    /// Loads by a mapping from [`layers`], or a mapping of your own. The tensors of layer 2, a
    /// dense one with tanh, are called `2.dense_tanh.kernel` and `2.dense_tanh.bias`.
    ///
    /// # Errors
    /// Lists all mistakes. The model is then unchanged.
    pub fn load_by<M: ModelMut>(&self, mapping: &Mapping, model: &mut M) -> Result<(), Error> {
        let tensors = self.document.tensors.iter().map(|tensor| FileTensor {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            values: Ok(Values::Numbers(&tensor.numbers)),
        });
        mapping.set(model, Ok(&tensors.collect::<Vec<_>>()))
    }
}

impl Source for File {
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load(model)
    }

    fn sizes(&self) -> String {
        let layers = self.document.layers.iter().map(|(kind, size)| (kind.as_str(), *size));
        chain::sizes(self.document.input_size, layers)
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        let layers = guess_layers(model);
        let input = layers.first().map_or(0, |layer| layer.size.1);
        chain::sizes(input, layers.iter().map(|layer| (layer.kind, layer.size.0)))
    }
}

/// Loads the bytes of a file: [`File::read`] and [`File::load`].
///
/// # Errors
/// Returns an error if either fails, or for a file of AIDA-X with a gain or with `in_skip`, which
/// weights cannot express. The model is then unchanged.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    let file = File::read(bytes)?;
    let Info { skip, input_gain, output_gain, .. } = *file.info();
    let wanted = "weights alone don't do that; `File::info` says what to do, and `File::load` loads them";
    let mut problems = Vec::new();
    if skip {
        problems.push(setting("in_skip", "1", wanted));
    }
    for (name, gain) in [("in_gain", input_gain), ("out_gain", output_gain)] {
        if gain != 0.0 {
            problems.push(setting(name, decimal(gain), wanted));
        }
    }
    if problems.is_empty() { file.load(model) } else { Err(Error::loading(problems)) }
}

/// A layer of a file: [`lstm`], [`gru`], [`dense`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    kind: String,
    mapping: Mapping,
}

/// Returns an LSTM layer, whose cell is [`Lstm`](crate::cells::Lstm).
pub fn lstm() -> Layer {
    Layer { kind: "lstm".into(), mapping: keras::lstm() }
}

/// Returns a GRU layer, whose cell is [`GruResetAfter`](crate::cells::GruResetAfter).
pub fn gru() -> Layer {
    Layer { kind: "gru".into(), mapping: keras::gru() }
}

/// Returns a dense layer. With the activation `""` its cell is [`Dense`](crate::cells::Dense). With
/// any other activation it is a cell of your own with the same parameters.
pub fn dense(activation: &str) -> Layer {
    Layer { kind: dense_kind(activation), mapping: keras::dense() }
}

/// Returns the mapping of a [`Stack`](crate::network::Stack) of layers, for [`File::load_by`].
pub fn layers(layers: impl IntoIterator<Item = Layer>) -> Mapping {
    let layers: Vec<Layer> = layers.into_iter().collect();
    chain::mapping(layers.into_iter().map(|layer| (layer.kind, layer.mapping)))
}

/// A layer of a model, guessed from its parameters.
struct Guess {
    kind: &'static str,
    /// The numbers of outputs and inputs.
    size: (usize, usize),
}

impl Guess {
    fn layer(&self) -> Layer {
        match self.kind {
            "lstm" => lstm(),
            "gru" => gru(),
            _ => dense(""),
        }
    }
}

/// Guesses the layers of a stack. A cell that RTNeural does not have counts as dense. A load then
/// reports the parameters that it lacks.
fn guess_layers<M: Model>(model: &M) -> Vec<Guess> {
    let depth = model.depth();
    let mut layers: Vec<Guess> = (0..depth).map(|_| Guess { kind: "dense", size: (0, 0) }).collect();
    model.visit(&mut |parameter| {
        let (number, name) = split_layer(parameter.name, depth);
        let Some(layer) = layers.get_mut(number) else { return };
        match name {
            "U_o" => layer.kind = "lstm",
            "U_n" => layer.kind = "gru",
            "W_i" | "W_n" | "W" => layer.size = parameter.shape.whole,
            _ => {}
        }
    });
    layers
}
