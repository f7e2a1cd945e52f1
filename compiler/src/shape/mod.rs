//! Shape inference: every expression's shape, in the user's own dimension names, and every mismatch.

mod blame;
mod broadcast;
mod call;
mod declared;
mod describe;
mod equation;
mod expression;
mod functions;
mod guess;
mod product;
mod stack;

#[cfg(test)]
mod tests;

use crate::diagnostics::Diagnostics;
use crate::dim::{Dim, Shape};
use crate::resolve::Resolved;
use crate::syntax::ast::Cell;
use proc_macro2::Ident;

pub use guess::guess;

/// The findings; `None` where the shape is unknown, because of a mistake that has been reported.
#[derive(Debug)]
pub struct Shapes {
    /// By declaration. A one-hot input has the shape `[V]` of the vector that it stands for.
    pub declarations: Vec<Option<Shape>>,
    /// By declaration: `V` of a one-hot input.
    pub one_hot: Vec<Option<Dim>>,
    /// By expression; inside the user's functions (which are element-wise in any shape) all `None`.
    pub expressions: Vec<Option<Shape>>,
    /// By equation and target.
    pub targets: Vec<Vec<Option<Shape>>>,
}

/// Infers every shape of the cell and reports every mismatch.
pub fn infer(cell: &Cell, resolved: &Resolved, diagnostics: &mut Diagnostics) -> Shapes {
    let shapes = Shapes {
        declarations: vec![None; cell.declarations.len()],
        one_hot: vec![None; cell.declarations.len()],
        expressions: vec![None; cell.expression_count],
        targets: cell.equations.iter().map(|equation| vec![None; equation.targets.len()]).collect(),
    };
    let names = cell.dimensions.iter().map(Ident::to_string).collect();
    let reaching = functions::reaching_arguments(cell, resolved);
    let mut infer = Infer { cell, resolved, names, reaching, shapes, diagnostics };
    infer.declarations();
    infer.initial_states();
    for &equation in &resolved.order {
        infer.equation(equation);
    }
    infer.shapes
}

/// The inference at work on one cell.
struct Infer<'a> {
    cell: &'a Cell,
    resolved: &'a Resolved,
    /// Of the dimensions, for messages.
    names: Vec<String>,
    /// By function and argument: whether the function's value depends on it; None where a mistake hides it.
    reaching: Vec<Option<Vec<bool>>>,
    shapes: Shapes,
    diagnostics: &'a mut Diagnostics,
}

impl Infer<'_> {
    /// `[H, H + I]`
    fn show(&self, shape: &Shape) -> String {
        shape.display(&self.names)
    }

    fn show_dim(&self, dim: &Dim) -> String {
        dim.display(&self.names)
    }
}
