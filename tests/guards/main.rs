//! Guards of the promises about memory: passes and prepared steps that do not allocate, large cells
//! on a small stack, streams of any length. A guard of the promise that a training run that was
//! killed resumes with the same bits.

#![allow(missing_docs)]

mod allocations;
mod prepared;
mod resume;
mod stack;
mod streams;
