//! The rings in a single step: delayed values, and the values that the rings take.

use crate::emit::context::EmitContext;
use crate::emit::hygiene::ident;
use crate::emit::layout::Layout;
use crate::graph::ir::{Earlier, Id, Reach};
use crate::plan::past::Source;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Returns the binding of a delayed value in a step: a view of the ring, which may need the memory
/// of the variable `local`.
pub fn bind_delay(cx: &EmitContext, variable: &Ident, earlier: Earlier, local: &Ident) -> TokenStream {
    let k = &cx.k;
    // The statement of a window reads the ring itself.
    let Reach::Delay { count, dimension } = earlier.reach else { return TokenStream::new() };
    let field = cx.ring_field(earlier.piece, earlier.ring);
    let value = &cx.past.values[earlier.piece.of];
    let delay = cx.delay(count, dimension);
    let (block, batch, scalar) = (cx.recorded_type(earlier.piece), &cx.batch, &cx.scalar);
    let zero =
        if value.is_one_hot { quote!([0; #batch]) } else { quote!(<#block as #k::Varying<#scalar>>::zero()) };
    quote! {
        let mut #local: #block = #zero;
        let #variable = __state.#field.view(#delay, &mut #local);
    }
}

/// Returns statements at the start of a step that record the old states in their rings.
pub fn record_states(layout: &Layout) -> TokenStream {
    let k = &layout.cx.k;
    let mut lines = TokenStream::new();
    for record in &layout.plan.recorded {
        if let Source::State(piece) = record.source {
            let path = layout.cx.declared_path(piece);
            for (_, field) in layout.rings(record.piece) {
                lines.extend(quote!(__state.#field.push(#k::Flat::flat(&__state.#path));));
            }
        }
    }
    lines
}

/// Returns statements at the end of a step that record the values of inputs and equations in their
/// rings.
pub fn record_values(layout: &Layout, result: impl Fn(Id) -> TokenStream) -> TokenStream {
    let k = &layout.cx.k;
    let mut lines = TokenStream::new();
    for record in &layout.plan.recorded {
        let value = match record.source {
            Source::State(_) => continue,
            Source::Input(piece) | Source::Index(piece) => {
                let path = layout.cx.input_path(piece);
                quote!((*__x) #path)
            }
            Source::Value(id) => result(id),
        };
        for (_, field) in layout.rings(record.piece) {
            lines.extend(quote!(__state.#field.push(#k::Flat::flat(&#value));));
        }
    }
    if layout.cx.past.counts_steps {
        let field = ident(&layout.cx.steps_field);
        lines.extend(quote!(__state.#field.count();));
    }
    lines
}
