//! The plan of a cell: its graphs, what runs when in each, and where values live.

use super::schedule::Schedule;
use crate::dim::Atom;
use crate::graph::ir::{Graph, Id, Piece};
use crate::lower::names::Names;
use std::collections::HashMap;

/// A block of something declared, and its value.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub piece: Piece,
    pub id: Id,
}

/// How long a value that is computed in the loop over time has to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifetime {
    /// Within a step.
    Step,
    /// Within a chunk of steps.
    Chunk,
    /// Through the whole sequence, for the backward pass or as an output.
    Sequence,
}

/// Where a stored value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One value a call (and sample), at a level below time.
    Fixed,
    /// A buffer of its own on the tape.
    Buffer(Lifetime),
    /// A state's new value: the step after in the state's series, or the state itself where nothing reads the old one
    /// any more.
    State(Piece),
    /// Backward: the cotangent of a state at the step before.
    CarryOut(Piece),
    /// Backward: the gradient of a parameter, accumulated in place.
    Gradient(Piece),
}

/// One graph's pass: what runs when, and where values live.
#[derive(Debug)]
pub struct Pass {
    pub schedule: Schedule,
    pub places: HashMap<Id, Place>,
    /// What is overwritten where it is: the leaf of an old state, and the node of the new one.
    pub in_place: HashMap<Id, Id>,
}

/// Everything about a cell that emission needs.
#[derive(Debug)]
pub struct Plan {
    /// A step, and its backward equations.
    pub graph: Graph,
    /// By value of the graph.
    pub names: Names,
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
    /// The blocks of states that only pass values on, outside of the recurrence.
    pub delays: Vec<Piece>,
    /// The residuals, in ascending order: emission reads [`Pass::places`] instead.
    #[cfg(test)]
    pub residuals: Vec<Id>,
    pub initial: Option<InitialPlan>,
}

impl Plan {
    /// Returns the states of the recurrence: those that do more than pass values on.
    pub fn recurrent(&self) -> impl Iterator<Item = &Bound> {
        self.states.iter().filter(|bound| !self.delays.contains(&bound.piece))
    }
}

/// The graph of the states' initial values.
#[derive(Debug)]
pub struct InitialPlan {
    pub graph: Graph,
    /// By value of the graph.
    pub names: Names,
    /// Blocks of states, at the level of the context.
    pub values: Vec<Bound>,
    pub forward: Pass,
    pub backward: Pass,
    pub gradients: Vec<Bound>,
    pub context_bars: Vec<Bound>,
}
