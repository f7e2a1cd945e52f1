//! Training: losses, optimisers and the forms of backpropagation through time.
//!
//! | item | contents |
//! | --- | --- |
//! | [`Trainer`] | a model in training: steps, epochs, checkpoints, several threads |
//! | [`loss`] | losses with their gradients |
//! | [`ctc`] | connectionist temporal classification: loss, gradient, decoding |
//! | [`optim`] | optimisers, schedules, clipping, noise |
//! | [`bptt`] | truncated and checkpointed backpropagation through time |

pub mod bptt;
pub mod ctc;
pub mod loss;
pub mod optim;
mod trainer;

pub use optim::Schedule;
pub use trainer::*;
