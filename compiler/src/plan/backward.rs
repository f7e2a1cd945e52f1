//! The backward equations of a step, in the graph of its forward equations.

use super::past::{Push, Source};
use super::planned::Bound;
use super::step_graph::{Bars, StepGraph, is_differentiable};
use crate::analysis::past::Past;
use crate::analysis::shapes::Shapes;
use crate::graph::autodiff;

use crate::graph::ir::{Graph, Id, Level, Op};
use crate::syntax::ast::Cell;

/// Adds the backward equations: the cotangents of parameters, contexts, inputs and previous states.
pub fn derive(step: &mut StepGraph, cell: &Cell, shapes: &Shapes, past: &Past) {
    let seeds_of_past = past_seeds(step, past);
    let StepGraph { graph, owners, states, outputs, carries, bars, pushes, recorded, .. } = step;
    let (recorded_states, other_states): (Vec<&Bound>, Vec<&Bound>) = states.iter().partition(|bound| {
        recorded.iter().any(|record| matches!(record.source, Source::State(piece) if piece == bound.piece))
    });
    // Where a sequence is cut, the cotangent of a state is the sum of its cotangents from all later
    // steps. The whole sequence adds in the same order: these first, then that of an output.
    let mut seeds: Vec<_> = recorded_states.into_iter().map(|bound| carry_seed(graph, bound)).collect();
    seeds.extend(seeds_of_past);
    for bound in outputs.iter().flatten() {
        let shape = graph[bound.id].shape;
        seeds.push((bound.id, graph.leaf(Op::OutputBar(bound.piece), shape, Level::Time)));
    }
    seeds.extend(other_states.into_iter().map(|bound| carry_seed(graph, bound)));
    let leaves = autodiff::pull_back(graph, &seeds, |op| is_differentiable(cell, shapes, op));
    *bars = Bars::sort(cell, graph, leaves);
    for bound in states.iter() {
        // The cotangent of a state that is never read is zero.
        let id = match bars.previous.iter().find(|bar| bar.piece == bound.piece) {
            Some(bar) => bar.id,
            None => graph.constant(0.0),
        };
        let shape = graph[bound.id].shape;
        // On padding, the carry holds the cotangent of the final state instead of this value, so no
        // other reader of the value may read the carry.
        let storage = graph.storage(id);
        let is_read = graph.ids().any(|user| graph[user].args.contains(&storage));
        let id = if is_read { owners.copy(graph, id, shape) } else { owners.own(graph, id, shape) };
        let name = cell.declarations[bound.piece.of].name.to_string();
        graph.suggest_name(id, &format!("{name}_prev_bar"));
        carries.push(Bound { piece: bound.piece, id });
    }
    for (leaf, earlier, id) in std::mem::take(&mut bars.past) {
        let shape = graph[leaf].shape;
        let id = owners.own(graph, id, shape);
        let name = &past.values[earlier.piece.of].name;
        graph.suggest_name(id, &format!("{name}_past_bar"));
        pushes.push(Push { earlier, id });
    }
}

/// Returns a state with its cotangent from the next step.
fn carry_seed(graph: &mut Graph, bound: &Bound) -> (Id, Id) {
    let shape = graph[bound.id].shape;
    (bound.id, graph.leaf(Op::CarryBar(bound.piece), shape, Level::Time))
}

/// Returns the recorded values, each with its cotangent from later steps.
fn past_seeds(step: &mut StepGraph, past: &Past) -> Vec<(Id, Id)> {
    let mut seeds = vec![];
    for record in step.recorded.clone() {
        let graph = &mut step.graph;
        let id = match record.source {
            Source::Index(_) => continue,
            Source::Input(piece) => {
                let shape = past.values[record.piece.of].block(record.piece.row, record.piece.column);
                let read = graph.read(piece, shape, Level::Time);
                graph.storage(read)
            }
            Source::State(piece) => match step.states.iter().find(|bound| bound.piece == piece) {
                Some(bound) => bound.id,
                None => continue,
            },
            Source::Value(id) => id,
        };
        for ring in past.rings_of(record.piece.of) {
            let shape = graph[id].shape;
            let bar = graph.leaf(Op::PastBar { piece: record.piece, ring }, shape, Level::Time);
            seeds.push((id, bar));
        }
    }
    seeds
}
