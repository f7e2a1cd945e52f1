//! ONNX models that are a chain of layers: the nodes LSTM, GRU and RNN, and dense layers that
//! consist of Gemm, or of MatMul and Add, optionally followed by Tanh, Relu or Sigmoid. They are
//! read, not written.
//!
//! ```no_run
//! use rnn_cell::cells::{Dense, Lstm};
//! use rnn_cell::prelude::*;
//! use rnn_cell::weights::onnx;
//!
//! let mut net = Stack::new(Lstm::<3, 16>::zeros(), Dense::<16, 2>::zeros());
//! onnx::File::open("net.onnx")?.load(&mut net)?; // or `onnx::load(&mut net, include_bytes!("net.onnx"))`
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! | node | cell |
//! | --- | --- |
//! | LSTM | [`Lstm`](crate::cells::Lstm) |
//! | with peepholes, `P` | [`PeepholeLstm`](crate::cells::PeepholeLstm) |
//! | with `input_forget` | [`CifgLstm`](crate::cells::CifgLstm) |
//! | with initial states that are tensors of the file, not zero, for one sample | [`InitialStateLstm`](crate::cells::InitialStateLstm) |
//! | GRU | [`Gru`](crate::cells::Gru) |
//! | with `linear_before_reset` | [`GruResetAfter`](crate::cells::GruResetAfter) |
//! | RNN | [`Elman`](crate::cells::Elman) |
//! | `bidirectional` | a [`Bidirectional`](crate::network::Bidirectional) of two of them |
//! | `reverse` | one of them, for the caller to run from the last step: [`Layer::reverse`] |
//! | Gemm; MatMul and Add | [`Dense`](crate::cells::Dense); with an activation a cell of your own, [`dense`] |
//!
//! A file with features that no cell supports is rejected. The error lists them all by name:
//! `clip`, other activations, initial states that are computed, weights that are computed,
//! quantised or stored in another file, any other operator.
//!
//! The nodes must be a chain: each layer reads the output of the previous one, and the last output
//! is that of the graph. A side branch, a cycle, a duplicate name or an output from the middle is
//! rejected, with the name of the node. A final state (`Y_h`, `Y_c`) may also be an output, because
//! states belong to the caller here. Dense layers may follow the `Y_h` of a layer that runs in one
//! direction.
//!
//! The reader follows operators that transpose, join or cut the axes of steps and samples
//! (Transpose, Squeeze, Reshape, Slice, Gather ..). Each layer must still read the features of the
//! previous layer, and a recurrent layer must read all of its steps in order. The reader does not
//! check which steps a model returns at its end, nor that a Reshape keeps steps and samples
//! separate, because the file does not contain their numbers.
//!
//! `sequence_lens` must be an input or computed from one. Pass the lengths of a batch's sequences
//! to [`cell::Layer::forward`](crate::cell::Layer::forward).
//!
//! The tests compare this module with ONNX Runtime on files made by `onnx.helper`
//! (`tests/weights/fixtures/make_onnx.py`).

mod dense;
mod graph;
mod layout;
mod operators;
mod proto;
mod reader;
mod recurrent;
mod wire;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::chain::{self, dense_kind, split_layer};
#[cfg(feature = "std")]
use super::disk;
use super::error::{Error, LISTED, Problem, grouped, setting};
use super::family::Source;
use super::mapping::{Mapping, Part, matrix, part, plus, vector};
use super::other_format::check_format;
use super::tensor::{FileTensor, Values};
use crate::cell::{Model, ModelMut};

/// The content of a file. It is consistent, but may not fit a model.
#[derive(Debug, Clone)]
pub struct File {
    layers: Vec<reader::Layer>,
}

