//! What the benchmarks share: workloads of our cells, the same cells by hand and in other libraries, and the clock.
//!
//! The folder's README lists the commands and what their tables mean. None of them is a test: what must hold on every machine is
//! asserted elsewhere, without a clock.

pub mod by_hand;
pub mod machine;
pub mod measure;
pub mod odd;
pub mod peers;
pub mod run;
pub mod subjects;
pub mod table;
pub mod work;
