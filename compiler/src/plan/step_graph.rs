//! The graph of a step, forward and backward, as the stages of planning build it.

use super::past::{self, Source};
use super::past::{Push, Recorded};
use super::planned::Bound;
use crate::analysis::shapes::Shapes;
use crate::dim::Atom;
use crate::graph::ir::{BlockShape, Earlier, Graph, Id, Level, Op, Piece};
use crate::syntax::ast::{Cell, DeclarationKind};
use std::collections::HashMap;

/// The graph of a step, and the roles of its values.
#[derive(Debug)]
pub struct StepGraph {
    pub graph: Graph,
    pub owners: Owners,
    /// The new values of the states, block by block.
    pub states: Vec<Bound>,
    /// The blocks of each output. `Piece::of` is the index of the output.
    pub outputs: Vec<Vec<Bound>>,
    /// The rows and columns of the grid of each output.
    pub output_shapes: Vec<(Vec<Atom>, Vec<Atom>)>,
    /// The values of which earlier steps are read, block by block.
    pub recorded: Vec<Recorded>,
    /// The cotangents of earlier values. Empty until the backward equations are added.
    pub pushes: Vec<Push>,
    /// The cotangents of the previous states. Empty until the backward equations are added.
    pub carries: Vec<Bound>,
    /// All other cotangents that the backward pass returns.
    pub bars: Bars,
}

impl StepGraph {
    /// Returns the values that the forward pass has to compute.
    pub fn forward_roots(&self) -> Vec<Id> {
        let bounds = self.states.iter().chain(self.outputs.iter().flatten()).map(|bound| bound.id);
        bounds.chain(self.recorded.iter().filter_map(Recorded::computed)).collect()
    }

    /// Returns the values that the backward pass has to compute.
    pub fn backward_roots(&self) -> Vec<Id> {
        [self.main_roots(), self.input_roots()].concat()
    }

    /// Returns the values that every backward pass has to compute.
    pub fn main_roots(&self) -> Vec<Id> {
        let Bars { gradients, contexts, .. } = &self.bars;
        let bounds = [&self.carries, gradients, contexts].into_iter().flatten().map(|bound| bound.id);
        bounds.chain(self.pushes_of(false)).collect()
    }

    /// Returns the values that are computed only if the cotangents of inputs are requested, or the
    /// cotangents of a state whose rings hold earlier inputs.
    pub fn input_roots(&self) -> Vec<Id> {
        self.bars.inputs.iter().map(|bound| bound.id).chain(self.pushes_of(true)).collect()
    }

    /// Returns the cotangents of earlier inputs, or of all other earlier values.
    fn pushes_of(&self, is_input: bool) -> impl Iterator<Item = Id> + '_ {
        let is_wanted = move |push: &&Push| self.source(push.earlier.piece).is_input() == is_input;
        self.pushes.iter().filter(is_wanted).map(|push| push.id)
    }

    /// Returns the source of a recorded value.
    pub fn source(&self, piece: Piece) -> Source {
        past::source(&self.recorded, piece)
    }

    /// Returns the only block of the only output, if there is exactly one. A pass returns its
    /// buffer as it is, unless it is a row or a matrix whose size is a product.
    pub fn lone_output(&self) -> Option<Id> {
        match &self.outputs[..] {
            [blocks] if blocks.len() == 1 => Some(blocks[0].id),
            _ => None,
        }
    }
}

/// The values that have an owner.
#[derive(Debug, Default)]
pub struct Owners {
    taken: Vec<Id>,
    copies: u32,
}

impl Owners {
    /// Returns the value that owns the memory of `id` if it has no other owner, is computed at
    /// every step, and is not a matrix whose columns `id` joins. Otherwise returns a copy of the
    /// given shape.
    pub fn own(&mut self, graph: &mut Graph, id: Id, shape: BlockShape) -> Id {
        let storage = graph.storage(id);
        let node = &graph[storage];
        let is_computed = !node.op.is_leaf() && node.op != Op::StopGradient;
        let is_stored_alike = node.shape.is_matrix() == shape.is_matrix();
        if node.level == Level::Time && is_computed && is_stored_alike && !self.taken.contains(&storage) {
            self.taken.push(storage);
            return storage;
        }
        self.copy(graph, id, shape)
    }

    /// Returns a copy of the given shape, which is equal to no other value.
    pub fn copy(&mut self, graph: &mut Graph, id: Id, shape: BlockShape) -> Id {
        self.copies += 1;
        graph.copy(id, self.copies, shape, Level::Time)
    }
}

/// Returns whether a leaf has a cotangent.
pub fn is_differentiable(cell: &Cell, shapes: &Shapes, op: &Op) -> bool {
    match op {
        Op::Read(piece) => {
            cell.declarations[piece.of].kind != DeclarationKind::Buffer && shapes.one_hot[piece.of].is_none()
        }
        Op::Previous(_) | Op::Past(_) => true,
        _ => false,
    }
}

/// The cotangents of leaves, by kind.
#[derive(Debug, Default)]
pub struct Bars {
    pub gradients: Vec<Bound>,
    pub contexts: Vec<Bound>,
    pub inputs: Vec<Bound>,
    pub previous: Vec<Bound>,
    /// The reads of earlier values, each with its cotangent.
    pub past: Vec<(Id, Earlier, Id)>,
}

impl Bars {
    pub fn sort(cell: &Cell, graph: &Graph, leaves: HashMap<Id, Id>) -> Self {
        let mut bars = Bars::default();
        for (leaf, id) in leaves {
            match graph[leaf].op {
                Op::Previous(piece) => bars.previous.push(Bound { piece, id }),
                Op::Past(earlier) => bars.past.push((leaf, earlier, id)),
                Op::Read(piece) => match cell.declarations[piece.of].kind {
                    DeclarationKind::Param => bars.gradients.push(Bound { piece, id }),
                    DeclarationKind::Context => bars.contexts.push(Bound { piece, id }),
                    DeclarationKind::Input => bars.inputs.push(Bound { piece, id }),
                    DeclarationKind::State | DeclarationKind::Buffer => {}
                },
                _ => {}
            }
        }
        for list in [&mut bars.gradients, &mut bars.contexts, &mut bars.inputs, &mut bars.previous] {
            list.sort_by_key(|bound| bound.piece);
        }
        bars.past.sort_by_key(|(leaf, ..)| *leaf);
        bars
    }
}
