//! The functions and operators of the language, one file per family: the meaning of each in the
//! graph, its row in the language's table, its derivative and its test.
//!
//! To add a function that can be expressed by others, add a row to `TABLE` in the file of its
//! family, and a case to the test there; a test fails for a row without a case. [`ShapeRule`] lists
//! the ways in which argument shapes combine.

pub mod activation;
pub mod binary;
pub mod choice;
pub mod normalise;
pub mod one_hot;
mod operation;
pub mod parts;
pub mod past;
mod primitive;
pub mod product;
pub mod rearrange;
pub mod reduce;
pub mod softmax;
pub mod unary;

#[cfg(test)]
pub mod tests;

pub use operation::{Cost, Operation, ShapeRule, Translation};
pub use primitive::Primitive;

use crate::graph::ir::Op;

/// The language's table, by family.
const FAMILIES: [&[Operation]; 10] = [
    unary::TABLE,
    activation::TABLE,
    binary::TABLE,
    choice::TABLE,
    reduce::TABLE,
    softmax::TABLE,
    normalise::TABLE,
    rearrange::TABLE,
    parts::TABLE,
    past::TABLE,
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

/// Returns the cost of an operation that may be computed wherever it is used. Returns `None` for an
/// operation with a fixed place in the schedule.
pub fn cost(op: &Op) -> Option<Cost> {
    match op {
        Op::Unary(op) => Some(op.row().cost),
        Op::Binary(op) => Some(op.row().cost),
        Op::Select(_) | Op::Expand | Op::Window { .. } | Op::Present { .. } => Some(Cost::Low),
        _ => None,
    }
}

/// Returns the row of an operation that computes something. Returns `None` for a leaf.
pub fn primitive(op: &Op) -> Option<Primitive> {
    Some(match op {
        Op::Number(_) | Op::Size(_) | Op::Read(_) | Op::Previous(_) | Op::OutputBar(_) | Op::CarryBar(_) => {
            return None;
        }
        Op::Past(_) | Op::PastBar { .. } => return None,
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
        Op::HeadSum => reduce::HEAD_SUM,
        Op::RepeatHeads => parts::REPEAT_HEADS,
        Op::GroupSum => parts::GROUP_SUM,
        Op::Blocks => parts::BLOCKS,
        Op::BlockSum => parts::BLOCK_SUM,
        Op::Maximum => reduce::MAXIMUM,
        Op::Accumulate => reduce::ACCUMULATE,
        Op::Window { .. } => past::WINDOW,
        Op::LastColumn => past::LAST_COLUMN,
        Op::Present { .. } => past::PRESENT,
    })
}
