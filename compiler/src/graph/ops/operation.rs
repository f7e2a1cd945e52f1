//! What a row of the language's table says of a function.

use crate::graph::grid::Grid;
use crate::graph::ir::{Binary, Graph, Id, Unary};

/// How a function's result shape follows from its arguments'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeRule {
    /// Every argument broadcasts against the others; the result has the common shape.
    ElementWise,
    /// `where(a >= b, u, v)`: the comparison's two sides, `u` and `v` broadcast like element-wise arguments.
    Where,
    /// Any shape to a scalar: `sum`, `mean`.
    Reduce,
    /// `[n, s]` to `[n]`: `row_sum`.
    RowSum,
    /// A vector or a row `[1, s]` to its own shape; an optional mask has the same shape.
    Softmax,
    /// The first argument's shape; the others broadcast to it without enlarging it: `layer_norm`, `rms_norm`.
    Normalise,
    /// Its argument's shape: `stop_gradient`.
    Same,
}

/// What a function is in terms of the graph.
#[derive(Debug, Clone, Copy)]
pub enum Lowering {
    /// One node, entry by entry.
    Unary(Unary),
    Binary(Binary),
    /// Several nodes, entry by entry.
    OfOne(fn(&mut Graph, Id) -> Id),
    OfThree(fn(&mut Graph, Id, Id, Id) -> Id),
    /// Something of whole values, whose blocks belong together.
    OfWhole(fn(&mut Graph, &[Grid]) -> Option<Grid>),
    /// `where`: its first argument is a comparison, which is no value.
    Where,
}

/// One function of the language.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    /// The least and the greatest number of arguments.
    pub arity: (usize, usize),
    /// For messages: `clamp(u, low, high)`.
    pub signature: &'static str,
    pub shape: ShapeRule,
    pub lowering: Lowering,
}

impl Operation {
    /// A function of entries.
    pub const fn elementwise(name: &'static str, signature: &'static str, lowering: Lowering) -> Self {
        let count = match lowering {
            Lowering::Unary(_) | Lowering::OfOne(_) => 1,
            Lowering::Binary(_) => 2,
            _ => 3,
        };
        Operation { name, arity: (count, count), signature, shape: ShapeRule::ElementWise, lowering }
    }

    /// A function of whole values.
    pub const fn whole(
        name: &'static str,
        arity: (usize, usize),
        signature: &'static str,
        shape: ShapeRule,
        build: fn(&mut Graph, &[Grid]) -> Option<Grid>,
    ) -> Self {
        Operation { name, arity, signature, shape, lowering: Lowering::OfWhole(build) }
    }

    /// The value of a call. None if the arguments are not what `arity` says, or for `where`.
    pub fn lower(&self, graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
        match (self.lowering, args) {
            (Lowering::Unary(op), [u]) => Grid::elementwise(graph, &[u], |g, ids| g.unary(op, ids[0])),
            (Lowering::Binary(op), [u, v]) => {
                Grid::elementwise(graph, &[u, v], |g, ids| g.binary(op, ids[0], ids[1]))
            }
            (Lowering::OfOne(build), [u]) => Grid::elementwise(graph, &[u], |g, ids| build(g, ids[0])),
            (Lowering::OfThree(build), [u, v, w]) => {
                Grid::elementwise(graph, &[u, v, w], |g, ids| build(g, ids[0], ids[1], ids[2]))
            }
            (Lowering::OfWhole(build), args) => build(graph, args),
            _ => None,
        }
    }
}

/// What it takes to compute an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// An instruction: the backward pass computes it again.
    Low,
    /// A division: it is kept for the backward pass, and computed where it is used.
    Medium,
    /// A function: it is kept for the backward pass, and not computed twice.
    High,
}
