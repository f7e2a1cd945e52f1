//! Blocks with attention over a sliding window: the last `S` steps of the stream.
//!
//! The keys and values of the window are part of the state, so a block streams with a cost that
//! does not depend on the length of the sequence. No state enters them, so training computes all
//! products for many steps at once.

mod conformer;
mod transformer;

pub use conformer::*;
pub use transformer::*;
