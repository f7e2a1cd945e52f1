//! Compiles this package as rust-analyzer reads it, with what generated code holds for editors.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(rust_analyzer)");
    println!("cargo::rustc-cfg=rust_analyzer");
    println!("cargo::rerun-if-changed=build.rs");
}
