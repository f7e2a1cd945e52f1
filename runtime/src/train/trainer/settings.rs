//! The settings of a trainer.

use alloc::vec::Vec;

use super::{CheckpointedBptt, FullBptt, Slot, Trainer, TruncatedBptt};
#[cfg(feature = "quantised")]
use crate::cell::ModelMut;
use crate::cell::{Cell, IntoPass, Layer, Model};
use crate::train::optim::{Schedule, WeightNoise};

/// The settings that all forms of training share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) seed: u64,
    pub(super) parts: usize,
    pub(super) accumulate: usize,
    pub(super) clip: Option<Clip>,
    pub(super) schedule: Option<Schedule>,
}

/// A way to limit gradients.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clip {
    Norm(f64),
    Values(f64),
}

impl<L, O, C, const B: usize> Trainer<L, O, FullBptt<L, B>, C>
where
    L: Layer<B>,
{
    /// Switches to truncated backpropagation through time: an update after every `k1` steps, from
    /// cotangents that go back through `k2` steps (see
    /// [`Truncated`](crate::train::bptt::Truncated)). The loss is called for each block of steps.
    /// [`fit`](Self::fit) and [`learn`](Self::learn) call the whole function for each block, with
    /// the same random numbers.
    ///
    /// # Panics
    /// Panics if `k1` or `k2` is zero, or states are [carried](Self::carry_state) from batch to
    /// batch: blocks of a long sequence carry theirs anyway.
    #[must_use]
    #[track_caller]
    pub fn truncated(self, k1: usize, k2: usize) -> Trainer<L, O, TruncatedBptt<L, B>, C>
    where
        L: Cell<B>,
    {
        self.check_no_carry();
        self.buffers(TruncatedBptt::new(k1, k2))
    }

    /// Switches to checkpoints: exact gradients of long sequences in memory that grows with the
    /// square root of their length (see [`Checkpointed`](crate::train::bptt::Checkpointed)). The
    /// loss is called for each segment of steps, from the last to the first, and must be a sum over
    /// the steps.
    ///
    /// # Panics
    /// Panics if states are [carried](Self::carry_state) from batch to batch.
    #[must_use]
    #[track_caller]
    pub fn checkpointed(self) -> Trainer<L, O, CheckpointedBptt<L, B>, C>
    where
        L: Cell<B>,
    {
        self.check_no_carry();
        self.buffers(CheckpointedBptt::new())
    }

    #[track_caller]
    fn check_no_carry(&self) {
        let carries = self.slots.iter().any(|slot| slot.buffers.carries());
        assert!(!carries, "only full backpropagation through time carries states from batch to batch");
    }

    /// Carries the final state of each batch to the next one: consecutive windows of long streams
    /// (truncated BPTT with `k1 = k2`). Without it every batch starts from the initial state.
    #[must_use]
    pub fn carry_state(mut self) -> Self {
        for slot in &mut self.slots {
            slot.buffers.carry_state();
        }
        self
    }

    /// Returns the outputs of a batch that starts from the initial state, without learning from it.
    pub fn outputs<'a>(&mut self, pass: impl IntoPass<'a, L::Input, L::Context, B>) -> &[L::Output]
    where
        L::Input: 'a,
        L::Context: 'a,
    {
        self.slots[0].buffers.outputs(&self.model, pass.into_pass())
    }

    /// Makes the next batch start from the initial state: at the start of another stream.
    pub fn reset_state(&mut self) {
        for slot in &mut self.slots {
            slot.buffers.reset_state();
        }
    }
}

impl<M: Model, O, W, C> Trainer<M, O, W, C> {
    /// Sets the seed of all random numbers: noise, dropout, the order of samples.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Scales gradients whose norm is above `max` down to `max`.
    ///
    /// # Panics
    /// Panics if `max` is not a positive number.
    #[must_use]
    #[track_caller]
    pub fn clip_norm(mut self, max: f64) -> Self {
        assert!(max > 0.0, "gradients can't be clipped to a norm of {max}");
        self.settings.clip = Some(Clip::Norm(max));
        self
    }

    /// Clips every entry of the gradients to the range from `-max` to `max`.
    ///
    /// # Panics
    /// Panics if `max` is not a positive number.
    #[must_use]
    #[track_caller]
    pub fn clip_values(mut self, max: f64) -> Self {
        assert!(max > 0.0, "gradients can't be clipped to ±{max}");
        self.settings.clip = Some(Clip::Values(max));
        self
    }

    /// Sets the learning rate of every update by a schedule, whose steps are updates.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.settings.schedule = Some(schedule);
        self
    }

    /// Adds normally distributed noise to the weights while gradients are computed: see
    /// [`WeightNoise`].
    ///
    /// # Panics
    /// Panics if the deviation is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn weight_noise(mut self, deviation: f64) -> Self {
        self.changes.noise = Some(WeightNoise::new(deviation));
        self
    }

    /// Rounds the matrices to the format `Q` while gradients are computed, and in
    /// [`evaluate`](Self::evaluate) and validation: training for a
    /// [quantised](crate::quantised) copy. The optimiser updates the exact weights by the gradients
    /// at the rounded ones (straight-through estimator: Bengio, Léonard & Courville 2013;
    /// [`round`](crate::quantised::round) says which matrices are rounded). [`model`](Self::model)
    /// holds the exact weights.
    #[cfg(feature = "quantised")]
    #[must_use]
    pub fn round_weights<Q: crate::quantised::Format>(mut self) -> Self
    where
        M: ModelMut,
    {
        // A weight that cannot be rounded is not finite, which the loss shows.
        self.changes.round = Some(|model| _ = crate::quantised::round::<Q>(model));
        self
    }

    /// Sets how many batches an update averages: a large batch in little memory.
    ///
    /// # Panics
    /// Panics if `batches` is zero.
    #[must_use]
    #[track_caller]
    pub fn accumulate(mut self, batches: usize) -> Self {
        assert!(batches > 0, "an update needs the gradient of at least one batch");
        self.settings.accumulate = batches;
        self
    }

    /// Sets the number of parts of a batch. Each has buffers of its own, and the
    /// [workers](super::Workers) compute them. The result never depends on the workers. It depends
    /// on the number of parts only by rounding if the loss is a mean over the samples. A mean over
    /// the steps of samples of different lengths ([`every_step`](super::Outputs::every_step)) is
    /// taken in each part, and the parts count by their numbers of samples.
    ///
    /// # Panics
    /// Panics if `parts` is zero.
    #[must_use]
    #[track_caller]
    pub fn parts(mut self, parts: usize) -> Self {
        assert!(parts > 0, "a batch must have at least one part");
        self.settings.parts = parts;
        self
    }

    /// Lets `workers` compute the parts of a batch.
    #[must_use]
    pub fn workers<D>(self, workers: D) -> Trainer<M, O, W, D> {
        let Trainer { model, optimiser, settings, changes, gradients, counts, slots, total, .. } = self;
        Trainer { model, optimiser, workers, settings, changes, gradients, counts, slots, total }
    }

    fn buffers<V>(self, buffers: V) -> Trainer<M, O, V, C> {
        let Trainer { model, optimiser, workers, settings, changes, gradients, counts, total, .. } = self;
        let slots = Vec::from([Slot::new(buffers)]);
        Trainer { model, optimiser, workers, settings, changes, gradients, counts, slots, total }
    }
}
