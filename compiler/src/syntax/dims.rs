//! The dimensions of a shape: `H`, `16`, `H + I`, `4*H + 1`.

use super::ast::{DimSyntax, DimTerm};
use super::cursor::Cursor;
use super::literals::{self, Number};
use super::recover::{Parser, starts_item};
use super::text;
use proc_macro2::{Ident, TokenTree};

/// The largest size. It is small enough that products of sizes do not overflow in later stages.
const MAX_SIZE: u64 = 1 << 31;

/// The largest number of terms in a sum. Its blocks become nested types, and rustc limits their
/// depth.
const MAX_TERMS: u64 = 64;

impl Parser<'_> {
    /// Parses a dimension: `H`, `16`, `H + I`, `4*H + 1`. Returns `None` after a mistake, which has
    /// been reported. The cursor is then at a `,`, a `;` or the end of the tokens that may belong
    /// to the dimension.
    pub fn dimension(&mut self, c: &mut Cursor) -> Option<DimSyntax> {
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
        let blocks = terms
            .iter()
            .fold(0_u64, |sum, term| sum.saturating_add(if term.name.is_some() { term.count } else { 1 }));
        if blocks > MAX_TERMS {
            self.diagnostics.error(extent, format!("a dimension of {blocks} terms")).help(format!(
                "a sum has at most {MAX_TERMS} terms; declare the whole size as a dimension of its own"
            ));
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

    /// Returns the diagnostic for an unexpected token behind a dimension.
    fn after_dimension(&self, c: &Cursor, terms: &[DimTerm]) -> Option<(String, String)> {
        if c.at_end()
            || c.at(0, ",")
            || c.at(0, ";")
            || (c.holds_items && (c.at(0, "=") || starts_item(c, 0)))
        {
            return None;
        }
        let before = terms.last().map(shown_term).unwrap_or_default();
        Some(match c.peek(0)? {
            TokenTree::Punct(punct) if matches!(punct.as_char(), '-' | '/' | '%') => (
                format!("a dimension can't be computed with `{}`", punct.as_char()),
                "dimensions are sums, `H + I`, and multiples, `4*H`; declare other sizes as dimensions of their own"
                    .to_owned(),
            ),
            TokenTree::Punct(punct) if punct.as_char() == '*' => (
                "a dimension can't be a product of more than two factors".to_owned(),
                "declare the product as a dimension of its own".to_owned(),
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

    /// Parses a name, a literal, a product of one name and literals, or a product of two names.
    fn term(&mut self, c: &mut Cursor) -> Option<DimTerm> {
        let first = c.here();
        let mut count: Option<u64> = Some(1);
        let mut name: Option<Ident> = None;
        let mut size: Option<Ident> = None;
        let mut has_number_last;
        loop {
            has_number_last = c.literal(0).is_some();
            match c.peek(0) {
                Some(TokenTree::Ident(word)) if name.is_none() => {
                    name = Some(word.clone());
                    c.skip(1);
                }
                Some(TokenTree::Ident(word)) if size.is_none() => {
                    size = Some(word.clone());
                    c.skip(1);
                }
                Some(TokenTree::Ident(_)) => {
                    self.diagnostics
                        .error(first.to(c.here()), "a dimension can't be a product of three names")
                        .help("declare the product as a dimension of its own");
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
            Some(count) if count <= MAX_SIZE => Some(DimTerm { count, name, size, has_number_last }),
            _ => {
                self.diagnostics
                    .error(extent, "the dimension is too large")
                    .help(format!("sizes go up to {MAX_SIZE}"));
                None
            }
        }
    }

    /// Parses a literal size, and the name in `4H`.
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
            Number::NotDecimal => format!("`{literal}` is not a decimal number"),
            Number::TooLarge => "the dimension is too large".to_owned(),
            Number::Value(value) if value.fract() == 0.0 && value >= MAX_SIZE as f64 => {
                "the dimension is too large".to_owned()
            }
            _ => format!("`{literal}` is not a size"),
        };
        self.diagnostics.error(at, error).help("a size is a whole number, such as `16`");
        None
    }

    fn no_dimension(&mut self, c: &mut Cursor) {
        if c.at(0, "-") {
            self.diagnostics
                .error(c.here(), "a size can't be negative")
                .help("a size is a whole number, such as `16`");
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
    text::dim_term(term)
}

/// Returns the dimension as the user wrote it.
pub fn shown(dimension: &DimSyntax) -> String {
    let terms: Vec<String> = dimension.terms.iter().map(shown_term).collect();
    terms.join(" + ")
}
