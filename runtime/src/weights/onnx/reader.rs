//! The reader of a graph: the meaning of its names, the layers so far, and the problems.
//!
//! `operations` counts the operations of the chain. Each result of the chain stores the count at
//! its creation, and only the latest result can be read. A side branch, a cycle and a second chain
//! are therefore rejected at the node that reads them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::error::{LISTED, Problem, ShortName, setting};
use super::layout::Layout;
use super::proto::{self, Graph, Node};
use super::wire::Damage;

/// A layer of the chain.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// `lstm`, `gru_reset_after`, `dense_tanh` and so on.
    pub(super) kind: &'static str,
    /// The number of outputs.
    pub(super) size: usize,
    pub(super) input_size: usize,
    pub(super) tensors: Vec<Tensor>,
}

/// A tensor of a layer.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    /// `forward.` or `reverse.`; `""` for a layer that only runs forward.
    pub(super) direction: &'static str,
    pub(super) name: &'static str,
    pub(super) rows: usize,
    /// The number of columns of a matrix, `None` for a vector.
    pub(super) columns: Option<usize>,
    /// The numbers, row by row; `None` if the file omits the tensor, which then counts as zero.
    pub(super) numbers: Option<Vec<f64>>,
}

/// The meaning of a name in the graph.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A name that no node has computed yet.
    Pending,
    /// A tensor of the file.
    Constant { bytes: &'a [u8], is_zero: bool },
    /// Zeros of some shape.
    Zeros,
    /// Numbers that belong to no layer, such as shapes and lengths.
    Other,
    /// An input of the graph, with its axes in any order.
    Input,
    /// A part of an input of the graph.
    Part,
    /// The result of the first `operations` of the chain, with its axes in any order. The layout is
    /// `None` after operators that the caller computes.
    Data {
        operations: u32,
        /// True if it is the final state of a layer.
        state: bool,
        layout: Option<Layout>,
    },
    /// Final states of layers in a form that no layer can read.
    State,
    /// An output of a refused node. The reason is among the problems.
    Refused,
}

/// The number of times that the tensors of a file may be read, on average.
const SHARED: usize = 4;

/// The maximum size, in bytes, of a tensor of axes, which may be read any number of times.
const SMALL: usize = 256;

/// The state of reading a graph: the meaning of each name, and the chain so far.
pub(super) struct Reader<'a> {
    /// All names, sorted.
    names: Vec<(&'a str, Value<'a>)>,
    /// The number of bytes of tensors that may still be read. It limits the memory and time for
    /// tensors that many nodes share.
    budget: usize,
    /// The number of operations in the chain.
    pub(super) operations: u32,
    /// The name of the chain's latest result.
    pub(super) end: &'a str,
    pub(super) layers: Vec<Layer>,
    pub(super) problems: Vec<Problem>,
    /// The number of problems that are not listed.
    pub(super) unlisted: usize,
}

/// Returns the name of a node in messages.
pub(super) fn label(node: Node<'_>) -> String {
    let name = if node.name.is_empty() { node.outputs().next().unwrap_or("") } else { node.name };
    format!("{} {}", ShortName(&node.operator.to_string()), ShortName(name))
}

impl<'a> Reader<'a> {
    /// Collects all names of a graph, with their meaning before any node computes.
    pub(super) fn new(graph: Graph<'a>) -> Result<Self, Damage> {
        let names = || {
            let given = graph.nodes().flat_map(Node::outputs);
            let all = graph.inputs().chain(graph.tensors().map(|tensor| tensor.name)).chain(given);
            all.filter(|name| !name.is_empty())
        };
        let mut all = Vec::with_capacity(names().count());
        all.extend(names().map(|name| (name, Value::Pending)));
        all.sort_unstable_by_key(|&(name, _)| name);
        all.dedup_by_key(|&mut (name, _)| name);
        let mut reader = Reader {
            names: all,
            budget: 0,
            operations: 0,
            end: "",
            layers: Vec::new(),
            problems: Vec::new(),
            unlisted: 0,
        };
        for name in graph.inputs() {
            if let Some(value) = reader.place(name)
                && !matches!(core::mem::replace(value, Value::Input), Value::Pending)
            {
                return Err("two inputs of its graph have the same name");
            }
        }
        for tensor in graph.tensors() {
            let constant = reader.hold(tensor);
            // Before version 4 of the format each tensor was also an input, for which it was the
            // default value.
            if let Some(value) = reader.place(tensor.name)
                && matches!(core::mem::replace(value, constant), Value::Constant { .. })
            {
                return Err("two tensors have the same name");
            }
        }
        Ok(reader)
    }

