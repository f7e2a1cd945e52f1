//! Tests of shape inference: one test per mistake, with the whole message, and valid definitions
//! with the inferred shapes.

mod calls;
mod element_wise;
mod product;
mod stack;
mod state;
mod valid;
