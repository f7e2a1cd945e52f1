//! The nodes LSTM, GRU and RNN: <https://onnx.ai/onnx/operators/onnx__LSTM.html> and the pages of
//! the others.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::ShortName;
use super::layout::{Axis, Layout, order};
use super::proto::{Attribute, Node};
use super::reader::{Layer, Reader, Tensor, Value, label};

/// A recurrent operator.
struct Operator {
    gates: usize,
    /// The default activations of one direction.
    activations: &'static [&'static str],
}

/// Adds the layer of an LSTM, a GRU or an RNN. Returns the meaning of its outputs `Y` and `Y_h`.
/// Reports, by name, every feature that no cell supports.
pub(super) fn add<'a>(reader: &mut Reader<'a>, node: Node<'a>) -> Option<[Value<'a>; 2]> {
    let layout = reader.read(node, 0);
    let name = node.operator.own();
    let operator = match name {
        "LSTM" => Operator { gates: 4, activations: &["sigmoid", "tanh", "tanh"] },
        "GRU" => Operator { gates: 3, activations: &["sigmoid", "tanh"] },
        _ => Operator { gates: 1, activations: &["tanh"] },
    };
    let directions = match node.attribute("direction").map_or(&b"forward"[..], |direction| direction.text) {
        b"forward" => &[""][..],
        b"reverse" => &["reverse."],
        b"bidirectional" => &["forward.", "reverse."],
        _ => {
            let wanted = "only forward, reverse and bidirectional can be read";
            reader.report(&format!("{}: direction", label(node)), "unknown".into(), wanted);
            return None;
        }
    };
    let mut is_sound = refuse(reader, node, &operator, directions.len());
    let order = order(node.flag("layout"));
    if layout.flatten().is_some_and(|layout| !layout.is_sequence(order)) {
        let wanted = match order {
            [Axis::Steps, _] => "it must read all steps of the previous layer as [steps, batch, features]",
            _ => "it must read all steps of the previous layer as [batch, steps, features]",
        };
        reader.report(&label(node), "on other axes".into(), wanted);
        is_sound = false;
    }

    let weights = reader.weight(node, 1, "W");
    let recurrent = reader.weight(node, 2, "R");
    let (Some((w_shape, w)), Some((r_shape, r))) = (weights, recurrent) else { return None };
    let (count, gates) = (directions.len(), operator.gates);
    let sizes = match (w_shape.as_slice(), r_shape.as_slice()) {
        (&[a, rows, inputs], &[b, other, hidden])
            if a == count && b == count && rows == other && hidden > 0 && inputs > 0 =>
        {
            (rows % gates == 0 && rows / gates == hidden).then_some((hidden, inputs))
        }
        _ => None,
    };
    let stated = node.attribute("hidden_size").map(|size| size.integer);
    let Some((hidden, inputs)) = sizes.filter(|&(hidden, _)| stated.is_none_or(|size| size == hidden as i64))
    else {
        let wanted = format!("W must be [{count}, {gates} H, I], R [{count}, {gates} H, H], hidden_size H");
        let found = format!("{w_shape:?} and {r_shape:?}");
        reader.report(&label(node), found, &wanted);
        return None;
    };
    is_sound &= reader.fits(node, layout.flatten(), inputs);

    let coupled = node.flag("input_forget");
    let mut tensors: Vec<Tensor> = Vec::with_capacity(3 * count);
    let mut part = |name: &'static str, rows: usize, columns: Option<usize>, numbers: Option<Vec<f64>>| {
        let coupled = coupled && matches!(name, "W" | "R" | "B");
        let rows_read = if coupled { rows / 4 * 3 } else { rows };
        for (place, direction) in directions.iter().enumerate() {
            let numbers = numbers.as_ref().map(|numbers| {
                let length = numbers.len() / count;
                let own = &numbers[place * length..][..length];
                // A coupled forget gate is one minus the input gate. Its own weights, the third of
                // four blocks, have no effect.
                let block = hidden * columns.unwrap_or(1);
                let kept = own.chunks_exact(block).enumerate().filter(|(gate, _)| !coupled || gate % 4 != 2);
                let mut numbers = Vec::with_capacity(rows_read * columns.unwrap_or(1));
                kept.for_each(|(_, block)| numbers.extend(block));
                numbers
            });
            tensors.push(Tensor { direction, name, rows: rows_read, columns, numbers });
        }
    };
    part("W", gates * hidden, Some(inputs), Some(w));
    part("R", gates * hidden, Some(hidden), Some(r));
    // The numbers of an optional input with `rows` numbers per direction: `Some(None)` if they
    // count as zero, `None` after a mistake.
    let mut optional = |input: usize, name: &str, rows: usize| match reader.input(node, input) {
        None | Some(Value::Zeros) => Some(None),
        Some(_) => {
            let (shape, numbers) = reader.weight(node, input, name)?;
            if numbers.len() == count * rows {
                return Some(Some(numbers));
            }
            let wanted = format!("it must be [{count}, {rows}]");
            reader.report(&format!("{}: {name}", label(node)), format!("{shape:?}"), &wanted);
            None
        }
    };
    match optional(3, "B", 2 * gates * hidden) {
        Some(numbers) => part("B", 2 * gates * hidden, None, numbers),
        None => is_sound = false,
    }
    if gates == 4 {
        match optional(7, "P", 3 * hidden) {
            Some(None) => {}
            Some(numbers) => part("P", 3 * hidden, None, numbers),
            None => is_sound = false,
        }
    }
    // If both states start at zero, as in other cells, there is nothing to load.
    let states = &[(5, "initial_h"), (6, "initial_c")][..if gates == 4 { 2 } else { 1 }];
    let mut starts = Vec::with_capacity(2);
    for &(input, name) in states {
        starts.push(start(reader, node, input, name)?);
    }
    if starts.contains(&true) {
        for (&(input, name), given) in states.iter().zip(starts) {
            let numbers = if given { Some(reader.weight(node, input, name)?) } else { None };
            match numbers {
                Some((shape, numbers)) if numbers.len() != count * hidden => {
                    let wanted = format!("it must be [{count}, 1, {hidden}], for one sample");
                    reader.report(&format!("{}: {name}", label(node)), format!("{shape:?}"), &wanted);
                    is_sound = false;
                }
                numbers => part(name, hidden, None, numbers.map(|(_, numbers)| numbers)),
            }
        }
    }
    if !is_sound {
        return None;
    }
    let kind = match name {
        "LSTM" if coupled => "lstm_coupled",
        "LSTM" => "lstm",
        "GRU" if node.flag("linear_before_reset") => "gru_reset_after",
        "GRU" => "gru",
        _ => "rnn",
    };
    reader.layers.push(Layer { kind, size: count * hidden, input_size: inputs, tensors });
    Some(outputs(reader, order, count))
}

