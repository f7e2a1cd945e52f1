//! The functions that passes over sequences call, and the other functions that need an allocator.

pub use crate::kernels::boxed;
pub use crate::kernels::boxed as on_heap_if_any;
pub use crate::kernels::series::Series;
pub use alloc::boxed::Box;
pub use alloc::vec::Vec;

use super::Flat;
use crate::Scalar;
use crate::data::clear_past_end;
use crate::kernels::plain::copy;
use crate::types::varying::Varying;
use core::ops::{Deref, DerefMut};
use nalgebra::SMatrix;

/// A series of values that are one matrix for all samples.
pub type MatrixSeries<T, const ROWS: usize, const COLUMNS: usize> = Series<SMatrix<T, ROWS, COLUMNS>>;

/// The number of columns (steps times samples) that a pass works on at a time. The values that are
/// computed before the recurrence are then still in the cache when the recurrence reads them.
const CHUNK_COLUMNS: usize = 256;

/// The size in bytes of one value of a chunk, which then fits in the second-level cache.
const CHUNK_BYTES: usize = 256 * 1024;

/// Returns the number of steps of a chunk: at least one, at most the whole sequence. `matrices` are
/// the sizes of the matrices that every step and sample has its own copy of; they shorten the
/// chunk.
#[inline]
pub fn chunk_steps<T>(batch: usize, steps: usize, matrices: &[usize]) -> usize {
    let largest = matrices.iter().copied().max().unwrap_or(0) * size_of::<T>();
    let columns = CHUNK_COLUMNS.min(CHUNK_BYTES / largest.max(1));
    (columns / batch.max(1)).clamp(1, steps.max(1))
}

/// The number of columns that a run without residuals works on at a time. It is enough for an
/// efficient product, and the tape stays in the first levels of the cache.
const RUN_COLUMNS: usize = 48;

/// Returns the number of steps of a chunk for a run without residuals.
#[inline]
pub(super) fn run_steps(batch: usize, steps: usize) -> usize {
    (RUN_COLUMNS / batch.max(1)).clamp(1, steps.max(1))
}

/// Writes one step of a series.
#[inline]
pub fn write_step<M: Flat, V: Flat<Scalar = M::Scalar>>(series: &mut Series<M>, step: usize, value: &V) {
    series.flat_mut(step..step + 1).copy_from_slice(value.flat());
}

/// Reads one step of a series.
#[inline]
pub fn read_step<M: Flat, V: Flat<Scalar = M::Scalar>>(series: &Series<M>, step: usize, value: &mut V) {
    value.flat_mut().copy_from_slice(series.flat(step..step + 1));
}

/// Restores the samples that ended before step `t`.
pub(super) fn freeze<T: Copy>(before: &[T], after: &mut [T], lengths: &[usize], t: usize) {
    let size = before.len() / lengths.len().max(1);
    for (sample, length) in lengths.iter().enumerate() {
        if t >= *length {
            let span = sample * size..(sample + 1) * size;
            after[span.clone()].copy_from_slice(&before[span]);
        }
    }
}

/// Zeroes the padding in a series of steps that starts at step `first`.
fn zero_padding<T: Copy + Default>(steps: &mut [T], lengths: &[usize], first: usize, size: usize) {
    let batch = lengths.len();
    if batch * size == 0 {
        return;
    }
    for (index, step) in steps.chunks_exact_mut(batch * size).enumerate() {
        for (sample, length) in lengths.iter().enumerate() {
            if first + index >= *length {
                step[sample * size..(sample + 1) * size].fill(T::default());
            }
        }
    }
}

/// Returns the number of steps that a pass has to compute: the length of the longest sample.
pub fn longest<const B: usize>(lengths: Option<&[usize; B]>, steps: usize) -> usize {
    lengths.map_or(steps, |lengths| lengths.iter().copied().max().unwrap_or(0).min(steps))
}

/// Returns the step and the sample that replace the padding of `sample`: its last step. A sample
/// without steps takes the last step of the longest sample. Returns `None` if no sample has a step.
///
/// A padded step has zero cotangents, but zero times an infinity is NaN. With the values of an
/// existing step, a padded step contributes a NaN only if that step does.
pub(super) fn last_step(lengths: &[usize], steps: usize, sample: usize) -> Option<(usize, usize)> {
    let end = |sample: usize| lengths[sample].min(steps);
    let other = || (0..lengths.len()).max_by_key(|other| end(*other));
    let sample = if end(sample) > 0 { sample } else { other()? };
    Some((end(sample).checked_sub(1)?, sample))
}

/// Replaces the padding in a series of a whole sequence, whose `steps` steps start at block
/// `first`, with each sample's last step. The backward pass reads padded steps, and their values
/// must not reach the gradients.
pub fn clean_padding<M: Flat, const B: usize>(
    series: &mut Series<M>,
    first: usize,
    steps: usize,
    lengths: Option<&[usize; B]>,
) {
    if let Some(lengths) = lengths {
        repeat_last_step(series.flat_mut(first..first + steps), lengths, M::LEN / B.max(1));
    }
}

