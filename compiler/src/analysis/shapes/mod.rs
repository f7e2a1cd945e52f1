//! Shape inference: the shape of every expression, in the user's own dimension names, and all
//! mismatches.

mod blame;
mod broadcast;
mod call;
mod declared;
mod describe;
mod equation;
mod expression;
mod functions;
mod guess;
mod heads;
mod infer;
mod known;
mod parts;
mod past;
mod product;
mod stack;

#[cfg(test)]
mod tests;

use crate::analysis::resolve::Resolved;
use crate::diagnostics::Diagnostics;
use crate::syntax::ast::Cell;
use proc_macro2::Ident;

pub use guess::guess;
pub use known::{Shaped, Shapes};

use infer::Infer;

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
    let mut infer = Infer { cell, resolved, names, reaching, shapes, heads_block: None, diagnostics };
    infer.declarations();
    infer.initial_states();
    for &equation in &resolved.order {
        infer.equation(equation);
    }
    infer.outputs();
    infer.shapes
}
