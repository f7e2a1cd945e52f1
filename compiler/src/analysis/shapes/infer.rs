//! The state of the inference.

use super::known::Shapes;
use crate::analysis::resolve::Resolved;
use crate::diagnostics::Diagnostics;
use crate::dim::{Dim, Shape};
use crate::syntax::ast::Cell;

/// The state of the inference for one cell.
pub struct Infer<'a> {
    pub cell: &'a Cell,
    pub resolved: &'a Resolved,
    /// The names of the dimensions, for messages.
    pub names: Vec<String>,
    /// A flag for each argument of each user's function: the function's value depends on it; `None`
    /// if a mistake makes this unknown.
    pub reaching: Vec<Option<Vec<bool>>>,
    pub shapes: Shapes,
    /// The block of heads that contains the current equation or declaration.
    pub heads_block: Option<usize>,
    pub diagnostics: &'a mut Diagnostics,
}

impl Infer<'_> {
    /// Returns the shape as text: `[H, H + I]`.
    pub fn show(&self, shape: &Shape) -> String {
        shape.display(&self.names)
    }

    pub fn show_dim(&self, dim: &Dim) -> String {
        dim.display(&self.names)
    }
}
