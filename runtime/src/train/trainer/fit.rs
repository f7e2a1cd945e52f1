//! Training over epochs of a set of samples.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{Buffers, Diverged, Part, Scores, Stream, Trainer, Workers, part::Mode};
use crate::Scalar;
use crate::cell::{Model, ModelMut};
use crate::rng::shuffle;
use crate::train::optim::Optimiser;

/// The results of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// The number of the epoch, from 1.
    pub number: usize,
    /// The number of updates so far.
    pub updates: usize,
    /// The learning rate of the last update.
    pub rate: f64,
    /// The scores of the training samples, each computed before its update.
    pub training: Scores,
    /// The scores of the validation samples after the epoch, if there are any.
    pub validation: Option<Scores>,
    /// Whether this is the best epoch so far.
    pub is_best: bool,
}

impl Epoch {
    /// Returns the loss that decides which epoch is the best: that of the validation samples, or
    /// else of the training samples.
    pub fn loss(&self) -> f64 {
        self.validation.unwrap_or(self.training).loss()
    }
}

/// The results of a training.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The epochs, from the first; after a resume, those before it as well.
    pub epochs: Vec<Epoch>,
    /// The number of the best epoch, from 1.
    pub best: Option<usize>,
}

impl Outcome {
    /// Returns the last epoch.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }
}

/// A training over epochs, before it runs: made by [`Trainer::fit`].
#[must_use = "a training starts with `run`"]
pub struct Fit<'t, M: Model, O, W, C, S, F> {
    trainer: &'t mut Trainer<M, O, W, C>,
    samples: &'t [S],
    validation: &'t [S],
    work: F,
    epochs: usize,
    patience: Option<usize>,
    restores_best: bool,
    shuffles: bool,
    drops_last: bool,
    length: Option<Box<dyn Fn(&S) -> usize + 't>>,
    report: Box<dyn FnMut(&Epoch) + 't>,
    stop: Box<dyn FnMut(&Epoch) -> bool + 't>,
}