/// Replaces the padding in a series of a whole sequence with each sample's last step. A step has
/// `size` scalars per sample.
fn repeat_last_step<T: Copy>(series: &mut [T], lengths: &[usize], size: usize) {
    let width = lengths.len() * size;
    if width == 0 {
        return;
    }
    let steps = series.len() / width;
    for (sample, length) in lengths.iter().enumerate() {
        let Some((last, of)) = last_step(lengths, steps, sample) else { return };
        let from = last * width + of * size;
        for step in *length..steps {
            series.copy_within(from..from + size, step * width + sample * size);
        }
    }
}

/// Copies a sequence and replaces the padding, whose contents are arbitrary, with each sample's
/// last step.
pub(super) fn without_padding<M: Flat>(xs: &[M], lengths: &[usize], clean: &mut Series<M>) {
    clean.resize(xs.len());
    let flat = clean.flat_mut(0..xs.len());
    flat.copy_from_slice(M::flat_all(xs));
    repeat_last_step(flat, lengths, M::LEN / lengths.len().max(1));
}

/// A copy of a context in which samples without steps have the context of the first sample that has
/// a step.
#[derive(Clone)]
pub(super) struct CleanContext<X, T> {
    /// The copy, which is allocated for the first batch that contains a sample without steps.
    context: Option<Box<X>>,
    /// The scalars of one sample.
    sample: Vec<T>,
}

impl<X, T> CleanContext<X, T> {
    /// Creates an empty value without allocating.
    pub(super) const fn new() -> Self {
        CleanContext { context: None, sample: Vec::new() }
    }
}

impl<X: Varying<T> + Send + Sync, T: Scalar> CleanContext<X, T> {
    /// Returns the context for a ragged pass: the original if every sample has a step, else the
    /// copy.
    pub(super) fn read<'x>(&'x mut self, context: &'x X, lengths: &[usize], steps: usize) -> &'x X {
        let is_empty = |sample: usize| lengths[sample].min(steps) == 0;
        let batch = lengths.len();
        let empty = (0..batch).filter(|sample| is_empty(*sample));
        let Some(longest) = (0..batch).find(|sample| !is_empty(*sample)) else { return context };
        if empty.clone().next().is_none() {
            return context;
        }
        let copy = self.context.get_or_insert_with(|| boxed(X::zero));
        copy.zip_scalars(context, &mut |to, from| *to = from);
        self.sample.clear();
        copy.sample_mut(longest, batch, &mut |x| self.sample.push(*x));
        for sample in empty {
            let mut from = self.sample.iter();
            copy.sample_mut(sample, batch, &mut |x| *x = from.next().copied().unwrap_or(*x));
        }
        copy
    }
}

impl<X, T> Default for CleanContext<X, T> {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns 1 for each sample with a cotangent and 0 for each sample whose cotangents are all zero,
/// as the lengths for [`CleanContext::read`].
pub(super) fn with_cotangent<S: Varying<T> + Send + Sync, T: Scalar, const B: usize>(
    dstate: &S,
) -> [usize; B] {
    let mut copy = boxed(S::zero);
    copy.zip_scalars(dstate, &mut |to, from| *to = from);
    core::array::from_fn(|sample| {
        let mut has = false;
        copy.sample_mut(sample, B, &mut |x| has |= *x != T::zero());
        usize::from(has)
    })
}

/// Extends the outputs of the computed steps to the whole sequence and zeroes the padding.
pub(super) fn finish_outputs<Y: Varying<T>, T: Scalar, const B: usize>(
    ys: &mut Vec<Y>,
    lengths: [usize; B],
    steps: usize,
) {
    ys.resize_with(steps, Y::zero);
    clear_past_end(ys, Some(lengths));
}

/// The cotangents of a state that the steps of a chunk pass on, from the last step to the first.
#[derive(Debug, Clone)]
pub struct Carry<M: Flat> {
    bars: Series<M>,
    /// The cotangent that [`hold`](Self::hold) saved.
    held: Series<M>,
}

impl<M: Flat> Default for Carry<M> {
    fn default() -> Self {
        Carry { bars: Series::new(), held: Series::new() }
    }
}

impl<M: Flat> Deref for Carry<M> {
    type Target = Series<M>;

    #[inline(always)]
    fn deref(&self) -> &Series<M> {
        &self.bars
    }
}

impl<M: Flat> DerefMut for Carry<M> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Series<M> {
        &mut self.bars
    }
}

