//! One part of a batch, as the function that computes its loss sees it.

use super::{
    Bptt, FullBptt, Outputs, Scores, Slot,
    scores::{Metrics, set_metric},
};
use crate::cell::{IntoPass, Layer, Model};
use crate::inspect::finite::Fault;
use crate::rng::{SeedableRng, Xoshiro256PlusPlus};

/// The reason why a part is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Train,
    /// The loss alone.
    Evaluate,
    /// The search for the first value that is not finite, in a repetition of a computation whose
    /// loss or gradient was not.
    Inspect,
}

/// A part of a batch: the samples, the model, and the buffers of its passes.
///
/// A function that a trainer calls computes the mean loss of the samples and, in training, adds its
/// gradients. For a layer [`sequence`](Self::sequence) does both. `S` is the type of a sample, `W`
/// that of the buffers.
pub struct Part<'a, M: Model, S, W> {
    /// The model.
    pub model: &'a M,
    /// The samples, at most [`Buffers::SAMPLES`](super::Buffers::SAMPLES).
    pub samples: &'a [&'a S],
    /// A generator for noise on the data. It depends only on the trainer's seed and the numbers of
    /// the batch and the part.
    pub rng: Xoshiro256PlusPlus,
    /// The buffers, which are reused.
    pub buffers: &'a mut W,
    /// The gradients, to add to; `None` when the loss alone is wanted.
    pub gradients: Option<&'a mut M::Gradients>,
    metrics: Metrics,
    mode: Mode,
    seed: u64,
    fault: Option<Fault>,
    has_more: bool,
}

/// A part of a batch for the layer `L`, with samples of type `S`.
pub type LayerPart<'a, L, S, const B: usize> = Part<'a, L, S, FullBptt<L, B>>;

impl<M: Model, S, W> Part<'_, M, S, W> {
    /// Returns whether this is training, with gradients, noise and dropout.
    pub fn is_training(&self) -> bool {
        self.mode != Mode::Evaluate
    }

    /// Returns a value for each sample, such as its class; `V::default()` for missing samples.
    ///
    /// # Panics
    /// Panics if there are more than `B` samples.
    #[track_caller]
    pub fn labels<V: Default, const B: usize>(&self, label: impl Fn(&S) -> V) -> [V; B] {
        let count = self.samples.len();
        assert!(count <= B, "{count} samples do not fit into a batch of {B}");
        core::array::from_fn(|sample| {
            self.samples.get(sample).map_or_else(V::default, |sample| label(sample))
        })
    }

    /// Reports a metric beside the loss: its mean over the samples of the part. Every part must
    /// report the same metrics in the same order.
    ///
    /// # Panics
    /// Panics if there are more metrics than [`Scores::METRICS`], or the name is empty or `loss`.
    #[track_caller]
    pub fn metric(&mut self, name: &'static str, mean: f64) {
        set_metric(&mut self.metrics, name, mean);
    }

    /// Runs a sequence and returns its loss, which `loss` computes from the [outputs](Outputs). In
    /// training, pulls the cotangents that `loss` wrote back through time and adds the gradients.
    pub fn sequence<'p, const B: usize>(
        &mut self,
        pass: impl IntoPass<'p, M::Input, M::Context, B>,
        loss: impl FnMut(&mut Outputs<'_, M, B>) -> f64,
    ) -> f64
    where
        M: Layer<B, Input: 'p, Context: 'p>,
        W: Bptt<M, B>,
    {
        let pass = pass.into_pass();
        match (self.mode, self.gradients.as_deref_mut()) {
            (Mode::Train, Some(gradients)) => {
                let (value, has_more) = self.buffers.train(self.model, pass, self.seed, gradients, loss);
                self.has_more |= has_more;
                value
            }
            (Mode::Inspect, _) => {
                let (value, fault) = self.buffers.inspect(self.model, pass, self.seed, loss);
                self.fault = self.fault.take().or(fault);
                value
            }
            _ => self.buffers.evaluate(self.model, pass, loss),
        }
    }
}

/// Computes one part and keeps its results in `slot`.
pub(super) fn compute<M: Model, S, W>(
    model: &M,
    samples: &[&S],
    seed: u64,
    mode: Mode,
    slot: &mut Slot<M, W>,
    gradients: Option<&mut M::Gradients>,
    work: &mut dyn FnMut(&mut Part<'_, M, S, W>) -> f64,
) {
    let mut part = Part {
        model,
        samples,
        rng: Xoshiro256PlusPlus::seed_from_u64(seed),
        buffers: &mut slot.buffers,
        gradients,
        metrics: Default::default(),
        mode,
        seed,
        fault: None,
        has_more: false,
    };
    let loss = work(&mut part);
    let Part { metrics, fault, has_more, .. } = part;
    slot.scores = Scores::new(samples.len().max(1), loss, metrics);
    (slot.fault, slot.has_more) = (fault, has_more);
}
