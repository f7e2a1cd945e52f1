//! What names stand for.

use crate::graph::ops::Operation;

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
