//! The messages of an ONNX model that contain weights:
//! <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.
//!
//! Nodes and tensors stay in the file's bytes and are parsed whenever they are needed, because a
//! list of very small ones would take many times the file's length.

use alloc::vec::Vec;
use core::fmt;

use super::layout::RANK;
use super::wire::{Damage, Value, fields};

/// A graph whose nodes, names and tensors are undamaged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Graph<'a> {
    bytes: &'a [u8],
}

/// The oldest version of ONNX's operators whose nodes have today's meaning.
const OLDEST: i64 = 7;

/// Finds the graph of a `ModelProto` and checks it for damage.
pub(super) fn graph(bytes: &[u8]) -> Result<Graph<'_>, Damage> {
    let mut found = None;
    for field in fields(bytes) {
        match field? {
            (7, value) if found.is_none() => found = Some(value.bytes()?),
            (7, _) => return Err("it has two graphs"),
            (8, value) => operators(value.bytes()?)?,
            (25, value) => function(value.bytes()?)?,
            _ => {}
        }
    }
    let graph = Graph { bytes: found.ok_or("it has no graph")? };
    for field in fields(graph.bytes) {
        match field? {
            (1, value) => node(value.bytes()?)?.check_attributes()?,
            (5, value) => drop(tensor(value.bytes()?)?),
            (11 | 12, value) => drop(declared(value.bytes()?)?),
            (15, _) => return Err("it has sparse tensors, which can't be read"),
            _ => {}
        }
    }
    Ok(graph)
}

impl<'a> Graph<'a> {
    /// Reads the messages in the field `number`, which [`graph`] found undamaged.
    fn all<T>(self, number: u64, read: impl Fn(&'a [u8]) -> Result<T, Damage>) -> impl Iterator<Item = T> {
        let own = fields(self.bytes).flatten().filter(move |field| field.0 == number);
        own.filter_map(move |(_, value)| read(value.bytes().ok()?).ok())
    }

    /// Returns the nodes in the order of the file, which is an order of evaluation by the
    /// definition of the format.
    pub(super) fn nodes(self) -> impl Iterator<Item = Node<'a>> {
        self.all(1, node)
    }

    pub(super) fn tensors(self) -> impl Iterator<Item = Tensor<'a>> {
        self.all(5, tensor)
    }

    /// Returns the names of the graph's inputs.
    pub(super) fn inputs(self) -> impl Iterator<Item = &'a str> {
        self.all(11, declared)
    }

    /// Returns the names of the graph's outputs.
    pub(super) fn outputs(self) -> impl Iterator<Item = &'a str> {
        self.all(12, declared)
    }
}

/// Returns whether a domain is that of ONNX's own operators.
fn is_own(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

/// Checks the version in an `OperatorSetIdProto`.
fn operators(bytes: &[u8]) -> Result<(), Damage> {
    let (mut domain, mut version) = ("", OLDEST);
    for field in fields(bytes) {
        match field? {
            (1, value) => domain = value.text()?,
            (2, value) => version = value.integer()?,
            _ => {}
        }
    }
    if is_own(domain) && version < OLDEST {
        Err("its operators are of a version before 7, which can't be read")
    } else {
        Ok(())
    }
}

/// Checks that a `FunctionProto` does not replace an operator of ONNX's own.
fn function(bytes: &[u8]) -> Result<(), Damage> {
    let mut domain = "";
    for field in fields(bytes) {
        if let (10, value) = field? {
            domain = value.text()?;
        }
    }
    if is_own(domain) { Err("it redefines ONNX's own operators, which can't be read") } else { Ok(()) }
}

/// Reads the name in a `ValueInfoProto`.
fn declared(bytes: &[u8]) -> Result<&str, Damage> {
    let mut name = "";
    for field in fields(bytes) {
        if let (1, value) = field? {
            name = value.text()?;
        }
    }
    Ok(name)
}

/// A node of the graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) operator: Operator<'a>,
    bytes: &'a [u8],
}

/// The operator of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Operator<'a> {
    /// The domain of the operator; `""` for ONNX's own.
    domain: &'a str,
    name: &'a str,
}

impl<'a> Operator<'a> {
    /// Returns the name of the operator if it is ONNX's own, otherwise `""`.
    pub(super) fn own(self) -> &'a str {
        if self.domain.is_empty() { self.name } else { "" }
    }

    /// Returns whether `name` is the operator's name, after its domain if it is not ONNX's own.
    pub(super) fn is(self, name: &str) -> bool {
        match self.domain {
            "" => self.name == name,
            domain => name.strip_prefix(domain).and_then(|rest| rest.strip_prefix('.')) == Some(self.name),
        }
    }
}

