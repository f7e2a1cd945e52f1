//! Earlier values in passes over sequences. A series of a recorded value begins with the values
//! before the first step; `front` is their number, so block `t + front` belongs to step `t`.

use super::sequences::{Series, freeze, last_step};
use crate::Scalar;
use crate::kernels::plain::{Flat, copy};
use crate::types::rings::{Ring, Steps};
use core::ops::Range;

fn end<const B: usize>(lengths: Option<&[usize; B]>, steps: usize, sample: usize) -> usize {
    lengths.map_or(steps, |lengths| lengths[sample].min(steps))
}

fn of_sample<S>(block: &[S], size: usize, sample: usize) -> &[S] {
    &block[sample * size..(sample + 1) * size]
}

fn of_sample_mut<S>(block: &mut [S], size: usize, sample: usize) -> &mut [S] {
    &mut block[sample * size..(sample + 1) * size]
}

/// Loads values before the first step from a ring, whose latest value becomes block `end - 1`.
/// Loads only the values that `steps` steps read with these delays. A ring that a window reads has
/// no delays, and all its values are loaded.
pub fn load_past<
    W: Flat,
    V: Flat<Scalar = W::Scalar>,
    const B: usize,
    const C: usize,
    const N: usize,
    const M: usize,
>(
    series: &mut Series<W>,
    ring: &Ring<V, B, C, N, M>,
    (end, steps): (usize, usize),
    delays: &[usize],
) {
    let front = Ring::<V, B, C, N, M>::DEPTH;
    if delays.is_empty() {
        load_blocks(series, ring, end, 0..end);
    }
    let mut loaded = end;
    for delay in delays {
        // Delays that are closer to each other than the sequence is long read the same values.
        let first = front - delay;
        let blocks = first..(first + steps).min(loaded);
        loaded = first;
        load_blocks(series, ring, end, blocks);
    }
}

/// Loads some blocks of a series from a ring, whose latest value is block `end - 1`.
fn load_blocks<
    W: Flat,
    V: Flat<Scalar = W::Scalar>,
    const B: usize,
    const C: usize,
    const N: usize,
    const M: usize,
>(
    series: &mut Series<W>,
    ring: &Ring<V, B, C, N, M>,
    end: usize,
    blocks: Range<usize>,
) {
    if blocks.is_empty() {
        return;
    }
    if ring.is_aligned() {
        let [older, newer] = ring.consecutive(end - blocks.start, blocks.len());
        let middle = blocks.start + older.len();
        copy(series.flat_mut(blocks.start..middle), V::flat_all(older));
        copy(series.flat_mut(middle..blocks.end), V::flat_all(newer));
        return;
    }
    let size = W::LEN / B.max(1);
    for block in blocks {
        for sample in 0..B {
            let to = series.step_mut(block).flat_mut();
            copy(of_sample_mut(to, size, sample), ring.get(end - block, sample));
        }
    }
}

/// Moves a ring to the end of a sequence. A sample of a ragged batch has its own end. Block
/// `first - 1` was the latest value at the start.
pub fn save_past<
    W: Flat,
    V: Flat<Scalar = W::Scalar>,
    const B: usize,
    const C: usize,
    const N: usize,
    const M: usize,
>(
    series: &Series<W>,
    ring: &mut Ring<V, B, C, N, M>,
    first: usize,
    lengths: Option<&[usize; B]>,
    steps: usize,
) {
    let size = W::LEN / B.max(1);
    if lengths.is_none() && ring.is_aligned() {
        (0..B).for_each(|sample| ring.advance(sample, steps));
        let count = steps.min(Ring::<V, B, C, N, M>::DEPTH);
        if count > 0 {
            let [older, newer] = ring.consecutive_mut(count, count);
            let end = first + steps;
            let middle = end - newer.len();
            copy(V::flat_all_mut(older), series.flat(end - count..middle));
            copy(V::flat_all_mut(newer), series.flat(middle..end));
        }
        return;
    }
    for sample in 0..B {
        let steps = end(lengths, steps, sample);
        ring.advance(sample, steps);
        for age in 1..=steps.min(Ring::<V, B, C, N, M>::DEPTH) {
            let block = series.step(first + steps - age).flat();
            copy(ring.get_mut(age, sample), of_sample(block, size, sample));
        }
    }
}

