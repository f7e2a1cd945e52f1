//! The cotangents that a backward pass gives.

use super::pass::Bound;
use crate::analysis::shapes::Shapes;
use crate::graph::ir::{Graph, Id, Op};
use crate::syntax::ast::{Cell, DeclarationKind};
use std::collections::HashMap;

pub fn is_differentiable(cell: &Cell, shapes: &Shapes, op: &Op) -> bool {
    match op {
        Op::Read(piece) => {
            cell.declarations[piece.of].kind != DeclarationKind::Buffer && shapes.one_hot[piece.of].is_none()
        }
        Op::Previous(_) => true,
        _ => false,
    }
}

/// Cotangents by what they are of.
#[derive(Default)]
pub struct Bars {
    pub gradients: Vec<Bound>,
    pub contexts: Vec<Bound>,
    pub inputs: Vec<Bound>,
    pub previous: Vec<Bound>,
}

impl Bars {
    pub fn sort(cell: &Cell, graph: &Graph, leaves: HashMap<Id, Id>) -> Self {
        let mut bars = Bars::default();
        for (leaf, id) in leaves {
            match graph[leaf].op {
                Op::Previous(piece) => bars.previous.push(Bound { piece, id }),
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
        bars
    }
}
