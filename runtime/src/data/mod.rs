//! Batches made of samples: padded sequences of different lengths, and long series cut into
//! streams.
//!
//! | function | result |
//! | --- | --- |
//! | [`pad`], [`streams`] | a batch of sequences, a series cut into streams; for vectors, indices, inputs of any cell |
//! | [`by_length`], [`window`], [`reverse`], [`clear_past_end`] | work on batches of different lengths |
//! | [`memory`], [`memory_backward`] | an encoder's outputs as a memory for attention |
//! | [`every_kth`], [`stack_steps`] | a sequence of fewer steps; each has its backward |
//!
//! A batch is time-major, one sample per column: `xs[t]` holds step `t` of every sample, and
//! `lengths[b]` is the number of steps of sample `b`. `forward` and `backward` take both. Past its
//! end a sample keeps its state, its outputs are zero, and it has no cotangents. The padding may
//! hold any value, NaN included, and changes no result. The same holds for the inputs and the
//! context of a sample of length 0.

use alloc::vec::Vec;
use core::array;

use nalgebra::{ComplexField, SMatrix, SVector};

use crate::Scalar;
use crate::types::sample::Sample;
use crate::types::varying::Varying;

mod rate;

pub use rate::{every_kth, every_kth_backward, stack_steps, stack_steps_backward};

/// The steps of several samples and the length of each.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch<X, const B: usize> {
    /// `xs[t]` is step `t` of every sample.
    pub xs: Vec<X>,
    /// The number of steps of each sample; 0 for unused columns.
    pub lengths: [usize; B],
}

/// The mean and the standard deviation of each entry of vectors, to standardise them.
///
/// ```
/// use nalgebra::Vector2;
/// use rnn_cell::data::Standard;
///
/// let standard = Standard::of(&[Vector2::new(1.0, 5.0), Vector2::new(3.0, 5.0)]);
/// assert_eq!(standard.apply(&Vector2::new(3.0, 5.0)), Vector2::new(1.0, 0.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standard<T, const N: usize> {
    /// The mean of each entry.
    pub mean: SVector<T, N>,
    /// The standard deviation of each entry.
    pub deviation: SVector<T, N>,
}

impl<T: Scalar, const N: usize> Standard<T, N> {
    /// Computes the mean and the standard deviation over all vectors: those of the training set.
    pub fn of<'a>(vectors: impl IntoIterator<Item = &'a SVector<T, N>>) -> Self {
        // The sums of differences from the running mean (Welford 1962) lose no digits.
        let (mut count, mut mean, mut squares) = (0.0, [0.0; N], [0.0; N]);
        for vector in vectors {
            count += 1.0;
            for ((x, mean), square) in vector.iter().zip(&mut mean).zip(&mut squares) {
                let difference = x.as_f64() - *mean;
                *mean += difference / count;
                *square += difference * (x.as_f64() - *mean);
            }
        }
        let deviation = |row: usize| ComplexField::sqrt(squares[row] / f64::max(count, 1.0));
        Standard {
            mean: SVector::from_fn(|row, _| T::of(mean[row])),
            deviation: SVector::from_fn(|row, _| T::of(deviation(row))),
        }
    }

    /// Returns the vector with mean 0 and standard deviation 1. An entry that never varied stays
    /// unscaled.
    #[must_use]
    pub fn apply(&self, vector: &SVector<T, N>) -> SVector<T, N> {
        vector.zip_zip_map(&self.mean, &self.deviation, |x, mean, deviation| {
            if deviation > T::zero() { (x - mean) / deviation } else { x - mean }
        })
    }
}

