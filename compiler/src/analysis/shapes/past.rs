//! Values of earlier steps: the shapes of delayed values, windows and their masks.

use super::infer::Infer;
use crate::analysis::past::{self, Length};
use crate::analysis::resolve::{Delayed, Symbol};
use crate::dim::{Dim, Shape};
use crate::graph::ops::{Operation, ShapeRule};
use crate::syntax::ast::{Expr, ExprKind, Time};
use crate::syntax::text;

impl Infer<'_> {
    /// Returns the shape of a delayed value. Reports a matrix that is delayed by more than a step.
    pub(super) fn delayed(&mut self, expr: &Expr, delayed: Delayed) -> Option<Shape> {
        let shape = match delayed {
            Delayed::Declaration(index) => self.shapes.declarations[index].clone()?,
            Delayed::Target(target) => self.shapes.targets[target.equation][target.index].clone()?,
        };
        let ExprKind::Name { name, time } = &expr.kind else { return None };
        let is_matrix = !shape.rows.is_one() && !shape.columns.is_one();
        if is_matrix && *time != Time::Offset(-1) {
            let written = text::timed(name, time);
            let note = self.describe(expr, &shape);
            let size = self.show(&shape);
            self.diagnostics
                .error(expr.extent, format!("`{written}` delays a matrix by more than one step"))
                .note(note)
                .help(format!(
                    "chain states: with `state {name}_1: {size};` and `{name}_1 = {name}[t-1];`, `{name}_1[t-1]` is \
                     `{name}[t-2]`"
                ));
            return None;
        }
        Some(shape)
    }

    /// Returns the shape of a call of `window` or `present`.
    pub(super) fn past(&mut self, operation: &Operation, arguments: &[&Expr]) -> Option<Shape> {
        let name = operation.name;
        let (value, lengths) = match operation.shape {
            ShapeRule::Window => (Some(*arguments.first()?), arguments.get(1..)?),
            _ => (None, arguments),
        };
        let shape = value.map(|value| (value, self.expression(value)));
        let parts = ["number of entries", "spacing"];
        let lengths: Vec<Option<Length>> =
            lengths.iter().zip(parts).map(|(argument, part)| self.length(name, argument, part)).collect();
        let entries = lengths.into_iter().collect::<Option<Vec<_>>>()?.first()?.atom();
        let entries = Dim::sum([entries]);
        let Some((value, shape)) = shape else {
            return Some(Shape { rows: Dim::one(), columns: entries });
        };
        let shape = shape?;
        if !shape.columns.is_one() {
            let note = self.describe(value, &shape);
            let (what, help) = if shape.rows.is_one() {
                let vector = text::transposed(value);
                ("a row", format!("the transpose of a row is a vector: `window({vector}, ..)`"))
            } else {
                ("a matrix", "a window holds the last values of a vector: one column per step".to_owned())
            };
            self.diagnostics
                .error(value.extent, format!("`window` of {what} `{}`", self.show(&shape)))
                .note(note)
                .help(help);
            return None;
        }
        Some(Shape { rows: shape.rows, columns: entries })
    }

    /// Returns the length that an argument gives. Reports anything but a dimension or a number.
    pub(super) fn length(&mut self, function: &str, argument: &Expr, part: &str) -> Option<Length> {
        if let Some(length) = past::length(self.resolved, argument) {
            self.expression(argument);
            return Some(length);
        }
        let written = text::short(argument);
        let (fact, help) = match (&argument.kind, self.symbol(argument)) {
            (ExprKind::Error, _) => return None,
            (ExprKind::Name { .. }, None) => return None,
            (ExprKind::Number(_), _) if matches!(function, "window" | "present") => (
                format!("the {part} of `{function}` is a whole number of steps, at least 1"),
                format!("a window of the last four values is `{}`", example(function)),
            ),
            (ExprKind::Number(_), _) => (
                format!("the {part} of `{function}` is a whole number, at least 1"),
                format!("write a dimension of the cell or a number: `{}`", example(function)),
            ),
            (ExprKind::Name { .. }, Some(symbol)) => (
                format!("`{written}` is {}, not a dimension", self.what(symbol)),
                match function {
                    "present" => {
                        "`present(n)` is 1 for each entry of `window(u, n)` whose step exists".to_owned()
                    }
                    _ => {
                        format!("the {part} is a dimension of the cell or a number: `{}`", example(function))
                    }
                },
            ),
            _ => (
                format!("the {part} of `{function}` is not a dimension"),
                format!("write a dimension of the cell or a number: `{}`", example(function)),
            ),
        };
        // The names within count as read, and their own mistakes are reported.
        self.diagnostics.error(argument.extent, fact).help(help);
        None
    }

    fn what(&self, symbol: Symbol) -> String {
        match symbol {
            Symbol::Declaration(index)
            | Symbol::Previous(index)
            | Symbol::Delayed(Delayed::Declaration(index)) => {
                text::a_kind(self.cell.declarations[index].kind)
            }
            Symbol::Target(target) if self.resolved.state_of(target).is_some() => "a state".to_owned(),
            Symbol::Target(_) | Symbol::Delayed(Delayed::Target(_)) => "an equation".to_owned(),
            Symbol::Argument(_) => "an argument".to_owned(),
            Symbol::Dimension(_) => "a dimension".to_owned(),
        }
    }
}

fn example(function: &str) -> &'static str {
    match function {
        "present" => "present(4)",
        "blocks" => "blocks(u, 4)",
        "repeat_heads" => "repeat_heads(u, 8)",
        "sum_heads" => "sum_heads(u, 2)",
        _ => "window(u, 4)",
    }
}
