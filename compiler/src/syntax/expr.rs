//! Operators: sums, products, powers, and tokens in place of a missing operator.
//!
//! `+` and `-` bind most loosely. `@`, `*` and `/` have the same precedence and associate to the
//! left. Unary `-` binds more tightly, and the suffixes of an operand (`operands.rs`) most tightly.

use super::ast::{BinaryOp, Expr, ExprKind, Time};
use super::compare::logic;
use super::cursor::Cursor;
use super::operands::Index;
use super::recover::{Parser, starts_item};
use crate::diagnostics::{Extent, Missing};
use crate::syntax::text;
use proc_macro2::{Ident, TokenTree};

/// The token after an operand that is not followed by an operator of a product.
enum Gap {
    /// The end of the product.
    End,
    /// Another operand, whose operator is missing.
    Operand,
    /// An operator that is not in the language, and the help text about it.
    Foreign(String, Option<&'static str>),
    /// A mistake that has been reported and skipped.
    Skipped,
}

const CONDITIONS: &str = "comparisons combine by `and`, `or` and `not`, within `where`";
const WHERE: &str = "`where(a >= b, u, v)` is `u` where the comparison holds and `v` elsewhere";

impl Parser<'_> {
    pub fn sum(&mut self, c: &mut Cursor) -> Expr {
        let mut left = self.product(c);
        loop {
            let op = match c.punct(0) {
                Some('+') => BinaryOp::Add,
                Some('-') => BinaryOp::Sub,
                _ => return left,
            };
            let op_extent = c.skip(1);
            let right = self.product(c);
            left = self.binary(op, op_extent, left, right);
        }
    }

    fn binary(&mut self, op: BinaryOp, op_extent: Extent, left: Expr, right: Expr) -> Expr {
        let extent = left.extent.to(right.extent);
        self.node(ExprKind::Binary { op, op_extent, left: Box::new(left), right: Box::new(right) }, extent)
    }

    fn product(&mut self, c: &mut Cursor) -> Expr {
        let mut left = self.unary(c);
        loop {
            if c.at(0, ".*") || c.at(0, "./") {
                let op = if c.at(0, ".*") { BinaryOp::Mul } else { BinaryOp::Div };
                let op_extent = c.skip(2);
                let right = self.unary(c);
                let (a, sign, b) = (text::short(&left), text::binary(op), text::short(&right));
                self.diagnostics
                    .error(op_extent, format!("there is no operator `.{sign}`: `{sign}` is element-wise"))
                    .help(format!("write `{a} {sign} {b}`"));
                left = self.binary(op, op_extent, left, right);
                continue;
            }
            let op = match c.punct(0) {
                Some('*') => Some(BinaryOp::Mul),
                Some('/') => Some(BinaryOp::Div),
                Some('@') => Some(BinaryOp::MatMul),
                _ => None,
            };
            if let Some(op) = op {
                let op_extent = c.skip(1);
                let right = self.unary(c);
                left = self.binary(op, op_extent, left, right);
                continue;
            }
            match self.gap(c) {
                Gap::End => return left,
                Gap::Skipped => {}
                Gap::Operand => left = self.missing_operator(c, left),
                Gap::Foreign(operator, help) => {
                    let at = c.previous();
                    let error = self.diagnostics.error(at, format!("there is no operator `{operator}`"));
                    if let Some(help) = help {
                        error.help(help);
                    }
                    let extent = left.extent.to(at);
                    let begins_operand = matches!(
                        c.peek(0),
                        Some(TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Group(_))
                    );
                    left = if begins_operand && operator != "?" && operator != "if" {
                        let right = self.unary(c);
                        self.error_of(extent.to(right.extent), &[&left, &right])
                    } else {
                        self.skip_expr(c);
                        self.error_of(extent, &[&left])
                    };
                }
            }
        }
    }

    /// Returns the kind of the token after an operand. A foreign operator is skipped.
    fn gap(&mut self, c: &mut Cursor) -> Gap {
        if starts_item(c, 0) || logic(c, 0).is_some() {
            return Gap::End;
        }
        match c.peek(0) {
            None => Gap::End,
            Some(TokenTree::Ident(word)) => {
                let help = match word.to_string().as_str() {
                    "if" | "else" => WHERE,
                    "not" | "xor" => CONDITIONS,
                    _ => return Gap::Operand,
                };
                let word = word.to_string();
                c.skip(1);
                Gap::Foreign(word, Some(help))
            }
            Some(TokenTree::Literal(_) | TokenTree::Group(_)) => Gap::Operand,
            Some(TokenTree::Punct(punct)) => {
                let character = punct.as_char();
                match character {
                    ';' | ',' | '+' | '-' | '<' | '>' | '=' => return Gap::End,
                    '!' if c.at(0, "!=") => return Gap::End,
                    '#' => {
                        self.hash(c);
                        return Gap::Skipped;
                    }
                    _ => {}
                }
                let operator = ["::", "...", "..", ".^"].into_iter().find(|operator| c.at(0, operator));
                let operator = operator.map_or_else(|| character.to_string(), str::to_owned);
                c.skip(operator.chars().count());
                let help = match operator.as_str() {
                    "?" => Some(WHERE),
                    ".^" => Some("a power is `pow(u, p)`"),
                    "%" => Some("the remainder of `u / v` is `u - v * floor(u / v)`"),
                    "'" => Some("the transpose is `W.T`"),
                    ":" | ".." | "..." => Some("there is no indexing; split a vector with `[a, b] = ..;`"),
                    _ => None,
                };
                Gap::Foreign(operator, help)
            }
        }
    }

