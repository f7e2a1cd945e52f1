//! From the plan to Rust.
//!
//! - [`context`]: names, types of blocks, paths;
//! - [`body`]: values as slices, and statements; [`region`]: one region's code, group by group; [`fused`]: the loops over entries;
//!   [`ops`]: the code of operations;
//! - [`layout`]: the tape; [`sequence`]: forward and backward; [`stream`]: one step; [`start`]: initial states;
//! - [`items`]: all that a definition expands to: [`types`] as signatures name them, [`structs`], [`methods`] of a step, [`passes`] over
//!   sequences, and [`jobs`], both as the runtime runs them; [`model`]: parameters and initialisation; [`traits`] of the cell, and of its
//!   [`values`];
//! - [`quantised`]: the copy of a cell whose matrices are stored in fewer bits, and [`storage`], what it holds;
//! - [`skeleton`]: what is left of a definition with mistakes;
//! - [`hygiene`]: identifiers; [`places`] of names in the user's source.

pub mod body;
pub mod context;
mod fused;
pub mod hygiene;
pub mod items;
mod jobs;
pub mod layout;
mod methods;
pub mod model;
mod ops;
mod passes;
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
    let mut public = vec![items.cell_struct(), items.helper_structs(), mentions];
    let mut private = vec![items.step_job(), items.step_methods(), model::step(items), traits::values(items)];
    // What a sequence takes: a tape, the passes over it, the traits of layers.
    public.push(items.cx.on_heap(|| items.tape_struct()));
    private.push(items.cx.on_heap(|| {
        let (jobs, methods) = (items.sequence_jobs(), items.sequence_methods());
        let (boxes, layers) = (model::boxes(items), traits::layers(items));
        quote!(#jobs #methods #boxes #layers)
    }));
    public.push(items.cx.if_quantised(|| items.quantised_structs()));
    private.push(items.cx.if_quantised(|| items.quantised_methods()));
    let attributes = items.gates();
    quote! {
        #(#public)*
        #attributes
        #[allow(non_snake_case, non_upper_case_globals, unused_variables, unused_mut, unused_doc_comments, unused_parens)]
        #[allow(dead_code, unused_assignments, mixed_script_confusables, confusable_idents, uncommon_codepoints)]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction)]
        const _: () = {
            #(#private)*
        };
    }
}
