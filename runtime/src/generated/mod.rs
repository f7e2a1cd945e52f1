//! The interface between generated code and the runtime: the traits that an expansion implements
//! and the functions that it calls. It is not part of the public interface and changes with the
//! macro.

pub use crate::__if_alloc as if_alloc;
#[cfg(feature = "serde")]
pub use crate::__serde as serde;
pub use crate::Scalar;
#[cfg(feature = "alloc")]
pub use crate::cell::fault::{Fault, inspect_steps, inspect_steps_back};
#[cfg(feature = "alloc")]
pub use crate::cell::{
    Bars, Cell, Layer, LayerBars, LayerPass, Pass, StateFields, StateVisitor, visit_fields,
};
pub use crate::cell::{
    Held, LayerInfo, Model, ModelMut, Parameter, ParameterMut, Prepare, Prepared, Storage, debug,
    initial_state, prepare, step,
};
pub use crate::init;
pub use crate::kernels::elementwise::{fold, map, map_columns, map_flat};
pub use crate::kernels::isa::{Isa, Job, dispatch};
pub use crate::kernels::math::{
    abs, cos, exp, exp_m1, floor, ln, max, min, normal_cdf, pow, recip, sigmoid, sign, sin, softplus, sqrt,
    tanh,
};
#[cfg(feature = "quantised")]
pub use crate::kernels::narrow::{
    Bytes, Stored, check_end, from_bytes, narrow_gather, narrow_head_product, narrow_head_products,
    narrow_products,
};
pub use crate::kernels::one_hot::{gather, scatter};
pub use crate::kernels::plain::{Flat, Size, copy, copy_flat, scratch};
pub use crate::kernels::product::heads::{
    HeadStrides, head_product, head_products, heads_per_group, repeat_heads, sum_heads,
};
pub use crate::kernels::product::{matmul, outer, products, pull_back};
pub use crate::kernels::reduce::{blocks, maximum, sum_blocks, transpose};
pub use crate::language::Function;
#[cfg(feature = "quantised")]
pub use crate::quantised::{Format, NotFinite, Quantised};
pub use crate::rng::Rng;
#[cfg(feature = "serde")]
pub use crate::serialise::{read_fields, write_fields};
pub use crate::types::blocks::{Block, Cols, Rows};
pub use crate::types::heads::{HeadCols, HeadRows, Heads};
#[cfg(feature = "alloc")]
pub use crate::types::rings::PastField;
pub use crate::types::rings::{IndexRing, Ring, Steps};
pub use crate::types::sample::Sample;
pub use crate::types::varying::Varying;
#[cfg(feature = "alloc")]
pub use crate::{__cell_methods as cell_methods, __layer_methods as layer_methods};
pub use crate::{__debug as debug, __model as model, __state as state, __values as values};
pub use nalgebra::SMatrix;
#[cfg(feature = "alloc")]
pub use passes::{CommonTape, Passes, backward, forward, run, start_backward};
#[cfg(feature = "alloc")]
pub use past::{
    Span, copy_past, count_steps, freeze_step, load_past, load_past_bars, past_before, push_delay,
    push_window, save_past, store_past_bars, windows,
};
pub use rnn_cell_macros::{compile, page};
#[cfg(feature = "alloc")]
pub use sequences::*;

#[cfg(feature = "serde")]
pub use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Replaces the macro that implements serde's traits, without the feature `serde`.
#[cfg(not(feature = "serde"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __no_serde {
    ($($structs:tt)*) => {};
}
#[cfg(not(feature = "serde"))]
pub use crate::__no_serde as serde;

pub mod derived;
#[cfg(feature = "alloc")]
mod passes;
#[cfg(feature = "alloc")]
mod past;
#[cfg(feature = "alloc")]
mod sequences;
mod structs;

/// Returns the square root of a number that the dimensions determine.
pub fn root(x: f64) -> f64 {
    nalgebra::ComplexField::sqrt(x)
}

