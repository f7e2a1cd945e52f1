//! The inference at work.

use super::known::Shapes;
use crate::analysis::resolve::Resolved;
use crate::diagnostics::Diagnostics;
use crate::dim::{Dim, Shape};
use crate::syntax::ast::Cell;

/// The inference at work on one cell.
pub struct Infer<'a> {
    pub cell: &'a Cell,
    pub resolved: &'a Resolved,
    /// Of the dimensions, for messages.
    pub names: Vec<String>,
    /// By function and argument: whether the function's value depends on it; None where a mistake hides it.
    pub reaching: Vec<Option<Vec<bool>>>,
    pub shapes: Shapes,
    pub diagnostics: &'a mut Diagnostics,
}

impl Infer<'_> {
    /// `[H, H + I]`
    pub fn show(&self, shape: &Shape) -> String {
        shape.display(&self.names)
    }

    pub fn show_dim(&self, dim: &Dim) -> String {
        dim.display(&self.names)
    }
}
