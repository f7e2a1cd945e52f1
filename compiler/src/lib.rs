//! The compiler behind `rnn_cell!`: a recurrent cell's equations in, specialised forward and backward code out.
//!
//! The way of a definition, one stage a file:
//!
//! | stage | file | from, to |
//! | --- | --- | --- |
//! | parse | [`syntax`] | tokens to the surface tree, every node with its place |
//! | resolve | [`resolve`] | what each name stands for, the order of evaluation |
//! | infer shapes | [`shape`], [`dim`], [`mixes`] | the shape of every expression, in the user's names |
//! | initialise | [`initial`] | how each parameter gets its first value |
//! | lower | [`lower`], [`ops`] | the graph of one step ([`ir`]), simplified as it is built ([`simplify`]) |
//! | differentiate | [`autodiff`] | the backward equations, in the same graph |
//! | | [`jacobian`] | how new states depend on old ones, for reading |
//! | plan | [`plan`], [`schedule`] | what is kept, what runs when, what runs together, where values live |
//! | verify | [`verify`] | invariants of all that |
//! | emit | [`emit`] | Rust |
//!
//! `compile.rs` is the driver; `dump.rs` (feature `dump`) writes what it made to files; mistakes are collected in [`diagnostics`].

// The map leads to the crate's own modules: it is read by those who work on them.
#![allow(rustdoc::private_intra_doc_links)]

mod autodiff;
mod compile;
mod diagnostics;
mod dim;
#[cfg(feature = "dump")]
mod dump;
mod emit;
#[cfg(test)]
mod guide;
mod initial;
#[cfg(test)]
mod interpret;
mod ir;
mod jacobian;
mod lower;
mod mixes;
mod ops;
mod plan;
mod resolve;
mod schedule;
mod shape;
mod simplify;
mod syntax;
mod verify;

use emit::context::Runtime;
use proc_macro2::TokenStream;
use quote::ToTokens;

extern crate proc_macro;

/// Returns what `rnn_cell! { definition }` expands to: the cells, and a `compile_error!` for each mistake.
///
/// `runtime` is the path of the runtime crate in the user's crate, `::rnn_cell` or `$crate`, and behind it the words
/// `no_alloc`, `quantised` or both for a runtime without a heap or with quantised copies.
///
/// With the feature `dump` the code of each cell is also written to a file, if `RNN_CELL_DUMP` names a folder.
pub fn expand(runtime: TokenStream, definition: TokenStream) -> TokenStream {
    let expansion = compile::expand(&Runtime::new(runtime), definition);
    #[cfg(feature = "dump")]
    let expansion = dump::dump(expansion);
    expansion.into_token_stream()
}

/// Returns the documentation of the first cell of a definition as Markdown with HTML; nothing for a definition with
/// mistakes. `runtime` is that of [`expand`].
pub fn page(runtime: TokenStream, definition: TokenStream) -> String {
    compile::page(&Runtime::new(runtime), definition)
}
