//! The functions and operators of the language, one file a family: what each means in the graph, its row in the table of the
//! language, its derivative, its test.
//!
//! To add a function that others can express, write it into its family's file: a row in `TABLE`, and a case of its test; a row
//! without a case fails a test. How the arguments' shapes combine is one of [`ShapeRule`].

pub mod activation;
pub mod binary;
pub mod choice;
pub mod normalise;
pub mod one_hot;
mod operation;
mod primitive;
pub mod product;
pub mod rearrange;
pub mod reduce;
pub mod softmax;
pub mod unary;

#[cfg(test)]
pub mod tests;

pub use operation::{Cost, Operation, ShapeRule};
pub use primitive::{Primitive, Work};

use crate::graph::ir::Op;

/// The table of the language, by family.
const FAMILIES: [&[Operation]; 7] = [
    unary::TABLE,
    activation::TABLE,
    binary::TABLE,
    choice::TABLE,
    reduce::TABLE,
    softmax::TABLE,
    normalise::TABLE,
];

/// Returns all functions of the language.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    FAMILIES.into_iter().flatten()
}

/// Returns the function called `name`; `σ` is `sigmoid`.
pub fn find(name: &str) -> Option<&'static Operation> {
    let name = if name == "σ" { "sigmoid" } else { name };
    all().find(|operation| operation.name == name)
}

/// Returns every name, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|operation| operation.name)
}

/// Returns the cost of an operation that may be computed wherever it is used. None for one that has a place in the schedule.
pub fn cost(op: &Op) -> Option<Cost> {
    match op {
        Op::Unary(op) => Some(op.row().cost),
        Op::Binary(op) => Some(op.row().cost),
        Op::Select(_) | Op::Expand => Some(Cost::Low),
        _ => None,
    }
}

/// Returns the row of an operation that computes something. None for a leaf.
pub fn primitive(op: &Op) -> Option<Primitive> {
    Some(match op {
        Op::Number(_) | Op::Size(_) | Op::Read(_) | Op::Previous(_) | Op::OutputBar(_) | Op::CarryBar(_) => {
            return None;
        }
        Op::Unary(_) => unary::UNARY,
        Op::Binary(_) => binary::BINARY,
        Op::Select(_) => choice::SELECT,
        Op::StopGradient => choice::STOP_GRADIENT,
        Op::Expand => rearrange::EXPAND,
        Op::Copy(_) => rearrange::COPY,
        Op::MatMul { .. } => product::MATMUL,
        Op::Transpose => rearrange::TRANSPOSE,
        Op::Reshape => rearrange::RESHAPE,
        Op::Concat => rearrange::CONCAT,
        Op::Slice { .. } => rearrange::SLICE,
        Op::Gather { .. } => one_hot::GATHER,
        Op::Scatter { .. } => one_hot::SCATTER,
        Op::Sum => reduce::SUM,
        Op::RowSum => reduce::ROW_SUM,
        Op::ColumnSum => reduce::COLUMN_SUM,
        Op::Maximum => reduce::MAXIMUM,
        Op::Accumulate => reduce::ACCUMULATE,
    })
}