/// Returns the column `index` of a matrix of `size` rows.
#[inline(always)]
pub fn column<T>(matrix: &[T], size: usize, index: usize) -> &[T] {
    &matrix[index * size..(index + 1) * size]
}

/// Returns the mutable column `index` of a matrix of `size` rows.
#[inline(always)]
pub fn column_mut<T>(matrix: &mut [T], size: usize, index: usize) -> &mut [T] {
    &mut matrix[index * size..(index + 1) * size]
}

/// Returns `then` where the condition holds, else `otherwise`. Both are computed, so a loop of
/// selections has no branches.
#[inline(always)]
pub fn select<T>(condition: bool, then: T, otherwise: T) -> T {
    if condition { then } else { otherwise }
}

/// Computes `to += from`.
#[inline]
pub fn add_into<T: Scalar>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += *from;
    }
}

/// Sets all scalars to zero.
#[inline]
pub fn zero_fill<T: Scalar>(to: &mut [T]) {
    to.fill(T::zero());
}

/// Computes the mask of a window: 1 for each entry whose step exists, 0 for the steps before the
/// first one. `seen` is the number of earlier steps.
#[inline(always)]
pub fn present<T: Scalar>(to: &mut [T], spacing: usize, seen: usize) {
    let entries = to.len();
    for (index, to) in to.iter_mut().enumerate() {
        *to = if (entries - 1 - index).saturating_mul(spacing) <= seen { T::ONE } else { T::ZERO };
    }
}

/// Copies `count` rows in every column, from row `start` of a matrix of `rows` rows to row
/// `to_start` of a matrix of `to_rows` rows.
#[inline]
pub fn copy_rows<T: Copy>(
    from: &[T],
    rows: usize,
    start: usize,
    to: &mut [T],
    to_rows: usize,
    to_start: usize,
    count: usize,
) {
    for (from, to) in from.chunks_exact(rows).zip(to.chunks_exact_mut(to_rows)) {
        to[to_start..to_start + count].copy_from_slice(&from[start..start + count]);
    }
}

/// Checks the index of a sample.
///
/// # Panics
/// Panics if the batch has no such sample.
#[inline]
pub fn check_sample(sample: usize, batch: usize) {
    assert!(sample < batch, "sample {sample} of a batch of {batch}");
}

/// Calls the visitor with a cell as one layer, whose rings have the given lengths. This is the body
/// of [`Model::visit_layers`].
pub fn visit_layer<C>(
    flops: usize,
    equations: &'static str,
    rings: &[usize],
    visitor: &mut dyn FnMut(LayerInfo<'_>),
) {
    let kind = core::any::type_name::<C>();
    let reach = rings.iter().copied().max().unwrap_or(0);
    visitor(LayerInfo { path: "", kind, flops: Some(flops), equations, reach });
}

/// Copies one sample out of a block, in which samples are contiguous.
#[inline]
pub fn take_sample<T: Copy>(many: &[T], sample: usize, one: &mut [T]) {
    one.copy_from_slice(column(many, one.len(), sample));
}

/// Overwrites one sample of a block.
#[inline]
pub fn replace_sample<T: Copy>(many: &mut [T], sample: usize, one: &[T]) {
    column_mut(many, one.len(), sample).copy_from_slice(one);
}

/// A value that is not on the heap: the result of [`on_heap_if_any`] without an allocator.
#[cfg(not(feature = "alloc"))]
#[derive(Debug)]
pub struct Inline<V>(V);

#[cfg(not(feature = "alloc"))]
impl<V> core::ops::Deref for Inline<V> {
    type Target = V;

    #[inline(always)]
    fn deref(&self) -> &V {
        &self.0
    }
}

#[cfg(not(feature = "alloc"))]
impl<V> core::ops::DerefMut for Inline<V> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut V {
        &mut self.0
    }
}

/// Returns the value of `make`, on the heap if there is an allocator.
#[cfg(not(feature = "alloc"))]
#[inline(always)]
pub fn on_heap_if_any<V>(make: impl Fn() -> V) -> Inline<V> {
    Inline(make())
}
