//! The rings of initial states.

use crate::emit::context::EmitContext;
use crate::emit::hygiene::variable;
use crate::graph::ir::Piece;
use crate::plan::past::{Recorded, Source};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// Returns statements that fill the rings of states with the initial states.
pub fn fill_rings(cx: &EmitContext, recorded: &[Recorded]) -> TokenStream {
    let mut lines = TokenStream::new();
    for record in recorded {
        if let Source::State(piece) = record.source {
            let path = cx.declared_path(piece);
            for ring in cx.past.rings_of(record.piece.of) {
                let field = cx.ring_field(record.piece, ring);
                lines.extend(quote!(__state.#field.fill(&__state.#path);));
            }
        }
    }
    lines
}

/// Returns statements that add the cotangents of a state's ring to that of the state, before they
/// are pulled back through the initial value.
pub fn add_ring_bars(cx: &EmitContext, recorded: &[Recorded]) -> TokenStream {
    let mut lines = TokenStream::new();
    for record in recorded {
        if let Source::State(piece) = record.source {
            let (sum, path) = (initial_bar(piece), cx.declared_path(piece));
            let fields = cx.past.rings_of(record.piece.of).map(|ring| cx.ring_field(record.piece, ring));
            lines.extend(quote! {
                let mut #sum = ::core::clone::Clone::clone(&__dstate.#path);
                #(__dstate.#fields.add_to(&mut #sum);)*
            });
        }
    }
    lines
}

/// Returns the local that holds the cotangent of an initial state and of its ring.
pub fn initial_bar(piece: Piece) -> Ident {
    variable(&format!("start_{}_{}_{}", piece.of, piece.row, piece.column))
}
