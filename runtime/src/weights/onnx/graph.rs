//! From the nodes of a graph to a chain of layers with their tensors.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::super::error::{Problem, setting};
use super::proto::{self, Graph, Node, Tensor};
use super::recurrent;

/// A layer of the chain.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// `lstm`, `gru_reset_after`, `dense_tanh` and so on; the directions of a recurrent one after it.
    pub(super) kind: String,
    pub(super) size: usize,
    pub(super) input_size: usize,
    /// What the layer's tensors are called in it, their shapes and numbers.
    pub(super) tensors: Vec<(String, Vec<usize>, Vec<f64>)>,
}

/// What a name of the graph stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A tensor of the file, by its place.
    Constant(usize),
    /// Zeros of some shape.
    Zeros,
    /// Numbers that are no layer's: shapes, lengths.
    Other,
    /// What comes out of a layer, up to its order and shape; of none, what goes into the graph.
    Data(Option<usize>),
}

/// How often the tensors of a file may be read, on average.
const SHARED: usize = 4;

/// Operators that hand on their first input's numbers, in another order or shape.
const PLUMBING: [&str; 12] = [
    "Cast",
    "Dropout",
    "Expand",
    "Flatten",
    "Gather",
    "Identity",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
    "Split",
];

pub(super) struct Reader<'a> {
    tensors: Vec<Tensor>,
    /// Which of the tensors are all zero.
    zero: Vec<bool>,
    /// How many numbers layers may still be made of: a tensor that many nodes read must not fill the memory.
    budget: usize,
    values: BTreeMap<&'a str, Value>,
    pub(super) layers: Vec<Layer>,
    pub(super) problems: Vec<Problem>,
}

/// The layers of a graph, or all that can't be mapped. Operators in `without` are passed over.
pub(super) fn layers(graph: Graph<'_>, without: &[&str]) -> Result<Vec<Layer>, Vec<Problem>> {
    let Graph { nodes, tensors } = graph;
    let names: Vec<String> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
    let mut reader = Reader {
        tensors: vec![],
        zero: vec![],
        budget: 0,
        values: BTreeMap::new(),
        layers: vec![],
        problems: vec![],
    };
    for (tensor, name) in tensors.into_iter().zip(&names) {
        let place = reader.hold(tensor);
        if reader.values.insert(name, Value::Constant(place)).is_some() {
            let message = "two tensors have one name".to_string();
            return Err(vec![Problem::Format { format: super::FORMAT, message }]);
        }
    }
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for node in &nodes {
        if !reader.add(node, without) {
            *unknown.entry(&node.operator).or_default() += 1;
        }
    }
    for (operator, count) in unknown {
        let wanted = "no layer can be made of it; `File::read_without` passes it over";
        let file = if count == 1 { "in a node".into() } else { format!("in {count} nodes") };
        reader.problems.push(setting(&shortened(operator), file, wanted));
    }
    if reader.layers.is_empty() && reader.problems.is_empty() {
        let wanted = "LSTM, GRU, RNN, Gemm and MatMul can be read";
        reader.problems.push(setting("graph", "without layers".into(), wanted));
    }
    if reader.problems.is_empty() { Ok(reader.layers) } else { Err(reader.problems) }
}

/// A name of a file, cut where it is long.
fn shortened(name: &str) -> String {
    name.chars().take(60).collect()
}

/// What a node is called in messages.
pub(super) fn label(node: &Node<'_>) -> String {
    let name = if node.name.is_empty() { node.outputs.first().copied().unwrap_or("") } else { node.name };
    format!("{} {}", node.operator, shortened(name))
}

