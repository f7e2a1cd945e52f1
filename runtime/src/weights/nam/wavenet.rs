//! WaveNets: their configuration in a file, the models of the same configuration, and the order of
//! their weights.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write;

use super::super::error::Problem;
use super::super::json::{Field, Json, size};
use super::entry::Entry;
use crate::cell::Model;
use crate::cells::{
    NamGatedLayer, NamHead, NamHead16, NamLayer, NamLeakyLayer6, NamLeakyLayer15, NamNext, NamStart,
};

/// The slope of the rectifier of [`NamLeakyLayer6`] for negative arguments.
const SLOPE: f64 = 0.01;

/// The switches of a layer array that no cell has, each with the key inside its object.
const FILMS: [&str; 8] = [
    "conv_pre_film",
    "conv_post_film",
    "input_mixin_pre_film",
    "input_mixin_post_film",
    "activation_pre_film",
    "activation_post_film",
    "layer1x1_post_film",
    "head1x1_post_film",
];

/// The function of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activation {
    Tanh,
    /// `tanh` with a sigmoid gate.
    Gated,
    /// A rectifier of slope 0.01 for negative arguments.
    Leaky,
}

impl Activation {
    /// Returns the number of rows of the convolution for each channel.
    fn rows(self) -> usize {
        if self == Activation::Gated { 2 } else { 1 }
    }
}

/// A layer of a layer array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Convolution {
    taps: usize,
    dilation: usize,
    activation: Activation,
}

/// A layer array.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LayerArray {
    input_size: usize,
    condition_size: usize,
    channels: usize,
    layers: Vec<Convolution>,
    head_size: usize,
    head_taps: usize,
    head_bias: bool,
}

/// The configuration of a WaveNet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WaveNet {
    arrays: Vec<LayerArray>,
}

/// The cells of a WaveNet.
enum Part {
    Start,
    Layer(Activation),
    Next,
    Head,
}

impl Part {
    /// Returns the cell with these equations.
    fn of(equations: &str) -> Option<Self> {
        let cells = [
            (<NamStart<1, 1>>::EQUATIONS, Part::Start),
            (<NamLayer<1, 1, 1>>::EQUATIONS, Part::Layer(Activation::Tanh)),
            (<NamGatedLayer<1, 1, 1>>::EQUATIONS, Part::Layer(Activation::Gated)),
            (<NamLeakyLayer6<1, 1, 1>>::EQUATIONS, Part::Layer(Activation::Leaky)),
            (<NamLeakyLayer15<1, 1, 1>>::EQUATIONS, Part::Layer(Activation::Leaky)),
            (<NamNext<1, 1, 1>>::EQUATIONS, Part::Next),
            (<NamHead<1, 1>>::EQUATIONS, Part::Head),
            (<NamHead16<1, 1>>::EQUATIONS, Part::Head),
        ];
        cells.into_iter().find(|(of_cell, _)| *of_cell == equations).map(|(_, part)| part)
    }
}

impl WaveNet {
    /// Returns the configuration of a model that is a stack of the cells of a WaveNet, `None` for
    /// any other.
    pub(super) fn of<M: Model>(model: &M) -> Option<Self> {
        let mut shapes = Vec::new();
        model.visit(&mut |parameter| shapes.push((parameter.name.to_owned(), parameter.shape.whole)));
        let mut layers = Vec::new();
        model.visit_layers(&mut |layer| layers.push((layer.path.to_owned(), layer.equations, layer.reach)));
        let mut arrays: Vec<LayerArray> = Vec::new();
        let mut is_complete = false;
        for (index, (path, equations, reach)) in layers.iter().enumerate() {
            let shape = |name: &str| {
                let path = format!("{index}.{name}");
                shapes.iter().find(|(name, _)| *name == path).map(|(_, shape)| *shape)
            };
            if *path != index.to_string() || is_complete {
                return None;
            }
            match (Part::of(equations)?, arrays.last_mut()) {
                (Part::Start, None) => {
                    let (channels, inputs) = shape("R")?;
                    arrays.push(LayerArray::starting(inputs, inputs, channels));
                }
                (Part::Layer(activation), Some(array)) => {
                    let taps = shape("K")?.1 / array.channels.max(1);
                    let dilation = reach / taps.saturating_sub(1).max(1);
                    array.layers.push(Convolution { taps, dilation, activation });
                }
                (Part::Next, Some(array)) => {
                    let (channels, _) = shape("H")?;
                    array.head_size = channels;
                    let next = LayerArray::starting(array.channels, array.condition_size, channels);
                    arrays.push(next);
                }
                (Part::Head, Some(array)) => {
                    // The head of several taps is a matrix of channels by taps.
                    array.head_taps = if *reach == 0 { 1 } else { shape("H")?.1 };
                    array.head_bias = true;
                    is_complete = true;
                }
                _ => return None,
            }
        }
        is_complete.then_some(WaveNet { arrays })
    }

