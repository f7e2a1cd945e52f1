//! Simple recurrent networks, and reservoirs of units that are not trained.

mod elman;
mod reservoir;

pub use elman::*;
pub use reservoir::*;
