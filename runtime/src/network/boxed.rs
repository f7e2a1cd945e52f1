//! A box of a layer is a layer: cells too large for the call stack (`init_boxed`) stand in networks as they are.

use alloc::boxed::Box;

use crate::cell::{Cell, Layer, Model, ModelMut, Parameter, ParameterMut};
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

impl<const B: usize, L: Layer<B> + ?Sized> Layer<B> for Box<L> {
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type State = L::State;
    type Tape = L::Tape;

    fn zero_state(&self) -> L::State {
        (**self).zero_state()
    }

    fn zero_state_bar(&self) -> L::State {
        (**self).zero_state_bar()
    }

    fn initial_state_backward(&self, dstate: &L::State, grads: &mut L::Gradients) {
        (**self).initial_state_backward(dstate, grads);
    }

    fn seed_noise(&self, state: &mut L::State, rng: &mut DynRng<'_>) {
        (**self).seed_noise(state, rng);
    }

    fn tape(&self) -> L::Tape {
        (**self).tape()
    }

    fn forward(
        &self,
        xs: &[L::Input],
        lengths: Option<&[usize; B]>,
        state: &mut L::State,
        tape: &mut L::Tape,
    ) {
        (**self).forward(xs, lengths, state, tape);
    }

    fn outputs<'t>(&self, tape: &'t L::Tape) -> &'t [L::Output] {
        (**self).outputs(tape)
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
        (**self).backward(xs, lengths, tape, dys, dstate, grads, dxs);
    }
}

impl<const B: usize, L: Cell<B> + ?Sized> Cell<B> for Box<L> {
    fn step(&self, x: &L::Input, state: &mut L::State) -> L::Output {
        (**self).step(x, state)
    }
}
