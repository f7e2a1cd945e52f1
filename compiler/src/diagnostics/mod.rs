//! The collector of diagnostics. Each diagnostic is a fact about an extent of the source, with
//! notes and help lines, in the style of rustc: lower case, and no full stop at the end of the
//! fact.
//!
//! The stages add diagnostics and continue. The driver checks at two points whether there are any.
//! A diagnostic may be a mere consequence of something that is [`Missing`] elsewhere in the cell.
//! For example, an unused parameter may be the argument that a call lacks. Such a diagnostic is
//! suppressed while the other mistake exists.

#[cfg(test)]
mod tests;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use std::collections::HashSet;

/// A run of tokens in the user's source, from the first to the last. An error underlines it.
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

/// The kind of code that a mistake leaves out. Adding it may resolve other diagnostics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// An argument or an operand, which may be the missing use of an unused name.
    Read,
    /// A part of a split, which may be the missing definition of an unknown name.
    Definition,
}

#[derive(Debug)]
pub struct Diagnostic {
    /// The index of the cell that contains the mistake.
    cell: usize,
    leaves_out: Option<Missing>,
    holds_unless: Option<Missing>,
    pub extent: Extent,
    pub fact: String,
    pub notes: Vec<String>,
    pub helps: Vec<String>,
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

    /// Marks the mistake as an omission of this kind of code.
    pub fn leaves_out(&mut self, what: Missing) -> &mut Self {
        self.leaves_out = Some(what);
        self
    }

    /// Suppresses the diagnostic if another mistake of the cell leaves out code of this kind.
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

    /// Returns the line and the column, which are only known inside a compiler.
    fn position(&self) -> (usize, usize) {
        if !proc_macro::is_available() {
            return (0, 0);
        }
        let start = self.extent.first.unwrap().start();
        (start.line(), start.column())
    }

    /// Returns `::core::compile_error! { "message" }`. The path has the span of the extent's start
    /// and the braces that of its end, so that rustc underlines the whole extent.
    fn to_tokens(&self) -> TokenStream {
        let message = proc_macro2::Literal::string(&self.message());
        let head = quote_spanned!(self.extent.first=> ::core::compile_error!);
        let tail = quote_spanned!(self.extent.last=> { #message });
        quote::quote!(#head #tail)
    }
}

/// The diagnostics of one `rnn_cell!`.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    cell: usize,
}

impl Diagnostics {
    /// Adds a diagnostic and returns it, so that notes and help lines can be chained.
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

    /// Assigns the diagnostics that follow to the cell with this index.
    pub fn enter(&mut self, cell: usize) {
        self.cell = cell;
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the diagnostics that are not suppressed.
    pub fn reported(&self) -> impl Iterator<Item = &Diagnostic> {
        let missing: HashSet<(usize, Missing)> =
            self.found.iter().filter_map(|found| Some((found.cell, found.leaves_out?))).collect();
        self.found
            .iter()
            .filter(move |found| found.holds_unless.is_none_or(|what| !missing.contains(&(found.cell, what))))
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.reported().count()
    }

    /// Returns one `compile_error!` per diagnostic, in the order of the source.
    pub fn to_tokens(&self) -> TokenStream {
        let mut sorted: Vec<&Diagnostic> = self.reported().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.position());
        sorted.into_iter().map(Diagnostic::to_tokens).collect()
    }

    /// Returns the lines and columns that each message underlines.
    #[cfg(test)]
    pub fn positions(&self) -> Vec<[(usize, usize); 2]> {
        let position = |at: proc_macro2::LineColumn| (at.line, at.column);
        self.reported()
            .map(|found| [position(found.extent.first.start()), position(found.extent.last.end())])
            .collect()
    }

    /// Returns the text of each message.
    #[cfg(test)]
    pub fn messages(&self) -> Vec<String> {
        self.reported().map(Diagnostic::message).collect()
    }
}
