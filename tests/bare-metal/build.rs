//! Passes the linker script to programs without an operating system.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=cortex-m.ld");
    let target = env::var("TARGET").expect("cargo sets TARGET");
    if target.starts_with("thumb") && target.contains("-none-") {
        let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
        println!("cargo:rustc-link-arg-bins=-T{folder}/cortex-m.ld");
    }
}
