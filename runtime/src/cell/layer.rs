//! Layers: what maps sequences to sequences and trains.

use super::{Model, Parameter};
use crate::inspect::finite::{Fault, inspect_steps, inspect_steps_back, look_at_cotangents, look_at_outputs};
use crate::rng::DynRng;
use crate::types::varying::Varying;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Maps sequences to sequences and trains, `B` samples at a time.
///
/// `xs[t]` holds step `t` of every sample. The state is the initial one on entry of [`forward`](Self::forward) and the
/// final one on return; cotangents of states go the other way in [`backward`](Self::backward).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Layer<{B}>`",
    note = "a cell in a `Box` stands in a network as `Boxed::new(cell)`, one with a context as `cell.with(&context)`"
)]
pub trait Layer<const B: usize>: Model {
    /// What one step reads.
    type Input;
    /// What one step returns.
    type Output: Varying<Self::Scalar> + Clone;
    /// The cotangent of an input; `()` where an input has none (a one-hot index).
    type InputBar;
    /// What is carried from step to step.
    type State: Varying<Self::Scalar> + Clone;
    /// The residuals of a forward pass, reused between sequences.
    type Tape;

    /// The state that a sequence starts from: zero, or what the definition says.
    fn initial_state(&self) -> Self::State;

    /// A state that is all zero: the cotangent of a final state that no loss reads.
    fn zero_state(&self) -> Self::State;

    /// Adds to `grads` what `dstate`, the cotangent of the [initial state](Self::initial_state), hands to parameters that this
    /// state is made of. None, unless the layer learns its initial state. Kept apart from [`backward`](Self::backward):
    /// truncated BPTT must not reach it at a window's edge.
    fn initial_state_backward(&self, dstate: &Self::State, grads: &mut Self::Gradients) {
        let _ = (dstate, grads);
    }

    /// Switches noise on (the masks of dropout, of zoneout) for the sequences that start from `state`, drawn from generators
    /// seeded by `rng`. A state without this call has none: inference. A layer without noise, as nearly all are, does
    /// nothing.
    ///
    /// The generators are part of the state: two passes from equal states have the same masks, and a sequence cut in two
    /// has those of the whole.
    fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
        let _ = (state, rng);
    }

    /// An empty tape.
    fn tape(&self) -> Self::Tape;

    /// Runs a sequence without keeping residuals, for inference: returns the outputs. `state` is the initial state on entry and
    /// the final one on return; `lengths` as in [`forward`](Self::forward).
    ///
    /// This one, which a layer may replace, keeps them until it returns.
    fn run(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
    ) -> Vec<Self::Output> {
        let mut tape = self.tape();
        self.forward(xs, lengths, state, &mut tape);
        self.outputs(&tape).to_vec()
    }

    /// Runs a sequence. With `lengths`, sample `b` has `lengths[b]` steps: past them its state stays as it is and its
    /// outputs are zero. Those steps of `xs` may hold anything.
    fn forward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    );

    /// The outputs of the last forward pass.
    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output];

    /// Pulls cotangents back through the last forward pass on `tape`.
    ///
    /// `dys` are the cotangents of the outputs (empty: all zero). `dstate` is the cotangent of the final state
    /// on entry and of the initial state on return. Adds into `grads`; overwrites `dxs`. `lengths` are those of the
    /// forward pass; past a sample's end, `dys` may hold anything and `dxs` becomes zero.
    #[allow(clippy::too_many_arguments)]
    fn backward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        dstate: &mut Self::State,
        grads: &mut Self::Gradients,
        dxs: Option<&mut [Self::InputBar]>,
    );

    /// Looks for NaN and infinities in what a forward pass over `xs` from `state` computed, in the
    /// order of computing: [`check_sequence`](crate::inspect::finite::check_sequence) calls it. A layer made
    /// of layers asks each of them.
    ///
    /// This one looks at the outputs. A layer that streams shows its states too, by
    /// [`inspect_steps`](crate::inspect::finite::inspect_steps).
    ///
    /// # Errors
    /// With the first that is found.
    fn inspect_forward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        let _ = (xs, state);
        look_at_outputs(self.outputs(tape), lengths)
    }

    /// [`inspect_forward`](Self::inspect_forward) for a backward pass. The first of `tapes` holds
    /// the forward pass, the second was used by the backward pass, which had the cotangents `dys`
    /// and gave the gradients `grads`.
    ///
    /// This one looks at those two. A layer that streams shows the cotangents of its states too, by
    /// [`inspect_steps_back`](crate::inspect::finite::inspect_steps_back).
    ///
    /// # Errors
    /// With the first that is found.
    fn inspect_backward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Self::Output],
        grads: &Self::Gradients,
    ) -> Result<(), Fault> {
        let _ = (xs, state, tapes);
        look_at_cotangents(dys, lengths, grads)
    }
}

