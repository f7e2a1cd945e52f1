//! Stacks of layers.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::fit;
use crate::cell::fault::Fault;
use crate::cell::{
    Bars, Cell, Isa, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Pass, Place,
    Prepare, StateVisitor, visit_mut_parts, visit_parts,
};
use crate::rng::DynRng;

/// A chain of layers, each of which reads the outputs of the previous one: `lstm.then(dense)`,
/// which is `Stack::new(lstm, dense)`, and `a.then(b).then(c)`.
///
/// The names of the parameters start with the number of their layer: `0.W`, `1.W`, `2.W`. The
/// context is that of the first layer; the other layers [bind](Model::with) theirs.
///
/// ```
/// use rnn_cell::cells::{Dense, Gru};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let net = Stack::new(Gru::<3, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
/// let mut state = net.initial_state();
/// let y: SVector<f32, 2> = net.step(&SVector::<f32, 3>::new(0.1, 0.2, 0.3), &mut state);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stack<A, L>(
    /// The first layer.
    pub A,
    /// The layer that reads the outputs of the first.
    pub L,
);

impl<A: Layer<1>, L: Follows<A>> Stack<A, L> {
    /// Puts `second` on top of `first`, like [`first.then(second)`](Model::then).
    ///
    /// The layers are checked for a batch of one sample. Layers of other batches only are stacked
    /// as `Stack(first, second)`.
    pub fn new(first: A, second: L) -> Self {
        Stack(first, second)
    }
}

/// A layer that can read the outputs of the layer `A`: its inputs have the same size and precision,
/// and it has no context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot read the outputs of `{A}`",
    label = "inputs of another type, size or precision",
    note = "`Dense<8, 2>` reads 8 values and returns 2; a layer with a context follows as `layer.with(&context)`"
)]
pub trait Follows<A: Layer<B>, const B: usize = 1>:
    Layer<B, Scalar = A::Scalar, Input = A::Output, InputBar = A::Output, Context = ()>
{
}

#[diagnostic::do_not_recommend]
impl<A, L, const B: usize> Follows<A, B> for L
where
    A: Layer<B>,
    L: Layer<B, Scalar = A::Scalar, Input = A::Output, InputBar = A::Output, Context = ()>,
{
}

impl<A: Model, L> Stack<A, L> {
    fn places(&self) -> (Place, Place)
    where
        L: Model,
    {
        let (first, second) = (self.0.depth(), self.1.depth());
        (Place::Numbered { below: 0, depth: first }, Place::Numbered { below: first, depth: second })
    }
}

impl<A: Model, L: Model<Scalar = A::Scalar>> Model for Stack<A, L> {
    type Scalar = A::Scalar;
    type Gradients = Stack<Box<A::Gradients>, Box<L::Gradients>>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        Box::new(Stack(self.0.zero_gradients(), self.1.zero_gradients()))
    }

    visit_parts!(this, (first, second) = this.places() => (first, this.0), (second, this.1));

    fn depth(&self) -> usize {
        self.0.depth() + self.1.depth()
    }
}

impl<A: ModelMut, L: ModelMut<Scalar = A::Scalar>> ModelMut for Stack<A, L> {
    visit_mut_parts!(this, (first, second) = this.places() => (first, this.0), (second, this.1));
}

/// The tape of a [`Stack`]: the tapes of both layers and the cotangents between them.
#[derive(Clone)]
pub struct StackTape<A, L, Y> {
    first: A,
    second: L,
    between: Vec<Y>,
}

short_debug!(StackTape<A, L, Y>: first, second);

impl<A: Default, L: Default, Y> Default for StackTape<A, L, Y> {
    fn default() -> Self {
        StackTape { first: A::default(), second: L::default(), between: Vec::new() }
    }
}

