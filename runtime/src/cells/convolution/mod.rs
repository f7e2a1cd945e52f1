//! Causal convolutions over time.

mod layers;
mod nam;

pub use layers::*;
pub use nam::*;
