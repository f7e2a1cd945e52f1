//! Whole expressions, the limit of their nesting depth, and comparisons, both in the first argument
//! of `where` and misplaced.

use super::ast::{Expr, ExprKind};
use super::cursor::Cursor;
use super::recover::Parser;
use crate::diagnostics::Extent;
use crate::graph::ir::Comparison;
use crate::syntax::text;

/// The maximal nesting depth of expressions.
const MAX_DEPTH: usize = 128;

impl Parser<'_> {
    pub fn expr(&mut self, c: &mut Cursor) -> Expr {
        self.nested(c, false)
    }

    /// Parses the first argument of `where`.
    pub fn condition(&mut self, c: &mut Cursor) -> Expr {
        self.nested(c, true)
    }

    fn nested(&mut self, c: &mut Cursor, is_condition: bool) -> Expr {
        let start = c.here();
        if self.depth >= MAX_DEPTH {
            self.report_depth(start);
            self.skip_expr(c);
            return self.error(start);
        }
        self.depth += 1;
        let expr = if is_condition { self.compared(c) } else { self.uncompared(c) };
        self.depth -= 1;
        expr
    }

    fn compared(&mut self, c: &mut Cursor) -> Expr {
        let is_enclosed = c.parenthesis(0).is_some() && (c.peek(1).is_none() || c.at(1, ","));
        if let (true, Some(group)) = (is_enclosed, c.parenthesis(0).cloned()) {
            let extent = c.skip(1);
            let mut inside = Cursor::inside(&group);
            let mut condition = self.condition(&mut inside);
            self.end_group(&mut inside);
            condition.extent = extent;
            condition.parenthesised = true;
            return condition;
        }
        let left = self.sum(c);
        let Some((op, op_extent)) = self.comparison(c, true) else {
            if !matches!(left.kind, ExprKind::Error) {
                let tested = text::short(&left);
                self.diagnostics
                    .error(left.extent, "the first argument of `where` must be a comparison")
                    .help(format!("compare it with a number: `where({tested} > 0, u, v)`"));
            }
            return self.error_of(left.extent, &[&left]);
        };
        let right = self.sum(c);
        let extent = left.extent.to(right.extent);
        if let Some((_, second)) = self.comparison(c, true) {
            let last = self.sum(c);
            let (first, middle) = (text::short(&left), text::short(&right));
            // In `a > b && c > d`, the `&&` has been reported.
            if !matches!(right.kind, ExprKind::Error) {
                self.diagnostics.error(second, "comparisons can't be chained").help(format!(
                    "nest them: `where({first} {} {middle}, where(.., u, v), v)`",
                    text::comparison(op)
                ));
            }
            while self.comparison(c, true).is_some() {
                let more = self.sum(c);
                self.mention_expr(&more);
            }
            return self.error_of(extent, &[&left, &right, &last]);
        }
        self.node(ExprKind::Compare { op, op_extent, left: Box::new(left), right: Box::new(right) }, extent)
    }

    fn uncompared(&mut self, c: &mut Cursor) -> Expr {
        let mut left = self.sum(c);
        loop {
            if c.at_equals(0) {
                let extent = left.extent.to(c.here());
                let at = c.skip(1);
                if c.holds_items {
                    self.diagnostics
                        .error(at, "a second `=` in one item")
                        .help("give each name an equation of its own, and end it with `;`");
                } else {
                    self.diagnostics
                        .error(left.extent.to(at), "arguments have no names")
                        .help("write the value alone, in the function's order");
                }
                self.skip_expr(c);
                return self.error_of(extent, &[&left]);
            }
            let Some((op, _)) = self.comparison(c, false) else { return left };
            let right = self.sum(c);
            let extent = left.extent.to(right.extent);
            let (first, second) = (text::short(&left), text::short(&right));
            self.diagnostics.error(extent, "a comparison can only be the first argument of `where`").help(
                format!(
                    "`where({first} {} {second}, 1, 0)` is 1 where it holds and 0 elsewhere",
                    text::comparison(op)
                ),
            );
            left = self.error_of(extent, &[&left, &right]);
        }
    }

    /// Parses a comparison operator. A single `=` counts as one only where a comparison is
    /// expected.
    fn comparison(&mut self, c: &mut Cursor, is_condition: bool) -> Option<(Comparison, Extent)> {
        for (sign, op) in [
            ("===", Comparison::Equal),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<>", Comparison::NotEqual),
            ("=>", Comparison::GreaterEqual),
            ("=<", Comparison::LessEqual),
            (">=", Comparison::GreaterEqual),
            ("<=", Comparison::LessEqual),
            ("=", Comparison::Equal),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
        ] {
            if !c.at(0, sign) || (sign == "=" && !is_condition) {
                continue;
            }
            let extent = c.skip(sign.len());
            let right = text::comparison(op);
            if sign != right {
                self.diagnostics
                    .error(extent, format!("`{sign}` is not a comparison"))
                    .help(format!("write `{right}`"));
            }
            return Some((op, extent));
        }
        None
    }
}
