//! A row of the language's table.

use crate::dim::Atom;
use crate::graph::grid::Grid;
use crate::graph::ir::{Binary, Graph, Id, Unary};

/// The rule that gives the shape of a function's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeRule {
    /// Every argument broadcasts against the others; the result has the common shape.
    ElementWise,
    /// `where(a >= b, u, v)`: the compared values, `u` and `v` broadcast like element-wise
    /// arguments.
    Where,
    /// Any shape to a scalar: `sum`, `mean`.
    Reduce,
    /// `[n, s]` to `[n]`: `row_sum`.
    RowSum,
    /// A vector or a row `[1, s]` to its own shape; an optional mask has as many entries.
    Softmax,
    /// The first argument's shape; the others broadcast to it without enlarging it: `layer_norm`,
    /// `rms_norm`.
    Normalise,
    /// Its argument's shape: `stop_gradient`.
    Same,
    /// A vector `[n]` and a number of entries `s` to `[n, s]`: `window(u, s)`.
    Window,
    /// A number of entries `s` to `[1, s]`: `present(s)`.
    Present,
    /// A vector `[n]` and a size `s` to `[n, s]`: `blocks(u, s)`.
    Blocks,
    /// A matrix `[n, s]` to the stack of its columns, `[s*n]`: `vec(u)`.
    Vec,
    /// A stack of heads and a number of heads `k` to a stack of `k` heads: `repeat_heads(u, k)`,
    /// `sum_heads(u, k)`.
    Heads,
}

/// The translation of a function into the graph.
#[derive(Debug, Clone, Copy)]
pub enum Translation {
    /// One element-wise node.
    Unary(Unary),
    Binary(Binary),
    /// Several element-wise nodes.
    OfOne(fn(&mut Graph, Id) -> Id),
    OfThree(fn(&mut Graph, Id, Id, Id) -> Id),
    /// A function of whole values, whose blocks depend on each other.
    OfWhole(fn(&mut Graph, &[Grid]) -> Option<Grid>),
    /// `where`: its first argument is a condition, which is not a value.
    Where,
    /// `window` and `present`, which read earlier steps. They take numbers of steps.
    Past,
    /// A function of a vector and a dimension.
    OfParts(fn(&mut Graph, &Grid, Atom) -> Option<Grid>),
}

/// One function of the language.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    /// The smallest and the largest number of arguments.
    pub arity: (usize, usize),
    /// The signature shown in messages: `clamp(u, low, high)`.
    pub signature: &'static str,
    /// The meaning, in Markdown: for the reference of the language and for editors.
    #[cfg_attr(not(test), expect(dead_code, reason = "shown by the reference and by editors only"))]
    pub doc: &'static str,
    pub shape: ShapeRule,
    pub translation: Translation,
}

impl Operation {
    /// Creates the row of an element-wise function.
    pub const fn elementwise(
        name: &'static str,
        signature: &'static str,
        translation: Translation,
        doc: &'static str,
    ) -> Self {
        let count = match translation {
            Translation::Unary(_) | Translation::OfOne(_) => 1,
            Translation::Binary(_) => 2,
            _ => 3,
        };
        Operation { name, arity: (count, count), signature, doc, shape: ShapeRule::ElementWise, translation }
    }

    /// Creates the row of a function of whole values.
    pub const fn whole(
        name: &'static str,
        arity: (usize, usize),
        signature: &'static str,
        shape: ShapeRule,
        build: fn(&mut Graph, &[Grid]) -> Option<Grid>,
        doc: &'static str,
    ) -> Self {
        Operation { name, arity, signature, doc, shape, translation: Translation::OfWhole(build) }
    }

    /// Returns the value of a call whose arguments are all values. Returns `None` for functions
    /// with a condition or a dimension, or if the number of arguments does not match `arity`.
    pub fn lower(&self, graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
        match (self.translation, args) {
            (Translation::Unary(op), [u]) => Grid::elementwise(graph, &[u], |g, ids| g.unary(op, ids[0])),
            (Translation::Binary(op), [u, v]) => {
                Grid::elementwise(graph, &[u, v], |g, ids| g.binary(op, ids[0], ids[1]))
            }
            (Translation::OfOne(build), [u]) => Grid::elementwise(graph, &[u], |g, ids| build(g, ids[0])),
            (Translation::OfThree(build), [u, v, w]) => {
                Grid::elementwise(graph, &[u, v, w], |g, ids| build(g, ids[0], ids[1], ids[2]))
            }
            (Translation::OfWhole(build), args) => build(graph, args),
            _ => None,
        }
    }
}

/// The cost of computing an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// One instruction: the backward pass recomputes the value.
    Low,
    /// A division: the value is stored for the backward pass, but may be computed at each use.
    Medium,
    /// A function call: the value is stored for the backward pass and never computed twice.
    High,
}
