//! The state that all parts of the parser share, and recovery after mistakes.
//!
//! After a mistake inside an expression, the parser continues behind it. If that isn't possible, it
//! skips to the next `;` or to the next line that begins an item. The names in the skipped tokens
//! are kept in [`Cell::mentioned`], so that they are not reported as unused.

use super::ast::{Cell, Expr, ExprKind};
use super::cursor::Cursor;
use super::words;
use crate::diagnostics::{Diagnostics, Extent};
use proc_macro2::{Ident, TokenStream, TokenTree};
use std::collections::HashSet;
use syn::ext::IdentExt;

/// The maximal height of an expression's tree, for the recursive passes over it.
const MAX_HEIGHT: u16 = 400;

/// The context of an expression, which determines what it may contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExprRole {
    Equation,
    /// The initial value of a declaration, after `=`.
    Initial,
}

pub struct Parser<'d> {
    pub diagnostics: &'d mut Diagnostics,
    pub cell: Cell,
    /// The names of the cell's own functions, collected before anything else is parsed.
    pub functions: HashSet<String>,
    pub expr_role: ExprRole,
    /// The block `heads K { .. }` that contains the current item.
    pub heads_block: Option<usize>,
    /// The number of expressions around the current one.
    pub depth: usize,
    /// True if the current item has been reported as too deep.
    pub is_too_deep: bool,
    /// The height of the tree of each expression.
    heights: Vec<u16>,
    /// The reserved names that have been reported. Each is reported once.
    reported: HashSet<String>,
}

impl<'d> Parser<'d> {
    pub fn new(cell: Cell, diagnostics: &'d mut Diagnostics) -> Self {
        Self {
            diagnostics,
            cell,
            functions: HashSet::new(),
            expr_role: ExprRole::Equation,
            heads_block: None,
            depth: 0,
            is_too_deep: false,
            heights: vec![],
            reported: HashSet::new(),
        }
    }

    pub fn finish(mut self) -> Cell {
        self.cell.expression_count = self.heights.len();
        self.cell
    }

    pub fn node(&mut self, kind: ExprKind, extent: Extent) -> Expr {
        let height = kind.children().iter().map(|child| self.heights[child.id]).max().unwrap_or(0) + 1;
        if height > MAX_HEIGHT {
            self.report_depth(extent);
            for child in kind.children() {
                self.mention_expr(child);
            }
            return self.error(extent);
        }
        self.heights.push(height);
        Expr { id: self.heights.len() - 1, kind, extent, parenthesised: false }
    }

    /// Returns a node for code that failed to parse.
    pub fn error(&mut self, extent: Extent) -> Expr {
        self.heights.push(1);
        Expr { id: self.heights.len() - 1, kind: ExprKind::Error, extent, parenthesised: false }
    }

    /// Returns a node for a failed expression whose operands did parse.
    pub fn error_of(&mut self, extent: Extent, parts: &[&Expr]) -> Expr {
        for part in parts {
            self.mention_expr(part);
        }
        self.error(extent)
    }

    /// Returns a copy of the expression with new ids, as for `param a, b: [H] = 1;`.
    pub fn copy(&mut self, expr: &Expr) -> Expr {
        let kind = match &expr.kind {
            ExprKind::Number(value) => ExprKind::Number(*value),
            ExprKind::Name { name, time } => ExprKind::Name { name: name.clone(), time: time.clone() },
            ExprKind::Neg(inner) => ExprKind::Neg(Box::new(self.copy(inner))),
            ExprKind::Transpose(inner) => ExprKind::Transpose(Box::new(self.copy(inner))),
            ExprKind::Head(inner) => ExprKind::Head(Box::new(self.copy(inner))),
            ExprKind::Binary { op, op_extent, left, right } => ExprKind::Binary {
                op: *op,
                op_extent: *op_extent,
                left: Box::new(self.copy(left)),
                right: Box::new(self.copy(right)),
            },
            ExprKind::Compare { op, op_extent, left, right } => ExprKind::Compare {
                op: *op,
                op_extent: *op_extent,
                left: Box::new(self.copy(left)),
                right: Box::new(self.copy(right)),
            },
            ExprKind::Logic { op, left, right } => ExprKind::Logic {
                op: *op,
                left: Box::new(self.copy(left)),
                right: Box::new(self.copy(right)),
            },
            ExprKind::Not(inner) => ExprKind::Not(Box::new(self.copy(inner))),
            ExprKind::Stack(parts) => ExprKind::Stack(parts.iter().map(|part| self.copy(part)).collect()),
            ExprKind::Call { function, arguments } => ExprKind::Call {
                function: function.clone(),
                arguments: arguments.iter().map(|argument| self.copy(argument)).collect(),
            },
            ExprKind::RustPath(path) => ExprKind::RustPath(path.clone()),
            ExprKind::Error => ExprKind::Error,
        };
        let mut copy = self.node(kind, expr.extent);
        copy.parenthesised = expr.parenthesised;
        copy
    }

