//! Where names stand in the user's source.
//!
//! To an editor a token of a definition is whatever stands at its place in the expansion. So every name has a place once: where generated
//! code defines what it names, or, as [`mentions`](crate::editor::mentions) has it, where the user mentions it. Anywhere else it stands at the call of the
//! macro, or an editor would look at each of its hundred uses.

use crate::syntax::ast::Cell;
use proc_macro2::{Ident, Span};

/// The names that a cell defines, with their places.
#[derive(Debug)]
pub struct Places {
    pub cell: Ident,
    pub dimensions: Vec<Ident>,
    /// By declaration.
    pub declarations: Vec<Ident>,
    /// By equation and target.
    pub targets: Vec<Vec<Ident>>,
    pub outputs: Vec<Ident>,
}

impl Places {
    /// Takes the places out of a cell.
    pub fn take(cell: &mut Cell) -> Self {
        Places {
            cell: take(&mut cell.name),
            dimensions: cell.dimensions.iter_mut().map(take).collect(),
            declarations: cell
                .declarations
                .iter_mut()
                .map(|declaration| take(&mut declaration.name))
                .collect(),
            targets: cell
                .equations
                .iter_mut()
                .map(|equation| equation.targets.iter_mut().map(take).collect())
                .collect(),
            outputs: cell.outputs.iter_mut().map(take).collect(),
        }
    }
}

/// The name as it is; what stays behind means the same at no place of its own.
fn take(name: &mut Ident) -> Ident {
    let placeless = Span::call_site().resolved_at(name.span());
    let placed = name.clone();
    name.set_span(placeless);
    placed
}
