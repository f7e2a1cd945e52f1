//! Recurrent cells from their equations.
//!
//! [`rnn_cell!`] turns a recurrent network's gate equations, written as the papers write them, into specialised,
//! statically dimensioned forward and backward code over nalgebra matrices. The [`guide`] leads from a first cell to the machine code that it
//! becomes.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`cell`] | the traits that every cell and every layer implements |
//! | [`cells`] | ready-made cells, each an `rnn_cell!` definition with its paper |
//! | [`network`] | layers made of layers: stacks, both directions, residuals, dropout, zoneout |
//! | [`data`] | batches of sequences, of equal and of different lengths; windows and streams |
//! | [`train`] | losses, CTC, optimisers, truncated and checkpointed BPTT, threads |
//! | [`decode`] | teacher forcing, greedy and beam search |
//! | [`inspect`] | gradient checks, the flow of gradients, the origin of NaN |
//! | `weights` | weight files: our own, PyTorch's, Keras's, a user's, other programs' (features `safetensors`, `nam`, `onnx`, `rtneural`) |
//! | `quantised` | copies of cells whose matrices are stored in fewer bits (feature `quantised`) |
//! | [`init`], [`rng`] | initialisers and seeded random numbers |
//! | [`types`] | matrices of blocks; values as points of a vector space |
//! | [`prelude`] | the names that nearly every program needs |
//! | [`guide`] | from a first cell to the machine code that it becomes |
//!
//! # Features
//!
//! - `std` (on): finds the processor's instruction sets at run time. Without it a program runs what it is compiled for
//!   (`-C target-feature=+avx2,+fma`; the baseline, unless told otherwise), and no multiply-add is fused: `core` has none.
//! - `alloc` (on with `std`): what needs a heap, which is everything but a step. Without it a cell is its parameters, its states, `prepare` and `step`, and what
//!   they are made of: [`types`], [`init`], [`rng`], [`Model`](cell::Model), [`ModelMut`](cell::ModelMut). A binary then links
//!   without a global allocator.
//! - `libm`: the mathematics of targets without `std`.
//! - `dump`: `RNN_CELL_DUMP=DIR cargo build` writes the code that each definition expands to, formatted, the equation above each
//!   line, to `DIR/CRATE.CELL.rs`; each file is a module that compiles by itself in a crate that depends on `rnn_cell`. What has been compiled already is not
//!   expanded again: touch the file, or take another target folder.
//! - `quantised`: copies of cells whose matrices are stored in 8 or 16 bits, for inference (the module `quantised`); with and without `alloc`. Each cell's
//!   expansion then holds the step of its copy too.
//! - `rayon`: the module `parallel`.
//! - `safetensors`, `nam`, `onnx`, `rtneural`: the module `weights` for files of that format; with `alloc`, with and without `std`.
//! - `deterministic`: a computation has the same bits on every x86-64 machine, whatever its
//!   instruction set, in a debug and in a release build, forward and backward (only the bits of a
//!   NaN may differ). No multiply-add is fused, sums have one order, and no function is the
//!   platform's. With or without it, no constant that the macro computes depends on the build
//!   machine. AVX-512 stays unused. Other targets run the same operations in the same order, which
//!   is not tested. As with every feature, one crate in a program that sets it sets it for all.
//!   The promise is for what this crate computes, not for what a program computes beside it: the
//!   platform's functions (`f64::exp`) and nalgebra's products of matrices of dynamic sizes have
//!   other last bits on another processor.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;
// Generated documentation links to the modules of this crate, here too.
#[cfg(doc)]
extern crate self as rnn_cell;

#[cfg(all(test, feature = "alloc"))]
mod by_hand;
pub mod cell;
pub mod cells;
#[cfg(feature = "alloc")]
pub mod data;
#[cfg(feature = "alloc")]
pub mod decode;
#[cfg(feature = "alloc")]
mod functions;
#[doc(hidden)]
pub mod generated;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod init;
#[cfg(feature = "alloc")]
pub mod inspect;
#[doc(hidden)]
#[allow(unsafe_code)]
pub mod kernels;
mod language;
#[cfg(feature = "alloc")]
pub mod network;
#[cfg(feature = "quantised")]
pub mod quantised;
pub mod rng;
mod scalar;
#[cfg(feature = "alloc")]
pub mod train;
pub mod types;
#[cfg(any(feature = "safetensors", feature = "nam", feature = "rtneural", feature = "onnx"))]
pub mod weights;

pub use nalgebra;
pub use scalar::Scalar;

// The compiler can't know the features of this crate, which are those of the target: the macro tells it.
#[cfg(all(feature = "alloc", not(feature = "quantised")))]
#[doc = include_str!("language.md")]
#[macro_export]
macro_rules! rnn_cell {
    ($($definition:tt)*) => {
        $crate::generated::compile! { $crate; $($definition)* }
    };
}

#[cfg(all(feature = "alloc", feature = "quantised"))]
#[doc = include_str!("language.md")]
#[macro_export]
macro_rules! rnn_cell {
    ($($definition:tt)*) => {
        $crate::generated::compile! { $crate quantised; $($definition)* }
    };
}

#[cfg(all(not(feature = "alloc"), not(feature = "quantised")))]
#[doc = include_str!("language.md")]
#[macro_export]
macro_rules! rnn_cell {
    ($($definition:tt)*) => {
        $crate::generated::compile! { $crate no_alloc; $($definition)* }
    };
}

#[cfg(all(not(feature = "alloc"), feature = "quantised"))]
#[doc = include_str!("language.md")]
#[macro_export]
macro_rules! rnn_cell {
    ($($definition:tt)*) => {
        $crate::generated::compile! { $crate no_alloc quantised; $($definition)* }
    };
}

/// What a user of cells needs: `use rnn_cell::prelude::*;`
pub mod prelude {
    #[cfg(feature = "alloc")]
    pub use crate::cell::{Bars, Cell, Layer, Pass};
    pub use crate::cell::{Model, ModelMut};
    #[cfg(feature = "alloc")]
    pub use crate::network::{Bidirectional, Concat, Dropout, Residual, Stack, Zoneout};
    pub use crate::rng::{Rng, SeedableRng, Xoshiro256PlusPlus};
    #[cfg(feature = "alloc")]
    pub use crate::train::optim::{Adam, AdamW, Optimiser, Sgd};
    pub use crate::types::blocks::{Block, Cols, Rows};
    pub use crate::{Scalar, rnn_cell};
    pub use nalgebra::{SMatrix, SVector};
}

/// The README's examples, compiled and run, where the features that some of them need are on (they are in `cargo test --workspace`).
#[cfg(all(doctest, feature = "safetensors", feature = "nam"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;
