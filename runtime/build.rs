//! Finds what the compiler does not tell `cfg`: the instructions of a target, and whether the build
//! is optimised.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(rnn_cell_dsp)");
    // Cortex-M4F and M7 always have `smlad`, and with this calling convention `vmul`.
    if std::env::var("TARGET").is_ok_and(|target| target == "thumbv7em-none-eabihf") {
        println!("cargo::rustc-cfg=rnn_cell_dsp");
    }
    println!("cargo::rustc-check-cfg=cfg(rnn_cell_unoptimised)");
    if std::env::var("OPT_LEVEL").is_ok_and(|level| level == "0") {
        println!("cargo::rustc-cfg=rnn_cell_unoptimised");
    }
}
