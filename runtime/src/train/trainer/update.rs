//! Updates of a model: the gradients of a batch, the search for NaN, the step of the optimiser.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::part::{self, Mode, Part};
use super::settings::{Clip, Settings};
use super::{Bptt, Buffers, Diverged, Outputs, Scores, Trainer, Workers};
use crate::cell::{IntoPass, Layer, ModelMut};
use crate::inspect::finite::{Fault, check_finite};
use crate::train::optim::{Optimiser, clip_global_norm, clip_values, global_norm, scale};

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
    /// After the first update this allocates nothing, as long as sequences do not get longer. The
    /// exception are states with [earlier steps](crate::types::rings), which are allocated for each
    /// batch.
    ///
    /// # Errors
    /// Returns an error if the loss or a gradient is NaN or infinite. The model is as before the
    /// update; with [truncated](Self::truncated) BPTT, the updates of earlier blocks remain.
    ///
    /// # Panics
    /// Panics if the trainer has several [parts](Self::parts), among which [`learn`](Self::learn)
    /// divides samples.
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

    /// Updates the parameters on one batch, for models that are more than one layer, and returns
    /// the loss. `compute` adds the gradients to [`Part::gradients`] and returns the loss.
    ///
    /// # Errors
    /// Returns an error if the loss or a gradient is NaN or infinite. The model is as before the
    /// update; with [truncated](Self::truncated) BPTT, the updates of earlier blocks remain.
    ///
    /// # Panics
    /// Panics if the trainer has several [parts](Self::parts).
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
        self.slots.iter_mut().for_each(|slot| slot.has_more = true);
        loop {
            self.begin();
            let (scores, has_more) = compute(self, batch, Mode::Train);
            let norm = global_norm(&*self.gradients);
            if !scores.loss().is_finite() || !norm.is_finite() {
                // The weights are still those of the passes.
                compute(self, batch, Mode::Inspect);
                self.restore_weights();
                return Err(self.diverged(scores.loss()));
            }
            self.restore_weights();
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
    /// Returns an error if the loss or a gradient is NaN or infinite. The model is as before the
    /// update; with [truncated](Self::truncated) BPTT, the updates of earlier blocks remain.
    ///
    /// # Panics
    /// Panics if there are more samples than fit into the parts, [`Buffers::SAMPLES`] each.
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
    pub(super) fn learn_samples<S: Sync>(
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

    /// Returns the description of the fault of the first process that found one.
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
        if self.counts.pending == 0 {
            self.gradients.set_zero();
        }
        self.change_weights();
    }

    /// Describes the fault that an inspecting computation found.
    fn diverged(&mut self, loss: f64) -> Diverged {
        let gradient = |at| Fault::Gradient { step: None, at };
        let found = self.slots.iter_mut().find_map(|slot| slot.fault.take());
        let fault = found.or_else(|| check_finite(&*self.gradients).err().map(gradient));
        self.counts.pending = 0;
        Diverged { update: self.counts.updates, loss, fault, elsewhere: None }
    }

    /// Steps the optimiser, if enough batches have been accumulated. `norm` is that of the
    /// gradients.
    fn finish_update(&mut self, norm: f64) {
        let Settings { accumulate, clip, schedule, .. } = self.settings;
        self.counts.pending += 1;
        // The setting may be smaller than the number of batches in a checkpoint.
        let batches = self.counts.pending;
        if batches < accumulate {
            return;
        }
        if batches > 1 {
            scale(&mut *self.gradients, 1.0 / batches as f64);
        }
        match clip {
            Some(Clip::Norm(max)) if batches > 1 => _ = clip_global_norm(&mut *self.gradients, max),
            Some(Clip::Norm(max)) if norm > max => scale(&mut *self.gradients, max / norm),
            Some(Clip::Norm(_)) => {}
            Some(Clip::Values(max)) => _ = clip_values(&mut *self.gradients, max),
            None => {}
        }
        if let Some(schedule) = schedule {
            schedule.apply(self.counts.updates, &mut self.optimiser);
        }
        self.optimiser.step(&mut self.model, &self.gradients);
        (self.counts.updates, self.counts.pending) = (self.counts.updates + 1, 0);
    }
}
