//! The compiler behind `rnn_cell!`. It compiles a recurrent cell's equations to specialised forward
//! and backward code.
//!
//! The modules are arranged in floors, listed from the top down. A module imports only from its own
//! floor or the floors below it, and files never import each other in a circle. `tests/floors.rs`
//! checks the imports.
//!
//! | floor | module | from, to |
//! | --- | --- | --- |
//! | 8 | [`expand`] | the driver, which runs the stages one after another |
//! | | `dump` | expansion to files of source code (a feature) |
//! | | `report` | what a program shows of a definition outside a compiler (a feature) |
//! | | [`derive`](mod@derive) | a struct of models to a model, beside the stages of a cell |
//! | 7 | [`docs`] | plan to the page that rustdoc shows |
//! | | [`editor`] | names to the definitions that rust-analyzer shows for them |
//! | 6 | [`emit`] | plan to Rust |
//! | | [`text`] | plan to equations as plain text |
//! | 5 | [`plan`] | graph to the schedule, fused loops, residuals and storage of values; `verify` checks them |
//! | 4 | [`lower`] | checked cell to graph; `jacobian` derives the Jacobians of the state update for the documentation |
//! | 3 | [`analysis`] | tree to checked cell: the meaning of names, the order of evaluation, shapes, initialisers, mixes of products |
//! | 2 | [`syntax`] | tokens to tree, with the span of every node |
//! | 1 | [`graph`] | values, operations and their derivatives, for any cell: `ir`, the table of `ops`, `simplify`, `autodiff` |
//! | 0 | [`diagnostics`] | the collector of diagnostics |
//! | | [`dim`] | symbolic dimensions and shapes |
//!
//! The graph is below the syntax because the parser and the checks look up the names, argument
//! counts and shape rules of operations in its table. The module `testing` is outside the floors.
//! It holds an interpreter of the graph and sample definitions for unit tests.

// The table links to private modules: it is for the people who work on the compiler.
#![allow(rustdoc::private_intra_doc_links)]

mod analysis;
mod derive;
mod diagnostics;
mod dim;
mod docs;
#[cfg(feature = "dump")]
mod dump;
mod editor;
mod emit;
mod expand;
mod graph;
mod lower;
mod plan;
#[cfg(feature = "report")]
pub mod report;
mod syntax;
#[cfg(test)]
mod testing;
mod text;

use emit::context::Runtime;
use proc_macro2::TokenStream;
use quote::ToTokens;

extern crate proc_macro;

/// Returns the expansion of `rnn_cell! { definition }`: the items of the cells, and one
/// `compile_error!` per mistake.
///
/// `runtime` is the path of the runtime crate as seen from the user's crate, `::rnn_cell` or
/// `$crate`. The words `no_alloc`, `quantised` or both follow it if the runtime has no heap or has
/// quantised copies of the cells.
///
/// With the feature `dump`, the code of each cell is also written to a file if `RNN_CELL_DUMP`
/// names a folder.
pub fn expand(runtime: TokenStream, definition: TokenStream) -> TokenStream {
    let expansion = expand::expand(&Runtime::new(runtime), definition);
    #[cfg(feature = "dump")]
    let expansion = dump::dump(expansion);
    expansion.into_token_stream()
}

/// Returns the documentation of the first cell of a definition as Markdown with HTML. The text is
/// empty for a definition with mistakes.
pub fn page(definition: TokenStream) -> String {
    expand::page(definition)
}

/// Returns the expansion of `#[derive(Model)]` on `item`: the implementations of the traits and the
/// struct of the gradients, or one `compile_error!` per mistake.
pub fn derive_model(item: TokenStream) -> TokenStream {
    derive::derive(item)
}
