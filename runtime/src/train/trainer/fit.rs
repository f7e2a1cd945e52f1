//! Training over epochs of a set of samples.

use alloc::boxed::Box;
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use super::part::Mode;
use super::scores::word;
use super::weights::{set_values, values};
use super::{Buffers, Diverged, Epoch, Error, Outcome, Part, Purpose, Scores, Trainer, Workers};
use crate::Scalar;
use crate::cell::{Model, ModelMut};
use crate::inspect::finite::{Fault, check_finite};
use crate::rng::shuffle;
use crate::train::optim::Optimiser;

/// The largest number of batches in a pool of samples that [`Fit::bucket_by`] sorts by length.
const POOL: usize = 50;

/// The function that returns the length of a sample.
type Length<'t, S> = Box<dyn Fn(&S) -> usize + 't>;

/// The settings of a training run, made by [`Trainer::fit`].
#[must_use = "the training run starts with `run`"]
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
    length: Option<Length<'t, S>>,
    report: Box<dyn FnMut(&Epoch) + 't>,
    stop: Box<dyn FnMut(&Epoch) -> bool + 't>,
    #[cfg(all(feature = "std", feature = "safetensors"))]
    log: Option<std::path::PathBuf>,
    #[cfg(feature = "tensorboard")]
    tensorboard: Option<std::path::PathBuf>,
    /// The path, and the number of batches after which it is written.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    checkpoint: Option<(std::path::PathBuf, usize)>,
}

impl<M, O, W, C> Trainer<M, O, W, C>
where
    M: ModelMut,
    O: Optimiser<M::Scalar>,
    W: Buffers<M>,
    C: Workers,
{
    /// Prepares a training run over `samples`, which are divided into batches in a new random order
    /// in every epoch. `work` computes the mean loss of a [`Part`] of a batch and its gradients.
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
    ///     let classes = part.labels(|sample| sample.1);
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
    /// # Ok::<(), rnn_cell::train::Error>(())
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
            #[cfg(all(feature = "std", feature = "safetensors"))]
            log: None,
            #[cfg(feature = "tensorboard")]
            tensorboard: None,
            #[cfg(all(feature = "std", feature = "safetensors"))]
            checkpoint: None,
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
        self.with_rounded_weights(|trainer| {
            let (number, mut scores) = (trainer.batches(), Scores::default());
            for batch in samples.chunks(trainer.batch_size()) {
                scores.add(&trainer.compute(batch, number, Mode::Evaluate, &work).0);
            }
            scores
        })
    }

    /// Returns the number of samples of a batch: that of all its parts.
    pub(super) fn batch_size(&self) -> usize {
        (self.settings.parts * W::SAMPLES).max(1)
    }
}

