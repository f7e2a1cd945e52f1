//! JSON files of [RTNeural](https://github.com/jatinchowdhury18/RTNeural) and of AIDA-X, which builds on it: layers `lstm`,
//! `gru` and `dense` (also `time-distributed-dense`), as RTNeural's Python scripts write them from Keras.
//!
//! A file holds for each layer its type, its activation, its shape and Keras's weights, in [Keras's layouts](super::keras). A
//! GRU is one with `reset_after=True`: [`GruResetAfter`](crate::cells::GruResetAfter).
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
//! let mut net = Stack(Lstm::<1, 1>::zeros(), Dense::<1, 1>::zeros());
//! rtneural::load(&mut net, json.as_bytes())?; // or `include_bytes!("amp.json")`
//! assert_eq!((net.0.W_f[0], net.1.b[0]), (0.2, 0.5));
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # Activations
//! Of an LSTM and a GRU they are fixed, as in RTNeural, whatever the file says. A dense layer's must be the cell's.
//! [`Dense`](crate::cells::Dense) has none; write one that has, and say where it stands:
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
//! let mut net = Stack(Lstm::<1, 1>::zeros(), DenseTanh::<1, 1>::zeros());
//! rtneural::File::read(json.as_bytes())?.load_by(&mapping, &mut net)?;
//! # assert_eq!(net.1.W[0], 2.0);
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! # AIDA-X
//! Its files may also scale the input and the output (in dB) and add the scaled input to what the layers give. That is no
//! weight: [`load`] refuses such a file, so that nobody plays half of it. [`File::read`] tells [what to do](File::info) and loads it.
//!
//! Checked against files and outputs of Keras itself, in float64 (`tests/weights/fixtures/make_keras.py`).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::error::{Error, Problem, Shape, setting};
use super::family::{Source, chain};
use super::formats::Format;
use super::json::{Json, decimal, document, holds, size};
use super::tensor::{Read, Values};
use super::{Mapping, keras};
use crate::cell::{Model, ModelMut};

const FORMAT: Format = Format {
    name: "RTNeural",
    is_json: true,
    exporter: Some("RTNeural's Python scripts write its JSON from Keras and PyTorch models"),
};

/// No more mistakes than about so many are told of one file's layers.
const MISTAKES: usize = 20;

/// What a file says besides the layers: keys of AIDA-X.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// Samples a second.
    pub sample_rate: Option<f64>,
    /// Whether the scaled input is added to what the layers give (`in_skip`).
    pub skip: bool,
    /// What the input is scaled by, in dB (`in_gain`).
    pub input_gain: f64,
    /// What comes out is scaled by, after the input was added, in dB (`out_gain`).
    pub output_gain: f64,
}

/// A tensor of a file.
#[derive(Debug, Clone)]
struct Held {
    name: String,
    shape: Vec<usize>,
    numbers: Vec<f64>,
}

/// A file that was read: sound in itself, whatever model it fits.
#[derive(Debug, Clone)]
pub struct File {
    info: Info,
    input_size: usize,
    /// The type of each layer (a dense one's with its activation) and its size.
    layers: Vec<(String, usize)>,
    /// In the order of their names.
    tensors: Vec<Held>,
}

