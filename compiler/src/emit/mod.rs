//! From the plan to Rust.
//!
//! - [`context`]: names, types of blocks, paths;
//! - [`body`]: values as slices, and statements; [`region`]: one region's code, group by group; [`fused`]: the loops over entries;
//!   [`ops`]: the code of operations;
//! - [`layout`]: the tape; [`sequence`]: forward and backward; [`stream`]: one step; [`start`]: initial states;
//! - [`items`]: all that a definition expands to: [`types`] as signatures name them, [`structs`], [`methods`] of a step, and [`equations`] with the passes over
//!   sequences, as the runtime runs them; [`model`]: parameters and initialisation; [`traits`] of the cell, and of its
//!   [`values`];
//! - [`quantised`]: the copy of a cell whose matrices are stored in fewer bits, and [`storage`], what it holds;
//! - [`skeleton`]: what is left of a definition with mistakes;
//! - [`hygiene`]: identifiers; [`places`] of names in the user's source.

pub mod body;
pub mod context;
mod equations;
mod fused;
pub mod hygiene;
pub mod items;
pub mod layout;
mod methods;
pub mod model;
mod ops;
pub mod places;
mod quantised;
mod region;
pub mod sequence;
pub mod skeleton;
pub mod start;
pub mod storage;
pub mod stream;
mod structs;
pub mod traits;
pub mod types;
mod values;

#[cfg(test)]
pub mod tests;

use items::Items;
use proc_macro2::TokenStream;
use quote::quote;

/// Returns all that a definition expands to. `mentions` is what stands there for editors alone.
pub fn emit(items: &Items, mentions: TokenStream) -> TokenStream {
    let cx = items.cx.within_block();
    let (public, private) = (types(items), methods(&items.within(&cx)));
    let (attributes, boundary) = (items.gates(), items.cx.boundary());
    quote! {
        #public
        #mentions
        #attributes
        #[allow(non_snake_case, non_upper_case_globals, unused_variables, unused_mut, unused_doc_comments, unused_parens)]
        #[allow(dead_code, unused_assignments, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        const _: () = {
            #boundary
            #private
        };
    }
}

/// The types that a user can name.
fn types(items: &Items) -> TokenStream {
    let (cell, values) = (items.cell_struct(), items.helper_structs());
    let tape = items.cx.on_heap(|| items.tape_struct());
    let copies = items.cx.if_quantised(|| items.quantised_structs());
    quote!(#cell #values #tape #copies)
}

/// The implementations of those types.
fn methods(items: &Items) -> TokenStream {
    let (equations, step) = (items.equations(), items.step_methods());
    let (parameters, values) = (model::step(items), traits::values(items));
    // A tape, the passes over it and the traits of layers take a heap.
    let sequences = items.cx.on_heap(|| {
        let (passes, boxes, layers) = (items.passes(), model::boxes(items), traits::layers(items));
        quote!(#passes #boxes #layers)
    });
    let copies = items.cx.if_quantised(|| items.quantised_methods());
    quote!(#equations #step #parameters #values #sequences #copies)
}
