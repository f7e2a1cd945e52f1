//! Floating-point operations, as expressions of the dimensions.

use super::planned::Pass;
use super::schedule::Region;
use crate::dim::Atom;
use crate::graph::ir::{BlockShape, Graph, Op};

/// By node that is counted: so many times the product of these dimensions.
pub fn operations(graph: &Graph, pass: &Pass, is_counted: impl Fn(Region) -> bool) -> Vec<(u64, Vec<Atom>)> {
    let entries = |shape: BlockShape| vec![shape.rows, shape.columns];
    let mut found = vec![];
    for id in graph.ids().filter(|id| pass.schedule.region[id.index()].is_some_and(&is_counted)) {
        let node = &graph[id];
        match &node.op {
            Op::MatMul { ta, .. } => {
                let a = graph[node.args[0]].shape;
                let mut dimensions = entries(node.shape);
                dimensions.push(if *ta { a.rows } else { a.columns });
                found.push((2, dimensions));
            }
            Op::Sum | Op::RowSum | Op::ColumnSum | Op::Maximum => {
                found.push((1, entries(graph[node.args[0]].shape)));
            }
            Op::Unary(_) | Op::Binary(_) | Op::Select(_) => found.push((1, entries(node.shape))),
            _ => {}
        }
    }
    found
}
