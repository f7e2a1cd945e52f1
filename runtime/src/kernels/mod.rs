//! The numeric kernels that generated code calls; the only module with `unsafe`.
//!
//! Every kernel takes flat column-major slices. A kernel is either an `#[inline(always)]` body, compiled into its
//! caller under the caller's instruction set, or outlined, and then it has a `#[target_feature]` twin of its own:
//! without one it would silently become baseline code.
//!
//! - [`isa`]: the instruction sets and the dispatch;
//! - [`math`]: functions of one number, free of branches, so that a loop over them becomes vector code;
//! - [`elementwise`]: the fused element-wise chain and its sums;
//! - [`product`]: matrix products with vectors and with matrices, over `column`, `flat`, `aligned`, `dots`, `gemm`, `turned` and `compiled`;
//! - [`reduce`]: maxima, transposition;
//! - [`one_hot`]: columns by index;
//! - `narrow`: products of matrices that are stored in fewer bits (feature `quantised`);
//! - [`plain`]: blocks of scalars as slices;
//! - `series`: the growable buffers that tapes are made of, `boxed`: large values on the heap (both with the feature `alloc`).

// Small fixed arrays are walked by index: iterators and `array::from_fn` cost the vectoriser its view of them, and
// `copy_from_slice` stays a call where the user turns link-time optimisation off.
#![allow(clippy::needless_range_loop, clippy::manual_memcpy)]

mod aligned;
#[cfg(feature = "alloc")]
mod boxed;
mod column;
pub(crate) mod compiled;
mod dots;
pub mod elementwise;
mod flat;
mod gemm;
pub mod isa;
pub mod math;
#[cfg(any(feature = "quantised", test))]
pub mod narrow;
pub mod one_hot;
pub(crate) mod pack;
pub mod plain;
pub mod product;
pub mod reduce;
#[cfg(feature = "alloc")]
pub mod series;
#[cfg(test)]
mod testing;
mod turned;

#[cfg(feature = "alloc")]
pub use boxed::boxed;
