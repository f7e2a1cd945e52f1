//! The outputs of a layer, as a loss sees them.

use core::ops::Range;

use crate::Scalar;
use crate::cell::{Layer, Model};
use crate::data::window;
use crate::train::loss;

/// The outputs of a pass, and the place for their cotangents.
///
/// A loss uses one of the methods, or reads [`ys`](Self::ys) and writes [`dys`](Self::dys) itself.
pub struct Outputs<'a, L: Layer<B>, const B: usize> {
    /// The outputs of the steps in [`steps`](Self::steps).
    pub ys: &'a [L::Output],
    /// The cotangents of `ys`, zero before the loss sets them.
    pub dys: &'a mut [L::Output],
    /// The steps of the sequence that `ys` covers: all of them, or one block or segment.
    pub steps: Range<usize>,
    /// The number of steps of each sample in the whole sequence.
    pub lengths: [usize; B],
    /// The steps over which [`every_step`](Self::every_step) takes its mean.
    pub(super) mean_over: Range<usize>,
}

impl<L: Layer<B>, const B: usize> Outputs<'_, L, B> {
    /// Computes a loss at every step: the mean over all steps within the samples' lengths.
    ///
    /// `step(t, y, weights)` returns the loss of step `t` of the sequence and its gradient with
    /// respect to the output `y`. It is one of the weighted [losses](crate::train::loss). With
    /// truncated BPTT the mean is over a block.
    pub fn every_step<T: Scalar>(
        &mut self,
        mut step: impl FnMut(usize, &L::Output, &[T; B]) -> (T, L::Output),
    ) -> f64 {
        let lengths = self.lengths;
        let counted = window(lengths, self.mean_over.start, self.mean_over.len());
        let weight = T::of(1.0 / counted.iter().sum::<usize>().max(1) as f64);
        self.sum(|t, y| step(t, y, &lengths.map(|length| if t < length { weight } else { T::zero() })))
    }

    /// Computes the sum of a loss over the steps. `step(t, y)` returns the loss of step `t` of the
    /// sequence and its gradient with respect to the output `y`; it must return zeros for samples
    /// that have ended.
    pub fn sum<T: Scalar>(&mut self, mut step: impl FnMut(usize, &L::Output) -> (T, L::Output)) -> f64 {
        let mut sum = T::zero();
        for ((t, y), dy) in self.steps.clone().zip(self.ys).zip(&mut *self.dys) {
            let (loss, gradient) = step(t, y);
            sum += loss;
            *dy = gradient;
        }
        sum.as_f64()
    }

    /// Computes a loss at the last step of each sample: the mean over the samples that have at
    /// least one step.
    ///
    /// `last(y, weights)` returns the loss and its gradient with respect to `y`. Sample `b` of `y`
    /// is the output at the last step of that sample; its weight is zero if that step is in another
    /// block. With truncated BPTT, a block in which no sample ends has the loss 0, which counts in
    /// the mean loss of the blocks.
    pub fn last_step<T: Scalar>(&mut self, last: impl FnOnce(&L::Output, &[T; B]) -> (T, L::Output)) -> f64
    where
        L: Model<Scalar = T>,
    {
        loss::at_last_steps(self.ys, self.steps.clone(), &self.lengths, self.dys, last).as_f64()
    }
}
