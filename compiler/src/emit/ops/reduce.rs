//! The largest entry, and the sum over the heads.

use crate::emit::body::Statement;
use proc_macro2::TokenStream;
use quote::quote;

/// Computes the largest entry. Sums are part of the loops over the entries that they add up.
pub fn emit_maximum(at: &Statement) -> TokenStream {
    let (k, from, to) = (&at.body.cx.k, at.read(0), at.entry());
    at.for_each(quote!(#to = #k::maximum(isa, #from);))
}

/// Computes the sum over the heads, for all columns at once.
pub fn emit_head_sum(at: &Statement) -> TokenStream {
    let (body, k, comment) = (at.body, &at.body.cx.k, at.comment());
    let (from, to) = (body.var(at.node().args[0]), body.var(at.id));
    let (heads, size) = (body.cx.atom(at.arg(0).shape.heads), body.count(at.node().shape));
    quote!(#comment #k::sum_heads(&*#from, #heads, #size, &mut *#to);)
}
