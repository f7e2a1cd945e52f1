//! The JSON of a `.nam` file, read and written.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use super::super::error::{Problem, setting};
use super::super::json::{Field, Json, string};
use super::super::tensor::ModelTensor;
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

/// The sizes of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) num_layers: usize,
    pub(super) input_size: usize,
    pub(super) hidden_size: usize,
    pub(super) out_channels: usize,
}

impl Sizes {
    /// Returns the number of weights, or `usize::MAX` if it overflows.
    fn weights(&self) -> usize {
        let [layers, input, hidden, output] =
            [self.num_layers, self.input_size, self.hidden_size, self.out_channels].map(|size| size as u128);
        // Sizes are below 2^53, so that only the last product can overflow.
        let layer = |input: u128| (4 * (input + hidden) + 6) * hidden;
        let total = (layers - 1).checked_mul(layer(hidden)).map(|rest| rest + layer(input));
        let total = total.map(|layers| layers.saturating_add((hidden + 1) * output));
        total.and_then(|total| usize::try_from(total).ok()).unwrap_or(usize::MAX)
    }

    /// Formats the sizes in a few characters.
    pub(super) fn describe(&self) -> String {
        let mut sizes = format!("{}x{}", self.num_layers, self.hidden_size);
        if (self.input_size, self.out_channels) != (1, 1) {
            let _ = write!(sizes, " from {} to {} channels", self.input_size, self.out_channels);
        }
        sizes
    }

    /// Returns the sizes of a model that is a stack of LSTMs and a head, `None` for any other.
    pub(super) fn of<M: Model>(model: &M) -> Option<Self> {
        let (last, mut sizes) = (model.depth().checked_sub(1)?, [None; 3]);
        let names = ["0.W_i".to_string(), "0.U_i".to_string(), format!("{last}.W")];
        model.visit(&mut |parameter| {
            if let Some(index) = names.iter().position(|name| name == parameter.name) {
                sizes[index] = Some(parameter.shape.whole);
            }
        });
        let [Some((_, input_size)), Some((_, hidden_size)), Some((out_channels, _))] = sizes else {
            return None;
        };
        Some(Sizes { num_layers: last, input_size, hidden_size, out_channels })
    }
}

/// A document with the number of weights that its sizes need.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) version: String,
    pub(super) info: Info,
    pub(super) sizes: Sizes,
    pub(super) weights: Vec<f64>,
}

impl Document {
    /// Reads a document. Returns all mistakes.
    pub(super) fn read(json: &Json) -> Result<Self, Vec<Problem>> {
        let root = Field::new("", Some(json));
        let mut problems = Vec::new();
        let version = version(&root, &mut problems);
        let architecture = root.get("architecture");
        if architecture.text() != Some("LSTM") {
            // The rest of the file belongs to another architecture.
            problems.push(architecture.refuse("only \"LSTM\" can be read"));
            return Err(problems);
        }
        let sizes = sizes(&root.get("config"), &mut problems);
        let field = root.get("weights");
        let weights = match field.value {
            Some(Json::Numbers(weights)) => &**weights,
            _ => {
                problems.push(field.refuse("it must be an array of numbers"));
                &[]
            }
        };
        if let Some(sizes) = sizes
            && !weights.is_empty()
            && weights.len() != sizes.weights()
        {
            let wanted = format!("a model of {} has {}", sizes.describe(), sizes.weights());
            problems.push(field.refuse(&wanted));
        }
        let info = info(&root, &mut problems);
        match sizes {
            Some(sizes) if problems.is_empty() => {
                Ok(Document { version: version.to_string(), info, sizes, weights: weights.to_vec() })
            }
            _ => Err(problems),
        }
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

fn sizes(config: &Field, problems: &mut Vec<Problem>) -> Option<Sizes> {
    let before = problems.len();
    let mut size = |name: &str, default: Option<usize>| {
        let field = config.get(name);
        let size = field.value.map_or(default, Json::size).filter(|&size| size > 0);
        if size.is_none() {
            problems.push(field.refuse("it must be a whole number above 0"));
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
        let wanted = format!("it must equal input_size, {}", sizes.input_size);
        problems.push(setting("config.in_channels", in_channels.to_string(), &wanted));
    }
    Some(sizes)
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
    let levels = [info.loudness, info.input_level_dbu, info.output_level_dbu];
    for (name, value) in LEVELS.into_iter().zip(levels).chain([("sample_rate", info.sample_rate)]) {
        if let Some(value) = value.filter(|value| !value.is_finite()) {
            problems.push(Problem::NotFinite { name: name.into(), at: vec![], value, count: 1 });
        }
    }
    for ModelTensor { name, shape, values } in tensors {
        if let Some(index) = values.iter().position(|value| !(value.as_f64() as f32).is_finite()) {
            let columns = shape.get(1).copied().unwrap_or(1).max(1);
            let (at, value) = ((index / columns, index % columns), values[index].as_f64());
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
        // The version that has these keys reads `input_size` as well.
        let _ = write!(text, ", \"in_channels\": {input_size}, \"out_channels\": {out_channels}");
    }
    text.push_str("}, \"weights\": [");
    // Neural Amp Modeler also writes doubles: every reader rounds their digits to the same `f32`.
    let weights = tensors.iter().flat_map(|tensor| &tensor.values);
    for (index, weight) in weights.enumerate() {
        let _ = write!(text, "{}{:?}", if index > 0 { ", " } else { "" }, weight.as_f64());
    }
    text.push(']');
    if let Some(rate) = info.sample_rate {
        let _ = write!(text, ", \"sample_rate\": {rate:?}");
    }
    text.push('}');
    Ok(text)
}
