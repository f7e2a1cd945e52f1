//! Layers on the heap.
//!
//! A `Box` itself is a model, for the parts of a network's gradients, but no layer: `cell.forward(..)` of a boxed cell
//! would then mean the trait's method instead of the cell's own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::cell::{Cell, Layer, Model, ModelMut, Parameter, ParameterMut};
use crate::inspect::finite::Fault;
use crate::rng::DynRng;

impl<M: Model + ?Sized> Model for Box<M> {
    type Scalar = M::Scalar;
    type Gradients = M::Gradients;

    fn zero_gradients(&self) -> Box<M::Gradients> {
        (**self).zero_gradients()
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, M::Scalar>)) {
        (**self).visit(visitor);
    }

    fn visit_buffers<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, M::Scalar>)) {
        (**self).visit_buffers(visitor);
    }

    fn depth(&self) -> usize {
        (**self).depth()
    }
}

impl<M: ModelMut + ?Sized> ModelMut for Box<M> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, M::Scalar>)) {
        (**self).visit_mut(visitor);
    }

    fn visit_buffers_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, M::Scalar>)) {
        (**self).visit_buffers_mut(visitor);
    }
}

/// A layer on the heap: cells too large for the call stack, as `init_boxed` and `zeros_boxed` build them, in a network.
///
/// A network holds its layers, parameters and all, and is moved like any value. Threads other than the first have a stack
/// of 2 MiB unless told otherwise, and without optimisation each move needs its own room there: from some 100,000 parameters
/// on, a layer belongs on the heap.
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let net = Stack(Boxed::new(Lstm::<64, 256>::init_boxed(&mut rng)), Dense::<256, 2>::init(&mut rng));
/// let (mut state, mut tape) = (net.initial_state(), net.tape());
/// net.forward(&[SVector::<f32, 64>::zeros()], None, &mut state, &mut tape);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Boxed<L> {
    /// The layer.
    pub layer: Box<L>,
}

impl<L> Boxed<L> {
    /// A layer that stands on the heap.
    pub fn new(layer: Box<L>) -> Self {
        Boxed { layer }
    }
}

same_parameters!(Boxed);

impl<const B: usize, L: Layer<B>> Layer<B> for Boxed<L> {
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type State = L::State;
    type Tape = L::Tape;

    fn initial_state(&self) -> L::State {
        self.layer.initial_state()
    }

    fn zero_state(&self) -> L::State {
        self.layer.zero_state()
    }

    fn initial_state_backward(&self, dstate: &L::State, grads: &mut L::Gradients) {
        self.layer.initial_state_backward(dstate, grads);
    }

    fn seed_noise(&self, state: &mut L::State, rng: &mut DynRng<'_>) {
        self.layer.seed_noise(state, rng);
    }

    fn tape(&self) -> L::Tape {
        self.layer.tape()
    }

    fn run(&self, xs: &[L::Input], lengths: Option<&[usize; B]>, state: &mut L::State) -> Vec<L::Output> {
        self.layer.run(xs, lengths, state)
    }

    fn forward(
        &self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        state: &mut L::State,
        tape: &mut L::Tape,
    ) {
        self.layer.forward(xs, lengths, state, tape);
    }

    fn outputs<'t>(&self, tape: &'t L::Tape) -> &'t [L::Output] {
        self.layer.outputs(tape)
    }

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
        self.layer.backward(xs, lengths, tape, dys, dstate, grads, dxs);
    }

    fn inspect_forward(
        &self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        state: &L::State,
        tape: &L::Tape,
    ) -> Result<(), Fault> {
        self.layer.inspect_forward(xs, lengths, state, tape)
    }

    fn inspect_backward(
        &self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        state: &L::State,
        tapes: [&L::Tape; 2],
        dys: &[L::Output],
        grads: &L::Gradients,
    ) -> Result<(), Fault> {
        self.layer.inspect_backward(xs, lengths, state, tapes, dys, grads)
    }
}

impl<const B: usize, L: Cell<B>> Cell<B> for Boxed<L> {
    fn step(&self, x: &L::Input, state: &mut L::State) -> L::Output {
        self.layer.step(x, state)
    }

    fn chunk(&self) -> usize {
        self.layer.chunk()
    }
}