impl<M, O, W, C> Trainer<M, O, W, C>
where
    M: ModelMut,
    O: Optimiser<M::Scalar>,
    W: Buffers,
    C: Workers,
{
    /// Prepares a training over `samples`, which are divided into batches in a new random order in
    /// every epoch. `work` computes the mean loss of a [`Part`] of a batch and its gradients.
    ///
    /// ```
    /// use rnn_cell::cells::{Dense, Gru};
    /// use rnn_cell::data::pad;
    /// use rnn_cell::prelude::*;
    /// use rnn_cell::train::loss::softmax_cross_entropy_weighted;
    /// use rnn_cell::train::{LayerPart, Trainer};
    ///
    /// type Net = Stack<Gru<1, 8>, Dense<8, 2>>;
    /// /// A sequence and its class.
    /// type Sample = (Vec<SVector<f32, 1>>, u32);
    ///
    /// fn loss(part: &mut LayerPart<'_, Net, Sample, 5>) -> f64 {
    ///     let batch = pad(&part.samples.iter().map(|sample| &sample.0).collect::<Vec<_>>());
    ///     let mut classes = [0; 5];
    ///     part.samples.iter().zip(&mut classes).for_each(|(sample, class)| *class = sample.1);
    ///     part.sequence(&batch, |out| {
    ///         out.last_step(|y, weights| softmax_cross_entropy_weighted(y, &classes, weights))
    ///     })
    /// }
    ///
    /// // Rising and falling sequences of three to eight steps.
    /// let sample = |k: usize| {
    ///     let slope = if k % 2 == 0 { 0.1 } else { -0.1 };
    ///     ((0..3 + k % 6).map(|t| SVector::from([slope * t as f32])).collect(), (k % 2) as u32)
    /// };
    /// let samples: Vec<Sample> = (0..32).map(sample).collect();
    ///
    /// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    /// let net = Stack::new(Gru::init(&mut rng), Dense::init(&mut rng));
    /// let mut trainer = Trainer::new::<5>(net, Adam::new(3e-2)).clip_norm(1.0);
    /// let outcome = trainer.fit(&samples[..24], loss).validation(&samples[24..]).epochs(60).run()?;
    /// assert!(outcome.last().unwrap().loss() < 0.1);
    /// # Ok::<(), rnn_cell::train::Diverged>(())
    /// ```
    pub fn fit<'t, S, F>(&'t mut self, samples: &'t [S], work: F) -> Fit<'t, M, O, W, C, S, F>
    where
        F: Fn(&mut Part<'_, M, S, W>) -> f64 + Sync,
    {
        Fit {
            trainer: self,
            samples,
            validation: &[],
            work,
            epochs: 1,
            patience: None,
            restores_best: false,
            shuffles: true,
            drops_last: false,
            length: None,
            report: Box::new(|_| ()),
            stop: Box::new(|_| false),
        }
    }

    /// Computes the mean loss and metrics of samples, without learning from them.
    pub fn evaluate<S: Sync>(
        &mut self,
        samples: &[S],
        work: impl Fn(&mut Part<'_, M, S, W>) -> f64 + Sync,
    ) -> Scores
    where
        M: Sync,
        M::Gradients: Send,
    {
        let samples: Vec<&S> = samples.iter().collect();
        let mut scores = Scores::default();
        for batch in samples.chunks(self.batch_size()) {
            scores.add(&self.compute(batch, Mode::Evaluate, &work).0);
        }
        scores
    }

    /// Returns the number of samples of a batch: that of all its parts.
    fn batch_size(&self) -> usize {
        (self.settings.parts * W::SAMPLES).max(1)
    }
}

impl<'t, M, O, W, C, S, F> Fit<'t, M, O, W, C, S, F>
where
    M: ModelMut + Sync,
    M::Gradients: Send,
    O: Optimiser<M::Scalar>,
    W: Buffers,
    C: Workers,
    S: Sync,
    F: Fn(&mut Part<'_, M, S, W>) -> f64 + Sync,
{
    /// Sets the number of epochs; 1 by default.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Sets the samples whose loss is computed after every epoch.
    pub fn validation(mut self, samples: &'t [S]) -> Self {
        self.validation = samples;
        self
    }

    /// Stops early when the [loss](Epoch::loss) has not become smaller for `epochs` epochs.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Sets the parameters to those of the best epoch at the end.
    pub fn restore_best(mut self) -> Self {
        self.restores_best = true;
        self
    }

    /// Keeps the samples in their order.
    pub fn in_order(mut self) -> Self {
        self.shuffles = false;
        self
    }

    /// Omits the last batch of an epoch if it has fewer samples than the others.
    pub fn drop_last(mut self) -> Self {
        self.drops_last = true;
        self
    }

    /// Makes batches of samples of similar length, so that they need little padding. The order of
    /// the batches, and of samples of equal length, stays random.
    pub fn bucket_by(mut self, length: impl Fn(&S) -> usize + 't) -> Self {
        self.length = Some(Box::new(length));
        self
    }

    /// Calls `report` after every epoch.
    pub fn each_epoch(mut self, report: impl FnMut(&Epoch) + 't) -> Self {
        self.report = Box::new(report);
        self
    }

    /// Stops after an epoch for which `stop` returns `true`.
    pub fn stop_when(mut self, stop: impl FnMut(&Epoch) -> bool + 't) -> Self {
        self.stop = Box::new(stop);
        self
    }

    /// Runs the training.
    ///
    /// # Errors
    /// If a loss or a gradient is NaN or infinite.
    pub fn run(mut self) -> Result<Outcome, Diverged> {
        let mut outcome = Outcome::default();
        let mut best = Best { epoch: 0, loss: f64::INFINITY, values: Vec::new() };
        for number in 1..=self.epochs {
            let mut training = Scores::default();
            for batch in self.batches(number) {
                let samples: Vec<&S> = batch.iter().map(|&sample| &self.samples[sample]).collect();
                training.add(&self.trainer.learn_samples(&samples, &self.work)?);
            }
            let validation =
                (!self.validation.is_empty()).then(|| self.trainer.evaluate(self.validation, &self.work));
            let (updates, rate) = (self.trainer.updates, self.trainer.optimiser.rate());
            let mut epoch = Epoch { number, updates, rate, training, validation, is_best: false };
            epoch.is_best = epoch.loss() < best.loss;
            if epoch.is_best {
                (best.epoch, best.loss) = (number, epoch.loss());
                if self.restores_best {
                    best.keep(&self.trainer.model);
                }
            }
            (self.report)(&epoch);
            let has_waited = self.patience.is_some_and(|patience| number - best.epoch >= patience);
            let stops = (self.stop)(&epoch) || has_waited;
            outcome.epochs.push(epoch);
            if stops {
                break;
            }
        }
        if self.restores_best {
            best.restore(&mut self.trainer.model);
        }
        outcome.best = (best.epoch > 0).then_some(best.epoch);
        Ok(outcome)
    }

    /// Returns the batches of an epoch as numbers of samples.
    fn batches(&self, epoch: usize) -> Vec<Vec<usize>> {
        let size = self.trainer.batch_size();
        let mut rng = self.trainer.generator(Stream::Order, epoch);
        let mut order: Vec<usize> = (0..self.samples.len()).collect();
        if self.shuffles {
            shuffle(&mut order, &mut rng);
        }
        if let Some(length) = &self.length {
            order.sort_by_key(|&sample| length(&self.samples[sample]));
        }
        let is_wanted = |batch: &&[usize]| !self.drops_last || batch.len() == size;
        let mut batches: Vec<Vec<usize>> =
            order.chunks(size).filter(is_wanted).map(<[usize]>::to_vec).collect();
        if self.shuffles && self.length.is_some() {
            shuffle(&mut batches, &mut rng);
        }
        batches
    }
}

/// The best epoch so far.
struct Best<T> {
    /// Its number; 0 before the first.
    epoch: usize,
    loss: f64,
    /// The values of all parameters and buffers after it, if they will be restored.
    values: Vec<T>,
}

impl<T: Scalar> Best<T> {
    fn keep(&mut self, model: &impl Model<Scalar = T>) {
        self.values.clear();
        model.visit(&mut |parameter| self.values.extend_from_slice(parameter.values));
        model.visit_buffers(&mut |buffer| self.values.extend_from_slice(buffer.values));
    }

    fn restore(&self, model: &mut impl ModelMut<Scalar = T>) {
        let mut rest = &*self.values;
        let mut set = |values: &mut [T]| {
            if let Some((kept, others)) = rest.split_at_checked(values.len()) {
                values.copy_from_slice(kept);
                rest = others;
            }
        };
        model.visit_mut(&mut |parameter| set(parameter.values));
        model.visit_buffers_mut(&mut |buffer| set(buffer.values));
    }
}

impl<M: Model, O, W, C, S, F> fmt::Debug for Fit<'_, M, O, W, C, S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fit { samples, validation, epochs, patience, .. } = self;
        f.debug_struct("Fit")
            .field("samples", &samples.len())
            .field("validation", &validation.len())
            .field("epochs", epochs)
            .field("patience", patience)
            .finish_non_exhaustive()
    }
}
