//! `E @ w` for a one-hot input `w`: gathers a column of E. The cotangent of E is scattered.

use crate::dim::Dim;
use crate::emit::access::Access;
use crate::emit::body::Statement;
use crate::graph::ir::Level;
use proc_macro2::TokenStream;
use quote::quote;

/// Returns statements that gather columns, from a parameter with one call for all samples.
pub fn emit_gather(at: &Statement, offset: &Dim) -> TokenStream {
    let (cx, node) = (at.body.cx, at.node());
    let (k, rows, offset) = (&cx.k, cx.atom(node.shape.rows), cx.dim(offset));
    let w = at.body.var(node.args[1]);
    if at.arg(0).level == Level::Param && !node.shape.has_heads() {
        let (comment, e, out) = (at.comment(), at.body.var(node.args[0]), at.body.var(at.id));
        if at.body.is_narrow(node.args[0]) {
            return quote! {
                #comment
                #k::narrow_gather(#k::Size::<{ #rows }>, #e, &*#w, #offset, &mut *#out, false);
            };
        }
        return quote!(#comment #k::gather(#k::Size::<{ #rows }>, &*#e, &*#w, #offset, &mut *#out, false););
    }
    let to = at.out();
    if at.body.is_narrow(node.args[0]) {
        let e = at.body.var(node.args[0]);
        return at.for_each(quote! {
            #k::narrow_gather(#k::Size::<{ #rows }>, #e[__head], #k::column(&*#w, 1, __j), #offset, #to, false);
        });
    }
    let e = at.read(0);
    at.for_each(quote!(#k::gather(#k::Size::<{ #rows }>, #e, #k::column(&*#w, 1, __j), #offset, #to, false);))
}

pub fn emit_scatter(at: &Statement, offset: &Dim) -> TokenStream {
    let (cx, node) = (at.body.cx, at.node());
    let (k, rows, offset) = (&cx.k, cx.atom(node.shape.rows), cx.dim(offset));
    let w = at.body.var(node.args[1]);
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote! {
        let __to = #to;
        #k::zero_fill(__to);
        #k::scatter(#k::Size::<{ #rows }>, #from, #k::column(&*#w, 1, __j), #offset, __to);
    })
}

/// Returns a statement that scatters columns of all steps and samples and adds them to a sum.
pub fn emit_accumulated(at: &Statement, offset: &Dim) -> TokenStream {
    let (cx, scattered) = (at.body.cx, at.arg(0));
    let (k, rows, offset) = (&cx.k, cx.atom(at.node().shape.rows), cx.dim(offset));
    let [y_bar, w] = [0, 1].map(|index: usize| at.body.var(scattered.args[index]));
    let (comment, out) = (at.comment(), at.body.var(at.id));
    // A matrix of each sample has a sum of its own.
    if at.node().level != Level::Param || at.node().shape.has_heads() {
        let y_bar = at.body.whole(at.region, scattered.args[0], Access::Read);
        let to = at.out();
        return at.for_each(
            quote!(#k::scatter(#k::Size::<{ #rows }>, #y_bar, #k::column(&*#w, 1, __j), #offset, #to);),
        );
    }
    quote!(#comment #k::scatter(#k::Size::<{ #rows }>, &*#y_bar, &*#w, #offset, &mut *#out);)
}