/// Copies some blocks of a series to another series. Each series has its own first position.
#[inline(always)]
pub fn copy_past<W: Flat>(
    (from, first): (&Series<W>, usize),
    (to, start): (&mut Series<W>, usize),
    count: usize,
) {
    copy(to.flat_mut(start..start + count), from.flat(first..first + count));
}

/// Counts the steps of a sequence.
pub fn count_steps<const B: usize>(count: &mut Steps<B>, lengths: Option<&[usize; B]>, steps: usize) {
    for sample in 0..B {
        count.advance(sample, end(lengths, steps, sample));
    }
}

/// Fills a series of cotangents with those of the values in the final state, and zero elsewhere.
/// Block `DEPTH - 1` belongs to the latest value before the first step.
pub fn load_past_bars<
    W: Flat,
    V: Flat<Scalar = W::Scalar>,
    const B: usize,
    const C: usize,
    const N: usize,
    const M: usize,
>(
    bars: &mut Series<W>,
    ring: Option<&Ring<V, B, C, N, M>>,
    lengths: Option<&[usize; B]>,
    steps: usize,
) where
    W::Scalar: Scalar,
{
    bars.fill_zero(0..bars.len());
    let (Some(ring), size) = (ring, W::LEN / B.max(1)) else { return };
    let depth = Ring::<V, B, C, N, M>::DEPTH;
    for sample in 0..B {
        let steps = end(lengths, steps, sample);
        for age in 1..=depth {
            let block = bars.step_mut(steps + depth - age).flat_mut();
            copy(of_sample_mut(block, size, sample), ring.get(age, sample));
        }
    }
}

/// Stores the cotangents of the values before the first step.
pub fn store_past_bars<
    W: Flat,
    V: Flat<Scalar = W::Scalar>,
    const B: usize,
    const C: usize,
    const N: usize,
    const M: usize,
>(
    bars: &Series<W>,
    ring: &mut Ring<V, B, C, N, M>,
) {
    let size = W::LEN / B.max(1);
    let depth = Ring::<V, B, C, N, M>::DEPTH;
    for age in 1..=depth {
        for sample in 0..B {
            copy(ring.get_mut(age, sample), of_sample(bars.step(depth - age).flat(), size, sample));
        }
    }
}

/// Adds the cotangents of a delayed value at consecutive steps to those of the values `delay` steps
/// earlier. `first` is the block of the first of these steps.
#[inline(always)]
pub fn push_delay<W: Flat>(bars: &mut Series<W>, from: &[W::Scalar], first: usize, delay: usize)
where
    W::Scalar: Scalar,
{
    let count = from.len() / W::LEN.max(1);
    let start = first - delay;
    super::add_into(bars.flat_mut(start..start + count), from);
}

/// Adds the cotangents of windows at consecutive steps to those of their values, without the
/// present ones. `first` is the block of the first step. The windows of `heads` heads follow each
/// other.
#[inline(always)]
pub fn push_window<W: Flat, const B: usize>(
    bars: &mut Series<W>,
    from: &[W::Scalar],
    first: usize,
    (heads, entries, spacing): (usize, usize, usize),
) where
    W::Scalar: Scalar,
{
    let size = W::LEN / (B * heads).max(1);
    if size * entries * heads == 0 {
        return;
    }
    for (column, window) in from.chunks_exact(size * entries).enumerate() {
        let (step, vector) = (column / (B * heads), column % (B * heads));
        for index in 1..entries {
            let block = bars.step_mut(first + step - (entries - index) * spacing).flat_mut();
            let value = &window[(index - 1) * size..index * size];
            super::add_into(of_sample_mut(block, size, vector), value);
        }
    }
}

