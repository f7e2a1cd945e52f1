//! Writes random and small cells for the test `random`.
//!
//! `RANDOM_CELLS` is the number of random cells (default 3), `RANDOM_SEED` the first seed (default
//! 1). Every `SMALL_CELLS`th small cell is written (default 19).

use std::path::Path;

fn main() {
    let count = number("RANDOM_CELLS", 3);
    let seed = number("RANDOM_SEED", 1);
    let stride = number("SMALL_CELLS", 19).max(1) as usize;
    let folder = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let path = Path::new(&folder).join("random.rs");
    std::fs::write(&path, random_cells::write_tests(seed, count, stride))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn number(variable: &str, default: u64) -> u64 {
    println!("cargo::rerun-if-env-changed={variable}");
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")),
        Err(_) => default,
    }
}
