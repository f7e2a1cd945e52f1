//! Changes of the weights for the passes of an update: noise, and rounding to fewer bits.

use alloc::vec::Vec;

use super::{Purpose, Trainer};
use crate::cell::{Model, ModelMut};
use crate::train::optim::WeightNoise;

/// The changes, and the weights without them.
pub(super) struct WeightChanges<M: Model> {
    pub(super) noise: Option<WeightNoise<M::Scalar>>,
    /// The function that rounds the weights.
    pub(super) round: Option<fn(&mut M)>,
    /// The weights and buffers before they were rounded.
    exact: Vec<M::Scalar>,
}

impl<M: Model> WeightChanges<M> {
    pub(super) fn none() -> Self {
        WeightChanges { noise: None, round: None, exact: Vec::new() }
    }
}

impl<M: ModelMut> WeightChanges<M> {
    fn round(&mut self, model: &mut M) {
        if let Some(round) = self.round {
            self.exact.clear();
            copy_values(model, &mut self.exact);
            round(model);
        }
    }

    fn restore_rounded(&mut self, model: &mut M) {
        if self.round.is_some() {
            set_values(model, &self.exact);
        }
    }
}

impl<M: ModelMut, O, W, C> Trainer<M, O, W, C> {
    /// Changes the weights for the passes of an update.
    pub(super) fn change_weights(&mut self) {
        let mut rng = self.generator(Purpose::Weights, self.batches());
        if let Some(noise) = &mut self.changes.noise {
            noise.add(&mut self.model, &mut rng);
        }
        self.changes.round(&mut self.model);
    }

    /// Restores the weights after the passes of an update.
    pub(super) fn restore_weights(&mut self) {
        self.changes.restore_rounded(&mut self.model);
        if let Some(noise) = &mut self.changes.noise {
            noise.remove(&mut self.model);
        }
    }

    /// Calls `evaluate` while the weights are rounded, if they are in training.
    pub(super) fn with_rounded_weights<V>(&mut self, evaluate: impl FnOnce(&mut Self) -> V) -> V {
        self.changes.round(&mut self.model);
        let value = evaluate(self);
        self.changes.restore_rounded(&mut self.model);
        value
    }
}

/// Returns the values of all parameters and buffers of a model.
pub(super) fn values<M: Model>(model: &M) -> Vec<M::Scalar> {
    let mut values = Vec::new();
    copy_values(model, &mut values);
    values
}

/// Appends the values of all parameters and buffers of a model.
fn copy_values<M: Model>(model: &M, values: &mut Vec<M::Scalar>) {
    model.visit(&mut |parameter| values.extend_from_slice(parameter.values));
    model.visit_buffers(&mut |buffer| values.extend_from_slice(buffer.values));
}

/// Sets the parameters and buffers of a model to the result of an earlier call of [`values`].
pub(super) fn set_values<M: ModelMut>(model: &mut M, values: &[M::Scalar]) {
    let mut rest = values;
    let mut set = |values: &mut [M::Scalar]| {
        if let Some((kept, others)) = rest.split_at_checked(values.len()) {
            values.copy_from_slice(kept);
            rest = others;
        }
    };
    model.visit_mut(&mut |parameter| set(parameter.values));
    model.visit_buffers_mut(&mut |buffer| set(buffer.values));
}
