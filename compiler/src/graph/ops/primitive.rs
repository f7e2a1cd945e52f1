//! The properties of a primitive: an operation of the graph that computes a value from others.

use crate::dim::Atom;
use crate::graph::ir::{BlockShape, Graph, Id, Node};

/// A number of operations per entry, and the dimensions whose product is the number of entries.
pub type Work = (u64, Vec<Atom>);

/// The properties of a primitive.
pub struct Primitive {
    /// The number of arguments. `None` means any number of at least two.
    pub arity: Option<usize>,
    /// Returns whether the shape of a node fits those of its arguments.
    pub fits: fn(&Node, &[BlockShape]) -> bool,
    /// Returns the floating-point operations of a node.
    pub work: fn(&Graph, &Node) -> Option<Work>,
    /// Returns the cotangents of the arguments, given the node and its cotangent. For element-wise
    /// functions they have the shape of the node. Cotangents that are not wanted may be omitted.
    pub pull_back: fn(&mut Graph, Id, Id, Wanted) -> Vec<Option<Id>>,
}

/// A flag for each argument: its cotangent is wanted.
pub type Wanted<'a> = &'a [bool];

/// Returns whether each argument has the node's shape or broadcasts to it.
pub fn broadcasts(node: &Node, args: &[BlockShape]) -> bool {
    let fits = |have: Atom, want: Atom| have == want || have == Atom::ONE;
    args.iter().all(|arg| {
        fits(arg.heads, node.shape.heads)
            && fits(arg.rows, node.shape.rows)
            && fits(arg.columns, node.shape.columns)
    })
}

/// Counts no arithmetic.
pub fn nothing(_: &Graph, _: &Node) -> Option<Work> {
    None
}

/// Counts one operation for each entry of the result.
pub fn each_entry(_: &Graph, node: &Node) -> Option<Work> {
    Some((1, vec![node.shape.heads, node.shape.rows, node.shape.columns]))
}

/// Counts one operation for each entry of the argument.
pub fn each_of_argument(graph: &Graph, node: &Node) -> Option<Work> {
    each_entry(graph, &graph[node.args[0]])
}

/// Returns no cotangent for any argument.
pub fn no_cotangent(_: &mut Graph, _: Id, _: Id, wanted: Wanted) -> Vec<Option<Id>> {
    vec![None; wanted.len()]
}

/// Returns the cotangent of the node unchanged.
pub fn same_cotangent(_: &mut Graph, _: Id, bar: Id, _: Wanted) -> Vec<Option<Id>> {
    vec![Some(bar)]
}
