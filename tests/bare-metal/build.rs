//! Passes the linker script to programs without an operating system, and the unwinder to `loaders`
//! on Linux, whose prebuilt `alloc` names it.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=cortex-m.ld");
    let target = env::var("TARGET").expect("cargo sets TARGET");
    if target.starts_with("thumb") && target.contains("-none-") {
        let folder = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
        println!("cargo:rustc-link-arg-bins=-T{folder}/cortex-m.ld");
    }
    if env::var_os("CARGO_FEATURE_LOADERS").is_some() && target.contains("-linux-") {
        println!("cargo:rustc-link-arg-bins=-lgcc_eh");
    }
}
