//! Everything about a cell that emission needs: the graph with its backward equations, what runs when, and
//! where each value lives.

mod bars;
pub mod cost;
mod delays;
mod in_place;
mod initial;
mod pass;
mod residuals;
pub mod schedule;
#[cfg(test)]
mod tests;
pub mod verify;

use crate::analysis::resolve::{Resolved, Target};
use crate::analysis::shapes::Shapes;
use crate::dim::Atom;
use crate::graph::autodiff;
use crate::graph::grid::{Grid, piece_name};
use crate::graph::ir::{Graph, Id, Level, Op, Piece};
use crate::graph::simplify::rebuild;
use crate::lower::Lowered;
use crate::lower::names::declared_name;
use crate::plan::schedule::{Task, schedule};
use crate::syntax::ast::{Cell, DeclarationKind, declared};
use std::collections::HashMap;

pub use initial::InitialPlan;
pub use pass::{Bound, Lifetime, Pass, Place};

use bars::{Bars, is_differentiable};

#[derive(Debug)]
pub struct Plan {
    pub graph: Graph,
    /// New values of the states, block by block.
    pub states: Vec<Bound>,
    /// By output, its blocks. `Piece::of` is the output's index.
    pub outputs: Vec<Vec<Bound>>,
    /// Grids of the outputs, for their types.
    pub output_shapes: Vec<(Vec<Atom>, Vec<Atom>)>,
    pub forward: Pass,
    pub streaming: Pass,
    pub backward: Pass,
    pub gradients: Vec<Bound>,
    pub context_bars: Vec<Bound>,
    pub input_bars: Vec<Bound>,
    /// The cotangents of the states at the step before.
    pub carries: Vec<Bound>,
    /// The blocks of states that only hand values on, outside of the recurrence.
    pub delays: Vec<Piece>,
    /// Kept for the backward pass, in ascending order: emission reads [`Pass::places`] instead.
    #[cfg(test)]
    pub residuals: Vec<Id>,
    pub initial: Option<InitialPlan>,
}

impl Plan {
    /// The states of the recurrence: those that don't only hand values on.
    pub fn recurrent(&self) -> impl Iterator<Item = &Bound> {
        self.states.iter().filter(|bound| !self.delays.contains(&bound.piece))
    }
}

