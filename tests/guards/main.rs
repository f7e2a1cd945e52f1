//! Guards of the promises about memory: passes that do not allocate, large cells on a small stack,
//! streams of any length. A guard of the promise that a killed training resumes with the same bits.

#![allow(missing_docs)]

mod allocations;
mod resume;
mod stack;
mod streams;