/// Creates a batch of sequences. It has as many steps as the longest sequence; the shorter ones are
/// padded with zeros.
///
/// A step of a sequence is any [`Sample`]: a vector, a number, an index, the inputs of a cell, or a
/// tuple. With fewer than `B` samples (the last batch of an epoch) the remaining columns have
/// length 0.
///
/// ```
/// use nalgebra::{Matrix1x2, Vector1};
/// use rnn_cell::data::pad;
///
/// let samples = [vec![Vector1::new(1.0)], vec![Vector1::new(2.0), Vector1::new(3.0)]];
/// let batch = pad::<_, 2>(&samples);
/// assert_eq!(batch.xs, [Matrix1x2::new(1.0, 2.0), Matrix1x2::new(0.0, 3.0)]);
/// assert_eq!(batch.lengths, [1, 2]);
/// ```
///
/// Several inputs, one of them an index:
/// ```
/// use rnn_cell::data::pad;
/// use rnn_cell::prelude::*;
///
/// rnn_cell! {
///     cell Speaker<I, S, H> {
///         input x: [I], speaker: one_hot[S];
///         state h: [H];
///         param W: [H, I], V: [H, S], U: [H, H];
///
///         h = tanh(W @ x + V @ speaker + U @ h[t-1]);
///
///         output h;
///     }
/// }
///
/// let frame = |speaker| SpeakerInput { x: SVector::<f32, 2>::repeat(0.5), speaker: [speaker] };
/// let batch = pad::<_, 3>(&[vec![frame(7); 4], vec![frame(3); 2]]);
/// assert_eq!(batch.xs[0].speaker, [7, 3, 0]);
///
/// let cell = Speaker::<2, 10, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let ys = cell.run(&batch, &mut cell.zero_state());
/// assert_eq!(ys.len(), 4);
/// ```
///
/// # Panics
/// Panics if there are more than `B` samples.
pub fn pad<S: Sample<B>, const B: usize>(samples: &[impl AsRef<[S]>]) -> Batch<S::Batch, B> {
    let lengths = lengths(samples.iter().map(|sample| sample.as_ref().len()));
    let step =
        |t: usize| array::from_fn(|column| samples.get(column).and_then(|sample| sample.as_ref().get(t)));
    Batch { xs: (0..longest(&lengths)).map(|t| S::batch(step(t))).collect(), lengths }
}

/// Cuts one long series into `B` streams of `series.len() / B` steps, side by side. The remainder
/// at the end is dropped. A step is any [`Sample`].
///
/// This is for truncated backpropagation through time, which carries the state from each block of
/// steps to the next: [`Truncated`](crate::train::bptt::Truncated), or [`chunks`](slice::chunks).
pub fn streams<S: Sample<B>, const B: usize>(series: &[S]) -> Vec<S::Batch> {
    let steps = series.len().checked_div(B).unwrap_or(0);
    (0..steps).map(|t| S::batch(array::from_fn(|column| Some(&series[column * steps + t])))).collect()
}

/// Returns the part of each length that lies in the window of `steps` steps starting at `start`.
pub fn window<const B: usize>(lengths: [usize; B], start: usize, steps: usize) -> [usize; B] {
    lengths.map(|length| length.saturating_sub(start).min(steps))
}

/// Returns the number of steps of each sample of a sequence of `steps` steps.
pub(crate) fn ends<const B: usize>(steps: usize, lengths: Option<[usize; B]>) -> [usize; B] {
    lengths.map_or([steps; B], |lengths| lengths.map(|length| length.min(steps)))
}

/// Reverses a sequence in time. With `lengths` each sample is reversed on its own, so that it
/// starts with its own last step; the padding stays in place.
pub fn reverse<T, X: Varying<T>, const B: usize>(xs: &mut [X], lengths: Option<[usize; B]>) {
    let Some(lengths) = lengths else {
        xs.reverse();
        return;
    };
    for (sample, length) in lengths.iter().enumerate() {
        let end = xs.len().min(*length);
        let mut rest = &mut xs[..end];
        while let [first, between @ .., last] = rest {
            first.swap_sample(last, sample, B);
            rest = between;
        }
    }
}

/// Sets the padding of each sample to zero. Without `lengths` there is none.
pub fn clear_past_end<T: Scalar, X: Varying<T>, const B: usize>(xs: &mut [X], lengths: Option<[usize; B]>) {
    for (sample, length) in lengths.into_iter().flatten().enumerate() {
        for x in xs.iter_mut().skip(length) {
            x.sample_mut(sample, B, &mut |x| *x = T::zero());
        }
    }
}

/// Returns the indices of samples in the order of their lengths, so that batches of neighbours need
/// little padding. Samples of equal length keep their order. Shuffle the samples before and the
/// batches after, and an epoch is still random.
pub fn by_length(lengths: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let lengths: Vec<usize> = lengths.into_iter().collect();
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&sample| lengths[sample]);
    order
}

