//! One test a mistake, with the whole message; right definitions with the shapes in them.

mod calls;
mod element_wise;
mod product;
mod right;
mod stack;
mod state;
