//! Operators without weights: constants, and operators that reorder, reshape, select or join
//! numbers.

use alloc::vec::Vec;

use super::layout::{Layout, Refusal};
use super::proto::{self, Node};
use super::reader::{Reader, Value, label};

impl<'a> Reader<'a> {
    /// Returns the result of a `Constant`.
    pub(super) fn constant(&mut self, node: Node<'a>) -> Value<'a> {
        match node.attribute("value").and_then(|value| value.tensor).map(proto::tensor) {
            Some(Ok(tensor)) => self.hold(tensor),
            Some(Err(damage)) => {
                self.report(&label(node), "damaged".into(), damage);
                Value::Refused
            }
            None => Value::Other,
        }
    }

    /// Returns the result of a `ConstantOfShape`.
    pub(super) fn constant_of_shape(&self, node: Node<'a>) -> Value<'a> {
        let value = node.attribute("value").and_then(|value| value.tensor);
        let is_zero = value.is_none_or(|bytes| proto::tensor(bytes).is_ok_and(|tensor| tensor.is_zero));
        if is_zero { Value::Zeros } else { Value::Other }
    }

    /// Returns the result of an operator that the caller computes. The chain continues after it.
    pub(super) fn passed_over(&self, node: Node<'a>) -> Value<'a> {
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

    /// Returns the result of an operator that joins numbers that do not belong to a layer, or final
    /// states.
    pub(super) fn joined(&self, node: Node<'a>) -> Option<Value<'a>> {
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

    /// Returns the result of an operator that reorders, reshapes or selects the numbers of its
    /// first input.
    pub(super) fn moved(&mut self, node: Node<'a>) -> Option<Value<'a>> {
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
                        let wanted = "the output of a layer must reach the next one unchanged; `File::read_without` skips the operator";
                        self.report(&label(node), refusal.into(), wanted);
                        Value::Refused
                    }
                }
            }
        })
    }

    /// Returns the integers of the attribute `name`, or of an input where newer versions of an
    /// operator have one. Returns `None` if the node has neither, and an error if they are
    /// computed.
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

    /// Returns whether an operator keeps each number, apart from rounding.
    fn is_exact(&mut self, node: Node<'a>) -> bool {
        match node.operator.own() {
            // The types FLOAT, FLOAT16, DOUBLE and BFLOAT16.
            "Cast" => node.attribute("to").is_some_and(|to| [1, 10, 11, 16].contains(&to.integer)),
            // Dropout changes numbers only in training.
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
}
