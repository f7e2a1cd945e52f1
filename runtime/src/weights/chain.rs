//! Chains of layers, which files of RTNeural and ONNX contain. Each layer reads the output of the
//! previous one.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Write;

use super::mapping::Mapping;

/// Formats the sizes of layers, each given by its kind and its number of outputs:
/// `1 -> LSTM 16 -> Dense 1`.
pub(super) fn sizes<'a>(inputs: usize, layers: impl IntoIterator<Item = (&'a str, usize)>) -> String {
    let mut sizes = inputs.to_string();
    for (kind, size) in layers {
        let _ = write!(sizes, " -> {kind} {size}");
    }
    sizes
}

/// Returns the kind of a dense layer with an activation (`""` for none).
pub(super) fn dense_kind(activation: &str) -> String {
    if activation.is_empty() { "dense".into() } else { format!("dense_{activation}") }
}

/// Returns the mapping of a [`Stack`](crate::network::Stack) of layers, each given by its kind and
/// its mapping. The tensors of layer 2, a `dense`, have the prefix `2.dense.`.
pub(super) fn mapping(layers: impl ExactSizeIterator<Item = (String, Mapping)>) -> Mapping {
    let is_alone = layers.len() == 1;
    layers.enumerate().fold(Mapping::new(), |mapping, (number, (kind, layer))| {
        let layer = layer.prefix(&format!("{number}.{kind}."));
        mapping.and(if is_alone { layer } else { layer.under(number) })
    })
}

/// Splits the name of a parameter in a model of `depth` layers into the layer's number and the
/// rest. The number is `depth` if the name begins with another path.
pub(super) fn split_layer(name: &str, depth: usize) -> (usize, &str) {
    match name.split_once('.') {
        Some((number, name)) if depth > 1 => (number.parse().unwrap_or(depth), name),
        _ => (0, name),
    }
}