    /// Formats the configuration in a few words: the name of a published one, or each array's
    /// channels and dilations.
    pub(super) fn describe(&self) -> String {
        if let Some((name, _)) = PUBLISHED.iter().find(|(_, make)| make() == *self) {
            return format!("WaveNet {name}");
        }
        let mut text = "WaveNet".to_owned();
        for (index, array) in self.arrays.iter().enumerate() {
            let _ = write!(text, "{} {} x [", if index > 0 { "," } else { "" }, array.channels);
            for (index, Convolution { taps, dilation, activation }) in array.layers.iter().enumerate() {
                let taps = if *taps == 3 { String::new() } else { format!("{taps}*") };
                let activation = match activation {
                    Activation::Tanh => "",
                    Activation::Gated => " gated",
                    Activation::Leaky => " leaky",
                };
                let _ = write!(text, "{}{taps}{dilation}{activation}", if index > 0 { " " } else { "" });
            }
            text.push(']');
            if array.condition_size != 1 {
                let _ = write!(text, " of {} channels", array.condition_size);
            }
            if array.head_taps != 1 {
                let _ = write!(text, " and a head of {} taps", array.head_taps);
            }
        }
        text
    }

    /// Returns the number of weights of a file, or `usize::MAX` if it overflows.
    pub(super) fn weights(&self) -> usize {
        let product =
            |sizes: &[usize]| sizes.iter().fold(1, |product: usize, size| product.saturating_mul(*size));
        let mut total: usize = 1;
        for array in &self.arrays {
            let LayerArray { input_size, condition_size, channels, .. } = *array;
            let mut add = |sizes: &[usize]| total = total.saturating_add(product(sizes));
            add(&[channels, input_size]);
            for Convolution { taps, activation, .. } in &array.layers {
                let rows = channels.saturating_mul(activation.rows());
                add(&[rows, channels, *taps]);
                add(&[rows, condition_size.saturating_add(1)]);
                add(&[channels, channels.saturating_add(1)]);
            }
            add(&[array.head_size, channels, array.head_taps]);
            add(&[array.head_size * usize::from(array.head_bias)]);
        }
        total
    }