impl File {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Lists all mistakes: damage, and every feature that no cell supports.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        Self::read_without(bytes, &[])
    }

    /// Reads the bytes of a file, but ignores operators with these names (`"Softmax"`). The caller
    /// must compute them.
    ///
    /// # Errors
    /// Returns an error if [`read`](Self::read) would fail for a reason other than these operators.
    pub fn read_without(bytes: &[u8], operators: &[&str]) -> Result<Self, Error> {
        check_format(bytes, &graph::FORMAT).map_err(|problem| Error::loading([problem]))?;
        let graph = proto::graph(bytes).map_err(|damage| Error::loading([graph::damaged(damage)]))?;
        Ok(File { layers: graph::layers(graph, operators).map_err(Error::loading)? })
    }

    /// Reads the file at `path`: see [`read`](Self::read).
    ///
    /// # Errors
    /// Returns an error if [`read`](Self::read) fails, or the file cannot be read.
    #[cfg(feature = "std")]
    pub fn open(path: impl AsRef<std::path::Path>) -> Result<Self, Error> {
        disk::read(path.as_ref(), Self::read)
    }

    /// Sets every parameter of `model`, a stack of the cells above in the graph's order.
    ///
    /// # Errors
    /// Lists all mistakes. The model is then unchanged.
    pub fn load<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load_by(&layers(guess_layers(model).into_iter().map(|(layer, ..)| layer)), model)
    }

    /// Loads by a mapping from [`layers`], or a mapping of your own. The tensors of layer 0, an
    /// LSTM, are called `0.lstm.W`, `0.lstm.R` and `0.lstm.B`, like ONNX's inputs, without their
    /// axis of directions. In a bidirectional layer they are called `0.lstm.forward.W` and
    /// `0.lstm.reverse.W`.
    ///
    /// # Errors
    /// Lists all mistakes. The model is then unchanged.
    pub fn load_by<M: ModelMut>(&self, mapping: &Mapping, model: &mut M) -> Result<(), Error> {
        let unread = self.unread(mapping);
        if unread > LISTED {
            let (all, read) = (self.layers.len(), self.layers.len() - unread);
            let file = format!("a chain of {} layers", grouped(all));
            let wanted = format!("the mapping reads {} of them", grouped(read));
            return mapping.set(model, Err(setting("graph", file, &wanted)));
        }
        let all = || self.layers.iter().flat_map(|layer| &layer.tensors);
        let length = |tensor: &reader::Tensor| tensor.rows * tensor.columns.unwrap_or(1);
        let left_out = all().filter(|tensor| tensor.numbers.is_none());
        let zeros = vec![0.0; left_out.map(length).max().unwrap_or(0)];
        let mut tensors = Vec::with_capacity(all().count());
        for (number, layer) in self.layers.iter().enumerate() {
            for tensor in &layer.tensors {
                let numbers = tensor.numbers.as_deref().unwrap_or_else(|| &zeros[..length(tensor)]);
                tensors.push(FileTensor {
                    name: format!("{number}.{}.{}{}", layer.kind, tensor.direction, tensor.name),
                    shape: [tensor.rows].into_iter().chain(tensor.columns).collect(),
                    values: Ok(Values::Numbers(numbers)),
                });
            }
        }
        tensors.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        mapping.set(model, Ok(&tensors)).map_err(|error| error.map(|problem| self.name_cell(problem)))
    }

    /// Counts the layers that a mapping neither reads nor ignores.
    fn unread(&self, mapping: &Mapping) -> usize {
        let number = |name: &str| name.split_once('.').and_then(|(number, _)| number.parse().ok());
        let read: BTreeSet<usize> =
            mapping.tensors.iter().filter_map(|tensor| number(&tensor.name)).collect();
        let is_unread = |&(number, layer): &(usize, &reader::Layer)| {
            let prefix = format!("{number}.{}.", layer.kind);
            let is_ignored =
                |beginning: &String| prefix.starts_with(beginning.as_str()) || beginning.starts_with(&prefix);
            !read.contains(&number) && !mapping.ignored.iter().any(is_ignored)
        };
        self.layers.iter().enumerate().filter(is_unread).count()
    }

    /// Names the cell that has them, if the problem is that the model has no parameters for
    /// peepholes or an initial state.
    fn name_cell(&self, problem: &mut Problem) {
        let Problem::Unexpected { tensor, .. } = problem else { return };
        let number = tensor.split_once('.').and_then(|(number, _)| number.parse::<usize>().ok());
        let Some(layer) = number.and_then(|number| self.layers.get(number)) else { return };
        let file = match tensor.rsplit_once('.').map_or("", |(_, name)| name) {
            "P" => "made of peephole weights",
            "initial_h" | "initial_c" => "an initial state that is not zero",
            _ => return,
        };
        let has = |name: &str| layer.tensors.iter().any(|tensor| tensor.name == name);
        let wanted = match (layer.kind, has("P"), has("initial_h")) {
            ("lstm", true, false) => {
                "the cell must be a `PeepholeLstm`, in a mapping `onnx::peephole_lstm()`"
            }
            ("lstm", false, true) => {
                "the cell must be an `InitialStateLstm`, in a mapping `onnx::initial_state_lstm()`"
            }
            _ => "no ready-made cell has everything in this node: write one, and a mapping for its tensors",
        };
        *problem = setting(tensor, file, wanted);
    }
}

