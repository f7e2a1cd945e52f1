//! A mistake in a text, with the parts of its message.

use crate::diagnostics::Diagnostic;
use std::ops::Range;

/// A mistake, with the parts of its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes of the text that the mistake concerns.
    pub place: Range<usize>,
    /// The mistake in a few words, in lower case and without a full stop.
    pub fact: String,
    /// The facts that explain it, such as declarations.
    pub notes: Vec<String>,
    /// The suggested corrections.
    pub helps: Vec<String>,
}

impl From<&Diagnostic> for Mistake {
    fn from(found: &Diagnostic) -> Self {
        let (first, last) = (found.extent.first.byte_range(), found.extent.last.byte_range());
        Mistake {
            place: first.start..last.end.max(first.end),
            fact: found.fact.clone(),
            notes: found.notes.clone(),
            helps: found.helps.clone(),
        }
    }
}
