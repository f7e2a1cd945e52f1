//! Guards of the promises about memory: passes and prepared steps that do not allocate, large cells on
//! a small stack, streams of any length.

#![allow(missing_docs)]

mod allocations;
mod prepared;
mod stack;
mod streams;
