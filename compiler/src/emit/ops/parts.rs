//! Operations on the parts of a vector: blocks, and groups of heads. The numbers of parts are
//! checked when the program is built.

use crate::emit::body::Statement;
use proc_macro2::TokenStream;
use quote::quote;

/// Repeats each head, for all columns at once.
pub fn emit_repeat_heads(at: &Statement) -> TokenStream {
    let (groups, heads) = (at.arg(0).shape.heads, at.node().shape.heads);
    let [groups, heads] = [groups, heads].map(|atom| at.body.cx.atom(atom));
    of_heads(at, &quote!(repeat_heads), &quote!({ #heads }, { #groups }))
}

/// Adds up the heads of each group, for all columns at once.
pub fn emit_group_sum(at: &Statement) -> TokenStream {
    let (heads, groups) = (at.arg(0).shape.heads, at.node().shape.heads);
    let [heads, groups] = [heads, groups].map(|atom| at.body.cx.atom(atom));
    of_heads(at, &quote!(sum_heads), &quote!({ #heads }, { #groups }))
}

fn of_heads(at: &Statement, function: &TokenStream, numbers: &TokenStream) -> TokenStream {
    let (body, k, comment) = (at.body, &at.body.cx.k, at.comment());
    let (from, to) = (body.var(at.node().args[0]), body.var(at.id));
    let size = body.count(at.node().shape);
    quote!(#comment { #k::#function(&*#from, #k::heads_per_group::<#numbers>(), #size, &mut *#to); })
}

pub fn emit_blocks(at: &Statement) -> TokenStream {
    let (cx, shape) = (at.body.cx, at.node().shape);
    let (k, rows, size) = (&cx.k, cx.atom(shape.rows), cx.atom(shape.columns));
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote!(#k::blocks::<_, { #rows }, { #size }>(#from, #to);))
}

pub fn emit_block_sum(at: &Statement) -> TokenStream {
    let (cx, shape) = (at.body.cx, at.arg(0).shape);
    let (k, rows, size) = (&cx.k, cx.atom(shape.rows), cx.atom(shape.columns));
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote!(#k::sum_blocks::<_, { #rows }, { #size }>(#from, #to);))
}
