//! Inspection of gradients and values.
//!
//! | module | contents |
//! | --- | --- |
//! | [`gradcheck`](mod@gradcheck) | gradients against finite differences, for any layer |
//! | `flow` | Jacobians of steps, singular values and growth rates: gradients that vanish, explode or pass (feature `std`) |
//! | [`summary`](fn@summary) | a table of a model's layers, parameters and operations |
//! | [`finite`] | a search for the first value of a sequence that is NaN or infinite |

pub mod finite;
#[cfg(feature = "std")]
pub mod flow;
pub mod gradcheck;
mod summary;

pub use summary::{LayerSummary, ParameterSummary, Summary, summary};
