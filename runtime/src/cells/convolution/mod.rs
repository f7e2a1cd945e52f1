//! Temporal convolutions.

mod nam;

pub use nam::*;
