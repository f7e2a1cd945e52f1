//! The update of a layer, for trainings with one optimiser and one clipping for the whole network.

use rnn_cell::cell::{Bars, IntoPass, Layer, ModelMut};
use rnn_cell::train::optim::{Optimiser, clip_global_norm};

/// A layer in training with `B` sequences per update, and the buffers that updates reuse.
pub struct Trainer<L: Layer<B>, O, const B: usize> {
    /// The layer.
    pub net: L,
    /// The optimiser. Its rate may be changed during the training.
    pub optimiser: O,
    clip: Option<f64>,
    gradients: Box<L::Gradients>,
    tape: L::Tape,
    dys: Vec<L::Output>,
}

impl<L, O, const B: usize> Trainer<L, O, B>
where
    L: Layer<B, Context = ()> + ModelMut,
    O: Optimiser<L::Scalar>,
{
    /// Creates a trainer of `net`. With `clip`, gradients of a larger norm are scaled down to that
    /// norm.
    pub fn new(net: L, optimiser: O, clip: Option<f64>) -> Self {
        let (gradients, tape) = (net.zero_gradients(), net.tape());
        Trainer { net, optimiser, clip, gradients, tape, dys: Vec::new() }
    }

    /// Updates the parameters on one batch. `loss` reads the outputs of all steps, writes their
    /// cotangents to the vector, and returns a value, which `update` returns too.
    pub fn update<'a, V>(
        &mut self,
        pass: impl IntoPass<'a, L::Input, (), B>,
        loss: impl FnOnce(&[L::Output], &mut Vec<L::Output>) -> V,
    ) -> V
    where
        L::Input: 'a,
    {
        let pass = pass.into_pass();
        let (mut state, mut dstate) = (self.net.initial_state(), self.net.zero_state());
        let value = loss(self.net.forward(pass, &mut state, &mut self.tape), &mut self.dys);
        self.gradients.set_zero();
        let bars = Bars::of(&mut self.gradients).state(&mut dstate);
        self.net.backward(pass, &mut self.tape, &self.dys, bars);
        self.net.initial_state_backward(&dstate, &mut self.gradients);
        if let Some(max) = self.clip {
            clip_global_norm(&mut self.gradients, max);
        }
        self.optimiser.step(&mut self.net, &self.gradients);
        value
    }

    /// Returns the outputs on a batch without learning from it.
    pub fn outputs<'a>(&mut self, pass: impl IntoPass<'a, L::Input, (), B>) -> &[L::Output]
    where
        L::Input: 'a,
    {
        self.net.forward(pass, &mut self.net.initial_state(), &mut self.tape)
    }
}
