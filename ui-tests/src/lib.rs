//! The compiler of `rnn-cell-macros` as a library, so that tests can call it: its modules, included by path.

#![allow(dead_code, missing_docs, reason = "the modules are written as the private ones of another crate")]

extern crate proc_macro;

#[path = "../../macros/src/autodiff.rs"]
mod autodiff;
#[path = "../../macros/src/compile.rs"]
mod compile;
#[path = "../../macros/src/diagnostics.rs"]
mod diagnostics;
#[path = "../../macros/src/dim.rs"]
mod dim;
#[path = "../../macros/src/emit/mod.rs"]
mod emit;
#[path = "../../macros/src/initial.rs"]
mod initial;
#[path = "../../macros/src/ir.rs"]
mod ir;
#[path = "../../macros/src/lower.rs"]
mod lower;
#[path = "../../macros/src/mixes.rs"]
mod mixes;
#[path = "../../macros/src/ops/mod.rs"]
mod ops;
#[path = "../../macros/src/plan.rs"]
mod plan;
#[path = "../../macros/src/resolve/mod.rs"]
mod resolve;
#[path = "../../macros/src/schedule.rs"]
mod schedule;
#[path = "../../macros/src/shape/mod.rs"]
mod shape;
#[path = "../../macros/src/simplify.rs"]
mod simplify;
#[path = "../../macros/src/syntax/mod.rs"]
mod syntax;
#[path = "../../macros/src/verify.rs"]
mod verify;

/// What `rnn_cell! { definition }` expands to in a crate that knows the runtime as `rnn_cell`.
pub fn expand(definition: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
    compile::expand(&quote::quote!(::rnn_cell), definition)
}
