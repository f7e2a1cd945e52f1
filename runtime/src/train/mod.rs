//! Training: losses, optimisers and the forms of backpropagation through time.
//!
//! | module | contents |
//! | --- | --- |
//! | [`loss`] | losses with their gradients |
//! | [`ctc`] | connectionist temporal classification: loss, gradient, decoding |
//! | [`optim`] | optimisers, schedules, clipping, noise |
//! | [`bptt`] | truncated and checkpointed backpropagation through time |
//!
//! A [`Trainer`] puts them together.

pub mod bptt;
pub mod ctc;
pub mod loss;
pub mod optim;
mod trainer;

pub use optim::Schedule;
pub use trainer::*;