    pub fn report_depth(&mut self, extent: Extent) {
        if !self.is_too_deep {
            self.is_too_deep = true;
            self.diagnostics
                .error(extent, "the expression is nested too deeply")
                .help("give its parts names in equations of their own");
        }
    }

    /// Returns whether the name can be defined. Reports reserved names.
    pub fn can_define(&mut self, name: &Ident) -> bool {
        let text = name.to_string();
        let Some((fact, help)) = words::reserved(&text) else { return true };
        if text == "_" || self.reported.insert(text) {
            self.diagnostics.error(name, fact).help(help);
        }
        self.poison(name);
        false
    }

    /// Returns the name, or a replacement for a reserved one, so that the skeleton still has a
    /// field or argument for each declaration.
    pub fn definable(&mut self, name: Ident) -> Option<Ident> {
        if self.can_define(&name) {
            return Some(name);
        }
        let text = name.unraw().to_string();
        let other = syn::parse_str::<Ident>(&format!("{}_", text.to_lowercase())).ok()?;
        let other = Ident::new(&other.to_string(), name.span());
        self.poison(&other);
        self.cell.mentioned.push(other.clone());
        Some(other)
    }

    pub fn poison(&mut self, name: &Ident) {
        self.cell.poisoned.push(name.clone());
    }

    pub fn mention_expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name { name, .. } => self.cell.mentioned.push(name.clone()),
            ExprKind::Call { function, .. } => self.cell.mentioned.push(function.clone()),
            _ => {}
        }
        for child in expr.children() {
            self.mention_expr(child);
        }
    }

    pub fn mention_tokens(&mut self, tokens: TokenStream) {
        let mut open = vec![tokens.into_iter()];
        while let Some(innermost) = open.last_mut() {
            match innermost.next() {
                None => {
                    open.pop();
                }
                Some(TokenTree::Ident(ident)) => self.cell.mentioned.push(ident),
                Some(TokenTree::Group(group)) => open.push(group.stream().into_iter()),
                Some(_) => {}
            }
        }
    }

    /// Skips one token and records its names.
    pub fn pass(&mut self, c: &mut Cursor) {
        if let Some(token) = c.bump() {
            self.mention_tokens(token.into());
        }
    }

    /// Skips to the end of the expression: `,` or `;`, or the next item if the tokens hold items.
    pub fn skip_expr(&mut self, c: &mut Cursor) {
        let ends_at_comma = !c.holds_items || self.expr_role == ExprRole::Initial;
        while !self.ends_item(c) {
            if ends_at_comma && c.at(0, ",") {
                return;
            }
            self.pass(c);
        }
    }

    /// Returns whether recovery ends here: at the end, at a `;`, or at a line that begins the next
    /// item.
    pub fn ends_item(&self, c: &Cursor) -> bool {
        c.at_end() || c.at(0, ";") || begins_item_line(c)
    }

    /// Skips past the `;` that ends the item, or to the next line that begins one.
    pub fn skip_item(&mut self, c: &mut Cursor) {
        while !c.at_end() && !begins_item_line(c) {
            if c.at(0, ";") {
                c.skip(1);
                return;
            }
            self.pass(c);
        }
    }

    /// Skips the rest of the line, a comment of another language.
    pub fn skip_line(&mut self, c: &mut Cursor) {
        c.skip(1);
        while !c.at_end() && !begins_item_line(c) {
            if c.starts_line(0) {
                return;
            }
            // Names in a comment do not count as used.
            c.skip(1);
        }
    }

    /// Parses the `;` that ends an item.
    pub fn end_item(&mut self, c: &mut Cursor) {
        if c.at(0, ";") {
            c.skip(1);
        } else if c.at(0, ",") && (starts_item(c, 1) || c.peek(1).is_none()) {
            self.comma_for_semicolon(c);
        } else if c.at_end() || starts_item(c, 0) {
            self.diagnostics.error(c.behind(), "expected `;`").help("every item of a cell ends with `;`");
        } else {
            self.diagnostics
                .error(c.here(), format!("expected `;`, found {}", c.found()))
                .help("every item of a cell ends with `;`");
            self.pass(c);
            self.skip_item(c);
        }
    }

    /// Reports a `,` that ends an item.
    pub fn comma_for_semicolon(&mut self, c: &mut Cursor) {
        let at = c.skip(1);
        self.diagnostics.error(at, "expected `;`, found `,`").help("every item of a cell ends with `;`");
    }

    /// Reports the remaining tokens of a group.
    pub fn end_group(&mut self, c: &mut Cursor) {
        if !c.at_end() {
            self.diagnostics.error(c.here(), format!("unexpected {}", c.found()));
            while !c.at_end() {
                self.pass(c);
            }
        }
    }
}

