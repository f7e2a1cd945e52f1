//! The tasks of the passes: the values that each has to compute, and the leaves that carry its
//! recurrence.

use super::past::{Push, Recorded, Source};
use super::recurrence::{Recurrence, Relation};
use super::schedule::Task;
use super::step_graph::StepGraph;
use crate::graph::ir::{Id, Op};
use std::collections::HashMap;

/// The leaves of a pass that represent values of earlier steps, or in the backward pass of later
/// ones.
#[derive(Default)]
struct Leaves {
    /// The leaves outside of the recurrence, each with the values whose series it reads.
    delayed: HashMap<Id, Vec<Id>>,
    /// The leaves whose series are complete only after the recurrence.
    late: Vec<Id>,
    recurrent: Vec<Id>,
}

impl Leaves {
    fn add(&mut self, leaf: Id, series: Vec<Id>, relation: Relation) {
        match relation {
            Relation::Within => self.recurrent.push(leaf),
            Relation::Before => {
                self.delayed.insert(leaf, series);
            }
            Relation::After => {
                self.late.push(leaf);
                self.delayed.insert(leaf, series);
            }
        }
    }
}

/// Returns the leaves of the forward pass.
fn forward_leaves(step: &StepGraph, recurrence: &Recurrence) -> Leaves {
    let mut leaves = Leaves::default();
    let state = |piece| step.states.iter().find(|bound| bound.piece == piece).map(|bound| bound.id);
    for leaf in step.graph.ids() {
        match step.graph[leaf].op {
            Op::Previous(piece) => {
                leaves.add(leaf, state(piece).into_iter().collect(), recurrence.of_state(piece));
            }
            Op::Past(earlier) => {
                let series = match step.source(earlier.piece) {
                    Source::State(piece) => state(piece).into_iter().collect(),
                    Source::Value(id) => vec![id],
                    // The whole series exists from the start.
                    Source::Input(_) | Source::Index(_) => continue,
                };
                leaves.add(leaf, series, recurrence.of_recorded(step, earlier.piece));
            }
            _ => {}
        }
    }
    leaves
}

/// Returns the leaves of the backward pass.
fn backward_leaves(step: &StepGraph, recurrence: &Recurrence) -> Leaves {
    let mut leaves = Leaves::default();
    for leaf in step.graph.ids() {
        match step.graph[leaf].op {
            Op::CarryBar(piece) => {
                let carry = step.carries.iter().find(|bound| bound.piece == piece);
                let series = carry.map(|bound| bound.id).into_iter().collect();
                leaves.add(leaf, series, recurrence.of_state(piece).reversed());
            }
            Op::PastBar { piece, ring } => {
                let pushes = step
                    .pushes
                    .iter()
                    .filter(|push| push.earlier.piece == piece && push.earlier.ring == ring);
                let series = pushes.map(|push| push.id).collect();
                leaves.add(leaf, series, recurrence.of_recorded(step, piece).reversed());
            }
            _ => {}
        }
    }
    leaves
}

/// Returns the task of the forward pass over a sequence.
pub fn forward(step: &StepGraph, recurrence: &Recurrence) -> Task {
    let Leaves { delayed, late, recurrent } = forward_leaves(step, recurrence);
    let states = step.states.iter().map(|bound| bound.id);
    let is_recurrent = |record: &&Recorded| recurrence.of_recorded(step, record.piece) == Relation::Within;
    let recorded = step.recorded.iter().filter(is_recurrent);
    Task {
        roots: step.forward_roots(),
        recurrent_roots: states.chain(recorded.filter_map(Recorded::computed)).collect(),
        recurrent_leaves: recurrent,
        delayed,
        late,
        ..Task::default()
    }
}

/// Returns the task of a single step.
pub fn streaming(step: &StepGraph, recurrence: &Recurrence) -> Task {
    let task = forward(step, recurrence);
    Task { delayed: HashMap::new(), late: vec![], streaming: true, ..task }
}

/// Returns the task of the backward pass, which reads the residuals from the tape.
pub fn backward(step: &StepGraph, recurrence: &Recurrence, residuals: &[Id]) -> Task {
    let Leaves { delayed, late, recurrent } = backward_leaves(step, recurrence);
    let carries = step.carries.iter().filter(|bound| recurrence.of_state(bound.piece) == Relation::Within);
    let is_recurrent = |push: &&Push| recurrence.of_recorded(step, push.earlier.piece) == Relation::Within;
    let pushes = step.pushes.iter().filter(is_recurrent);
    Task {
        roots: step.main_roots(),
        recurrent_roots: carries.map(|bound| bound.id).chain(pushes.map(|push| push.id)).collect(),
        input_roots: step.input_roots(),
        recurrent_leaves: recurrent,
        delayed,
        late,
        available: residuals.to_vec(),
        streaming: false,
    }
}
