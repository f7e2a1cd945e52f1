//! The plan of a cell: its graphs, their schedules, and the places of their values.

use super::past::{Push, Recorded, Source};
use super::schedule::Schedule;
use crate::dim::Atom;
use crate::graph::ir::{Graph, Id, Piece};
use crate::lower::names::ValueNames;
use std::collections::HashMap;

/// A block of a declaration, and its value.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub piece: Piece,
    pub id: Id,
}

/// The lifetime of a value that is computed in the loop over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// One step.
    Step,
    /// One chunk of steps.
    Chunk,
    /// The whole sequence, for the backward pass or as an output.
    Sequence,
}

/// The place of a stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One value per call (and sample), at a level below time.
    Fixed,
    /// A separate buffer on the tape.
    Buffer(Lifetime),
    /// The new value of a state: the next step in the state's series, or the state itself if
    /// nothing reads its old value afterwards.
    State(Piece),
    /// The ring that holds the earlier values of a window. A step reads the columns of the window
    /// there, without a copy.
    Ring,
    /// A recorded value: the series that also holds the values before the first step.
    Recorded(Piece),
    /// Backward pass: the cotangent of a previous state.
    CarryOut(Piece),
    /// Backward pass: the gradient of a parameter, accumulated in place.
    Gradient(Piece),
}

/// The pass over one graph: its schedule and the places of its values.
#[derive(Debug)]
pub struct Pass {
    pub schedule: Schedule,
    pub places: HashMap<Id, Place>,
    /// The states that are overwritten in place: the leaf of the old state, and the node of the new
    /// one.
    pub in_place: HashMap<Id, Id>,
}

/// The complete information about a cell for emission.
#[derive(Debug)]
pub struct Plan {
    /// The graph of a step, including its backward equations.
    pub graph: Graph,
    /// The names of the values of the graph.
    pub names: ValueNames,
    /// The new values of the states, block by block.
    pub states: Vec<Bound>,
    /// The blocks of each output. `Piece::of` is the index of the output.
    pub outputs: Vec<Vec<Bound>>,
    /// The grids of the outputs, for their types.
    pub output_shapes: Vec<(Vec<Atom>, Vec<Atom>)>,
    pub forward: Pass,
    pub streaming: Pass,
    pub backward: Pass,
    pub gradients: Vec<Bound>,
    pub context_bars: Vec<Bound>,
    pub input_bars: Vec<Bound>,
    /// The cotangents of the previous states.
    pub carries: Vec<Bound>,
    /// The blocks of states that only delay values, outside of the recurrence.
    pub delay_states: Vec<Piece>,
    /// The values of which earlier steps are read, block by block.
    pub recorded: Vec<Recorded>,
    /// The cotangents of earlier values.
    pub pushes: Vec<Push>,
    /// The residuals, in ascending order. Emission reads [`Pass::places`] instead.
    #[cfg(test)]
    pub residuals: Vec<Id>,
    pub initial: Option<InitialPlan>,
}

impl Plan {
    /// Returns the source of a recorded value.
    pub fn source(&self, piece: Piece) -> Source {
        super::past::source(&self.recorded, piece)
    }

    /// Returns the states of the recurrence: all that do not merely delay values.
    pub fn recurrent(&self) -> impl Iterator<Item = &Bound> {
        self.states.iter().filter(|bound| !self.delay_states.contains(&bound.piece))
    }
}

/// The graph of the initial values of the states.
#[derive(Debug)]
pub struct InitialPlan {
    pub graph: Graph,
    /// The names of the values of the graph.
    pub names: ValueNames,
    /// Blocks of states, at the level of the context.
    pub values: Vec<Bound>,
    pub forward: Pass,
    pub backward: Pass,
    pub gradients: Vec<Bound>,
    pub context_bars: Vec<Bound>,
}
