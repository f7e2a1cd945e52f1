//! `E @ w` for a one-hot input `w`: a column of E is gathered; E's cotangent is scattered.

use crate::dim::Dim;
use crate::emit::body::Statement;
use crate::ir::{Graph, Id, Level};
use proc_macro2::TokenStream;
use quote::quote;

/// The cotangent of E. The index has none.
pub fn pull_back(graph: &mut Graph, offset: Dim, [e, w]: [Id; 2], y_bar: Id) -> Vec<Option<Id>> {
    let shape = graph[e].shape;
    vec![Some(graph.scatter(offset, y_bar, w, shape)), None]
}

/// From a parameter for all columns at once.
pub fn emit_gather(at: &Statement, offset: &Dim) -> TokenStream {
    let (cx, node) = (at.body.cx, at.node());
    let (k, rows, offset) = (&cx.k, cx.atom(node.shape.rows), cx.dim(offset));
    let w = at.body.var(node.args[1]);
    if at.arg(0).level == Level::Param {
        let (comment, e, out) = (at.comment(), at.body.var(node.args[0]), at.body.var(at.id));
        if at.body.is_narrow(node.args[0]) {
            return quote!(#comment { #k::narrow_gather::<_, _, { #rows }>(#e, &*#w, #offset, &mut *#out, false); });
        }
        return quote!(#comment { #k::gather::<_, { #rows }>(&*#e, &*#w, #offset, &mut *#out, false); });
    }
    let (e, to) = (at.read(0), at.out());
    at.for_each(quote!(#k::gather::<_, { #rows }>(#e, #k::column(&*#w, 1, __j), #offset, #to, false);))
}

pub fn emit_scatter(at: &Statement, offset: &Dim) -> TokenStream {
    let (cx, node) = (at.body.cx, at.node());
    let (k, rows, offset) = (&cx.k, cx.atom(node.shape.rows), cx.dim(offset));
    let w = at.body.var(node.args[1]);
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote! {
        let __to = #to;
        #k::zero_fill(__to);
        #k::scatter::<_, { #rows }>(#from, #k::column(&*#w, 1, __j), #offset, __to);
    })
}

/// Columns of all steps and samples, added to a sum.
pub fn emit_accumulated(at: &Statement, offset: &Dim) -> TokenStream {
    let (cx, scattered) = (at.body.cx, at.arg(0));
    let (k, rows, offset) = (&cx.k, cx.atom(at.node().shape.rows), cx.dim(offset));
    let [y_bar, w] = [0, 1].map(|index: usize| at.body.var(scattered.args[index]));
    let (comment, out) = (at.comment(), at.body.var(at.id));
    quote!(#comment { #k::scatter::<_, { #rows }>(&*#y_bar, &*#w, #offset, &mut *#out); })
}

#[cfg(test)]
pub mod tests {
    use crate::interpret::matrix::Matrix;
    use crate::ops::tests::{Case, case, check_all};

    pub fn cases() -> Vec<Case> {
        let column = |args: &[Matrix]| {
            Matrix::from_fn(args[1].rows, 1, |r, _| args[1].at(r, args[0].at(0, 0) as usize))
        };
        let mut cases = vec![];
        // Several draws of the index, so that each block and both ends of the range come up.
        for _ in 0..8 {
            cases.push(case("one_hot", "y = v @ u", &["one_hot[S]", "[N, S]"], (-2.0, 2.0), column));
            cases.push(case(
                "one_hot",
                "y = v @ u",
                &["one_hot[N + S + 2]", "[M + 1, N + S + 2]"],
                (-2.0, 2.0),
                column,
            ));
            cases.push(case("one_hot", "y = v @ u", &["one_hot[S]", "[1, S]"], (-2.0, 2.0), column));
            cases.push(case(
                "one_hot",
                "y = (2 * v).T @ u",
                &["one_hot[S]", "[S, N]"],
                (-2.0, 2.0),
                |args| {
                    Matrix::from_fn(args[1].columns, 1, |r, _| 2.0 * args[1].at(args[0].at(0, 0) as usize, r))
                },
            ));
        }
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}
