//! Identifiers of generated code.
//!
//! Locals carry a prefix that no user's name has: a pattern `let c = ..` would match a constant `c` of the
//! user's instead of binding, whatever its span.

use crate::graph::ir::Id;
use crate::lower::names::Names;
use proc_macro2::{Ident, Span};

/// An item, method, type or generic of ours.
pub fn ident(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// A function of the kernels.
pub fn local(name: &str) -> Ident {
    ident(name)
}

/// A local variable named after a value.
pub fn variable(name: &str) -> Ident {
    ident(&format!("__{name}"))
}

/// Names of values as identifiers.
impl Names {
    pub fn variable(&self, id: Id) -> Ident {
        variable(self.text(id))
    }

    /// The field of the tape or of a handle that holds a value.
    pub fn field(&self, id: Id) -> Ident {
        ident(&format!("v_{}", self.text(id)))
    }
}
