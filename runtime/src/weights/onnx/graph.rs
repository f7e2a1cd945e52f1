//! Conversion of the nodes of a graph to a chain of layers with their tensors. Each node comes
//! after the nodes that it reads.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::super::error::{LISTED, Problem, ShortName, grouped, setting};
use super::super::other_format::Format;
use super::proto::{Graph, Node, Operator};
use super::reader::{Layer, Reader, Value, label};
use super::recurrent;
use super::wire::Damage;

pub(super) const FORMAT: Format = Format {
    name: "ONNX",
    is_json: false,
    exporter: Some("`torch.onnx.export` and tf2onnx write ONNX files"),
};

/// Returns the layers of a graph, or all its mistakes. Operators in `without` are skipped.
pub(super) fn layers(graph: Graph<'_>, without: &[&str]) -> Result<Vec<Layer>, Vec<Problem>> {
    let mut reader = Reader::new(graph).map_err(|damage| Vec::from([damaged(damage)]))?;
    let mut unknown: BTreeMap<Operator<'_>, usize> = BTreeMap::new();
    for node in graph.nodes() {
        if !reader.add(node, without) {
            *unknown.entry(node.operator).or_default() += 1;
            reader.give(node, core::iter::repeat(Value::Refused));
        }
    }
    for (&operator, &count) in &unknown {
        let wanted = "no layer can be made from it; `File::read_without` skips it";
        let file =
            if count == 1 { "used by a node".into() } else { format!("used by {} nodes", grouped(count)) };
        reader.report(&ShortName(&operator.to_string()).to_string(), file, wanted);
    }
    reader.check_outputs(graph);
    let unlisted = reader.unlisted;
    if unlisted > 0 {
        let wanted = format!("the first {LISTED} are listed");
        let file = format!("wrong in {} more places", grouped(unlisted));
        reader.problems.push(setting("graph", file, &wanted));
    }
    if reader.problems.is_empty() { Ok(reader.layers) } else { Err(reader.problems) }
}

/// Returns the problem that a file is damaged.
pub(super) fn damaged(damage: Damage) -> Problem {
    Problem::Format { format: FORMAT.name, message: damage.to_string() }
}

impl<'a> Reader<'a> {
    /// Adds a node and reports its mistakes. Returns whether its operator is known.
    fn add(&mut self, node: Node<'a>, without: &[&str]) -> bool {
        if !self.has_inputs(node) {
            self.give(node, core::iter::repeat(Value::Refused));
            return true;
        }
        if without.iter().any(|name| node.operator.is(name)) {
            let value = self.passed_over(node);
            self.give(node, core::iter::repeat(value));
            return true;
        }
        let value = match node.operator.own() {
            "Constant" => self.constant(node),
            "ConstantOfShape" => self.constant_of_shape(node),
            "Shape" => Value::Other,
            "Concat" | "Range" | "Size" => match self.joined(node) {
                Some(value) => value,
                None => return false,
            },
            "Cast" | "Dropout" | "Expand" | "Flatten" | "Gather" | "Identity" | "Reshape" | "Slice"
            | "Squeeze" | "Transpose" | "Unsqueeze" | "Split" => match self.moved(node) {
                Some(value) => value,
                None => return false,
            },
            "LSTM" | "GRU" | "RNN" => {
                let [all, last] = recurrent::add(self, node).unwrap_or([Value::Refused; 2]);
                self.give(node, [all, last, Value::State]);
                return true;
            }
            "Gemm" | "MatMul" => self.dense(node).unwrap_or(Value::Refused),
            "Add" => match self.bias(node) {
                Some(value) => value,
                None => return false,
            },
            "Tanh" | "Relu" | "Sigmoid" => match self.activation(node) {
                Some(value) => value,
                None => return false,
            },
            _ => return false,
        };
        self.give(node, [value]);
        true
    }

    /// Returns whether each input of a node comes from the file, the caller or an earlier node.
    /// Reports the first input that does not.
    fn has_inputs(&mut self, node: Node<'a>) -> bool {
        for name in node.inputs().filter(|name| !name.is_empty()) {
            let (file, wanted) = match self.value(name) {
                None => (
                    "not defined",
                    "it must be an input of the graph, a tensor in the file or the output of an earlier node",
                ),
                Some(Value::Pending) => (
                    "not computed by any earlier node",
                    "nodes must be in the order of computation, without cycles",
                ),
                Some(_) => continue,
            };
            self.report(&format!("{}: {}", label(node), ShortName(name)), file.into(), wanted);
            return false;
        }
        true
    }

    /// Sets the outputs of a node. Outputs beyond `values` cannot be read by a layer.
    fn give(&mut self, node: Node<'a>, values: impl IntoIterator<Item = Value<'a>>) {
        let values = values.into_iter().chain(core::iter::repeat(Value::Other));
        let (mut is_reported, mut is_end) = (false, false);
        for (name, value) in node.outputs().zip(values).filter(|(name, _)| !name.is_empty()) {
            let Some(place) = self.place(name) else { continue };
            let before = core::mem::replace(place, value);
            if !matches!(before, Value::Pending) {
                *place = Value::Refused;
                if core::mem::replace(&mut is_reported, true) {
                    continue;
                }
                let wanted = "each name must be defined once: by a node, a tensor or an input of the graph";
                let name = format!("{}: {}", label(node), ShortName(name));
                self.report(&name, "defined a second time".into(), wanted);
            } else if matches!(value, Value::Data { operations, .. } if operations == self.operations)
                && !core::mem::replace(&mut is_end, true)
            {
                self.end = name;
            }
        }
    }

    /// Reports outputs of the graph that are neither the result of its last layer nor final states.
    fn check_outputs(&mut self, graph: Graph<'a>) {
        if self.layers.is_empty() && self.problems.is_empty() {
            let wanted = "only LSTM, GRU, RNN, Gemm and MatMul can be read";
            self.report("graph", "without layers".into(), wanted);
        }
        if !self.problems.is_empty() {
            return;
        }
        let end = ShortName(self.end);
        let mut has_end = false;
        for name in graph.outputs() {
            match self.value(name) {
                Some(Value::Data { operations, .. }) if operations == self.operations => has_end = true,
                Some(Value::State | Value::Data { state: true, .. }) => {}
                _ => {
                    let wanted = format!("it must be the output of the last layer, here `{end}`, or a state");
                    self.report(&format!("output {}", ShortName(name)), "outside the chain".into(), &wanted);
                }
            }
        }
        if !has_end && self.problems.is_empty() {
            let wanted = format!("`{end}` must be an output of the graph");
            self.report("graph", "without the output of its last layer".into(), &wanted);
        }
    }
}