/// A layer that also runs one step at a time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `Cell<{B}>`: it can't run step by step",
    note = "a `Bidirectional` knows its first output when it has read the last input: `run` or `forward` it over the whole sequence",
    note = "a network streams if all its layers do"
)]
pub trait Cell<const B: usize>: Layer<B> {
    /// One step: reads `x`, advances `state`, returns the output. Allocates nothing.
    fn step(&self, x: &Self::Input, state: &mut Self::State) -> Self::Output;

    /// A sequence may be cut at multiples of so many steps without changing the order in which its passes add anything up.
    /// Generated cells work through a sequence in chunks; what works step by step may be cut anywhere.
    fn chunk(&self) -> usize {
        1
    }
}

/// A state that is made of named fields, as a generated cell's is: what works on one of them, as
/// [zoneout](crate::network::Zoneout) does, needs. `Y` is the output of the layer whose state it is.
pub trait StateFields<T, Y>: Varying<T> {
    /// The fields' names, in the order of their declaration.
    const NAMES: &'static [&'static str];

    /// Calls `f` with every value of every field, to change it, and the same value of `other`; before them the field's
    /// place in [`NAMES`](Self::NAMES).
    fn zip_fields(&mut self, other: &Self, f: &mut dyn FnMut(usize, &mut T, T));

    /// Sets those values of an output that are fields of the state to what they are now: after a step's state was changed,
    /// its output follows. Values that are computed from the state stay as they are.
    fn reread(&self, y: &mut Y);

    /// Pulls a cotangent back through [`reread`](Self::reread), where `self` is the cotangent of the state: moves the
    /// values of `dy` that are fields of the state there.
    fn pull_reread(&mut self, dy: &mut Y);
}

/// A layer with a context: what stays the same for a whole sequence. [`with`](Self::with) makes it a [`Layer`].
pub trait ContextLayer<const B: usize>: Model {
    /// What stays the same for a whole sequence.
    type Context;
    /// What one step reads.
    type Input;
    /// What one step returns.
    type Output: Varying<Self::Scalar> + Clone;
    /// The cotangent of an input.
    type InputBar;
    /// What is carried from step to step.
    type State: Varying<Self::Scalar> + Clone;
    /// The residuals of a forward pass.
    type Tape;

    /// The state that a sequence starts from.
    fn initial_state(&self, context: &Self::Context) -> Self::State;

    /// A state that is all zero: the cotangent of a final state that no loss reads.
    fn zero_state(&self) -> Self::State;

    /// A cotangent of a context, all zero.
    fn zero_context_bar(&self) -> Self::Context;

    /// See [`Layer::initial_state_backward`]. Adds into `dcontext` as well.
    fn initial_state_backward(
        &self,
        context: &Self::Context,
        dstate: &Self::State,
        grads: &mut Self::Gradients,
        dcontext: Option<&mut Self::Context>,
    ) {
        let _ = (context, dstate, grads, dcontext);
    }

    /// An empty tape.
    fn tape(&self) -> Self::Tape;

    /// One step.
    fn step(&self, x: &Self::Input, context: &Self::Context, state: &mut Self::State) -> Self::Output;

    /// See [`Cell::chunk`].
    fn chunk(&self) -> usize {
        1
    }

    /// See [`Layer::run`].
    fn run(
        &self,
        xs: &[Self::Input],
        context: &Self::Context,
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
    ) -> Vec<Self::Output> {
        let mut tape = self.tape();
        self.forward(xs, context, lengths, state, &mut tape);
        self.outputs(&tape).to_vec()
    }

