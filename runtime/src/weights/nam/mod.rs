//! `.nam` files of [Neural Amp Modeler](https://github.com/sdatkinson/neural-amp-modeler): models
//! of amplifiers and pedals, of the architectures `WaveNet` and `LSTM`, and `SlimmableContainer`s
//! of such models (A2 files).
//!
//! A WaveNet is a [`Stack`](crate::network::Stack) of the cells [`NamStart`], [`NamLayer`],
//! [`NamNext`] and [`NamHead`]; the published sizes are [`Standard`], [`Lite`], [`Feather`],
//! [`Nano`], [`A2`] and [`A2Nano`]. A model of LSTMs is a stack of [`InitialStateLstm`]s and a
//! [`Dense`] head. A file is loaded into any stack of these cells that has its configuration.
//!
//! A file is a JSON object with the keys `version`, `architecture`, `config`, `weights`, and often
//! `sample_rate` and `metadata`. All weights are in one array. For an LSTM, each layer has the
//! matrix that multiplies `[x, h]`, row by row, with its gates below each other in the order
//! `i, f, g, o`; the biases; the initial hidden state; the initial cell state. The head's weights
//! and bias follow. For a WaveNet, each layer array has the weights of its channels; for each layer
//! the convolution, whose fastest index is the tap, its biases, the weights of the condition, and
//! those of the residual with their biases; the weights of the head and perhaps its bias. The scale
//! of the output follows. In a file of several models, `config.submodels` holds a whole file for
//! each model.
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
//! If a file's size is known only when it is loaded, [`published`] or another
//! [`Family`](super::Family) chooses the model.
//!
//! # Differences from NeuralAmpModelerCore
//! The trainer exports the state of an LSTM after a second of silence as the initial state, and
//! NeuralAmpModelerCore plays another half second of silence before it starts, in which the state
//! settles. A model loaded here starts from the state in the file, a WaveNet from zeros. The
//! plug-in may replace `tanh` and `sigmoid` by coarse polynomials ("fast tanh"); here their error
//! is a few units in the last place.
//!
//! Settings that no cell has are errors that name them: FiLM, groups, bottlenecks, additional
//! heads, a model of the condition, and other activations than `Tanh` with three taps, gated or
//! not, and `LeakyReLU` with six or fifteen.
//!
//! The tests compare this module with NumPy programs that follow NeuralAmpModelerCore's `lstm.cpp`
//! and `wavenet.cpp`, and with the crate `nam-rs`, on random weights
//! (`tests/weights/fixtures/make_nam.py`, `make_nam_wavenet.py`).
//!
//! [`NamStart`]: crate::cells::NamStart
//! [`NamLayer`]: crate::cells::NamLayer
//! [`NamNext`]: crate::cells::NamNext
//! [`NamHead`]: crate::cells::NamHead
//! [`InitialStateLstm`]: crate::cells::InitialStateLstm
//! [`Dense`]: crate::cells::Dense

mod document;
mod entry;
mod lstm;
mod models;
mod network;
mod wavenet;

pub use document::Info;
pub use models::*;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

#[cfg(feature = "std")]
use super::disk;
use super::error::{Error, Problem, setting};
use super::family::Source;
use super::json::{Field, Json, parse_file};
use super::other_format::Format;
use super::tensor::{FileTensor, Values};
use crate::cell::{Model, ModelMut};
use document::{Document, document, write};
use network::Network;

const FORMAT: Format = Format {
    name: "Neural Amp Modeler",
    is_json: true,
    exporter: Some("the trainer of Neural Amp Modeler exports `.nam` files"),
};

/// The content of a `.nam` file. It is consistent, but may not fit a model.
#[derive(Debug, Clone)]
pub struct File {
    document: Document,
    submodels: Vec<Submodel>,
}

/// A model in a file of several ones, which differ in size.
#[derive(Debug, Clone)]
pub struct Submodel {
    /// The setting of the size, from 0 to 1, up to which Neural Amp Modeler plays the model.
    pub max_value: f64,
    /// The model.
    pub file: File,
}

