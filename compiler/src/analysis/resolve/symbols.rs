//! The meaning of names.

use crate::graph::ops::Operation;

/// A value that one step computes: a target of an equation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    pub equation: usize,
    pub index: usize,
}

/// A value that is read some steps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delayed {
    /// An input or a state: an index into `Cell::declarations`.
    Declaration(usize),
    /// The value of an equation that defines no state.
    Target(Target),
}

/// The meaning of a name in an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// An input, context, parameter or buffer: an index into `Cell::declarations`.
    Declaration(usize),
    /// The value of a state at the previous step: an index into `Cell::declarations`.
    Previous(usize),
    /// A value some steps back, except for a state at `[t-1]`.
    Delayed(Delayed),
    /// A value of the current step, including the new value of a state.
    Target(Target),
    /// A dimension used as a number: an index into `Cell::dimensions`.
    Dimension(usize),
    /// An argument of the user's function that contains the name.
    Argument(usize),
}

/// The function that a call refers to.
#[derive(Debug, Clone, Copy)]
pub enum Callee {
    BuiltIn(&'static Operation),
    /// An index into `Cell::functions`.
    User(usize),
}

/// The results of name resolution. An entry is `None` if an error there has been reported. Later
/// stages then report nothing there.
#[derive(Debug)]
pub struct Resolved {
    /// The meaning of each `ExprKind::Name`, indexed by expression.
    pub symbols: Vec<Option<Symbol>>,
    /// The callee of each `ExprKind::Call`, indexed by expression; none for initialisers.
    pub callees: Vec<Option<Callee>>,
    /// The indices of the equations, each after those whose values it reads at `t`.
    pub order: Vec<usize>,
    /// The target that defines the value of each state, indexed by declaration.
    pub state_values: Vec<Option<Target>>,
    /// The target of each `output` item, in the order of the source.
    pub outputs: Vec<Option<Target>>,
}

impl Resolved {
    /// Returns the state whose value a target defines.
    pub fn state_of(&self, target: Target) -> Option<usize> {
        self.state_values.iter().position(|value| *value == Some(target))
    }
}
