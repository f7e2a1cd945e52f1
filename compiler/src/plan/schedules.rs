//! The schedules of the passes: the values that each has to compute, and the leaves that carry its
//! recurrence.

use super::delays::{Delays, delays};
use super::past::Source;
use super::planned::Bound;
use super::schedule::{Schedule, Task, schedule};
use super::step_graph::StepGraph;
use crate::graph::ir::{Id, Op, Piece};
use std::collections::HashMap;

/// The recurrence of a cell.
#[derive(Debug)]
pub struct Recurrence {
    /// The values of earlier steps that are not part of the recurrence.
    pub delays: Delays,
}

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

/// The relation of a leaf to the recurrence of a pass.
enum Relation {
    Before,
    Within,
    After,
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

impl Recurrence {
    pub fn of(step: &StepGraph) -> Self {
        Recurrence { delays: delays(step) }
    }

    /// Returns the relation of the earlier values of a state to the recurrence of the forward pass.
    fn of_state(&self, piece: Piece) -> Relation {
        if self.delays.states.contains(&piece) { Relation::Before } else { Relation::Within }
    }

    fn of_recorded(&self, piece: Piece) -> Relation {
        if self.delays.before.contains(&piece) {
            Relation::Before
        } else if self.delays.after.contains(&piece) {
            Relation::After
        } else {
            Relation::Within
        }
    }

    /// Returns the leaves of the forward pass.
    fn forward(&self, step: &StepGraph) -> Leaves {
        let mut leaves = Leaves::default();
        let state = |piece| step.states.iter().find(|bound| bound.piece == piece).map(|bound| bound.id);
        for leaf in step.graph.ids() {
            match step.graph[leaf].op {
                Op::Previous(piece) => {
                    leaves.add(leaf, state(piece).into_iter().collect(), self.of_state(piece));
                }
                Op::Past(earlier) => match step.source(earlier.piece) {
                    Source::State(piece) => {
                        leaves.add(leaf, state(piece).into_iter().collect(), self.of_state(piece));
                    }
                    Source::Value(id) => leaves.add(leaf, vec![id], self.of_recorded(earlier.piece)),
                    // The whole series exists from the start.
                    Source::Input(_) | Source::Index(_) => {}
                },
                _ => {}
            }
        }
        leaves
    }

    /// Returns the leaves of the backward pass. Its recurrence runs in the other direction.
    fn backward(&self, step: &StepGraph) -> Leaves {
        let turned = |relation| match relation {
            Relation::Before => Relation::After,
            Relation::Within => Relation::Within,
            Relation::After => Relation::Before,
        };
        let mut leaves = Leaves::default();
        for leaf in step.graph.ids() {
            match step.graph[leaf].op {
                Op::CarryBar(piece) => {
                    let carry = step.carries.iter().find(|bound| bound.piece == piece);
                    let series = carry.map(|bound| bound.id).into_iter().collect();
                    leaves.add(leaf, series, turned(self.of_state(piece)));
                }
                Op::PastBar { piece, ring } => {
                    let pushes = step
                        .pushes
                        .iter()
                        .filter(|push| push.earlier.piece == piece && push.earlier.ring == ring);
                    let series = pushes.map(|push| push.id).collect();
                    leaves.add(leaf, series, turned(self.of_source(step, piece)));
                }
                _ => {}
            }
        }
        leaves
    }

    fn of_source(&self, step: &StepGraph, piece: Piece) -> Relation {
        match step.source(piece) {
            Source::State(state) => self.of_state(state),
            Source::Value(_) => self.of_recorded(piece),
            Source::Input(_) | Source::Index(_) => Relation::Before,
        }
    }
}

/// Schedules the forward pass over a sequence.
pub fn forward(step: &StepGraph, recurrence: &Recurrence) -> Schedule {
    schedule(&step.graph, &forward_task(step, recurrence))
}

/// Schedules a single step.
pub fn streaming(step: &StepGraph, recurrence: &Recurrence) -> Schedule {
    let task = forward_task(step, recurrence);
    schedule(&step.graph, &Task { delayed: HashMap::new(), late: vec![], streaming: true, ..task })
}

fn forward_task(step: &StepGraph, recurrence: &Recurrence) -> Task {
    let Leaves { delayed, late, recurrent } = recurrence.forward(step);
    let states = step.states.iter().map(|bound| bound.id);
    let recorded = step
        .recorded
        .iter()
        .filter(|record| matches!(recurrence.of_source(step, record.piece), Relation::Within));
    Task {
        roots: step.forward_roots(),
        recurrent_roots: states.chain(recorded.filter_map(|record| record.computed())).collect(),
        recurrent_leaves: recurrent,
        delayed,
        late,
        ..Task::default()
    }
}

/// Schedules the backward pass, which reads the residuals from the tape.
pub fn backward(step: &StepGraph, recurrence: &Recurrence, residuals: &[Id]) -> Schedule {
    let Leaves { delayed, late, recurrent } = recurrence.backward(step);
    let is_recurrent = |bound: &&Bound| matches!(recurrence.of_state(bound.piece), Relation::Within);
    let carries = step.carries.iter().filter(is_recurrent).map(|bound| bound.id);
    let pushes = step
        .pushes
        .iter()
        .filter(|push| matches!(recurrence.of_source(step, push.earlier.piece), Relation::Within));
    let task = Task {
        roots: step.main_roots(),
        recurrent_roots: carries.chain(pushes.map(|push| push.id)).collect(),
        input_roots: step.input_roots(),
        recurrent_leaves: recurrent,
        delayed,
        late,
        available: residuals.to_vec(),
        streaming: false,
    };
    schedule(&step.graph, &task)
}
