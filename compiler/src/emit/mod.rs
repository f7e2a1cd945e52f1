//! Emission of Rust code from the plan.
//!
//! - [`context`]: names, types of blocks, paths;
//! - [`body`]: values as slices, with their [`access`], and statements; [`region`]: the code of one
//!   region, group by group; [`fused`]: loops over entries; [`ops`]: the code of operations;
//! - [`layout`]: the tape; [`frame`]: its slices at a step or in a chunk; [`sequence`]: forward and
//!   backward pass; [`past`]: earlier values; [`stream`]: a single step; [`initial`]: initial
//!   states;
//! - [`items`]: everything that a definition expands to: [`types`] in signatures, [`structs`],
//!   [`methods`] of a step, and the implementations that the runtime calls, [`prepare`] and
//!   [`passes`]; [`model`]: parameters and initialisation; [`traits`] of the cell and of its
//!   [`values`];
//! - [`quantised`]: the copy of a cell whose matrices are stored in fewer bits; [`stored`]: its
//!   contents;
//! - [`skeleton`]: the remains of an erroneous definition;
//! - [`hygiene`]: identifiers; [`spans`]: the source positions of the user's names; [`bug`]: plans
//!   that break an invariant.

mod access;
pub mod body;
mod bug;
pub mod context;
mod frame;
mod fused;
pub mod hygiene;
pub mod initial;
pub mod items;
pub mod layout;
mod methods;
pub mod model;
mod ops;
mod passes;
pub mod past;
mod prepare;
mod quantised;
mod region;
pub mod sequence;
pub mod skeleton;
pub mod spans;
pub mod stored;
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

/// Returns the complete expansion of a definition. `mentions` are tokens for editors alone.
pub fn emit(items: &Items, mentions: TokenStream) -> TokenStream {
    let cx = items.cx.within_block();
    let (public, private) = (types(items), methods(&items.within(&cx)));
    let (cfg_attributes, boundary) = (items.cfg_attributes(), items.cx.boundary());
    quote! {
        #public
        #mentions
        #cfg_attributes
        #[allow(non_snake_case, non_upper_case_globals, unused_variables, unused_mut)]
        #[allow(unused_doc_comments, unused_parens, dead_code, unused_assignments)]
        #[allow(mixed_script_confusables, confusable_idents, uncommon_codepoints)]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        const _: () = {
            #boundary
            #private
        };
    }
}

/// Returns the public types.
fn types(items: &Items) -> TokenStream {
    let (cell, values) = (items.cell_struct(), items.helper_structs());
    let tape = items.cx.on_heap(|| items.tape_struct());
    let copies = items.cx.if_quantised(|| items.quantised_structs());
    quote!(#cell #values #tape #copies)
}

/// Returns the implementations of the public types.
fn methods(items: &Items) -> TokenStream {
    let (prepare, step) = (items.implement_prepare(), items.step_methods());
    let (parameters, values) = (model::parameters(items), traits::values(items));
    // The tape, the passes over it and the traits of layers need a heap.
    let sequences = items.cx.on_heap(|| {
        let (passes, layers) = (items.implement_passes(), traits::layers(items));
        quote!(#passes #layers)
    });
    let copies = items.cx.if_quantised(|| items.quantised_methods());
    quote!(#prepare #step #parameters #values #sequences #copies)
}
