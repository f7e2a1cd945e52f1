//! Plans that no statement can compute, which is a bug in rnn-cell.

use proc_macro2::TokenStream;
use quote::quote;

/// Returns an error for the user's build, in place of a statement that would be missing.
pub fn bug(what: &str) -> TokenStream {
    let message = format!("the compiler can't compute {what}, which is a bug in rnn-cell: please report it");
    quote!(::core::compile_error!(#message);)
}
