//! LSTM, GRU and RNN nodes: <https://onnx.ai/onnx/operators/onnx__LSTM.html> and its neighbours.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::error::setting;
use super::graph::{Layer, Reader, Value, label};
use super::proto::{Attribute, Node};

/// A recurrent operator.
struct Operator {
    gates: usize,
    /// Its activations in one direction, by default.
    activations: &'static [&'static str],
}

/// Adds the layer of an LSTM, a GRU or an RNN. Everything that no cell of ours does is told by name.
pub(super) fn add<'a>(reader: &mut Reader<'a>, node: &'a Node<'a>) {
    reader.chained(node);
    let operator = match node.operator.as_str() {
        "LSTM" => Operator { gates: 4, activations: &["sigmoid", "tanh", "tanh"] },
        "GRU" => Operator { gates: 3, activations: &["sigmoid", "tanh"] },
        _ => Operator { gates: 1, activations: &["tanh"] },
    };
    let directions = match node
        .attributes
        .get("direction")
        .map_or(&b"forward"[..], |direction| direction.text)
    {
        b"forward" => &[""][..],
        b"reverse" => &["reverse."],
        b"bidirectional" => &["forward.", "reverse."],
        _ => {
            let wanted = "forward, reverse and bidirectional can be read";
            reader.problems.push(setting(&format!("{}: direction", label(node)), "unknown".into(), wanted));
            return;
        }
    };
    refuse(reader, node, &operator, directions.len());

    let weights = reader.weight(node, 1, "W");
    let recurrent = reader.weight(node, 2, "R");
    let (Some((w_shape, w)), Some((r_shape, r))) = (weights, recurrent) else { return };
    let (count, gates) = (directions.len(), operator.gates);
    let sizes = match (w_shape.as_slice(), r_shape.as_slice()) {
        (&[a, rows, inputs], &[b, other, hidden])
            if a == count && b == count && rows == other && hidden > 0 && inputs > 0 =>
        {
            (rows % gates == 0 && rows / gates == hidden).then_some((hidden, inputs))
        }
        _ => None,
    };
    let stated = node.attributes.get("hidden_size").map(|size| size.integer);
    let Some((hidden, inputs)) = sizes.filter(|&(hidden, _)| stated.is_none_or(|size| size == hidden as i64))
    else {
        let wanted = format!("W must be [{count}, {gates} H, I], R [{count}, {gates} H, H], hidden_size H");
        let found = format!("{} and {}", told(&w_shape), told(&r_shape));
        reader.problems.push(setting(&label(node), found, &wanted));
        return;
    };
    let coupled = flag(node, "input_forget");
    let mut tensors: Vec<(String, Vec<usize>, Vec<f64>)> = Vec::new();
    let mut part = |name: &str, rows: usize, columns: Option<usize>, numbers: Vec<f64>| {
        let length = numbers.len() / count;
        for (direction, numbers) in directions.iter().zip(numbers.chunks_exact(length)) {
            let shape = [rows].into_iter().chain(columns).collect();
            // A coupled gate is one minus the input gate; the weights of its own, the third of four, do nothing.
            let (mut numbers, mut shape): (Vec<f64>, Vec<usize>) = (numbers.to_vec(), shape);
            if coupled && matches!(name, "W" | "R" | "B") {
                let block = hidden * columns.unwrap_or(1);
                let kept = numbers.chunks_exact(block).enumerate().filter(|(gate, _)| gate % 4 != 2);
                numbers = kept.flat_map(|(_, numbers)| numbers).copied().collect();
                shape[0] = shape[0] / 4 * 3;
            }
            tensors.push((format!("{direction}{name}"), shape, numbers));
        }
    };
    part("W", gates * hidden, Some(inputs), w);
    part("R", gates * hidden, Some(hidden), r);
    let mut optional = |reader: &mut Reader<'a>, input: usize, name: &str, rows: usize, zeros: bool| {
        let numbers = match reader.input(node, input) {
            None | Some(Value::Zeros) => zeros.then(|| vec![0.0; count * rows]),
            Some(_) => match reader.weight(node, input, name) {
                Some((shape, numbers)) if numbers.len() == count * rows => Some((shape, numbers).1),
                Some((shape, _)) => {
                    let wanted = format!("it must be [{count}, {rows}]");
                    reader.problems.push(setting(&format!("{}: {name}", label(node)), told(&shape), &wanted));
                    None
                }
                None => None,
            },
        };
        if let Some(numbers) = numbers {
            part(name, rows, None, numbers);
        }
    };
    optional(reader, 3, "B", 2 * gates * hidden, true);
    if gates == 4 {
        optional(reader, 7, "P", 3 * hidden, false);
    }
    // Where both states start at zero, as ours do, nothing is to be loaded.
    let starts: Vec<bool> =
        (5..if gates == 4 { 7 } else { 6 }).map(|input| starts(reader, node, input)).collect();
    if starts.contains(&true) {
        for (input, name) in [(5, "initial_h"), (6, "initial_c")].into_iter().take(starts.len()) {
            let given = starts[input - 5];
            optional(reader, if given { input } else { usize::MAX }, name, hidden, true);
        }
    }
    let kind = match node.operator.as_str() {
        "LSTM" if coupled => "lstm_coupled",
        "LSTM" => "lstm",
        "GRU" if flag(node, "linear_before_reset") => "gru_reset_after",
        "GRU" => "gru",
        _ => "rnn",
    };
    reader.layers.push(Layer { kind: kind.into(), size: count * hidden, input_size: inputs, tensors });
}

