//! The compiler behind `rnn_cell!`: a recurrent cell's equations in, specialised forward and backward code out.
//!
//! The floors, from the top down. A module imports from its own floor or from below, never from above, and files never import
//! each other in a circle; `tests/floors.rs` reads the imports.
//!
//! | floor | module | from, to |
//! | --- | --- | --- |
//! | 8 | [`expand`] | the driver: the stages one after another |
//! | | `dump` | what they made, as files (a feature) |
//! | 7 | [`docs`] | plan to the page that rustdoc shows |
//! | | [`editor`] | names to what rust-analyzer finds at their places |
//! | 6 | [`emit`] | plan to Rust |
//! | | [`text`] | plan to equations as plain text |
//! | 5 | [`plan`] | graph to what runs when, what runs together, what is kept, where values live; `verify` checks it |
//! | 4 | [`lower`] | checked cell to graph; `jacobian` derives how new states depend on old ones, for reading |
//! | 3 | [`analysis`] | tree to checked cell: what names stand for, the order of evaluation, shapes, initialisers, mixes of products |
//! | 2 | [`syntax`] | tokens to tree, every node with its place |
//! | 1 | [`graph`] | values, operations and their derivatives, in any cell: `ir`, the table of `ops`, `simplify`, `autodiff` |
//! | 0 | [`diagnostics`] | the collector of mistakes |
//! | | [`dim`] | symbolic dimensions and shapes |
//!
//! The graph is below the syntax because the parser and the checks ask its table of operations for names, numbers of arguments and
//! shape rules. Beside the floors stands `testing`: an interpreter of the graph, and sources of definitions, for unit tests.

// The map leads to the crate's own modules: it is read by those who work on them.
#![allow(rustdoc::private_intra_doc_links)]

mod analysis;
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
mod syntax;
#[cfg(test)]
mod testing;
mod text;

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
    let expansion = expand::expand(&Runtime::new(runtime), definition);
    #[cfg(feature = "dump")]
    let expansion = dump::dump(expansion);
    expansion.into_token_stream()
}

/// Returns the documentation of the first cell of a definition as Markdown with HTML; nothing for a definition with
/// mistakes.
pub fn page(definition: TokenStream) -> String {
    expand::page(definition)
}
