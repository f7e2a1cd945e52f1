//! The training of a model: everything between a loss and an update.

#[cfg(all(feature = "std", feature = "safetensors"))]
mod checkpoint;
#[cfg(feature = "tensorboard")]
mod events;
mod fit;
#[cfg(all(feature = "std", feature = "safetensors"))]
mod log;
mod outputs;
mod part;
mod passes;
mod scores;
mod workers;

#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

pub use fit::{Epoch, Error, Fit, Outcome};
pub use outputs::Outputs;
pub use part::{LayerPart, Part};
pub use passes::{Bptt, Buffers, CheckpointedBptt, FullBptt, Samples, TruncatedBptt};
pub use scores::Scores;
#[cfg(feature = "rayon")]
pub use workers::Threads;
pub use workers::{OneThread, Workers, add_pairs, pairs};

use crate::Scalar;
use crate::cell::{IntoPass, Layer, Model, ModelMut};
use crate::inspect::finite::Fault;
use crate::rng::{Rng, SeedableRng, Xoshiro256PlusPlus};
use crate::train::optim::{
    Optimiser, Schedule, WeightNoise, check_finite, clip_global_norm, clip_values, gather, global_norm,
    scale, update,
};
use part::Mode;

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
/// [`truncated`](Self::truncated) and [`checkpointed`](Self::checkpointed) change the way in
/// which gradients flow back through time, and nothing else.
///
/// # Random numbers
/// The noise of an update depends only on the [seed](Self::seed) and the number of the update,
/// and the order of the samples on the seed and the epoch. A resumed training needs no saved
/// generator.
///
/// # Several threads, several machines
/// A batch may consist of several [parts](Self::parts), each with its own tape and gradients.
/// [`Workers`] computes them: one after the other, on threads, or on other machines. Gradients are
/// added in an order that depends only on the number of parts, so the result has the same bits on
/// any number of workers.
///
/// `W` are the [buffers](Buffers) of one part of a batch, `C` the [workers](Workers) that compute the
/// parts.
pub struct Trainer<M: Model, O, W, C = OneThread> {
    /// The model.
    pub model: M,
    /// The optimiser.
    pub optimiser: O,
    workers: C,
    settings: Settings,
    noise: Option<WeightNoise<M::Scalar>>,
    gradients: Box<M::Gradients>,
    /// The number of batches whose gradients were added since the last update.
    pending: usize,
    updates: usize,
    /// One slot for each part that this process computes, at least one.
    slots: Vec<Slot<M, W>>,
    /// The gradients of all parts together.
    total: Vec<M::Scalar>,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    seed: u64,
    parts: usize,
    accumulate: usize,
    clip: Option<Clip>,
    schedule: Option<Schedule>,
}

#[derive(Debug, Clone, Copy)]
enum Clip {
    Norm(f64),
    Values(f64),
}

/// The buffers and the results of one part of a batch.
struct Slot<M: Model, W> {
    buffers: W,
    /// The gradients of the part, if the batch has several.
    gradients: Option<Box<M::Gradients>>,
    flat: Vec<M::Scalar>,
    scores: Scores,
    fault: Option<Fault>,
    /// Whether the part has another block of steps.
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
            has_more: false,
        }
    }
}

/// A loss or a gradient that is not finite. The update was not made, so the model is as before it.
#[derive(Clone, PartialEq)]
pub struct Diverged {
    /// The number of updates before this one.
    pub update: usize,
    /// The loss.
    pub loss: f64,
    /// The first value that is NaN or infinite: its layer and step, or the parameter. If the value
    /// is in the part of another process, only `Display` describes it.
    pub fault: Option<Fault>,
    /// The description of the fault that another process found.
    elsewhere: Option<String>,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "update {}: the loss is {}", self.update, self.loss)?;
        match (&self.elsewhere, &self.fault) {
            (Some(fault), _) => write!(f, "; {fault}"),
            (None, Some(fault)) => write!(f, "; {fault}"),
            (None, None) => Ok(()),
        }
    }
}

