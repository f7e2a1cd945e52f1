//! Removal of unused values, and simplification of the equations that differentiation has made
//! redundant.

use super::past::Recorded;
use super::step_graph::StepGraph;
use crate::analysis::shapes::Shapes;
use crate::graph::ir::Id;
use crate::graph::simplify::rebuild;
use crate::lower::names::declared_name;
use crate::syntax::ast::Cell;

/// Rebuilds the graph from the values that the passes have to compute.
pub fn clean(step: &mut StepGraph, cell: &Cell, shapes: &Shapes) {
    let StepGraph { graph, states, outputs, carries, bars, recorded, pushes, .. } = step;
    let owned = states.iter_mut().chain(outputs.iter_mut().flatten()).chain(carries.iter_mut());
    let mut roots: Vec<&mut Id> = owned.map(|bound| &mut bound.id).collect();
    for list in [&mut bars.gradients, &mut bars.contexts, &mut bars.inputs] {
        roots.extend(list.iter_mut().map(|bound| &mut bound.id));
    }
    roots.extend(recorded.iter_mut().filter_map(Recorded::computed_mut));
    roots.extend(pushes.iter_mut().map(|push| &mut push.id));
    *graph = rebuild(graph, &mut roots);
    for id in recorded
        .iter_mut()
        .filter_map(Recorded::computed_mut)
        .chain(pushes.iter_mut().map(|push| &mut push.id))
    {
        *id = graph.storage(*id);
    }
    for bound in states.iter_mut().chain(outputs.iter_mut().flatten()).chain(carries.iter_mut()) {
        bound.id = graph.storage(bound.id);
    }
    for bound in bars.gradients.iter().chain(&bars.contexts).chain(&bars.inputs) {
        let name = declared_name(cell, shapes, bound.piece);
        let id = graph.storage(bound.id);
        graph.suggest_name(id, &format!("{name}_bar"));
    }
}