/// The sign between the name of an equation or declaration and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    Equals,
    Colon,
    /// `+=` and similar operators, in one token of two characters.
    Compound(char),
    /// A sign in place of `=`: `==`, `:=`, `<-`.
    Foreign(&'static str),
}

impl Sign {
    pub fn length(self) -> usize {
        match self {
            Sign::Equals | Sign::Colon => 1,
            Sign::Compound(_) => 2,
            Sign::Foreign(text) => text.len(),
        }
    }
}

/// Returns the sign that makes the preceding tokens a definition.
pub fn sign(c: &Cursor, ahead: usize) -> Option<Sign> {
    if c.at_equals(ahead) {
        return Some(Sign::Equals);
    }
    for foreign in ["===", "==", ":=", "<-", "=>"] {
        if c.at(ahead, foreign) {
            return Some(Sign::Foreign(foreign));
        }
    }
    for compound in ["+=", "-=", "*=", "/=", "@=", "%=", "^="] {
        if c.at(ahead, compound) {
            return compound.chars().next().map(Sign::Compound);
        }
    }
    (c.at(ahead, ":") && !c.at(ahead, "::")).then_some(Sign::Colon)
}

/// Returns whether the name before `ahead` is defined: a sign follows, possibly after a time index.
pub fn defines(c: &Cursor, ahead: usize) -> bool {
    sign(c, ahead).is_some() || (c.bracket(ahead).is_some() && sign(c, ahead + 1).is_some())
}

/// Returns whether an item begins at this token.
pub fn starts_item(c: &Cursor, ahead: usize) -> bool {
    if !c.holds_items {
        return false;
    }
    if c.at(ahead, "#") {
        return c.bracket(ahead + 1).is_some() && c.starts_line(ahead);
    }
    if c.bracket(ahead).is_some() {
        return c.at_equals(ahead + 1);
    }
    let Some(word) = c.ident(ahead) else { return false };
    if defines(c, ahead + 1) {
        return true;
    }
    let word = word.to_string();
    if starts_heads(c, ahead) {
        return true;
    }
    if words::begins_item(&word) || word == "let" {
        return c.ident(ahead + 1).is_some();
    }
    let then_colon = c.ident(ahead + 1).is_some() && sign(c, ahead + 2) == Some(Sign::Colon);
    then_colon && words::meant(&word).is_some()
}

/// Returns whether a block of heads begins at this token: `heads K {`, or without a valid number.
pub fn starts_heads(c: &Cursor, ahead: usize) -> bool {
    c.word(ahead, "heads")
        && (c.brace(ahead + 1).is_some()
            || (c.ident(ahead + 1).is_some() || c.literal(ahead + 1).is_some()) && !defines(c, ahead + 2))
}

fn begins_item_line(c: &Cursor) -> bool {
    starts_item(c, 0) && c.starts_line(0)
}
