//! Inspection: whether gradients are right, where they go, and where NaN came from.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`gradcheck`](mod@gradcheck) | gradients against finite differences, for any layer |
//! | `flow` | Jacobians of steps, singular values, growth rates: gradients that vanish, explode or pass (feature `std`) |
//! | [`finite`] | the first value of a sequence that is NaN or infinite |

pub mod finite;
#[cfg(feature = "std")]
pub mod flow;
pub mod gradcheck;
