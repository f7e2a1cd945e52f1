//! A layer seen as one whose context is empty, so that one check serves both kinds.

use alloc::boxed::Box;

use crate::cell::{ContextLayer, Layer, Model, ModelMut, Parameter, ParameterMut};

pub(super) struct Plain<'a, L>(pub(super) &'a mut L);

impl<L: Model> Model for Plain<'_, L> {
    type Scalar = L::Scalar;
    type Gradients = L::Gradients;

    fn zero_gradients(&self) -> Box<L::Gradients> {
        self.0.zero_gradients()
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, L::Scalar>)) {
        self.0.visit(visitor);
    }
}

impl<L: ModelMut> ModelMut for Plain<'_, L> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, L::Scalar>)) {
        self.0.visit_mut(visitor);
    }
}

impl<L: Layer<B>, const B: usize> ContextLayer<B> for Plain<'_, L> {
    type Context = ();
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type State = L::State;
    type Tape = L::Tape;

    fn initial_state(&self, (): &()) -> L::State {
        self.0.initial_state()
    }

    fn zero_state(&self) -> L::State {
        self.0.zero_state()
    }

    fn zero_context_bar(&self) {}

    fn tape(&self) -> L::Tape {
        self.0.tape()
    }

    fn step(&self, _: &L::Input, (): &(), _: &mut L::State) -> L::Output {
        // A layer need not stream, and a gradient check never steps.
        unreachable!("a layer is checked by its `forward` and `backward` alone")
    }

    fn forward(
        &self,
        xs: &[L::Input],
        (): &(),
        lengths: Option<&[usize; B]>,
        state: &mut L::State,
        tape: &mut L::Tape,
    ) {
        self.0.forward(xs, lengths, state, tape);
    }

    fn outputs<'t>(&self, tape: &'t L::Tape) -> &'t [L::Output] {
        self.0.outputs(tape)
    }

    fn backward(
        &self,
        xs: &[L::Input],
        (): &(),
        lengths: Option<&[usize; B]>,
        tape: &mut L::Tape,
        dys: &[L::Output],
        dstate: &mut L::State,
        grads: &mut L::Gradients,
        dxs: Option<&mut [L::InputBar]>,
        _: Option<&mut ()>,
    ) {
        self.0.backward(xs, lengths, tape, dys, dstate, grads, dxs);
    }
}