impl File {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Lists what is wrong, of the layers about 20 mistakes: no JSON, layers of other types, activations elsewhere than at dense
    /// layers, weights that are no matrices and vectors, sizes that contradict them.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let json = document(bytes, &FORMAT).map_err(|problem| Error::loading(vec![problem]))?;
        File::from_json(&json).map_err(Error::loading)
    }

    /// [`read`](Self::read) from the file at `path`.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), and a file that cannot be read.
    #[cfg(feature = "std")]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        super::path::read(path.as_ref(), Self::read)
    }

    /// What the file says besides the layers.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Sets every parameter of `model`, a stack of [`Lstm`](crate::cells::Lstm)s,
    /// [`GruResetAfter`](crate::cells::GruResetAfter)s and [`Dense`](crate::cells::Dense)s in the file's order.
    ///
    /// # Errors
    /// Lists all that doesn't fit; the model is then as it was.
    pub fn load<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load_by(&layers(kinds(model).into_iter().map(|kind| kind.of())), model)
    }

    /// [`load`](Self::load) by a mapping from [`layers`], or of your own: the tensors of layer 2, a dense one with tanh,
    /// are called `2.dense_tanh.kernel` and `2.dense_tanh.bias`.
    ///
    /// # Errors
    /// Lists all that doesn't fit; the model is then as it was.
    pub fn load_by<M: ModelMut>(&self, mapping: &Mapping, model: &mut M) -> Result<(), Error> {
        let tensors = self.tensors.iter().map(|held| Read {
            name: held.name.clone(),
            shape: held.shape.clone(),
            values: Ok(Values::Numbers(&held.numbers)),
        });
        mapping.set(model, &tensors.collect::<Vec<_>>(), Vec::new())
    }

    fn from_json(json: &Json) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let input_size = match json.get("in_shape").and_then(last_size) {
            Some(size) => size,
            None => {
                let found = shape_told(json.get("in_shape"));
                problems.push(setting("in_shape", found, "its last element must be the input's size"));
                0
            }
        };
        let mut file = File { info: info(json, &mut problems), input_size, layers: vec![], tensors: vec![] };
        match json.get("layers") {
            Some(Json::Array(layers)) if !layers.is_empty() => {
                for (place, layer) in layers.iter().enumerate() {
                    if problems.len() >= MISTAKES {
                        let rest = format!("an array of {} elements", layers.len());
                        let wanted =
                            format!("those from {place} on were not looked at, after so many mistakes");
                        problems.push(setting("layers", rest, &wanted));
                        break;
                    }
                    file.add(place, layer, &mut problems);
                }
            }
            other => {
                let found = holds(other);
                problems.push(setting("layers", found, "it must be an array of layers"));
            }
        }
        file.tensors.sort_by(|a, b| a.name.cmp(&b.name));
        if problems.is_empty() { Ok(file) } else { Err(problems) }
    }

    /// Adds the layer at `place` in the document.
    fn add(&mut self, place: usize, layer: &Json, problems: &mut Vec<Problem>) {
        let name = |key: &str| format!("layers[{place}].{key}");
        let told = |key: &str| holds(layer.get(key));
        let activation = layer.get("activation").map_or(Some(""), Json::text);
        let kind = layer.get("type").and_then(Json::text);
        let variables: &[&str] = match kind {
            Some("lstm" | "gru") => &["kernel", "recurrent_kernel", "bias"],
            Some("dense" | "time-distributed-dense") => &["kernel", "bias"],
            Some("activation") => {
                match (self.layers.last_mut(), activation) {
                    (_, Some("")) => {}
                    // A layer of its own, but to us the dense layer's activation.
                    (Some((kind, _)), Some(activation)) if kind == "dense" => {
                        let activated = dense_kind(activation);
                        // Its kernel and its bias, the last ones.
                        for held in self.tensors.iter_mut().rev().take(2) {
                            held.name = held.name.replacen("dense", &activated, 1);
                        }
                        *kind = activated;
                    }
                    _ => problems.push(setting(
                        &name("activation"),
                        told("activation"),
                        "it can be read after a dense layer that has none itself",
                    )),
                }
                return;
            }
            _ => {
                let wanted = "`lstm`, `gru`, `dense`, `time-distributed-dense` and `activation` can be read";
                problems.push(setting(&name("type"), told("type"), wanted));
                return;
            }
        };
        let Some(activation) = activation else {
            problems.push(setting(&name("activation"), told("activation"), "it must be a string"));
            return;
        };
        let Some(size) = layer.get("shape").and_then(last_size) else {
            problems.push(setting(
                &name("shape"),
                shape_told(layer.get("shape")),
                "its last element must be the layer's size",
            ));
            return;
        };
        let kind = match kind {
            Some(recurrent @ ("lstm" | "gru")) => recurrent.to_string(),
            _ => dense_kind(activation),
        };
        let weights = match layer.get("weights") {
            Some(Json::Array(weights)) => &**weights,
            _ => &[],
        };
        if weights.len() != variables.len() {
            let wanted =
                format!("a layer of this type has {} arrays: {}", variables.len(), variables.join(", "));
            problems.push(setting(&name("weights"), told("weights"), &wanted));
            return;
        }
        let number = self.layers.len();
        let input = self.layers.last().map_or(self.input_size, |&(_, size)| size);
        let gates: usize = match kind.as_str() {
            "lstm" => 4,
            "gru" => 3,
            _ => 1,
        };
        let sizes = [input, gates.saturating_mul(size)];
        for (variable, value) in variables.iter().zip(weights) {
            match numbers(value) {
                // What the sizes are is unknown after a mistake.
                Some((shape, _)) if *variable == "kernel" && shape != sizes && problems.is_empty() => {
                    problems.push(setting(
                        &format!("layers[{place}].weights, kernel"),
                        Shape(&shape).to_string(),
                        &format!("by the sizes that `in_shape` and `shape` give it must be {sizes:?}"),
                    ));
                }
                Some((shape, numbers)) => {
                    self.tensors.push(Held { name: format!("{number}.{kind}.{variable}"), shape, numbers });
                }
                None => problems.push(setting(
                    &format!("layers[{place}].weights, {variable}"),
                    value.told(),
                    "it must be a vector or a matrix of numbers, of equal rows",
                )),
            }
        }
        self.layers.push((kind, size));
    }
}

