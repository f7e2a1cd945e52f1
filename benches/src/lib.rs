//! What the benchmarks share: workloads of our cells, the same cells by hand and in other libraries, and the clock.
//!
//! - `cargo bench -p benches`: kernels, cells, streaming and training, each alone ([divan](https://docs.rs/divan));
//! - `cargo run --release -p benches --bin report`: everything side by side in one run, as Markdown tables;
//!   `--quick` for a glance, `--features nexus,candle` for other Rust libraries beside ours;
//! - `peers.py`: PyTorch, JAX and ONNX Runtime at the same sizes, in the same tables.
//!
//! Neither is a test: what must hold on every machine is asserted elsewhere, without a clock.

pub mod by_hand;
pub mod machine;
pub mod measure;
pub mod odd;
pub mod peers;
pub mod work;