impl<M: Flat> Carry<M>
where
    M::Scalar: Scalar,
{
    /// Loads the cotangent of a final state, or zero if there is none. `block` returns its block of
    /// the state.
    #[inline]
    pub fn load<S, V: Flat<Scalar = M::Scalar>>(
        &mut self,
        dstate: &Option<&mut S>,
        block: impl Fn(&S) -> &V,
    ) {
        match dstate {
            Some(dstate) => write_step(&mut self.bars, 0, block(dstate)),
            None => self.bars.fill_zero(0..1),
        }
    }

    /// Saves the cotangent before a backward step and zeroes it for the finished samples, so that
    /// the step passes them no cotangent. `index` is the block that the step reads.
    #[inline]
    pub fn hold<const B: usize>(&mut self, index: usize, lengths: Option<&[usize; B]>, t: usize) {
        let Some(lengths) = lengths else { return };
        self.held.resize(1);
        let now = self.bars.flat_step_mut(index);
        self.held.flat_step_mut(0).copy_from_slice(now);
        zero_padding(now, lengths, t, M::LEN / B.max(1));
    }

    /// Restores the cotangent of the finished samples after a backward step. `index` is the block
    /// that the step wrote.
    #[inline]
    pub fn restore<const B: usize>(&mut self, index: usize, lengths: Option<&[usize; B]>, t: usize) {
        if let Some(lengths) = lengths {
            freeze(self.held.flat_step(0), self.bars.flat_step_mut(index), lengths, t);
        }
    }
}

/// Loads the cotangents of the outputs of the steps `t0..t1`. They are zero in the padding, and
/// everywhere if `dys` is empty.
#[inline]
pub fn load_bars<M: Flat, const B: usize>(
    bars: &mut Series<M>,
    dys: &[M],
    (t0, t1): (usize, usize),
    lengths: Option<&[usize; B]>,
) where
    M::Scalar: Scalar,
{
    if dys.is_empty() {
        bars.fill_zero(0..t1 - t0);
        return;
    }
    bars.flat_mut(0..t1 - t0).copy_from_slice(M::flat_all(&dys[t0..t1]));
    clear_bars(bars, (t0, t1), lengths);
}

/// Loads cotangents like [`load_bars`], for one block of each output.
#[inline]
pub fn load_bars_of<M: Flat, V: Flat<Scalar = M::Scalar>, Y, const B: usize>(
    bars: &mut Series<M>,
    dys: &[Y],
    (t0, t1): (usize, usize),
    lengths: Option<&[usize; B]>,
    block: impl Fn(&Y) -> &V,
) where
    M::Scalar: Scalar,
{
    if dys.is_empty() {
        bars.fill_zero(0..t1 - t0);
        return;
    }
    for (step, dy) in dys[t0..t1].iter().enumerate() {
        write_step(bars, step, block(dy));
    }
    clear_bars(bars, (t0, t1), lengths);
}

fn clear_bars<M: Flat, const B: usize>(
    bars: &mut Series<M>,
    (t0, t1): (usize, usize),
    lengths: Option<&[usize; B]>,
) where
    M::Scalar: Scalar,
{
    if let Some(lengths) = lengths {
        zero_padding(bars.flat_mut(0..t1 - t0), lengths, t0, M::LEN / B.max(1));
    }
}

/// Stores the columns of consecutive steps in one block of each output, or of each input's
/// cotangent.
#[inline(always)]
pub fn store_columns<X, V: Flat>(to: &mut [X], columns: &[V::Scalar], block: impl Fn(&mut X) -> &mut V) {
    for (to, column) in to.iter_mut().zip(columns.chunks_exact(V::LEN.max(1))) {
        copy(block(to).flat_mut(), column);
    }
}

/// Loads one block of each input into a series, from block `first` on.
#[inline(always)]
pub fn load_columns<M: Flat, X, V: Flat<Scalar = M::Scalar>>(
    series: &mut Series<M>,
    first: usize,
    xs: &[X],
    block: impl Fn(&X) -> &V,
) {
    let columns = series.flat_mut(first..first + xs.len()).chunks_exact_mut(V::LEN.max(1));
    for (column, x) in columns.zip(xs) {
        copy(column, block(x).flat());
    }
}

/// Zeroes the cotangents of the inputs in the padding.
pub fn clear_input_bars<T: Scalar, X: Varying<T>, const B: usize>(
    dxs: Option<&mut [X]>,
    lengths: Option<&[usize; B]>,
) {
    if let Some(dxs) = dxs {
        clear_past_end(dxs, lengths.copied());
    }
}

/// Moves the carry of each sample after a chunk whose carry was computed for all steps at once. The
/// carry past a sample's end moves to the sample's last step, or to the front of the chunk, where
/// the previous chunk reads it. The source becomes zero.
pub fn hand_over<M: Flat, const B: usize>(
    carry: &mut Series<M>,
    lengths: Option<&[usize; B]>,
    (t0, t1): (usize, usize),
) where
    M::Scalar: Default,
{
    let Some(lengths) = lengths else { return };
    let size = M::LEN / B.max(1);
    let all = carry.flat_mut(0..t1 - t0 + 1);
    for (sample, length) in lengths.iter().enumerate() {
        let at = |t: usize| (t - t0) * M::LEN + sample * size;
        let end = (*length).max(t0);
        if end < t1 {
            all.copy_within(at(t1)..at(t1) + size, at(end));
            for t in end + 1..=t1 {
                all[at(t)..at(t) + size].fill(M::Scalar::default());
            }
        }
    }
}

/// Copies one block of a series to another position in the series.
pub fn copy_step<M: Flat>(series: &mut Series<M>, from: usize, to: usize) {
    let size = M::LEN;
    let all = series.flat_mut(0..from.max(to) + 1);
    all.copy_within(from * size..(from + 1) * size, to * size);
}
