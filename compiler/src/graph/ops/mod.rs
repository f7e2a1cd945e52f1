//! The functions and operators of the language, one file a family: what it means in the graph, its derivative,
//! its emission, its test.
//!
//! To add a function, write it into its family's file (or a new one) with a case of its test, and add its row to
//! [`TABLE`]; a row without a case fails a test. How the arguments' shapes combine is one of [`ShapeRule`].

pub mod activation;
pub mod binary;
pub mod choice;
pub mod normalise;
pub mod one_hot;
pub mod product;
pub mod rearrange;
pub mod reduce;
pub mod softmax;
pub mod unary;

#[cfg(test)]
pub mod tests;

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
    lowering: Lowering,
}

impl Operation {
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

/// The operation called `name`; `σ` is `sigmoid`.
pub fn find(name: &str) -> Option<&'static Operation> {
    let name = if name == "σ" { "sigmoid" } else { name };
    TABLE.iter().find(|operation| operation.name == name)
}

/// Every name, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|operation| operation.name)
}

macro_rules! table {
    ($($name:ident $arity:expr, $signature:literal, $shape:ident, $lowering:expr;)*) => {
        const TABLE: &[Operation] = &[$(Operation {
            name: stringify!($name),
            arity: $arity,
            signature: $signature,
            shape: ShapeRule::$shape,
            lowering: $lowering,
        }),*];
    };
}

use Lowering::{OfOne, OfThree, OfWhole};

table! {
    sigmoid (1, 1), "sigmoid(u)", ElementWise, Lowering::Unary(Unary::Sigmoid);
    tanh (1, 1), "tanh(u)", ElementWise, Lowering::Unary(Unary::Tanh);
    relu (1, 1), "relu(u)", ElementWise, OfOne(activation::relu);
    leaky_relu (1, 1), "leaky_relu(u)", ElementWise, OfOne(activation::leaky_relu);
    elu (1, 1), "elu(u)", ElementWise, OfOne(activation::elu);
    softplus (1, 1), "softplus(u)", ElementWise, Lowering::Unary(Unary::Softplus);
    silu (1, 1), "silu(u)", ElementWise, OfOne(activation::silu);
    gelu (1, 1), "gelu(u)", ElementWise, OfOne(activation::gelu);
    hard_sigmoid (1, 1), "hard_sigmoid(u)", ElementWise, OfOne(activation::hard_sigmoid);
    hard_tanh (1, 1), "hard_tanh(u)", ElementWise, OfOne(activation::hard_tanh);
    exp (1, 1), "exp(u)", ElementWise, Lowering::Unary(Unary::Exp);
    ln (1, 1), "ln(u)", ElementWise, Lowering::Unary(Unary::Ln);
    sqrt (1, 1), "sqrt(u)", ElementWise, Lowering::Unary(Unary::Sqrt);
    abs (1, 1), "abs(u)", ElementWise, Lowering::Unary(Unary::Abs);
    square (1, 1), "square(u)", ElementWise, OfOne(activation::square);
    recip (1, 1), "recip(u)", ElementWise, Lowering::Unary(Unary::Recip);
    pow (2, 2), "pow(u, p)", ElementWise, Lowering::Binary(Binary::Pow);
    sin (1, 1), "sin(u)", ElementWise, Lowering::Unary(Unary::Sin);
    cos (1, 1), "cos(u)", ElementWise, Lowering::Unary(Unary::Cos);
    floor (1, 1), "floor(u)", ElementWise, Lowering::Unary(Unary::Floor);
    sign (1, 1), "sign(u)", ElementWise, Lowering::Unary(Unary::Sign);
    min (2, 2), "min(u, v)", ElementWise, Lowering::Binary(Binary::Min);
    max (2, 2), "max(u, v)", ElementWise, Lowering::Binary(Binary::Max);
    clamp (3, 3), "clamp(u, low, high)", ElementWise, OfThree(choice::clamp);
    stop_gradient (1, 1), "stop_gradient(u)", Same, OfOne(Graph::stop_gradient);
    sum (1, 1), "sum(u)", Reduce, OfWhole(reduce::sum);
    mean (1, 1), "mean(u)", Reduce, OfWhole(reduce::mean);
    row_sum (1, 1), "row_sum(u)", RowSum, OfWhole(reduce::row_sum);
    softmax (1, 2), "softmax(e)` or `softmax(e, mask)", Softmax, OfWhole(softmax::softmax);
    layer_norm (3, 3), "layer_norm(u, gain, bias)", Normalise, OfWhole(normalise::layer_norm);
    rms_norm (2, 2), "rms_norm(u, gain)", Normalise, OfWhole(normalise::rms_norm);
    where (3, 3), "where(a >= b, u, v)", Where, Lowering::Where;
}
