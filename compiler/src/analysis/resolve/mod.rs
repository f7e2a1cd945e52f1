//! Name resolution: the meaning of each name, time indices, duplicates, unused names, the order of
//! evaluation, and cycles within a step.

mod cells;
mod delays;
mod findings;
mod functions;
mod graph;
mod heads;
mod names;
mod order;
mod outputs;
mod symbols;
mod unknown;
mod usage;
mod walk;

#[cfg(test)]
pub mod tests;

use crate::diagnostics::Diagnostics;
use crate::syntax::ast;

pub use cells::check_cells;
pub use names::key;
pub use symbols::{Callee, Delayed, Resolved, Symbol, Target};

/// Resolves every name of the cell and reports every name that is wrong.
pub fn resolve(cell: &ast::Cell, diagnostics: &mut Diagnostics) -> Resolved {
    let names = names::collect(cell, diagnostics);
    let dimensions_used = names::check_dimensions(cell, &names, diagnostics);

    heads::check_states(cell, &names, diagnostics);

    let mut found = findings::Walk::new(cell, &names, diagnostics);
    found.equations();
    found.initial_states();
    found.initialisers();
    found.functions();
    let findings::Findings { mut symbols, callees, reads, calls } = found.finish();
    let outputs = outputs::collect(cell, &names, diagnostics);

    let order = order::evaluation_order(cell, &reads, &mut symbols, diagnostics);
    functions::check(cell, &calls, diagnostics);
    functions::check_unused(cell, &names, &calls, &symbols, diagnostics);
    usage::Usage { cell, names: &names, reads: &reads, outputs: &outputs }
        .check(&dimensions_used, diagnostics);
    Resolved { symbols, callees, order, state_values: names.state_values, outputs: outputs.targets }
}
