//! Declarations: `input x: [I];`, `state h, c: [H];`, `param W: [H, I] = orthogonal, b: [H];`

use super::ast::{Declaration, DeclarationKind, Expr, ShapeKind, ShapeSyntax};
use super::cursor::Cursor;
use super::operands::Index;
use super::recover::{ExprRole, Parser, Sign, sign, starts_item};
use super::words;
use crate::diagnostics::Extent;
use proc_macro2::Ident;
use syn::Attribute;

impl Parser<'_> {
    /// Parses a declaration, including its first word.
    pub fn declaration(&mut self, c: &mut Cursor, kind: DeclarationKind, attributes: &[Attribute]) {
        let word = c.found().replace('`', "");
        c.skip(1);
        if sign(c, 0) == Some(Sign::Colon) {
            self.diagnostics
                .error(c.here(), format!("expected a name after `{word}`, found `:`"))
                .help(format!("write `{word} {}: [H];`", example(kind)));
            c.skip(1);
        }
        let mut is_empty = true;
        loop {
            let mut docs = attributes.to_vec();
            docs.extend(self.documentation(c));
            if c.at(0, ";") || c.at_end() || (begins_other_item(c) && !is_empty) {
                if is_empty {
                    self.diagnostics
                        .error(c.previous(), format!("expected a name after `{word}`"))
                        .help(format!("write `{word} {}: [H];`", example(kind)));
                }
                return self.end_item(c);
            }
            is_empty = false;
            if !self.group(c, kind, &word, &docs) {
                return self.skip_item(c);
            }
            if !c.at(0, ",") {
                return self.end_item(c);
            }
            if self.begins_equation(c, 1) || words_follow(c, 1) {
                return self.comma_for_semicolon(c);
            }
            c.skip(1);
        }
    }

    /// Returns whether an equation follows the `,` of a declaration. A `b = 0` on the same line is
    /// more likely a declaration without a shape.
    fn begins_equation(&self, c: &Cursor, ahead: usize) -> bool {
        let is_definition =
            |after| matches!(sign(c, after), Some(Sign::Equals | Sign::Compound(_) | Sign::Foreign(_)));
        if c.bracket(ahead).is_some() {
            return c.at_equals(ahead + 1);
        }
        let Some(name) = c.ident(ahead) else { return false };
        let is_timed = c.bracket(ahead + 1).is_some_and(|group| Index::read(group).is_time());
        let is_state = self
            .cell
            .declarations
            .iter()
            .any(|declared| declared.kind == DeclarationKind::State && declared.name == *name);
        is_timed && is_definition(ahead + 2) || is_definition(ahead + 1) && (is_state || c.starts_line(ahead))
    }

    /// Parses the names that share one shape, and the shape. Returns false if the rest of the item
    /// cannot be parsed.
    fn group(&mut self, c: &mut Cursor, kind: DeclarationKind, word: &str, docs: &[Attribute]) -> bool {
        let Some(names) = self.names(c, word) else { return false };
        let mut shape = if sign(c, 0) == Some(Sign::Colon) {
            c.skip(1);
            self.shape(c)
        } else if let (Some(last), true) = (names.last(), c.bracket(0).is_some() || c.word(0, "one_hot")) {
            let at = Extent::from(last).to(c.here());
            self.diagnostics
                .error(at, format!("missing `:` between `{last}` and its shape"))
                .help(format!("write `{word} {last}: [..];`"));
            self.shape(c)
        } else if let (Some(last), true, Some(shape)) = (names.last(), c.at_equals(0), c.bracket(1)) {
            let help = format!("write `{word} {last}: {shape};`");
            self.diagnostics
                .error(c.here(), format!("expected `:` between `{last}` and its shape, found `=`"))
                .help(help);
            c.skip(1);
            self.shape(c)
        } else {
            self.shapeless(&names, word)
        };
        if matches!(shape.kind, ShapeKind::OneHot(_)) && kind != DeclarationKind::Input {
            self.diagnostics
                .error(shape.extent, "only an input can be one-hot")
                .help("a matrix is `[H, I]`, a vector `[H]`, a scalar `[]`");
            shape.kind = ShapeKind::Unknown;
        }
        let initial = self.initial(c, kind, &names);
        self.declare(kind, docs, names, &shape, initial);
        true
    }

    /// Parses the names `h, c` of `state h, c: [H]`.
    fn names(&mut self, c: &mut Cursor, word: &str) -> Option<Vec<Ident>> {
        let mut names = vec![];
        loop {
            let Some(name) = c.ident(0).cloned() else {
                let fact = format!("expected a name after `{word}`, found {}", c.found());
                let error = self.diagnostics.error(c.here(), fact);
                if c.any_group(0).is_some() {
                    error.help(format!("list the names before the shape: `{word} a, b: [H];`"));
                }
                for name in names {
                    self.poison(&name);
                }
                if let Some(group) = c.any_group(0).cloned() {
                    let mut inside = Cursor::inside(&group);
                    while !inside.at_end() {
                        if let Some(name) = inside.ident(0).cloned() {
                            self.poison(&name);
                        }
                        inside.skip(1);
                    }
                }
                self.pass(c);
                return None;
            };
            c.skip(1);
            if let Some(group) = c.bracket(0)
                && Index::read(group).is_time()
            {
                let at = c.skip(1);
                self.diagnostics
                    .error(at, "a declaration has no time index")
                    .help(format!("write `{word} {name}: ..;` and read `{name}[t-1]` in equations"));
            }
            names.push(name.clone());
            if c.at(0, ",") && c.ident(1).is_some() && !words_follow(c, 1) {
                c.skip(1);
                continue;
            }
            let next_is_item = starts_item(c, 0) && c.starts_line(0);
            if let (Some(next), false, false) =
                (c.ident(0), next_is_item || words_follow(c, 0), c.word(0, "one_hot"))
            {
                let at = Extent::from(&name).to(next.into());
                let fact = format!("missing `,` between `{name}` and `{next}`");
                self.diagnostics.error(at, fact);
                continue;
            }
            return Some(names);
        }
    }

    fn shapeless(&mut self, names: &[Ident], word: &str) -> ShapeSyntax {
        let (Some(first), Some(last)) = (names.first(), names.last()) else {
            return ShapeSyntax {
                kind: ShapeKind::Unknown,
                extent: Extent::from(proc_macro2::Span::call_site()),
            };
        };
        let extent = Extent::from(first).to(last.into());
        let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
        let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let fact = match listed.split_last() {
            Some((last, before)) if !before.is_empty() => {
                format!("{} and {last} have no shape", before.join(", "))
            }
            _ => format!("`{first}` has no shape"),
        };
        let size = self.cell.dimensions.last().map_or_else(|| "16".to_owned(), ToString::to_string);
        self.diagnostics
            .error(extent, fact)
            .help(format!("write `{word} {}: [{size}];` for a vector, `[]` for a scalar", shown.join(", ")));
        ShapeSyntax { kind: ShapeKind::Unknown, extent }
    }

    /// Parses the initial value: `= xavier_uniform`.
    fn initial(&mut self, c: &mut Cursor, kind: DeclarationKind, names: &[Ident]) -> Option<Expr> {
        let equals = c.here();
        if !c.at_equals(0) {
            let follows = matches!(
                c.peek(0),
                Some(proc_macro2::TokenTree::Ident(_) | proc_macro2::TokenTree::Literal(_))
            );
            if follows && !starts_item(c, 0) {
                let found = c.found();
                self.diagnostics
                    .error(equals, format!("expected `=`, `,` or `;` after the shape, found {found}"))
                    .help("an initial value comes after `=`");
                self.expr_role = ExprRole::Initial;
                self.skip_expr(c);
                self.expr_role = ExprRole::Equation;
            }
            return None;
        }
        c.skip(1);
        self.is_too_deep = false;
        self.expr_role = ExprRole::Initial;
        let value = self.expr(c);
        self.expr_role = ExprRole::Equation;
        if kind == DeclarationKind::Input {
            let name = names.first().map_or_else(|| "x".to_owned(), ToString::to_string);
            self.diagnostics
                .error(equals.to(value.extent), "an input has no initial value: it gets a value at every step")
                .help(format!(
                    "a fixed value is a `buffer`, or a `context` if each sequence has its own: `context {name}: ..`"
                ));
            self.mention_expr(&value);
            return None;
        }
        Some(value)
    }

    fn declare(
        &mut self,
        kind: DeclarationKind,
        docs: &[Attribute],
        names: Vec<Ident>,
        shape: &ShapeSyntax,
        initial: Option<Expr>,
    ) {
        let mut unused = initial;
        let mut copied: Option<usize> = None;
        for name in names {
            let Some(name) = self.definable(name) else { continue };
            // The first name takes the expression itself. The others take copies.
            let initial = match copied {
                None => unused.take(),
                Some(index) => {
                    let original =
                        self.cell.declarations.get_mut(index).and_then(|first| first.initial.take());
                    let copy = original.as_ref().map(|original| self.copy(original));
                    if let Some(first) = self.cell.declarations.get_mut(index) {
                        first.initial = original;
                    }
                    copy
                }
            };
            let is_first = copied.is_none();
            copied = copied.or(Some(self.cell.declarations.len()));
            self.cell.declarations.push(Declaration {
                kind,
                attributes: docs.to_vec(),
                name,
                heads_block: self.heads_block,
                is_first,
                shape: shape.clone(),
                initial,
            });
        }
        if let Some(unused) = unused {
            self.mention_expr(&unused);
        }
    }
}

/// Returns whether another item begins in place of a name: a word of the language and a name, or an
/// attribute.
fn begins_other_item(c: &Cursor) -> bool {
    words_follow(c, 0) || c.at(0, "#")
}

fn words_follow(c: &Cursor, ahead: usize) -> bool {
    c.ident(ahead).is_some_and(|word| words::begins_item(&word.to_string())) && c.ident(ahead + 1).is_some()
}

/// Returns a name that is usual for the kind.
fn example(kind: DeclarationKind) -> &'static str {
    match kind {
        DeclarationKind::Input => "x",
        DeclarationKind::Context => "m",
        DeclarationKind::State => "h",
        DeclarationKind::Param | DeclarationKind::Buffer => "b",
    }
}
