//! Guards of the promises about memory: passes that do not allocate, large cells on a small stack,
//! streams of any length.

#![allow(missing_docs)]

mod allocations;
mod stack;
mod streams;