    /// Returns the tensors in the order of a file, which is that of the model's parameters.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let (mut entries, mut cell) = (Vec::new(), 0);
        let mut add = |cell: usize, name: &str, shape: Vec<usize>, taps: usize| {
            entries.push(Entry { taps, ..Entry::new(format!("{cell}.{name}"), shape) });
        };
        for (index, array) in self.arrays.iter().enumerate() {
            let LayerArray { input_size, condition_size, channels, head_size, head_taps, .. } = *array;
            add(cell, "R", vec![channels, input_size], 1);
            for Convolution { taps, activation, .. } in &array.layers {
                cell += 1;
                let rows = channels * activation.rows();
                add(cell, "K", vec![rows, taps * channels], *taps);
                add(cell, "b", vec![rows], 1);
                add(cell, "M", vec![rows, condition_size], 1);
                add(cell, "R", vec![channels, channels], 1);
                add(cell, "r", vec![channels], 1);
            }
            cell += 1;
            let is_last = index + 1 == self.arrays.len();
            let shape = if head_taps > 1 { [channels, head_taps] } else { [head_size, channels] };
            add(cell, "H", shape.to_vec(), 1);
            if is_last {
                add(cell, "b", vec![head_size], 1);
                add(cell, "a", vec![], 1);
            }
        }
        entries
    }

    /// Returns the version of the format that a file of this configuration needs.
    pub(super) fn version(&self) -> &'static str {
        if self.is_classic() { "0.5.4" } else { "0.7.0" }
    }

    fn is_classic(&self) -> bool {
        self.arrays.iter().all(|array| {
            array.head_taps == 1 && array.layers.iter().all(|layer| layer.activation != Activation::Leaky)
        })
    }

    /// Returns the JSON of the configuration.
    pub(super) fn json(&self, head_scale: f64) -> String {
        let is_classic = self.is_classic();
        let arrays: Vec<String> = self.arrays.iter().map(|array| array.json(is_classic)).collect();
        format!("{{\"layers\": [{}], \"head\": null, \"head_scale\": {head_scale:?}}}", arrays.join(", "))
    }

    /// Reads the configuration of a file. Reports all mistakes.
    pub(super) fn read(config: &Field, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        for (key, name) in
            [("head", "a head after all layer arrays"), ("condition_dsp", "a model of the condition")]
        {
            let field = config.get(key);
            if field.value.is_some() {
                problems.push(field.refuse(&format!("no cell computes {name}")));
            }
        }
        let layers = config.get("layers");
        let arrays = match layers.value {
            Some(Json::Array(arrays)) if !arrays.is_empty() => &**arrays,
            _ => {
                problems.push(layers.refuse("it must be an array of layer arrays"));
                return None;
            }
        };
        let arrays: Vec<Option<LayerArray>> = arrays
            .iter()
            .enumerate()
            .map(|(index, json)| {
                let field = Field::new(format!("{}[{index}]", layers.name()), Some(json));
                LayerArray::read(&field, index + 1 == arrays.len(), problems)
            })
            .collect();
        let arrays = arrays.into_iter().collect::<Option<Vec<_>>>().filter(|_| problems.len() == before)?;
        let mut wanted = LayerArray::starting(arrays[0].condition_size, arrays[0].condition_size, 0);
        let in_channels = config.get("in_channels");
        if in_channels.value.is_some() && in_channels.value.and_then(Json::size) != Some(wanted.input_size) {
            problems
                .push(in_channels.refuse(&format!("it must equal condition_size, {}", wanted.input_size)));
        }
        for (index, array) in arrays.iter().enumerate() {
            let next = arrays.get(index + 1);
            let pairs = [
                ("input_size", array.input_size, wanted.input_size),
                ("condition_size", array.condition_size, wanted.condition_size),
                ("head_size", array.head_size, next.map_or(1, |next| next.channels)),
            ];
            for (name, size, wanted) in pairs.into_iter().filter(|(_, size, wanted)| size != wanted) {
                let field = Field::new(format!("{}[{index}].{name}", layers.name()), None);
                problems.push(field.refuse_as(size.to_string(), &format!("it must be {wanted} here")));
            }
            wanted.input_size = array.channels;
        }
        (problems.len() == before).then_some(WaveNet { arrays })
    }
}

impl LayerArray {
    /// Returns a layer array without layers.
    fn starting(input_size: usize, condition_size: usize, channels: usize) -> Self {
        let layers = Vec::new();
        LayerArray {
            input_size,
            condition_size,
            channels,
            layers,
            head_size: 1,
            head_taps: 1,
            head_bias: false,
        }
    }

    fn read(field: &Field, is_last: bool, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut size = |field: Field| {
            let size = field.value.and_then(Json::size).filter(|size| *size > 0);
            if size.is_none() {
                problems.push(field.refuse("it must be a whole number above 0"));
            }
            size.unwrap_or(1)
        };
        let mut array = LayerArray::starting(
            size(field.get("input_size")),
            size(field.get("condition_size")),
            size(field.get("channels")),
        );
        let head = field.get("head");
        (array.head_size, array.head_taps) = match head.value {
            Some(_) => (size(head.get("out_channels")), size(head.get("kernel_size"))),
            None => (size(field.get("head_size")), 1),
        };
        let head_bias = if head.value.is_some() { head.get("bias") } else { field.get("head_bias") };
        array.head_bias = head_bias.value == Some(&Json::Flag(true));
        if array.head_bias != is_last {
            let wanted = "only the head of the last layer array has a bias, and it must have one";
            problems.push(head_bias.refuse(wanted));
        }
        if !matches!((array.head_taps, is_last), (1, _) | (16, true)) {
            problems.push(head.get("kernel_size").refuse("it must be 1, or 16 in the last layer array"));
        }
        array.refuse_switches(field, problems);
        array.layers = Convolution::read(field, problems);
        (problems.len() == before).then_some(array)
    }

    /// Reports the switches that no cell has.
    fn refuse_switches(&self, field: &Field, problems: &mut Vec<Problem>) {
        let mut want = |field: Field, wanted: &Json, words: &str| {
            if field.value.is_some_and(|value| value != wanted) {
                problems.push(field.refuse(words));
            }
        };
        let one = Json::Number(1.0);
        let channels = Json::Number(self.channels as f64);
        want(field.get("bottleneck"), &channels, "no cell has a bottleneck: it must equal channels");
        for key in ["groups_input", "groups_input_mixin"] {
            want(field.get(key), &one, "no cell has groups of channels: it must be 1");
        }
        want(field.get("layer1x1").get("groups"), &one, "no cell has groups of channels: it must be 1");
        want(field.get("layer1x1").get("active"), &Json::Flag(true), "all cells have this product");
        want(field.get("head1x1").get("active"), &Json::Flag(false), "no cell has this product");
        for key in FILMS {
            let film = field.get(key);
            match film.value {
                None | Some(Json::Flag(false)) => {}
                Some(Json::Object(_)) if film.get("active").value == Some(&Json::Flag(false)) => {}
                _ => problems.push(film.refuse("no cell has this modulation")),
            }
        }
    }

