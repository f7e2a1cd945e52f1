//! The search for a `W * h` that should be `W @ h`. Broadcasting silently makes a matrix of
//! `W * h`, and only a later state or assertion shows the mismatch.

use super::infer::Infer;
use crate::analysis::resolve::Symbol;
use crate::diagnostics::Extent;
use crate::dim::Shape;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};
use crate::syntax::text;

/// The search for the `*`.
struct Search<'s> {
    /// The shape to follow, and the shape of the vector that was broadcast to it.
    matrix: &'s Shape,
    vector: Shape,
    visited: Vec<bool>,
    /// The number of equations that may still be followed. The search recurses into them.
    fuel: usize,
}

/// An element-wise product of a matrix and a vector.
struct Star<'e> {
    op: Extent,
    left: &'e Expr,
    right: &'e Expr,
}

impl Infer<'_> {
    /// Reports the `*` that made a matrix of a value that should be a vector, if there is one.
    pub(super) fn report_star(&mut self, value: &Expr, found: &Shape, expected: &Shape) -> bool {
        let is_square = found.rows == found.columns;
        let is_transposed = expected.rows == found.columns;
        let is_vector = expected.columns.is_one() && !expected.is_scalar();
        if found.columns.is_one() || !is_vector || !is_transposed {
            return false;
        }
        let mut search = Search {
            matrix: found,
            vector: Shape::vector(found.rows.clone()),
            visited: vec![false; self.cell.equations.len()],
            fuel: 64,
        };
        let Some(Star { op, left, right }) = self.find_star(value, &mut search) else { return false };
        let (Some(left_shape), Some(right_shape)) = (self.shape_of(left), self.shape_of(right)) else {
            return false;
        };
        let [matrix, vector] = if left_shape == found { [left, right] } else { [right, left] };
        let fact = format!(
            "`*` is element-wise: `{}` and `{}` make `{}`, where `{}` is needed",
            self.show(left_shape),
            self.show(right_shape),
            self.show(found),
            self.show(expected)
        );
        let notes = self.describe_both((left, left_shape), (right, right_shape));
        let matrix = if is_square { text::operand(matrix) } else { text::transposed(matrix) };
        let help = format!("the matrix product is `{matrix} @ {}`", text::operand(vector));
        let mistake = self.diagnostics.error(op, fact);
        for note in notes {
            mistake.note(note);
        }
        mistake.help(help);
        true
    }

    fn shape_of(&self, expr: &Expr) -> Option<&Shape> {
        self.shapes.expressions.get(expr.id)?.as_ref()
    }

    /// Follows the subexpressions and equations of the unwanted shape down to the `*` that
    /// introduced it.
    fn find_star<'e>(&'e self, expr: &'e Expr, search: &mut Search) -> Option<Star<'e>> {
        if self.shape_of(expr) != Some(search.matrix) {
            return None;
        }
        match &expr.kind {
            ExprKind::Binary { op: BinaryOp::MatMul, .. } => None,
            ExprKind::Binary { op, op_extent, left, right } => {
                let shapes = (self.shape_of(left)?, self.shape_of(right)?);
                let is_star = *op == BinaryOp::Mul
                    && (shapes == (search.matrix, &search.vector)
                        || shapes == (&search.vector, search.matrix));
                self.find_star(left, search)
                    .or_else(|| self.find_star(right, search))
                    .or(is_star.then_some(Star { op: *op_extent, left, right }))
            }
            ExprKind::Neg(inner) => self.find_star(inner, search),
            ExprKind::Call { arguments, .. } => {
                arguments.iter().find_map(|argument| self.find_star(argument, search))
            }
            ExprKind::Name { .. } => {
                let Some(Symbol::Target(target)) = self.symbol(expr) else { return None };
                if std::mem::replace(&mut search.visited[target.equation], true) || search.fuel == 0 {
                    return None;
                }
                search.fuel -= 1;
                self.find_star(&self.cell.equations[target.equation].value, search)
            }
            _ => None,
        }
    }
}
