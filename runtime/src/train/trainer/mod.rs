//! The training of a model: everything between a loss and an update.
//!
//! | file | contents |
//! | --- | --- |
//! | `settings` | the methods that set a trainer up |
//! | `update`, `weights` | updates on a batch, and changes of the weights for their passes |
//! | `batch`, `part`, `workers` | the parts of a batch, and the workers that compute them |
//! | `passes`, `outputs` | the forms of backpropagation through time, and the view of a loss |
//! | `fit`, `outcome`, `scores`, `log`, `events` | epochs and their results |
//! | `checkpoint` | a training run on disk |
//! | `unavailable` | errors that name a missing feature |

mod batch;
#[cfg(all(feature = "std", feature = "safetensors"))]
mod checkpoint;
mod diverged;
#[cfg(feature = "tensorboard")]
mod events;
mod fit;
#[cfg(all(feature = "std", feature = "safetensors"))]
mod log;
mod outcome;
mod outputs;
mod part;
mod passes;
mod scores;
mod settings;
#[cfg(all(feature = "std", not(feature = "safetensors")))]
mod unavailable;
mod update;
mod weights;
mod workers;

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

pub use diverged::Diverged;
pub use fit::Fit;
pub use outcome::{Epoch, Error, Outcome};
pub use outputs::Outputs;
pub use part::{LayerPart, Part};
pub use passes::{Bptt, Buffers, CheckpointedBptt, FullBptt, Samples, TruncatedBptt};
pub use scores::Scores;
#[cfg(feature = "rayon")]
pub use workers::Threads;
pub use workers::{OneThread, Workers, add_pairs, pairs};

use crate::cell::{Layer, Model};
use crate::inspect::finite::Fault;
use crate::rng::{Rng, SeedableRng, Xoshiro256PlusPlus};
use settings::Settings;
use weights::WeightChanges;

/// A model in training, with its optimiser, tapes, gradients and counters. One call of
/// [`step`](Self::step) is one update on one batch:
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::prelude::*;
/// use rnn_cell::train::loss::mean_squared_error_weighted;
/// use rnn_cell::train::{Schedule, Trainer};
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let net = Stack::new(Lstm::<1, 8>::init(&mut rng), Dense::<8, 1>::init(&mut rng));
/// let mut trainer = Trainer::new::<4>(net, Adam::new(1e-2))
///     .clip_norm(1.0)
///     .schedule(Schedule::cosine(1e-2, 100));
///
/// let wave = |t: usize| SMatrix::<f32, 1, 4>::from_fn(|_, k| (0.3 * t as f32 + k as f32).sin());
/// let xs: Vec<_> = (0..20).map(wave).collect();
/// let mut losses = Vec::new();
/// for _ in 0..100 {
///     let loss = trainer.step(&xs, |out| {
///         // Each output should predict the next input.
///         out.every_step(|t, y, weights| mean_squared_error_weighted(y, &wave(t + 1), weights))
///     })?;
///     losses.push(loss);
/// }
/// assert!(losses[99] < 0.1 * losses[0]);
/// # Ok::<(), rnn_cell::train::Diverged>(())
/// ```
///
/// | method | work |
/// | --- | --- |
/// | [`step`](Self::step) | one batch for a layer: the forward pass, the loss, the backward pass, the update |
/// | [`update`](Self::update) | the same for any model; a function computes the gradients |
/// | [`learn`](Self::learn) | the same for samples, which are divided among parts |
/// | [`fit`](Self::fit) | epochs over a set of samples, with validation, early stopping, checkpoints |
/// | [`evaluate`](Self::evaluate) | the loss over a set of samples |
///
/// # Truncated and checkpointed BPTT
/// [`truncated`](Self::truncated) and [`checkpointed`](Self::checkpointed) change the way in which
/// gradients flow back through time, and nothing else.
///
/// # Random numbers
/// The noise of an update depends only on the [seed](Self::seed) and the number of the update, and
/// the order of the samples on the seed and the number of epochs before, those of earlier calls of
/// [`fit`](Self::fit) included. A resumed run needs no saved generator.
///
/// # Several threads, several machines
/// A batch may consist of several [parts](Self::parts), each with its own tape and gradients.
/// [`Workers`] computes them: one after the other, on threads, or on other machines. Gradients are
/// added in an order that depends only on the number of parts, so the result has the same bits on
/// any number of workers.
///
/// `W` are the [buffers](Buffers) of one part of a batch, `C` the [workers](Workers) that compute
/// the parts.
pub struct Trainer<M: Model, O, W, C = OneThread> {
    /// The model.
    pub model: M,
    /// The optimiser.
    pub optimiser: O,
    workers: C,
    settings: Settings,
    changes: WeightChanges<M>,
    gradients: Box<M::Gradients>,
    counts: Counts,
    /// One slot for each part that this process computes, at least one.
    slots: Vec<Slot<M, W>>,
    /// The gradients of all parts together.
    total: Vec<M::Scalar>,
}