impl Source for File {
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load(model)
    }

    fn sizes(&self) -> String {
        let input = self.layers.first().map_or(0, |layer| layer.input_size);
        sizes(input, self.layers.iter().map(|layer| (layer.kind, layer.size)))
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        let layers = guess_layers(model);
        let input = layers.first().map_or(0, |&(_, _, input)| input);
        sizes(input, layers.iter().map(|(layer, size, _)| (layer.kind.as_str(), *size)))
    }
}

/// Formats the sizes of layers, at most of the first [`LISTED`].
fn sizes<'a>(input: usize, layers: impl ExactSizeIterator<Item = (&'a str, usize)>) -> String {
    let more = layers.len().saturating_sub(LISTED);
    let mut sizes = chain::sizes(input, layers.take(LISTED));
    if more > 0 {
        sizes += &format!(" -> {} more layers", grouped(more));
    }
    sizes
}

/// Loads the bytes of a file: [`File::read`] and [`File::load`].
///
/// # Errors
/// Returns an error if either fails. The model is then unchanged.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    File::read(bytes)?.load(model)
}

/// A layer of a file, for [`layers`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    kind: String,
    mapping: Mapping,
}

impl Layer {
    /// Returns the layer in both directions, whose cell is a
    /// [`Bidirectional`](crate::network::Bidirectional).
    pub fn bidirectional(mut self) -> Self {
        let forward = self.mapping.clone().prefix("forward.").under("forward");
        self.mapping = forward.and(self.mapping.prefix("reverse.").under("reverse"));
        self
    }

    /// Returns the layer in the reverse direction. The caller must run it from the last step to the
    /// first.
    pub fn reverse(mut self) -> Self {
        self.mapping = self.mapping.prefix("reverse.");
        self
    }
}

/// Returns a layer with the tensors W, R and B of gates in ONNX's order.
fn gated<const N: usize>(kind: &str, gates: [&str; N], recurrent_biases: [Part; N]) -> Layer {
    let named = |parameter: &str| gates.map(|gate| format!("{parameter}_{gate}").into());
    let biases: [Part; N] = named("b");
    let mapping = Mapping::new()
        .with(matrix("W").stack::<Part>(named("W")))
        .with(matrix("R").stack::<Part>(named("U")))
        .with(vector("B").stack(biases.into_iter().chain(recurrent_biases)));
    Layer { kind: kind.into(), mapping }
}

/// Returns an LSTM layer, whose cell is [`Lstm`](crate::cells::Lstm).
pub fn lstm() -> Layer {
    gated("lstm", ["i", "o", "f", "g"], ["b_i", "b_o", "b_f", "b_g"].map(plus))
}

/// Returns an LSTM layer with peepholes, whose cell is
/// [`PeepholeLstm`](crate::cells::PeepholeLstm).
pub fn peephole_lstm() -> Layer {
    let Layer { kind, mapping } = lstm();
    Layer { kind, mapping: mapping.with(vector("P").stack(["p_i", "p_o", "p_f"])) }
}

