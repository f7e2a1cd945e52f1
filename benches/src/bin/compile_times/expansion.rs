//! Expands definitions with the compiler as a library, compiled as Cargo compiles procedural macros: without optimisation.
//!
//! The first argument is a folder; of every file `N.txt` in it, a definition each, it prints the milliseconds of its expansion and the lines
//! that it is, as `cargo expand` would show them.

use proc_macro2::TokenStream;
use std::time::Instant;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder as argument");
    for index in 0.. {
        let Ok(text) = std::fs::read_to_string(format!("{folder}/{index}.txt")) else { break };
        let definition: TokenStream = text.parse().expect("the definition is made of Rust's tokens");
        let start = Instant::now();
        let expansion = ui_tests::expand(definition);
        let time = start.elapsed();
        let file = syn::parse2(expansion).expect("an expansion is items");
        let text = prettyplease::unparse(&file);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        println!("{} {lines}", time.as_secs_f64() * 1e3);
    }
}
