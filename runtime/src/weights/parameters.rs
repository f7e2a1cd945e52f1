//! The parameters and buffers of a model, each as one whole matrix.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use crate::Scalar;
use crate::cell::{BlockShape, Model, ModelMut};

/// A parameter or a buffer of a model.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// The name, after the path of its cell in the network.
    pub(super) path: String,
    /// Rows and columns. The matrices of several heads are on top of each other.
    pub(super) size: (usize, usize),
    /// The number of axes in its declaration, which is that of one head.
    pub(super) rank: usize,
    /// The number of heads, for a parameter of `heads K { .. }`.
    pub(super) heads: Option<usize>,
    /// The number of entries in its blocks.
    in_blocks: usize,
}

impl Parameter {
    /// Returns the number of entries.
    pub(super) fn len(&self) -> usize {
        self.size.0 * self.size.1
    }

    /// Returns whether several parameters of the model have this name.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.in_blocks != self.len()
    }
}

/// Returns the parameters and buffers of a model, in its order.
pub(super) fn parameters<M: Model>(model: &M) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    let mut indices = BTreeMap::new();
    let mut add = |name: &str, shape: BlockShape| {
        let index = *indices.entry(name.to_string()).or_insert_with(|| {
            let (size, heads) = (shape.stack(), shape.heads());
            all.push(Parameter { path: name.to_string(), size, rank: shape.rank, heads, in_blocks: 0 });
            all.len() - 1
        });
        all[index].in_blocks += shape.size.0 * shape.size.1;
    };
    model.visit(&mut |parameter| add(parameter.name, parameter.shape));
    model.visit_buffers(&mut |buffer| add(buffer.name, buffer.shape));
    all
}

/// Returns the entries of each parameter of a model, column by column.
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(super) fn values<M: Model>(model: &M, parameters: &[Parameter]) -> Vec<Vec<M::Scalar>> {
    let indices = indices(parameters);
    let mut values: Vec<_> = parameters.iter().map(zeros).collect();
    let mut copy = |name: &str, shape: BlockShape, block: &[M::Scalar]| {
        if let Some(&index) = indices.get(name) {
            each_entry(shape, |entry, whole| values[index][whole] = block[entry]);
        }
    };
    model.visit(&mut |parameter| copy(parameter.name, parameter.shape, parameter.values));
    model.visit_buffers(&mut |buffer| copy(buffer.name, buffer.shape, buffer.values));
    values
}

/// Sets the entries of each parameter of a model to `values`, column by column.
pub(super) fn set_values<M: ModelMut>(model: &mut M, parameters: &[Parameter], values: &[Vec<M::Scalar>]) {
    let indices = indices(parameters);
    let set = |name: &str, shape: BlockShape, block: &mut [M::Scalar]| {
        if let Some(&index) = indices.get(name) {
            each_entry(shape, |entry, whole| block[entry] = values[index][whole]);
        }
    };
    model.visit_mut(&mut |parameter| set(parameter.name, parameter.shape, parameter.values));
    model.visit_buffers_mut(&mut |buffer| set(buffer.name, buffer.shape, buffer.values));
}

/// Returns a zero for each entry of a parameter.
pub(super) fn zeros<T: Scalar>(parameter: &Parameter) -> Vec<T> {
    vec![T::of(0.0); parameter.len()]
}

fn indices(parameters: &[Parameter]) -> BTreeMap<&str, usize> {
    parameters.iter().enumerate().map(|(index, parameter)| (parameter.path.as_str(), index)).collect()
}

/// Calls `f` with the index of each entry of a block, in the block and in the whole parameter. Both
/// count column by column.
fn each_entry(shape: BlockShape, mut f: impl FnMut(usize, usize)) {
    let ((rows, columns), at, (height, _)) = (shape.size, shape.at_in_stack(), shape.stack());
    for column in 0..columns {
        for row in 0..rows {
            f(row + column * rows, at.0 + row + (at.1 + column) * height);
        }
    }
}

/// Splits the path of a parameter into the path of its cell and its name.
pub(super) fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}
