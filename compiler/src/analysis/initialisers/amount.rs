//! The numbers that initialisers take: arithmetic on numbers and on the dimensions of the cell.

use super::check::InitialiserCheck;
use crate::analysis::resolve::{Symbol, key};
use crate::graph::ir::Unary;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Time};
use crate::syntax::suggest::nearest;
use crate::syntax::text;
use proc_macro2::Ident;

/// A number, or an expression of dimensions. Parts without dimensions are folded.
#[derive(Debug, Clone, PartialEq)]
pub enum Amount {
    Number(f64),
    /// The size of a dimension, an index into the cell's dimensions.
    Size(usize),
    Neg(Box<Amount>),
    Sqrt(Box<Amount>),
    Binary(BinaryOp, Box<[Amount; 2]>),
}

impl Amount {
    pub fn negated(&self) -> Amount {
        match self {
            Amount::Number(value) => Amount::Number(-value),
            _ => Amount::Neg(Box::new(self.clone())),
        }
    }
}

/// Returns the function of that name if the argument of an initialiser may call it.
fn function(name: &Ident) -> Option<Unary> {
    [Unary::Sqrt, Unary::Exp, Unary::Ln].into_iter().find(|known| name == known.row().name)
}

/// Returns whether a name is that of a function of numbers, as opposed to an initialiser.
pub fn is_arithmetic(name: &Ident) -> bool {
    function(name).is_some()
}

fn folded(op: BinaryOp, left: f64, right: f64) -> Option<f64> {
    match op {
        BinaryOp::Add => Some(left + right),
        BinaryOp::Sub => Some(left - right),
        BinaryOp::Mul => Some(left * right),
        BinaryOp::Div => Some(left / right),
        BinaryOp::MatMul => None,
    }
}

/// Returns the value of an expression that consists only of numbers.
pub fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Number(value) => Some(*value),
        ExprKind::Neg(inner) => Some(-constant(inner)?),
        ExprKind::Binary { op, left, right, .. } => folded(*op, constant(left)?, constant(right)?),
        ExprKind::Call { function: name, arguments } => {
            let [argument] = arguments.as_slice() else { return None };
            Some((function(name)?.row().value)(constant(argument)?))
        }
        _ => None,
    }
}

impl InitialiserCheck<'_> {
    /// Returns the dimension that an expression names.
    pub(super) fn dimension(&self, expr: &Expr) -> Option<usize> {
        match (&expr.kind, self.resolved.symbols.get(expr.id).copied().flatten()) {
            (ExprKind::Name { time: Time::Implicit, .. }, Some(Symbol::Dimension(index))) => Some(index),
            _ => None,
        }
    }

    /// Returns whether an expression reads a value.
    pub(super) fn reads_a_value(&self, expr: &Expr) -> bool {
        let is_value =
            matches!(&expr.kind, ExprKind::Name { name, .. } if self.kind_of_value(name).is_some());
        is_value || expr.children().into_iter().any(|child| self.reads_a_value(child))
    }

    fn kind_of_value(&self, name: &Ident) -> Option<String> {
        let declared = self.cell.declarations.iter().find(|declared| declared.name == *name);
        let mut targets = self.cell.equations.iter().flat_map(|equation| &equation.targets);
        declared
            .map(|declared| text::a_kind(declared.kind))
            .or_else(|| targets.any(|target| target == name).then(|| "an equation".to_owned()))
    }

    /// Returns the amount of an expression, which is an argument of `initialiser` or stands alone.
    pub(super) fn amount(&mut self, expr: &Expr, initialiser: Option<&Ident>) -> Option<Amount> {
        let found = match &expr.kind {
            ExprKind::Error => return None,
            ExprKind::Number(value) => Amount::Number(*value),
            ExprKind::Name { name, time: Time::Implicit } => match self.dimension(expr) {
                Some(index) => Amount::Size(index),
                None => {
                    self.report_no_dimension(name);
                    return None;
                }
            },
            ExprKind::Neg(inner) => self.amount(inner, initialiser)?.negated(),
            ExprKind::Binary { op, left, right, .. } if *op != BinaryOp::MatMul => {
                let (left, right) = (self.amount(left, initialiser), self.amount(right, initialiser));
                match (left?, right?) {
                    (Amount::Number(left), Amount::Number(right)) => {
                        Amount::Number(folded(*op, left, right)?)
                    }
                    (left, right) => Amount::Binary(*op, Box::new([left, right])),
                }
            }
            ExprKind::Call { function: name, arguments } if arguments.len() == 1 => {
                let Some(function) = function(name) else { return self.report_no_number(expr, initialiser) };
                match (function, self.amount(&arguments[0], initialiser)?) {
                    (_, Amount::Number(value)) => Amount::Number((function.row().value)(value)),
                    (Unary::Sqrt, inner) => Amount::Sqrt(Box::new(inner)),
                    _ => return self.report_no_number(expr, initialiser),
                }
            }
            _ => return self.report_no_number(expr, initialiser),
        };
        if matches!(found, Amount::Number(value) if !value.is_finite()) {
            self.diagnostics.error(expr.extent, format!("`{}` is not finite", text::short(expr)));
            return None;
        }
        Some(found)
    }

    fn report_no_number(&mut self, expr: &Expr, initialiser: Option<&Ident>) -> Option<Amount> {
        let shown = text::short(expr);
        let fact = match initialiser {
            Some(name) => format!("the argument of `{name}` can't contain `{shown}`"),
            None => format!("an initial value can't contain `{shown}`"),
        };
        self.diagnostics.error(expr.extent, fact).note(ALLOWED);
        None
    }

    fn report_no_dimension(&mut self, name: &Ident) {
        if let Some(kind) = self.kind_of_value(name) {
            self.diagnostics.error(name, format!("`{name}` is {kind}, not a dimension")).note(ALLOWED);
            return;
        }
        if self.cell.poisoned.contains(name) {
            return;
        }
        let known: Vec<String> = self.cell.dimensions.iter().map(key).collect();
        let mistake = self.diagnostics.error(name, format!("unknown dimension `{name}`"));
        match nearest(&key(name), known.iter().map(String::as_str)) {
            Some(near) => mistake.help(format!("should this be `{near}`?")),
            None => mistake.note(ALLOWED),
        };
    }
}

const ALLOWED: &str =
    "initial values depend on numbers and dimensions alone, combined by `+`, `-`, `*`, `/` and `sqrt`";
