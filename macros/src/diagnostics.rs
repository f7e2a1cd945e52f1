//! The one collector of mistakes. Each is a fact at a place, with notes and a help line, in the style of
//! rustc: lower case, no full stop at the end of the fact.
//!
//! Stages add what they find and go on; the driver asks at two gates whether anything was found.

#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

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

/// One mistake.
#[derive(Debug)]
pub struct Diagnostic {
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
}

impl Diagnostics {
    /// Adds a mistake; notes and helps can be chained to what is returned.
    pub fn error(&mut self, at: impl Into<Extent>, fact: impl Into<String>) -> &mut Diagnostic {
        self.found.push(Diagnostic { extent: at.into(), fact: fact.into(), notes: vec![], helps: vec![] });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Every mistake as a `compile_error!`, in the order in which they stand in the source.
    pub fn to_tokens(&self) -> TokenStream {
        let mut sorted: Vec<&Diagnostic> = self.found.iter().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.position());
        sorted.into_iter().map(Diagnostic::to_tokens).collect()
    }

    /// What every message underlines, as lines and columns, for unit tests.
    #[cfg(test)]
    pub fn places(&self) -> Vec<[(usize, usize); 2]> {
        let place = |at: proc_macro2::LineColumn| (at.line, at.column);
        self.found
            .iter()
            .map(|found| [place(found.extent.first.start()), place(found.extent.last.end())])
            .collect()
    }

    /// The messages alone, for unit tests.
    #[cfg(test)]
    pub fn messages(&self) -> Vec<String> {
        self.found.iter().map(Diagnostic::message).collect()
    }
}
