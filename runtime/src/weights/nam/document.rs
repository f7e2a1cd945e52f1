//! The JSON of a `.nam` file, read and written.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use super::super::error::Problem;
use super::super::json::{Field, Json, string};
use super::super::tensor::ModelTensor;
use super::entry::Entry;
use super::network::Network;
use crate::Scalar;
use crate::cell::Model;

/// The content of a file besides the weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// The sample rate in samples per second.
    pub sample_rate: Option<f64>,
    /// The model's name.
    pub name: Option<String>,
    /// The loudness of the output for a standard input, in dB.
    pub loudness: Option<f64>,
    /// The level of an input of 0 dBFS, in dBu.
    pub input_level_dbu: Option<f64>,
    /// The level of an output of 0 dBFS, in dBu.
    pub output_level_dbu: Option<f64>,
}

/// The keys of the levels in the metadata, in the order of [`Info`].
const LEVELS: [&str; 3] = ["loudness", "input_level_dbu", "output_level_dbu"];

/// A document with the number of weights that its network needs.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) version: String,
    pub(super) info: Info,
    pub(super) network: Network,
    pub(super) weights: Vec<f64>,
}

impl Document {
    /// Reads a document. Returns all mistakes.
    pub(super) fn read(root: &Field) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let version = version(root, &mut problems);
        let network = Network::read(root, &mut problems);
        if network.is_none() && !matches!(root.get("architecture").text(), Some("LSTM" | "WaveNet")) {
            // The rest of the file belongs to another architecture.
            return Err(problems);
        }
        let field = root.get("weights");
        let weights = match field.value {
            Some(Json::Numbers(weights)) => &**weights,
            _ => {
                problems.push(field.refuse("it must be an array of numbers"));
                &[]
            }
        };
        if let Some(network) = &network
            && !weights.is_empty()
            && weights.len() != network.weights()
        {
            let wanted = format!("a model of {} has {}", network.describe(), network.weights());
            problems.push(field.refuse(&wanted));
        }
        let info = info(root, &mut problems);
        let Some(network) = network.filter(|_| problems.is_empty()) else { return Err(problems) };
        Ok(Document { version: version.to_string(), info, network, weights: weights.to_vec() })
    }

    /// Splits the weights into tensors, row by row.
    pub(super) fn tensors(&self) -> Vec<(Entry, Vec<f64>)> {
        let mut rest = self.weights.as_slice();
        let tensors = self.network.entries().into_iter().map(|entry| {
            // `read` has checked the number of weights.
            let (values, after) = rest.split_at(entry.len());
            rest = after;
            let values = entry.from_file(values);
            (entry, values)
        });
        tensors.collect()
    }
}

impl Document {
    /// Returns the document of a file of several models, which has the network of the last one.
    pub(super) fn of_container(
        root: &Field,
        last: Option<&Document>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let version = version(root, problems).to_string();
        let info = info(root, problems);
        let last = last?;
        let info = Info {
            sample_rate: info.sample_rate.or(last.info.sample_rate),
            name: info.name.or_else(|| last.info.name.clone()),
            loudness: info.loudness.or(last.info.loudness),
            input_level_dbu: info.input_level_dbu.or(last.info.input_level_dbu),
            output_level_dbu: info.output_level_dbu.or(last.info.output_level_dbu),
        };
        Some(Document { version, info, ..last.clone() })
    }
}

/// Reads the version, which is from 0.5.0 to 0.7 as in NeuralAmpModelerCore.
fn version<'j>(root: &Field<'j>, problems: &mut Vec<Problem>) -> &'j str {
    let version = root.get("version");
    let numbers: Option<Vec<u64>> =
        version.text().map(|text| text.split('.').map_while(|part| part.parse().ok()).take(4).collect());
    if !matches!(numbers.as_deref(), Some([0, 5..=7, _])) {
        problems.push(version.refuse("only versions from 0.5.0 to 0.7 can be read"));
    }
    version.text().unwrap_or_default()
}

fn info(root: &Field, problems: &mut Vec<Problem>) -> Info {
    let metadata = root.get("metadata");
    let mut number = |field: Field| field.optional(Json::number, "it must be a number", problems);
    let sample_rate = number(root.get("sample_rate"));
    let [loudness, input_level_dbu, output_level_dbu] =
        LEVELS.map(|key| number(metadata.get(key).named(key)));
    let name = metadata.get("name").text().map(String::from);
    Info { sample_rate, name, loudness, input_level_dbu, output_level_dbu }
}

/// Writes the document of a model. It is ASCII except for the name. Returns a problem for each
/// value that a file cannot hold.
pub(super) fn write<M: Model>(
    model: &M,
    tensors: &[ModelTensor<'_, M::Scalar>],
    info: &Info,
) -> Result<String, Vec<Problem>> {
    let mut problems = Vec::new();
    for ModelTensor { name, shape, values } in tensors {
        if let Some(index) = values.iter().position(|value| !(value.as_f64() as f32).is_finite()) {
            let columns = shape.get(1).copied().unwrap_or(1).max(1);
            let (at, value) = ((index / columns, index % columns), values[index].as_f64());
            problems.push(Problem::TooLarge { parameter: name.to_string(), at, value });
        }
    }
    let Some(network) = Network::of(model) else { return Err(problems) };
    let weights: Vec<f64> = network
        .entries()
        .iter()
        .zip(tensors)
        .flat_map(|(entry, tensor)| entry.to_file(&tensor.values))
        .map(Scalar::as_f64)
        .collect();
    let config = network.json(weights.last().copied().unwrap_or(1.0));
    match document(network.version(), network.architecture(), &config, &weights, info) {
        Ok(text) if problems.is_empty() => Ok(text),
        Ok(_) => Err(problems),
        Err(mut all) => {
            all.extend(problems);
            Err(all)
        }
    }
}

/// Writes a document. Returns a problem for each number of `info` that is not finite.
pub(super) fn document(
    version: &str,
    architecture: &str,
    config: &str,
    weights: &[f64],
    info: &Info,
) -> Result<String, Vec<Problem>> {
    let levels = [info.loudness, info.input_level_dbu, info.output_level_dbu];
    let numbers = LEVELS.into_iter().zip(levels).chain([("sample_rate", info.sample_rate)]);
    let problems: Vec<Problem> = numbers
        .filter_map(|(name, value)| {
            let value = value.filter(|value| !value.is_finite())?;
            Some(Problem::NotFinite { name: name.into(), at: vec![], value, count: 1 })
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
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
    let mut text = format!(
        "{{\"version\": \"{version}\", \"metadata\": {{{metadata}}}, \"architecture\": \"{architecture}\", \
         \"config\": {config}, \"weights\": ["
    );
    // Neural Amp Modeler also writes doubles: every reader rounds their digits to the same `f32`.
    for (index, weight) in weights.iter().enumerate() {
        let _ = write!(text, "{}{weight:?}", if index > 0 { ", " } else { "" });
    }
    text.push(']');
    if let Some(rate) = info.sample_rate {
        let _ = write!(text, ", \"sample_rate\": {rate:?}");
    }
    text.push('}');
    Ok(text)
}
