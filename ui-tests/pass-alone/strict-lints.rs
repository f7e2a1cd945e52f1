// A crate that forbids `unsafe`, denies every warning and requires documentation.

//! A crate with documentation.

#![forbid(unsafe_code)]
#![deny(warnings, unused, nonstandard_style, missing_docs, missing_debug_implementations)]
#![deny(
    unreachable_pub,
    unused_lifetimes,
    single_use_lifetimes,
    elided_lifetimes_in_paths,
    unused_qualifications
)]
#![deny(trivial_casts, trivial_numeric_casts, let_underscore_drop, unused_import_braces, keyword_idents)]
#![deny(future_incompatible, rust_2018_idioms, rust_2021_compatibility, rust_2024_compatibility)]

/// A public module.
pub mod cells {
    use rnn_cell::prelude::*;

    rnn_cell! {
        /// An attention cell.
        pub cell Attention<I, E, N, H> {
            input   x: [I], w: one_hot[I];
            context M: [E, N], mask: [N] = 1;
            state   s: [H] = tanh(W_0 @ row_sum(M)), S: [H, H];
            param   W_0: [H, E];
            param   W: [2*H, H + I], V: [H, I], k: [];
            buffer  leak: [] = 0.3;

            fn swish(u) = u * sigmoid(u);

            a = softmax(M.T @ (W_0.T @ s[t-1]), mask);
            [u, v] = W @ [s[t-1], x];
            S = S[t-1] + u @ v.T;
            s = leak * swish(u) + k * (W_0 @ (M @ a)) + S @ v + V @ w;

            output s, a;
        }
    }
}

fn main() {}
