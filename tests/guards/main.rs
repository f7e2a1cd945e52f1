//! Guards of what is promised about memory: what doesn't allocate, and what fits on a small stack.

#![allow(missing_docs)]

mod allocations;
mod stack;
