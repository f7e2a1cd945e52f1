//! Finds what the compiler does not tell `cfg`: the instructions of a target.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(rnn_cell_dsp)");
    // Cortex-M4 and M7 always have the instructions for 16-bit integers.
    if std::env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv7em-")) {
        println!("cargo::rustc-cfg=rnn_cell_dsp");
    }
}