/// Writes an encoder's outputs to a memory for attention: `memory[b]` has one column per step of
/// sample `b`, and `mask` is 1 at those steps.
///
/// Columns past a sample's end are zero, and so is the mask there. Without `lengths` every sample
/// ends after the last step.
///
/// ```
/// use nalgebra::{Matrix1x2, Matrix1x3, Matrix3x2, SMatrix};
/// use rnn_cell::data::memory;
///
/// let ys = [Matrix1x2::new(1.0, 2.0), Matrix1x2::new(3.0, 9.0)];
/// let (mut columns, mut mask) = ([Matrix1x3::zeros(); 2], Matrix3x2::zeros());
/// memory(&ys, Some([2, 1]), &mut columns, &mut mask);
/// assert_eq!(columns, [Matrix1x3::new(1.0, 3.0, 0.0), Matrix1x3::new(2.0, 0.0, 0.0)]);
/// assert_eq!(mask, SMatrix::from([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]));
/// ```
///
/// # Panics
/// Panics if a sample has more than `S` steps.
#[track_caller]
pub fn memory<T: Scalar, const E: usize, const S: usize, const B: usize>(
    ys: &[SMatrix<T, E, B>],
    lengths: Option<[usize; B]>,
    memory: &mut [SMatrix<T, E, S>; B],
    mask: &mut SMatrix<T, S, B>,
) {
    for (sample, memory) in memory.iter_mut().enumerate() {
        let length = memory_length::<S, B>(ys.len(), lengths, sample);
        for step in 0..S {
            let inside = step < length;
            mask[(step, sample)] = if inside { T::one() } else { T::zero() };
            if inside {
                memory.set_column(step, &ys[step].column(sample));
            } else {
                memory.column_mut(step).fill(T::zero());
            }
        }
    }
}

/// Computes the cotangents of an encoder's outputs from the cotangent of its [`memory`].
///
/// `dys` becomes the gradient with respect to the outputs of `steps` steps, zero past a sample's
/// end. Its allocation is reused.
///
/// # Panics
/// Panics if a sample has more than `S` steps.
#[track_caller]
pub fn memory_backward<T: Scalar, const E: usize, const S: usize, const B: usize>(
    dmemory: &[SMatrix<T, E, S>; B],
    steps: usize,
    lengths: Option<[usize; B]>,
    dys: &mut Vec<SMatrix<T, E, B>>,
) {
    dys.clear();
    dys.resize(steps, SMatrix::zeros());
    for (sample, dmemory) in dmemory.iter().enumerate() {
        let length = memory_length::<S, B>(steps, lengths, sample);
        for (step, dy) in dys[..length].iter_mut().enumerate() {
            dy.set_column(sample, &dmemory.column(step));
        }
    }
}

/// Returns the number of steps of a sample in a memory of `S` columns.
#[track_caller]
fn memory_length<const S: usize, const B: usize>(
    steps: usize,
    lengths: Option<[usize; B]>,
    sample: usize,
) -> usize {
    let length = lengths.map_or(steps, |lengths| lengths[sample].min(steps));
    assert!(length <= S, "{length} steps of sample {sample} do not fit into a memory of {S}");
    length
}

fn lengths<const B: usize>(samples: impl ExactSizeIterator<Item = usize>) -> [usize; B] {
    assert!(samples.len() <= B, "{} samples do not fit into a batch of {B}", samples.len());
    let mut lengths = [0; B];
    for (entry, length) in lengths.iter_mut().zip(samples) {
        *entry = length;
    }
    lengths
}

