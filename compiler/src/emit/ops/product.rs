//! The matrix product `A @ B`, and sums of products.

use crate::emit::body::{Body, Statement};
use crate::graph::ir::{Id, Level, Op};
use crate::plan::schedule::ProductSum;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// Returns statements that compute a product whose factors are not contiguous in memory, one sample
/// at a time.
pub fn emit(at: &Statement) -> TokenStream {
    at.for_each(emit_small(at, at.id, false))
}

/// Returns statements that compute sums of products over the same right-hand sides, with one call
/// for all of them.
pub fn emit_products(body: &Body, sums: &[ProductSum]) -> TokenStream {
    let nodes: Vec<Id> = sums.iter().map(|sum| sum.node).collect();
    let (comment, call) = (body.comment(&nodes), products(body, sums, false));
    quote!(#comment { #call })
}

fn products(body: &Body, sums: &[ProductSum], accumulate: bool) -> TokenStream {
    let (k, graph) = (&body.cx.k, body.graph);
    let rows = body.cx.atom(graph[sums[0].node].shape.rows);
    let [results, terms] = [sums.len(), sums[0].terms.len()].map(Literal::usize_unsuffixed);
    let left = (0..sums[0].terms.len()).map(|term| {
        let matrices = sums.iter().map(|sum| body.var(graph[sum.terms[term]].args[0]));
        quote!([#(&*#matrices),*])
    });
    let right = sums[0].terms.iter().map(|term| body.var(graph[*term].args[1]));
    let out = sums.iter().map(|sum| body.var(sum.node));
    if body.is_narrow(graph[sums[0].terms[0]].args[0]) {
        let left = (0..sums[0].terms.len()).map(|term| {
            let matrices = sums.iter().map(|sum| body.var(graph[sum.terms[term]].args[0]));
            quote!([#(#matrices),*])
        });
        return quote! {
            #k::narrow_products::<_, _, _, { #rows }, #results, #terms>(
                isa, [#(#left),*], [#(&*#right),*], [#(&mut *#out),*], #accumulate
            );
        };
    }
    quote! {
        #k::products::<_, _, { #rows }, #results, #terms>(
            isa, [#(#left),*], [#(&*#right),*], [#(&mut *#out),*], #accumulate
        );
    }
}

/// Returns statements that compute a sum of products with transposed parameters and of other terms.
pub fn emit_pull_back(body: &Body, ProductSum { node, terms }: &ProductSum) -> TokenStream {
    let (k, graph) = (&body.cx.k, body.graph);
    let out = body.var(*node);
    let comment = body.comment(&[*node]);
    let (transposed, mut plain): (Vec<Id>, Vec<Id>) =
        terms.iter().partition(|term| graph[**term].op == (Op::MatMul { ta: true, tb: false }));
    plain.sort_by_key(|term| graph[*term].args[1]);
    let mut calls = vec![];
    let mut rest = transposed;
    while let Some(first) = rest.first().copied() {
        let accumulate = !calls.is_empty();
        let shape = |id: Id| graph[graph[id].args[0]].shape;
        let (same, others): (Vec<Id>, Vec<Id>) = rest.iter().partition(|id| shape(**id) == shape(first));
        let (rows, inner) = (body.cx.atom(shape(first).rows), body.cx.atom(shape(first).columns));
        let [left, right] =
            [0, 1].map(|index: usize| same.iter().map(move |id| body.var(graph[*id].args[index])));
        let count = Literal::usize_unsuffixed(same.len());
        rest = others;
        if body.is_narrow(graph[first].args[0]) {
            calls.push(quote! {
                #k::narrow_products::<_, _, _, { #inner }, 1, #count>(
                    isa, [#([#left]),*], [#(&*#right),*], [&mut *#out], #accumulate
                );
            });
            continue;
        }
        calls.push(quote! {
            #k::pull_back::<_, _, { #rows }, { #inner }, #count>(
                isa, [#(&*#left),*], [#(&*#right),*], &mut *#out, #accumulate
            );
        });
    }
    if !plain.is_empty() {
        let accumulate = !calls.is_empty();
        calls.push(products(body, &[ProductSum { node: *node, terms: plain }], accumulate));
    }
    quote!(#comment { #(#calls)* })
}

/// Returns statements that compute a product over all steps and samples and add it to a sum.
pub fn emit_accumulated(at: &Statement) -> TokenStream {
    let (cx, level, node, product) = (at.body.cx, at.region.level(), at.node(), at.node().args[0]);
    let graph = at.body.graph;
    match (&graph[product].op, graph[product].args.as_slice()) {
        (Op::MatMul { ta: false, tb: true }, [a, b])
            if node.level == Level::Param && graph[*a].level == level && graph[*b].level == level =>
        {
            let (k, comment, out) = (&cx.k, at.comment(), at.body.var(at.id));
            let (rows, columns) = (cx.atom(node.shape.rows), cx.atom(node.shape.columns));
            let (a, b) = (at.body.var(*a), at.body.var(*b));
            quote!(#comment { #k::outer::<_, _, { #rows }, { #columns }>(isa, &*#a, &*#b, &mut *#out); })
        }
        _ => at.for_each(emit_small(at, product, true)),
    }
}

/// Returns a statement that multiplies the matrices of one sample and stores the product in the
/// statement's value or adds it.
fn emit_small(at: &Statement, product: Id, accumulate: bool) -> TokenStream {
    let (cx, node) = (at.body.cx, &at.body.graph[product]);
    let k = &cx.k;
    let Op::MatMul { ta, tb } = node.op else { return TokenStream::new() };
    let a = at.body.graph[node.args[0]].shape;
    let inner = cx.atom(if ta { a.rows } else { a.columns });
    let (rows, columns) = (cx.atom(node.shape.rows), cx.atom(node.shape.columns));
    let [left, right] = [0, 1].map(|index: usize| at.body.whole(at.region, node.args[index], false));
    let out = at.out();
    quote!(#k::matmul::<_, _, #ta, #tb>(isa, #rows, #inner, #columns, #left, #right, #out, #accumulate);)
}
