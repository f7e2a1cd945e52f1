//! Counts of entries and of floating-point operations, as polynomials in the dimensions.

use super::planned::Pass;
use super::schedule::Region;
use crate::analysis::heads::heads;
use crate::analysis::shapes::Shaped;
use crate::dim::polynomial::Polynomial;
use crate::graph::ir::Graph;
use crate::graph::ops;
use crate::syntax::ast::{DeclarationKind, declared};

/// Returns the number of operations of the nodes in the regions that are counted.
pub fn operations(graph: &Graph, pass: &Pass, is_counted: impl Fn(Region) -> bool) -> Polynomial {
    let mut sum = Polynomial::default();
    for id in graph.ids().filter(|id| pass.schedule.region[id.index()].is_some_and(&is_counted)) {
        let work = ops::primitive(&graph[id].op).and_then(|primitive| (primitive.work)(graph, &graph[id]));
        if let Some((times, atoms)) = work {
            sum.add(&Polynomial::product(times, &atoms));
        }
    }
    sum
}

/// Returns the number of entries of all declarations of a kind.
pub fn entries(definition: Shaped, kind: DeclarationKind) -> Polynomial {
    let mut sum = Polynomial::default();
    for index in declared(definition.cell, kind) {
        if let Some(shape) = &definition.shapes.declarations[index] {
            let heads = heads(definition.cell, definition.cell.declarations[index].heads_block);
            sum.add(&Polynomial::size(heads, &shape.rows, &shape.columns));
        }
    }
    sum
}