fn longest(lengths: &[usize]) -> usize {
    lengths.iter().copied().max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use nalgebra::{Matrix2, Matrix2x3, Vector1, Vector2};

    use super::*;

    #[test]
    fn samples_become_columns() {
        let samples = [vec![Vector2::new(1.0, 2.0)], vec![Vector2::new(3.0, 4.0), Vector2::new(5.0, 6.0)]];
        let batch = pad::<_, 3>(&samples);
        assert_eq!(batch.lengths, [1, 2, 0]);
        assert_eq!(
            batch.xs,
            [Matrix2x3::new(1.0, 3.0, 0.0, 2.0, 4.0, 0.0), Matrix2x3::new(0.0, 5.0, 0.0, 0.0, 6.0, 0.0)]
        );
        assert!(pad::<Vector2<f32>, 3>(&[[]; 0]).xs.is_empty());
    }

    #[test]
    fn samples_of_indices_become_columns() {
        let batch = pad::<u32, 2>(&[&[4, 5, 6][..], &[7]]);
        assert_eq!((batch.xs, batch.lengths), (vec![[4, 7], [5, 0], [6, 0]], [3, 1]));
    }

    #[test]
    #[should_panic(expected = "3 samples do not fit into a batch of 2")]
    fn too_many_samples_panic() {
        pad::<u32, 2>(&[[1], [2], [3]]);
    }

    #[test]
    fn streams_are_consecutive_parts_of_the_series() {
        let series: Vec<_> = (0..7).map(|t| Vector1::new(f64::from(t))).collect();
        let xs = streams::<_, 3>(&series);
        assert_eq!(
            xs.iter().map(|x| x.as_slice().to_vec()).collect::<Vec<_>>(),
            [[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]
        );
        assert_eq!(streams::<u32, 2>(&[1, 2, 3, 4, 5]), [[1, 3], [2, 4]]);
        assert!(streams::<u32, 2>(&[1]).is_empty());
    }

    #[test]
    fn memory_backward_reverses_memory() {
        let ys = [Matrix2x3::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), Matrix2x3::repeat(7.0)];
        let (mut columns, mut mask) = ([Matrix2::repeat(9.0); 3], Matrix2x3::repeat(9.0));
        memory(&ys, Some([2, 0, 1]), &mut columns, &mut mask);
        assert_eq!(
            columns,
            [Matrix2::new(1.0, 7.0, 4.0, 7.0), Matrix2::zeros(), Matrix2::new(3.0, 0.0, 6.0, 0.0)]
        );
        assert_eq!(mask, Matrix2x3::new(1.0, 0.0, 1.0, 1.0, 0.0, 0.0));
        let mut dys = vec![Matrix2x3::repeat(9.0)];
        memory_backward(&columns, 3, Some([2, 0, 1]), &mut dys);
        assert_eq!(
            dys,
            [
                Matrix2x3::new(1.0, 0.0, 3.0, 4.0, 0.0, 6.0),
                Matrix2x3::new(7.0, 0.0, 0.0, 7.0, 0.0, 0.0),
                Matrix2x3::zeros()
            ]
        );
    }

    #[test]
    #[should_panic(expected = "3 steps of sample 0 do not fit into a memory of 2")]
    fn a_memory_that_is_too_small_panics() {
        let ys = [Vector1::new(1.0); 3];
        memory(&ys, None, &mut [Vector2::zeros().transpose()], &mut Vector2::zeros());
    }

    #[test]
    #[should_panic(expected = "3 steps of sample 1 do not fit into a memory of 2")]
    fn cotangents_of_a_memory_that_is_too_small_panic() {
        memory_backward(&[Matrix2::<f64>::zeros(); 2], 3, Some([1, 3]), &mut Vec::new());
    }

    #[test]
    fn lengths_are_limited_to_the_sequence() {
        let ys = [Matrix2x3::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0)];
        let (mut columns, mut mask) = ([Matrix2::zeros(); 3], Matrix2x3::zeros());
        memory(&ys, Some([9, 1, 0]), &mut columns, &mut mask);
        let mut dys = Vec::new();
        memory_backward(&columns, 1, Some([9, 1, 0]), &mut dys);
        assert_eq!(dys, [Matrix2x3::new(1.0, 2.0, 0.0, 4.0, 5.0, 0.0)]);
    }

    #[test]
    fn windows_cut_the_lengths() {
        assert_eq!(window([10, 4, 6, 0], 4, 4), [4, 0, 2, 0]);
    }

    #[test]
    fn samples_are_reversed_on_their_own() {
        let mut xs: Vec<[u32; 4]> = vec![[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]];
        reverse::<f32, _, 4>(&mut xs, Some([3, 2, 0, 9]));
        assert_eq!(xs, [[8, 5, 2, 11], [4, 1, 6, 7], [0, 9, 10, 3]]);
        reverse::<f32, _, 4>(&mut xs, None);
        assert_eq!(xs, [[0, 9, 10, 3], [4, 1, 6, 7], [8, 5, 2, 11]]);
    }

    #[test]
    fn padding_is_cleared() {
        let mut xs = vec![Matrix2x3::repeat(1.0_f32); 2];
        clear_past_end(&mut xs, Some([0, 1, 5]));
        assert_eq!(
            xs,
            [Matrix2x3::new(0.0, 1.0, 1.0, 0.0, 1.0, 1.0), Matrix2x3::new(0.0, 0.0, 1.0, 0.0, 0.0, 1.0)]
        );
    }

    #[test]
    fn neighbours_have_nearly_the_same_length() {
        assert_eq!(by_length([7, 3, 7, 1]), [3, 1, 0, 2]);
    }
}
