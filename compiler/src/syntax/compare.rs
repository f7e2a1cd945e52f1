//! Whole expressions, the limit of their nesting depth, and conditions, both in the first argument
//! of `where` and misplaced.
//!
//! `or` binds most loosely, then `and`, then `not`, then comparisons.

use super::ast::{Expr, ExprKind};
use super::cursor::Cursor;
use super::recover::Parser;
use crate::diagnostics::Extent;
use crate::graph::ir::{Comparison, Logic};
use crate::syntax::text;

/// The maximal nesting depth of expressions.
const MAX_DEPTH: usize = 128;

impl Parser<'_> {
    pub fn expr(&mut self, c: &mut Cursor) -> Expr {
        self.nested(c, Self::uncompared)
    }

    /// Parses the first argument of `where`.
    pub fn condition(&mut self, c: &mut Cursor) -> Expr {
        self.nested(c, |parser, c| parser.disjunction(c, false))
    }

    fn nested(&mut self, c: &mut Cursor, parse: impl FnOnce(&mut Self, &mut Cursor) -> Expr) -> Expr {
        let start = c.here();
        if self.depth >= MAX_DEPTH {
            self.report_depth(start);
            self.skip_expr(c);
            return self.error(start);
        }
        self.depth += 1;
        let expr = parse(self, c);
        self.depth -= 1;
        expr
    }

    /// Parses comparisons combined by `or`. `is_operand` is true if they are an operand of `and` or
    /// `not`.
    fn disjunction(&mut self, c: &mut Cursor, is_operand: bool) -> Expr {
        let mut left = self.conjunction(c, is_operand);
        while self.logic(c, Logic::Or) {
            let right = self.conjunction(c, true);
            left = self.combined(Logic::Or, left, right);
        }
        left
    }

    fn conjunction(&mut self, c: &mut Cursor, is_operand: bool) -> Expr {
        let mut left = self.negation(c, is_operand);
        while self.logic(c, Logic::And) {
            let right = self.negation(c, true);
            left = self.combined(Logic::And, left, right);
        }
        left
    }

    fn combined(&mut self, op: Logic, left: Expr, right: Expr) -> Expr {
        let extent = left.extent.to(right.extent);
        self.node(ExprKind::Logic { op, left: Box::new(left), right: Box::new(right) }, extent)
    }

    fn negation(&mut self, c: &mut Cursor, is_operand: bool) -> Expr {
        let mut signs = vec![];
        loop {
            let is_foreign = matches!(c.punct(0), Some('!' | '~'));
            if is_foreign {
                let fact = format!("there is no prefix operator {}", c.found());
                self.diagnostics.error(c.here(), fact).help("write `not`");
            } else if !c.word(0, "not") {
                break;
            }
            signs.push(c.skip(1));
        }
        let mut condition = self.compared(c, is_operand || !signs.is_empty());
        for sign in signs.into_iter().rev() {
            let extent = sign.to(condition.extent);
            condition = self.node(ExprKind::Not(Box::new(condition)), extent);
        }
        condition
    }

    /// Takes the operator between conditions if it is `op`. Reports the notation of another
    /// language.
    fn logic(&mut self, c: &mut Cursor, op: Logic) -> bool {
        let Some((sign, tokens, _)) = logic(c, 0).filter(|found| found.2 == op) else { return false };
        let word = text::logic(op);
        let extent = c.skip(tokens);
        if sign != word {
            self.diagnostics
                .error(extent, format!("there is no operator `{sign}`"))
                .help(format!("write `{word}`"));
        }
        true
    }

    fn compared(&mut self, c: &mut Cursor, is_operand: bool) -> Expr {
        let ends = c.peek(1).is_none() || c.at(1, ",") || logic(c, 1).is_some();
        let is_enclosed = c.parenthesis(0).is_some() && ends;
        if let (true, Some(group)) = (is_enclosed, c.parenthesis(0).cloned()) {
            let extent = c.skip(1);
            let mut inside = Cursor::inside(&group);
            let is_operand = is_operand || logic(c, 0).is_some();
            let mut condition = self.nested(&mut inside, |parser, c| parser.disjunction(c, is_operand));
            self.end_group(&mut inside);
            condition.extent = extent;
            condition.parenthesised = true;
            return condition;
        }
        let left = self.sum(c);
        let Some((op, op_extent)) = self.comparison(c, true) else {
            if !matches!(left.kind, ExprKind::Error) {
                let tested = text::short(&left);
                let (fact, whole) = if is_operand || logic(c, 0).is_some() {
                    ("the operands of `and`, `or` and `not` must be comparisons", format!("{tested} > 0"))
                } else {
                    let whole = format!("where({tested} > 0, u, v)");
                    ("the first argument of `where` must be a comparison", whole)
                };
                self.diagnostics
                    .error(left.extent, fact)
                    .help(format!("compare it with a number: `{whole}`"));
            }
            return self.error_of(left.extent, &[&left]);
        };
        let right = self.sum(c);
        let extent = left.extent.to(right.extent);
        if let Some((then, second)) = self.comparison(c, true) {
            let last = self.sum(c);
            let (first, middle, end) = (text::short(&left), text::short(&right), text::short(&last));
            let (op, then) = (text::comparison(op), text::comparison(then));
            self.diagnostics
                .error(second, "comparisons can't be chained")
                .help(format!("write `{first} {op} {middle} and {middle} {then} {end}`"));
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
            if let Some((sign, tokens, op)) = logic(c, 0) {
                let at = c.skip(tokens);
                self.misplaced_logic(at, op, sign, &left);
                let right = self.sum(c);
                left = self.error_of(left.extent.to(right.extent), &[&left, &right]);
                continue;
            }
            let Some((op, _)) = self.comparison(c, false) else { return left };
            let right = self.sum(c);
            let extent = left.extent.to(right.extent);
            let (first, second) = (text::short(&left), text::short(&right));
            // In `a > b and c > d`, the first comparison has been reported.
            if !matches!(left.kind, ExprKind::Error) {
                let op = text::comparison(op);
                self.diagnostics
                    .error(extent, "a comparison can only be the first argument of `where`")
                    .help(format!(
                        "`where({first} {op} {second}, 1, 0)` is 1 where it holds and 0 elsewhere"
                    ));
            }
            left = self.error_of(extent, &[&left, &right]);
        }
    }

    /// Reports an operator between conditions outside of a condition.
    fn misplaced_logic(&mut self, at: Extent, op: Logic, sign: &str, left: &Expr) {
        let word = text::logic(op);
        // In `a > b and c > d`, the comparison has been reported.
        if matches!(left.kind, ExprKind::Error) {
            return;
        }
        let fact = if sign == word {
            format!("`{word}` can only be in the first argument of `where`")
        } else {
            format!("there is no operator `{sign}`")
        };
        self.diagnostics
            .error(at, fact)
            .help(format!("comparisons combine in `where`: `where(a > b {word} c > d, u, v)`"));
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

/// Returns the operator between conditions that begins at a token, as it is written, and its number
/// of tokens.
pub fn logic(c: &Cursor, ahead: usize) -> Option<(&'static str, usize, Logic)> {
    let words = [("and", 1, Logic::And), ("or", 1, Logic::Or)];
    let signs = [("&&", 2, Logic::And), ("||", 2, Logic::Or), ("&", 1, Logic::And), ("|", 1, Logic::Or)];
    let word = words.into_iter().find(|(word, ..)| c.word(ahead, word));
    word.or_else(|| signs.into_iter().find(|(sign, ..)| c.at(ahead, sign)))
}
