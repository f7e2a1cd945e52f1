//! Helpers of the integration tests.
//!
//! - [`golden`] runs a cell over a golden case and compares all results with PyTorch's.
//! - [`exactness`] checks properties that every cell must have, whatever its equations.
//!
//! `build.rs` writes the definitions of the test `random` with the package `random-cells`.

pub mod exactness;
pub mod golden;
