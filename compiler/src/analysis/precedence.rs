//! Mixes of `@` with `*` and `/` whose meaning depends on the order.
//!
//! The three operators have the same precedence and associate to the left. Readers who are used to
//! mathematical notation may read `R @ r * h` either way, so parentheses are required where the two
//! readings differ. They agree for scalars, for a column that scales the rows of a product from the
//! left, and for a row that scales its columns from the right.

use crate::analysis::shapes::Shapes;
use crate::diagnostics::{Diagnostics, Extent};
use crate::dim::Shape;
use crate::syntax::ast::{BinaryOp, Cell, Expr, ExprKind};
use crate::syntax::text;

/// Reports every mix whose readings differ. Mixes with an unknown shape are skipped, since their
/// mistake has been reported.
pub fn check(cell: &Cell, shapes: &Shapes, diagnostics: &mut Diagnostics) {
    let initials = cell.declarations.iter().filter_map(|declaration| declaration.initial.as_ref());
    for value in cell.equations.iter().map(|equation| &equation.value).chain(initials) {
        visit(value, shapes, diagnostics);
    }
}

fn visit(expr: &Expr, shapes: &Shapes, diagnostics: &mut Diagnostics) {
    if let Some(chain) = Chain::of(expr, shapes) {
        if let Some(at) = chain.ambiguity() {
            chain.report(at, diagnostics);
        }
        for factor in &chain.factors {
            visit(factor.expr, shapes, diagnostics);
        }
        return;
    }
    expr.children().into_iter().for_each(|child| visit(child, shapes, diagnostics));
}

/// A product of several factors as written: `A @ b * c`.
struct Chain<'a> {
    factors: Vec<Factor<'a>>,
    is_known: bool,
}

struct Factor<'a> {
    /// The operator before the factor. The first factor has none.
    op: Option<BinaryOp>,
    expr: &'a Expr,
    shape: Option<&'a Shape>,
    /// The shape of the product up to and including this factor, from left to right.
    so_far: Option<&'a Shape>,
}

fn is_product(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Mul | BinaryOp::Div | BinaryOp::MatMul)
}

impl<'a> Chain<'a> {
    fn of(expr: &'a Expr, shapes: &'a Shapes) -> Option<Self> {
        let shape = |expr: &Expr| shapes.expressions.get(expr.id).and_then(Option::as_ref);
        let mut factors = vec![];
        let mut rest = expr;
        loop {
            match &rest.kind {
                ExprKind::Binary { op, left, right, .. }
                    if is_product(*op) && (factors.is_empty() || !rest.parenthesised) =>
                {
                    factors.push(Factor {
                        op: Some(*op),
                        expr: right,
                        shape: shape(right),
                        so_far: shape(rest),
                    });
                    rest = left;
                }
                _ => {
                    factors.push(Factor { op: None, expr: rest, shape: shape(rest), so_far: shape(rest) });
                    break;
                }
            }
        }
        factors.reverse();
        let is_known = factors.iter().all(|factor| factor.shape.is_some() && factor.so_far.is_some());
        (factors.len() > 1).then_some(Self { factors, is_known })
    }

    /// Returns the first and the last factor of a part whose readings differ.
    fn ambiguity(&self) -> Option<(usize, usize)> {
        if !self.is_known {
            return None;
        }
        let mut last_product = None;
        for (index, factor) in self.factors.iter().enumerate() {
            if factor.op == Some(BinaryOp::MatMul) {
                let first = last_product.unwrap_or(0);
                if self.differs_before(first, index) {
                    return Some((first, index));
                }
                last_product = Some(index);
            } else if let Some(product) = last_product
                && self.differs_behind(product, factor)
            {
                return Some((product - 1, index));
            }
        }
        None
    }

