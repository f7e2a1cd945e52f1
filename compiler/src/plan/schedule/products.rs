//! The products that kernels compute for many columns at once.

use crate::dim::Atom;
use crate::graph::ir::{Graph, Id, Level, Op};

/// Returns whether one kernel call computes a product for all samples and steps: that of a
/// parameter and a value of a step or sample. With heads, the value must be a vector, so that its
/// columns are equally far apart.
pub fn is_flat_product(graph: &Graph, id: Id) -> bool {
    let node = &graph[id];
    match (&node.op, node.args.as_slice()) {
        (Op::MatMul { tb: false, .. }, [a, b]) => {
            let is_flat = head_product(graph, id) == HeadProduct::Shared || node.shape.columns == Atom::ONE;
            let levels = (graph[*a].level, graph[*b].level);
            levels.0 == Level::Param && levels.1 > Level::Param && !node.shape.is_row() && is_flat
        }
        _ => false,
    }
}

/// The heads of a product of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadProduct {
    /// One matrix for all heads. Their vectors are additional columns of the right-hand side.
    Shared,
    /// A matrix and a result per head.
    Each,
    /// The sum of the products of a matrix and a vector per head. The matrices of all heads follow
    /// each other in memory, and so do the vectors: they are one matrix and one vector.
    Joined,
    /// Any other sum of the products of a matrix per head: of transposed matrices.
    Sum,
}

/// Returns how the heads take part in a product.
pub fn head_product(graph: &Graph, id: Id) -> HeadProduct {
    let node = &graph[id];
    if !node.args.first().is_some_and(|a| graph[*a].shape.has_heads()) {
        HeadProduct::Shared
    } else if node.shape.has_heads() {
        HeadProduct::Each
    } else if node.op == (Op::MatMul { ta: false, tb: false }) && node.shape.columns == Atom::ONE {
        HeadProduct::Joined
    } else {
        HeadProduct::Sum
    }
}

/// Returns whether a node accumulates a product (or scatter) that has no other use: the product
/// then adds to the sum itself.
pub fn is_accumulated_product(graph: &Graph, users: &[Vec<Id>], id: Id) -> bool {
    let node = &graph[id];
    node.op == Op::Accumulate
        && node.args.iter().all(|arg| {
            matches!(graph[*arg].op, Op::MatMul { .. } | Op::Scatter { .. }) && users[arg.index()].len() == 1
        })
}
