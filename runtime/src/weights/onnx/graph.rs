//! From the nodes of a graph to a chain of layers with their tensors.
//!
//! The nodes are read in their order, in which each follows what it reads. `operations` counts what
//! the chain computed so far: a tensor of the chain knows how many operations made it, and only the
//! newest can be read on. So a side branch, a cycle and a second chain are all refused where they
//! are read.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::super::error::{Problem, setting};
use super::layout::{Layout, Refusal};
use super::proto::{self, Graph, Node, Operator};
use super::recurrent;
use super::wire::Damage;

/// A layer of the chain.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// `lstm`, `gru_reset_after`, `dense_tanh` and so on.
    pub(super) kind: &'static str,
    pub(super) size: usize,
    pub(super) input_size: usize,
    pub(super) tensors: Vec<Tensor>,
}

/// A tensor of a layer.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    /// `forward.` or `reverse.`, or `""` of a layer that runs forward only.
    pub(super) direction: &'static str,
    pub(super) name: &'static str,
    pub(super) rows: usize,
    /// Of a matrix.
    pub(super) columns: Option<usize>,
    /// Row by row. `None` if the file leaves the tensor out, which then counts as zero.
    pub(super) numbers: Option<Vec<f64>>,
}

/// The meaning of a name of the graph.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// A name that no node has computed yet.
    Pending,
    /// A tensor of the file.
    Constant { bytes: &'a [u8], is_zero: bool },
    /// Zeros of some shape.
    Zeros,
    /// Numbers that are no layer's: shapes, lengths.
    Other,
    /// An input of the graph, up to the order of its axes.
    Input,
    /// A part of an input of the graph.
    Part,
    /// The result of the first `operations` of the chain, up to the order of its axes. The layout
    /// is `None` after operators that the caller answers for.
    Data {
        operations: u32,
        /// Whether it is the final state of a layer.
        state: bool,
        layout: Option<Layout>,
    },
    /// Final states of layers in a form that no layer can read.
    State,
    /// An output of a refused node. The reason is among the problems.
    Refused,
}

/// How often the tensors of a file may be read, on average.
const SHARED: usize = 4;

/// The most bytes of a tensor that names axes, which may be read any number of times.
const SMALL: usize = 256;

/// No more problems than so many are listed.
const LISTED: usize = 20;

pub(super) struct Reader<'a> {
    /// All names, sorted.
    names: Vec<(&'a str, Value<'a>)>,
    /// How many bytes of tensors may still be read: one that many nodes share must neither fill the
    /// memory nor take a time that grows with the square of the file's length.
    budget: usize,
    operations: u32,
    /// The name of the chain's latest result.
    end: &'a str,
    pub(super) layers: Vec<Layer>,
    problems: Vec<Problem>,
    /// The number of problems that are not listed.
    unlisted: usize,
}

/// Returns the layers of a graph, or all that is wrong with it. Operators in `without` are passed
/// over.
pub(super) fn layers(graph: Graph<'_>, without: &[&str]) -> Result<Vec<Layer>, Vec<Problem>> {
    let mut reader = Reader::new(graph).map_err(|damage| Vec::from([format_problem(damage)]))?;
    let mut unknown: BTreeMap<Operator<'_>, usize> = BTreeMap::new();
    for node in graph.nodes() {
        if !reader.add(node, without) {
            *unknown.entry(node.operator).or_default() += 1;
            reader.give(node, core::iter::repeat(Value::Refused));
        }
    }
    for (&operator, &count) in &unknown {
        let wanted = "no layer can be made of it; `File::read_without` passes it over";
        let file = if count == 1 { "in a node".into() } else { format!("in {} nodes", grouped(count)) };
        reader.report(&shown(&operator.to_string()), file, wanted);
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

pub(super) fn format_problem(damage: Damage) -> Problem {
    Problem::Format { format: super::FORMAT, message: damage.to_string() }
}

/// Returns a name of a file for a message: shortened, and with control characters escaped.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for (place, letter) in name.chars().enumerate() {
        match letter {
            _ if place == LONGEST => return shown + "..",
            '\'' | '"' => shown.push(letter),
            letter => shown.extend(letter.escape_debug()),
        }
    }
    shown
}

/// Formats a number with commas between its thousands.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Returns what a node is called in messages.
pub(super) fn label(node: Node<'_>) -> String {
    let name = if node.name.is_empty() { node.outputs().next().unwrap_or("") } else { node.name };
    let mut label = shown(&node.operator.to_string());
    let _ = write!(label, " {}", shown(name));
    label
}

