//! Element-wise functions, as expressions over scalars or vectors of lanes.

use crate::emit::hygiene::ident;
use crate::graph::ir::{Binary, Comparison, Condition, Logic, Unary};
use proc_macro2::TokenStream;
use quote::quote;

/// Writes `f(x)`.
pub fn unary(kernels: &TokenStream, op: Unary, x: TokenStream) -> TokenStream {
    if op == Unary::Neg {
        return quote!((-#x));
    }
    let name = ident(op.row().name);
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
            let name = ident(op.row().name);
            quote!(#kernels::#name(isa, #a, #b))
        }
    }
}

/// Writes `where(a >= b, u, v)`, given the compared values, then `u` and `v`. All of them are
/// computed; the kernel selects without a branch.
pub fn select(
    kernels: &TokenStream,
    of: &Condition,
    mut values: impl Iterator<Item = TokenStream>,
) -> TokenStream {
    let condition = condition(of, &mut values);
    quote!(#kernels::select(#condition, #(#values),*))
}

/// Writes a condition on the next of the values. `&` and `|` evaluate both operands, without a
/// branch.
fn condition(of: &Condition, values: &mut impl Iterator<Item = TokenStream>) -> TokenStream {
    match of {
        Condition::Compare(op) => {
            let operator = match op {
                Comparison::Less => quote!(<),
                Comparison::LessEqual => quote!(<=),
                Comparison::Greater => quote!(>),
                Comparison::GreaterEqual => quote!(>=),
                Comparison::Equal => quote!(==),
                Comparison::NotEqual => quote!(!=),
            };
            let (a, b) = (values.next(), values.next());
            quote!(#a #operator #b)
        }
        Condition::Not(inner) => {
            let inner = condition(inner, values);
            quote!(!(#inner))
        }
        Condition::Both(op, operands) => {
            let [left, right] = operands.each_ref().map(|operand| condition(operand, values));
            let operator = match op {
                Logic::And => quote!(&),
                Logic::Or => quote!(|),
            };
            quote!((#left) #operator (#right))
        }
    }
}
