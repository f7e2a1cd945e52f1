//! Mistakes with the names of blocks of heads: `u.head` outside of a block, and states whose
//! equations are on the other side of its braces.

use super::findings::Walk;
use super::names::Names;
use crate::diagnostics::{Diagnostics, Extent};
use crate::syntax::ast::{Cell, Expr};
use crate::syntax::text;

impl Walk<'_> {
    pub(super) fn head_outside(&mut self, extent: Extent, operand: &Expr) {
        let u = text::short(operand);
        self.diagnostics
            .error(extent, format!("`{u}.head` outside of a block of heads"))
            .note("`.head` is the part of a stack that belongs to one head of the block around it")
            .help(format!("write the equation in the block; outside of it, `{u}` is the stack of all heads"));
    }
}

/// Reports states whose equations are on the other side of the braces of a block.
pub fn check_states(cell: &Cell, names: &Names, diagnostics: &mut Diagnostics) {
    for (state, value) in cell.declarations.iter().zip(&names.state_values) {
        let Some(target) = value else { continue };
        let equation = &cell.equations[target.equation];
        if state.heads_block == equation.heads_block {
            continue;
        }
        let name = &equation.targets[target.index];
        let heads = |block: usize| cell.heads[block].number.as_ref().map_or("..".to_owned(), text::dim_term);
        let declared = text::declaration(state);
        let (fact, note, help) = match (state.heads_block, equation.heads_block) {
            (None, Some(block)) => (
                format!("state `{name}` is declared outside of the block that gives it a value"),
                format!(
                    "it is declared as `{declared}`: one state, which `{}` heads would each give a value",
                    heads(block)
                ),
                format!(
                    "declare it in the block, `heads {} {{ {declared}; .. }}`, or give its value outside",
                    heads(block)
                ),
            ),
            (Some(block), _) => (
                format!("state `{name}` belongs to a block of heads and is given its value outside of it"),
                format!("it is declared as `{declared}` in `heads {}`: each head has one", heads(block)),
                format!("write the equation in the block, `heads {} {{ {name} = ..; }}`", heads(block)),
            ),
            (None, None) => continue,
        };
        diagnostics.error(name, fact).note(note).help(help);
    }
}
