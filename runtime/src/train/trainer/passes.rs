//! The buffers of a layer's passes, one type for each form of backpropagation through time.

#[cfg(all(feature = "std", feature = "safetensors"))]
use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use super::Outputs;
use crate::cell::{Bars, Cell, Layer, LayerPass};
use crate::data::ends;
use crate::inspect::finite::{Fault, check_sequence};
use crate::rng::{Rng, SeedableRng, Xoshiro256PlusPlus};
use crate::train::bptt::{Checkpointed, Truncated};
use crate::types::varying::Varying;
#[cfg(all(feature = "std", feature = "safetensors"))]
use crate::weights::{Error, Reader, Writer};

/// The buffers that a loss function needs for one part of a batch: tapes and cotangents.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the buffers of a part of a batch",
    label = "no `Buffers`",
    note = "`Samples::<32>` allows 32 samples per part, `()` a single one"
)]
pub trait Buffers<M>: Send + Sized {
    /// The largest number of samples of a part.
    const SAMPLES: usize;

    /// Returns empty buffers with the same settings, for another part.
    #[must_use]
    fn another(&self) -> Self;

    /// Adds the values that the next batch reads to a checkpoint, such as a carried state. Their
    /// names start with `prefix`.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    fn save(&self, model: &M, prefix: &str, file: &mut Writer) {
        let _ = (model, prefix, file);
    }

    /// Returns the buffers of a checkpoint, unless they are always the same.
    ///
    /// # Errors
    /// Returns an error if the file does not hold what [`save`](Self::save) wrote.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    fn load(&self, model: &M, prefix: &str, file: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        let _ = (model, prefix, file);
        Ok(None)
    }
}

/// A stand-in for buffers, for a model whose function makes its own. A part has at most `N`
/// samples.
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::prelude::*;
/// use rnn_cell::train::{Samples, Trainer};
///
/// let gru = Gru::<2, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let trainer = Trainer::with_buffers(gru, Sgd::new(0.1), Samples::<32>);
/// # let _: Trainer<Gru<2, 4>, Sgd<f32>, Samples<32>> = trainer;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples<const N: usize>;

impl<M, const N: usize> Buffers<M> for Samples<N> {
    const SAMPLES: usize = N;

    fn another(&self) -> Self {
        Samples
    }
}

/// No buffers, and parts of one sample: see [`Samples`].
impl<M> Buffers<M> for () {
    const SAMPLES: usize = 1;

    fn another(&self) {}
}

/// Buffers that train the layer `L` on sequences: a form of backpropagation through time.
pub trait Bptt<L: Layer<B>, const B: usize> {
    /// Runs a sequence, or its next block, and adds its gradients. Noise is seeded by `seed`.
    /// Returns the loss, and whether another block follows.
    fn train(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        gradients: &mut L::Gradients,
        loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, bool);