impl<'a> Reader<'a> {
    /// Collects all names of a graph, with their meaning before any node computes.
    fn new(graph: Graph<'a>) -> Result<Self, Damage> {
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
                return Err("two inputs of its graph have one name");
            }
        }
        for tensor in graph.tensors() {
            let constant = reader.hold(tensor);
            // Before version 4 of the format each tensor was an input as well, which it gave a
            // default value to.
            if let Some(value) = reader.place(tensor.name)
                && matches!(core::mem::replace(value, constant), Value::Constant { .. })
            {
                return Err("two tensors have one name");
            }
        }
        Ok(reader)
    }

    fn place(&mut self, name: &str) -> Option<&mut Value<'a>> {
        let place = self.names.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        Some(&mut self.names[place].1)
    }

    fn value(&self, name: &str) -> Option<Value<'a>> {
        let place = self.names.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        Some(self.names[place].1)
    }

    /// Returns the meaning of an input, if the node has it.
    pub(super) fn input(&self, node: Node<'_>, input: usize) -> Option<Value<'a>> {
        self.value(node.inputs().nth(input).filter(|name| !name.is_empty())?)
    }

    /// Adds a problem to the list.
    pub(super) fn report(&mut self, name: &str, file: String, wanted: &str) {
        if self.problems.len() < LISTED {
            self.problems.push(setting(name, file, wanted));
        } else {
            self.unlisted += 1;
        }
    }

    fn hold(&mut self, tensor: proto::Tensor<'a>) -> Value<'a> {
        self.budget = self.budget.saturating_add(SHARED * tensor.bytes.len());
        Value::Constant { bytes: tensor.bytes, is_zero: tensor.is_zero }
    }

    /// Reads a tensor if the budget covers its bytes.
    fn take(&mut self, bytes: &'a [u8]) -> Option<proto::Tensor<'a>> {
        self.budget = self.budget.checked_sub(bytes.len())?;
        proto::tensor(bytes).ok()
    }

    /// Reads a tensor that names axes.
    fn take_small(&mut self, bytes: &'a [u8]) -> Option<proto::Tensor<'a>> {
        if bytes.len() <= SMALL { proto::tensor(bytes).ok() } else { self.take(bytes) }
    }

    /// Adds a node. Returns whether its operator is known; what is wrong with a known one is
    /// reported.
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
            "ConstantOfShape" => {
                let value = node.attribute("value").and_then(|value| value.tensor);
                let is_zero =
                    value.is_none_or(|bytes| proto::tensor(bytes).is_ok_and(|tensor| tensor.is_zero));
                if is_zero { Value::Zeros } else { Value::Other }
            }
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

    /// Returns whether the file, the caller or a node before it gives each input of a node. Reports
    /// the first that has no source.
    fn has_inputs(&mut self, node: Node<'a>) -> bool {
        for name in node.inputs().filter(|name| !name.is_empty()) {
            let (file, wanted) = match self.value(name) {
                None => (
                    "given by nothing",
                    "it must be an input of the graph, a tensor in the file or what a node before gives",
                ),
                Some(Value::Pending) => (
                    "given by no node before this one",
                    "nodes must be in the order in which they are computed, without cycles",
                ),
                Some(_) => continue,
            };
            self.report(&format!("{}: {}", label(node), shown(name)), file.into(), wanted);
            return false;
        }
        true
    }

    /// Sets the outputs of a node. No layer can read those beyond `values`.
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
                let wanted = "each name must be given once: by a node, a tensor or an input of the graph";
                let name = format!("{}: {}", label(node), shown(name));
                self.report(&name, "given a second time".into(), wanted);
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
            let wanted = "LSTM, GRU, RNN, Gemm and MatMul can be read";
            self.report("graph", "without layers".into(), wanted);
        }
        if !self.problems.is_empty() {
            return;
        }
        let end = shown(self.end);
        let mut has_end = false;
        for name in graph.outputs() {
            match self.value(name) {
                Some(Value::Data { operations, .. }) if operations == self.operations => has_end = true,
                Some(Value::State | Value::Data { state: true, .. }) => {}
                _ => {
                    let wanted = format!("it can give what the last layer gives, here `{end}`, and states");
                    self.report(&format!("output {}", shown(name)), "beside the chain".into(), &wanted);
                }
            }
        }
        if !has_end && self.problems.is_empty() {
            let wanted = format!("it must give what the last layer gives, here `{end}`");
            self.report("graph", "without the chain's end among its outputs".into(), &wanted);
        }
    }

    /// Returns the result of an operator that the caller answers for. The chain continues through
    /// it.
    fn passed_over(&self, node: Node<'a>) -> Value<'a> {
        let is_end = |value: &Value<'a>| match *value {
            Value::Data { operations, .. } => operations == self.operations,
            Value::Input => self.operations == 0,
            _ => false,
        };
        let mut inputs = node.inputs().filter_map(|name| self.value(name));
        match inputs.find(is_end).or_else(|| self.input(node, 0)) {
            Some(Value::Data { operations, state, .. }) => Value::Data { operations, state, layout: None },
            Some(Value::Constant { is_zero: true, .. }) => Value::Zeros,
            None | Some(Value::Constant { .. }) => Value::Other,
            Some(value) => value,
        }
    }

    fn constant(&mut self, node: Node<'a>) -> Value<'a> {
        match node.attribute("value").and_then(|value| value.tensor).map(proto::tensor) {
            Some(Ok(tensor)) => self.hold(tensor),
            Some(Err(damage)) => {
                self.report(&label(node), "damaged".into(), damage);
                Value::Refused
            }
            None => Value::Other,
        }
    }

    /// Returns the result of an operator that joins numbers that belong to no layer, or joins final
    /// states.
    fn joined(&self, node: Node<'a>) -> Option<Value<'a>> {
        let (mut zeros, mut states, mut others) = (0, 0, 0);
        for name in node.inputs() {
            match self.value(name)? {
                Value::Refused => return Some(Value::Refused),
                Value::Zeros => zeros += 1,
                Value::Constant { .. } | Value::Other => others += 1,
                Value::State | Value::Data { state: true, .. } => states += 1,
                Value::Input | Value::Part | Value::Data { .. } | Value::Pending => return None,
            }
        }
        match (zeros, states, others) {
            (_, 0, 0) if zeros > 0 => Some(Value::Zeros),
            (_, 0, _) => Some(Value::Other),
            (0, _, 0) => Some(Value::State),
            _ => None,
        }
    }

    /// Returns the integers of the attribute `name` or, as newer versions of an operator have it,
    /// of an input. Returns `None` if the node has neither, and an error if they are computed.
    fn integers(&mut self, node: Node<'a>, name: &str, input: usize) -> Result<Option<Vec<i64>>, ()> {
        let attribute = if name.is_empty() { None } else { node.attribute(name) };
        match (attribute, self.input(node, input)) {
            (None, None) => Ok(None),
            (Some(attribute), _) => attribute.integers().map(Some).ok_or(()),
            (None, Some(Value::Constant { bytes, .. })) => {
                self.take_small(bytes).and_then(|tensor| tensor.integers()).map(Some).ok_or(())
            }
            (None, Some(_)) => Err(()),
        }
    }

    /// Returns the result of an operator that reorders, reshapes or selects the numbers of its
    /// first input.
    fn moved(&mut self, node: Node<'a>) -> Option<Value<'a>> {
        let own = |value: &Value<'_>| {
            matches!(value, Value::Data { .. } | Value::Input | Value::Part | Value::State)
        };
        if node.inputs().skip(1).filter_map(|name| self.value(name)).any(|value| own(&value)) {
            return None;
        }
        let operator = node.operator.own();
        let keeps_all = !matches!(operator, "Expand" | "Gather" | "Slice" | "Split");
        Some(match self.input(node, 0) {
            None | Some(Value::Pending | Value::Other) => Value::Other,
            Some(constant @ Value::Constant { .. }) if operator == "Identity" => constant,
            Some(Value::Constant { is_zero: true, .. } | Value::Zeros) => Value::Zeros,
            Some(Value::Constant { .. }) => Value::Other,
            Some(Value::Input) if keeps_all && self.is_exact(node) => Value::Input,
            Some(Value::Input | Value::Part) => Value::Part,
            Some(Value::State) => Value::State,
            Some(Value::Refused) => Value::Refused,
            Some(Value::Data { operations, state, layout }) => {
                if matches!(operator, "Expand" | "Split") {
                    return None;
                }
                match self.laid(node, layout) {
                    Ok(layout) => Value::Data { operations, state, layout },
                    Err(refusal) => {
                        let wanted = "what a layer gives must reach the next as it is; `File::read_without` passes the operator over";
                        self.report(&label(node), refusal.into(), wanted);
                        Value::Refused
                    }
                }
            }
        })
    }

    /// Returns whether an operator keeps each number, apart from rounding.
    fn is_exact(&mut self, node: Node<'a>) -> bool {
        match node.operator.own() {
            // To FLOAT, FLOAT16, DOUBLE and BFLOAT16.
            "Cast" => node.attribute("to").is_some_and(|to| [1, 10, 11, 16].contains(&to.integer)),
            // In training alone.
            "Dropout" => self.integers(node, "", 2).is_ok_and(|training| {
                training.is_none_or(|training| training.iter().all(|&training| training == 0))
            }),
            _ => true,
        }
    }

    /// Returns the layout after an operator that transposes, joins, splits or cuts axes.
    fn laid(&mut self, node: Node<'a>, layout: Option<Layout>) -> Result<Option<Layout>, Refusal> {
        const COMPUTED: Refusal = "on axes that are computed";
        let operator = node.operator.own();
        let attribute = |name: &str| node.attribute(name).map_or(0, |value| value.integer);
        if !self.is_exact(node) {
            return Err("an operator that changes numbers");
        }
        let Some(layout) = layout else {
            return match operator {
                "Gather" | "Slice" => Err("on axes that are not known"),
                _ => Ok(None),
            };
        };
        let features = self.layers.last().map_or(0, |layer| layer.size);
        let mut axes = |name: &str, input| self.integers(node, name, input).map_err(|()| COMPUTED);
        let laid = match operator {
            "Transpose" => layout.transpose(axes("perm", usize::MAX)?.as_deref()),
            "Squeeze" => layout.squeeze(axes("axes", 1)?.as_deref()),
            "Unsqueeze" => layout.unsqueeze(&axes("axes", 1)?.ok_or(COMPUTED)?),
            "Flatten" => layout.reshape(Some(&[0, -1]), features),
            "Reshape" => layout.reshape(self.integers(node, "", 1).ok().flatten().as_deref(), features),
            "Gather" => {
                let Some(Value::Constant { bytes, .. }) = self.input(node, 1) else { return Err(COMPUTED) };
                let tensor = self.take_small(bytes).ok_or(COMPUTED)?;
                let shape = tensor.shape().ok_or(COMPUTED)?;
                match shape.len() {
                    0 | 1 => layout.cut(&[attribute("axis")], shape.is_empty()),
                    _ => Err("of several axes"),
                }
            }
            "Slice" => {
                let axes = match axes("axes", 3)? {
                    Some(axes) => axes,
                    None => (0..axes("starts", 1)?.ok_or(COMPUTED)?.len() as i64).collect(),
                };
                layout.cut(&axes, false)
            }
            _ => Ok(layout),
        };
        laid.map(Some)
    }

    /// Returns the shape and the numbers of a weight. Reports an input that is no readable tensor
    /// of the file.
    pub(super) fn weight(
        &mut self,
        node: Node<'a>,
        input: usize,
        what: &str,
    ) -> Option<(Vec<usize>, Vec<f64>)> {
        let problem = match self.input(node, input) {
            Some(Value::Constant { bytes, .. }) => match self.take(bytes) {
                None => "one of tensors that many nodes share".into(),
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
    /// the caller answers for it. Reports any other input than the chain's latest result.
    pub(super) fn read(&mut self, node: Node<'a>, input: usize) -> Option<Option<Layout>> {
        let own = self.operations;
        match self.input(node, input) {
            Some(Value::Refused) => return None,
            Some(Value::Input) if own == 0 => return Some(None),
            Some(Value::Data { operations, layout, .. }) if operations == own => return Some(layout),
            _ => {}
        }
        let read = shown(node.inputs().nth(input).unwrap_or(""));
        let end = match self.end {
            "" => "an input of the graph".to_string(),
            end => format!("`{}`", shown(end)),
        };
        let wanted =
            format!("it reads `{read}`, and each layer must read what the one before gives, here {end}");
        self.report(&label(node), "beside the chain".into(), &wanted);
        None
    }

    /// Returns whether a layer takes as many inputs as the layer before gives. Reports it if not.
    pub(super) fn fits(&mut self, node: Node<'a>, layout: Option<Layout>, inputs: usize) -> bool {
        let Some(before) = self.layers.last().map(|layer| layer.size) else { return true };
        let fits = layout.is_none() || before == inputs;
        if !fits {
            let wanted = format!("it must be {before}, which the layer before gives");
            self.report(&format!("{}: inputs", label(node)), inputs.to_string(), &wanted);
        }
        fits
    }

    /// Counts an operation of the chain. Returns its result, in this layout.
    pub(super) fn operation(&mut self, layout: Option<Layout>) -> Value<'a> {
        self.operations += 1;
        Value::Data { operations: self.operations, state: false, layout }
    }

    /// `y = x B`, and what a `Gemm` adds.
    fn dense(&mut self, node: Node<'a>) -> Option<Value<'a>> {
        let gemm = node.operator.own() == "Gemm";
        let layout = self.read(node, 0);
        let scaled = |name: &str| node.attribute(name).is_some_and(|value| value.float != 1.0);
        let mut is_sound = layout.is_some();
        if gemm && (scaled("alpha") || scaled("beta") || node.flag("transA")) {
            let wanted = "alpha and beta must be 1, transA 0";
            self.report(&label(node), "scaled or transposed".into(), wanted);
            is_sound = false;
        }
        if layout.flatten().is_some_and(|layout| !layout.has_features_last()) {
            let wanted = "features must be the last axis of what a layer reads";
            self.report(&label(node), "on another axis than features".into(), wanted);
            is_sound = false;
        }
        let (shape, numbers) = self.weight(node, 1, "weights")?;
        let (&[rows, columns], false) = (shape.as_slice(), numbers.is_empty()) else {
            self.report(&label(node), "no matrix".into(), "its weights must be [rows, columns]");
            return None;
        };
        let transposed = gemm && node.flag("transB");
        let (size, input_size) = if transposed { (rows, columns) } else { (columns, rows) };
        let weights = if transposed {
            numbers
        } else {
            (0..numbers.len()).map(|k| numbers[k % rows * columns + k / rows]).collect()
        };
        is_sound &= self.fits(node, layout.flatten(), input_size);
        let mut bias = None;
        if gemm && self.input(node, 2).is_some() {
            let (shape, numbers) = self.weight(node, 2, "bias")?;
            if numbers.len() != size || shape.last() != Some(&size) || shape.len() > 2 {
                let wanted = format!("it must be [{size}]");
                self.report(&format!("{}: bias", label(node)), "of another shape".into(), &wanted);
                return None;
            }
            bias = Some(numbers);
        }
        if !is_sound {
            return None;
        }
        let tensor = |name, columns, numbers| Tensor { direction: "", name, rows: size, columns, numbers };
        let tensors = Vec::from([tensor("W", Some(input_size), Some(weights)), tensor("b", None, bias)]);
        self.layers.push(Layer { kind: "dense", size, input_size, tensors });
        Some(self.operation(Some(layout.flatten().unwrap_or(Layout::unknown()))))
    }

    /// The bias after a product.
    fn bias(&mut self, node: Node<'a>) -> Option<Value<'a>> {
        let (input, bytes) = match [self.input(node, 0)?, self.input(node, 1)?] {
            [Value::Data { .. }, Value::Constant { bytes, .. }] => (0, bytes),
            [Value::Constant { bytes, .. }, Value::Data { .. }] => (1, bytes),
            [Value::Refused, _] | [_, Value::Refused] => return Some(Value::Refused),
            _ => return None,
        };
        let Some(layout) = self.read(node, input) else { return Some(Value::Refused) };
        let tensor = self.take(bytes)?;
        let shape = tensor.shape()?;
        let layer = self.layers.last_mut()?;
        let fits = tensor.length.is_ok_and(|length| length == layer.size)
            && shape.last() == Some(&layer.size)
            && layout.is_none_or(|layout| layout.has_features_last() && layout.is_at_least(shape.len()));
        let [_, bias @ Tensor { name: "b", numbers: None, .. }] = layer.tensors.as_mut_slice() else {
            return None;
        };
        if layer.kind != "dense" || !fits {
            return None;
        }
        let mut numbers = Vec::with_capacity(layer.size);
        tensor.numbers(|number| numbers.push(number)).ok()?;
        bias.numbers = Some(numbers);
        Some(self.operation(layout))
    }

    /// The activation of a dense layer.
    fn activation(&mut self, node: Node<'a>) -> Option<Value<'a>> {
        if !matches!(self.input(node, 0)?, Value::Data { .. } | Value::Refused) {
            return None;
        }
        let Some(layout) = self.read(node, 0) else { return Some(Value::Refused) };
        let layer = self.layers.last_mut().filter(|layer| layer.kind == "dense")?;
        layer.kind = match node.operator.own() {
            "Tanh" => "dense_tanh",
            "Relu" => "dense_relu",
            _ => "dense_sigmoid",
        };
        Some(self.operation(layout))
    }
}