impl File {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Lists all mistakes: invalid JSON, another architecture, a version before 0.5.0 or after 0.7,
    /// sizes that are missing or not positive, a setting that no cell has, a number of weights that
    /// does not fit the sizes. NaN and infinities are invalid JSON.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let json = parse_file(bytes, &FORMAT)?;
        Self::of(&Field::new("", Some(&json))).map_err(Error::loading)
    }

    fn of(root: &Field) -> Result<Self, Vec<Problem>> {
        if root.get("architecture").text() != Some("SlimmableContainer") {
            return Ok(File { document: Document::read(root)?, submodels: Vec::new() });
        }
        let list = root.get("config").get("submodels");
        let Some(Json::Array(list)) = list.value.filter(|list| **list != Json::Array([].into())) else {
            return Err(vec![list.refuse("it must be an array of models")]);
        };
        let (mut submodels, mut problems) = (Vec::new(), Vec::new());
        for (index, json) in list.iter().enumerate() {
            let submodel = Field::new(format!("config.submodels[{index}]"), Some(json));
            let max_value = submodel.get("max_value");
            match max_value.value.and_then(Json::number) {
                Some(max_value) => match Document::read(&submodel.get("model")) {
                    Ok(document) => {
                        let file = File { document, submodels: Vec::new() };
                        submodels.push(Submodel { max_value, file });
                    }
                    Err(wrong) => problems.extend(wrong),
                },
                None => problems.push(max_value.refuse("it must be a number")),
            }
        }
        let document =
            Document::of_container(root, submodels.last().map(|last| &last.file.document), &mut problems);
        match document {
            Some(document) if problems.is_empty() => Ok(File { document, submodels }),
            _ => Err(problems),
        }
    }

    /// Reads the file at `path`: see [`read`](Self::read).
    ///
    /// # Errors
    /// Returns an error if [`read`](Self::read) fails, or the file cannot be read.
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

    /// Returns the models of a file of several ones, the smallest first. The file itself has the
    /// network of the last of them, the largest. A file of one model has none.
    pub fn submodels(&self) -> &[Submodel] {
        &self.submodels
    }

    /// Sets every parameter of `model`, a network such as [`OneLayer`] or [`Standard`].
    ///
    /// # Errors
    /// Lists the sizes that differ from the model's, or the values too large for its scalar. The
    /// model is then unchanged.
    pub fn load<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        let network = &self.document.network;
        let Some(of_model) = Network::of(model) else {
            let wanted = match network {
                Network::Lstm(_) => "the model must be a stack of `InitialStateLstm`s and a `Dense`",
                Network::WaveNet(_) => {
                    "the model must be a stack of the cells of a WaveNet, such as `nam::Standard`"
                }
            };
            let mapping = lstm::mapping(lstm::layers(model));
            return mapping.set(model, Err(setting("config", network.describe(), wanted)));
        };
        if let Some(problems) = network.differences(&of_model) {
            return Err(Error::loading(problems));
        }
        let tensors = self.document.tensors();
        let mut tensors: Vec<_> = tensors
            .iter()
            .map(|(entry, values)| FileTensor {
                name: entry.name.clone(),
                shape: entry.shape.clone(),
                values: Ok(Values::Numbers(values)),
            })
            .collect();
        tensors.sort_by(|a, b| a.name.cmp(&b.name));
        network.mapping(model).set(model, Ok(&tensors))
    }
}

impl Source for File {
    fn load_into<M: ModelMut>(&self, model: &mut M) -> Result<(), Error> {
        self.load(model)
    }

    fn sizes(&self) -> String {
        self.document.network.describe()
    }

    fn sizes_of<M: Model>(&self, model: &M) -> String {
        Network::of(model)
            .map_or_else(|| "no network of Neural Amp Modeler".into(), |network| network.describe())
    }
}

/// Loads the bytes of a file: [`File::read`] and [`File::load`].
///
/// # Errors
/// Returns an error if either fails. The model is then unchanged.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    File::read(bytes)?.load(model)
}

/// Returns `model` as the bytes of a file for Neural Amp Modeler.
///
/// # Errors
/// Reports a model that is neither a stack of [`InitialStateLstm`]s and a [`Dense`] nor a stack of
/// the cells of a WaveNet. Also reports values that are not finite in `f32`, the precision of
/// Neural Amp Modeler, and numbers in `info` that are not finite.
///
/// [`InitialStateLstm`]: crate::cells::InitialStateLstm
/// [`Dense`]: crate::cells::Dense
pub fn save<M: Model>(model: &M, info: &Info) -> Result<Vec<u8>, Error> {
    let mapping = match Network::of(model) {
        Some(network) => network.mapping(model),
        None => lstm::mapping(lstm::layers(model)),
    };
    mapping.write(model, |tensors| write(model, tensors, info).map(String::into_bytes))
}

/// Returns saved models, the smallest first, as the bytes of one file. Each comes with the setting
/// of the size, from 0 to 1, up to which Neural Amp Modeler plays it.
///
/// # Errors
/// Reports models that [`File::read`] refuses, and numbers that are not finite.
pub fn save_slimmable(models: &[(f64, &[u8])], info: &Info) -> Result<Vec<u8>, Error> {
    let mut submodels = Vec::new();
    for (index, (max_value, bytes)) in models.iter().enumerate() {
        File::read(bytes)?;
        if !max_value.is_finite() {
            let name = format!("config.submodels[{index}].max_value");
            return Err(Error::saving([Problem::NotFinite {
                name,
                at: vec![],
                value: *max_value,
                count: 1,
            }]));
        }
        let model = String::from_utf8_lossy(bytes);
        submodels.push(format!("{{\"max_value\": {max_value:?}, \"model\": {model}}}"));
    }
    let config = format!("{{\"submodels\": [{}]}}", submodels.join(", "));
    let text = document("0.7.0", "SlimmableContainer", &config, &[], info).map_err(Error::saving)?;
    Ok(text.into_bytes())
}

/// Saves to the file at `path`: see [`save`].
///
/// # Errors
/// Returns an error if [`save`] fails, or the file cannot be written.
#[cfg(feature = "std")]
pub fn save_file<M: Model>(model: &M, info: &Info, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    disk::write(path.as_ref(), || save(model, info))
}
