//! Layers: trainable maps from sequences to sequences.

#[cfg(doc)]
use super::StatePart;
use super::{Bars, IntoBars, IntoPass, IntoStep, Model, Pass, StateVisitor, visit_scalars};
use crate::cell::fault::{Fault, look_at_cotangents, look_at_outputs};
use crate::rng::DynRng;
use crate::types::varying::Varying;
use alloc::vec::Vec;

/// The cotangents that a backward pass of the layer `L` writes.
pub type LayerBars<'a, L, const B: usize> = Bars<
    'a,
    <L as Model>::Gradients,
    <L as Layer<B>>::State,
    <L as Layer<B>>::InputBar,
    <L as Layer<B>>::Context,
>;

/// The values that a pass of the layer `L` reads.
pub type LayerPass<'a, L, const B: usize> = Pass<'a, <L as Layer<B>>::Input, <L as Layer<B>>::Context, B>;

/// A trainable map from sequences of `B` samples to sequences.
///
/// | verb | computes |
/// | --- | --- |
/// | [`run`](Self::run) | the outputs of a sequence |
/// | [`forward`](Self::forward) | the outputs, and a tape for the backward pass |
/// | [`backward`](Self::backward) | the cotangents of parameters, state, inputs and context |
///
/// The first argument of each is everything that the pass reads: `&xs`, `&batch`, `(&xs,
/// &context)`; see [`IntoPass`]. A layer that is written by hand implements the three as
/// [`run_pass`](Self::run_pass), [`forward_pass`](Self::forward_pass) and
/// [`backward_pass`](Self::backward_pass).
///
/// States and tapes come from the layer: [`initial_state`](Model::initial_state),
/// [`zero_state`](Model::zero_state), [`tape`](Model::tape).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer for batches of {B}",
    label = "no `Layer<{B}>`",
    note = "layers are cells of `rnn_cell!`, networks of layers that fit together, and types that implement `Layer`",
    note = "a struct with `#[derive(Model)]` is not a layer: `Trainer::with_buffers` trains it"
)]
pub trait Layer<const B: usize>: Model {
    /// The input of one step.
    type Input;
    /// The output of one step.
    type Output: Varying<Self::Scalar> + Clone;
    /// The cotangent of an input; `()` where an input has none (a one-hot index).
    type InputBar;
    /// The values that stay the same for a whole sequence; `()` for nearly all layers.
    type Context;
    /// The values that are carried from step to step.
    type State: Varying<Self::Scalar> + Clone;
    /// The residuals of a forward pass, reused between sequences.
    type Tape: Default;

    /// Returns the state that a sequence starts from: zero, unless the definition gives initial
    /// values.
    fn initial_state_with(&self, context: &Self::Context) -> Self::State {
        let _ = context;
        Self::State::zero()
    }

    /// Pulls `dstate`, the cotangent of the [initial state](Self::initial_state_with), back to the
    /// parameters and the context that this state is computed from. Adds to `gradients` and
    /// `dcontext`.
    ///
    /// Separate from [`backward`](Self::backward), because truncated BPTT must not reach the
    /// initial state at the edge of a window.
    fn initial_state_with_backward(
        &self,
        context: &Self::Context,
        dstate: &Self::State,
        gradients: &mut Self::Gradients,
        dcontext: Option<&mut Self::Context>,
    ) {
        let _ = (context, dstate, gradients, dcontext);
    }