    /// Returns the meaning of a name, by mutable reference.
    pub(super) fn place(&mut self, name: &str) -> Option<&mut Value<'a>> {
        let place = self.names.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        Some(&mut self.names[place].1)
    }

    /// Returns the meaning of a name, if the graph has it.
    pub(super) fn value(&self, name: &str) -> Option<Value<'a>> {
        let place = self.names.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        Some(self.names[place].1)
    }

    /// Returns the meaning of an input, if the node has it.
    pub(super) fn input(&self, node: Node<'_>, input: usize) -> Option<Value<'a>> {
        self.value(node.inputs().nth(input).filter(|name| !name.is_empty())?)
    }

    /// Adds a problem to the list, or counts it if the list is full.
    pub(super) fn report(&mut self, name: &str, file: String, wanted: &str) {
        if self.problems.len() < LISTED {
            self.problems.push(setting(name, file, wanted));
        } else {
            self.unlisted += 1;
        }
    }

    /// Returns the meaning of a tensor of the file, and allows reading it.
    pub(super) fn hold(&mut self, tensor: proto::Tensor<'a>) -> Value<'a> {
        self.budget = self.budget.saturating_add(SHARED * tensor.bytes.len());
        Value::Constant { bytes: tensor.bytes, is_zero: tensor.is_zero }
    }

    /// Reads a tensor if the budget covers its bytes.
    pub(super) fn take(&mut self, bytes: &'a [u8]) -> Option<proto::Tensor<'a>> {
        self.budget = self.budget.checked_sub(bytes.len())?;
        proto::tensor(bytes).ok()
    }

    /// Reads a tensor that names axes.
    pub(super) fn take_small(&mut self, bytes: &'a [u8]) -> Option<proto::Tensor<'a>> {
        if bytes.len() <= SMALL { proto::tensor(bytes).ok() } else { self.take(bytes) }
    }

    /// Returns the shape and the numbers of a weight. Reports an input that is not a readable
    /// tensor of the file.
    pub(super) fn weight(
        &mut self,
        node: Node<'a>,
        input: usize,
        what: &str,
    ) -> Option<(Vec<usize>, Vec<f64>)> {
        let problem = match self.input(node, input) {
            Some(Value::Constant { bytes, .. }) => match self.take(bytes) {
                None => "a tensor shared by too many nodes".into(),
                Some(tensor) => match (tensor.length, tensor.shape()) {
                    (Err(reason), _) => reason.to_string(),
                    (Ok(_), None) => "of too many axes".into(),
                    (Ok(length), Some(shape)) => {
                        let mut numbers = Vec::with_capacity(length);
                        tensor.numbers(|number| numbers.push(number)).ok()?;
                        return Some((shape, numbers));
                    }
                },
            },
            Some(Value::Refused) => return None,
            Some(_) => "computed".into(),
            None => "missing".into(),
        };
        let wanted = "it must be a tensor of FLOAT or DOUBLE in the file";
        self.report(&format!("{}: {what}", label(node)), problem, wanted);
        None
    }

    /// Returns the layout of the data that a node of the chain reads as `input`: `Some(None)` if
    /// the caller is responsible for it. Reports an input that is not the latest result of the
    /// chain.
    pub(super) fn read(&mut self, node: Node<'a>, input: usize) -> Option<Option<Layout>> {
        let own = self.operations;
        match self.input(node, input) {
            Some(Value::Refused) => return None,
            Some(Value::Input) if own == 0 => return Some(None),
            Some(Value::Data { operations, layout, .. }) if operations == own => return Some(layout),
            _ => {}
        }
        let read = ShortName(node.inputs().nth(input).unwrap_or(""));
        let end = match self.end {
            "" => "an input of the graph".to_string(),
            end => format!("`{}`", ShortName(end)),
        };
        let wanted =
            format!("it reads `{read}`, but each layer must read the output of the previous one, here {end}");
        self.report(&label(node), "outside the chain".into(), &wanted);
        None
    }

    /// Returns whether a layer takes the number of inputs that the previous layer returns. Reports
    /// a difference.
    pub(super) fn fits(&mut self, node: Node<'a>, layout: Option<Layout>, inputs: usize) -> bool {
        let Some(before) = self.layers.last().map(|layer| layer.size) else { return true };
        let fits = layout.is_none() || before == inputs;
        if !fits {
            let wanted = format!("it must be {before}, the size of the previous layer");
            self.report(&format!("{}: inputs", label(node)), inputs.to_string(), &wanted);
        }
        fits
    }

    /// Counts an operation of the chain. Returns its result with the given layout.
    pub(super) fn operation(&mut self, layout: Option<Layout>) -> Value<'a> {
        self.operations += 1;
        Value::Data { operations: self.operations, state: false, layout }
    }
}