impl<'t, M, O, W, C, S, F> Fit<'t, M, O, W, C, S, F>
where
    M: ModelMut + Sync,
    M::Gradients: Send,
    O: Optimiser<M::Scalar>,
    W: Buffers<M>,
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

    /// Stops early when the [loss](Epoch::loss) has not become smaller for `epochs` epochs, at
    /// least one.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Sets the parameters to those of the best epoch at the end. A run that resumes needs a
    /// [checkpoint](Self::checkpoint) of a run with this setting.
    pub fn restore_best(mut self) -> Self {
        self.restores_best = true;
        self
    }

    /// Keeps the samples in their order or, with `bucket_by`, in the order of their lengths.
    pub fn in_order(mut self) -> Self {
        self.shuffles = false;
        self
    }

    /// Omits the last batch of an epoch if it has fewer samples than the others.
    pub fn drop_last(mut self) -> Self {
        self.drops_last = true;
        self
    }

    /// Makes batches of samples of similar length, so that they need little padding. The samples
    /// are divided at random into pools, at least four and each of at most 50 batches, and sorted
    /// by length within each. The order of the batches stays random.
    pub fn bucket_by(mut self, length: impl Fn(&S) -> usize + 't) -> Self {
        self.length = Some(Box::new(length));
        self
    }

    /// Calls `report` after every epoch, in the first process only. A run that is killed before it
    /// has saved the epoch reports it again when it resumes.
    pub fn each_epoch(mut self, report: impl FnMut(&Epoch) + 't) -> Self {
        self.report = Box::new(report);
        self
    }

    /// Stops after an epoch for which `stop` returns `true`. If there are several processes, one of
    /// them is enough.
    pub fn stop_when(mut self, stop: impl FnMut(&Epoch) -> bool + 't) -> Self {
        self.stop = Box::new(stop);
        self
    }

    /// Writes a table of all epochs to the CSV file at `path`, after every epoch: losses, metrics,
    /// the number of updates, the learning rate. After a resume it has the epochs before as well.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    pub fn log(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// Writes event files for TensorBoard, after every epoch: losses and metrics in the runs
    /// `folder/training` and `folder/validation`, which share their plots, and the learning rate.
    /// Steps are epochs. After a resume every epoch is there once; another run in the same
    /// folder replaces the last one. `tensorboard --logdir runs` compares the folders in `runs`.
    #[cfg(feature = "tensorboard")]
    pub fn tensorboard(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.tensorboard = Some(folder.into());
        self
    }

    /// Keeps a checkpoint at `path`, written after every epoch and every `batches` batches of an
    /// epoch, and resumes from it if there is one: a program that was killed continues when it is
    /// started again, and ends with the same bits. If there are several processes, the first alone
    /// reads and writes the file. The number of processes may change.
    ///
    /// Parameters, moments, the learning rate (unless a schedule sets it), counters and results
    /// come from the file; everything else comes from the program, such as clipping and the number
    /// of epochs. To start over, delete the file. Each save waits for the disk.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    pub fn checkpoint(mut self, path: impl Into<std::path::PathBuf>, batches: usize) -> Self {
        self.checkpoint = Some((path.into(), batches));
        self
    }

    /// Executes the training run.
    ///
    /// # Errors
    /// Returns an error if a loss or a gradient is NaN or infinite, a checkpoint or a log cannot be
    /// read or written, or processes differ in the data, the settings or the model. All processes
    /// return an error then.
    ///
    /// # Panics
    /// Panics if there are no samples, or no batch because of [`drop_last`](Self::drop_last).
    #[track_caller]
    pub fn run(mut self) -> Result<Outcome, Error> {
        let (samples, batch) = (self.samples.len(), self.trainer.batch_size());
        assert!(samples > 0, "a training run needs at least one sample");
        assert!(
            !self.drops_last || samples >= batch,
            "`drop_last` leaves no batch: there are fewer samples ({samples}) than in a batch ({batch})"
        );
        self.agree(false)?;
        let mut progress = self.resume()?;
        while progress.epoch <= self.epochs && !progress.is_stopped {
            let batches = self.batches();
            for batch in batches.iter().skip(progress.batch) {
                let samples: Vec<&S> = batch.iter().map(|&sample| &self.samples[sample]).collect();
                progress.training.add(&self.trainer.learn_samples(&samples, &self.work)?);
                progress.batch += 1;
                self.save(&progress, progress.batch)?;
            }
            self.finish_epoch(&mut progress)?;
            // A resumed run repeats an epoch whose checkpoint is missing, but never its logs.
            self.log_epochs(&progress.epochs)?;
            self.save(&progress, 0)?;
        }
        let Progress { epochs, best, .. } = progress;
        if self.restores_best {
            set_values(&mut self.trainer.model, &best.values);
        }
        Ok(Outcome { epochs, best: (best.epoch > 0).then_some(best.epoch) })
    }

    /// Validates and reports an epoch, and prepares the next.
    fn finish_epoch(&mut self, progress: &mut Progress<M::Scalar>) -> Result<(), Error> {
        let trainer = &mut *self.trainer;
        let number = progress.epoch;
        let validation = (!self.validation.is_empty()).then(|| trainer.evaluate(self.validation, &self.work));
        let training = core::mem::take(&mut progress.training);
        let (updates, rate) = (trainer.counts.updates, trainer.optimiser.rate());
        if let Some(loss) = validation.as_ref().map(Scores::loss).filter(|loss| !loss.is_finite()) {
            return Err(Error::Validation { epoch: number, loss });
        }
        check_finite(&trainer.model).map_err(|at| Diverged {
            update: updates,
            loss: training.loss(),
            fault: Some(Fault::Parameter(at)),
            elsewhere: None,
        })?;
        trainer.counts.epochs += 1;
        let mut epoch = Epoch { number, updates, rate, training, validation, is_best: false };
        let best = &mut progress.best;
        epoch.is_best = epoch.loss() < best.loss;
        if epoch.is_best {
            (best.epoch, best.loss) = (number, epoch.loss());
            if self.restores_best {
                best.values = values(&trainer.model);
            }
        }
        if trainer.workers.is_first() {
            (self.report)(&epoch);
        }
        let has_waited = self.patience.is_some_and(|patience| number - best.epoch >= patience.max(1));
        let is_stopped = (self.stop)(&epoch) || has_waited;
        progress.is_stopped = self.agree(is_stopped)?;
        progress.epochs.push(epoch);
        (progress.epoch, progress.batch) = (number + 1, 0);
        Ok(())
    }

    /// Checks that all processes train in the same way and have the same model. Returns whether
    /// `is_stopped` holds in any of them.
    fn agree(&self, is_stopped: bool) -> Result<bool, Error> {
        let Trainer { model, workers, settings, counts, .. } = &*self.trainer;
        let counts = [self.samples.len(), self.validation.len(), self.epochs, settings.parts, counts.updates];
        let [samples, validation, epochs, parts, updates] = counts.map(|count| count as u64);
        let numbers = [
            ("samples", samples),
            ("validation samples", validation),
            ("epochs", epochs),
            ("parts", parts),
            ("updates", updates),
            ("as its seed", settings.seed),
            ("as the hash of its model", hash(&values(model))),
        ];
        let mut message: Vec<u8> = numbers.iter().flat_map(|(_, number)| number.to_le_bytes()).collect();
        message.push(u8::from(is_stopped));
        let all = workers.all_gather(message);
        let (first, mut is_any_over) = (&all[0], false);
        for (process, message) in all.iter().enumerate() {
            let pairs = numbers.iter().zip(message.chunks(8).zip(first.chunks(8)));
            for ((what, _), (number, wanted)) in pairs {
                if number != wanted {
                    let [number, wanted] = [number, wanted].map(|bytes| u64::from_le_bytes(word(bytes)));
                    let problem = format!("has {number} {what}, and process 0 has {wanted}");
                    return Err(Error::Process { number: process, problem });
                }
            }
            is_any_over |= message.ends_with(&[1]);
        }
        Ok(is_any_over)
    }

    /// Brings the logs up to date with these epochs.
    fn log_epochs(&mut self, epochs: &[Epoch]) -> Result<(), Error> {
        #[cfg(all(feature = "std", feature = "safetensors"))]
        if let Some(path) = self.log.as_ref().filter(|_| self.trainer.workers.is_first()) {
            super::log::write(path, epochs)?;
        }
        #[cfg(feature = "tensorboard")]
        if let Some(folder) = self.tensorboard.as_ref().filter(|_| self.trainer.workers.is_first()) {
            super::events::write(folder, epochs)?;
        }
        let _ = epochs;
        Ok(())
    }

    /// Returns the progress of the training run in the checkpoint, or of a new run.
    fn resume(&mut self) -> Result<Progress<M::Scalar>, Error> {
        #[cfg(all(feature = "std", feature = "safetensors"))]
        if let Some((path, _)) = &self.checkpoint
            && let Some(progress) = self.trainer.load_fit(path, self.samples.len(), self.restores_best)?
        {
            return Ok(progress);
        }
        Ok(Progress::new())
    }

    /// Writes the checkpoint, after `batches` batches of an epoch or at its end (0).
    fn save(&mut self, progress: &Progress<M::Scalar>, batches: usize) -> Result<(), Error> {
        #[cfg(all(feature = "std", feature = "safetensors"))]
        if let Some((path, every)) = &self.checkpoint
            && (batches == 0 || (*every > 0 && batches.is_multiple_of(*every)))
        {
            self.trainer.save_fit(path, self.samples.len(), progress)?;
        }
        let _ = (progress, batches);
        Ok(())
    }

    /// Returns the batches of the next epoch as indices of samples.
    fn batches(&self) -> Vec<Vec<usize>> {
        let size = self.trainer.batch_size();
        let mut rng = self.trainer.generator(Purpose::Order, self.trainer.counts.epochs + 1);
        let mut order: Vec<usize> = (0..self.samples.len()).collect();
        if self.shuffles {
            shuffle(&mut order, &mut rng);
        }
        if let Some(length) = &self.length {
            let pool =
                if self.shuffles { (order.len() / (4 * size)).clamp(1, POOL) * size } else { order.len() };
            for pool in order.chunks_mut(pool) {
                pool.sort_by_key(|&sample| length(&self.samples[sample]));
            }
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

/// The progress of a training run.
pub(super) struct Progress<T> {
    /// The number of the present epoch, from 1.
    pub(super) epoch: usize,
    /// The number of its batches so far.
    pub(super) batch: usize,
    /// True if the run was stopped before its last epoch.
    pub(super) is_stopped: bool,
    /// The scores of the present epoch so far.
    pub(super) training: Scores,
    /// The epochs so far.
    pub(super) epochs: Vec<Epoch>,
    pub(super) best: Best<T>,
}

impl<T> Progress<T> {
    fn new() -> Self {
        let best = Best { epoch: 0, loss: f64::INFINITY, values: Vec::new() };
        let training = Scores::default();
        Progress { epoch: 1, batch: 0, is_stopped: false, training, epochs: Vec::new(), best }
    }
}

/// The best epoch so far.
pub(super) struct Best<T> {
    /// Its number; 0 before the first.
    pub(super) epoch: usize,
    pub(super) loss: f64,
    /// The values of all parameters and buffers after it, if they will be restored.
    pub(super) values: Vec<T>,
}

/// Returns the FNV-1a hash of numbers, 64 bits at a time.
fn hash<T: Scalar>(values: &[T]) -> u64 {
    values.iter().fold(0xcbf2_9ce4_8422_2325, |hash, value| {
        (hash ^ value.as_f64().to_bits()).wrapping_mul(0x0100_0000_01b3)
    })
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
