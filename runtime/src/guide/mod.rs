//! A guide, from a first cell to the machine code that it becomes.
//!
//! | chapter | what it is about |
//! | --- | --- |
//! | [`a_first_cell`] | from a paper's equation to a cell that runs |
//! | [`mistakes`] | what the compiler says of them, and what it means |
//! | [`training`] | batches, lengths, stacks, both directions, attention, long sequences, checks |
//! | [`streaming`] | one step at a time, within a budget |
//! | [`weights_of_others`] | weights from PyTorch, Keras, a program of your own; `.nam`, RTNeural, ONNX |
//! | [`bare_metal`] | without `std` |
//! | [`reading`] | a cell's page, its equations as text, its generated code |
//! | [`the_compiler`] | one small cell, followed from its equations to machine code |
//!
//! The language itself is specified at [`rnn_cell!`](crate::rnn_cell!). All code here is compiled
//! and run by `cargo test --doc`; messages and the compiler's stages are compared with what it
//! really says and does.

#[doc = include_str!("a_first_cell.md")]
pub mod a_first_cell {}
#[doc = include_str!("mistakes.md")]
pub mod mistakes {}
#[doc = include_str!("training.md")]
pub mod training {}
#[doc = include_str!("streaming.md")]
pub mod streaming {}
#[doc = include_str!("weights_of_others.md")]
pub mod weights_of_others {}
#[doc = include_str!("bare_metal.md")]
pub mod bare_metal {}
#[doc = include_str!("reading.md")]
pub mod reading {}
#[doc = include_str!("the_compiler.md")]
pub mod the_compiler {}
