//! Expands definitions with the compiler as a library, compiled without optimisation like
//! procedural macros in Cargo.
//!
//! The first argument is a folder. For every file `N.txt` in it, which holds one definition, the
//! program prints the milliseconds of the expansion and its number of lines, as `cargo expand`
//! would show it.

use proc_macro2::TokenStream;
use std::time::Instant;

fn main() {
    let folder = std::env::args().nth(1).expect("the argument is a folder");
    for index in 0.. {
        let Ok(text) = std::fs::read_to_string(format!("{folder}/{index}.txt")) else { break };
        let definition: TokenStream = text.parse().expect("the definition consists of Rust tokens");
        let start = Instant::now();
        let expansion = rnn_cell_compiler::expand(quote::quote!(::rnn_cell), definition);
        let time = start.elapsed();
        let file = syn::parse2(expansion).expect("the expansion consists of items");
        let text = prettyplease::unparse(&file);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        println!("{} {lines}", time.as_secs_f64() * 1e3);
    }
}
