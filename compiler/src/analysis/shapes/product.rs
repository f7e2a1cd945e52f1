//! The matrix product: its shape, and suggestions for products that do not fit.

use super::broadcast::ordered_help;
use super::infer::Infer;
use crate::analysis::resolve::{Delayed, Symbol};
use crate::diagnostics::Extent;
use crate::dim::{Atom, Dim, Shape};
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::text;

impl Infer<'_> {
    pub(super) fn product(&mut self, op_extent: Extent, left: &Expr, right: &Expr) -> Option<Shape> {
        let left_shape = self.expression(left);
        let right_shape = match self.symbol(right) {
            Some(Symbol::Declaration(index) | Symbol::Delayed(Delayed::Declaration(index)))
                if self.is_one_hot(index) =>
            {
                let shape = self.shapes.declarations[index].clone();
                if let Some(entry) = self.shapes.expressions.get_mut(right.id) {
                    entry.clone_from(&shape);
                }
                shape
            }
            _ => self.expression(right),
        };
        let (left_shape, right_shape) = (left_shape?, right_shape?);
        if left_shape.columns == right_shape.rows {
            return Some(Shape { rows: left_shape.rows, columns: right_shape.columns });
        }
        let rows = format!("the rows of {} are `{}`", subject(right), self.show_dim(&right_shape.rows));
        let scalar =
            [(left, &left_shape), (right, &right_shape)].into_iter().find(|(_, shape)| shape.is_scalar());
        let fact = if let Some((scalar, _)) = scalar {
            format!("{} is a scalar, not a factor of a matrix product", subject(scalar))
        } else if left_shape.columns.is_one() {
            format!("{} is a vector, one column, while {rows}", subject(left))
        } else {
            format!("the columns of {} are `{}`, {rows}", subject(left), self.show_dim(&left_shape.columns))
        };
        let notes = self.describe_both((left, &left_shape), (right, &right_shape));
        let help = self.product_help((left, &left_shape), (right, &right_shape));
        let mistake = self.diagnostics.error(op_extent, fact);
        for note in notes {
            mistake.note(note);
        }
        if let Some(help) = help {
            mistake.help(help);
        }
        None
    }

    fn product_help(
        &self,
        (left, left_shape): (&Expr, &Shape),
        (right, right_shape): (&Expr, &Shape),
    ) -> Option<String> {
        let (l, r) = (text::operand(left), text::operand(right));
        if left_shape.is_scalar() || right_shape.is_scalar() {
            return Some(format!("a scalar is multiplied by `*`: `{l} * {r}`"));
        }
        if let ExprKind::Stack(parts) = &right.kind
            && let Some(order) = self.stack_order(parts, &left_shape.columns)
        {
            return Some(format!("stack them in the order of the columns: `{order}`"));
        }
        let left_is_vector = left_shape.columns.is_one();
        let right_is_vector = right_shape.columns.is_one();
        if left_is_vector && right_is_vector {
            return Some(if left_shape.rows == right_shape.rows {
                format!(
                    "the inner product is `{l}.T @ {r}`, the element-wise one `{l} * {r}`, the outer one `{l} @ {r}.T`"
                )
            } else {
                format!("the outer product is `{l} @ {r}.T`")
            });
        }
        if left_is_vector && right_shape.rows == left_shape.rows {
            return Some(format!("a vector is a column: `{} @ {l}`", text::transposed(right)));
        }
        if left_is_vector && right_shape.columns == left_shape.rows {
            return Some(format!("a vector is a column and goes on the right: `{r} @ {l}`"));
        }
        if left_shape.rows == right_shape.rows {
            let product = format!("{} @ {r}", text::transposed(left));
            return Some(match self.declared_matrix(left) {
                Some(name) => {
                    let transposed = self.show(&left_shape.transposed());
                    format!("declare `{name}: {transposed}` or write `{product}`")
                }
                None => format!("`{product}`"),
            });
        }
        if left_shape.columns == right_shape.columns && !right_is_vector {
            return Some(format!("`{l} @ {}`", text::transposed(right)));
        }
        if let (&[Atom::Product(a, b)], &[Atom::Product(c, d)]) =
            (left_shape.columns.atoms(), right_shape.rows.atoms())
            && (a, b) == (d, c)
        {
            let (columns, rows) = (self.show_dim(&left_shape.columns), self.show_dim(&right_shape.rows));
            return Some(format!(
                "the first factor of a product of dimensions counts vectors of the second: write `{rows}`, not \
                 `{columns}`"
            ));
        }
        ordered_help(&left_shape.columns, &right_shape.rows).then(|| {
            "the terms of a sum are ordered like its blocks: write both in the same order".to_owned()
        })
    }

    /// Returns the name of a parameter or buffer, whose declaration could be transposed.
    fn declared_matrix(&self, expr: &Expr) -> Option<String> {
        match (&expr.kind, self.symbol(expr)?) {
            (ExprKind::Name { name, .. }, Symbol::Declaration(_)) => Some(name.to_string()),
            _ => None,
        }
    }

    /// Returns the text of the stack with its parts in the order in which their rows make up
    /// `columns`.
    fn stack_order(&self, parts: &[Expr], columns: &Dim) -> Option<String> {
        let mut rest: Vec<(&Expr, Vec<Atom>)> = vec![];
        for part in parts {
            let shape = self.shapes.expressions.get(part.id)?.as_ref()?;
            rest.push((part, units(shape.rows.atoms())));
        }
        let columns = units(columns.atoms());
        let mut at = 0;
        let mut ordered = vec![];
        // Take the first part that fits next, so that equal parts keep the user's order.
        while !rest.is_empty() {
            let next = rest.iter().position(|(_, rows)| columns[at..].starts_with(rows))?;
            let (part, rows) = rest.remove(next);
            at += rows.len();
            ordered.push(text::short(part));
        }
        (at == columns.len()).then(|| format!("[{}]", ordered.join(", ")))
    }
}

/// Expands literals to ones, so that a stack of `[2]` and `[3]` can be compared with a `5`. Large
/// literals are kept whole.
fn units(atoms: &[Atom]) -> Vec<Atom> {
    const LONGEST: u64 = 4096;
    let mut units = vec![];
    for atom in atoms {
        match atom {
            Atom::Literal(count) if *count <= LONGEST => units.extend((0..*count).map(|_| Atom::ONE)),
            _ => units.push(*atom),
        }
    }
    units
}

/// Returns the phrase that a message uses for an operand: "`W`", "the stack", "the operand".
fn subject(expr: &Expr) -> String {
    match (&expr.kind, text::short(expr)) {
        (ExprKind::Stack(_), _) => "the stack".to_owned(),
        (_, written) if written == ".." => "the operand".to_owned(),
        (_, written) => format!("`{written}`"),
    }
}