    fn json(&self, is_classic: bool) -> String {
        let LayerArray { input_size, condition_size, channels, head_size, head_taps, head_bias, .. } = *self;
        let list = |value: &dyn Fn(&Convolution) -> String| {
            self.layers.iter().map(value).collect::<Vec<_>>().join(", ")
        };
        let dilations = list(&|layer| layer.dilation.to_string());
        let mut text = format!(
            "{{\"input_size\": {input_size}, \"condition_size\": {condition_size}, \"channels\": {channels}, \
             \"dilations\": [{dilations}], "
        );
        let gates = |layer: &Convolution| layer.activation == Activation::Gated;
        let is_gated = self.layers.iter().all(gates) && !self.layers.is_empty();
        if is_classic && (is_gated || !self.layers.iter().any(gates)) {
            let _ = write!(
                text,
                "\"head_size\": {head_size}, \"kernel_size\": 3, \"activation\": \"Tanh\", \
                 \"gated\": {is_gated}, \"head_bias\": {head_bias}}}"
            );
            return text;
        }
        let taps = list(&|layer| layer.taps.to_string());
        let activations = list(&|layer| match layer.activation {
            Activation::Leaky => format!("{{\"type\": \"LeakyReLU\", \"negative_slope\": {SLOPE}}}"),
            _ => "{\"type\": \"Tanh\"}".to_owned(),
        });
        let modes = list(&|layer| format!("\"{}\"", if gates(layer) { "gated" } else { "none" }));
        let second = list(&|layer| if gates(layer) { "\"Sigmoid\"" } else { "null" }.to_owned());
        let _ = write!(
            text,
            "\"bottleneck\": {channels}, \"kernel_sizes\": [{taps}], \"activation\": [{activations}], \
             \"gating_mode\": [{modes}], \"secondary_activation\": [{second}], \
             \"head\": {{\"out_channels\": {head_size}, \"kernel_size\": {head_taps}, \"bias\": {head_bias}}}, \
             \"head1x1\": {{\"active\": false, \"out_channels\": 1, \"groups\": 1}}, \
             \"layer1x1\": {{\"active\": true, \"groups\": 1}}, "
        );
        for key in FILMS {
            let _ = write!(text, "\"{key}\": {{\"active\": false, \"shift\": true, \"groups\": 1}}, ");
        }
        text.push_str("\"groups_input\": 1, \"groups_input_mixin\": 1}");
        text
    }
}

impl Convolution {
    /// Reads the layers of an array. A setting is one value for all layers, or a list.
    fn read(field: &Field, problems: &mut Vec<Problem>) -> Vec<Self> {
        let dilations = field.get("dilations");
        let sizes: Option<Vec<usize>> = match dilations.value {
            Some(Json::Numbers(numbers)) => {
                numbers.iter().map(|number| size(*number).filter(|size| *size > 0)).collect()
            }
            _ => None,
        };
        let Some(sizes) = sizes else {
            problems.push(dilations.refuse("it must be an array of whole numbers above 0"));
            return Vec::new();
        };
        let taps = match field.get("kernel_sizes") {
            Field { value: None, .. } => field.get("kernel_size"),
            sizes => sizes,
        };
        let modes = field.get("gating_mode");
        let (activation, second) = (field.get("activation"), field.get("secondary_activation"));
        for list in [&taps, &modes, &activation, &second] {
            let length = list.value.and_then(length);
            if length.is_some_and(|length| length != sizes.len()) {
                problems.push(list.refuse(&format!("there are {} layers", sizes.len())));
                return Vec::new();
            }
        }
        let before = problems.len();
        let mut layers = Vec::new();
        for (index, dilation) in sizes.into_iter().enumerate() {
            let taps_here = match taps.value {
                Some(Json::Numbers(numbers)) => size(numbers[index]),
                value => value.and_then(Json::size),
            };
            let Some(function) = Function::of(entry(&activation, index)) else {
                problems.push(activation.refuse("only \"Tanh\" and \"LeakyReLU\" of slope 0.01 can be read"));
                break;
            };
            let is_gated = match entry(&modes, index).map(Json::text) {
                None => field.get("gated").value == Some(&Json::Flag(true)),
                Some(Some("none")) => false,
                Some(Some("gated")) => true,
                Some(_) => {
                    problems.push(modes.refuse("only \"none\" and \"gated\" can be read"));
                    break;
                }
            };
            let of_gate = entry(&second, index).filter(|value| **value != Json::Null);
            if is_gated && of_gate.is_some_and(|of_gate| of_gate.text() != Some("Sigmoid")) {
                problems.push(second.refuse("the gate must be \"Sigmoid\""));
                break;
            }
            let (taps, activation) = match (function, is_gated, taps_here) {
                (Function::Tanh, false, Some(3)) => (3, Activation::Tanh),
                (Function::Tanh, true, Some(3)) => (3, Activation::Gated),
                (Function::Leaky, false, Some(taps @ (6 | 15))) => (taps, Activation::Leaky),
                (Function::Leaky, true, _) => {
                    problems.push(activation.refuse("a gated layer must have \"Tanh\""));
                    break;
                }
                _ => {
                    problems.push(taps.refuse("it must be 3 for \"Tanh\", 6 or 15 for \"LeakyReLU\""));
                    break;
                }
            };
            layers.push(Convolution { taps, dilation, activation });
        }
        if layers.is_empty() && problems.len() == before {
            problems.push(dilations.refuse("it must have at least one entry"));
        }
        layers
    }
}

