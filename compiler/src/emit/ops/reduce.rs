//! The largest entry.

use crate::emit::body::Statement;
use proc_macro2::TokenStream;
use quote::quote;

/// Computes the largest entry. Sums are part of the loops over the entries that they add up.
pub fn emit_maximum(at: &Statement) -> TokenStream {
    let (k, from, to) = (&at.body.cx.k, at.read(0), at.entry());
    at.for_each(quote!(#to = #k::maximum(isa, #from);))
}