    /// Runs a sequence and returns its loss.
    fn evaluate(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        mut loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> f64 {
        let mut state = layer.initial_state_with(pass.context);
        let ys = layer.run_pass(pass, &mut state);
        loss_of(&ys, &mut Vec::new(), pass, &mut loss)
    }

    /// Runs the sequence of the last call of [`train`](Self::train) again, whose loss or gradients
    /// were not finite, and searches for the first value that is not.
    fn inspect(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, Option<Fault>);
}

/// Calls the loss of a whole sequence and returns its value. `dys` becomes the cotangents.
fn loss_of<L: Layer<B>, const B: usize>(
    ys: &[L::Output],
    dys: &mut Vec<L::Output>,
    pass: LayerPass<'_, L, B>,
    loss: &mut impl FnMut(&mut Outputs<'_, L, B>) -> f64,
) -> f64 {
    let steps = ys.len();
    dys.clear();
    dys.resize_with(steps, Varying::zero);
    loss(&mut Outputs { ys, dys, steps: 0..steps, lengths: ends(steps, pass.lengths), mean_over: 0..steps })
}

/// Returns the state that a sequence starts from in training, with noise seeded by `seed`.
fn noisy_start<L: Layer<B>, const B: usize>(layer: &L, context: &L::Context, seed: u64) -> L::State {
    let mut state = layer.initial_state_with(context);
    // The noise of a layer is independent of the noise on its data, which `seed` itself generates.
    let seed = Xoshiro256PlusPlus::seed_from_u64(!seed).next_u64();
    layer.seed_noise(&mut state, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
    state
}

/// Searches a sequence that starts from `start` for the first value that is not finite. Returns its
/// loss too.
fn inspect_from<L, const B: usize>(
    layer: &L,
    pass: LayerPass<'_, L, B>,
    start: &L::State,
    mut loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
) -> (f64, Option<Fault>)
where
    L: Layer<B, Input: Varying<L::Scalar> + Clone>,
{
    let (mut tape, mut dys) = (L::Tape::default(), Vec::new());
    layer.forward_pass(pass, &mut start.clone(), &mut tape);
    let value = loss_of(layer.outputs(&tape), &mut dys, pass, &mut loss);
    (value, check_sequence(layer, pass, start, &dys).err())
}

/// Backpropagation through whole sequences.
pub struct FullBptt<L: Layer<B>, const B: usize> {
    tape: L::Tape,
    dys: Vec<L::Output>,
    carry: Carry<L::State>,
}

/// The state that a batch starts from, if batches are windows of streams.
enum Carry<S> {
    /// Every batch starts from the initial state.
    Never,
    /// The next batch starts from the initial state.
    Start,
    /// The next batch starts from the second state; the last one started from the first, or from
    /// the initial state.
    From(Option<S>, S),
}

impl<L: Layer<B>, const B: usize> FullBptt<L, B> {
    pub(super) fn new() -> Self {
        FullBptt { tape: L::Tape::default(), dys: Vec::new(), carry: Carry::Never }
    }

    pub(super) fn outputs(&mut self, layer: &L, pass: LayerPass<'_, L, B>) -> &[L::Output] {
        layer.forward_pass(pass, &mut layer.initial_state_with(pass.context), &mut self.tape);
        layer.outputs(&self.tape)
    }

    pub(super) fn carry_state(&mut self) {
        self.carry = Carry::Start;
    }

    pub(super) fn carries(&self) -> bool {
        !matches!(self.carry, Carry::Never)
    }

    pub(super) fn reset_state(&mut self) {
        if let Carry::From(..) = self.carry {
            self.carry = Carry::Start;
        }
    }
}

impl<L, const B: usize> Buffers<L> for FullBptt<L, B>
where
    L: Layer<B, Tape: Send, Output: Send, State: Send>,
{
    const SAMPLES: usize = B;

    fn another(&self) -> Self {
        let carry = if self.carries() { Carry::Start } else { Carry::Never };
        FullBptt { carry, ..Self::new() }
    }

    #[cfg(all(feature = "std", feature = "safetensors"))]
    fn save(&self, layer: &L, prefix: &str, file: &mut Writer) {
        if let Carry::From(_, state) = &self.carry {
            file.metadata(&format!("{prefix}carries"), true);
            file.state(&format!("{prefix}state."), layer, state);
        }
    }

    #[cfg(all(feature = "std", feature = "safetensors"))]
    fn load(&self, layer: &L, prefix: &str, file: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        let carries = file.metadata(&format!("{prefix}carries"));
        if !self.carries() || carries.is_none() {
            return Ok(Some(self.another()));
        }
        let mut state = L::State::zero();
        file.state(&format!("{prefix}state."), layer, &mut state)?;
        Ok(Some(FullBptt { carry: Carry::From(None, state), ..Self::new() }))
    }
}

impl<L, const B: usize> Bptt<L, B> for FullBptt<L, B>
where
    L: Layer<B, Input: Varying<L::Scalar> + Clone>,
{
    fn train(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        gradients: &mut L::Gradients,
        mut loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, bool) {
        let (mut state, before) = match &self.carry {
            Carry::From(_, state) => (state.clone(), Some(state.clone())),
            Carry::Never | Carry::Start => (noisy_start(layer, pass.context, seed), None),
        };
        layer.forward_pass(pass, &mut state, &mut self.tape);
        let value = loss_of(layer.outputs(&self.tape), &mut self.dys, pass, &mut loss);
        let mut dstate = L::State::zero();
        let bars = Bars { gradients: &mut *gradients, state: Some(&mut dstate), inputs: None, context: None };
        layer.backward_pass(pass, &mut self.tape, &self.dys, bars);
        if before.is_none() {
            layer.initial_state_with_backward(pass.context, &dstate, gradients, None);
        }
        if self.carries() {
            self.carry = Carry::From(before, state);
        }
        (value, false)
    }

    fn inspect(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, Option<Fault>) {
        // The next batch starts from the same state as this one.
        if let Carry::From(Some(before), state) = &mut self.carry {
            state.clone_from(before);
            return inspect_from(layer, pass, before, loss);
        }
        self.reset_state();
        inspect_from(layer, pass, &noisy_start(layer, pass.context, seed), loss)
    }
}

/// Truncated backpropagation through time: [`Truncated`].
pub struct TruncatedBptt<L: Cell<B>, const B: usize> {
    k1: usize,
    k2: usize,
    blocks: Option<Truncated<L, B>>,
    /// True if a sequence has more blocks.
    has_more: bool,
    dys: Vec<L::Output>,
}

impl<L: Cell<B>, const B: usize> TruncatedBptt<L, B> {
    #[track_caller]
    pub(super) fn new(k1: usize, k2: usize) -> Self {
        assert!(
            k1 > 0 && k2 > 0,
            "a block of {k1} steps, a window of {k2}: both must have at least one step"
        );
        TruncatedBptt { k1, k2, blocks: None, has_more: false, dys: Vec::new() }
    }
}

impl<L, const B: usize> Buffers<L> for TruncatedBptt<L, B>
where
    L: Cell<B, Tape: Send, Output: Send, State: Send>,
{
    const SAMPLES: usize = B;

    fn another(&self) -> Self {
        Self::new(self.k1, self.k2)
    }
}

impl<L, const B: usize> Bptt<L, B> for TruncatedBptt<L, B>
where
    L: Cell<B, Input: Varying<L::Scalar> + Clone>,
{
    fn train(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        gradients: &mut L::Gradients,
        mut loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, bool) {
        let start = || noisy_start(layer, pass.context, seed);
        if let Some(blocks) = &mut self.blocks
            && !self.has_more
        {
            blocks.start(start());
        }
        let blocks = self.blocks.get_or_insert_with(|| Truncated::from_state(start(), self.k1, self.k2));
        let Some(block) = blocks.forward(layer, pass) else {
            self.has_more = false;
            return (loss_of(&[], &mut self.dys, pass, &mut loss), false);
        };
        self.dys.clear();
        self.dys.resize_with(block.len(), Varying::zero);
        let value = loss(&mut Outputs {
            ys: blocks.outputs(),
            dys: &mut self.dys,
            steps: block.clone(),
            lengths: ends(pass.xs.len(), pass.lengths),
            mean_over: block.clone(),
        });
        let bars = Bars { gradients: &mut *gradients, state: None, inputs: None, context: None };
        if let Some(dstate) = blocks.backward(layer, pass, &self.dys, bars) {
            layer.initial_state_with_backward(pass.context, dstate, gradients, None);
        }
        self.has_more = block.end < pass.xs.len();
        (value, self.has_more)
    }

    fn inspect(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, Option<Fault>) {
        self.has_more = false;
        inspect_from(layer, pass, &noisy_start(layer, pass.context, seed), loss)
    }
}

/// Backpropagation through whole sequences from checkpoints of the state: [`Checkpointed`].
pub struct CheckpointedBptt<L: Cell<B>, const B: usize>(Checkpointed<L, B>);

impl<L: Cell<B>, const B: usize> CheckpointedBptt<L, B> {
    pub(super) fn new() -> Self {
        CheckpointedBptt(Checkpointed::new())
    }
}

impl<L, const B: usize> Buffers<L> for CheckpointedBptt<L, B>
where
    L: Cell<B, Tape: Send, Output: Send, State: Send>,
{
    const SAMPLES: usize = B;

    fn another(&self) -> Self {
        Self::new()
    }
}

impl<L, const B: usize> Bptt<L, B> for CheckpointedBptt<L, B>
where
    L: Cell<B, Input: Varying<L::Scalar> + Clone>,
{
    fn train(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        gradients: &mut L::Gradients,
        mut loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, bool) {
        let steps = pass.xs.len();
        let (lengths, mean_over) = (ends(steps, pass.lengths), 0..steps);
        self.0.forward(layer, pass, &mut noisy_start(layer, pass.context, seed));
        let (mut value, mut dstate) = (0.0, L::State::zero());
        let segment = |steps, ys: &[L::Output], dys: &mut [L::Output]| {
            value += loss(&mut Outputs { ys, dys, steps, lengths, mean_over: mean_over.clone() });
        };
        let bars = Bars { gradients: &mut *gradients, state: Some(&mut dstate), inputs: None, context: None };
        self.0.backward(layer, pass, segment, bars);
        layer.initial_state_with_backward(pass.context, &dstate, gradients, None);
        (value, false)
    }

    fn inspect(
        &mut self,
        layer: &L,
        pass: LayerPass<'_, L, B>,
        seed: u64,
        loss: impl FnMut(&mut Outputs<'_, L, B>) -> f64,
    ) -> (f64, Option<Fault>) {
        inspect_from(layer, pass, &noisy_start(layer, pass.context, seed), loss)
    }
}

impl<L: Layer<B>, const B: usize> fmt::Debug for FullBptt<L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FullBptt").finish_non_exhaustive()
    }
}

impl<L: Cell<B>, const B: usize> fmt::Debug for TruncatedBptt<L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TruncatedBptt { k1, k2, .. } = self;
        f.debug_struct("TruncatedBptt").field("k1", k1).field("k2", k2).finish_non_exhaustive()
    }
}

impl<L: Cell<B>, const B: usize> fmt::Debug for CheckpointedBptt<L, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckpointedBptt").field(&self.0).finish()
    }
}