/// Returns the entry of a list for a layer, or a setting that is the same for all layers.
fn entry<'j>(field: &Field<'j>, index: usize) -> Option<&'j Json> {
    match field.value {
        Some(Json::Array(entries)) => entries.get(index),
        value => value,
    }
}

/// Returns the length of a list.
fn length(value: &Json) -> Option<usize> {
    match value {
        Json::Numbers(numbers) => Some(numbers.len()),
        Json::Array(entries) => Some(entries.len()),
        Json::Mixed { length, .. } => Some(*length),
        _ => None,
    }
}

/// A function in a file.
enum Function {
    Tanh,
    Leaky,
}

impl Function {
    /// Reads the function of a layer: a name, or an object with its name as `type`.
    fn of(value: Option<&Json>) -> Option<Self> {
        let value = value?;
        let slope = value.get("negative_slope").map_or(Some(SLOPE), Json::number);
        match value.text().or_else(|| value.get("type").and_then(Json::text))? {
            "Tanh" => Some(Function::Tanh),
            // Exporters write the slope in single precision.
            "LeakyReLU" if slope.is_some_and(|slope| (slope - SLOPE).abs() < 1e-8) => Some(Function::Leaky),
            _ => None,
        }
    }
}

/// The name of models that the trainer publishes, and a function that returns their configuration.
type Published = (&'static str, fn() -> WaveNet);

/// The published configurations.
const PUBLISHED: [Published; 6] = [
    ("standard", || classic(16, 8, [&TEN, &TEN])),
    ("lite", || classic(12, 6, [&SEVEN, &THIRTEEN])),
    ("feather", || classic(8, 4, [&SEVEN, &THIRTEEN])),
    ("nano", || classic(4, 2, [&SEVEN, &THIRTEEN])),
    ("A2", || a2(8)),
    ("A2 nano", || a2(3)),
];

const TEN: [usize; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const SEVEN: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
const THIRTEEN: [usize; 13] = [128, 256, 512, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

fn classic(first: usize, second: usize, dilations: [&[usize]; 2]) -> WaveNet {
    let layers = |dilations: &[usize]| -> Vec<Convolution> {
        let layer =
            |dilation: &usize| Convolution { taps: 3, dilation: *dilation, activation: Activation::Tanh };
        dilations.iter().map(layer).collect()
    };
    let start =
        LayerArray { layers: layers(dilations[0]), head_size: second, ..LayerArray::starting(1, 1, first) };
    let end = LayerArray {
        layers: layers(dilations[1]),
        head_bias: true,
        ..LayerArray::starting(first, 1, second)
    };
    WaveNet { arrays: vec![start, end] }
}

fn a2(channels: usize) -> WaveNet {
    let layer =
        |taps: usize| move |dilation: usize| Convolution { taps, dilation, activation: Activation::Leaky };
    let six = [1, 3, 7, 17, 41, 101, 239];
    let layers = six.into_iter().chain(six).map(layer(6)).chain([1, 13].map(layer(15)));
    let layers = layers.chain(six.map(layer(6))).collect();
    let array = LayerArray { layers, head_taps: 16, head_bias: true, ..LayerArray::starting(1, 1, channels) };
    WaveNet { arrays: vec![array] }
}
