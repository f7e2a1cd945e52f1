//! One layer on top of another.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::fit;
use super::path::Place;
use crate::cell::{Cell, Layer, Model, ModelMut, Parameter, ParameterMut};
use crate::inspect::finite::Fault;
use crate::rng::DynRng;

/// Two layers, the second of which reads what comes out of the first: `Stack(lstm, dense)`, `Stack(Stack(a, b), c)`.
///
/// The parameters are called after the layer that they belong to, counted from the first: `0.W`, `1.W`, `2.W`, however
/// three layers were bracketed.
///
/// ```
/// use rnn_cell::cells::{Dense, Gru};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let net = Stack(Gru::<3, 8>::init(&mut rng), Dense::<8, 2>::init(&mut rng));
/// let mut state = net.initial_state();
/// let y: SVector<f32, 2> = net.step(&SVector::<f32, 3>::new(0.1, 0.2, 0.3), &mut state);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stack<A, L>(
    /// The first layer.
    pub A,
    /// The layer that reads the first one's outputs.
    pub L,
);

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

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, A::Scalar>)) {
        let (first, second) = self.places();
        self.0.visit(&mut first.of(visitor));
        self.1.visit(&mut second.of(visitor));
    }

    fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, A::Scalar>)) {
        let (first, second) = self.places();
        self.0.visit_buffers(&mut first.of(visitor));
        self.1.visit_buffers(&mut second.of(visitor));
    }

    fn depth(&self) -> usize {
        self.0.depth() + self.1.depth()
    }
}

impl<A: ModelMut, L: ModelMut<Scalar = A::Scalar>> ModelMut for Stack<A, L> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, A::Scalar>)) {
        let (first, second) = self.places();
        self.0.visit_mut(&mut first.of_mut(visitor));
        self.1.visit_mut(&mut second.of_mut(visitor));
    }

    fn visit_buffers_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, A::Scalar>)) {
        let (first, second) = self.places();
        self.0.visit_buffers_mut(&mut first.of_mut(visitor));
        self.1.visit_buffers_mut(&mut second.of_mut(visitor));
    }
}

/// The tapes of both layers of a [`Stack`], and the cotangents that pass between them.
#[derive(Debug, Clone)]
pub struct StackTape<A, L, Y> {
    first: A,
    second: L,
    between: Vec<Y>,
}

impl<const B: usize, A, L> Layer<B> for Stack<A, L>
where
    A: Layer<B>,
    L: Layer<B, Scalar = A::Scalar, Input = A::Output, InputBar = A::Output>,
{
    type Input = A::Input;
    type Output = L::Output;
    type InputBar = A::InputBar;
    type State = (A::State, L::State);
    type Tape = StackTape<A::Tape, L::Tape, A::Output>;

    fn initial_state(&self) -> Self::State {
        (self.0.initial_state(), self.1.initial_state())
    }

    fn zero_state(&self) -> Self::State {
        (self.0.zero_state(), self.1.zero_state())
    }

    fn initial_state_backward(&self, dstate: &Self::State, grads: &mut Self::Gradients) {
        self.0.initial_state_backward(&dstate.0, &mut grads.0);
        self.1.initial_state_backward(&dstate.1, &mut grads.1);
    }

    fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
        self.0.seed_noise(&mut state.0, rng);
        self.1.seed_noise(&mut state.1, rng);
    }

    fn tape(&self) -> Self::Tape {
        StackTape { first: self.0.tape(), second: self.1.tape(), between: Vec::new() }
    }

    fn run(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
    ) -> Vec<Self::Output> {
        self.1.run(&self.0.run(xs, lengths, &mut state.0), lengths, &mut state.1)
    }

    fn forward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    ) {
        self.0.forward(xs, lengths, &mut state.0, &mut tape.first);
        self.1.forward(self.0.outputs(&tape.first), lengths, &mut state.1, &mut tape.second);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        self.1.outputs(&tape.second)
    }

    fn backward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        dstate: &mut Self::State,
        grads: &mut Self::Gradients,
        dxs: Option<&mut [Self::InputBar]>,
    ) {
        let StackTape { first, second, between } = tape;
        let hs = self.0.outputs(first);
        fit(between, hs);
        self.1.backward(hs, lengths, second, dys, &mut dstate.1, &mut grads.1, Some(between));
        self.0.backward(xs, lengths, first, between, &mut dstate.0, &mut grads.0, dxs);
    }

    fn inspect_forward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        let (first, second) = self.places();
        first.locate(self.0.inspect_forward(xs, lengths, &state.0, &tape.first))?;
        let hs = self.0.outputs(&tape.first);
        second.locate(self.1.inspect_forward(hs, lengths, &state.1, &tape.second))
    }

    fn inspect_backward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Self::Output],
        grads: &Self::Gradients,
    ) -> Result<(), Fault> {
        let (first, second) = self.places();
        let [tape, back] = tapes;
        let hs = self.0.outputs(&tape.first);
        let tapes = [&tape.second, &back.second];
        second.locate(self.1.inspect_backward(hs, lengths, &state.1, tapes, dys, &grads.1))?;
        let tapes = [&tape.first, &back.first];
        first.locate(self.0.inspect_backward(xs, lengths, &state.0, tapes, &back.between, &grads.0))
    }
}

impl<const B: usize, A, L> Cell<B> for Stack<A, L>
where
    A: Cell<B>,
    L: Cell<B, Scalar = A::Scalar, Input = A::Output, InputBar = A::Output>,
{
    fn step(&self, x: &Self::Input, state: &mut Self::State) -> Self::Output {
        self.1.step(&self.0.step(x, &mut state.0), &mut state.1)
    }

    fn chunk(&self) -> usize {
        // The least common multiple.
        let (first, second) = (self.0.chunk(), self.1.chunk());
        let (mut a, mut b) = (first, second);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        first / a.max(1) * second
    }
}
