//! The messages of an ONNX model that weights are in: <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::wire::{Damage, Value, doubles, fields, floats};

/// The numbers of a `TensorProto`.
#[derive(Debug, Clone)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// As many as the shape has; or why they can't be read.
    pub(super) numbers: Result<Vec<f64>, String>,
}

/// An attribute of a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Attribute<'a> {
    pub(super) float: f32,
    pub(super) integer: i64,
    pub(super) text: &'a [u8],
    pub(super) tensor: Option<&'a [u8]>,
    pub(super) texts: Vec<&'a [u8]>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Node<'a> {
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    pub(super) name: &'a str,
    /// With its domain before it, if that isn't ONNX's own.
    pub(super) operator: String,
    pub(super) attributes: BTreeMap<&'a str, Attribute<'a>>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Graph<'a> {
    /// In the file's order, which the format says is one to compute in.
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) tensors: Vec<Tensor>,
}

/// The graph of a `ModelProto`.
pub(super) fn graph(bytes: &[u8]) -> Result<Graph<'_>, Damage> {
    let mut found = None;
    for field in fields(bytes) {
        if let (7, value) = field? {
            found = Some(value.bytes()?);
        }
    }
    let mut graph = Graph::default();
    for field in fields(found.ok_or("it has no graph")?) {
        match field? {
            (1, value) => graph.nodes.push(node(value.bytes()?)?),
            (5, value) => graph.tensors.push(tensor(value.bytes()?)?),
            (15, _) => return Err("it has sparse tensors, which can't be read"),
            _ => {}
        }
    }
    Ok(graph)
}

fn node(bytes: &[u8]) -> Result<Node<'_>, Damage> {
    let mut node = Node::default();
    let mut domain = "";
    for field in fields(bytes) {
        match field? {
            (1, value) => node.inputs.push(value.text()?),
            (2, value) => node.outputs.push(value.text()?),
            (3, value) => node.name = value.text()?,
            (4, value) => node.operator = value.text()?.to_string(),
            (5, value) => {
                let (name, attribute) = attribute(value.bytes()?)?;
                node.attributes.insert(name, attribute);
            }
            (7, value) => domain = value.text()?,
            _ => {}
        }
    }
    if !matches!(domain, "" | "ai.onnx") {
        node.operator = format!("{domain}.{}", node.operator);
    }
    Ok(node)
}

fn attribute(bytes: &[u8]) -> Result<(&str, Attribute<'_>), Damage> {
    let (mut name, mut attribute) = ("", Attribute::default());
    for field in fields(bytes) {
        match field? {
            (1, value) => name = value.text()?,
            (2, value) => attribute.float = value.float()?,
            (3, value) => attribute.integer = value.integer()?,
            (4, value) => attribute.text = value.bytes()?,
            (5, value) => attribute.tensor = Some(value.bytes()?),
            (9, value) => attribute.texts.push(value.bytes()?),
            _ => {}
        }
    }
    Ok((name, attribute))
}

/// `data_type` of `TensorProto`.
const FLOAT: i64 = 1;
const DOUBLE: i64 = 11;

pub(super) fn tensor(bytes: &[u8]) -> Result<Tensor, Damage> {
    let (mut name, mut dims, mut data_type, mut raw, mut external) = ("", Vec::new(), 0, None, false);
    let mut numbers = Vec::new();
    for field in fields(bytes) {
        match field? {
            (1, value) => value.integers(&mut dims)?,
            (2, value) => data_type = value.integer()?,
            (4, value) => value.floats(&mut numbers)?,
            (8, value) => name = value.text()?,
            (9, value) => raw = Some(value.bytes()?),
            (10, value) => value.doubles(&mut numbers)?,
            (14, Value::Varint(location)) => external = location != 0,
            _ => {}
        }
    }
    let shape: Vec<usize> = dims.into_iter().map(|dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect();
    let mut tensor = Tensor { name: name.to_string(), shape, numbers: Ok(vec![]) };
    if external {
        tensor.numbers = Err("kept in another file".into());
        return Ok(tensor);
    }
    match (data_type, raw) {
        (FLOAT, Some(raw)) => floats(raw, &mut numbers)?,
        (DOUBLE, Some(raw)) => doubles(raw, &mut numbers)?,
        (FLOAT | DOUBLE, None) => {}
        (other, _) => {
            tensor.numbers = Err(format!("of the type {}", type_name(other)));
            return Ok(tensor);
        }
    }
    let wanted = tensor.shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    if wanted != Some(numbers.len()) {
        return Err("a tensor has not as many numbers as its shape needs");
    }
    tensor.numbers = Ok(numbers);
    Ok(tensor)
}

fn type_name(data_type: i64) -> String {
    match data_type {
        2 => "UINT8".into(),
        3 => "INT8".into(),
        6 => "INT32".into(),
        7 => "INT64".into(),
        9 => "BOOL".into(),
        10 => "FLOAT16".into(),
        16 => "BFLOAT16".into(),
        other => format!("number {other}"),
    }
}
