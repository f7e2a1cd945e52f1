//! `.nam` files: amplifiers and pedals as [Neural Amp Modeler](https://github.com/sdatkinson/neural-amp-modeler) trains
//! and plays them, those of its architecture `LSTM`.
//!
//! Such a model is a stack of [`InitialStateLstm`]s and a [`Dense`] head. A file is a JSON object with the keys `version`,
//! `architecture`, `config` (`input_size`, `hidden_size`, `num_layers`), `weights`, and often `sample_rate` and `metadata`. All
//! weights stand in one array: for each layer the matrix that multiplies `[x, h]`, row by row, its gates below each other in the
//! order `i, f, g, o`; the biases; the initial hidden state; the initial cell state. Then the head's weights and bias.
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
//! let mut state = Layer::<1>::initial_state(&amp); // The file's initial state.
//! let y: SVector<f32, 1> = amp.step(&SVector::<f32, 1>::new(0.1), &mut state);
//! # Ok::<(), rnn_cell::weights::Error>(())
//! ```
//!
//! Where a file's size is known only when it is loaded, [`Family`](super::Family) chooses.
//!
//! # What plays the same, and what does not
//! The trainer exports as the initial state where a second of silence leads, and NeuralAmpModelerCore plays another
//! half second of silence before it starts; the state of such a model has settled by then. A file loaded here starts from the
//! state that it holds. The plug-in may replace `tanh` and `sigmoid` by coarse polynomials ("fast tanh"); here their error is a few
//! units of the last place.
//!
//! Checked against a program in NumPy that follows NeuralAmpModelerCore's `lstm.cpp` line by line, on files of random
//! weights which that program wrote (`tests/weights/fixtures/nam.py`).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use super::error::{Error, Problem, setting};
use super::family::Source;
use super::formats::Format;
use super::json::{Json, document, holds, string};
use super::tensor::{Read, Values, Written};
use super::{Mapping, matrix, vector};
use crate::Scalar;
use crate::cell::{Model, ModelMut};
use crate::cells::{Dense, InitialStateLstm};
use crate::network::Stack;

const FORMAT: Format = Format {
    name: "Neural Amp Modeler",
    is_json: true,
    exporter: Some("the trainer of Neural Amp Modeler exports `.nam` files"),
};

/// A model of one layer: mono in, mono out, `H` units.
pub type OneLayer<const H: usize, T = f32> = Stack<InitialStateLstm<1, H, T>, Dense<H, 1, T>>;

/// A model of two layers.
pub type TwoLayers<const H: usize, T = f32> =
    Stack<Stack<InitialStateLstm<1, H, T>, InitialStateLstm<H, H, T>>, Dense<H, 1, T>>;

/// A model of one layer, all zero.
pub fn one_layer<const H: usize>() -> OneLayer<H> {
    Stack(InitialStateLstm::zeros(), Dense::zeros())
}

/// A model of two layers, all zero.
pub fn two_layers<const H: usize>() -> TwoLayers<H> {
    Stack(Stack(InitialStateLstm::zeros(), InitialStateLstm::zeros()), Dense::zeros())
}

/// What a file says besides the weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// Samples a second.
    pub sample_rate: Option<f64>,
    /// What the model is called.
    pub name: Option<String>,
    /// Loudness of its output for a standard input, in dB.
    pub loudness: Option<f64>,
    /// The level that an input of 0 dBFS stands for, in dBu.
    pub input_level_dbu: Option<f64>,
    /// The level that an output of 0 dBFS stands for, in dBu.
    pub output_level_dbu: Option<f64>,
}

/// Numbers of the metadata, by their keys.
const LEVELS: [&str; 3] = ["loudness", "input_level_dbu", "output_level_dbu"];

/// Layers and units of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    num_layers: usize,
    input_size: usize,
    hidden_size: usize,
    out_channels: usize,
}

