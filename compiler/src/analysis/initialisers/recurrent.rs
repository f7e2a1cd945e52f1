//! The matrices that are applied to values that depend on a state.

use crate::analysis::resolve::{Delayed, Resolved, Symbol, Target};
use crate::syntax::ast::{BinaryOp, Cell, DeclarationKind, Expr, ExprKind};
use std::collections::HashSet;

/// Returns, for each declaration, whether it is a parameter that is a factor of a matrix product
/// whose other factor depends on a state.
pub fn matrices(cell: &Cell, resolved: &Resolved) -> Vec<bool> {
    let mut matrices = RecurrentMatrices {
        cell,
        resolved,
        depends_on_state: vec![false; cell.equations.len()],
        state_values: resolved.state_values.iter().flatten().copied().collect(),
        found: vec![false; cell.declarations.len()],
    };
    for &index in &resolved.order {
        matrices.depends_on_state[index] = matrices.visit(&cell.equations[index].value);
    }
    matrices.found
}

/// The search for the matrices that are applied to values that depend on a state.
struct RecurrentMatrices<'a> {
    cell: &'a Cell,
    resolved: &'a Resolved,
    /// One flag per equation.
    depends_on_state: Vec<bool>,
    /// The values of states.
    state_values: HashSet<Target>,
    found: Vec<bool>,
}

impl RecurrentMatrices<'_> {
    /// Marks the recurrent matrices of an expression. Returns whether its value depends on a state.
    fn visit(&mut self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Name { .. } => match self.symbol(expr) {
                Some(Symbol::Previous(_)) => true,
                Some(Symbol::Delayed(Delayed::Declaration(index))) => {
                    self.cell.declarations[index].kind == DeclarationKind::State
                }
                Some(Symbol::Target(target) | Symbol::Delayed(Delayed::Target(target))) => {
                    self.state_values.contains(&target) || self.depends_on_state[target.equation]
                }
                _ => false,
            },
            ExprKind::Binary { op, left, right, .. } => {
                let (by_left, by_right) = (self.visit(left), self.visit(right));
                if *op == BinaryOp::MatMul {
                    if by_right {
                        self.mark_factors(left);
                    }
                    if by_left {
                        self.mark_factors(right);
                    }
                }
                by_left || by_right
            }
            _ => expr.children().into_iter().fold(false, |depends, child| self.visit(child) | depends),
        }
    }

    fn symbol(&self, expr: &Expr) -> Option<Symbol> {
        self.resolved.symbols.get(expr.id).copied().flatten()
    }

    /// Marks the parameters that are factors of an expression.
    fn mark_factors(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name { .. } => {
                if let Some(Symbol::Declaration(index)) = self.symbol(expr) {
                    self.found[index] = true;
                }
            }
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) | ExprKind::Head(inner) => {
                self.mark_factors(inner)
            }
            ExprKind::Binary {
                op: BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul, left, right, ..
            } => {
                self.mark_factors(left);
                self.mark_factors(right);
            }
            _ => {}
        }
    }
}
