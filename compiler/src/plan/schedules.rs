//! The schedules of the passes: the values that each has to compute, and the leaves that carry its
//! recurrence.

use super::delays::delays;
use super::equations::Equations;
use super::planned::Bound;
use super::schedule::{Schedule, Task, schedule};
use crate::graph::ir::{Id, Op, Piece};
use std::collections::HashMap;

/// The recurrence of a cell.
#[derive(Debug)]
pub struct Recurrence {
    /// The blocks of states that only delay values, and are not part of the recurrence.
    pub delays: Vec<Piece>,
}

/// The leaves of a pass that represent values of the previous step, or in the backward pass of the
/// next one.
struct Leaves {
    /// The leaves outside of the recurrence, each with the value that it delays by one step.
    delayed: HashMap<Id, Id>,
    recurrent: Vec<Id>,
}

impl Recurrence {
    pub fn of(equations: &Equations) -> Self {
        Recurrence { delays: delays(&equations.graph, &equations.states) }
    }

    /// Splits the leaves that read `bounds` at another step.
    fn leaves(&self, equations: &Equations, bounds: &[Bound], piece: fn(&Op) -> Option<Piece>) -> Leaves {
        let mut leaves = Leaves { delayed: HashMap::new(), recurrent: vec![] };
        for leaf in equations.graph.ids() {
            let Some(piece) = piece(&equations.graph[leaf].op) else { continue };
            match bounds.iter().find(|bound| bound.piece == piece) {
                Some(bound) if self.delays.contains(&piece) => {
                    leaves.delayed.insert(leaf, bound.id);
                }
                _ => leaves.recurrent.push(leaf),
            }
        }
        leaves
    }
}

fn previous(op: &Op) -> Option<Piece> {
    match op {
        Op::Previous(piece) => Some(*piece),
        _ => None,
    }
}

fn carry_bar(op: &Op) -> Option<Piece> {
    match op {
        Op::CarryBar(piece) => Some(*piece),
        _ => None,
    }
}

/// Schedules the forward pass over a sequence.
pub fn forward(equations: &Equations, recurrence: &Recurrence) -> Schedule {
    schedule(&equations.graph, &forward_task(equations, recurrence))
}

/// Schedules a single step.
pub fn streaming(equations: &Equations, recurrence: &Recurrence) -> Schedule {
    let task = forward_task(equations, recurrence);
    schedule(&equations.graph, &Task { delayed: HashMap::new(), streaming: true, ..task })
}

fn forward_task(equations: &Equations, recurrence: &Recurrence) -> Task {
    let Leaves { delayed, recurrent } = recurrence.leaves(equations, &equations.states, previous);
    Task {
        roots: equations.forward_roots(),
        recurrent_roots: equations.states.iter().map(|bound| bound.id).collect(),
        recurrent_leaves: recurrent,
        delayed,
        ..Task::default()
    }
}

/// Schedules the backward pass, which reads the residuals from the tape.
pub fn backward(equations: &Equations, recurrence: &Recurrence, residuals: &[Id]) -> Schedule {
    let Leaves { delayed, recurrent } = recurrence.leaves(equations, &equations.carries, carry_bar);
    let is_recurrent = |bound: &&Bound| !recurrence.delays.contains(&bound.piece);
    let mut roots = equations.backward_roots();
    let input_roots = roots.split_off(roots.len() - equations.bars.inputs.len());
    let task = Task {
        roots,
        recurrent_roots: equations.carries.iter().filter(is_recurrent).map(|bound| bound.id).collect(),
        input_roots,
        recurrent_leaves: recurrent,
        delayed,
        is_backward: true,
        available: residuals.to_vec(),
        streaming: false,
    };
    schedule(&equations.graph, &task)
}