impl Sizes {
    /// How many weights there are; more than any file holds where that is no `usize`.
    fn weights(&self) -> usize {
        let [layers, input, hidden, output] =
            [self.num_layers, self.input_size, self.hidden_size, self.out_channels].map(|size| size as u128);
        // Sizes are below 2^53, so that only the last product may be too large.
        let layer = |input: u128| (4 * (input + hidden) + 6) * hidden;
        let total = (layers - 1).checked_mul(layer(hidden)).map(|rest| rest + layer(input));
        let total = total.map(|layers| layers.saturating_add((hidden + 1) * output));
        total.and_then(|total| usize::try_from(total).ok()).unwrap_or(usize::MAX)
    }

    fn told(&self) -> String {
        let mut told = format!("{}x{}", self.num_layers, self.hidden_size);
        if (self.input_size, self.out_channels) != (1, 1) {
            let _ = write!(told, " from {} to {} channels", self.input_size, self.out_channels);
        }
        told
    }

    /// Those of a model that is a stack of LSTMs and a head.
    fn of<M: Model>(model: &M) -> Option<Self> {
        let (last, mut sizes) = (model.depth().checked_sub(1)?, [None; 3]);
        let names = ["0.W_i".to_string(), "0.U_i".to_string(), format!("{last}.W")];
        model.visit(&mut |parameter| {
            if let Some(place) = names.iter().position(|name| name == parameter.name) {
                sizes[place] = Some(parameter.shape.whole);
            }
        });
        let [Some((_, input_size)), Some((_, hidden_size)), Some((out_channels, _))] = sizes else {
            return None;
        };
        Some(Sizes { num_layers: last, input_size, hidden_size, out_channels })
    }
}

/// A `.nam` file that was read: sound in itself, whatever model it fits.
#[derive(Debug, Clone)]
pub struct File {
    version: String,
    info: Info,
    sizes: Sizes,
    weights: Vec<f64>,
}

impl File {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Lists all that is wrong: no JSON, another architecture, a version before 0.5.0 or after 0.7, sizes that are missing or
    /// aren't positive, weights that are not as many as those sizes need. NaN and infinities are no JSON.
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

    /// The version of the format that the file is written in.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the file says besides the weights.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The number of LSTMs.
    pub fn num_layers(&self) -> usize {
        self.sizes.num_layers
    }

    /// The number of units of each LSTM.
    pub fn hidden_size(&self) -> usize {
        self.sizes.hidden_size
    }

    /// Sets every parameter of `model`, a stack of [`InitialStateLstm`]s and a [`Dense`] such as [`OneLayer`].
    ///
    /// # Errors
    /// Sizes that aren't the model's, and values too large for its scalar. The model is then as it was.
    pub fn load<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        let Some(cell) = Sizes::of(model) else {
            let wanted = "the model must be a stack of `InitialStateLstm`s and a `Dense`";
            let problem = setting("config", self.sizes.told(), wanted);
            return mapping(layers(model)).set(model, &[], vec![problem]);
        };
        let sizes =
            |sizes: Sizes| [sizes.num_layers, sizes.input_size, sizes.hidden_size, sizes.out_channels];
        let names = ["num_layers", "input_size", "hidden_size", "out_channels"];
        let pairs = names.into_iter().zip(sizes(self.sizes).into_iter().zip(sizes(cell)));
        let differ = pairs.filter(|(_, (file, cell))| file != cell);
        let problems: Vec<_> =
            differ.map(|(name, (file, cell))| Problem::Size { name: name.to_string(), file, cell }).collect();
        if !problems.is_empty() {
            return Err(Error::loading(problems));
        }
        mapping(self.sizes.num_layers).set(model, &self.tensors(), Vec::new())
    }

    fn from_json(json: &Json) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let version = version(json, &mut problems);
        match json.get("architecture") {
            Some(Json::Text(text)) if **text == *"LSTM" => {}
            other => {
                let found = holds(other);
                // The rest of the file is another architecture's.
                problems.push(setting("architecture", found, "\"LSTM\" can be read"));
                return Err(problems);
            }
        }
        let sizes = sizes(json, &mut problems);
        let weights = match json.get("weights") {
            Some(Json::Numbers(weights)) => &**weights,
            other => {
                let found = holds(other);
                problems.push(setting("weights", found, "it must be an array of numbers"));
                &[]
            }
        };
        if let Some(sizes) = sizes
            && !weights.is_empty()
            && weights.len() != sizes.weights()
        {
            let found = format!("an array of {} numbers", weights.len());
            let wanted = format!("a model of {} has {}", sizes.told(), sizes.weights());
            problems.push(setting("weights", found, &wanted));
        }
        let info = info(json, &mut problems);
        match sizes {
            Some(sizes) if problems.is_empty() => {
                Ok(File { version: version.to_string(), info, sizes, weights: weights.to_vec() })
            }
            _ => Err(problems),
        }
    }

    /// The weights cut into tensors, in the order of their names.
    fn tensors(&self) -> Vec<Read<'_>> {
        let Sizes { num_layers, input_size, hidden_size, out_channels } = self.sizes;
        let mut rest = self.weights.as_slice();
        let mut tensors = Vec::new();
        let mut next = |name: String, shape: Vec<usize>| {
            // `from_json` has counted them.
            let (numbers, after) = rest.split_at(shape.iter().product());
            rest = after;
            tensors.push(Read { name, shape, values: Ok(Values::Numbers(numbers)) });
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
        self.sizes.told()
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        Sizes::of(model).map_or_else(|| "no stack of LSTMs and a head".into(), |sizes| sizes.told())
    }
}

