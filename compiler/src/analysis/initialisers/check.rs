//! The initialiser of one declaration, before it is checked.

use crate::analysis::resolve::Resolved;
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::{Cell, Declaration};

/// The initialiser of one declaration, as the user wrote it.
pub(super) struct InitialiserCheck<'a> {
    pub(super) cell: &'a Cell,
    pub(super) declaration: &'a Declaration,
    pub(super) resolved: &'a Resolved,
    pub(super) is_square: bool,
    pub(super) diagnostics: &'a mut Diagnostics,
}
