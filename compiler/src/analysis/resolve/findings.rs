//! The walk over a cell, and the meaning of names and calls that it records.

use super::names::{Definition, Names};
use super::symbols::{Callee, Symbol};
use crate::diagnostics::{Diagnostics, Extent};
use crate::syntax::ast::{Cell, Expr};
use std::collections::HashSet;

/// The unknown names that have been reported. A missing declaration is reported once, however often
/// the name is read.
#[derive(Debug, Default)]
pub struct Unknown {
    pub reported: HashSet<String>,
    pub reported_functions: HashSet<String>,
    /// The number of unknown names for which similar names were searched.
    pub searches: usize,
}

/// The item whose expression reads a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Equation(usize),
    /// The initial value of a state: an index into `Cell::declarations`.
    Initial(usize),
    /// The body of a user's function.
    Function(usize),
}

/// A name in an expression that refers to a value of the cell.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    pub reader: Reader,
    pub what: Definition,
    /// The meaning of the expression; `None` if the name is wrong and `what` is a guess.
    pub symbol: Option<Symbol>,
    pub expression: usize,
    pub extent: Extent,
}

/// A call of a user's function.
#[derive(Debug, Clone, Copy)]
pub struct UserCall {
    pub reader: Reader,
    pub function: usize,
    pub extent: Extent,
}

/// The results of the walk.
#[derive(Debug)]
pub struct Findings {
    pub symbols: Vec<Option<Symbol>>,
    pub callees: Vec<Option<Callee>>,
    pub reads: Vec<Read>,
    pub calls: Vec<UserCall>,
}

/// The walk over one cell.
pub struct Walk<'a> {
    pub(super) cell: &'a Cell,
    pub(super) names: &'a Names,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) unknown: Unknown,
    findings: Findings,
}

impl<'a> Walk<'a> {
    pub fn new(cell: &'a Cell, names: &'a Names, diagnostics: &'a mut Diagnostics) -> Self {
        let count = cell.expression_count;
        let findings =
            Findings { symbols: vec![None; count], callees: vec![None; count], reads: vec![], calls: vec![] };
        Walk { cell, names, diagnostics, unknown: Unknown::default(), findings }
    }

    pub fn finish(self) -> Findings {
        self.findings
    }

    pub(super) fn set(&mut self, expr: &Expr, symbol: Symbol) {
        if let Some(entry) = self.findings.symbols.get_mut(expr.id) {
            *entry = Some(symbol);
        }
    }

    pub(super) fn set_callee(&mut self, expr: &Expr, callee: Callee) {
        if let Some(entry) = self.findings.callees.get_mut(expr.id) {
            *entry = Some(callee);
        }
    }

    pub(super) fn read(&mut self, reader: Reader, what: Definition, symbol: Option<Symbol>, expr: &Expr) {
        let read = Read { reader, what, symbol, expression: expr.id, extent: expr.extent };
        self.findings.reads.push(read);
    }

    pub(super) fn called(&mut self, call: UserCall) {
        self.findings.calls.push(call);
    }
}
