//! Backpropagation through time for sequences that are too long to be trained on as they are.
//!
//! - [`Truncated`]: an update every so many steps, cotangents that go back no further than a window, the state carried on.
//!   Memory and time of an update don't grow with the sequence; the gradient is an approximation.
//! - [`Checkpointed`]: the exact gradient of the whole sequence, to the last bit, in memory that grows with the square
//!   root of its length; the forward pass runs twice.
//!
//! Both take any [`Cell`](crate::cell::Cell), cells and networks alike: what streams can be cut in time.

mod checkpointed;
mod truncated;

pub use checkpointed::Checkpointed;
pub use truncated::Truncated;

#[cfg(test)]
mod tests;
