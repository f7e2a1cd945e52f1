//! The code that the benchmarks share: workloads of our cells, the same cells hand-written and in
//! other libraries, and the clock.
//!
//! The README of this folder lists the commands and the columns of their tables. None of the
//! commands that measure time is a test; requirements for every machine are asserted elsewhere,
//! without a clock.

pub mod by_hand;
pub mod machine;
pub mod measure;
pub mod odd;
pub mod peers;
pub mod run;
pub mod subjects;
pub mod table;
pub mod work;
