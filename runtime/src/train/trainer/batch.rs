//! The parts of a batch, each computed by a worker.

use alloc::vec::Vec;
use core::ops::Range;

use super::part::{self, Mode, Part};
use super::{Buffers, Purpose, Scores, Slot, Trainer, Workers};
use crate::Scalar;
use crate::cell::{Model, ModelMut};
use crate::rng::Rng;
use crate::train::optim::{gather, scale, update};

impl<M: Model, O, W, C> Trainer<M, O, W, C> {
    /// Returns the seed of the random numbers of a part of a batch.
    pub(super) fn part_seed(&self, batch: usize, part: usize) -> u64 {
        self.generator(Purpose::Passes, batch * self.settings.parts + part).next_u64()
    }

    /// Computes the parts of the batch with the number `batch`. In training, adds their gradients
    /// to the trainer's, weighted by the number of samples in each part. Returns the scores of all
    /// parts, and whether a part has more steps to train on.
    pub(super) fn compute<S: Sync>(
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
            // With truncated BPTT, a part with fewer blocks than another waits for the next batch.
            let has_ended = mode == Mode::Train && !slot.has_more;
            (slot.scores, slot.fault, slot.has_more) = (Scores::default(), None, false);
            if !own_samples.is_empty() && !has_ended {
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
    pub(super) fn own_parts(&self) -> Range<usize>
    where
        C: Workers,
    {
        match self.settings.parts {
            1 => 0..1,
            parts => self.workers.own(parts),
        }
    }

    /// Makes a slot for each part that this process computes.
    pub(super) fn add_slots(&mut self)
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
