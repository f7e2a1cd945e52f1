//! Guards of what is promised about memory: what doesn't allocate, what fits on a small stack, where `unsafe` stands.

#![allow(missing_docs)]

mod allocations;
mod stack;
mod unsafe_code;
