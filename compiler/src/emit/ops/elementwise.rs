//! Element-wise functions, as expressions over scalars or vectors of lanes.

use crate::emit::hygiene::local;
use crate::graph::ir::{Binary, Comparison, Unary};
use proc_macro2::TokenStream;
use quote::quote;

/// Writes `f(x)`.
pub fn unary(kernels: &TokenStream, op: Unary, x: TokenStream) -> TokenStream {
    if op == Unary::Neg {
        return quote!((-#x));
    }
    let name = local(op.row().name);
    quote!(#kernels::#name(isa, #x))
}

/// Writes `f(a, b)`.
pub fn binary(kernels: &TokenStream, op: Binary, a: TokenStream, b: TokenStream) -> TokenStream {
    match op {
        Binary::Add => quote!((#a + #b)),
        Binary::Sub => quote!((#a - #b)),
        Binary::Mul => quote!((#a * #b)),
        Binary::Div => quote!((#a / #b)),
        Binary::Pow | Binary::Min | Binary::Max => {
            let name = local(op.row().name);
            quote!(#kernels::#name(isa, #a, #b))
        }
    }
}

/// Writes `where(a >= b, u, v)`. Both values are computed; the kernel selects without a branch.
pub fn select(kernels: &TokenStream, op: Comparison, [a, b, u, v]: [TokenStream; 4]) -> TokenStream {
    let operator = match op {
        Comparison::Less => quote!(<),
        Comparison::LessEqual => quote!(<=),
        Comparison::Greater => quote!(>),
        Comparison::GreaterEqual => quote!(>=),
        Comparison::Equal => quote!(==),
        Comparison::NotEqual => quote!(!=),
    };
    quote!(#kernels::select(#a #operator #b, #u, #v))
}