    /// Reports a `#` in place of an operator: a comment of another language, or an attribute.
    fn hash(&mut self, c: &mut Cursor) {
        if c.bracket(1).is_some() {
            let at = c.skip(2);
            self.diagnostics
                .error(at, "attributes aren't allowed in an expression")
                .help("comments in an expression begin with `//`");
            return;
        }
        self.diagnostics.error(c.here(), "`#` does not begin a comment").help("comments begin with `//`");
        self.skip_line(c);
    }

    fn missing_operator(&mut self, c: &mut Cursor, left: Expr) -> Expr {
        let before = rightmost(&left);
        let (before_extent, a) = (before.extent, text::short(before));
        let is_number = matches!(before.kind, ExprKind::Number(_));
        let next = c.here();
        // An extent over two lines would be shown as its first line only.
        let extent = if c.starts_line(0) { next } else { Extent::new(before_extent.last, next.last) };
        let right = self.power(c);
        let b = text::short(&right);
        let is_number = is_number || matches!(right.kind, ExprKind::Number(_));
        let error = self.diagnostics.error(extent, format!("missing operator between `{a}` and `{b}`"));
        if is_number {
            error.help(format!("for the product write `{a} * {b}`"));
        } else {
            error.help(format!(
                "write `{a} @ {b}` for the matrix product, `{a} * {b}` for the element-wise one"
            ));
        }
        self.error_of(left.extent.to(right.extent), &[&left, &right])
    }

    fn unary(&mut self, c: &mut Cursor) -> Expr {
        let signs = self.signs(c);
        let mut value = self.power(c);
        for sign in signs.into_iter().rev() {
            let extent = sign.to(value.extent);
            value = self.node(ExprKind::Neg(Box::new(value)), extent);
        }
        value
    }

    /// Parses the minus signs before an operand.
    fn signs(&mut self, c: &mut Cursor) -> Vec<Extent> {
        let mut signs = vec![];
        loop {
            let help = match c.punct(0) {
                Some('-') => {
                    signs.push(c.skip(1));
                    continue;
                }
                Some('+') => "drop the `+`",
                Some('&') => "values are written by name, without `&`",
                Some('!' | '~') => "`where(m > 0, 0, 1)` turns 1 into 0 and 0 into 1",
                _ => return signs,
            };
            let sign = c.found();
            let at = c.skip(1);
            self.diagnostics.error(at, format!("there is no prefix operator {sign}")).help(help);
        }
    }

    /// Parses an operand, and the notations of other languages for a power.
    fn power(&mut self, c: &mut Cursor) -> Expr {
        let mut base = self.postfix(c);
        while c.at(0, "**") || c.at(0, "^") {
            let sign = if c.at(0, "**") { "**" } else { "^" };
            let at = c.skip(sign.len());
            let fact = format!("there is no operator `{sign}`");
            let u = text::operand(&base);
            if c.word(0, "T") {
                let extent = base.extent.to(c.skip(1));
                self.diagnostics.error(at, fact).help(format!("the transpose is `{u}.T`"));
                base = self.node(ExprKind::Transpose(Box::new(base)), extent);
                continue;
            }
            if let (Some(group), ExprKind::Name { name, .. }) = (c.any_group(0).cloned(), &base.kind)
                && let Index::Time(offset) = Index::read(&group)
            {
                let name = name.clone();
                let extent = base.extent.to(c.skip(1));
                self.diagnostics
                    .error(at.to(extent), "a time index is written in brackets")
                    .help(format!("write `{}`", text::timed(&name, &Time::Offset(offset))));
                base = self.at_time(name, offset, extent);
                continue;
            }
            let signs = self.signs(c);
            let mut exponent = self.postfix(c);
            for sign in signs.into_iter().rev() {
                let extent = sign.to(exponent.extent);
                exponent = self.node(ExprKind::Neg(Box::new(exponent)), extent);
            }
            // The call adds its own parentheses.
            let enclosed = std::mem::take(&mut base.parenthesised);
            let (u, p) = (text::short(&base), text::short(&exponent));
            base.parenthesised = enclosed;
            self.diagnostics.error(at, fact).help(match &exponent.kind {
                ExprKind::Number(2.0) => format!("write `square({u})`"),
                _ => format!("write `pow({u}, {p})`"),
            });
            let extent = base.extent.to(exponent.extent);
            let function = Ident::new("pow", at.first);
            base = self.node(ExprKind::Call { function, arguments: vec![base, exponent] }, extent);
        }
        base
    }

    /// Reports a missing operand.
    pub fn no_operand(&mut self, c: &mut Cursor) -> Expr {
        let ends = c.at_end() || c.at(0, ";") || c.at(0, ",") || starts_item(c, 0);
        let previous = c.previous();
        let after = match c.last_punct() {
            Some(sign @ ('+' | '-' | '*' | '/' | '@' | '=' | '<' | '>')) => Some(sign),
            _ => None,
        };
        let at = match after {
            Some(sign) if ends => {
                self.diagnostics
                    .error(previous, format!("expected an expression after `{sign}`"))
                    .leaves_out(Missing::Read);
                previous
            }
            _ => {
                let here = c.here();
                let found = c.found();
                let error = self.diagnostics.error(here, format!("expected an expression, found {found}"));
                error.leaves_out(Missing::Read);
                if found == "`#`" {
                    error.help("comments begin with `//`");
                }
                here
            }
        };
        if !ends && !matches!(c.punct(0), Some('*' | '/' | '@')) {
            self.pass(c);
            self.skip_expr(c);
        }
        self.error(at)
    }
}

/// Returns the operand directly to the left of the token that follows the expression.
fn rightmost(expr: &Expr) -> &Expr {
    match &expr.kind {
        ExprKind::Binary { right, .. } if !expr.parenthesised => rightmost(right),
        ExprKind::Neg(inner) if !expr.parenthesised => rightmost(inner),
        _ => expr,
    }
}
