//! What passes over sequences call, and what else needs a heap.

pub use crate::kernels::boxed;
pub use crate::kernels::boxed as room;
pub use crate::kernels::series::Series;
pub use alloc::boxed::Box;
pub use alloc::vec::Vec;

use super::Flat;

/// Columns (steps times samples) that a pass works on at a time: what is computed before the recurrence still lies
/// in the cache when the recurrence reads it.
const CHUNK_COLUMNS: usize = 256;

/// Bytes of one value of a chunk: the passes over it then find it in the second-level cache.
const CHUNK_BYTES: usize = 256 * 1024;

/// Steps of a chunk for a batch; at least one, at most the sequence. `matrices` are the sizes of those that each step and
/// sample has of its own: of them a chunk holds fewer.
#[inline]
pub fn chunk_steps<T>(batch: usize, steps: usize, matrices: &[usize]) -> usize {
    let largest = matrices.iter().copied().max().unwrap_or(0) * size_of::<T>();
    let columns = CHUNK_COLUMNS.min(CHUNK_BYTES / largest.max(1));
    (columns / batch.max(1)).clamp(1, steps.max(1))
}

/// Columns that a run without residuals works on at a time: enough for an efficient product, and a tape that stays in
/// the first levels of the cache.
const RUN_COLUMNS: usize = 48;

/// [`chunk_steps`] for a run without residuals.
#[inline]
pub fn run_steps(batch: usize, steps: usize) -> usize {
    (RUN_COLUMNS / batch.max(1)).clamp(1, steps.max(1))
}

/// Leaves the state of every sample that has ended before step `t` as it was.
#[inline]
pub fn freeze<T: Copy>(before: &[T], after: &mut [T], lengths: &[usize], t: usize) {
    let size = before.len() / lengths.len().max(1);
    for (sample, length) in lengths.iter().enumerate() {
        if t >= *length {
            let span = sample * size..(sample + 1) * size;
            after[span.clone()].copy_from_slice(&before[span]);
        }
    }
}

/// Zeroes what lies past each sample's end in a series of steps that starts at step `first`.
pub fn clear_past_end<T: Copy + Default>(steps: &mut [T], lengths: &[usize], first: usize, size: usize) {
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

/// Copies a sequence, with zeros past each sample's end: padding may hold anything, NaN among it.
pub fn without_padding<M: Flat>(xs: &[M], lengths: &[usize], clean: &mut Series<M>)
where
    M::Scalar: Default,
{
    clean.resize(xs.len());
    let flat = clean.flat_mut(0..xs.len());
    flat.copy_from_slice(M::flat_all(xs));
    clear_past_end(flat, lengths, 0, M::LEN / lengths.len().max(1));
}

/// Before a step backward: keeps the carry, and hides it from the samples that had ended, so that the step hands them
/// no cotangent.
pub fn hold<M: Flat>(held: &mut Series<M>, carry: &mut Series<M>, index: usize, lengths: &[usize], t: usize)
where
    M::Scalar: Default,
{
    held.resize(1);
    let now = carry.flat_mut(index..index + 1);
    held.flat_mut(0..1).copy_from_slice(now);
    clear_past_end(now, lengths, t, M::LEN / lengths.len().max(1));
}

/// After a step backward: the samples that had ended hand on the carry as it was.
pub fn restore<M: Flat>(held: &Series<M>, carry: &mut Series<M>, index: usize, lengths: &[usize], t: usize) {
    freeze(held.flat(0..1), carry.flat_mut(index..index + 1), lengths, t);
}

/// After a chunk backward whose carry was computed for all steps at once: the carry that a sample was given past its end lies where
/// its last step reads it (or at the chunk's front, for the chunk before), and what lies behind is zero.
pub fn hand_over<M: Flat>(carry: &mut Series<M>, lengths: &[usize], t0: usize, t1: usize)
where
    M::Scalar: Default,
{
    let size = M::LEN / lengths.len().max(1);
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

/// Copies one block of a series to another place in it.
pub fn copy_step<M: Flat>(series: &mut Series<M>, from: usize, to: usize) {
    let size = M::LEN;
    let all = series.flat_mut(0..from.max(to) + 1);
    all.copy_within(from * size..(from + 1) * size, to * size);
}

/// What a backward pass was given must be of the length that the tape holds.
///
/// # Panics
/// If it isn't.
pub fn check_lengths(tape: usize, xs: usize, dys: usize, dxs: Option<usize>) {
    assert!(xs == tape, "the tape holds a forward pass of {tape} steps, but `xs` has {xs}");
    assert!(dys == tape || dys == 0, "the tape holds a forward pass of {tape} steps, but `dys` has {dys}");
    if let Some(dxs) = dxs {
        assert!(dxs == tape, "the tape holds a forward pass of {tape} steps, but `dxs` has {dxs}");
    }
}
