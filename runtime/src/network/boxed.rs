//! Layers on the heap: a `Box` of a layer is a layer.
//!
//! A network contains all parameters of its layers and is moved like any value. Without
//! optimisation every move needs its own stack space, and threads other than the main thread have a
//! stack of 2 MiB by default. Layers of more than about 100,000 parameters should be on the heap,
//! where `init_boxed` and `zeros_boxed` build them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::cell::fault::Fault;
use crate::cell::{
    Cell, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, StateVisitor, visit_as,
    visit_mut_as,
};
use crate::rng::DynRng;

impl<L: Model + ?Sized> Model for Box<L> {
    type Scalar = L::Scalar;
    type Gradients = L::Gradients;

    fn zero_gradients(&self) -> Box<L::Gradients> {
        (**self).zero_gradients()
    }

    visit_as!(this => (**this));
}

impl<L: ModelMut + ?Sized> ModelMut for Box<L> {
    visit_mut_as!(this => (**this));
}

impl<const B: usize, L: Layer<B> + ?Sized> Layer<B> for Box<L> {
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type Context = L::Context;
    type State = L::State;
    type Tape = L::Tape;

    fn initial_state_with(&self, context: &L::Context) -> L::State {
        (**self).initial_state_with(context)
    }

    fn initial_state_with_backward(
        &self,
        context: &L::Context,
        dstate: &L::State,
        gradients: &mut L::Gradients,
        dcontext: Option<&mut L::Context>,
    ) {
        (**self).initial_state_with_backward(context, dstate, gradients, dcontext);
    }

    fn seed_noise(&self, state: &mut L::State, rng: &mut DynRng<'_>) {
        (**self).seed_noise(state, rng);
    }

    fn visit_state(&self, state: &mut L::State, visitor: &mut StateVisitor<'_, L::Scalar>) {
        (**self).visit_state(state, visitor);
    }

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut L::State) -> Vec<L::Output> {
        (**self).run_pass(pass, state)
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut L::State, tape: &mut L::Tape) {
        (**self).forward_pass(pass, state, tape);
    }

    fn outputs<'t>(&self, tape: &'t L::Tape) -> &'t [L::Output] {
        (**self).outputs(tape)
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut L::Tape,
        dys: &[L::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        (**self).backward_pass(pass, tape, dys, bars);
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &L::State,
        tape: &L::Tape,
    ) -> Result<(), Fault> {
        (**self).inspect_forward(pass, state, tape)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &L::State,
        tapes: [&L::Tape; 2],
        dys: &[L::Output],
        gradients: &L::Gradients,
    ) -> Result<(), Fault> {
        (**self).inspect_backward(pass, state, tapes, dys, gradients)
    }
}

impl<const B: usize, L: Cell<B> + ?Sized> Cell<B> for Box<L> {
    fn step_with(&self, x: &L::Input, context: &L::Context, state: &mut L::State) -> L::Output {
        (**self).step_with(x, context, state)
    }

    fn chunk(&self) -> usize {
        (**self).chunk()
    }
}