    /// See [`Layer::forward`].
    fn forward(
        &self,
        xs: &[Self::Input],
        context: &Self::Context,
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    );

    /// The outputs of the last forward pass.
    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output];

    /// See [`Layer::backward`]. Adds into `dcontext`.
    #[allow(clippy::too_many_arguments)]
    fn backward(
        &self,
        xs: &[Self::Input],
        context: &Self::Context,
        lengths: Option<&[usize; B]>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        dstate: &mut Self::State,
        grads: &mut Self::Gradients,
        dxs: Option<&mut [Self::InputBar]>,
        dcontext: Option<&mut Self::Context>,
    );

    /// This layer with its context bound.
    fn with<'a>(&'a self, context: &'a Self::Context) -> With<'a, Self, Self::Context>
    where
        Self: Sized,
    {
        With { layer: self, context }
    }
}

/// A layer whose context is bound; made by [`ContextLayer::with`].
#[derive(Debug)]
pub struct With<'a, L, X> {
    /// The layer.
    pub layer: &'a L,
    /// Its context.
    pub context: &'a X,
}

impl<L: Model, X> Model for With<'_, L, X> {
    type Scalar = L::Scalar;
    type Gradients = L::Gradients;

    fn zero_gradients(&self) -> Box<L::Gradients> {
        self.layer.zero_gradients()
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, L::Scalar>)) {
        self.layer.visit(visitor);
    }

    fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, L::Scalar>)) {
        self.layer.visit_buffers(visitor);
    }

    fn depth(&self) -> usize {
        self.layer.depth()
    }
}

impl<const B: usize, L: ContextLayer<B>> Layer<B> for With<'_, L, L::Context> {
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type State = L::State;
    type Tape = L::Tape;

    fn initial_state(&self) -> L::State {
        self.layer.initial_state(self.context)
    }

    fn zero_state(&self) -> L::State {
        self.layer.zero_state()
    }

    /// The context's own cotangent is dropped; [`ContextLayer::initial_state_backward`] gives it.
    fn initial_state_backward(&self, dstate: &L::State, grads: &mut L::Gradients) {
        self.layer.initial_state_backward(self.context, dstate, grads, None);
    }

    fn tape(&self) -> L::Tape {
        self.layer.tape()
    }

    fn run(&self, xs: &[L::Input], lengths: Option<&[usize; B]>, state: &mut L::State) -> Vec<L::Output> {
        self.layer.run(xs, self.context, lengths, state)
    }

    fn forward(
        &self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        state: &mut L::State,
        tape: &mut L::Tape,
    ) {
        self.layer.forward(xs, self.context, lengths, state, tape);
    }

    fn outputs<'t>(&self, tape: &'t L::Tape) -> &'t [L::Output] {
        self.layer.outputs(tape)
    }

    /// The context's own cotangent is dropped; [`ContextLayer::backward`] gives it.
    fn backward(
        &self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        tape: &mut L::Tape,
        dys: &[L::Output],
        dstate: &mut L::State,
        grads: &mut L::Gradients,
        dxs: Option<&mut [L::InputBar]>,
    ) {
        self.layer.backward(xs, self.context, lengths, tape, dys, dstate, grads, dxs, None);
    }

    fn inspect_forward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &Self::State,
        _: &Self::Tape,
    ) -> Result<(), Fault> {
        inspect_steps(self, xs, lengths, state)
    }

    fn inspect_backward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &Self::State,
        _: [&Self::Tape; 2],
        dys: &[Self::Output],
        _: &Self::Gradients,
    ) -> Result<(), Fault> {
        inspect_steps_back(self, xs, lengths, state, dys)
    }
}

impl<const B: usize, L: ContextLayer<B>> Cell<B> for With<'_, L, L::Context> {
    fn step(&self, x: &L::Input, state: &mut L::State) -> L::Output {
        self.layer.step(x, self.context, state)
    }

    fn chunk(&self) -> usize {
        self.layer.chunk()
    }
}
