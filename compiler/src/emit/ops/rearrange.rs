//! Operations that move entries: transposing, stacking and splitting rows.

use crate::emit::body::Statement;
use proc_macro2::{Literal, TokenStream};
use quote::quote;

pub fn emit_transpose(at: &Statement) -> TokenStream {
    let (cx, shape) = (at.body.cx, at.arg(0).shape);
    let (k, rows, columns) = (&cx.k, cx.atom(shape.rows), cx.atom(shape.columns));
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote!(#k::transpose(#rows, #columns, #from, #to);))
}

pub fn emit_concat(at: &Statement) -> TokenStream {
    let (body, k) = (at.body, &at.body.cx.k);
    let total = body.cx.atom(at.node().shape.rows);
    let mut start = 0;
    let mut copies = vec![];
    for (index, part) in at.node().args.iter().enumerate() {
        let rows = at.arg(index).shape.rows.literal();
        let (first, count, to) = (unsuffixed(start), unsuffixed(rows), at.out());
        let part = body.graph.storage(*part);
        copies.push(if body.graph.is_constant(part) {
            let value = body.constant(part);
            quote!(#k::copy_rows(&[#value], 1, 0, #to, #total, #first, 1);)
        } else {
            let from = at.read(index);
            quote!(#k::copy_rows(#from, #count, 0, #to, #total, #first, #count);)
        });
        start += rows;
    }
    at.for_each(quote!(#(#copies)*))
}

pub fn emit_slice(at: &Statement, start: u64, count: u64) -> TokenStream {
    let k = &at.body.cx.k;
    let [start, count, rows] = [start, count, at.arg(0).shape.rows.literal()].map(unsuffixed);
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote!(#k::copy_rows(#from, #rows, #start, #to, #count, 0, #count);))
}

/// Copies the last column of a matrix, or the last entry of the vector that stands for a row.
pub fn emit_last_column(at: &Statement) -> TokenStream {
    let (from, to) = (at.read(0), at.out());
    at.for_each(quote! {
        let (__from, __to) = (#from, #to);
        __to.copy_from_slice(&__from[__from.len() - __to.len()..]);
    })
}

fn unsuffixed(value: u64) -> Literal {
    Literal::usize_unsuffixed(value as usize)
}
