//! The procedural macros behind `rnn_cell!`: the entry points, and nothing else. The compiler is the library `rnn-cell-compiler`.

use proc_macro2::{Literal, TokenStream, TokenTree};

/// `compile! { $crate; definition }`, with `no_alloc`, `quantised` or both behind `$crate`: what `rnn_cell!` of the
/// crate `rnn-cell` passes its tokens to.
#[doc(hidden)]
#[proc_macro]
pub fn compile(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let (runtime, definition) = split(input);
    rnn_cell_compiler::expand(runtime, definition).into()
}

/// `page!($crate; definition)`: the documentation of one cell as a string literal. An expansion asks for it where
/// rustdoc reads it.
#[doc(hidden)]
#[proc_macro]
pub fn page(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let (_, definition) = split(input);
    let page = rnn_cell_compiler::page(definition);
    TokenStream::from(TokenTree::from(Literal::string(&page))).into()
}

/// Splits the input at its first semicolon: the runtime crate, and the definition.
fn split(input: proc_macro::TokenStream) -> (TokenStream, TokenStream) {
    let mut tokens = TokenStream::from(input).into_iter();
    let is_end = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    let head = tokens.by_ref().take_while(|token| !is_end(token)).collect();
    (head, tokens.collect())
}
