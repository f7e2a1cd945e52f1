//! Backpropagation through time for sequences that are too long for one pass.
//!
//! - [`Truncated`]: an update after every block of steps, with cotangents that go back through a
//!   limited window. The state is carried on. Memory and time per update do not grow with the
//!   sequence; the gradient is an approximation.
//! - [`Checkpointed`]: the exact gradient of the whole sequence, to the last bit, in memory that
//!   grows with the square root of its length. The forward pass runs twice, except for the last
//!   segments.
//!
//! Both take any [`Cell`](crate::cell::Cell), cells and networks alike.

mod checkpointed;
mod truncated;

pub use checkpointed::Checkpointed;
pub use truncated::Truncated;

#[cfg(test)]
mod tests;
