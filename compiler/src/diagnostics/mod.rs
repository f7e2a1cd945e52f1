//! The one collector of mistakes. Each is a fact at a place, with notes and a help line, in the style of
//! rustc: lower case, no full stop at the end of the fact.
//!
//! Stages add what they find and go on; the driver asks at two gates whether anything was found. What may only follow from something
//! that is [`Missing`] elsewhere in the cell is held back while that is: a parameter that nothing uses may be the argument that lacks.

#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use std::collections::HashSet;

/// A run of tokens in the user's source, from its first to its last: what an error underlines.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    pub first: Span,
    pub last: Span,
}

impl Extent {
    pub fn new(first: Span, last: Span) -> Self {
        Self { first, last }
    }

    pub fn to(self, other: Extent) -> Self {
        Self { first: self.first, last: other.last }
    }
}

impl From<Span> for Extent {
    fn from(span: Span) -> Self {
        Self { first: span, last: span }
    }
}

impl From<&Ident> for Extent {
    fn from(name: &Ident) -> Self {
        name.span().into()
    }
}

/// What a mistake leaves out, so that others may be no mistakes once it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// An argument, an operand: what nothing reads may be just that.
    Read,
    /// A part of a split: its name may be the one that is unknown.
    Definition,
}

/// One mistake.
#[derive(Debug)]
pub struct Diagnostic {
    /// The cell that it is in.
    cell: usize,
    leaves_out: Option<Missing>,
    holds_unless: Option<Missing>,
    extent: Extent,
    fact: String,
    notes: Vec<String>,
    helps: Vec<String>,
}

impl Diagnostic {
    pub fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.helps.push(text.into());
        self
    }

    /// Where this is so, something is missing.
    pub fn leaves_out(&mut self, what: Missing) -> &mut Self {
        self.leaves_out = Some(what);
        self
    }

    /// Said only if nothing is missing in the cell that would make it untrue.
    pub fn unless_missing(&mut self, what: Missing) -> &mut Self {
        self.holds_unless = Some(what);
        self
    }

    fn message(&self) -> String {
        let mut message = self.fact.clone();
        if !self.notes.is_empty() || !self.helps.is_empty() {
            message.push('\n');
        }
        for note in &self.notes {
            message.push_str("\nnote: ");
            message.push_str(note);
        }
        for help in &self.helps {
            message.push_str("\nhelp: ");
            message.push_str(help);
        }
        message
    }

    /// Line and column, where a compiler knows them.
    fn position(&self) -> (usize, usize) {
        if !proc_macro::is_available() {
            return (0, 0);
        }
        let start = self.extent.first.unwrap().start();
        (start.line(), start.column())
    }

    /// `::core::compile_error! { "message" }`, the path at the extent's start and the braces at its end:
    /// rustc then underlines the whole.
    fn to_tokens(&self) -> TokenStream {
        let message = proc_macro2::Literal::string(&self.message());
        let head = quote_spanned!(self.extent.first=> ::core::compile_error!);
        let tail = quote_spanned!(self.extent.last=> { #message });
        quote::quote!(#head #tail)
    }
}

/// Collects every mistake of one `rnn_cell!`.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    cell: usize,
}

impl Diagnostics {
    /// Adds a mistake; notes and helps can be chained to what is returned.
    pub fn error(&mut self, at: impl Into<Extent>, fact: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic {
            cell: self.cell,
            leaves_out: None,
            holds_unless: None,
            extent: at.into(),
            fact: fact.into(),
            notes: vec![],
            helps: vec![],
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    /// What is found from here on is in the cell of that number.
    pub fn enter(&mut self, cell: usize) {
        self.cell = cell;
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Without what is held back.
    fn said(&self) -> impl Iterator<Item = &Diagnostic> {
        let missing: HashSet<(usize, Missing)> =
            self.found.iter().filter_map(|found| Some((found.cell, found.leaves_out?))).collect();
        self.found
            .iter()
            .filter(move |found| found.holds_unless.is_none_or(|what| !missing.contains(&(found.cell, what))))
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.said().count()
    }

    /// Every mistake as a `compile_error!`, in the order in which they stand in the source.
    pub fn to_tokens(&self) -> TokenStream {
        let mut sorted: Vec<&Diagnostic> = self.said().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.position());
        sorted.into_iter().map(Diagnostic::to_tokens).collect()
    }

    /// What every message underlines, as lines and columns, for unit tests.
    #[cfg(test)]
    pub fn places(&self) -> Vec<[(usize, usize); 2]> {
        let place = |at: proc_macro2::LineColumn| (at.line, at.column);
        self.said().map(|found| [place(found.extent.first.start()), place(found.extent.last.end())]).collect()
    }

    /// The messages alone, for unit tests.
    #[cfg(test)]
    pub fn messages(&self) -> Vec<String> {
        self.said().map(Diagnostic::message).collect()
    }
}
