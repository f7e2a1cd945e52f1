//! Other Rust libraries, each behind a feature of its name: without the feature none of its workloads is entered.
//!
//! Every one runs on one thread, like ours.

use crate::measure::Contest;

#[cfg(feature = "candle")]
mod candle;
#[cfg(feature = "nexus")]
mod nexus;

/// Which of the two cells that every library has. The GRU is the one of PyTorch and cuDNN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The long short-term memory.
    Lstm,
    /// The gated recurrent unit, its reset after the product.
    Gru,
}

/// The libraries that can step, in the order of their columns.
pub const STEPPING: [&str; 2] = ["nexus-inference", "candle"];

/// The libraries that can train.
pub const TRAINING: [&str; 1] = ["candle"];

/// Enters a step of every library that is built in: batch 1.
pub fn enter_steps(contest: &mut Contest, kind: Kind, i: usize, h: usize) {
    let _ = (&contest, kind, i, h);
    #[cfg(feature = "nexus")]
    contest.enter("nexus-inference", 1, nexus::step(kind, i, h));
    #[cfg(feature = "candle")]
    contest.enter("candle", 1, candle::step(kind, i, h));
}

/// Enters a training pass of every library that is built in.
pub fn enter_training(contest: &mut Contest, kind: Kind, i: usize, h: usize, batch: usize, steps: usize) {
    let _ = (&contest, kind, i, h, batch, steps);
    #[cfg(feature = "candle")]
    contest.enter("candle", 1, candle::train(kind, i, h, batch, steps));
}