impl<'a> Reader<'a> {
    /// Whether the operator is known; what is wrong with a known one is told in `problems`.
    fn add(&mut self, node: &'a Node<'a>, without: &[&str]) -> bool {
        let first = self.input(node, 0);
        let operator = node.operator.as_str();
        let value = match operator {
            "Constant" => self.constant(node),
            "ConstantOfShape" => match node.attributes.get("value").and_then(|value| value.tensor) {
                None => Value::Zeros,
                Some(bytes) => match proto::tensor(bytes) {
                    Ok(Tensor { numbers: Ok(numbers), .. })
                        if numbers.iter().all(|&number| number == 0.0) =>
                    {
                        Value::Zeros
                    }
                    _ => Value::Other,
                },
            },
            "Shape" => Value::Other,
            "Concat" | "Range" | "Size" => {
                let other = |input| !matches!(self.input(node, input), Some(Value::Data(_)));
                if !(0..node.inputs.len()).all(other) {
                    return false;
                }
                match (0..node.inputs.len())
                    .all(|input| matches!(self.input(node, input), Some(Value::Zeros)))
                {
                    true => Value::Zeros,
                    false => Value::Other,
                }
            }
            _ if PLUMBING.contains(&operator) || without.contains(&operator) => match first {
                Some(Value::Constant(place)) if operator != "Identity" => match self.is_zero(place) {
                    true => Value::Zeros,
                    false => Value::Other,
                },
                Some(value) => value,
                None => Value::Other,
            },
            "LSTM" | "GRU" | "RNN" => {
                recurrent::add(self, node);
                Value::Data(self.layers.len().checked_sub(1))
            }
            "Gemm" | "MatMul" => {
                self.dense(node);
                Value::Data(self.layers.len().checked_sub(1))
            }
            "Add" => return self.bias(node),
            "Tanh" | "Relu" | "Sigmoid" => return self.activation(node),
            _ => return false,
        };
        self.outputs(node, value);
        true
    }

    /// Keeps a tensor; its place.
    fn hold(&mut self, tensor: Tensor) -> usize {
        self.zero.push(matches!(&tensor.numbers, Ok(numbers) if numbers.iter().all(|&number| number == 0.0)));
        self.budget += tensor.numbers.as_ref().map_or(0, |numbers| SHARED * numbers.len());
        self.tensors.push(tensor);
        self.tensors.len() - 1
    }

    pub(super) fn is_zero(&self, place: usize) -> bool {
        self.zero[place]
    }

    fn outputs(&mut self, node: &'a Node<'a>, value: Value) {
        for output in node.outputs.iter().filter(|output| !output.is_empty()) {
            self.values.insert(output, value);
        }
    }

    /// What an input stands for, if the node has it. What nothing computes goes into the graph.
    pub(super) fn input(&self, node: &Node<'_>, input: usize) -> Option<Value> {
        let name = node.inputs.get(input).filter(|name| !name.is_empty())?;
        Some(self.values.get(name).copied().unwrap_or(Value::Data(None)))
    }

    fn constant(&mut self, node: &'a Node<'a>) -> Value {
        match node.attributes.get("value").and_then(|value| value.tensor).map(proto::tensor) {
            Some(Ok(tensor)) => Value::Constant(self.hold(tensor)),
            Some(Err(message)) => {
                let message = message.to_string();
                self.problems.push(Problem::Format { format: super::FORMAT, message });
                Value::Other
            }
            None => Value::Other,
        }
    }

    /// A tensor that a layer is made of: its shape and its numbers. If it is none, that is told.
    pub(super) fn weight(
        &mut self,
        node: &Node<'_>,
        input: usize,
        what: &str,
    ) -> Option<(Vec<usize>, Vec<f64>)> {
        let problem = match self.input(node, input) {
            Some(Value::Constant(place)) => match &self.tensors[place] {
                Tensor { shape, numbers: Ok(numbers), .. } => match self.budget.checked_sub(numbers.len()) {
                    Some(budget) => {
                        self.budget = budget;
                        return Some((shape.clone(), numbers.clone()));
                    }
                    None => "one of tensors that many nodes share".into(),
                },
                Tensor { numbers: Err(reason), .. } => reason.clone(),
            },
            Some(_) => "computed".into(),
            None => "missing".into(),
        };
        let wanted = "it must be a tensor of FLOAT or DOUBLE in the file";
        self.problems.push(setting(&format!("{}: {what}", label(node)), problem, wanted));
        None
    }

