//! Ambiguous mixes.