/// Returns the meaning of the outputs `Y` and `Y_h`.
fn outputs<'a>(reader: &mut Reader<'a>, order: [Axis; 2], directions: usize) -> [Value<'a>; 2] {
    let [outer, inner] = order;
    let direction = if directions == 1 { Axis::One } else { Axis::Directions };
    let (all, last) = match outer {
        Axis::Steps => (
            Layout::new(&[outer, direction, inner, Axis::Features]),
            Layout::new(&[direction, inner, Axis::Features]),
        ),
        _ => (
            Layout::new(&[outer, inner, direction, Axis::Features]),
            Layout::new(&[outer, direction, Axis::Features]),
        ),
    };
    let all = reader.operation(Some(all));
    let last = match all {
        // The last steps of the two directions are at opposite ends of the sequence, so they are
        // not one step of `Y`.
        Value::Data { operations, .. } if directions == 1 => {
            Value::Data { operations, state: true, layout: Some(last.cut_to_last()) }
        }
        _ => Value::State,
    };
    [all, last]
}

/// Returns whether an initial state is a constant that must be loaded because it is not zero. An
/// input of the graph is set by the caller here too. Anything else is reported, and the result is
/// `None`.
fn start(reader: &mut Reader<'_>, node: Node<'_>, input: usize, name: &str) -> Option<bool> {
    match reader.input(node, input) {
        None | Some(Value::Zeros | Value::Input | Value::Part) => Some(false),
        Some(Value::Constant { is_zero, .. }) => Some(!is_zero),
        Some(Value::Refused) => None,
        Some(Value::Other | Value::Data { .. } | Value::State | Value::Pending) => {
            let wanted = "it must be a tensor in the file, zeros, or an input of the graph";
            reader.report(&format!("{}: {name}", label(node)), "computed".into(), wanted);
            None
        }
    }
}

/// Reports the features of a node that no cell supports. Returns whether there are none.
fn refuse(reader: &mut Reader<'_>, node: Node<'_>, operator: &Operator, directions: usize) -> bool {
    let mut is_sound = true;
    let lengths = reader.input(node, 4);
    let mut problem = |name: &str, file: String, wanted: &str| {
        reader.report(&format!("{}: {name}", label(node)), file, wanted);
        is_sound = false;
    };
    if let Some(clip) = node.attribute("clip").filter(|clip| clip.float.is_finite()) {
        problem("clip", clip.float.to_string(), "none of this crate's cells clips the input of its gates");
    }
    let default = |given: Attribute<'_>| {
        let count = directions * operator.activations.len();
        let mut given = given.texts();
        let mut wanted = operator.activations.iter().cycle().take(count);
        wanted.all(|wanted| given.next().is_some_and(|text| text.eq_ignore_ascii_case(wanted.as_bytes())))
            && given.next().is_none()
    };
    let given = node.attribute("activations").filter(|given| given.texts().next().is_some());
    if let Some(given) = given.filter(|&given| !default(given)) {
        let names = given.texts().take(6).map(|text| ShortName(&String::from_utf8_lossy(text)).to_string());
        let wanted = format!("only {} can be read, in each direction", operator.activations.join(", "));
        problem("activations", names.collect::<Vec<String>>().join(", "), &wanted);
    }
    if node.flag("input_forget") && operator.gates != 4 {
        problem("input_forget", "1".to_string(), "only an LSTM has it");
    }
    match lengths {
        // The lengths are known to the caller, or are those of the graph's input.
        None | Some(Value::Input | Value::Part | Value::Other | Value::Refused) => {}
        Some(_) => {
            let wanted =
                "it must be left out or be an input of the graph: the caller sets the lengths of sequences";
            problem("sequence_lens", "a constant or computed by a layer".into(), wanted);
        }
    }
    is_sound
}
