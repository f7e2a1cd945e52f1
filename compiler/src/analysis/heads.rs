//! Blocks of heads, `heads K { .. }`: the number of heads, and the shapes of their values outside
//! of the block.
//!
//! Within a block a value has the shape of one head. Outside, a vector `[D]` of the block is the
//! stack of all heads, `[K*D]`, and a scalar is the vector `[K]`. A matrix has no stack.

use super::resolve::{Delayed, Symbol, Target};
use super::shapes::Shapes;
use crate::dim::{Atom, Shape};
use crate::syntax::ast::Cell;

/// Returns the number of heads of a block. Returns `None` after a mistake, which has been reported.
pub fn number(cell: &Cell, block: usize) -> Option<Atom> {
    let number = cell.heads.get(block)?.number.as_ref()?;
    match &number.name {
        Some(name) => cell.dimensions.iter().position(|known| known == name).map(Atom::Name),
        None => Some(Atom::Literal(number.count)),
    }
}

/// Returns the number of heads that a value of a block has, and one for a value outside of blocks.
pub fn heads(cell: &Cell, block: Option<usize>) -> Atom {
    block.and_then(|block| number(cell, block)).unwrap_or(Atom::ONE)
}

/// Returns the block that defines a value.
pub fn heads_block_of(cell: &Cell, symbol: Symbol) -> Option<usize> {
    match symbol {
        Symbol::Declaration(index)
        | Symbol::Previous(index)
        | Symbol::Delayed(Delayed::Declaration(index)) => cell.declarations[index].heads_block,
        Symbol::Target(target) | Symbol::Delayed(Delayed::Target(target)) => {
            cell.equations[target.equation].heads_block
        }
        Symbol::Dimension(_) | Symbol::Argument(_) => None,
    }
}

/// Returns the shape that the target of an equation has outside of its block. Returns `None` if it
/// is unknown or has no such shape.
pub fn visible(cell: &Cell, shapes: &Shapes, target: Target) -> Option<Shape> {
    let shape = shapes.targets.get(target.equation)?.get(target.index)?.as_ref()?;
    match cell.equations.get(target.equation)?.heads_block {
        Some(block) => shape.stacked(number(cell, block)?),
        None => Some(shape.clone()),
    }
}
