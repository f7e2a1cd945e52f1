//! The shape of each kind of expression.

use super::infer::Infer;
use crate::analysis::resolve::{Delayed, Symbol};
use crate::dim::Shape;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind};
use crate::syntax::text;

impl Infer<'_> {
    /// Returns the shape of an expression. Returns `None` if it is unknown because of a mistake
    /// that has been reported.
    pub(super) fn expression(&mut self, expr: &Expr) -> Option<Shape> {
        let shape = self.kind(expr).filter(|shape| !self.has_two_products(expr.extent, shape));
        if let Some(entry) = self.shapes.expressions.get_mut(expr.id) {
            entry.clone_from(&shape);
        }
        shape
    }

    fn kind(&mut self, expr: &Expr) -> Option<Shape> {
        match &expr.kind {
            ExprKind::Number(_) => Some(Shape::scalar()),
            ExprKind::Name { .. } => self.name(expr),
            ExprKind::Neg(inner) => self.expression(inner),
            ExprKind::Head(inner) => self.head(expr, inner),
            ExprKind::Transpose(inner) => Some(self.expression(inner)?.transposed()),
            ExprKind::Binary { op: BinaryOp::MatMul, op_extent, left, right } => {
                self.product(*op_extent, left, right)
            }
            ExprKind::Binary { op, op_extent, left, right } => {
                let left_shape = self.expression(left);
                let right_shape = self.expression(right);
                self.element_wise(*op, *op_extent, (left, left_shape?), (right, right_shape?))
            }
            ExprKind::Stack(parts) => self.stack(expr.extent, parts),
            ExprKind::Call { arguments, .. } => self.call(expr, arguments),
            // A condition is not a value: `call` combines the values that it compares.
            ExprKind::Compare { .. } | ExprKind::Logic { .. } | ExprKind::Not(_) => None,
            ExprKind::RustPath(_) | ExprKind::Error => None,
        }
    }

    fn name(&mut self, expr: &Expr) -> Option<Shape> {
        let shape = self.named(expr)?;
        self.seen_from_here(expr, shape)
    }

    /// Returns the shape of a value where it is defined.
    pub(super) fn named(&mut self, expr: &Expr) -> Option<Shape> {
        match self.symbol(expr)? {
            Symbol::Dimension(_) => Some(Shape::scalar()),
            Symbol::Declaration(index) | Symbol::Delayed(Delayed::Declaration(index))
                if self.is_one_hot(index) =>
            {
                self.misplaced_one_hot(expr, index);
                None
            }
            Symbol::Declaration(index) | Symbol::Previous(index) => self.shapes.declarations[index].clone(),
            Symbol::Target(target) => match self.resolved.state_of(target) {
                Some(state) => self.shapes.declarations[state].clone(),
                None => self.shapes.targets[target.equation][target.index].clone(),
            },
            Symbol::Delayed(delayed) => self.delayed(expr, delayed),
            // The body of a function has no fixed shape.
            Symbol::Argument(_) => None,
        }
    }

    pub(super) fn symbol(&self, expr: &Expr) -> Option<Symbol> {
        self.resolved.symbols.get(expr.id).copied().flatten()
    }

    pub(super) fn is_one_hot(&self, declaration: usize) -> bool {
        use crate::syntax::ast::ShapeKind;
        matches!(self.cell.declarations[declaration].shape.kind, ShapeKind::OneHot(_))
    }

    fn misplaced_one_hot(&mut self, expr: &Expr, index: usize) {
        let declaration = &self.cell.declarations[index];
        let name = &declaration.name;
        let size = match &self.shapes.one_hot[index] {
            Some(size) => self.show_dim(size),
            None => return,
        };
        self.diagnostics
            .error(expr.extent, format!("the one-hot input `{name}` can only be the right operand of `@`"))
            .note(format!("`{}` is an index, not a vector", text::declaration(declaration)))
            .help(format!("`E @ {name}` is a column of a matrix `E: [.., {size}]`"));
    }
}
