//! The compiler of `rnn-cell-macros` as a library, so that tests can call it: its modules, read from where they stand.

#![allow(dead_code, missing_docs, reason = "the modules are written as the private ones of another crate")]

extern crate proc_macro;

#[path = "../../macros/src"]
mod compiler {
    pub mod autodiff;
    pub mod compile;
    pub mod diagnostics;
    pub mod dim;
    pub mod emit;
    pub mod initial;
    #[cfg(test)]
    pub mod interpret;
    pub mod ir;
    pub mod jacobian;
    pub mod lower;
    pub mod mixes;
    pub mod ops;
    pub mod plan;
    pub mod resolve;
    pub mod schedule;
    pub mod shape;
    pub mod simplify;
    pub mod syntax;
    pub mod verify;
}

// The modules call each other `crate::..`.
use compiler::*;
use quote::ToTokens;

/// What `rnn_cell! { definition }` expands to in a crate that knows the runtime as `rnn_cell`.
pub fn expand(definition: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    compile::expand(&emit::context::Runtime::new(quote::quote!(::rnn_cell)), definition).into_token_stream()
}