impl<const B: usize, A, L> Layer<B> for Stack<A, L>
where
    A: Layer<B>,
    L: Follows<A, B>,
{
    type Input = A::Input;
    type Output = L::Output;
    type InputBar = A::InputBar;
    type Context = A::Context;
    type State = (A::State, L::State);
    type Tape = StackTape<A::Tape, L::Tape, A::Output>;

    fn initial_state_with(&self, context: &A::Context) -> Self::State {
        (self.0.initial_state_with(context), self.1.initial_state_with(&()))
    }

    fn initial_state_with_backward(
        &self,
        context: &A::Context,
        dstate: &Self::State,
        gradients: &mut Self::Gradients,
        dcontext: Option<&mut A::Context>,
    ) {
        self.0.initial_state_with_backward(context, &dstate.0, &mut gradients.0, dcontext);
        self.1.initial_state_with_backward(&(), &dstate.1, &mut gradients.1, None);
    }

    fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
        self.0.seed_noise(&mut state.0, rng);
        self.1.seed_noise(&mut state.1, rng);
    }

    fn visit_state(&self, state: &mut Self::State, visitor: &mut StateVisitor<'_, A::Scalar>) {
        let (first, second) = self.places();
        self.0.visit_state(&mut state.0, &mut first.of_state(visitor));
        self.1.visit_state(&mut state.1, &mut second.of_state(visitor));
    }

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State) -> Vec<Self::Output> {
        let hs = self.0.run_pass(pass, &mut state.0);
        self.1.run_pass(Pass::of(&hs).lengths(pass.lengths), &mut state.1)
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        self.0.forward_pass(pass, &mut state.0, &mut tape.first);
        let hs = self.0.outputs(&tape.first);
        self.1.forward_pass(Pass::of(hs).lengths(pass.lengths), &mut state.1, &mut tape.second);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        self.1.outputs(&tape.second)
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        let StackTape { first, second, between } = tape;
        let Bars { gradients, state, inputs, context } = bars;
        let (dfirst, dsecond) = state.map(|(first, second)| (first, second)).unzip();
        let hs = self.0.outputs(first);
        fit(between, hs);
        let bars =
            Bars { gradients: &mut *gradients.1, state: dsecond, inputs: Some(between), context: None };
        self.1.backward_pass(Pass::of(hs).lengths(pass.lengths), second, dys, bars);
        let bars = Bars { gradients: &mut *gradients.0, state: dfirst, inputs, context };
        self.0.backward_pass(pass, first, between, bars);
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        let (first, second) = self.places();
        first.locate(self.0.inspect_forward(pass, &state.0, &tape.first))?;
        let hs = Pass::of(self.0.outputs(&tape.first)).lengths(pass.lengths);
        second.locate(self.1.inspect_forward(hs, &state.1, &tape.second))
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Self::Output],
        gradients: &Self::Gradients,
    ) -> Result<(), Fault> {
        let (first, second) = self.places();
        let [tape, back] = tapes;
        let hs = Pass::of(self.0.outputs(&tape.first)).lengths(pass.lengths);
        let tapes = [&tape.second, &back.second];
        second.locate(self.1.inspect_backward(hs, &state.1, tapes, dys, &gradients.1))?;
        let tapes = [&tape.first, &back.first];
        first.locate(self.0.inspect_backward(pass, &state.0, tapes, &back.between, &gradients.0))
    }
}

impl<const B: usize, A, L> Cell<B> for Stack<A, L>
where
    A: Cell<B>,
    L: Cell<B> + Follows<A, B>,
{
    fn step_with(&self, x: &A::Input, context: &A::Context, state: &mut Self::State) -> Self::Output {
        self.1.step_with(&self.0.step_with(x, context, &mut state.0), &(), &mut state.1)
    }

    fn chunk(&self) -> usize {
        common_chunk(self.0.chunk(), self.1.chunk())
    }
}

impl<const B: usize, A, L> Prepare<B> for Stack<A, L>
where
    A: Prepare<B>,
    L: Prepare<B, Scalar = A::Scalar, Input = A::Output, Context = ()>,
{
    type Scalar = A::Scalar;
    type Context = A::Context;
    type Input = A::Input;
    type Output = L::Output;
    type State = (A::State, L::State);
    type Fixed = (A::Fixed, L::Fixed);

    #[inline(always)]
    fn prepare_on<S: Isa>(&self, isa: S, context: &A::Context) -> Self::Fixed {
        (self.0.prepare_on(isa, context), self.1.prepare_on(isa, &()))
    }

    #[inline(always)]
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &Self::Fixed,
        x: &A::Input,
        context: &A::Context,
        state: &mut Self::State,
    ) -> L::Output {
        let h = self.0.step_on(isa, &fixed.0, x, context, &mut state.0);
        self.1.step_on(isa, &fixed.1, &h, &(), &mut state.1)
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &A::Context, state: &mut Self::State) {
        self.0.start_on(isa, context, &mut state.0);
        self.1.start_on(isa, &(), &mut state.1);
    }
}

/// Returns the least common multiple of the [chunks](Cell::chunk) of two layers.
pub(super) fn common_chunk(first: usize, second: usize) -> usize {
    let (mut a, mut b) = (first, second);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    first / a.max(1) * second
}