impl fmt::Display for Operator<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.domain {
            "" => f.write_str(self.name),
            domain => write!(f, "{domain}.{}", self.name),
        }
    }
}

fn node(bytes: &[u8]) -> Result<Node<'_>, Damage> {
    let (mut name, mut domain, mut operator) = ("", "", "");
    for field in fields(bytes) {
        match field? {
            (1 | 2, value) => drop(value.text()?),
            (3, value) => name = value.text()?,
            (4, value) => operator = value.text()?,
            (5, value) => drop(attribute(value.bytes()?)?),
            (7, value) => domain = value.text()?,
            _ => {}
        }
    }
    if operator.is_empty() {
        return Err("a node has no operator");
    }
    let domain = if is_own(domain) { "" } else { domain };
    Ok(Node { name, operator: Operator { domain, name: operator }, bytes })
}

impl<'a> Node<'a> {
    fn texts(self, number: u64) -> impl Iterator<Item = &'a str> {
        let own = fields(self.bytes).flatten().filter(move |field| field.0 == number);
        own.filter_map(|(_, value)| value.text().ok())
    }

    /// Returns the names of the inputs; `""` for an optional input that is left out.
    pub(super) fn inputs(self) -> impl Iterator<Item = &'a str> {
        self.texts(1)
    }

    /// Returns the names of the outputs; `""` for an optional output that is left out.
    pub(super) fn outputs(self) -> impl Iterator<Item = &'a str> {
        self.texts(2)
    }

    fn attributes(self) -> impl Iterator<Item = Attribute<'a>> {
        let own = fields(self.bytes).flatten().filter(|field| field.0 == 5);
        own.filter_map(|(_, value)| attribute(value.bytes().ok()?).ok())
    }

    fn check_attributes(self) -> Result<(), Damage> {
        let mut names: Vec<&str> = self.attributes().map(|attribute| attribute.name).collect();
        names.sort_unstable();
        if names.is_sorted_by(|a, b| a < b) {
            Ok(())
        } else {
            Err("a node has two attributes with the same name")
        }
    }

    pub(super) fn attribute(self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.name == name)
    }

    /// Returns whether the node has this attribute and it is not zero.
    pub(super) fn flag(self, name: &str) -> bool {
        self.attribute(name).is_some_and(|value| value.integer != 0)
    }
}

/// An attribute of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    name: &'a str,
    pub(super) float: f32,
    pub(super) integer: i64,
    pub(super) text: &'a [u8],
    pub(super) tensor: Option<&'a [u8]>,
    bytes: &'a [u8],
}

fn attribute(bytes: &[u8]) -> Result<Attribute<'_>, Damage> {
    let mut attribute = Attribute { name: "", float: 0.0, integer: 0, text: b"", tensor: None, bytes };
    for field in fields(bytes) {
        match field? {
            (1, value) => attribute.name = value.text()?,
            (2, value) => attribute.float = value.float()?,
            (3, value) => attribute.integer = value.integer()?,
            (4, value) => attribute.text = value.bytes()?,
            (5, value) => attribute.tensor = Some(value.bytes()?),
            (8, value) => value.integers(|_| {})?,
            (9, value) => drop(value.bytes()?),
            _ => {}
        }
    }
    Ok(attribute)
}

impl<'a> Attribute<'a> {
    pub(super) fn texts(self) -> impl Iterator<Item = &'a [u8]> {
        let own = fields(self.bytes).flatten().filter(|field| field.0 == 9);
        own.filter_map(|(_, value)| value.bytes().ok())
    }

    /// Returns the list of integers, if it has at most [`RANK`].
    pub(super) fn integers(self) -> Option<Vec<i64>> {
        let mut all = Short::default();
        for (number, value) in fields(self.bytes).flatten() {
            if number == 8 {
                value.integers(|integer| all.push(integer)).ok()?;
            }
        }
        all.list()
    }
}

/// The first integers of a list of any length.
#[derive(Debug, Default)]
struct Short {
    first: Vec<i64>,
    count: usize,
}

impl Short {
    fn push(&mut self, integer: i64) {
        if self.count < RANK {
            self.first.push(integer);
        }
        self.count += 1;
    }

    /// Returns the whole list, if it has at most [`RANK`] integers.
    fn list(self) -> Option<Vec<i64>> {
        (self.count <= RANK).then_some(self.first)
    }
}

