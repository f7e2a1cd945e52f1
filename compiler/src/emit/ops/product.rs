//! The matrix product `A @ B`, and sums of products.

use crate::dim::Atom;
use crate::emit::access::Access;
use crate::emit::body::{Body, Statement, commented};
use crate::emit::bug::bug;
use crate::graph::ir::{Id, Level, Op};
use crate::plan::schedule::{HeadProduct, ProductSum, head_product};
use proc_macro2::TokenStream;
use quote::quote;

/// Returns statements that compute a product one sample at a time: no kernel call can compute it
/// for all samples, or both factors are parameters.
pub fn emit(at: &Statement) -> TokenStream {
    at.for_each(emit_small(at, at.id, false))
}

/// Returns statements that compute sums of products over the same right-hand sides, with one call
/// for all of them.
pub fn emit_products(body: &Body, sums: &[ProductSum]) -> TokenStream {
    let nodes: Vec<Id> = sums.iter().map(|sum| sum.node).collect();
    let (comment, call) = (body.comment(&nodes), products(body, sums, false));
    let first = sums[0].terms[0];
    let call = match head_product(body.graph, first) {
        // The matrices of the heads are stored apart.
        HeadProduct::Joined if body.is_narrow(body.graph[first].args[0]) => {
            sums.iter().map(|ProductSum { node, terms }| terms_of_heads(body, *node, terms)).collect()
        }
        HeadProduct::Shared | HeadProduct::Joined => call,
        HeadProduct::Each => {
            for_one_head(body, body.graph[first].args[0], call, products_of_heads(body, sums))
        }
        HeadProduct::Sum => bug("a sum of transposed products in one call"),
    };
    commented(&comment, call)
}

