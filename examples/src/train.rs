//! An update of any layer: what trainings share whose optimiser and clipping serve the whole network.

use rnn_cell::cell::{Layer, ModelMut};
use rnn_cell::train::optim::{Optimiser, clear, clip_global_norm};

/// A layer in training, `B` sequences an update, with all that an update needs and the next one uses again.
pub struct Trainer<L: Layer<B>, O, const B: usize> {
    /// The layer.
    pub net: L,
    /// The optimiser: its rate may be changed on the way.
    pub optimiser: O,
    clip: Option<f64>,
    gradients: Box<L::Gradients>,
    tape: L::Tape,
    dys: Vec<L::Output>,
}

impl<L, O, const B: usize> Trainer<L, O, B>
where
    L: Layer<B> + ModelMut,
    O: Optimiser<L::Scalar>,
{
    /// Trains `net`; with `clip`, gradients of a larger norm are scaled down to it.
    pub fn new(net: L, optimiser: O, clip: Option<f64>) -> Self {
        let (gradients, tape) = (net.zero_gradients(), net.tape());
        Trainer { net, optimiser, clip, gradients, tape, dys: Vec::new() }
    }

    /// One update on a batch. `loss` gets the outputs of all steps, makes the vector their cotangents, and returns the loss, which is
    /// handed on.
    pub fn update<V>(
        &mut self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        loss: impl FnOnce(&[L::Output], &mut Vec<L::Output>) -> V,
    ) -> V {
        let mut state = self.net.initial_state();
        self.net.forward(Pass::of(xs).lengths(lengths.copied()), &mut state, &mut self.tape);
        let value = loss(self.net.outputs(&self.tape), &mut self.dys);
        clear(&mut *self.gradients);
        let mut dstate = self.net.zero_state();
        self.net.backward(Pass::of(xs).lengths(lengths.copied()), &mut self.tape, &self.dys, Bars::of(&mut self.gradients).state(&mut dstate));
        self.net.initial_state_backward(&dstate, &mut self.gradients);
        if let Some(max) = self.clip {
            clip_global_norm(&mut *self.gradients, max);
        }
        self.optimiser.step(&mut self.net, &self.gradients);
        value
    }

    /// The outputs on a batch, without learning from it.
    pub fn outputs(&mut self, xs: &[L::Input], lengths: Option<&[usize; B]>) -> &[L::Output] {
        let mut state = self.net.initial_state();
        self.net.forward(Pass::of(xs).lengths(lengths.copied()), &mut state, &mut self.tape);
        self.net.outputs(&self.tape)
    }
}
