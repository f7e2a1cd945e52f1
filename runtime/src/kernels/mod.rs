//! The numeric kernels that generated code calls. This is the only module with `unsafe`.
//!
//! Every kernel takes flat column-major slices. A kernel is either an `#[inline(always)]` body,
//! which is compiled into its caller for the caller's instruction set, or an outlined function with
//! its own `#[target_feature]` twin. Without a twin, an outlined function would be compiled for the
//! baseline.
//!
//! - [`isa`]: instruction sets and the dispatch to them;
//! - [`math`]: functions of one number without branches, so that loops over them are vectorised;
//! - [`elementwise`]: fused element-wise loops and their sums;
//! - [`product`]: products of matrices with vectors and matrices, built on `column`, `flat`,
//!   `few_rows`, `dots`, `gemm`, `transposed` and `compiled`;
//! - [`reduce`]: maxima and transposition;
//! - [`one_hot`]: columns by index;
//! - `narrow`: products of matrices that are stored in fewer bits (feature `quantised`);
//! - [`plain`]: blocks of scalars as slices; `pack`: the vectors of each instruction set;
//! - `series`: the growable buffers of tapes, `boxed`: large values on the heap (both with the
//!   feature `alloc`).

// Small fixed arrays are indexed in loops, because the vectoriser handles iterators and
// `array::from_fn` worse. Loops replace `copy_from_slice`, which stays a call without link-time
// optimisation.
#![allow(clippy::needless_range_loop, clippy::manual_memcpy)]

/// Unrolls a loop whose number of rounds is a constant, at most 12. Where the compiler does not
/// unroll it (at `opt-level = 2`, and in large bodies), the sums that the loop indexes are in
/// memory instead of registers.
macro_rules! unrolled {
    ($j:ident < $n:ident $body:block) => {
        unrolled!($j < $n $body: 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    ($j:ident < $n:ident $body:block: $($index:literal)*) => {$(
        if $index < $n {
            let $j: usize = $index;
            $body
        }
    )*};
}

#[cfg(feature = "alloc")]
mod boxed;
mod column;
pub(crate) mod compiled;
#[cfg(all(
    target_arch = "arm",
    target_abi = "eabihf",
    not(target_has_atomic = "64"),
    not(feature = "deterministic")
))]
mod cortex_m;
mod dots;
pub mod elementwise;
mod few_rows;
mod flat;
mod fused;
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
mod transposed;

#[cfg(feature = "alloc")]
pub use boxed::boxed;
