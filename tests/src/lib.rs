//! What the integration tests share.
//!
//! - [`golden`] runs a cell over a golden case (reference values computed elsewhere) and compares everything,
//! - [`exactness`] holds the properties that every cell must have, whatever its equations,
//!
//! `build.rs` has the test `random` compile definitions that the package `random-cells` writes.

pub mod exactness;
pub mod golden;