/// A `TensorProto`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tensor<'a> {
    pub(super) name: &'a str,
    /// The number of numbers, which is that of the shape, or the reason why they can't be read.
    pub(super) length: Result<usize, Unreadable>,
    /// True if the numbers can be read and are all zero.
    pub(super) is_zero: bool,
    data_type: i64,
    pub(super) bytes: &'a [u8],
}

/// The reason why the numbers of a tensor can't be read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unreadable {
    Elsewhere,
    Type(i64),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unreadable::Elsewhere => return f.write_str("kept in another file"),
            Unreadable::Type(2) => "of the type UINT8",
            Unreadable::Type(3) => "of the type INT8",
            Unreadable::Type(INT32) => "of the type INT32",
            Unreadable::Type(INT64) => "of the type INT64",
            Unreadable::Type(BOOL) => "of the type BOOL",
            Unreadable::Type(10) => "of the type FLOAT16",
            Unreadable::Type(16) => "of the type BFLOAT16",
            Unreadable::Type(other) => return write!(f, "of the type number {other}"),
        })
    }
}

// Values of `data_type` in `TensorProto`.
const FLOAT: i64 = 1;
const INT32: i64 = 6;
const INT64: i64 = 7;
const BOOL: i64 = 9;
const DOUBLE: i64 = 11;

pub(super) fn tensor(bytes: &[u8]) -> Result<Tensor<'_>, Damage> {
    let (mut name, mut data_type, mut external, mut negative) = ("", 0, false, false);
    let mut wanted = Some(1_usize);
    for field in fields(bytes) {
        match field? {
            (1, value) => value.integers(|size| {
                negative |= size < 0;
                wanted = wanted.and_then(|count| count.checked_mul(usize::try_from(size).ok()?));
            })?,
            (2, value) => data_type = value.integer()?,
            (8, value) => name = value.text()?,
            (14, value) => external = value.integer()? != 0,
            _ => {}
        }
    }
    if negative {
        return Err("a tensor has a negative size");
    }
    let mut tensor = Tensor { name, length: Ok(0), is_zero: false, data_type, bytes };
    tensor.length = match data_type {
        _ if external => Err(Unreadable::Elsewhere),
        FLOAT | DOUBLE => {
            let (mut count, mut is_zero) = (0, true);
            tensor.numbers(|number| {
                count += 1;
                is_zero &= number == 0.0;
            })?;
            if wanted != Some(count) {
                return Err("the number of values in a tensor doesn't match its shape");
            }
            tensor.is_zero = is_zero;
            Ok(count)
        }
        other => Err(Unreadable::Type(other)),
    };
    Ok(tensor)
}

impl Tensor<'_> {
    /// Calls `each` with the numbers, row by row.
    pub(super) fn numbers(&self, mut each: impl FnMut(f64)) -> Result<(), Damage> {
        for field in fields(self.bytes) {
            match (self.data_type, field?) {
                (FLOAT, (4 | 9, value)) => value.floats(&mut each)?,
                (DOUBLE, (9 | 10, value)) => value.doubles(&mut each)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the sizes, if there are at most [`RANK`].
    pub(super) fn shape(&self) -> Option<Vec<usize>> {
        let mut shape = Short::default();
        for (number, value) in fields(self.bytes).flatten() {
            if number == 1 {
                value.integers(|size| shape.push(size)).ok()?;
            }
        }
        shape.list()?.into_iter().map(|size| usize::try_from(size).ok()).collect()
    }

    /// Returns the integers or truth values, if they can be read and there are at most [`RANK`].
    pub(super) fn integers(&self) -> Option<Vec<i64>> {
        let mut all = Short::default();
        for (number, value) in fields(self.bytes).flatten() {
            match (self.data_type, number, value) {
                (INT64, 9, Value::Bytes(raw)) => {
                    raw.as_chunks().0.iter().for_each(|&bytes| all.push(i64::from_le_bytes(bytes)));
                }
                (INT32, 9, Value::Bytes(raw)) => {
                    let read = |&bytes: &[u8; 4]| all.push(i32::from_le_bytes(bytes).into());
                    raw.as_chunks().0.iter().for_each(read);
                }
                (BOOL, 9, Value::Bytes(raw)) => raw.iter().for_each(|&byte| all.push(byte.into())),
                (INT64, 7, value) | (INT32 | BOOL, 5, value) => {
                    value.integers(|integer| all.push(integer)).ok()?;
                }
                _ => {}
            }
        }
        let wanted = self.shape()?.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
        all.list().filter(|list| Some(list.len()) == wanted)
    }
}
