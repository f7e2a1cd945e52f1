//! Recurrent cells from their equations.
//!
//! [`rnn_cell!`] turns the gate equations of a recurrent network, written as the papers write them,
//! into specialised forward and backward code over nalgebra matrices of constant sizes. The
//! [`guide`] leads from a first cell to its machine code.
//!
//! | module | contents |
//! | --- | --- |
//! | [`cell`] | the traits that every cell and every layer implements |
//! | [`cells`] | ready-made cells, each an `rnn_cell!` definition with its paper |
//! | [`network`] | layers made of layers: stacks, branches, both directions, residuals, dropout, zoneout |
//! | [`data`] | batches of sequences, of equal and of different lengths; windows and streams |
//! | [`train`] | losses, CTC, optimisers, truncated and checkpointed BPTT, threads |
//! | [`decode`] | teacher forcing, greedy and beam search |
//! | [`inspect`] | gradient checks, the flow of gradients, the origin of NaN |
//! | `weights` | weight files in the layouts of PyTorch, Keras, other programs or your own (features `safetensors`, `nam`, `onnx`, `rtneural`) |
//! | `quantised` | copies of cells whose matrices are stored in fewer bits (feature `quantised`) |
//! | [`init`], [`rng`] | initialisers and seeded random numbers |
//! | [`types`] | matrices of blocks; values as points of a vector space; one sample's step |
//! | [`prelude`] | the names that nearly every program needs |
//! | [`guide`] | chapters on cells, training, streaming, weights, bare metal and the compiler |
//!
//! # Features
//!
//! - `std` (on by default): chooses the instruction set when the program runs. Without it a program
//!   uses the instruction sets that it is compiled for (`-C target-feature=+avx2,+fma`), and no
//!   multiply-add is fused: `core` has none.
//! - `alloc` (on with `std`): everything that needs a heap, which is all but a step. Without it a
//!   cell consists of its parameters, its states, `prepare` and `step`, beside [`types`], [`init`],
//!   [`rng`], [`Model`](cell::Model) and [`ModelMut`](cell::ModelMut). A binary then links without
//!   a global allocator.
//! - `libm`: mathematical functions for targets without `std`.
//! - `dump`: `RNN_CELL_DUMP=DIR cargo build` writes the code of each cell, formatted, to
//!   `DIR/CRATE.CELL.rs`, with the equation above each line. Each file is a module that compiles by
//!   itself. Code that cargo does not compile again is not written again: touch the file, or use
//!   another target folder.
//! - `quantised`: copies of cells for inference whose matrices are stored in 8 or 16 bits (module
//!   `quantised`). The expansion of each cell then holds the step of its copy too.
//! - `rayon`: a trainer's parts of a batch on several threads, `train::Threads`.
//! - `serde`: `Serialize` and `Deserialize` for cells, states, contexts, networks, optimisers and
//!   schedules. A cell is a map from names to values, a matrix a list of its rows, a matrix of one
//!   column a list of its entries. With JSON, values keep their bits if `serde_json` has the
//!   feature `float_roundtrip`.
//! - `tensorboard`: event files of a training run, `Fit::tensorboard`; it enables `safetensors`.
//! - `safetensors`, `nam`, `onnx`, `rtneural`: the module `weights` for files of that format. They
//!   turn on `alloc` and need no `std`. `safetensors` and `std` together add the checkpoints and
//!   the CSV table of a training run: `Fit::checkpoint`, `Trainer::save_checkpoint`, `Fit::log`.
//! - `deterministic`: a computation has the same bits on every x86-64 machine, whatever its
//!   instruction set, in debug and in release builds, forward and backward (only the bits of a NaN
//!   may differ). No multiply-add is fused, sums have one order, AVX-512 is not used, and no
//!   function is the platform's. Other targets run the same operations in the same order, which is
//!   not tested. If one crate of a program sets the feature, it is set for all. The promise covers
//!   what this crate computes: the platform's functions (`f64::exp`) and nalgebra's products of
//!   matrices of dynamic sizes may have other last bits on another processor. The constants that
//!   the macro computes never depend on the build machine, with or without this feature.

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
#[cfg(feature = "serde")]
mod serialise;
mod sizes;
#[cfg(feature = "alloc")]
pub mod train;
pub mod types;
#[cfg(any(feature = "safetensors", feature = "nam", feature = "rtneural", feature = "onnx"))]
pub mod weights;

pub use nalgebra;
pub use scalar::Scalar;
pub use sizes::SizeError;

// The compiler is a separate crate and does not see the features of this one, so the macro passes
// them.
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

/// The names that nearly every program needs: `use rnn_cell::prelude::*;`
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

/// The example of the README, compiled and run.
#[cfg(all(doctest, feature = "alloc"))]
#[doc = include_str!("../../README.md")]
pub struct Readme;