/// Loads the bytes of a file: [`File::read`] and [`File::load`].
///
/// # Errors
/// Those of both; the model is then as it was.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    File::read(bytes)?.load(model)
}

/// `model` as a file, which Neural Amp Modeler plays.
///
/// # Errors
/// A model that is no stack of [`InitialStateLstm`]s and a [`Dense`], values that are not finite in `f32`, in which it is played,
/// and an `info` that isn't finite.
pub fn save<M: Model>(model: &M, info: &Info) -> Result<Vec<u8>, Error> {
    mapping(layers(model)).write(model, |tensors| text(model, tensors, info).map(String::into_bytes))
}

/// [`save`] to the file at `path`.
///
/// # Errors
/// Those of [`save`], and a file that cannot be written.
#[cfg(feature = "std")]
pub fn save_file<M: Model>(model: &M, info: &Info, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    super::path::write(path.as_ref(), || save(model, info))
}

/// The number of LSTMs of a model, if it is a stack of them and a head.
fn layers<M: Model>(model: &M) -> usize {
    model.depth().saturating_sub(1).max(1)
}

/// Where the tensors of a file of so many layers are in a [`Stack`], in the file's order.
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

/// NeuralAmpModelerCore reads from 0.5.0 to 0.7, any patch, and so does this.
fn version<'j>(json: &'j Json, problems: &mut Vec<Problem>) -> &'j str {
    let text = json.get("version").and_then(Json::text);
    let numbers: Option<Vec<u64>> =
        text.map(|text| text.split('.').map_while(|part| part.parse().ok()).take(4).collect());
    if !matches!(numbers.as_deref(), Some([0, 5..=7, _])) {
        let found = holds(json.get("version"));
        problems.push(setting("version", found, "versions from 0.5.0 to 0.7 can be read"));
    }
    text.unwrap_or_default()
}

fn sizes(json: &Json, problems: &mut Vec<Problem>) -> Option<Sizes> {
    let config = json.get("config");
    let before = problems.len();
    let mut size = |name: &str, default: Option<usize>| {
        let value = config.and_then(|config| config.get(name));
        let size = value.map_or(default, Json::size).filter(|&size| size > 0);
        if size.is_none() {
            let found = holds(value);
            problems.push(setting(&format!("config.{name}"), found, "it must be a whole number above 0"));
        }
        size.unwrap_or(1)
    };
    let sizes = Sizes {
        num_layers: size("num_layers", None),
        input_size: size("input_size", None),
        hidden_size: size("hidden_size", None),
        out_channels: size("out_channels", Some(1)),
    };
    let in_channels = size("in_channels", Some(sizes.input_size));
    if problems.len() > before {
        return None;
    }
    if in_channels != sizes.input_size {
        let wanted = format!("it must be input_size, {}", sizes.input_size);
        problems.push(setting("config.in_channels", in_channels.to_string(), &wanted));
    }
    Some(sizes)
}