/// The progress of a trainer.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    /// The number of batches whose gradients were added since the last update.
    pending: usize,
    updates: usize,
    /// The number of complete epochs, in all calls of `fit` together.
    epochs: usize,
}

/// The buffers and the results of one part of a batch.
struct Slot<M: Model, W> {
    buffers: W,
    /// The gradients of the part, if the batch has several.
    gradients: Option<Box<M::Gradients>>,
    flat: Vec<M::Scalar>,
    scores: Scores,
    fault: Option<Fault>,
    /// True if the part has another block of steps, or its first block comes next.
    has_more: bool,
}

impl<M: Model, W> Slot<M, W> {
    fn new(buffers: W) -> Self {
        Slot {
            buffers,
            gradients: None,
            flat: Vec::new(),
            scores: Scores::default(),
            fault: None,
            has_more: true,
        }
    }
}

impl<L: Model, O> Trainer<L, O, ()> {
    /// Creates a trainer of a layer for batches of `B` samples.
    pub fn new<const B: usize>(layer: L, optimiser: O) -> Trainer<L, O, FullBptt<L, B>>
    where
        L: Layer<B>,
    {
        Trainer::with_buffers(layer, optimiser, FullBptt::new())
    }
}

impl<M: Model, O, W> Trainer<M, O, W> {
    /// Creates a trainer of any model, whose gradients are computed by a function with the help of
    /// `buffers`. A function that makes its own has the buffers [`Samples::<B>`](Samples), for
    /// parts of at most `B` samples, or `()`, for parts of one sample.
    pub fn with_buffers(model: M, optimiser: O, buffers: W) -> Self {
        let gradients = model.zero_gradients();
        Trainer {
            model,
            optimiser,
            workers: OneThread,
            settings: Settings { seed: 0, parts: 1, accumulate: 1, clip: None, schedule: None },
            changes: WeightChanges::none(),
            gradients,
            counts: Counts::default(),
            slots: Vec::from([Slot::new(buffers)]),
            total: Vec::new(),
        }
    }
}

impl<M: Model, O, W, C> Trainer<M, O, W, C> {
    /// Returns the number of updates so far.
    pub fn updates(&self) -> usize {
        self.counts.updates
    }

    /// Returns the gradients of the last update after clipping, as the optimiser read them. While
    /// batches are [accumulated](Self::accumulate), returns the sum so far.
    pub fn gradients(&self) -> &M::Gradients {
        &self.gradients
    }

    /// Returns the generator of the next batch. It depends only on the seed and the number of
    /// batches so far, so data drawn from it are the same in a resumed run.
    pub fn rng(&self) -> Xoshiro256PlusPlus {
        self.generator(Purpose::Data, self.batches())
    }

    /// Returns the number of batches, or of blocks of steps, so far.
    fn batches(&self) -> usize {
        self.counts.updates * self.settings.accumulate + self.counts.pending
    }

    /// Returns the generator of random numbers for one purpose, independent of the others.
    fn generator(&self, purpose: Purpose, number: usize) -> Xoshiro256PlusPlus {
        let mut outer = Xoshiro256PlusPlus::seed_from_u64(self.settings.seed);
        let key = outer.next_u64() ^ (number as u64).wrapping_mul(8).wrapping_add(purpose as u64);
        Xoshiro256PlusPlus::seed_from_u64(key)
    }
}

/// The purposes of random numbers.
#[derive(Debug, Clone, Copy)]
enum Purpose {
    Data,
    Weights,
    Passes,
    Order,
}

impl<M: Model + fmt::Debug, O: fmt::Debug, W, C> fmt::Debug for Trainer<M, O, W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trainer { model, optimiser, settings, counts, .. } = self;
        f.debug_struct("Trainer")
            .field("model", model)
            .field("optimiser", optimiser)
            .field("settings", settings)
            .field("counts", counts)
            .finish_non_exhaustive()
    }
}
