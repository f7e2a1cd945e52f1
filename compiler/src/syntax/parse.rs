//! The entry point of the parser: cells, their heads and attributes. `items.rs` parses the items.

use super::ast::{Cell, Program};
use super::cursor::Cursor;
use super::recover::{Parser, starts_item};
use super::words;
use crate::diagnostics::{Diagnostics, Extent};
use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::ToTokens;
use syn::parse::Parser as _;
use syn::{Attribute, Visibility};

const FORM: &str = "a cell is written `cell Name<I, H> { input x: [I]; .. output h; }`";

/// Parses the contents of one `rnn_cell!`. Reports every mistake and returns everything that could
/// be parsed.
pub fn parse(tokens: TokenStream, diagnostics: &mut Diagnostics) -> Program {
    let mut c = Cursor::new(tokens);
    let mut cells = vec![];
    while !c.at_end() {
        if c.at(0, ";") || c.at(0, ",") {
            c.skip(1);
            continue;
        }
        diagnostics.enter(cells.len());
        cells.extend(cell(&mut c, diagnostics));
    }
    if cells.is_empty() && diagnostics.is_empty() {
        diagnostics.error(Span::call_site(), "expected a cell").help(FORM);
    }
    Program { cells }
}

/// Parses the next cell. Returns `None` after a mistake that leaves no cell. At least one token has
/// then been taken.
fn cell(c: &mut Cursor, diagnostics: &mut Diagnostics) -> Option<Cell> {
    let mut attributes = attributes(c, diagnostics);
    attributes.retain(|attribute| fits_a_cell(attribute, diagnostics));
    let visibility = visibility(c, diagnostics);
    if c.at_end() {
        diagnostics.error(c.previous(), "expected `cell`").help(FORM);
        return None;
    }
    let name = head(c, diagnostics)?;
    let mut dimensions = dimensions(c, diagnostics);
    let body = body(c, &name, &mut dimensions, diagnostics);

    let cell = Cell {
        attributes,
        visibility,
        name: name.clone(),
        dimensions: vec![],
        heads: vec![],
        declarations: vec![],
        functions: vec![],
        equations: vec![],
        outputs: vec![],
        poisoned: vec![],
        mentioned: vec![],
        expression_count: 0,
    };
    let mut parser = Parser::new(cell, diagnostics);
    let is_named = parser.can_define(&name);
    for dimension in dimensions {
        let dimension = parser.definable(dimension);
        parser.cell.dimensions.extend(dimension);
    }
    parser.items(&body?);
    is_named.then(|| parser.finish())
}

/// Parses `cell Name`.
fn head(c: &mut Cursor, diagnostics: &mut Diagnostics) -> Option<Ident> {
    let at = c.here();
    let begins_head =
        |c: &Cursor, ahead| c.at(ahead, "<") || c.brace(ahead).is_some() || c.peek(ahead).is_none();
    let is_named = c.ident(1).is_some_and(|name| name != "pub" && name != "cell");
    if c.word(0, "cell") && is_named {
        c.skip(1);
    } else if c.word(0, "cell") {
        c.skip(1);
        diagnostics.error(c.previous(), "expected the cell's name after `cell`").help(FORM);
        // For `cell<I, H> { .. }`, the body would only add errors about missing dimensions.
        while !c.at_end() && c.brace(0).is_none() && !starts_cell(c) {
            c.skip(1);
        }
        if c.brace(0).is_some() {
            c.skip(1);
        }
        return None;
    } else if c.ident(0).is_some() && c.ident(1).is_some() && begins_head(c, 2) {
        let found = c.found();
        diagnostics.error(at, format!("expected `cell`, found {found}")).help(FORM);
        c.skip(1);
    } else if c.ident(0).is_some() && begins_head(c, 1) {
        diagnostics.error(at, format!("expected `cell` before {}", c.found())).help(FORM);
    } else {
        let is_item = c.ident(0).is_some_and(|word| words::begins_item(&word.to_string())) || is_equation(c);
        let error = if is_item {
            diagnostics.error(at, "an item outside of a cell")
        } else {
            let found = c.found();
            diagnostics.error(at, format!("expected `cell`, found {found}"))
        };
        error.help(FORM);
        c.skip(1);
        while !c.at_end() {
            if c.word(0, "cell") && c.ident(1).is_some() {
                break;
            }
            c.skip(1);
        }
        return None;
    }
    let name = c.ident(0).cloned();
    c.skip(1);
    name
}

fn is_equation(c: &Cursor) -> bool {
    let mut items = c.clone();
    items.holds_items = true;
    starts_item(&items, 0)
}

/// Parses `<I, H>`.
fn dimensions(c: &mut Cursor, diagnostics: &mut Diagnostics) -> Vec<Ident> {
    let mut list = vec![];
    if let Some(group) = c.parenthesis(0).or_else(|| c.bracket(0)).cloned() {
        let at = c.skip(1);
        let mut inside = Cursor::inside(&group);
        while !inside.at_end() {
            list.extend(inside.ident(0).cloned());
            inside.skip(1);
        }
        let names: Vec<String> = list.iter().map(ToString::to_string).collect();
        diagnostics
            .error(at, "dimensions are written in angle brackets")
            .help(format!("write `<{}>`", names.join(", ")));
        return list;
    }
    if !c.at(0, "<") {
        return list;
    }
    c.skip(1);
    let mut has_const = false;
    while !c.at(0, ">") {
        if c.at(0, ",") {
            c.skip(1);
        } else if c.word(0, "const") && c.ident(1).is_some() {
            if !has_const {
                has_const = true;
                let at = c.here();
                diagnostics
                    .error(at, "dimensions are just names, without `const` or a type")
                    .help(format!("write `<{}>`", const_names(c)));
            }
            c.skip(1);
            list.extend(c.ident(0).cloned());
            c.skip(1);
            skip_to_comma(c);
        } else if let Some(name) = c.ident(0).cloned() {
            c.skip(1);
            list.push(name.clone());
            if c.at(0, ":") || c.at(0, "=") {
                let first = c.here();
                skip_to_comma(c);
                diagnostics
                    .error(first.to(c.previous()), "dimensions are just names, without a type or value")
                    .help(format!("write `{name}`"));
            } else if c.ident(0).is_some() {
                diagnostics.error(
                    Extent::from(&name).to(c.here()),
                    format!("missing `,` between `{name}` and {}", c.found()),
                );
            }
        } else if c.at_end() || c.brace(0).is_some() || c.at(0, ";") {
            diagnostics.error(c.behind(), "expected `>` after the dimensions");
            return list;
        } else {
            let at = c.here();
            let error =
                diagnostics.error(at, format!("expected the name of a dimension, found {}", c.found()));
            if c.literal(0).is_some() {
                error.help("a literal size needs no name: write it where it is used, as in `[16]`");
            }
            skip_to_comma(c);
        }
    }
    c.skip(1);
    list
}

