//! Tests of whole expansions: the words that must and must not occur in them, the spans of names,
//! the length, and the time that they take.

mod items;
mod size;
mod spans;
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

/// Asserts that `work` takes less than eight seconds of CPU time. About one is usual, and
/// superlinear code takes minutes. The time is that of this thread, if the system reports it, so
/// that other processes do not count.
pub fn within_bounds<R>(what: &str, work: impl FnOnce() -> R) -> R {
    // Ticks of 10 ms in user mode: the twelfth field after the name in parentheses (`man 5 proc`).
    let ticks = || -> Option<u64> {
        let text = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
        text.rsplit_once(") ")?.1.split(' ').nth(11)?.parse().ok()
    };
    let before = ticks();
    let result = work();
    if let (Some(before), Some(after)) = (before, ticks()) {
        assert!(after - before < 800, "{} ms of CPU time for {what}", 10 * (after - before));
    }
    result
}
