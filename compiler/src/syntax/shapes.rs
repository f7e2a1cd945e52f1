//! Shapes: `[]`, `[n]`, `[m, n]`, `one_hot[V]`, and notations of other languages.

use super::ast::{DimSyntax, ShapeKind, ShapeSyntax};
use super::cursor::Cursor;
use super::dims::shown;
use super::recover::{Parser, starts_item};
use crate::diagnostics::Extent;
use crate::syntax::suggest::nearest;
use proc_macro2::{Group, Ident, TokenTree};

impl Parser<'_> {
    /// Parses a shape. An invalid shape is reported and becomes [`ShapeKind::Unknown`].
    pub fn shape(&mut self, c: &mut Cursor) -> ShapeSyntax {
        let extent = c.here();
        if let Some(group) = c.bracket(0).cloned() {
            c.skip(1);
            return ShapeSyntax { kind: self.dense(&group), extent };
        }
        if let Some(group) = c.parenthesis(0).cloned() {
            c.skip(1);
            let kind = self.dense(&group);
            self.diagnostics
                .error(extent, "a shape is written in brackets")
                .help(format!("write `[{}]`", source(group.stream())));
            return ShapeSyntax { kind, extent };
        }
        if starts_item(c, 0) {
            return self.no_shape(c);
        }
        match c.peek(0) {
            Some(TokenTree::Ident(word)) => {
                let word = word.clone();
                self.worded_shape(c, &word)
            }
            Some(TokenTree::Literal(_)) => self.bare(c),
            _ => self.no_shape(c),
        }
    }

    fn no_shape(&mut self, c: &mut Cursor) -> ShapeSyntax {
        let at = c.here();
        let missing = c.at_end() || c.at(0, ";") || c.at(0, ",") || c.at(0, "=") || starts_item(c, 0);
        let at = if missing { c.previous() } else { at };
        let fact = if missing {
            "expected a shape after `:`".to_owned()
        } else {
            format!("expected a shape, found {}", c.found())
        };
        self.diagnostics.error(at, fact).help("a matrix is `[H, I]`, a vector `[H]`, a scalar `[]`");
        if !missing {
            self.skip_shape(c);
        }
        ShapeSyntax { kind: ShapeKind::Unknown, extent: at }
    }

    fn skip_shape(&mut self, c: &mut Cursor) {
        // Commas between the arguments of a Rust type do not end the shape.
        let mut open = 0_usize;
        self.pass(c);
        while !c.at_end()
            && !c.at(0, ";")
            && !c.at_equals(0)
            && !(open == 0 && (c.at(0, ",") || starts_item(c, 0)))
        {
            match c.punct(0) {
                Some('<') => open += 1,
                Some('>') => open = open.saturating_sub(1),
                _ => {}
            }
            self.pass(c);
        }
    }

    /// Parses a shape that begins with a word: `one_hot[V]`, or a mistake.
    fn worded_shape(&mut self, c: &mut Cursor, word: &Ident) -> ShapeSyntax {
        let text = word.to_string();
        let group = c.any_group(1).cloned();
        if text == "one_hot" {
            if let Some(group) = c.bracket(1).cloned() {
                let extent = c.skip(2);
                return ShapeSyntax { kind: self.one_hot(&group, extent), extent };
            }
            let extent = if group.is_some() { c.skip(2) } else { c.skip(1) };
            let size = group.map_or_else(|| "V".to_owned(), |group| source(group.stream()));
            self.diagnostics
                .error(extent, "expected the number of classes in brackets")
                .help(format!("write `one_hot[{size}]`"));
            if c.at(0, "<") {
                self.skip_shape(c);
            }
            return ShapeSyntax { kind: ShapeKind::Unknown, extent };
        }
        let is_misspelt =
            text.to_lowercase().replace('_', "") == "onehot" || nearest(&text, ["one_hot"]).is_some();
        if let (Some(group), true) = (&group, is_misspelt) {
            let extent = c.skip(2);
            self.diagnostics
                .error(word, format!("unknown shape `{text}`"))
                .help(format!("should this be `one_hot[{}]`?", source(group.stream())));
            return ShapeSyntax { kind: self.one_hot(group, extent), extent };
        }
        if matches!(text.as_str(), "f32" | "f64" | "float" | "scalar" | "Scalar" | "T" | "real")
            && group.is_none()
        {
            let is_dimension = self.cell.dimensions.iter().any(|dimension| dimension == word);
            if !is_dimension {
                let extent = c.skip(1);
                self.diagnostics
                    .error(extent, format!("unknown shape `{text}`"))
                    .help("a scalar has the shape `[]`; its type is chosen where the cell is used");
                return ShapeSyntax { kind: ShapeKind::Dense(vec![]), extent };
            }
        }
        if let Some(group) = group {
            let extent = c.skip(2);
            self.mention_tokens(group.stream());
            self.diagnostics
                .error(extent, format!("unknown shape `{text}`"))
                .help("a matrix is `[H, I]`, a vector `[H]`, a scalar `[]`, an index `one_hot[V]`");
            return ShapeSyntax { kind: ShapeKind::Unknown, extent };
        }
        if c.at(1, "<") || c.at(1, "::") {
            let first = c.here();
            self.skip_shape(c);
            let extent = first.to(c.previous());
            self.diagnostics
                .error(extent, "a shape is not a Rust type")
                .help("a matrix is `[H, I]`, a vector `[H]`, a scalar `[]`");
            return ShapeSyntax { kind: ShapeKind::Unknown, extent };
        }
        self.bare(c)
    }

    /// Parses a dimension without brackets: `state h: H;`.
    fn bare(&mut self, c: &mut Cursor) -> ShapeSyntax {
        let first = c.here();
        let dimension = self.dimension(c);
        let extent = first.to(c.previous());
        let kind = match dimension {
            Some(dimension) => {
                let text = shown(&dimension);
                self.diagnostics
                    .error(extent, "a shape is written in brackets")
                    .help(format!("write `[{text}]`"));
                ShapeKind::Dense(vec![dimension])
            }
            None => ShapeKind::Unknown,
        };
        ShapeSyntax { kind, extent }
    }

    fn dense(&mut self, group: &Group) -> ShapeKind {
        let mut c = Cursor::inside(group);
        let mut dimensions = vec![];
        let mut is_whole = true;
        while !c.at_end() {
            let start = c.here();
            match self.dimension(&mut c) {
                Some(dimension) => dimensions.push((start, dimension)),
                None => is_whole = false,
            }
            if c.at(0, ",") {
                c.skip(1);
            } else if c.at(0, ";") {
                let left = shown_list(&dimensions);
                let at = c.skip(1);
                let rest = source(c.rest());
                self.diagnostics.error(at, "the dimensions of a shape are separated by `,`").help(
                    if rest.is_empty() {
                        format!("write `[{left}]`")
                    } else {
                        format!("write `[{left}, {rest}]`")
                    },
                );
            } else if !c.at_end() {
                self.diagnostics.error(c.here(), format!("expected `,`, found {}", c.found()));
                is_whole = false;
                while !c.at_end() && !c.at(0, ",") {
                    self.pass(&mut c);
                }
            }
        }
        if let Some((third, _)) = dimensions.get(2) {
            let last = dimensions.last().map_or(*third, |(_, dimension)| dimension.extent);
            self.diagnostics
                .error(third.to(last), "a shape has at most two dimensions")
                .help("the value of one sample at one step is a scalar, a vector or a matrix; time and batch are not part of the shape");
            return ShapeKind::Unknown;
        }
        if !is_whole {
            return ShapeKind::Unknown;
        }
        ShapeKind::Dense(dimensions.into_iter().map(|(_, dimension)| dimension).collect())
    }

    fn one_hot(&mut self, group: &Group, extent: Extent) -> ShapeKind {
        match self.dense(group) {
            ShapeKind::Dense(mut sizes) if sizes.len() == 1 => {
                sizes.pop().map_or(ShapeKind::Unknown, ShapeKind::OneHot)
            }
            ShapeKind::Dense(_) => {
                self.diagnostics
                    .error(extent, "a one-hot input has one size, the number of its classes")
                    .help("write `one_hot[V]`");
                ShapeKind::Unknown
            }
            other => other,
        }
    }
}

fn shown_list(dimensions: &[(Extent, DimSyntax)]) -> String {
    let all: Vec<String> = dimensions.iter().map(|(_, dimension)| shown(dimension)).collect();
    all.join(", ")
}

/// Returns the tokens of a shape with the usual spaces.
fn source(tokens: proc_macro2::TokenStream) -> String {
    let text = tokens.to_string().replace(" ,", ",").replace(" ; ", ", ").replace(" * ", "*");
    if text.chars().count() > 40 { "..".to_owned() } else { text }
}