fn flag(node: &Node<'_>, name: &str) -> bool {
    node.attributes.get(name).is_some_and(|value| value.integer != 0)
}

fn told(shape: &[usize]) -> String {
    match shape.get(..4) {
        Some(first) if shape.len() > 4 => format!("{first:?} and {} sizes more", shape.len() - 4),
        _ => format!("{shape:?}"),
    }
}

/// Whether an initial state is a constant that isn't zero. One that goes into the graph is the caller's here too.
fn starts(reader: &mut Reader<'_>, node: &Node<'_>, input: usize) -> bool {
    match reader.input(node, input) {
        None | Some(Value::Zeros | Value::Data(None)) => false,
        Some(Value::Constant(place)) => !reader.is_zero(place),
        Some(Value::Other | Value::Data(_)) => {
            let name = format!("{}: {}", label(node), if input == 5 { "initial_h" } else { "initial_c" });
            let wanted = "it must be a tensor in the file, zeros, or an input of the graph";
            reader.problems.push(setting(&name, "computed".into(), wanted));
            false
        }
    }
}

/// Tells what a node asks for that no cell of ours does.
fn refuse(reader: &mut Reader<'_>, node: &Node<'_>, operator: &Operator, directions: usize) {
    let mut problem = |name: &str, file: String, wanted: &str| {
        reader.problems.push(setting(&format!("{}: {name}", label(node)), file, wanted));
    };
    let attribute = |name: &str| node.attributes.get(name);
    if let Some(clip) = attribute("clip").filter(|clip| clip.float.is_finite()) {
        problem("clip", clip.float.to_string(), "no cell of ours clips what goes into its gates");
    }
    let default = |given: &Attribute<'_>| {
        let count = directions * operator.activations.len();
        let wanted = operator.activations.iter().cycle().take(count);
        given.texts.len() == count
            && given
                .texts
                .iter()
                .zip(wanted)
                .all(|(text, wanted)| text.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    if let Some(given) = attribute("activations").filter(|given| !given.texts.is_empty() && !default(given)) {
        let names =
            given.texts.iter().take(6).map(|text| String::from_utf8_lossy(text).chars().take(20).collect());
        let wanted = format!("only {} can be read, in each direction", operator.activations.join(", "));
        problem("activations", names.collect::<Vec<String>>().join(", "), &wanted);
    }
    if flag(node, "input_forget") && node.operator != "LSTM" {
        problem("input_forget", "1".to_string(), "only an LSTM has it");
    }
}