/// Returns code that runs `one` if there is a single `matrix`, and `all` if there is one per head.
/// The condition is a constant, so a single head costs no more than a product without heads.
fn for_one_head(body: &Body, matrix: Id, one: TokenStream, all: TokenStream) -> TokenStream {
    let heads = body.graph[matrix].shape.heads;
    if body.is_narrow(matrix) || heads.literal() > 0 {
        return all;
    }
    let heads = body.cx.atom(heads);
    quote!(if #heads == 1 { #one } else { #all })
}

/// Returns the matrices of each term of sums, one per sum.
fn left_factors(body: &Body, sums: &[ProductSum]) -> Vec<TokenStream> {
    let factors = (0..sums[0].terms.len()).map(|term| {
        let matrices = sums.iter().map(|sum| body.graph[sum.terms[term]].args[0]);
        let factors = matrices.map(|id| {
            let matrix = body.var(id);
            if body.is_narrow(id) { quote!(#matrix) } else { quote!(&*#matrix) }
        });
        quote!([#(#factors),*])
    });
    factors.collect()
}

/// Returns statements that compute, for each head, sums of products over the same right-hand sides.
fn products_of_heads(body: &Body, sums: &[ProductSum]) -> TokenStream {
    let (k, graph) = (&body.cx.k, body.graph);
    let shape = graph[sums[0].node].shape;
    let (heads, rows) = (body.cx.atom(shape.heads), body.cx.atom(shape.rows));
    let right_ids = || sums[0].terms.iter().map(|term| graph[*term].args[1]);
    let right = right_ids().map(|id| body.var(id));
    let has_heads = right_ids().map(|id| graph[id].shape.has_heads());
    let out = sums.iter().map(|sum| body.var(sum.node));
    let is_narrow = body.is_narrow(graph[sums[0].terms[0]].args[0]);
    let left = left_factors(body, sums);
    let function = if is_narrow { quote!(narrow_head_products) } else { quote!(head_products) };
    quote! {
        #k::#function(
            isa, (#k::Size::<{ #heads }>, #k::Size::<{ #rows }>), [#(#left),*], [#(&*#right),*], [#(#has_heads),*], [#(&mut *#out),*], false
        );
    }
}

/// Returns statements that compute the terms of a sum one after the other, each for all heads.
fn terms_of_heads(body: &Body, node: Id, terms: &[Id]) -> TokenStream {
    let graph = body.graph;
    let calls = terms.iter().enumerate().map(|(index, term)| {
        let Op::MatMul { ta, .. } = graph[*term].op else { return bug("a term that is no product") };
        let (matrix, vector) = (graph[*term].args[0], graph[*term].args[1]);
        let inner = graph[matrix].shape.oriented(ta).columns;
        let (m, k) = (body.cx.atom(graph[node].shape.rows), body.cx.atom(inner));
        let kernels = &body.cx.k;
        let heads = body.cx.atom(graph[matrix].shape.heads);
        let (left, right, out) = (body.var(matrix), body.var(vector), body.var(node));
        let accumulate = index > 0;
        let [right_head, out_head] = [vector, node].map(|id| vectors(body, id));
        if body.is_narrow(matrix) {
            return quote! {
                #kernels::narrow_head_product(
                    isa, (#kernels::Size::<{ #heads }>, #kernels::Size::<{ #m }>), #left, (&*#right, #right_head), (&mut *#out, #out_head), #accumulate
                );
            };
        }
        let left_head = matrices(body, matrix);
        let columns = quote!((#out.len() / #kernels::HeadStrides::period(#out_head, #heads, #m)));
        quote! {
            #kernels::head_product::<_, _, #ta, false>(
                isa, #heads, (#m, #k, #columns), (&*#left, #left_head), (&*#right, #right_head),
                (&mut *#out, #out_head), #accumulate
            );
        }
    });
    quote!(#(#calls)*)
}

/// Returns the place of the vectors of a value in memory, which are the columns of a matrix for
/// each head.
fn vectors(body: &Body, id: Id) -> TokenStream {
    let (k, shape) = (&body.cx.k, body.graph[id].shape);
    let rows = body.cx.atom(shape.rows);
    if !shape.has_heads() {
        return quote!(#k::HeadStrides { matrix: 0, column: #rows });
    }
    let heads = body.cx.atom(shape.heads);
    quote!(#k::HeadStrides { matrix: #rows, column: #heads * #rows })
}

/// Returns the place of a parameter's matrices in memory.
fn matrices(body: &Body, id: Id) -> TokenStream {
    let (k, shape) = (&body.cx.k, body.graph[id].shape);
    let (rows, size) = (body.cx.atom(shape.rows), body.count(shape));
    let matrix = if shape.has_heads() { size } else { quote!(0) };
    quote!(#k::HeadStrides { matrix: #matrix, column: #rows })
}

fn products(body: &Body, sums: &[ProductSum], accumulate: bool) -> TokenStream {
    let (k, graph) = (&body.cx.k, body.graph);
    let rows = body.cx.atom(graph[sums[0].node].shape.rows);
    let left = left_factors(body, sums);
    let right = sums[0].terms.iter().map(|term| body.var(graph[*term].args[1]));
    let out = sums.iter().map(|sum| body.var(sum.node));
    let is_narrow = body.is_narrow(graph[sums[0].terms[0]].args[0]);
    let function = if is_narrow { quote!(narrow_products) } else { quote!(products) };
    quote! {
        #k::#function(
            isa, #k::Size::<{ #rows }>, [#(#left),*], [#(&*#right),*], [#(&mut *#out),*], #accumulate
        );
    }
}

/// Returns statements that compute a sum of products with transposed parameters and of other terms.
pub fn emit_pull_back(body: &Body, ProductSum { node, terms }: &ProductSum) -> TokenStream {
    let graph = body.graph;
    let comment = body.comment(&[*node]);
    if head_product(graph, terms[0]) != HeadProduct::Shared {
        let one = pull_back_of_one_head(body, *node, terms);
        let matrix = graph[terms[0]].args[0];
        let call = for_one_head(body, matrix, one, terms_of_heads(body, *node, terms));
        return commented(&comment, call);
    }
    let calls = pull_back_of_one_head(body, *node, terms);
    commented(&comment, calls)
}

/// Returns statements that compute a sum of products with transposed parameters, for one head.
fn pull_back_of_one_head(body: &Body, node: Id, terms: &[Id]) -> TokenStream {
    let (k, graph) = (&body.cx.k, body.graph);
    let out = body.var(node);
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
        rest = others;
        if body.is_narrow(graph[first].args[0]) {
            calls.push(quote! {
                #k::narrow_products(
                    isa, #k::Size::<{ #inner }>, [#([#left]),*], [#(&*#right),*], [&mut *#out], #accumulate
                );
            });
            continue;
        }
        calls.push(quote! {
            #k::pull_back(
                isa, #k::Size::<{ #rows }>, #k::Size::<{ #inner }>, [#(&*#left),*], [#(&*#right),*], &mut *#out, #accumulate
            );
        });
    }
    if !plain.is_empty() {
        let accumulate = !calls.is_empty();
        calls.push(products(body, &[ProductSum { node, terms: plain }], accumulate));
    }
    quote!(#(#calls)*)
}

/// Returns statements that compute a product over all steps and samples and add it to a sum.
pub fn emit_accumulated(at: &Statement) -> TokenStream {
    let (cx, level, node, product) = (at.body.cx, at.region.level(), at.node(), at.node().args[0]);
    let graph = at.body.graph;
    match (&graph[product].op, graph[product].args.as_slice()) {
        // The columns of one head's matrices, unlike its vectors, are not equally far apart.
        (Op::MatMul { ta: false, tb: true }, [a, b])
            if node.level == Level::Param
                && graph[*a].level == level
                && graph[*b].level == level
                && (!node.shape.has_heads() || graph[*a].shape.columns == Atom::ONE) =>
        {
            let (k, comment, out) = (&cx.k, at.comment(), at.body.var(at.id));
            let (rows, columns) = (cx.atom(node.shape.rows), cx.atom(node.shape.columns));
            let places = [*a, *b].map(|id| vectors(at.body, id));
            let (a, b) = (at.body.var(*a), at.body.var(*b));
            let one = quote! {
                #k::outer(isa, #k::Size::<{ #rows }>, #k::Size::<{ #columns }>, &*#a, &*#b, &mut *#out);
            };
            // If the sum has no heads, the vectors of all heads are additional columns of the
            // factors.
            if !node.shape.has_heads() {
                return commented(&comment, one);
            }
            let (heads, [a_head, b_head]) = (cx.atom(node.shape.heads), places);
            let (out_head, steps) = (matrices(at.body, at.id), at.body.columns(at.region));
            let all = quote! {
                #k::head_product::<_, _, false, true>(
                    isa, #heads, (#rows, #steps, #columns), (&*#a, #a_head), (&*#b, #b_head),
                    (&mut *#out, #out_head), true
                );
            };
            commented(&comment, for_one_head(at.body, at.id, one, all))
        }
        _ => at.for_each_of(&graph[product], emit_small(at, product, true)),
    }
}

/// Returns a statement that multiplies the matrices of one sample and stores the product in the
/// statement's value or adds it.
fn emit_small(at: &Statement, product: Id, accumulate: bool) -> TokenStream {
    let (cx, node) = (at.body.cx, &at.body.graph[product]);
    let k = &cx.k;
    let Op::MatMul { ta, tb } = node.op else { return bug("a sum of other values than products") };
    let a = at.body.graph[node.args[0]].shape;
    let inner = cx.atom(if ta { a.rows } else { a.columns });
    let (rows, columns) = (cx.atom(node.shape.rows), cx.atom(node.shape.columns));
    let [left, right] = [0, 1].map(|index: usize| at.body.whole(at.region, node.args[index], Access::Read));
    let out = at.out();
    let is_sum = !node.shape.has_heads() && at.body.graph[node.args[0]].shape.has_heads();
    let accumulate = if is_sum { quote!(#accumulate || __head > 0) } else { quote!(#accumulate) };
    quote!(#k::matmul::<_, _, #ta, #tb>(isa, #rows, #inner, #columns, #left, #right, #out, #accumulate);)
}
