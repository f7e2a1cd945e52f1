//! Guesses of the shapes that equations with mistakes were probably meant to have. They are never
//! reported. They only determine types in the skeleton of a wrong definition, so that the user's
//! code that reads an output type-checks while the definition is being fixed.

use super::broadcast::common;
use super::known::Shapes;
use crate::analysis::resolve::{Callee, Delayed, Resolved, Symbol};
use crate::dim::{Dim, Shape};
use crate::graph::ops::ShapeRule;
use crate::syntax::ast::{BinaryOp, Cell, Expr, ExprKind};

/// Fills in unknown shapes of targets.
pub fn guess(cell: &Cell, resolved: &Resolved, shapes: &mut Shapes) {
    // Equations can have any order or form a cycle, so this repeats until a pass adds no shape.
    for _ in 0..cell.equations.len() {
        let mut has_changed = false;
        for (index, equation) in cell.equations.iter().enumerate() {
            if shapes.targets[index].iter().all(Option::is_some) {
                continue;
            }
            let Some(value) = (Guess { resolved, shapes }).expression(&equation.value) else { continue };
            let atoms = value.rows.atoms();
            for (position, target) in shapes.targets[index].iter_mut().enumerate() {
                let part = match atoms.get(position) {
                    Some(atom) if equation.is_split && atoms.len() == equation.targets.len() => {
                        Shape { rows: Dim::sum([*atom]), columns: value.columns.clone() }
                    }
                    _ if equation.is_split => continue,
                    _ => value.clone(),
                };
                has_changed |= target.is_none();
                target.get_or_insert(part);
            }
        }
        if !has_changed {
            return;
        }
    }
}

struct Guess<'a> {
    resolved: &'a Resolved,
    shapes: &'a Shapes,
}

impl Guess<'_> {
    fn expression(&self, expr: &Expr) -> Option<Shape> {
        match &expr.kind {
            ExprKind::Number(_) => Some(Shape::scalar()),
            ExprKind::Name { .. } => match self.resolved.symbols.get(expr.id).copied().flatten()? {
                Symbol::Declaration(index)
                | Symbol::Previous(index)
                | Symbol::Delayed(Delayed::Declaration(index)) => {
                    self.shapes.declarations.get(index)?.clone()
                }
                Symbol::Target(target) | Symbol::Delayed(Delayed::Target(target)) => {
                    self.shapes.targets.get(target.equation)?.get(target.index)?.clone()
                }
                Symbol::Dimension(_) => Some(Shape::scalar()),
                Symbol::Argument(_) => None,
            },
            ExprKind::Neg(inner) => self.expression(inner),
            ExprKind::Head(inner) => {
                let whole = self.expression(inner)?;
                let rows = whole.rows.atoms().first()?.split_heads().1;
                Some(Shape { rows: Dim::sum([rows]), columns: whole.columns })
            }
            ExprKind::Transpose(inner) => Some(self.expression(inner)?.transposed()),
            ExprKind::Binary { op, left, right, .. } => {
                let (left, right) = (self.expression(left), self.expression(right));
                match (op, left, right) {
                    (BinaryOp::MatMul, Some(left), right) => Some(product(&left, right)),
                    (BinaryOp::Mul, Some(left), Some(right)) if common(&left, &right).is_none() => {
                        Some(product(&left, Some(right)))
                    }
                    (_, Some(left), Some(right)) => Some(common(&left, &right).unwrap_or(left)),
                    (_, left, right) => left.or(right),
                }
            }
            ExprKind::Stack(parts) => {
                let parts: Vec<Shape> =
                    parts.iter().map(|part| self.expression(part)).collect::<Option<_>>()?;
                let columns = parts.iter().map(|part| &part.columns).find(|columns| !columns.is_one());
                let columns = columns.cloned().unwrap_or_else(Dim::one);
                let rows = Dim::sum(parts.iter().flat_map(|part| part.rows.atoms()).copied());
                Some(Shape { rows, columns })
            }
            ExprKind::Call { arguments, .. } => {
                let callee = self.resolved.callees.get(expr.id).copied().flatten();
                let rule = match callee {
                    Some(Callee::BuiltIn(operation)) => operation.shape,
                    Some(Callee::User(_)) | None => ShapeRule::ElementWise,
                };
                let mut known: Vec<Shape> =
                    arguments.iter().filter_map(|argument| self.expression(argument)).collect();
                // Scalars broadcast, so the other shapes come first.
                known.sort_by_key(Shape::is_scalar);
                let first = known.into_iter().next();
                match rule {
                    ShapeRule::Reduce => Some(Shape::scalar()),
                    ShapeRule::RowSum => Some(Shape::vector(first?.rows)),
                    ShapeRule::Vec => first?.of_joined_columns(),
                    _ => first,
                }
            }
            ExprKind::Compare { .. } | ExprKind::Logic { .. } | ExprKind::Not(_) => None,
            ExprKind::RustPath(_) | ExprKind::Error => None,
        }
    }
}

/// Returns the shape that `left @ right` was probably meant to have, with a `.T` added or removed
/// if necessary.
fn product(left: &Shape, right: Option<Shape>) -> Shape {
    let Some(right) = right else { return Shape::vector(left.rows.clone()) };
    if left.columns == right.rows || left.rows != right.rows {
        return Shape { rows: left.rows.clone(), columns: right.columns };
    }
    if left.columns.is_one() {
        return Shape::vector(right.columns);
    }
    Shape { rows: left.columns.clone(), columns: right.columns }
}
