//! Cells whose gates decide what the state keeps.

mod greff;
mod gru;
mod lstm;
mod quasi;

pub use greff::*;
pub use gru::*;
pub use lstm::*;
pub use quasi::*;
