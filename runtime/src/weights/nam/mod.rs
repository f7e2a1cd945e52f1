//! `.nam` files of [Neural Amp Modeler](https://github.com/sdatkinson/neural-amp-modeler): models
//! of amplifiers and pedals, of the architecture `LSTM`.
//!
//! Such a model is a stack of [`InitialStateLstm`]s and a [`Dense`] head. A file is a JSON object
//! with the keys `version`, `architecture`, `config` (`input_size`, `hidden_size`, `num_layers`),
//! `weights`, and often `sample_rate` and `metadata`. All weights are in one array. Each layer has
//! the matrix that multiplies `[x, h]`, row by row, with its gates below each other in the order
//! `i, f, g, o`; the biases; the initial hidden state; the initial cell state. The head's weights
//! and bias follow.
//!
//! ```
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::nam;
//!
//! let mut amp = nam::one_layer::<16>(); // Stack<InitialStateLstm<1, 16>, Dense<16, 1>>
//! # amp.0 = rnn_cell::cells::InitialStateLstm::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
//! # let bytes = nam::save(&amp, &nam::Info { sample_rate: Some(48_000.0), ..nam::Info::default() })?;
//! // let bytes = include_bytes!("amp.nam");
//! let file = nam::File::read(&bytes)?; // or `File::open("amp.nam")`
//! assert_eq!(file.info().sample_rate, Some(48_000.0));
//! file.load(&mut amp)?;
//!
//! let mut state = amp.initial_state::<1>(); // The file's initial state.
//! let y: SVector<f32, 1> = amp.step(&SVector::<f32, 1>::new(0.1), &mut state);
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! If a file's size is known only when it is loaded, [`Family`](super::Family) chooses the model.
//!
//! # Differences from NeuralAmpModelerCore
//! The trainer exports the state after a second of silence as the initial state, and
//! NeuralAmpModelerCore plays another half second of silence before it starts, in which the state
//! settles. A model loaded here starts from the state in the file. The plug-in may replace `tanh`
//! and `sigmoid` by coarse polynomials ("fast tanh"); here their error is a few units in the last
//! place.
//!
//! The tests compare this module with a NumPy program that follows NeuralAmpModelerCore's
//! `lstm.cpp` line by line, on files of random weights (`tests/weights/fixtures/nam.py`).

mod document;

pub use document::Info;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

#[cfg(feature = "std")]
use super::disk;
use super::error::{Error, Problem, setting};
use super::family::Source;
use super::json::parse_file;
use super::mapping::{Mapping, matrix, vector};
use super::other_format::Format;
use super::tensor::{FileTensor, Values};
use crate::cell::{Model, ModelMut};
use crate::cells::{Dense, InitialStateLstm};
use crate::network::Stack;
use document::{Document, Sizes, write};

const FORMAT: Format = Format {
    name: "Neural Amp Modeler",
    is_json: true,
    exporter: Some("the trainer of Neural Amp Modeler exports `.nam` files"),
};

/// A model of one layer of `H` units, with one input and one output channel.
pub type OneLayer<const H: usize, T = f32> = Stack<InitialStateLstm<1, H, T>, Dense<H, 1, T>>;

/// A model of two layers of `H` units, with one input and one output channel.
pub type TwoLayers<const H: usize, T = f32> =
    Stack<Stack<InitialStateLstm<1, H, T>, InitialStateLstm<H, H, T>>, Dense<H, 1, T>>;

/// Creates a model of one layer with all parameters zero.
pub fn one_layer<const H: usize>() -> OneLayer<H> {
    Stack(InitialStateLstm::zeros(), Dense::zeros())
}

/// Creates a model of two layers with all parameters zero.
pub fn two_layers<const H: usize>() -> TwoLayers<H> {
    Stack(Stack(InitialStateLstm::zeros(), InitialStateLstm::zeros()), Dense::zeros())
}

/// The content of a `.nam` file. It is consistent, but may not fit a model.
#[derive(Debug, Clone)]
pub struct File {
    document: Document,
}

