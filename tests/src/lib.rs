//! What the integration tests share.
//!
//! - [`golden`] runs a cell over a golden case (reference values computed elsewhere) and compares everything,
//! - [`exactness`] holds the properties that every cell must have, whatever its equations,
//! - [`generator`] writes random, well-formed definitions, and `build.rs` has the test `random` compile them.

pub mod exactness;
#[path = "../generator/mod.rs"]
pub mod generator;
pub mod golden;
