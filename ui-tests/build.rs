//! The tests of this package are compiled as rust-analyzer reads them, with what generated code holds for editors: see `tests/editors.rs`.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(rust_analyzer)");
    println!("cargo::rustc-cfg=rust_analyzer");
    println!("cargo::rerun-if-changed=build.rs");
}