    /// Switches noise on, such as the masks of dropout and zoneout, for the sequences that start
    /// from `state`. It is drawn from generators seeded by `rng`. Without this call a state has no
    /// noise, as inference requires. The default, for layers without noise, does nothing.
    ///
    /// The generators are part of the state: two passes from equal states have the same masks, and
    /// a sequence cut in two has those of the whole.
    fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
        let _ = (state, rng);
    }

    /// Calls `visitor` with the parts of `state` on which the rest of a sequence depends, each with
    /// its path: `h`, or `0.h` in a network. Keeps the changes that `visitor` makes. The feature
    /// `safetensors` saves and loads states by this method.
    ///
    /// The default visits all scalars as one part without a name. A layer whose state holds
    /// anything else, such as an index or a [generator](StatePart::Generator), must visit that too.
    fn visit_state(&self, state: &mut Self::State, visitor: &mut StateVisitor<'_, Self::Scalar>) {
        visit_scalars("", state, visitor);
    }

    /// Runs a sequence for inference; see [`run`](Self::run). The default implementation runs
    /// [`forward_pass`](Self::forward_pass) on a temporary tape.
    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State) -> Vec<Self::Output> {
        let mut tape = Self::Tape::default();
        self.forward_pass(pass, state, &mut tape);
        self.outputs(&tape).to_vec()
    }

    /// Runs a sequence and keeps its residuals on `tape`; see [`forward`](Self::forward).
    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape);

    /// Returns the outputs of the last forward pass.
    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output];

    /// Pulls cotangents back through the last forward pass on `tape`; see
    /// [`backward`](Self::backward).
    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    );

    /// Searches for NaN and infinities in the values that a forward pass from `state` computed, in
    /// the order of their computation. [`check_sequence`](crate::inspect::finite::check_sequence)
    /// calls it. A layer made of layers calls it for each of them.
    ///
    /// The default checks the outputs. A layer that streams also checks its states, by
    /// [`inspect_steps`](crate::inspect::finite::inspect_steps).
    ///
    /// # Errors
    /// Returns the first such value.
    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        let _ = state;
        look_at_outputs(self.outputs(tape), pass.lengths)
    }

    /// Searches a backward pass for NaN and infinities, like
    /// [`inspect_forward`](Self::inspect_forward). The first of `tapes` holds the forward pass. The
    /// second was used by the backward pass, which read the cotangents `dys` and computed
    /// `gradients`.
    ///
    /// The default checks `dys` and `gradients`. A layer that streams also checks the cotangents of
    /// its states, by [`inspect_steps_back`](crate::inspect::finite::inspect_steps_back).
    ///
    /// # Errors
    /// Returns the first such value.
    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Self::Output],
        gradients: &Self::Gradients,
    ) -> Result<(), Fault> {
        let _ = (state, tapes);
        look_at_cotangents(dys, pass.lengths, gradients)
    }

    /// Runs a sequence for inference and returns its outputs, without a tape.
    ///
    /// `state` is the initial state on entry and the final state on return.
    fn run<'a>(
        &self,
        pass: impl IntoPass<'a, Self::Input, Self::Context, B>,
        state: &mut Self::State,
    ) -> Vec<Self::Output>
    where
        Self: Sized,
        Self::Input: 'a,
        Self::Context: 'a,
    {
        self.run_pass(pass.into_pass(), state)
    }

    /// Runs a sequence and returns its outputs, which live in the tape, with the residuals that
    /// [`backward`](Self::backward) needs.
    ///
    /// `state` is the initial state on entry and the final state on return. A sample that ends
    /// before the others keeps its state from there on, and its outputs are zero.
    fn forward<'a, 't>(
        &self,
        pass: impl IntoPass<'a, Self::Input, Self::Context, B>,
        state: &mut Self::State,
        tape: &'t mut Self::Tape,
    ) -> &'t [Self::Output]
    where
        Self: Sized,
        Self::Input: 'a,
        Self::Context: 'a,
    {
        self.forward_pass(pass.into_pass(), state, tape);
        self.outputs(tape)
    }

    /// Pulls cotangents back through the last forward pass on `tape`, which must have been over the
    /// same `pass`.
    ///
    /// `dys` are the cotangents of the outputs, one per step, or none if all are zero; their
    /// contents past a sample's end do not matter. `bars` is `&mut gradients`, or [`Bars`] with
    /// everything else that is wanted.
    ///
    /// # Panics
    /// Panics if the lengths of `xs`, `dys` or the cotangents of inputs differ from the length of
    /// the tape.
    fn backward<'a>(
        &self,
        pass: impl IntoPass<'a, Self::Input, Self::Context, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: impl IntoBars<'a, Self::Gradients, Self::State, Self::InputBar, Self::Context>,
    ) where
        Self: Sized,
        Self::Input: 'a,
        Self::Context: 'a,
        Self::Gradients: 'a,
        Self::State: 'a,
        Self::InputBar: 'a,
    {
        self.backward_pass(pass.into_pass(), tape, dys, bars.into_bars());
    }
}

/// A layer that also runs one step at a time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot run one step at a time",
    label = "no `Cell<{B}>`",
    note = "a `Bidirectional` knows its first output only after the last input: `run` or `forward` it over a sequence",
    note = "a network streams if all its layers do"
)]
pub trait Cell<const B: usize>: Layer<B> {
    /// Computes one step; see [`step`](Self::step).
    fn step_with(&self, x: &Self::Input, context: &Self::Context, state: &mut Self::State) -> Self::Output;

    /// Returns the length of a chunk, in steps. A sequence may be cut at multiples of it without
    /// changing the order of the additions in its passes. Generated cells process a sequence in
    /// chunks. A layer that runs step by step may be cut anywhere.
    fn chunk(&self) -> usize {
        1
    }

    /// Computes one step: reads `&x`, or `(&x, &context)`, advances `state`, returns the output.
    /// Allocates nothing.
    #[inline]
    fn step<'a>(
        &self,
        x: impl IntoStep<'a, Self::Input, Self::Context>,
        state: &mut Self::State,
    ) -> Self::Output
    where
        Self: Sized,
        Self::Input: 'a,
        Self::Context: 'a,
    {
        let (x, context) = x.into_step();
        self.step_with(x, context, state)
    }
}