/// Returns an LSTM layer with an initial state, whose cell is
/// [`InitialStateLstm`](crate::cells::InitialStateLstm).
pub fn initial_state_lstm() -> Layer {
    let Layer { kind, mapping } = lstm();
    let mapping = mapping.with(vector("initial_h").stack(["h_0"])).with(vector("initial_c").stack(["c_0"]));
    Layer { kind, mapping }
}

/// Returns an LSTM layer with coupled gates (`input_forget`), whose cell is
/// [`CifgLstm`](crate::cells::CifgLstm).
pub fn coupled_lstm() -> Layer {
    gated("lstm_coupled", ["i", "o", "g"], ["b_i", "b_o", "b_g"].map(plus))
}

/// Returns a GRU layer, whose cell is [`Gru`](crate::cells::Gru).
pub fn gru() -> Layer {
    gated("gru", ["z", "r", "h"], ["b_z", "b_r", "b_h"].map(plus))
}

/// Returns a GRU layer with `linear_before_reset`, whose cell is
/// [`GruResetAfter`](crate::cells::GruResetAfter).
pub fn gru_reset_after() -> Layer {
    gated("gru_reset_after", ["z", "r", "n"], [plus("b_z"), plus("b_r"), "b_hn".into()])
}

/// Returns an RNN layer with tanh, whose cell is [`Elman`](crate::cells::Elman).
pub fn rnn() -> Layer {
    let mapping = Mapping::new()
        .with(matrix("W").stack(["W"]))
        .with(matrix("R").stack(["U"]))
        .with(vector("B").stack([part("b"), plus("b")]));
    Layer { kind: "rnn".into(), mapping }
}

/// Returns a dense layer. With the activation `""` its cell is [`Dense`](crate::cells::Dense). With
/// `"tanh"`, `"relu"` or `"sigmoid"` it is a cell of your own with the same parameters.
pub fn dense(activation: &str) -> Layer {
    Layer {
        kind: dense_kind(activation),
        mapping: Mapping::new().with(matrix("W").stack(["W"])).with(vector("b").stack(["b"])),
    }
}

/// Returns the mapping of a [`Stack`](crate::network::Stack) of layers, for [`File::load_by`].
pub fn layers(layers: impl IntoIterator<Item = Layer>) -> Mapping {
    let layers: Vec<Layer> = layers.into_iter().collect();
    chain::mapping(layers.into_iter().map(|layer| (layer.kind, layer.mapping)))
}

/// Guesses the layers of a stack from the names of its parameters. Returns each layer with the
/// numbers of its outputs and inputs. A cell that is not in the table above counts as dense. A load
/// then reports the parameters that it lacks.
fn guess_layers<M: Model>(model: &M) -> Vec<(Layer, usize, usize)> {
    let depth = model.depth();
    let mut names: Vec<BTreeSet<String>> = vec![BTreeSet::new(); depth];
    let mut sizes: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    model.visit(&mut |parameter| {
        let (number, name) = split_layer(parameter.name, depth);
        let Some(names) = names.get_mut(number) else { return };
        if matches!(name.trim_start_matches("forward."), "W_i" | "W_z" | "W") {
            sizes.insert(number, parameter.shape.whole);
        }
        names.insert(name.to_string());
    });
    let layers = names.into_iter().enumerate().map(|(number, names)| {
        let both = names.iter().any(|name| name.starts_with("reverse."));
        let has = |name: &str| names.contains(name) || names.contains(&format!("forward.{name}"));
        let layer = match () {
            () if has("p_o") => peephole_lstm(),
            () if has("h_0") => initial_state_lstm(),
            () if has("U_o") && has("U_f") => lstm(),
            () if has("U_o") => coupled_lstm(),
            () if has("U_n") => gru_reset_after(),
            () if has("U_r") => gru(),
            () if has("U") => rnn(),
            () => dense(""),
        };
        let (size, input) = sizes.get(&number).copied().unwrap_or_default();
        if both { (layer.bidirectional(), 2 * size, input) } else { (layer, size, input) }
    });
    layers.collect()
}