impl File {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Lists all mistakes: invalid JSON, another architecture, a version before 0.5.0 or after 0.7,
    /// sizes that are missing or not positive, a number of weights that does not fit the sizes. NaN
    /// and infinities are invalid JSON.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let json = parse_file(bytes, &FORMAT)?;
        Ok(File { document: Document::read(&json).map_err(Error::loading)? })
    }

    /// Reads the file at `path`: see [`read`](Self::read).
    ///
    /// # Errors
    /// If [`read`](Self::read) fails, or the file cannot be read.
    #[cfg(feature = "std")]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        disk::read(path.as_ref(), Self::read)
    }

    /// Returns the version of the file's format.
    pub fn version(&self) -> &str {
        &self.document.version
    }

    /// Returns the content of the file besides the weights.
    pub fn info(&self) -> &Info {
        &self.document.info
    }

    /// Returns the number of LSTMs.
    pub fn num_layers(&self) -> usize {
        self.document.sizes.num_layers
    }

    /// Returns the number of units of each LSTM.
    pub fn hidden_size(&self) -> usize {
        self.document.sizes.hidden_size
    }

    /// Sets every parameter of `model`, a stack of [`InitialStateLstm`]s and a [`Dense`] such as
    /// [`OneLayer`].
    ///
    /// # Errors
    /// Lists the sizes that differ from the model's, or the values too large for its scalar. The
    /// model is then unchanged.
    pub fn load<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        let file = self.document.sizes;
        let Some(cell) = Sizes::of(model) else {
            let wanted = "the model must be a stack of `InitialStateLstm`s and a `Dense`";
            return mapping(layers(model)).set(model, Err(setting("config", file.describe(), wanted)));
        };
        let sizes = [
            ("num_layers", file.num_layers, cell.num_layers),
            ("input_size", file.input_size, cell.input_size),
            ("hidden_size", file.hidden_size, cell.hidden_size),
            ("out_channels", file.out_channels, cell.out_channels),
        ];
        let differ = sizes.into_iter().filter(|(_, file, cell)| file != cell);
        let problems: Vec<_> =
            differ.map(|(name, file, cell)| Problem::Size { name: name.to_string(), file, cell }).collect();
        if !problems.is_empty() {
            return Err(Error::loading(problems));
        }
        mapping(file.num_layers).set(model, Ok(&self.tensors()))
    }

    /// Splits the weights into tensors and sorts them by name.
    fn tensors(&self) -> Vec<FileTensor<'_>> {
        let Sizes { num_layers, input_size, hidden_size, out_channels } = self.document.sizes;
        let mut rest = self.document.weights.as_slice();
        let mut tensors = Vec::new();
        let mut next = |name: String, shape: Vec<usize>| {
            // `Document::read` has checked the number of weights.
            let (numbers, after) = rest.split_at(shape.iter().product());
            rest = after;
            tensors.push(FileTensor { name, shape, values: Ok(Values::Numbers(numbers)) });
        };
        for layer in 0..num_layers {
            let columns = if layer == 0 { input_size } else { hidden_size } + hidden_size;
            next(format!("layers.{layer}.weight"), vec![4 * hidden_size, columns]);
            next(format!("layers.{layer}.bias"), vec![4 * hidden_size]);
            next(format!("layers.{layer}.initial_hidden"), vec![hidden_size]);
            next(format!("layers.{layer}.initial_cell"), vec![hidden_size]);
        }
        next("head.weight".into(), vec![out_channels, hidden_size]);
        next("head.bias".into(), vec![out_channels]);
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        tensors
    }
}

impl Source for File {
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load(model)
    }

    fn sizes(&self) -> String {
        self.document.sizes.describe()
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        Sizes::of(model).map_or_else(|| "no stack of LSTMs and a head".into(), |sizes| sizes.describe())
    }
}

/// Loads the bytes of a file: [`File::read`] and [`File::load`].
///
/// # Errors
/// If either fails. The model is then unchanged.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    File::read(bytes)?.load(model)
}

/// Returns `model` as the bytes of a file for Neural Amp Modeler.
///
/// # Errors
/// Reports a model that is not a stack of [`InitialStateLstm`]s and a [`Dense`], values that are
/// not finite in `f32`, the precision of Neural Amp Modeler, and numbers in `info` that are not
/// finite.
pub fn save<M: Model>(model: &M, info: &Info) -> Result<Vec<u8>, Error> {
    mapping(layers(model)).write(model, |tensors| write(model, tensors, info).map(String::into_bytes))
}

/// Saves to the file at `path`: see [`save`].
///
/// # Errors
/// If [`save`] fails, or the file cannot be written.
#[cfg(feature = "std")]
pub fn save_file<M: Model>(model: &M, info: &Info, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    disk::write(path.as_ref(), || save(model, info))
}

/// Returns the number of LSTMs in a model that is a stack of them and a head.
fn layers<M: Model>(model: &M) -> usize {
    model.depth().saturating_sub(1).max(1)
}

/// Returns the mapping of a file with this number of LSTMs to a [`Stack`], in the file's order.
fn mapping(num_layers: usize) -> Mapping {
    let gates = |kind: &str| ["i", "f", "g", "o"].map(|gate| format!("{kind}_{gate}"));
    let layers = (0..num_layers).fold(Mapping::new(), |mapping, layer| {
        let cell = Mapping::new()
            .with(matrix("weight").stack(gates("W")).stack(gates("U")))
            .with(vector("bias").stack(gates("b")))
            .with(vector("initial_hidden").stack(["h_0"]))
            .with(vector("initial_cell").stack(["c_0"]));
        mapping.and(cell.prefix(&format!("layers.{layer}.")).under(layer))
    });
    let head = Mapping::new().with(matrix("weight").stack(["W"])).with(vector("bias").stack(["b"]));
    layers.and(head.prefix("head.").under(num_layers))
}