/// Returns the text `I, H` of `const I: usize, const H: usize`.
fn const_names(c: &Cursor) -> String {
    let mut names = vec![];
    for ahead in 0..c.len() {
        if c.at(ahead, ">") {
            break;
        }
        if c.word(ahead, "const") {
            names.extend(c.ident(ahead + 1).map(ToString::to_string));
        }
    }
    names.join(", ")
}

fn skip_to_comma(c: &mut Cursor) {
    while !c.at_end() && !c.at(0, ",") && !c.at(0, ">") && c.brace(0).is_none() {
        c.skip(1);
    }
}

/// Parses `{ .. }`.
fn body(
    c: &mut Cursor,
    name: &Ident,
    dimensions: &mut Vec<Ident>,
    diagnostics: &mut Diagnostics,
) -> Option<Group> {
    if c.brace(0).is_none() && !c.at_end() && !starts_cell(c) {
        let found = c.found();
        let at = c.here();
        let error = diagnostics.error(at, format!("expected `{{` after the head of `{name}`, found {found}"));
        error.help(FORM);
        // Dimensions are accepted behind other tokens too.
        while !c.at_end() && c.brace(0).is_none() && !starts_cell(c) {
            if c.at(0, "<") && dimensions.is_empty() {
                *dimensions = self::dimensions(c, diagnostics);
            } else {
                c.skip(1);
            }
        }
    } else if c.brace(0).is_none() {
        diagnostics.error(c.behind(), format!("expected `{{ .. }}` after the head of `{name}`")).help(FORM);
    }
    let body = c.brace(0).cloned();
    if body.is_some() {
        c.skip(1);
    }
    body
}

fn starts_cell(c: &Cursor) -> bool {
    c.at(0, "#") || c.word(0, "pub") || (c.word(0, "cell") && c.ident(1).is_some())
}

/// Parses `pub`, `pub(crate)`, or nothing.
pub fn visibility(c: &mut Cursor, diagnostics: &mut Diagnostics) -> Visibility {
    let Some(public) = c.ident(0).filter(|word| *word == "pub").cloned() else {
        return Visibility::Inherited;
    };
    let mut at = c.skip(1);
    let mut tokens = public.to_token_stream();
    if let Some(group) = c.parenthesis(0).cloned() {
        at = at.to(c.skip(1));
        group.to_tokens(&mut tokens);
    }
    syn::parse2(tokens).unwrap_or_else(|_| {
        diagnostics.error(at, "invalid visibility").help("write `pub`, `pub(crate)` or `pub(super)`");
        Visibility::Inherited
    })
}

/// Parses any number of attributes and doc comments.
pub fn attributes(c: &mut Cursor, diagnostics: &mut Diagnostics) -> Vec<Attribute> {
    let mut list = vec![];
    while c.at(0, "#") {
        let is_inner = c.at(1, "!") && c.bracket(2).is_some();
        if is_inner {
            let at = c.skip(3);
            diagnostics.error(at, "inner attributes and `//!` comments aren't allowed here").help(
                "documentation goes before what it documents, as `///`; other comments begin with `//`",
            );
            continue;
        }
        let Some(group) = c.bracket(1).cloned() else { return list };
        let hash = c.bump().into_iter().chain(c.bump());
        let at = Extent::new(group.span_open(), group.span_close());
        match Attribute::parse_outer.parse2(hash.collect()) {
            Ok(parsed) => list.extend(parsed),
            Err(error) => {
                diagnostics.error(at, format!("invalid attribute: {error}"));
            }
        }
    }
    list
}

/// Returns whether an attribute may be on a cell. Attributes of functions and modules are reported,
/// because they make no sense on the generated structs.
fn fits_a_cell(attribute: &Attribute, diagnostics: &mut Diagnostics) -> bool {
    const MISPLACED: [&str; 14] = [
        "test",
        "inline",
        "cold",
        "no_mangle",
        "target_feature",
        "path",
        "macro_use",
        "macro_export",
        "bench",
        "track_caller",
        "ignore",
        "should_panic",
        "global_allocator",
        "repr",
    ];
    let misplaced = MISPLACED.into_iter().find(|name| attribute.path().is_ident(name));
    if let Some(name) = misplaced {
        diagnostics
            .error(attribute_extent(attribute), format!("`#[{name}]` isn't allowed on a cell"))
            .help("a cell takes doc comments, `cfg`, `derive`, `allow` and the other lint levels");
    }
    misplaced.is_none()
}

pub fn attribute_extent(attribute: &Attribute) -> Extent {
    Extent::new(attribute.pound_token.span, attribute.bracket_token.span.close())
}
