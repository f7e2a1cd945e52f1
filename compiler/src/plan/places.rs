//! The places of values: in a state, on the tape, in a gradient, in a ring, or in a register of a
//! fused loop.

use super::in_place::is_free;
use super::planned::{Bound, Lifetime, Pass, Place};
use super::schedule::{Group, Region, Schedule};
use super::step_graph::StepGraph;
use crate::dim::Atom;
use crate::graph::ir::{Graph, Id, Level, Node, Op, Piece};
use std::collections::{HashMap, HashSet};

/// Assigns places in the forward pass over a sequence. States are stored in their series, residuals
/// and a lone output on the tape.
pub fn forward(step: &StepGraph, schedule: Schedule, residuals: &[Id]) -> Pass {
    let (graph, output) = (&step.graph, step.lone_output());
    assign(graph, schedule, &step.forward_roots(), |id| {
        let is_lasting = residuals.binary_search(&id).is_ok() || output == Some(id);
        let lasts = graph[id].level == Level::Time && is_lasting;
        let recorded = step.recorded.iter().find(|record| record.computed() == Some(id));
        let recorded = recorded.map(|record| Place::Recorded(record.piece));
        place_of_state(&step.states, id).or(recorded).or(lasts.then_some(Place::Buffer(Lifetime::Sequence)))
    })
}

/// Assigns places in a single step. A state is overwritten in place if nothing reads its old value
/// afterwards.
pub fn streaming(step: &StepGraph, schedule: Schedule) -> Pass {
    let graph = &step.graph;
    let old = |piece: Piece| graph.ids().find(|id| graph[*id].op == Op::Previous(piece));
    let states = step.states.iter();
    let replaced: Vec<Bound> =
        states.filter(|bound| is_free(graph, &schedule, old(bound.piece), bound.id)).copied().collect();
    let mut pass = assign(graph, schedule, &step.forward_roots(), |id| place_of_state(&replaced, id));
    pass.in_place = replaced.iter().filter_map(|bound| Some((old(bound.piece)?, bound.id))).collect();
    let roots = step.forward_roots();
    let computed = pass.places.keys().copied();
    let windows: Vec<Id> = computed.filter(|id| is_read_by_column(graph, &pass, &roots, *id)).collect();
    pass.places.extend(windows.into_iter().map(|id| (id, Place::Ring)));
    pass
}

/// Returns whether a value is a window, and a step only runs loops over its columns. Each column is
/// contiguous in the ring.
fn is_read_by_column(graph: &Graph, pass: &Pass, roots: &[Id], id: Id) -> bool {
    let Node { op: Op::Window { .. }, shape, .. } = &graph[id] else { return false };
    // The window of a scalar is one vector.
    let has_columns = shape.rows != Atom::ONE && shape.columns != Atom::ONE;
    // The ring does not hold the present value, which must last until the columns are read. It is a
    // vector, and a step does not overwrite vectors in place.
    let Schedule { users, .. } = &pass.schedule;
    has_columns
        && !roots.iter().any(|root| graph.storage(*root) == id)
        && pass.schedule.groups(Region::Step).iter().all(|group| {
            let operands = group.operands(graph, users);
            let mut reads = operands.iter().filter(|operand| graph.storage(**operand) == id);
            match group {
                Group::Elementwise { space, .. }
                    if (space.rows, space.columns) == (shape.rows, shape.columns) =>
                {
                    reads.all(|operand| *operand == id)
                }
                _ => reads.next().is_none(),
            }
        })
}

/// Assigns places in the backward pass. Cotangents of states are stored in their series, and sums
/// of gradients in the gradients.
pub fn backward(step: &StepGraph, schedule: Schedule) -> Pass {
    let (graph, gradients) = (&step.graph, &step.bars.gradients);
    let carry = |id: Id| {
        let bound = step.carries.iter().find(|bound| bound.id == id);
        bound.map(|bound| Place::CarryOut(bound.piece))
    };
    // A sum whose only use is one gradient is accumulated in that gradient.
    let mut pieces: HashMap<Id, Option<Piece>> = HashMap::new();
    for bound in gradients {
        pieces.entry(bound.id).and_modify(|piece| *piece = None).or_insert(Some(bound.piece));
    }
    let gradient = |id: Id| {
        let piece = pieces.get(&id).copied().flatten()?;
        let is_lone = graph[id].op == Op::Accumulate && schedule.users[id.index()].is_empty();
        is_lone.then_some(Place::Gradient(piece))
    };
    let places: HashMap<Id, Place> =
        graph.ids().filter_map(|id| Some((id, carry(id).or(gradient(id))?))).collect();
    assign(graph, schedule, &step.backward_roots(), |id| places.get(&id).copied())
}

fn place_of_state(states: &[Bound], id: Id) -> Option<Place> {
    states.iter().find(|bound| bound.id == id).map(|bound| Place::State(bound.piece))
}

/// Finds a place for every stored value of a pass. `fixed_place` returns the places of special
/// values.
pub fn assign(
    graph: &Graph,
    schedule: Schedule,
    roots: &[Id],
    fixed_place: impl Fn(Id) -> Option<Place>,
) -> Pass {
    let mut is_root = vec![false; graph.len()];
    for root in roots {
        is_root[graph.storage(*root).index()] = true;
    }
    let mut places = HashMap::new();
    for region in Region::ALL {
        for group in schedule.groups(region) {
            let nodes = group.nodes();
            let fused: HashSet<Id> = match group {
                Group::Elementwise { nodes, .. } => nodes.iter().copied().collect(),
                _ => HashSet::new(),
            };
            for id in nodes {
                let place = fixed_place(id).or_else(|| match graph[id].level {
                    Level::Time => {
                        lifetime(&schedule, region, &fused, id, is_root[id.index()]).map(Place::Buffer)
                    }
                    _ => Some(Place::Fixed),
                });
                if let Some(place) = place {
                    places.insert(id, place);
                }
            }
        }
    }
    Pass { schedule, places, in_place: HashMap::new() }
}

/// Returns the lifetime of a value. Returns `None` if it lives in a register of its loop, whose
/// nodes are `fused`.
fn lifetime(
    schedule: &Schedule,
    region: Region,
    fused: &HashSet<Id>,
    id: Id,
    is_root: bool,
) -> Option<Lifetime> {
    let users = &schedule.users[id.index()];
    if !is_root && fused.contains(&id) && users.iter().all(|user| fused.contains(user)) {
        return None;
    }
    let leaves_region = is_root || users.iter().any(|user| schedule.region[user.index()] != Some(region));
    Some(if region == Region::Step && !leaves_region { Lifetime::Step } else { Lifetime::Chunk })
}
