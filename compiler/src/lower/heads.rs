//! Values of a block of heads within the block and outside of it. Both are the same nodes of the
//! graph: only the dimensions of the grid differ, `[D]` and `[K*D]`.

use super::Lowering;
use crate::analysis::heads::heads;
use crate::analysis::resolve::Target;
use crate::dim::Atom;
use crate::graph::grid::Grid;
use crate::graph::ir::BlockShape;

impl Lowering<'_> {
    /// Gives each of `heads` heads a value of its own, even if all heads share one value.
    pub(super) fn give_heads(&mut self, value: &mut Grid, heads: Atom) {
        if heads == Atom::ONE {
            return;
        }
        for id in &mut value.blocks {
            let shape = self.graph[*id].shape.with_heads(heads);
            *id = self.graph.expand(*id, shape);
        }
    }

    /// Returns a value as the current equation reads it: the stack of all heads if another block
    /// defines it. Returns `None` for a matrix, which has no stack.
    pub(super) fn seen_from_here(&mut self, value: Grid, block: Option<usize>) -> Option<Grid> {
        if block == self.heads_block || block.is_none() { Some(value) } else { self.stacked(value, block) }
    }

    fn stacked(&mut self, mut value: Grid, block: Option<usize>) -> Option<Grid> {
        let heads = heads(self.cell, block);
        let ([rows], [Atom::ONE]) = (&value.rows[..], &value.columns[..]) else { return None };
        let (rows, is_scalar) = (Atom::product(heads, *rows)?, *rows == Atom::ONE);
        self.give_heads(&mut value, heads);
        if is_scalar {
            value.blocks[0] = self.graph.reshape(value.blocks[0], BlockShape::new(heads, Atom::ONE));
        }
        value.rows = vec![rows];
        Some(value)
    }

    /// Returns the part of a stack that belongs to the head of the current block.
    pub(super) fn head(&mut self, whole: &Grid) -> Option<Grid> {
        let heads = heads(self.cell, self.heads_block);
        let [rows] = whole.rows[..] else { return None };
        let mut part = whole.clone();
        if rows == heads {
            for id in &mut part.blocks {
                let shape = BlockShape { heads, rows: Atom::ONE, ..self.graph[*id].shape };
                *id = self.graph.reshape(*id, shape);
            }
            part.rows = vec![Atom::ONE];
        } else {
            part.rows = vec![rows.split_heads().1];
        }
        Some(part)
    }

    /// Returns the value of an output.
    pub(super) fn output(&mut self, target: Target) -> Option<Grid> {
        let value = self.targets[target.equation].get(target.index)?.clone();
        self.heads_block = None;
        self.seen_from_here(value, self.cell.equations[target.equation].heads_block)
    }
}