pub fn plan(cell: &Cell, resolved: &Resolved, shapes: &Shapes, lowered: Lowered) -> Option<Plan> {
    let Lowered { mut graph, targets, initial_graph, initial } = lowered;
    let value = |target: Option<Target>| -> Option<&Grid> { targets[target?.equation].get(target?.index) };

    // States get a value of their own, which lives in the state's series.
    let mut copies = 0;
    let mut taken: Vec<Id> = vec![];
    let mut states = vec![];
    for index in declared(cell, DeclarationKind::State) {
        let grid = value(resolved.state_values[index])?;
        for (row, column, id) in grid.pieces() {
            let piece = Piece { of: index, row, column };
            let id = own(&mut graph, id, &mut taken, &mut copies);
            let name = piece_name(&cell.declarations[index].name.to_string(), grid, row, column);
            graph.suggest_name(id, &name);
            states.push(Bound { piece, id });
        }
    }
    // An output is a state, or is stored for itself.
    let mut outputs = vec![];
    let mut output_shapes = vec![];
    for (index, target) in resolved.outputs.iter().enumerate() {
        let target = (*target)?;
        let grid = value(Some(target))?.clone();
        let mut blocks = vec![];
        for (row, column, id) in grid.pieces() {
            let state = states.iter().find(|state| {
                resolved.state_values[state.piece.of] == Some(target)
                    && (state.piece.row, state.piece.column) == (row, column)
            });
            let id = match state {
                Some(state) => state.id,
                None => own(&mut graph, id, &mut taken, &mut copies),
            };
            let name = cell.equations[target.equation].targets[target.index].to_string();
            graph.suggest_name(id, &piece_name(&name, &grid, row, column));
            blocks.push(Bound { piece: Piece { of: index, row, column }, id });
        }
        outputs.push(blocks);
        output_shapes.push((grid.rows, grid.columns));
    }

    // Backward equations.
    let mut seeds = vec![];
    for bound in outputs.iter().flatten() {
        let shape = graph[bound.id].shape;
        let bar = graph.leaf(Op::OutputBar(bound.piece), shape, Level::Time);
        seeds.push((bound.id, bar));
    }
    for bound in &states {
        let shape = graph[bound.id].shape;
        let bar = graph.leaf(Op::CarryBar(bound.piece), shape, Level::Time);
        seeds.push((bound.id, bar));
    }
    let leaves = autodiff::pull_back(&mut graph, &seeds, |op| is_differentiable(cell, shapes, op));
    let mut bars = Bars::sort(cell, &graph, leaves);
    let mut carries = vec![];
    for bound in &states {
        // A state that nothing reads hands on no cotangent.
        let id = match bars.previous.iter().find(|bar| bar.piece == bound.piece) {
            Some(bar) => bar.id,
            None => graph.constant(0.0),
        };
        let shape = graph[bound.id].shape;
        let owned = graph.storage(id);
        let is_fit =
            graph[owned].level == Level::Time && !graph[owned].op.is_leaf() && !taken.contains(&owned);
        let id = if is_fit {
            taken.push(owned);
            owned
        } else {
            copies += 1;
            graph.copy(id, copies, shape, Level::Time)
        };
        let name = cell.declarations[bound.piece.of].name.to_string();
        graph.suggest_name(id, &format!("{name}_prev_bar"));
        carries.push(Bound { piece: bound.piece, id });
    }

    {
        let mut roots: Vec<&mut Id> = states.iter_mut().map(|bound| &mut bound.id).collect();
        roots.extend(outputs.iter_mut().flatten().map(|bound| &mut bound.id));
        roots.extend(carries.iter_mut().map(|bound| &mut bound.id));
        for list in [&mut bars.gradients, &mut bars.contexts, &mut bars.inputs] {
            roots.extend(list.iter_mut().map(|bound| &mut bound.id));
        }
        graph = rebuild(&graph, &mut roots);
    }
    for bound in states.iter_mut().chain(outputs.iter_mut().flatten()).chain(&mut carries) {
        bound.id = graph.storage(bound.id);
    }
    for bound in bars.gradients.iter().chain(&bars.contexts).chain(&bars.inputs) {
        let name = declared_name(cell, shapes, bound.piece);
        let id = graph.storage(bound.id);
        graph.suggest_name(id, &format!("{name}_bar"));
    }

    let forward_roots: Vec<Id> =
        states.iter().chain(outputs.iter().flatten()).map(|bound| bound.id).collect();
    let state_ids: Vec<Id> = states.iter().map(|bound| bound.id).collect();
    let previous: Vec<Id> = graph.ids().filter(|id| matches!(graph[*id].op, Op::Previous(_))).collect();
    let carry_leaves: Vec<Id> = graph.ids().filter(|id| matches!(graph[*id].op, Op::CarryBar(_))).collect();
    let delays = delays::delays(&graph, &states);
    // Leaves that delay a value by a step, each with that value; and the leaves of the recurrence.
    let split = |leaves: &[Id], bounds: &[Bound]| -> (HashMap<Id, Id>, Vec<Id>) {
        let (mut delayed, mut recurrent) = (HashMap::new(), vec![]);
        for &leaf in leaves {
            let (Op::Previous(piece) | Op::CarryBar(piece)) = graph[leaf].op else { continue };
            match bounds.iter().find(|bound| bound.piece == piece) {
                Some(bound) if delays.contains(&piece) => drop(delayed.insert(leaf, bound.id)),
                _ => recurrent.push(leaf),
            }
        }
        (delayed, recurrent)
    };
    let (delayed, recurrent_leaves) = split(&previous, &states);
    let task = |streaming| Task {
        roots: forward_roots.clone(),
        recurrent_roots: state_ids.clone(),
        input_roots: vec![],
        recurrent_leaves: recurrent_leaves.clone(),
        delayed: if streaming { HashMap::new() } else { delayed.clone() },
        is_backward: false,
        available: vec![],
        streaming,
    };
    let forward_schedule = schedule(&graph, &task(false));
    let streaming_schedule = schedule(&graph, &task(true));

    let ids = |list: &[Bound]| list.iter().map(|bound| bound.id).collect::<Vec<_>>();
    let mut backward_roots = ids(&carries);
    backward_roots.extend(ids(&bars.gradients));
    backward_roots.extend(ids(&bars.contexts));
    let mut all_backward = backward_roots.clone();
    all_backward.extend(ids(&bars.inputs));

    let single_output = outputs.len() == 1 && outputs[0].len() == 1;
    let mut stored = state_ids.clone();
    if single_output {
        stored.push(outputs[0][0].id);
    }
    let kept = residuals::choose(&graph, &forward_roots, &stored, &all_backward);
    let (delayed, recurrent_leaves) = split(&carry_leaves, &carries);
    let is_recurrent = |bound: &&Bound| !delays.contains(&bound.piece);
    let backward_schedule = schedule(
        &graph,
        &Task {
            roots: backward_roots,
            recurrent_roots: carries.iter().filter(is_recurrent).map(|bound| bound.id).collect(),
            input_roots: ids(&bars.inputs),
            recurrent_leaves,
            delayed,
            is_backward: true,
            available: kept.clone(),
            streaming: false,
        },
    );

    let place_state =
        |id: Id| states.iter().find(|bound| bound.id == id).map(|bound| Place::State(bound.piece));
    let forward = Pass::new(&graph, forward_schedule, &forward_roots, |id| {
        let is_output = single_output && outputs[0][0].id == id;
        let lasts = graph[id].level == Level::Time && (kept.binary_search(&id).is_ok() || is_output);
        place_state(id).or(lasts.then_some(Place::Buffer(Lifetime::Sequence)))
    });
    let old = |piece: Piece| previous.iter().find(|id| graph[**id].op == Op::Previous(piece)).copied();
    let replaced: Vec<&Bound> = states
        .iter()
        .filter(|bound| in_place::is_free(&graph, &streaming_schedule, old(bound.piece), bound.id))
        .collect();
    let mut streaming = Pass::new(&graph, streaming_schedule, &forward_roots, |id| {
        replaced.iter().find(|bound| bound.id == id).map(|bound| Place::State(bound.piece))
    });
    streaming.in_place = replaced.iter().filter_map(|bound| Some((old(bound.piece)?, bound.id))).collect();
    let backward = {
        let carry =
            |id: Id| carries.iter().find(|bound| bound.id == id).map(|bound| Place::CarryOut(bound.piece));
        // A sum that is one gradient and nothing else adds up where the gradient is wanted.
        let mut gradients: HashMap<Id, Option<Piece>> = HashMap::new();
        for bound in &bars.gradients {
            gradients.entry(bound.id).and_modify(|piece| *piece = None).or_insert(Some(bound.piece));
        }
        let gradient = |id: Id| {
            let piece = gradients.get(&id).copied().flatten()?;
            let is_lone = graph[id].op == Op::Accumulate && backward_schedule.users[id.index()].is_empty();
            is_lone.then_some(Place::Gradient(piece))
        };
        let places: HashMap<Id, Place> =
            graph.ids().filter_map(|id| Some((id, carry(id).or(gradient(id))?))).collect();
        Pass::new(&graph, backward_schedule, &all_backward, |id| places.get(&id).copied())
    };

    let initial = match initial.is_empty() {
        true => None,
        false => Some(initial::plan(cell, shapes, initial_graph, initial)),
    };
    Some(Plan {
        graph,
        states,
        outputs,
        output_shapes,
        forward,
        streaming,
        backward,
        gradients: bars.gradients,
        context_bars: bars.contexts,
        input_bars: bars.inputs,
        carries,
        delays,
        #[cfg(test)]
        residuals: kept,
        initial,
    })
}

/// The value's own storage if nothing else claims it and it is computed at every step; else a copy.
fn own(graph: &mut Graph, id: Id, taken: &mut Vec<Id>, copies: &mut u32) -> Id {
    let storage = graph.storage(id);
    let node = &graph[storage];
    if node.level == Level::Time
        && !node.op.is_leaf()
        && node.op != Op::StopGradient
        && !taken.contains(&storage)
    {
        taken.push(storage);
        return storage;
    }
    *copies += 1;
    let shape = graph[id].shape;
    graph.copy(id, *copies, shape, Level::Time)
}
