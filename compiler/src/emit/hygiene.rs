//! Identifiers of generated code.
//!
//! Locals carry a prefix that no user's name has. Otherwise a pattern `let c = ..` would match a
//! user's constant `c` instead of binding a variable, regardless of its span.

use crate::graph::ir::Id;
use crate::lower::names::ValueNames;
use proc_macro2::{Ident, Span};

/// Returns the identifier of a generated item, method, type or generic parameter.
pub fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Returns the identifier of a local variable named after a value.
pub fn variable(name: &str) -> Ident {
    ident(&format!("__{name}"))
}

/// Conversions of value names to identifiers.
impl ValueNames {
    /// Returns the variable that holds the slice of a value.
    pub fn variable(&self, id: Id) -> Ident {
        variable(self.text(id))
    }

    /// Returns the variable that holds a value itself, as opposed to the slice of it.
    pub fn owner(&self, id: Id) -> Ident {
        variable(self.owner_text(id))
    }

    /// Returns the field of the tape or of the fixed values that holds a value.
    pub fn field(&self, id: Id) -> Ident {
        ident(&format!("v_{}", self.text(id)))
    }
}
