//! The remains of an erroneous definition: its types and signatures, so that the rest of the user's
//! crate gets no follow-up errors.

use crate::syntax::ast::Cell;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::collections::HashSet;
use syn::ext::IdentExt;

/// Removes fields that are declared twice, which Rust would report a second time. A second
/// dimension of the same name is renamed instead, because callers give as many arguments as there
/// are dimensions.
pub fn tidy(cell: &mut Cell) {
    let mut dimensions = HashSet::new();
    for dimension in &mut cell.dimensions {
        let mut text = dimension.unraw().to_string();
        while !dimensions.insert(text.clone()) {
            text.push('_');
            *dimension = Ident::new(&text, dimension.span());
        }
    }
    let mut declared = HashSet::new();
    cell.declarations.retain(|declaration| declared.insert(declaration.name.unraw()));
    let mut outputs = HashSet::new();
    cell.outputs.retain(|output| outputs.insert(output.unraw()));
}

/// Returns the body of a function that an erroneous definition leaves undefined.
pub(super) fn panicking_body() -> TokenStream {
    quote!(::core::panic!("the definition of this cell has errors"))
}
