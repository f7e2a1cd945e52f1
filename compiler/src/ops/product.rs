//! The matrix product `A @ B`.

use crate::emit::body::{Body, Statement};
use crate::ir::{Graph, Id, Level, Op};
use crate::schedule::ProductSum;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// `C = op(A) op(B)`: `A_bar` and `B_bar` from `C_bar`.
pub fn pull_back(
    graph: &mut Graph,
    (ta, tb): (bool, bool),
    [a, b]: [Id; 2],
    c_bar: Id,
    wanted: &[bool],
) -> Vec<Option<Id>> {
    let a_bar = wanted[0].then(|| match ta {
        false => graph.matmul(false, !tb, c_bar, b),
        true => graph.matmul(tb, true, b, c_bar),
    });
    let b_bar = wanted[1].then(|| match tb {
        false => graph.matmul(!ta, false, a, c_bar),
        true => graph.matmul(true, ta, c_bar, a),
    });
    vec![a_bar, b_bar]
}

/// A product of what doesn't lie flat in memory, a sample at a time.
pub fn emit(at: &Statement) -> TokenStream {
    at.for_each(emit_small(at, at.id, false))
}

/// Sums of products over the same right-hand sides: one call for all of them.
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

/// A sum of products with transposed parameters, and what else adds up with them.
pub fn emit_pull_back(body: &Body, ProductSum { node, terms }: &ProductSum) -> TokenStream {
    let (k, graph) = (&body.cx.k, body.graph);
    let out = body.var(*node);
    let comment = body.comment(&[*node]);
    let (turned, mut plain): (Vec<Id>, Vec<Id>) =
        terms.iter().partition(|term| graph[**term].op == (Op::MatMul { ta: true, tb: false }));
    plain.sort_by_key(|term| graph[*term].args[1]);
    let mut calls = vec![];
    let mut rest = turned;
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

/// A product over all steps and samples, added to a sum.
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

/// The product of one sample's matrices, into the statement's own value or added to it.
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

#[cfg(test)]
pub mod tests {
    use crate::interpret::matrix::Matrix;
    use crate::ops::tests::{Case, case, check_all};

    pub fn cases() -> Vec<Case> {
        let product = |shapes: [&'static str; 2]| {
            case("@", "y = u @ v", &shapes, (-2.0, 2.0), |args| args[0].product(&args[1]))
        };
        let mut cases: Vec<Case> = [
            ["[N, S]", "[S]"],
            ["[N, S]", "[S, M]"],
            ["[1, S]", "[S, M]"],
            ["[1, S]", "[S]"],
            ["[N]", "[1, S]"],
            ["[N, 1]", "[]"],
            ["[]", "[1, S]"],
            ["[]", "[]"],
            ["[4*N, S + N + 1]", "[S + N + 1]"],
            ["[N + M, S + 2]", "[S + 2, N + 1]"],
        ]
        .map(product)
        .into();
        let turned = |body, shapes: [&'static str; 2], direct: fn(&Matrix, &Matrix) -> Matrix| {
            case("@", body, &shapes, (-2.0, 2.0), move |args| direct(&args[0], &args[1]))
        };
        cases.extend([
            turned("y = u.T @ v", ["[S, N]", "[S]"], |u, v| u.transposed().product(v)),
            turned("y = u.T @ v", ["[S]", "[S]"], |u, v| u.transposed().product(v)),
            turned("y = u.T @ v", ["[S]", "[S, M]"], |u, v| u.transposed().product(v)),
            turned("y = u.T @ v", ["[S, N]", "[S, M]"], |u, v| u.transposed().product(v)),
            turned("y = u @ v.T", ["[N]", "[S]"], |u, v| u.product(&v.transposed())),
            turned("y = u @ v.T", ["[N, S]", "[M, S]"], |u, v| u.product(&v.transposed())),
            turned("y = u @ v.T", ["[N, S]", "[1, S]"], |u, v| u.product(&v.transposed())),
            turned("y = u.T @ v.T", ["[S, N]", "[M, S]"], |u, v| u.transposed().product(&v.transposed())),
            turned("y = u.T @ v.T", ["[S]", "[M, S]"], |u, v| u.transposed().product(&v.transposed())),
            turned("y = u.T @ v.T", ["[S, N + 1]", "[M + 2, S]"], |u, v| {
                u.transposed().product(&v.transposed())
            }),
            turned("y = u @ (u @ v)", ["[S, S]", "[S]"], |u, v| u.product(&u.product(v))),
            turned("y = u.T @ (u @ v)", ["[N, S]", "[S]"], |u, v| u.transposed().product(&u.product(v))),
        ]);
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}
