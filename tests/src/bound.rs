//! A layer with its context bound, as a layer without one: what lets the general properties run over cells that have a
//! context.

use rnn_cell::cell::{Cell, ContextLayer, Layer, Model, ModelMut, Parameter, ParameterMut};

/// A layer and its context.
#[derive(Debug)]
pub struct Bound<'a, L, X> {
    /// The layer.
    pub layer: &'a mut L,
    /// Its context.
    pub context: &'a X,
}

impl<L: Model, X> Model for Bound<'_, L, X> {
    type Scalar = L::Scalar;
    type Gradients = L::Gradients;

    fn zero_gradients(&self) -> Box<L::Gradients> {
        self.layer.zero_gradients()
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, L::Scalar>)) {
        self.layer.visit(visitor);
    }
}

impl<L: ModelMut, X> ModelMut for Bound<'_, L, X> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, L::Scalar>)) {
        self.layer.visit_mut(visitor);
    }
}

impl<L: ContextLayer<B>, const B: usize> Layer<B> for Bound<'_, L, L::Context> {
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type State = L::State;
    type Tape = L::Tape;

    fn zero_state(&self) -> L::State {
        self.layer.zero_state(self.context)
    }

    fn zero_state_bar(&self) -> L::State {
        self.layer.zero_state_bar()
    }

    fn tape(&self) -> L::Tape {
        self.layer.tape()
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
}

impl<L: ContextLayer<B>, const B: usize> Cell<B> for Bound<'_, L, L::Context> {
    fn step(&self, x: &L::Input, state: &mut L::State) -> L::Output {
        self.layer.step(x, self.context, state)
    }
}
