//! The positions of names in the user's source.
//!
//! An editor resolves a token of the definition to the token of the expansion with the same span.
//! Each name therefore keeps its span exactly once: where generated code defines the named item, or
//! where [`mentions`](crate::editor::mentions) records a mention. All other uses have the span of
//! the macro call, or an editor would examine each of a hundred uses.

use crate::syntax::ast::Cell;
use proc_macro2::{Ident, Span};

/// The names that a cell defines, with the spans of their definitions.
#[derive(Debug)]
pub struct SpannedNames {
    pub cell: Ident,
    pub dimensions: Vec<Ident>,
    /// The names of the declarations.
    pub declarations: Vec<Ident>,
    /// The names of the targets of each equation.
    pub targets: Vec<Vec<Ident>>,
    pub outputs: Vec<Ident>,
}

impl SpannedNames {
    /// Takes the spans out of a cell.
    pub fn take(cell: &mut Cell) -> Self {
        SpannedNames {
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

/// Returns the name with its span, and leaves the same name behind with the span of the macro call.
fn take(name: &mut Ident) -> Ident {
    let unspanned = Span::call_site().resolved_at(name.span());
    let spanned = name.clone();
    name.set_span(unspanned);
    spanned
}
