//! The recurrence of a cell, and the values of earlier steps outside of it: the previous input, or
//! the window of a convolution.
//!
//! A step reads earlier values through states and through recorded values. Those that depend only
//! on inputs are known for all steps of a chunk before the recurrence starts, and their cotangents
//! are needed only after it has run. Recorded values that depend on the recurrence but do not lead
//! back to it are computed after the recurrence, and their cotangents before that of the backward
//! pass. Products with either are computed for all steps at once.

use super::past::Source;
use super::step_graph::StepGraph;
use crate::graph::ir::{Graph, Id, Op, Piece};

/// A value that later steps read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    State(Piece),
    Recorded(Piece),
}

/// The earlier values that a cell reads outside of its recurrence: those that are known before it,
/// and those that are computed after it.
#[derive(Debug)]
pub struct Recurrence {
    /// The blocks of states that neither are part of a cycle nor depend on one.
    pub delay_states: Vec<Piece>,
    /// The recorded values that neither are part of a cycle nor depend on one.
    before: Vec<Piece>,
    /// The recorded values that depend on a cycle and lead to none.
    after: Vec<Piece>,
}

/// The relation of an earlier value to the recurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Before,
    Within,
    After,
}

impl Relation {
    /// Returns the relation of the cotangent to the recurrence of the backward pass, which runs in
    /// the other direction.
    pub fn reversed(self) -> Self {
        match self {
            Relation::Before => Relation::After,
            Relation::Within => Relation::Within,
            Relation::After => Relation::Before,
        }
    }
}

impl Recurrence {
    /// Returns the relation of the earlier values of a state.
    pub fn of_state(&self, piece: Piece) -> Relation {
        if self.delay_states.contains(&piece) { Relation::Before } else { Relation::Within }
    }

    /// Returns the relation of the earlier values of a recorded value.
    pub fn of_recorded(&self, step: &StepGraph, piece: Piece) -> Relation {
        match step.source(piece) {
            Source::State(state) => self.of_state(state),
            Source::Value(_) if self.before.contains(&piece) => Relation::Before,
            Source::Value(_) if self.after.contains(&piece) => Relation::After,
            Source::Value(_) => Relation::Within,
            // The whole series exists from the start.
            Source::Input(_) | Source::Index(_) => Relation::Before,
        }
    }
}

/// Separates the recurrence of a cell from the values around it.
pub fn recurrence(step: &StepGraph) -> Recurrence {
    let states = step.states.iter().map(|bound| (Kept::State(bound.piece), bound.id));
    let recorded =
        step.recorded.iter().filter_map(|record| Some((Kept::Recorded(record.piece), record.computed()?)));
    let kept: Vec<(Kept, Vec<Kept>)> =
        states.chain(recorded).map(|(kept, id)| (kept, reads(step, id))).collect();

    let mut before: Vec<Kept> = vec![];
    loop {
        let is_new = |(kept, reads): &&(Kept, Vec<Kept>)| {
            !before.contains(kept) && reads.iter().all(|read| before.contains(read))
        };
        let new: Vec<Kept> = kept.iter().filter(is_new).map(|(kept, _)| *kept).collect();
        if new.is_empty() {
            break;
        }
        before.extend(new);
    }
    // All other states are part of the recurrence, and so are the recorded values that they read.
    let mut recurrent: Vec<Kept> =
        kept.iter().map(|(kept, _)| *kept).filter(|kept| is_state(kept) && !before.contains(kept)).collect();
    let mut next = 0;
    while let Some(kept_by) = recurrent.get(next).copied() {
        next += 1;
        for (_, reads) in kept.iter().filter(|(kept, _)| *kept == kept_by) {
            for read in reads {
                if !recurrent.contains(read) && !before.contains(read) {
                    recurrent.push(*read);
                }
            }
        }
    }
    let rest = kept.iter().map(|(kept, _)| *kept);
    let after = rest.filter(|kept| !before.contains(kept) && !recurrent.contains(kept));
    Recurrence {
        after: after.filter_map(recorded_piece).collect(),
        delay_states: before.iter().copied().filter(is_state).map(piece).collect(),
        before: before.into_iter().filter_map(recorded_piece).collect(),
    }
}

fn is_state(kept: &Kept) -> bool {
    matches!(kept, Kept::State(_))
}

fn piece(kept: Kept) -> Piece {
    match kept {
        Kept::State(piece) | Kept::Recorded(piece) => piece,
    }
}

fn recorded_piece(kept: Kept) -> Option<Piece> {
    (!is_state(&kept)).then(|| piece(kept))
}

/// Returns the earlier values that a value is computed from.
fn reads(step: &StepGraph, id: Id) -> Vec<Kept> {
    let graph: &Graph = &step.graph;
    let mut found = vec![];
    let mut seen = vec![false; graph.len()];
    let mut stack = vec![id];
    while let Some(id) = stack.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        match graph[id].op {
            Op::Previous(piece) => found.push(Kept::State(piece)),
            Op::Past(earlier) => match step.source(earlier.piece) {
                Source::State(piece) => found.push(Kept::State(piece)),
                Source::Value(_) => found.push(Kept::Recorded(earlier.piece)),
                Source::Input(_) | Source::Index(_) => {}
            },
            _ => stack.extend(&graph[id].args),
        }
    }
    found
}