    /// Returns whether `(a * b) @ c` and `a * (b @ c)` differ. `first` is the start of the run
    /// `a * b`, which may be the end of an earlier product, and `product` is the index of `c`.
    fn differs_before(&self, first: usize, product: usize) -> bool {
        let run: Vec<(Option<BinaryOp>, &Shape)> = (first..product)
            .filter_map(|index| {
                let factor = self.factors.get(index)?;
                if index == first { Some((None, factor.so_far?)) } else { Some((factor.op, factor.shape?)) }
            })
            .collect();
        let (Some(last), true) = (run.last(), run.len() > 1) else { return false };
        let right_is_row =
            self.factors.get(product).and_then(|factor| factor.shape).is_some_and(|c| c.rows.is_one());
        let divides = |factor: &(Option<BinaryOp>, &Shape)| factor.0 == Some(BinaryOp::Div);
        // `v / k @ r` could also mean `v / (k @ r)`. The corresponding reading of `W / k @ x` has
        // no valid shape.
        if last.1.is_scalar() && divides(last) && right_is_row {
            return true;
        }
        let Some(main) = run.iter().rposition(|factor| !factor.1.is_scalar()) else { return false };
        let (before, from) = run.split_at(main);
        from.first().is_some_and(divides) || before.iter().any(|factor| !factor.1.columns.is_one())
    }

    /// Returns whether `(a @ b) * c` and `a @ (b * c)` differ, where `product` is the index of `b`.
    fn differs_behind(&self, product: usize, c: &Factor) -> bool {
        let is_scalar = |shape: Option<&Shape>| shape.is_some_and(Shape::is_scalar);
        let left =
            product.checked_sub(1).and_then(|left| self.factors.get(left)).and_then(|left| left.so_far);
        let right = self.factors.get(product).and_then(|right| right.shape);
        !is_scalar(left) && !is_scalar(right) && !c.shape.is_some_and(|c| c.rows.is_one())
    }

    fn report(&self, (first, last): (usize, usize), diagnostics: &mut Diagnostics) {
        let (Some(from), Some(to)) = (self.factors.get(first), self.factors.get(last)) else { return };
        let extent = from.expr.extent.to(to.expr.extent);
        let part = self.factors.get(first + 1..=last).unwrap_or_default();
        let divides = part.iter().any(|factor| factor.op == Some(BinaryOp::Div));
        let multiplies = part.iter().any(|factor| factor.op == Some(BinaryOp::Mul));
        let sign = if divides && !multiplies { "/" } else { "*" };
        let products_first = self.grouped(|op| op == BinaryOp::MatMul);
        let products_last = self.grouped(|op| op != BinaryOp::MatMul);
        diagnostics
            .error(
                Extent::new(extent.first, extent.last),
                format!("`@` and `{sign}` are mixed without parentheses"),
            )
            .note("`@`, `*` and `/` are evaluated from left to right, and another order would give a different result")
            .help(format!("write `{products_first}` or `{products_last}`"));
    }

