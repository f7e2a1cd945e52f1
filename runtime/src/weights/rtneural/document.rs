//! The JSON of a file, read layer by layer.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::chain::dense_kind;
use super::super::error::{LISTED, Problem, Shape, decimal, setting};
use super::super::json::{Field, Json, describe, size};

/// The content of a file besides the layers. AIDA-X adds these keys to RTNeural's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Info {
    /// The sample rate in samples per second.
    pub sample_rate: Option<f64>,
    /// True if the scaled input is added to the output of the layers (`in_skip`).
    pub skip: bool,
    /// The gain of the input, in dB (`in_gain`).
    pub input_gain: f64,
    /// The gain of the output after the input was added, in dB (`out_gain`).
    pub output_gain: f64,
}

/// A tensor of a file.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// The numbers, row by row.
    pub(super) numbers: Vec<f64>,
}

/// A document whose layers have consistent sizes.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) info: Info,
    pub(super) input_size: usize,
    /// The kind of each layer (including the activation of a dense layer) and its size.
    pub(super) layers: Vec<(String, usize)>,
    /// The tensors of all layers, sorted by name.
    pub(super) tensors: Vec<Tensor>,
}

/// The maximum length, in characters, of the name of an activation in the names of tensors.
const ACTIVATION: usize = 20;

impl Document {
    /// Reads a document. Returns its mistakes, about [`LISTED`] of them at most in the layers.
    pub(super) fn read(json: &Json) -> Result<Self, Vec<Problem>> {
        let root = Field::new("", Some(json));
        let mut problems = Vec::new();
        let input_size = last_size(&root.get("in_shape"), "input", &mut problems).unwrap_or(0);
        let info = info(&root, &mut problems);
        let mut document = Document { info, input_size, layers: vec![], tensors: vec![] };
        let field = root.get("layers");
        match field.value {
            Some(Json::Array(layers)) if !layers.is_empty() => {
                for (index, layer) in layers.iter().enumerate() {
                    if problems.len() >= LISTED {
                        let wanted =
                            format!("after so many mistakes, those from {index} on were not checked");
                        problems.push(field.refuse(&wanted));
                        break;
                    }
                    let layer = Field::new(format!("layers[{index}]"), Some(layer));
                    document.add(&layer, &mut problems);
                }
            }
            _ => problems.push(field.refuse("it must be an array of layers")),
        }
        document.tensors.sort_by(|a, b| a.name.cmp(&b.name));
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }

    /// Adds a layer.
    fn add(&mut self, layer: &Field, problems: &mut Vec<Problem>) {
        let activation = layer.get("activation");
        let activation_name = activation.value.map_or(Some(""), Json::text);
        let kind = layer.get("type");
        let variables: &[&str] = match kind.text() {
            Some("lstm" | "gru") => &["kernel", "recurrent_kernel", "bias"],
            Some("dense" | "time-distributed-dense") => &["kernel", "bias"],
            Some("activation") => {
                if !activation_name.is_some_and(|name| self.activate(name)) {
                    let wanted = "it can only be read after a dense layer without one";
                    problems.push(activation.refuse(wanted));
                }
                return;
            }
            _ => {
                let wanted =
                    "only `lstm`, `gru`, `dense`, `time-distributed-dense` and `activation` can be read";
                problems.push(kind.refuse(wanted));
                return;
            }
        };
        let Some(activation_name) = activation_name else {
            problems.push(activation.refuse("it must be a string"));
            return;
        };
        let Some(size) = last_size(&layer.get("shape"), "layer", problems) else { return };
        let kind = match kind.text() {
            Some(recurrent @ ("lstm" | "gru")) => recurrent.to_string(),
            _ => short_dense_kind(activation_name),
        };
        let field = layer.get("weights");
        let weights = match field.value {
            Some(Json::Array(weights)) => &**weights,
            _ => &[],
        };
        if weights.len() != variables.len() {
            let wanted =
                format!("a layer of this type has {} arrays: {}", variables.len(), variables.join(", "));
            problems.push(field.refuse(&wanted));
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
            let field = field.element(variable, value);
            match numbers(value) {
                // After a mistake the sizes are unknown.
                Some((shape, _)) if *variable == "kernel" && shape != sizes && problems.is_empty() => {
                    let wanted = format!("according to `in_shape` and `shape`, it must be {sizes:?}");
                    problems.push(field.refuse_as(Shape(&shape).to_string(), &wanted));
                }
                Some((shape, numbers)) => {
                    self.tensors.push(Tensor { name: format!("{number}.{kind}.{variable}"), shape, numbers });
                }
                None => {
                    problems.push(
                        field.refuse("it must be a vector of numbers or a matrix with rows of equal length"),
                    );
                }
            }
        }
        self.layers.push((kind, size));
    }

    /// Applies an activation, which is a separate layer in the file, to the previous layer if that
    /// is dense. Returns whether that succeeded; an empty activation has no effect and succeeds.
    fn activate(&mut self, activation: &str) -> bool {
        match self.layers.last_mut() {
            _ if activation.is_empty() => true,
            Some((kind, _)) if kind == "dense" => {
                let activated = short_dense_kind(activation);
                // The last two tensors are its kernel and its bias.
                for tensor in self.tensors.iter_mut().rev().take(2) {
                    tensor.name = tensor.name.replacen("dense", &activated, 1);
                }
                *kind = activated;
                true
            }
            _ => false,
        }
    }
}

/// Returns the kind of a dense layer, with the first characters of a long activation.
fn short_dense_kind(activation: &str) -> String {
    dense_kind(&activation.chars().take(ACTIVATION).collect::<String>())
}

/// Returns the last element of a shape such as `[null, null, 8]`. Reports an element that is not a
/// valid size for `of`, the layer or the input.
fn last_size(shape: &Field, of: &str, problems: &mut Vec<Problem>) -> Option<usize> {
    let last = match shape.value {
        Some(Json::Numbers(sizes)) => sizes.last().copied().and_then(size),
        Some(Json::Mixed { last, .. }) => last.size(),
        _ => None,
    };
    let size = last.filter(|&size| size > 0);
    if size.is_none() {
        let last = match shape.value {
            Some(Json::Numbers(sizes)) => sizes.last().copied().map(decimal),
            Some(Json::Mixed { last, .. }) => Some(last.describe()),
            Some(Json::Array(elements)) => elements.last().map(Json::describe),
            _ => None,
        };
        let found =
            last.map_or_else(|| describe(shape.value), |last| format!("an array that ends with {last}"));
        problems.push(shape.refuse_as(found, &format!("its last element must be the {of}'s size")));
    }
    size
}

/// Returns the shape and the numbers of a vector or of a matrix, row by row.
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

fn info(root: &Field, problems: &mut Vec<Problem>) -> Info {
    // AIDA-X writes its sample rate as a string.
    let parse = |value: &Json| match value {
        Json::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        other => other.number(),
    };
    let mut number = |field: Field| field.optional(parse, "it must be a number", problems);
    let metadata = root.get("metadata").get("samplerate").named("samplerate");
    let sample_rate = number(if metadata.value.is_some() { metadata } else { root.get("samplerate") });
    let mut gain = |key: &str| number(root.get(key)).unwrap_or(0.0);
    let [input_gain, output_gain, skip] = ["in_gain", "out_gain", "in_skip"].map(&mut gain);
    if skip != 0.0 && skip != 1.0 {
        problems.push(setting("in_skip", decimal(skip), "only 0 and 1 can be read"));
    }
    Info { sample_rate, skip: skip != 0.0, input_gain, output_gain }
}
