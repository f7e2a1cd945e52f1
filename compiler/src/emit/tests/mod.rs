//! What a definition expands to, as a whole: what must and what must not stand in it, where its names stand, how long it is, how long
//! it takes.

mod items;
mod places;
mod size;
mod tokens;

use crate::emit::context::Runtime;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

const LSTM: &str = "pub cell Lstm<I, H> {
    input x: [I]; state h, c: [H]; param W_i, W_f, W_g, W_o: [H, H + I], b_i, b_f, b_g, b_o: [H];
    i = sigmoid(W_i @ [h[t-1], x] + b_i);
    f = sigmoid(W_f @ [h[t-1], x] + b_f);
    g = tanh(W_g @ [h[t-1], x] + b_g);
    o = sigmoid(W_o @ [h[t-1], x] + b_o);
    c = f * c[t-1] + i * g;
    h = o * tanh(c);
    output h;
}";

fn expand(source: &str) -> TokenStream {
    expand_for(quote!(::rnn_cell), source)
}

fn expand_for(runtime: TokenStream, source: &str) -> TokenStream {
    let tokens = source.parse().unwrap_or_else(|error| panic!("{error}: {source}"));
    crate::expand::expand(&Runtime::new(runtime), tokens).into_token_stream()
}

fn parse(expansion: &TokenStream) -> syn::File {
    syn::parse2(expansion.clone()).unwrap_or_else(|error| panic!("{error}: {expansion}"))
}

/// Asserts that `work` computes for less than eight seconds: about one is usual, and what doesn't scale takes minutes. Counted is what this
/// thread computes, where the system tells, not what passes while others compute.
pub fn within_bounds<R>(what: &str, work: impl FnOnce() -> R) -> R {
    // Ticks of 10 ms in user mode: the twelfth field after the name in brackets (`man 5 proc`).
    let ticks = || -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
        text.rsplit_once(") ")?.1.split(' ').nth(11)?.parse().ok()
    };
    let before = ticks();
    let result = work();
    if let (Some(before), Some(after)) = (before, ticks()) {
        assert!(after - before < 800, "{} ms for {what}", 10 * (after - before));
    }
    result
}