/// Shows the message: `fn main() -> Result<(), Diverged>` prints it.
impl fmt::Debug for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Diverged {}

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
    /// `buffers`.
    pub fn with_buffers(model: M, optimiser: O, buffers: W) -> Self {
        let gradients = model.zero_gradients();
        Trainer {
            model,
            optimiser,
            workers: OneThread,
            settings: Settings { seed: 0, parts: 1, accumulate: 1, clip: None, schedule: None },
            noise: None,
            gradients,
            pending: 0,
            updates: 0,
            slots: Vec::from([Slot::new(buffers)]),
            total: Vec::new(),
        }
    }
}

impl<L, O, C, const B: usize> Trainer<L, O, FullBptt<L, B>, C>
where
    L: Layer<B>,
{
    /// Switches to truncated backpropagation through time: an update after every `k1` steps, from
    /// cotangents that go back through `k2` steps (see [`Truncated`](crate::train::bptt::Truncated)).
    /// The loss is called for each block of steps.
    ///
    /// # Panics
    /// If `k1` or `k2` is zero, or states are [carried](Self::carry_state) from batch to batch:
    /// blocks of a long sequence carry theirs anyway.
    #[must_use]
    #[track_caller]
    pub fn truncated(self, k1: usize, k2: usize) -> Trainer<L, O, TruncatedBptt<L, B>, C>
    where
        L: crate::cell::Cell<B>,
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
    /// If states are [carried](Self::carry_state) from batch to batch.
    #[must_use]
    #[track_caller]
    pub fn checkpointed(self) -> Trainer<L, O, CheckpointedBptt<L, B>, C>
    where
        L: crate::cell::Cell<B>,
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
    /// If `max` is not a positive number.
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
    /// If `max` is not a positive number.
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
    /// If the deviation is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn weight_noise(mut self, deviation: f64) -> Self {
        self.noise = Some(WeightNoise::new(deviation));
        self
    }

    /// Sets how many batches an update averages: a large batch in little memory.
    ///
    /// # Panics
    /// If `batches` is zero.
    #[must_use]
    #[track_caller]
    pub fn accumulate(mut self, batches: usize) -> Self {
        assert!(batches > 0, "an update needs the gradient of at least one batch");
        self.settings.accumulate = batches;
        self
    }

    /// Sets the number of parts of a batch. Each has buffers of its own, and the [workers](Workers)
    /// compute them. The result depends on the number of parts only by rounding, and never on the
    /// workers.
    ///
    /// # Panics
    /// If `parts` is zero.
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
        let Trainer { model, optimiser, settings, noise, gradients, pending, updates, slots, total, .. } =
            self;
        Trainer { model, optimiser, workers, settings, noise, gradients, pending, updates, slots, total }
    }

    fn buffers<V>(self, buffers: V) -> Trainer<M, O, V, C> {
        let Trainer {
            model, optimiser, workers, settings, noise, gradients, pending, updates, total, ..
        } = self;
        let slots = Vec::from([Slot::new(buffers)]);
        Trainer { model, optimiser, workers, settings, noise, gradients, pending, updates, slots, total }
    }

    /// Returns the number of updates so far.
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// Returns the gradients of the last update, as the optimiser saw them: after clipping. Between
    /// updates, while batches are [accumulated](Self::accumulate), it is their sum so far.
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
        self.updates * self.settings.accumulate + self.pending
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