    /// Checks that a layer reads what the layer before it gives.
    pub(super) fn chained(&mut self, node: &Node<'_>) -> bool {
        let before = self.layers.len().checked_sub(1);
        let fits = matches!(self.input(node, 0), Some(Value::Data(from)) if from == before);
        if !fits && self.problems.is_empty() {
            let wanted = "the layers must be a chain, each reading what the one before gives";
            self.problems.push(setting(&label(node), "beside another layer".into(), wanted));
        }
        fits
    }

    /// `y = x B`, and what a `Gemm` adds.
    fn dense(&mut self, node: &'a Node<'a>) {
        self.chained(node);
        let gemm = node.operator == "Gemm";
        let attribute = |name: &str| node.attributes.get(name);
        let scaled =
            ["alpha", "beta"].iter().any(|name| attribute(name).is_some_and(|value| value.float != 1.0));
        if gemm && (scaled || attribute("transA").is_some_and(|value| value.integer != 0)) {
            let wanted = "alpha and beta must be 1, transA 0";
            self.problems.push(setting(&label(node), "scaled or turned".into(), wanted));
        }
        let Some((shape, numbers)) = self.weight(node, 1, "weights") else { return };
        let (&[rows, columns], false) = (shape.as_slice(), numbers.is_empty()) else {
            self.problems.push(setting(
                &label(node),
                "no matrix".into(),
                "its weights must be [rows, columns]",
            ));
            return;
        };
        let turned = gemm && attribute("transB").is_some_and(|value| value.integer != 0);
        let (size, input_size) = if turned { (rows, columns) } else { (columns, rows) };
        let weights = if turned {
            numbers
        } else {
            (0..numbers.len()).map(|k| numbers[k % rows * columns + k / rows]).collect()
        };
        let mut tensors = vec![("W".to_string(), vec![size, input_size], weights)];
        if self.input(node, 2).is_some() {
            let Some((shape, numbers)) = self.weight(node, 2, "bias") else { return };
            if numbers.len() == size && shape.last() == Some(&size) {
                tensors.push(("b".into(), vec![size], numbers));
            } else {
                let wanted = format!("it must be [{size}]");
                self.problems.push(setting(
                    &format!("{}: bias", label(node)),
                    "of another shape".into(),
                    &wanted,
                ));
            }
        }
        self.layers.push(Layer { kind: "dense".into(), size, input_size, tensors });
    }

    /// The bias after a product.
    fn bias(&mut self, node: &'a Node<'a>) -> bool {
        let inputs = [self.input(node, 0), self.input(node, 1)];
        let (data, place) = match inputs {
            [Some(Value::Data(Some(data))), Some(Value::Constant(place))]
            | [Some(Value::Constant(place)), Some(Value::Data(Some(data)))] => (data, place),
            _ => return false,
        };
        let (last, tensor) = (self.layers.len() - 1, &self.tensors[place]);
        let layer = &mut self.layers[last];
        let Ok(numbers) = &tensor.numbers else { return false };
        let fits = numbers.len() == layer.size && tensor.shape.last() == Some(&layer.size);
        // As long as its layer's size, of which there is one bias: no budget is needed.
        if data != last || layer.kind != "dense" || layer.tensors.len() > 1 || !fits {
            return false;
        }
        layer.tensors.push(("b".into(), vec![layer.size], numbers.clone()));
        self.outputs(node, Value::Data(Some(last)));
        true
    }

    /// The activation of a dense layer.
    fn activation(&mut self, node: &'a Node<'a>) -> bool {
        let Some(Value::Data(Some(data))) = self.input(node, 0) else { return false };
        let last = self.layers.len() - 1;
        if data != last || self.layers[last].kind != "dense" {
            return false;
        }
        self.layers[last].kind = format!("dense_{}", node.operator.to_ascii_lowercase());
        self.outputs(node, Value::Data(Some(last)));
        true
    }
}
