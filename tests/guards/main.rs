//! Guards of what is promised about memory: what doesn't allocate, what fits on a small stack,
//! what a stream of any length keeps.

#![allow(missing_docs)]

mod allocations;
mod stack;
mod streams;