/// The position of the steps that a group of a pass computes.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a, const B: usize> {
    /// The first step.
    pub first: usize,
    /// The number of steps of the sequence.
    pub steps: usize,
    /// The number of steps of each sample, where padding is to be replaced by the last step.
    pub lengths: Option<&'a [usize; B]>,
}

impl<const B: usize> Span<'_, B> {
    /// Writes the masks of windows at consecutive steps. `before` is the number of steps of each
    /// sample before the sequence.
    #[inline(always)]
    pub fn present<T: Scalar>(&self, to: &mut [T], (entries, spacing): (usize, usize), before: &[u32; B]) {
        if entries == 0 {
            return;
        }
        for (column, to) in to.chunks_exact_mut(entries).enumerate() {
            let (step, sample) = self.source(column / B, column % B);
            super::present(to, spacing, before[sample] as usize + step);
        }
    }

    /// Returns the step and the sample whose values replace those of a step of a sample.
    #[inline(always)]
    fn source(&self, index: usize, sample: usize) -> (usize, usize) {
        let step = self.first + index;
        match self.lengths {
            Some(lengths) if step >= lengths[sample] => {
                last_step(lengths, self.steps, sample).unwrap_or((step, sample))
            }
            _ => (step, sample),
        }
    }
}

/// Copies the windows of consecutive steps, the columns of `to`, from a series with all blocks
/// before the present ones. A value of a sample has `size` scalars for each of `heads` heads, whose
/// windows follow each other, and `now` holds the present ones.
#[inline(always)]
pub fn windows<T: Copy, const B: usize>(
    to: &mut [T],
    (series, front): (&[T], usize),
    now: &[T],
    (heads, size): (usize, usize),
    (entries, spacing): (usize, usize),
    span: Span<'_, B>,
) {
    if size * entries * heads == 0 {
        return;
    }
    for (column, (to, now)) in to.chunks_exact_mut(size * entries).zip(now.chunks_exact(size)).enumerate() {
        let (sample, head) = (column / heads % B, column % heads);
        let (step, sample) = span.source(column / (heads * B), sample);
        for index in 1..entries {
            let block = step + front - (entries - index) * spacing;
            let from = ((block * B + sample) * heads + head) * size;
            copy(&mut to[(index - 1) * size..index * size], &series[from..from + size]);
        }
        copy(&mut to[(entries - 1) * size..], now);
    }
}

/// Copies the values that a step reads from an earlier one, at the steps `t0..t1`, to `before`. For
/// a padded step it copies the value of the sample's last step. Block `t + shift` of the series is
/// read at step `t`.
pub fn past_before<W: Flat, const B: usize>(
    series: &Series<W>,
    before: &mut Series<W>,
    lengths: Option<&[usize; B]>,
    (t0, t1): (usize, usize),
    (shift, steps): (usize, usize),
) {
    let Some(lengths) = lengths else { return };
    let size = W::LEN / B.max(1);
    before.resize(t1 - t0);
    before.flat_mut(0..t1 - t0).copy_from_slice(series.flat(t0 + shift..t1 + shift));
    for (sample, length) in lengths.iter().enumerate() {
        let Some((last, of)) = last_step(lengths, steps, sample) else { return };
        for t in (*length).max(t0)..t1 {
            let from = of_sample(series.flat_step(last + shift), size, of);
            copy(of_sample_mut(before.flat_step_mut(t - t0), size, sample), from);
        }
    }
}

/// Restores the state of every sample that ended before step `t`. Block `t + front` is the state
/// after step `t`.
#[inline]
pub fn freeze_step<W: Flat, const B: usize>(
    states: &mut Series<W>,
    lengths: Option<&[usize; B]>,
    t: usize,
    front: usize,
) {
    if let Some(lengths) = lengths {
        let (before, after) = states.flat_pair(t + front - 1);
        freeze(before, after, lengths, t);
    }
}
