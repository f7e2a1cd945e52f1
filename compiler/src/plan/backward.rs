//! The backward equations of a step, in the graph of its forward equations.

use super::equations::{Bars, Equations, is_differentiable};
use super::planned::Bound;
use crate::analysis::shapes::Shapes;
use crate::graph::autodiff;
use crate::graph::ir::{Level, Op};
use crate::syntax::ast::Cell;

/// Adds the backward equations: the cotangents of parameters, contexts, inputs and previous states.
pub fn derive(equations: &mut Equations, cell: &Cell, shapes: &Shapes) {
    let Equations { graph, owners, states, outputs, carries, bars, .. } = equations;
    let mut seeds = vec![];
    for bound in outputs.iter().flatten() {
        let shape = graph[bound.id].shape;
        seeds.push((bound.id, graph.leaf(Op::OutputBar(bound.piece), shape, Level::Time)));
    }
    for bound in states.iter() {
        let shape = graph[bound.id].shape;
        seeds.push((bound.id, graph.leaf(Op::CarryBar(bound.piece), shape, Level::Time)));
    }
    let leaves = autodiff::pull_back(graph, &seeds, |op| is_differentiable(cell, shapes, op));
    *bars = Bars::sort(cell, graph, leaves);
    for bound in states.iter() {
        // The cotangent of a state that is never read is zero.
        let id = match bars.previous.iter().find(|bar| bar.piece == bound.piece) {
            Some(bar) => bar.id,
            None => graph.constant(0.0),
        };
        let shape = graph[bound.id].shape;
        // On padding, the carry is the cotangent of the final state instead of this value, so what
        // else reads the value must not read the carry.
        let storage = graph.storage(id);
        let is_read = graph.ids().any(|user| graph[user].args.contains(&storage));
        let id = if is_read { owners.copy(graph, id, shape) } else { owners.own(graph, id, shape) };
        let name = cell.declarations[bound.piece.of].name.to_string();
        graph.suggest_name(id, &format!("{name}_prev_bar"));
        carries.push(Bound { piece: bound.piece, id });
    }
}