    /// Returns the text of the chain with parentheses around the runs of operators that go first.
    fn grouped(&self, goes_first: impl Fn(BinaryOp) -> bool) -> String {
        let mut groups: Vec<(Option<BinaryOp>, Vec<&Factor>)> = vec![];
        for factor in &self.factors {
            match (factor.op, groups.last_mut()) {
                (Some(op), Some(group)) if goes_first(op) => group.1.push(factor),
                (op, _) => groups.push((op, vec![factor])),
            }
        }
        let mut out = String::new();
        for (op, group) in groups {
            if let Some(op) = op {
                out.push_str(&format!(" {} ", text::binary(op)));
            }
            let mut inner = String::new();
            for (index, factor) in group.iter().enumerate() {
                if let (Some(op), true) = (factor.op, index > 0) {
                    inner.push_str(&format!(" {} ", text::binary(op)));
                }
                inner.push_str(&text::short(factor.expr));
            }
            out.push_str(&if group.len() > 1 { format!("({inner})") } else { inner });
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dim::{Atom, Dim};

    /// Returns the messages about an equation. The first letter of a name determines its shape:
    /// a capital letter is a matrix `[H, H]`, `k` a scalar `[]`, `r` a row `[1, H]`, `_` an unknown
    /// shape, and any other letter a vector `[H]`.
    fn messages(source: &str) -> Vec<String> {
        let mut diagnostics = Diagnostics::default();
        let tokens = format!("cell T<H> {{ y = {source}; output y; }}").parse().unwrap();
        let program = crate::syntax::parse::parse(tokens, &mut diagnostics);
        assert!(diagnostics.is_empty(), "{source}: {:?}", diagnostics.messages());
        let cell = &program.cells[0];
        let mut shapes = Shapes {
            declarations: vec![],
            one_hot: vec![],
            expressions: vec![None; cell.expression_count],
            targets: vec![],
        };
        infer(&cell.equations[0].value, &mut shapes);
        check(cell, &shapes, &mut diagnostics);
        diagnostics.messages()
    }

    fn infer(expr: &Expr, shapes: &mut Shapes) -> Option<Shape> {
        let one = Dim::one;
        let size = || Dim::sum([Atom::Name(0)]);
        let shape = match &expr.kind {
            ExprKind::Number(_) => Some(Shape::scalar()),
            ExprKind::Name { name, .. } => match name.to_string().chars().next()? {
                'A'..='Z' => Some(Shape { rows: size(), columns: size() }),
                'k' => Some(Shape::scalar()),
                'r' => Some(Shape { rows: one(), columns: size() }),
                '_' => None,
                _ => Some(Shape::vector(size())),
            },
            ExprKind::Neg(inner) => infer(inner, shapes),
            ExprKind::Transpose(inner) => infer(inner, shapes).map(|inner| inner.transposed()),
            ExprKind::Call { arguments, .. } => infer(&arguments[0], shapes),
            ExprKind::Binary { op, left, right, .. } => {
                let (left, right) = (infer(left, shapes), infer(right, shapes));
                left.zip(right).map(|(left, right)| match op {
                    BinaryOp::MatMul => Shape { rows: left.rows, columns: right.columns },
                    _ => Shape {
                        rows: if left.rows.is_one() { right.rows } else { left.rows },
                        columns: if left.columns.is_one() { right.columns } else { left.columns },
                    },
                })
            }
            _ => None,
        };
        shapes.expressions[expr.id] = shape.clone();
        shape
    }

    #[test]
    fn reports_mixes_that_depend_on_the_order() {
        for (source, readings) in [
            ("R @ a * h", "`(R @ a) * h` or `R @ (a * h)`"),
            ("R @ a / h", "`(R @ a) / h` or `R @ (a / h)`"),
            ("R * W @ a", "`R * (W @ a)` or `(R * W) @ a`"),
            ("1 / A @ b", "`1 / (A @ b)` or `(1 / A) @ b`"),
            ("a / k @ r", "`a / (k @ r)` or `(a / k) @ r`"),
            ("r * W @ a", "`r * (W @ a)` or `(r * W) @ a`"),
            ("R @ a * k * h", "`(R @ a) * k * h` or `R @ (a * k * h)`"),
            ("2 * R @ a * h", "`2 * (R @ a) * h` or `(2 * R) @ (a * h)`"),
            ("R @ a * h @ r", "`(R @ a) * (h @ r)` or `R @ (a * h) @ r`"),
            ("b + R @ a * h - b", "`(R @ a) * h` or `R @ (a * h)`"),
            ("tanh(R @ a * h)", "`(R @ a) * h` or `R @ (a * h)`"),
            ("-R @ a * h", "`(-R @ a) * h` or `-R @ (a * h)`"),
            ("h[t-1].T @ a * b", "`(h[t-1].T @ a) * b` or `h[t-1].T @ (a * b)`"),
        ] {
            let found = messages(&source.replace("h[t-1].T", "h.T"));
            let readings = readings.replace("h[t-1].T", "h.T");
            assert_eq!(found.len(), 1, "{source}: {found:?}");
            assert!(found[0].starts_with("`@` and `"), "{source}");
            assert!(found[0].contains(&format!("help: write {readings}")), "{source}\n{}", found[0]);
        }
    }

    #[test]
    fn accepts_mixes_that_do_not_depend_on_the_order() {
        for source in [
            "2 * W @ a",
            "k * W @ a",
            "W * k @ a",
            "W / 2 @ a",
            "W @ a * k",
            "W @ a / 2",
            "W @ a * 2 / k",
            "p * W @ a",
            "p / q * W @ a",
            "W @ A * r",
            "A @ B @ c",
            "a * b / c",
            "(R @ a) * h",
            "R @ (a * h)",
            "R * (W @ a)",
            "W @ a + b * c",
            "a.T @ b / k",
            "A @ b * k @ r",
            "a * b @ r",
        ] {
            assert_eq!(messages(source), [""; 0], "{source}");
        }
    }

    #[test]
    fn unknown_shapes_are_not_reported() {
        assert_eq!(messages("R @ _unknown * h"), [""; 0]);
        assert_eq!(messages("_unknown * R @ h"), [""; 0]);
    }

    #[test]
    fn parts_of_a_mix_are_checked_too() {
        assert_eq!(messages("(R @ a * h) * tanh(R @ a * b)").len(), 2);
    }
}