fn info(json: &Json, problems: &mut Vec<Problem>) -> Info {
    let metadata = json.get("metadata");
    let mut number = |name: &str, value: Option<&Json>| {
        let number = value.and_then(Json::number);
        if let (None, Some(other)) = (number, value) {
            problems.push(setting(name, other.told(), "it must be a number"));
        }
        number
    };
    let sample_rate = number("sample_rate", json.get("sample_rate"));
    let mut level = |key: &str| number(key, metadata.and_then(|metadata| metadata.get(key)));
    let [loudness, input_level_dbu, output_level_dbu] = LEVELS.map(&mut level);
    let name = metadata.and_then(|metadata| metadata.get("name")).and_then(Json::text).map(String::from);
    Info { sample_rate, name, loudness, input_level_dbu, output_level_dbu }
}

/// The document. It is ASCII but for the name.
fn text<M: Model>(
    model: &M,
    tensors: &[Written<'_, M::Scalar>],
    info: &Info,
) -> Result<String, Vec<Problem>> {
    let mut problems = Vec::new();
    let levels = [info.loudness, info.input_level_dbu, info.output_level_dbu];
    for (name, value) in LEVELS.into_iter().zip(levels).chain([("sample_rate", info.sample_rate)]) {
        if let Some(value) = value.filter(|value| !value.is_finite()) {
            problems.push(Problem::NotFinite { name: name.into(), at: vec![], value, count: 1 });
        }
    }
    for Written { name, shape, values } in tensors {
        if let Some(place) = values.iter().position(|value| !(value.as_f64() as f32).is_finite()) {
            let columns = shape.get(1).copied().unwrap_or(1).max(1);
            let (at, value) = ((place / columns, place % columns), values[place].as_f64());
            problems.push(Problem::TooLarge { parameter: name.to_string(), at, value });
        }
    }
    let Some(sizes) = Sizes::of(model).filter(|_| problems.is_empty()) else {
        return Err(problems);
    };

    let mut metadata = String::new();
    let mut entry = |key: &str, value: String| {
        let comma = if metadata.is_empty() { "" } else { ", " };
        let _ = write!(metadata, "{comma}\"{key}\": {value}");
    };
    if let Some(name) = &info.name {
        entry("name", string(name));
    }
    for (key, level) in LEVELS.into_iter().zip(levels) {
        if let Some(level) = level {
            entry(key, format!("{level:?}"));
        }
    }
    let Sizes { num_layers, input_size, hidden_size, out_channels } = sizes;
    let mut text = format!(
        "{{\"version\": \"0.5.4\", \"metadata\": {{{metadata}}}, \"architecture\": \"LSTM\", \
         \"config\": {{\"input_size\": {input_size}, \"hidden_size\": {hidden_size}, \"num_layers\": {num_layers}"
    );
    if (input_size, out_channels) != (1, 1) {
        // As in the version that knows of them, which reads what is above as well.
        let _ = write!(text, ", \"in_channels\": {input_size}, \"out_channels\": {out_channels}");
    }
    text.push_str("}, \"weights\": [");
    // As doubles, whose digits every reader rounds to the same `f32`; Neural Amp Modeler writes them so.
    let weights = tensors.iter().flat_map(|tensor| &tensor.values);
    for (place, weight) in weights.enumerate() {
        let _ = write!(text, "{}{:?}", if place > 0 { ", " } else { "" }, weight.as_f64());
    }
    text.push(']');
    if let Some(rate) = info.sample_rate {
        let _ = write!(text, ", \"sample_rate\": {rate:?}");
    }
    text.push('}');
    Ok(text)
}
