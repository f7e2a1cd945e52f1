//! Dense layers: a product, a bias and an activation, each as its own node or as part of a `Gemm`.

use alloc::format;
use alloc::vec::Vec;

use super::layout::Layout;
use super::proto::Node;
use super::reader::{Layer, Reader, Tensor, Value, label};

impl<'a> Reader<'a> {
    /// Adds the layer of a `MatMul`, `y = x B`, or a `Gemm`, which may have a bias. Returns the
    /// meaning of its result.
    pub(super) fn dense(&mut self, node: Node<'a>) -> Option<Value<'a>> {
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
            let wanted = "features must be the last axis of a layer's input";
            self.report(&label(node), "on another axis than features".into(), wanted);
            is_sound = false;
        }
        let (shape, numbers) = self.weight(node, 1, "weights")?;
        let (&[rows, columns], false) = (shape.as_slice(), numbers.is_empty()) else {
            self.report(&label(node), "not a matrix".into(), "its weights must be [rows, columns]");
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

    /// Adds the bias after a product. Returns `None` if the node is anything else.
    pub(super) fn bias(&mut self, node: Node<'a>) -> Option<Value<'a>> {
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

    /// Adds the activation of a dense layer. Returns `None` if the node is anything else.
    pub(super) fn activation(&mut self, node: Node<'a>) -> Option<Value<'a>> {
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
