//! The procedural macros behind `rnn_cell!`. The compiler itself is the library
//! `rnn-cell-compiler`.

use proc_macro2::{Literal, TokenStream, TokenTree};

/// Expands `compile! { $crate; definition }`, the call that `rnn_cell!` of the crate `rnn-cell`
/// expands to. `$crate` may be followed by `no_alloc`, `quantised` or both.
#[doc(hidden)]
#[proc_macro]
pub fn compile(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let (runtime, definition) = split(input);
    rnn_cell_compiler::expand(runtime, definition).into()
}

/// Expands `page!($crate; definition)` to the documentation of one cell, as a string literal. The
/// code of a cell calls it in a `doc` attribute that only rustdoc reads.
#[doc(hidden)]
#[proc_macro]
pub fn page(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let (_, definition) = split(input);
    let page = rnn_cell_compiler::page(definition);
    TokenStream::from(TokenTree::from(Literal::string(&page))).into()
}

// The documentation is where `rnn-cell` exports the macro.
#[allow(missing_docs)]
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    rnn_cell_compiler::derive_model(item.into()).into()
}

/// Splits the input at its first semicolon into the runtime crate and the definition.
fn split(input: proc_macro::TokenStream) -> (TokenStream, TokenStream) {
    let mut tokens = TokenStream::from(input).into_iter();
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    let head = tokens.by_ref().take_while(|token| !is_end(token)).collect();
    (head, tokens.collect())
}
