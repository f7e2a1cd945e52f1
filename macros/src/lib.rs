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
use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::ToTokens;

/// `compile! { $crate; definition }`, with `no_alloc`, `quantised` or both behind `$crate`: what `rnn_cell!` of the crate `rnn-cell` hands
/// its tokens to.
#[doc(hidden)]
#[proc_macro]
pub fn compile(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let (runtime, definition) = split(input);
    let expansion = compile::expand(&runtime, definition);
    #[cfg(feature = "dump")]
    let expansion = dump::dump(expansion);
    expansion.into_token_stream().into()
}

/// `page!($crate; definition)`: the documentation of one cell as a string, which an expansion asks for where rustdoc reads it.
#[doc(hidden)]
#[proc_macro]
pub fn page(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let (runtime, definition) = split(input);
    TokenTree::from(Literal::string(&compile::page(&runtime, definition))).into_token_stream().into()
}

/// The runtime crate, and what stands behind the first semicolon.
fn split(input: proc_macro::TokenStream) -> (Runtime, TokenStream) {
    let mut tokens = TokenStream::from(input).into_iter();
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    let head = tokens.by_ref().take_while(|token| !is_end(token)).collect();
    (Runtime::new(head), tokens.collect())
}
