//! The backward equations of a step, in the graph of its forward equations.

use super::equations::{Bars, Equations, is_differentiable};
use super::planned::Bound;
use crate::analysis::shapes::Shapes;
use crate::graph::autodiff;
use crate::graph::ir::{Id, Level, Op, Piece};
use crate::plan::schedule::{Region, Schedule};
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
        let id = owners.own(graph, id, shape);
        let name = cell.declarations[bound.piece.of].name.to_string();
        graph.suggest_name(id, &format!("{name}_prev_bar"));
        carries.push(Bound { piece: bound.piece, id });
    }
}

/// Gives the carries that are read after the recurrence values of their own. Returns whether there
/// were any.
///
/// On the padding of a ragged batch, the carry of a finished sample passes through unchanged. It is
/// then not the cotangent that such a node means, which is zero.
pub fn separate_carries(
    equations: &mut Equations,
    cell: &Cell,
    schedule: &Schedule,
    delays: &[Piece],
) -> bool {
    let Equations { graph, owners, carries, .. } = equations;
    let is_late = |user: &Id| schedule.region[user.index()].is_some_and(|region| region > Region::Step);
    let mut is_changed = false;
    for bound in carries.iter_mut().filter(|bound| !delays.contains(&bound.piece)) {
        if schedule.users[bound.id.index()].iter().any(is_late) {
            let shape = graph[bound.id].shape;
            bound.id = owners.copy(graph, bound.id, shape);
            let name = cell.declarations[bound.piece.of].name.to_string();
            graph.suggest_name(bound.id, &format!("{name}_prev_bar"));
            is_changed = true;
        }
    }
    is_changed
}
