//! Shapes: `[]`, `[n]`, `[m, n]`, `one_hot[V]`, and the sums and multiples in them.

use super::ast::{DimSyntax, DimTerm, ShapeKind, ShapeSyntax};
use super::cursor::Cursor;
use super::literals::{self, Number};
use super::recover::{Parser, starts_item};
use crate::diagnostics::Extent;
use crate::resolve::nearest;
use proc_macro2::{Group, Ident, TokenTree};

/// No vector is longer; sizes are multiplied later, and must not overflow.
const MAX_SIZE: u64 = 1 << 31;

/// The blocks of a sum become nested types, and rustc gives up on deep ones.
const MAX_TERMS: u64 = 64;

impl Parser<'_> {
    /// A shape; what isn't one is reported, and unknown.
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
                .error(extent, "a shape stands in brackets")
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
        // The commas between the arguments of a Rust type end nothing.
        let mut open = 0_usize;
        self.pass(c);
        while !c.at_end() && !c.at(0, ";") && !c.at_equals(0) && !(open == 0 && (c.at(0, ",") || starts_item(c, 0))) {
            match c.punct(0) {
                Some('<') => open += 1,
                Some('>') => open = open.saturating_sub(1),
                _ => {}
            }
            self.pass(c);
        }
    }

    /// A shape that begins with a word: `one_hot[V]`, and what isn't a shape.
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
        let is_misspelt = text.to_lowercase().replace('_', "") == "onehot" || nearest(&text, ["one_hot"]).is_some();
        if let (Some(group), true) = (&group, is_misspelt) {
            let extent = c.skip(2);
            self.diagnostics
                .error(word, format!("unknown shape `{text}`"))
                .help(format!("should this be `one_hot[{}]`?", source(group.stream())));
            return ShapeSyntax { kind: self.one_hot(group, extent), extent };
        }
        if matches!(text.as_str(), "f32" | "f64" | "float" | "scalar" | "Scalar" | "T" | "real") && group.is_none() {
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
                .error(extent, "a shape is no type of Rust")
                .help("a matrix is `[H, I]`, a vector `[H]`, a scalar `[]`");
            return ShapeSyntax { kind: ShapeKind::Unknown, extent };
        }
        self.bare(c)
    }

    /// `state h: H;`
    fn bare(&mut self, c: &mut Cursor) -> ShapeSyntax {
        let first = c.here();
        let dimension = self.dimension(c);
        let extent = first.to(c.previous());
        let kind = match dimension {
            Some(dimension) => {
                let text = shown(&dimension);
                self.diagnostics
                    .error(extent, "a shape stands in brackets")
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
                self.diagnostics
                    .error(at, "the dimensions of a shape are separated by `,`")
                    .help(format!("write `[{left}, {rest}]`"));
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
                .help("a value of one step and sample is a scalar, a vector or a matrix; time and batch are not in the shape");
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

    /// `H`, `16`, `H + I`, `4*H + 1`. None when it failed; then the error has been reported, and the cursor
    /// stands at a `,`, a `;` or the end of what could belong to it.
    fn dimension(&mut self, c: &mut Cursor) -> Option<DimSyntax> {
        let first = c.here();
        let mut terms = vec![];
        loop {
            match self.term(c) {
                Some(term) => terms.push(term),
                None => {
                    self.skip_dimension(c);
                    return None;
                }
            }
            if c.at(0, "+") && !c.at(0, "+=") {
                c.skip(1);
                continue;
            }
            break;
        }
        let extent = first.to(c.previous());
        if let Some((fact, help)) = self.after_dimension(c, &terms) {
            self.diagnostics.error(c.here(), fact).help(help);
            self.skip_dimension(c);
            return None;
        }
        let blocks = terms.iter().fold(0_u64, |sum, term| {
            sum.saturating_add(if term.name.is_some() { term.count } else { 1 })
        });
        if blocks > MAX_TERMS {
            self.diagnostics
                .error(extent, format!("a dimension of {blocks} terms"))
                .help(format!("a sum has at most {MAX_TERMS} terms; name the whole size as a dimension of its own"));
            return None;
        }
        Some(DimSyntax { terms, extent })
    }

    fn skip_dimension(&mut self, c: &mut Cursor) {
        while !c.at_end()
            && !c.at(0, ",")
            && !c.at(0, ";")
            && !(c.holds_items && (c.at_equals(0) || starts_item(c, 0)))
        {
            self.pass(c);
        }
    }

    /// What is wrong with the token behind a dimension.
    fn after_dimension(&self, c: &Cursor, terms: &[DimTerm]) -> Option<(String, String)> {
        if c.at_end() || c.at(0, ",") || c.at(0, ";") || (c.holds_items && (c.at(0, "=") || starts_item(c, 0))) {
            return None;
        }
        let before = terms.last().map(shown_term).unwrap_or_default();
        Some(match c.peek(0)? {
            TokenTree::Punct(punct) if matches!(punct.as_char(), '-' | '/' | '%') => (
                format!("a dimension can't be computed with `{}`", punct.as_char()),
                "dimensions are sums, `H + I`, and multiples, `4*H`; name other sizes as dimensions of their own"
                    .to_owned(),
            ),
            TokenTree::Punct(punct) if punct.as_char() == '*' => (
                "a dimension can't be a product of two names".to_owned(),
                "name the product as a dimension of its own".to_owned(),
            ),
            TokenTree::Ident(_) | TokenTree::Literal(_) if !c.holds_items => {
                let next = c.found().replace('`', "");
                if next == "x" || next == "by" {
                    let after = c.peek(1).map_or_else(|| "I".to_owned(), ToString::to_string);
                    (
                        format!("expected `,`, found `{next}`"),
                        format!("write `[{before}, {after}]`"),
                    )
                } else {
                    (
                        format!("missing `,` or `+` between `{before}` and `{next}`"),
                        format!("`[{before}, {next}]` is a matrix, `[{before} + {next}]` a vector in two blocks"),
                    )
                }
            }
            _ => return Some((format!("unexpected {}", c.found()), "a shape is `[H, I]`, `[H]` or `[]`".to_owned())),
        })
    }

    /// A name, a literal, or a product of one name and literals.
    fn term(&mut self, c: &mut Cursor) -> Option<DimTerm> {
        let first = c.here();
        let mut count: Option<u64> = Some(1);
        let mut name: Option<Ident> = None;
        loop {
            match c.peek(0) {
                Some(TokenTree::Ident(word)) if name.is_none() => {
                    name = Some(word.clone());
                    c.skip(1);
                }
                Some(TokenTree::Ident(_)) => {
                    self.diagnostics
                        .error(first.to(c.here()), "a dimension can't be a product of two names")
                        .help("name the product as a dimension of its own");
                    return None;
                }
                Some(TokenTree::Literal(_)) => {
                    let (factor, joined) = self.size(c)?;
                    count = count.and_then(|count| count.checked_mul(factor));
                    if let Some(joined) = joined {
                        name = Some(joined);
                    } else if let (Some(next), None) = (c.ident(0).cloned(), &name)
                        && !starts_item(c, 0)
                        && next != "x"
                        && next != "by"
                    {
                        let extent = first.to(c.skip(1));
                        self.diagnostics
                            .error(extent, format!("missing `*` between `{factor}` and `{next}`"))
                            .help(format!("write `{factor}*{next}`"));
                        name = Some(next);
                    }
                }
                Some(TokenTree::Group(_)) => {
                    self.diagnostics
                        .error(c.here(), "a dimension has no parentheses or brackets")
                        .help("write sums and multiples out: `2*H + 2*I`");
                    return None;
                }
                _ => {
                    self.no_dimension(c);
                    return None;
                }
            }
            let more = c.literal(1).is_some() || c.ident(1).is_some() || c.any_group(1).is_some();
            if c.at(0, "*") && more {
                c.skip(1);
                continue;
            }
            break;
        }
        let extent = first.to(c.previous());
        match count {
            Some(0) => {
                self.diagnostics
                    .error(extent, "a dimension of size 0")
                    .help("leave out what has no entries; a scalar has the shape `[]`");
                None
            }
            Some(count) if count <= MAX_SIZE => Some(DimTerm { count, name, extent }),
            _ => {
                self.diagnostics.error(extent, "the dimension is too large").help(format!("sizes go up to {MAX_SIZE}"));
                None
            }
        }
    }

    /// A literal size, and the name in `4H`.
    fn size(&mut self, c: &mut Cursor) -> Option<(u64, Option<Ident>)> {
        let literal = c.literal(0).cloned()?;
        let at = c.skip(1);
        if let Some(size) = literals::whole(&literal) {
            return Some((size, None));
        }
        let error = match literals::number(&literal) {
            Number::Typed { number, suffix, .. } => {
                self.diagnostics
                    .error(at, format!("sizes have no type: `{suffix}`"))
                    .help(format!("write `{number}`"));
                return number.parse().ok().map(|size| (size, None));
            }
            Number::Joined { number, name, .. } => {
                self.diagnostics
                    .error(at, format!("missing `*` between `{number}` and `{name}`"))
                    .help(format!("write `{number}*{name}`"));
                let name = syn::parse_str::<Ident>(&name).ok()?;
                return Some((number.parse().ok()?, Some(Ident::new(&name.to_string(), at.first))));
            }
            Number::NotDecimal => format!("`{literal}` is no decimal number"),
            Number::TooLarge => "the dimension is too large".to_owned(),
            Number::Value(value) if value.fract() == 0.0 && value >= MAX_SIZE as f64 => {
                "the dimension is too large".to_owned()
            }
            _ => format!("`{literal}` is no size"),
        };
        self.diagnostics.error(at, error).help("a size is a whole number, such as `16`");
        None
    }

    fn no_dimension(&mut self, c: &mut Cursor) {
        if c.at(0, "-") {
            self.diagnostics.error(c.here(), "a size can't be negative").help("a size is a whole number, such as `16`");
        } else if c.at_end() {
            self.diagnostics.error(c.previous(), "expected a dimension");
        } else {
            self.diagnostics
                .error(c.here(), format!("expected a dimension, found {}", c.found()))
                .help("a dimension is a name, a size, a sum `H + I` or a multiple `4*H`");
        }
    }
}

fn shown_term(term: &DimTerm) -> String {
    match &term.name {
        Some(name) if term.count == 1 => name.to_string(),
        Some(name) => format!("{}*{name}", term.count),
        None => term.count.to_string(),
    }
}

fn shown(dimension: &DimSyntax) -> String {
    let terms: Vec<String> = dimension.terms.iter().map(shown_term).collect();
    terms.join(" + ")
}

fn shown_list(dimensions: &[(Extent, DimSyntax)]) -> String {
    let all: Vec<String> = dimensions.iter().map(|(_, dimension)| shown(dimension)).collect();
    all.join(", ")
}

/// The tokens of a shape as people write them.
fn source(tokens: proc_macro2::TokenStream) -> String {
    let text = tokens.to_string().replace(" ,", ",").replace(" ; ", ", ").replace(" * ", "*");
    if text.chars().count() > 40 { "..".to_owned() } else { text }
}
