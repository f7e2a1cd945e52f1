//! Names: what each stands for, time indices, duplicates, what is never used, the order of evaluation,
//! cycles within a step.

mod cells;
mod functions;
mod graph;
mod names;
mod order;
mod outputs;
pub mod suggest;
pub mod text;
mod unknown;
mod usage;
mod walk;

#[cfg(test)]
pub mod tests;

use crate::diagnostics::Diagnostics;
use crate::ops::Operation;
use crate::syntax::ast;

pub use cells::check_cells;
pub use names::key;
pub use suggest::nearest;

/// A value that one step computes: a target of an equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    pub equation: usize,
    pub index: usize,
}

/// What a name in an expression stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// An input, context, parameter or buffer: an index into `Cell::declarations`.
    Declaration(usize),
    /// A state's value of the step before: an index into `Cell::declarations`.
    Previous(usize),
    /// A value of this step, a state's new value among them.
    Target(Target),
    /// A dimension used as a number: an index into `Cell::dimensions`.
    Dimension(usize),
    /// An argument of the user's function whose body this is.
    Argument(usize),
}

/// What a call calls.
#[derive(Debug, Clone, Copy)]
pub enum Callee {
    BuiltIn(&'static Operation),
    /// An index into `Cell::functions`.
    User(usize),
}

/// The findings. Where an error was reported the entry is `None`; later stages stay silent there.
#[derive(Debug)]
pub struct Resolved {
    /// By expression: what an `ExprKind::Name` stands for.
    pub symbols: Vec<Option<Symbol>>,
    /// By expression: what an `ExprKind::Call` calls (initialisers aside).
    pub callees: Vec<Option<Callee>>,
    /// Indices of the equations, each after those whose values it reads at `t`.
    pub order: Vec<usize>,
    /// By declaration: the target that gives a state its value.
    pub state_values: Vec<Option<Target>>,
    /// In the order of the `output` items.
    pub outputs: Vec<Option<Target>>,
}

impl Resolved {
    /// The state to which a target gives its value.
    pub fn state_of(&self, target: Target) -> Option<usize> {
        self.state_values.iter().position(|value| *value == Some(target))
    }
}

/// Finds what every name of the cell stands for and reports every name that is wrong.
pub fn resolve(cell: &ast::Cell, diagnostics: &mut Diagnostics) -> Resolved {
    let names = names::collect(cell, diagnostics);
    let dimensions_used = names::check_dimensions(cell, &names, diagnostics);

    let mut found = walk::Walk::new(cell, &names, diagnostics);
    found.equations();
    found.initial_states();
    found.initialisers();
    found.functions();
    let walk::Findings { mut symbols, callees, reads, calls } = found.finish();
    let outputs = outputs::collect(cell, &names, diagnostics);

    let order = order::evaluation_order(cell, &reads, &mut symbols, diagnostics);
    functions::check(cell, &calls, diagnostics);
    functions::check_unused(cell, &names, &calls, &symbols, diagnostics);
    usage::Usage { cell, names: &names, reads: &reads, outputs: &outputs }
        .check(&dimensions_used, diagnostics);
    Resolved { symbols, callees, order, state_values: names.state_values, outputs: outputs.targets }
}