impl<M, O, W, C> Trainer<M, O, W, C>
where
    M: ModelMut,
    O: Optimiser<M::Scalar>,
{
    /// Updates the parameters on one batch and returns its loss.
    ///
    /// `loss` reads the [outputs](Outputs), writes their cotangents, and returns the loss. With
    /// [`truncated`](Self::truncated) there is one update per block of steps, and the result is the
    /// mean loss of the blocks.
    ///
    /// After the first update this allocates nothing, as long as sequences do not get longer.
    ///
    /// # Errors
    /// If the loss or a gradient is NaN or infinite. The model is as before the update; with
    /// [truncated](Self::truncated) BPTT, the updates of earlier blocks remain.
    ///
    /// # Panics
    /// If the trainer has several [parts](Self::parts), among which [`learn`](Self::learn) divides
    /// samples.
    #[track_caller]
    pub fn step<'a, const B: usize>(
        &mut self,
        pass: impl IntoPass<'a, M::Input, M::Context, B>,
        mut loss: impl FnMut(&mut Outputs<'_, M, B>) -> f64,
    ) -> Result<f64, Diverged>
    where
        M: Layer<B, Input: 'a, Context: 'a>,
        W: Bptt<M, B>,
    {
        let pass = pass.into_pass();
        let scores = self.learn_alone(&mut |part: &mut Part<'_, M, (), W>| part.sequence(pass, &mut loss))?;
        Ok(scores.loss())
    }

    /// Updates the parameters by gradients that `compute` adds to [`Part::gradients`]; it returns
    /// the loss. This is for models that are more than one layer.
    ///
    /// # Errors
    /// If the loss or a gradient is NaN or infinite. The model is as before the update; with
    /// [truncated](Self::truncated) BPTT, the updates of earlier blocks remain.
    ///
    /// # Panics
    /// If the trainer has several [parts](Self::parts).
    #[track_caller]
    pub fn update(
        &mut self,
        mut compute: impl FnMut(&mut Part<'_, M, (), W>) -> f64,
    ) -> Result<f64, Diverged> {
        Ok(self.learn_alone(&mut compute)?.loss())
    }

    /// Makes the updates on one batch of a single part.
    #[track_caller]
    fn learn_alone(
        &mut self,
        work: &mut dyn FnMut(&mut Part<'_, M, (), W>) -> f64,
    ) -> Result<Scores, Diverged> {
        let parts = self.settings.parts;
        assert!(
            parts == 1,
            "the trainer has {parts} parts, and cannot divide a single batch: see `learn` and `fit`"
        );
        self.learn_blocks(|trainer, batch, mode| {
            let seed = trainer.part_seed(batch, 0);
            let Trainer { model, gradients, slots, .. } = trainer;
            let slot = &mut slots[0];
            part::compute(model, &[], seed, mode, slot, Some(gradients), &mut *work);
            (slot.scores.clone(), slot.has_more)
        })
    }

    /// Makes an update for each block of steps of a batch: one, unless BPTT is truncated. `compute`
    /// gets the number of the batch, which seeds the random numbers of all its blocks.
    fn learn_blocks(
        &mut self,
        mut compute: impl FnMut(&mut Self, usize, Mode) -> (Scores, bool),
    ) -> Result<Scores, Diverged> {
        let (batch, mut all) = (self.batches(), Scores::default());
        loop {
            self.begin();
            let (scores, has_more) = compute(self, batch, Mode::Train);
            let norm = global_norm(&*self.gradients);
            if !scores.loss().is_finite() || !norm.is_finite() {
                // The weights still have the noise of the passes.
                compute(self, batch, Mode::Inspect);
                self.remove_noise();
                return Err(self.diverged(scores.loss()));
            }
            self.remove_noise();
            self.finish_update(norm);
            all.add(&scores);
            if !has_more {
                return Ok(all);
            }
        }
    }

    /// Updates the parameters on one batch of samples, which are divided among the
    /// [parts](Self::parts). `work` computes the mean loss of a [`Part`] and adds its gradients.
    ///
    /// # Errors
    /// If the loss or a gradient is NaN or infinite. The model is as before the update; with
    /// [truncated](Self::truncated) BPTT, the updates of earlier blocks remain.
    ///
    /// # Panics
    /// If there are more samples than fit into the parts, [`Buffers::SAMPLES`] each.
    #[track_caller]
    pub fn learn<S: Sync>(
        &mut self,
        samples: &[S],
        work: impl Fn(&mut Part<'_, M, S, W>) -> f64 + Sync,
    ) -> Result<Scores, Diverged>
    where
        M: Sync,
        M::Gradients: Send,
        W: Buffers<M>,
        C: Workers,
    {
        let (count, most) = (samples.len(), self.settings.parts * W::SAMPLES);
        assert!(count <= most, "{count} samples do not fit into a batch of {most}");
        self.learn_samples(&samples.iter().collect::<Vec<_>>(), &work)
    }

    /// Makes the updates on the samples of a batch of one or more parts.
    fn learn_samples<S: Sync>(
        &mut self,
        samples: &[&S],
        work: &(impl Fn(&mut Part<'_, M, S, W>) -> f64 + Sync),
    ) -> Result<Scores, Diverged>
    where
        M: Sync,
        M::Gradients: Send,
        W: Buffers<M>,
        C: Workers,
    {
        let mut elsewhere = None;
        let result = self.learn_blocks(|trainer, batch, mode| {
            let results = trainer.compute(samples, batch, mode, work);
            if mode == Mode::Inspect {
                elsewhere = trainer.describe_fault();
            }
            results
        });
        result.map_err(|diverged| Diverged { elsewhere, ..diverged })
    }

    /// Returns the description of the fault that the first process to have one found.
    fn describe_fault(&self) -> Option<String>
    where
        C: Workers,
    {
        let own = self.slots.iter().find_map(|slot| slot.fault.as_ref()).map(ToString::to_string);
        let all = self.workers.all_gather(own.unwrap_or_default().into_bytes());
        let first = all.into_iter().find(|text| !text.is_empty())?;
        Some(String::from_utf8_lossy(&first).into_owned())
    }

    /// Prepares the model and the gradients for the passes of an update.
    fn begin(&mut self) {
        if self.pending == 0 {
            self.gradients.set_zero();
        }
        let mut rng = self.generator(Purpose::Weights, self.batches());
        if let Some(noise) = &mut self.noise {
            noise.add(&mut self.model, &mut rng);
        }
    }

    /// Removes the noise from the weights after the passes of an update.
    fn remove_noise(&mut self) {
        if let Some(noise) = &mut self.noise {
            noise.remove(&mut self.model);
        }
    }

    /// Describes the fault that an inspecting computation found.
    fn diverged(&mut self, loss: f64) -> Diverged {
        let gradient = |at| Fault::Gradient { step: None, at };
        let found = self.slots.iter_mut().find_map(|slot| slot.fault.take());
        let fault = found.or_else(|| check_finite(&*self.gradients).err().map(gradient));
        self.pending = 0;
        Diverged { update: self.updates, loss, fault, elsewhere: None }
    }

    /// Steps the optimiser, if enough batches have been accumulated. `norm` is that of the gradients.
    fn finish_update(&mut self, norm: f64) {
        let Settings { accumulate, clip, schedule, .. } = self.settings;
        self.pending += 1;
        if self.pending < accumulate {
            return;
        }
        if accumulate > 1 {
            scale(&mut *self.gradients, 1.0 / accumulate as f64);
        }
        match clip {
            Some(Clip::Norm(max)) if accumulate > 1 => _ = clip_global_norm(&mut *self.gradients, max),
            Some(Clip::Norm(max)) if norm > max => scale(&mut *self.gradients, max / norm),
            Some(Clip::Norm(_)) => {}
            Some(Clip::Values(max)) => _ = clip_values(&mut *self.gradients, max),
            None => {}
        }
        if let Some(schedule) = schedule {
            schedule.apply(self.updates, &mut self.optimiser);
        }
        self.optimiser.step(&mut self.model, &self.gradients);
        (self.updates, self.pending) = (self.updates + 1, 0);
    }
}

impl<M: Model, O, W, C> Trainer<M, O, W, C> {
    /// Returns the seed of the random numbers of a part of a batch.
    fn part_seed(&self, batch: usize, part: usize) -> u64 {
        self.generator(Purpose::Passes, batch * self.settings.parts + part).next_u64()
    }

    /// Computes the parts of the batch with the number `batch`. In training their gradients are added
    /// to the trainer's, each with the share of its samples. Returns the scores of all parts, and whether one of them has
    /// another block of steps.
    fn compute<S: Sync>(
        &mut self,
        samples: &[&S],
        batch: usize,
        mode: Mode,
        work: &(impl Fn(&mut Part<'_, M, S, W>) -> f64 + Sync),
    ) -> (Scores, bool)
    where
        M: Sync,
        M::Gradients: ModelMut + Send,
        W: Buffers<M>,
        C: Workers,
    {
        let parts = self.settings.parts;
        let own = self.own_parts();
        self.add_slots();
        let seeds: Vec<u64> = own.clone().map(|part| self.part_seed(batch, part)).collect();
        let model = &self.model;
        let samples_of = |part: usize| {
            let start = samples.len().min(part * W::SAMPLES);
            &samples[start..samples.len().min(start + W::SAMPLES)]
        };
        let slots = &mut self.slots[..own.len()];
        if parts == 1 {
            let [slot] = slots else { unreachable!("one part has one slot") };
            let gradients = (mode != Mode::Evaluate).then_some(&mut *self.gradients);
            part::compute(model, samples, seeds[0], mode, slot, gradients, &mut |part| work(part));
            return (slot.scores.clone(), slot.has_more);
        }
        self.workers.each(slots, |index, slot| {
            let own_samples = samples_of(own.start + index);
            let mut gradients = slot.gradients.take().unwrap_or_else(|| model.zero_gradients());
            gradients.set_zero();
            (slot.scores, slot.fault, slot.has_more) = (Scores::default(), None, false);
            if !own_samples.is_empty() {
                let wanted = (mode != Mode::Evaluate).then_some(&mut *gradients);
                part::compute(model, own_samples, seeds[index], mode, slot, wanted, &mut |part| work(part));
            }
            if mode == Mode::Train {
                scale(&mut *gradients, own_samples.len() as f64 / samples.len().max(1) as f64);
                gather(&*gradients, &mut slot.flat);
            }
            slot.gradients = Some(gradients);
        });
        if mode == Mode::Train {
            let mut flats: Vec<&mut [M::Scalar]> = slots.iter_mut().map(|slot| &mut *slot.flat).collect();
            self.total.resize(model.parameter_count(), M::Scalar::of(0.0));
            self.workers.sum(parts, &mut flats, &mut self.total);
            update(&mut *self.gradients, &self.total, |_, sum, g| {
                sum.iter_mut().zip(g).for_each(|(sum, &g)| *sum += g);
            });
        }
        let mut own = Vec::new();
        slots.iter().for_each(|slot| slot.scores.write(slot.has_more, &mut own));
        let (mut scores, mut has_more) = (Scores::default(), false);
        for process in self.workers.all_gather(own) {
            let mut rest = &*process;
            while !rest.is_empty() {
                has_more |= scores.add_written(&mut rest);
            }
        }
        (scores, has_more)
    }

    /// Returns the parts that this process computes. A single part is computed by every process.
    fn own_parts(&self) -> Range<usize>
    where
        C: Workers,
    {
        match self.settings.parts {
            1 => 0..1,
            parts => self.workers.own(parts),
        }
    }

    /// Makes a slot for each part that this process computes.
    fn add_slots(&mut self)
    where
        M: Model,
        W: Buffers<M>,
        C: Workers,
    {
        while self.slots.len() < self.own_parts().len() {
            let buffers = self.slots[0].buffers.another();
            self.slots.push(Slot::new(buffers));
        }
    }
}

impl<M: Model + fmt::Debug, O: fmt::Debug, W, C> fmt::Debug for Trainer<M, O, W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trainer { model, optimiser, settings, updates, .. } = self;
        f.debug_struct("Trainer")
            .field("model", model)
            .field("optimiser", optimiser)
            .field("settings", settings)
            .field("updates", updates)
            .finish_non_exhaustive()
    }
}