impl Source for File {
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load(model)
    }

    fn sizes(&self) -> String {
        let layers = self.layers.iter().map(|(kind, size)| (kind.as_str(), *size));
        chain(self.input_size, layers)
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        let kinds = kinds(model);
        let input = kinds.first().map_or(0, |kind| kind.size.1);
        chain(input, kinds.iter().map(|kind| (kind.name, kind.size.0)))
    }
}

/// Loads the bytes of a file: [`File::read`] and [`File::load`].
///
/// # Errors
/// Those of both, and a file of AIDA-X that scales or adds its input, which no weight does.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    let file = File::read(bytes)?;
    let Info { skip, input_gain, output_gain, .. } = file.info;
    let wanted = "weights alone don't do that; `File::info` says what to do, and `File::load` loads them";
    let mut problems = Vec::new();
    if skip {
        problems.push(setting("in_skip", "1".into(), wanted));
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

/// An LSTM: [`Lstm`](crate::cells::Lstm).
pub fn lstm() -> Layer {
    Layer { kind: "lstm".into(), mapping: keras::lstm() }
}

/// A GRU: [`GruResetAfter`](crate::cells::GruResetAfter).
pub fn gru() -> Layer {
    Layer { kind: "gru".into(), mapping: keras::gru() }
}

/// A dense layer: with the activation `""` a [`Dense`](crate::cells::Dense), with another a cell with the parameters
/// of one.
pub fn dense(activation: &str) -> Layer {
    let kind = if activation.is_empty() { "dense".into() } else { format!("dense_{activation}") };
    Layer { kind, mapping: keras::dense() }
}

/// The mapping of a [`Stack`](crate::network::Stack) of layers, for [`File::load_by`].
pub fn layers(layers: impl IntoIterator<Item = Layer>) -> Mapping {
    let layers: Vec<Layer> = layers.into_iter().collect();
    let alone = layers.len() == 1;
    layers.into_iter().enumerate().fold(Mapping::new(), |mapping, (number, layer)| {
        let layer = layer.mapping.prefix(&format!("{number}.{}.", layer.kind));
        mapping.and(if alone { layer } else { layer.under(number) })
    })
}

/// A layer of a model, as its parameters tell.
struct Kind {
    name: &'static str,
    /// Outputs and inputs.
    size: (usize, usize),
}

impl Kind {
    fn of(&self) -> Layer {
        match self.name {
            "lstm" => lstm(),
            "gru" => gru(),
            _ => dense(""),
        }
    }
}

/// The layers of a stack. What is none of ours counts as dense, and a load then says which parameters it lacks.
fn kinds<M: Model>(model: &M) -> Vec<Kind> {
    let depth = model.depth();
    let mut kinds: Vec<Kind> = (0..depth).map(|_| Kind { name: "dense", size: (0, 0) }).collect();
    model.visit(&mut |parameter| {
        let (number, name) = match parameter.name.split_once('.') {
            Some((number, name)) if depth > 1 => (number.parse().unwrap_or(depth), name),
            _ => (0, parameter.name),
        };
        let Some(kind) = kinds.get_mut(number) else { return };
        match name {
            "U_o" => kind.name = "lstm",
            "U_n" => kind.name = "gru",
            "W_i" | "W_n" | "W" => kind.size = parameter.shape.whole,
            _ => {}
        }
    });
    kinds
}

/// What a dense layer with an activation is called in the names of its tensors.
fn dense_kind(activation: &str) -> String {
    match activation {
        "" => "dense".into(),
        // The name of none is longer.
        _ => format!("dense_{}", activation.chars().take(20).collect::<String>()),
    }
}

/// The last element of a shape such as `[null, null, 8]`.
fn last_size(shape: &Json) -> Option<usize> {
    let last = match shape {
        Json::Numbers(sizes) => size(*sizes.last()?),
        Json::Mixed { last, .. } => last.size(),
        _ => None,
    };
    last.filter(|&size| size > 0)
}

/// A shape whose last element is no size.
fn shape_told(shape: Option<&Json>) -> String {
    let last = match shape {
        Some(Json::Numbers(sizes)) => sizes.last().copied().map(decimal),
        Some(Json::Mixed { last, .. }) => Some(last.told()),
        Some(Json::Array(elements)) => elements.last().map(Json::told),
        _ => None,
    };
    last.map_or_else(|| holds(shape), |last| format!("an array that ends with {last}"))
}

/// A vector, or a matrix row by row.
fn numbers(value: &Json) -> Option<(Vec<usize>, Vec<f64>)> {
    match value {
        Json::Numbers(numbers) => Some((vec![numbers.len()], numbers.to_vec())),
        Json::Array(rows) => {
            let columns = match rows.first()? {
                Json::Numbers(row) => row.len(),
                _ => return None,
            };
            let mut all = Vec::new();
            for row in rows.iter() {
                match row {
                    Json::Numbers(row) if row.len() == columns => all.extend_from_slice(row),
                    _ => return None,
                }
            }
            Some((vec![rows.len(), columns], all))
        }
        _ => None,
    }
}

fn info(json: &Json, problems: &mut Vec<Problem>) -> Info {
    let mut number = |name: &str, value: Option<&Json>| {
        let number = match value {
            // AIDA-X writes its sample rate as a string.
            Some(Json::Text(text)) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            other => other.and_then(Json::number),
        };
        if let (None, Some(other)) = (number, value) {
            problems.push(setting(name, other.told(), "it must be a number"));
        }
        number
    };
    let metadata = json.get("metadata").and_then(|metadata| metadata.get("samplerate"));
    let sample_rate = number("samplerate", metadata.or_else(|| json.get("samplerate")));
    let mut gain = |key: &str| number(key, json.get(key)).unwrap_or(0.0);
    let [input_gain, output_gain, skip] = ["in_gain", "out_gain", "in_skip"].map(&mut gain);
    if skip != 0.0 && skip != 1.0 {
        problems.push(setting("in_skip", decimal(skip), "0 and 1 can be read"));
    }
    Info { sample_rate, skip: skip != 0.0, input_gain, output_gain }
}
