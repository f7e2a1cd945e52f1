//! A layer whose context is bound.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{
    Bars, Cell, Isa, Layer, LayerBars, LayerInfo, LayerPass, Model, ModelMut, Parameter, ParameterMut, Pass,
    Prepare, StateVisitor, visit_as,
};
use crate::cell::fault::Fault;
use crate::kernels::boxed;
use crate::rng::DynRng;
use crate::types::varying::Varying;

/// A layer whose context is bound; made by [`Model::with`].
#[derive(Debug)]
pub struct With<'a, L, C> {
    /// The layer.
    pub layer: &'a L,
    /// The context.
    pub context: &'a C,
}

/// The gradients of a layer whose context is bound, and the cotangent of that context. Only the
/// gradients are visited, since the context is not a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct WithGradients<G, C> {
    /// The gradients of the layer's parameters.
    pub layer: Box<G>,
    /// The cotangent of the context.
    pub context: Box<C>,
}

impl<L: Model, C> Model for With<'_, L, C>
where
    C: Varying<L::Scalar> + Send,
{
    type Scalar = L::Scalar;
    type Gradients = WithGradients<L::Gradients, C>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        Box::new(WithGradients { layer: self.layer.zero_gradients(), context: boxed(C::zero) })
    }

    visit_as!(this => this.layer);
}

impl<G: Model, C> Model for WithGradients<G, C>
where
    C: Varying<G::Scalar> + Send,
{
    type Scalar = G::Scalar;
    type Gradients = WithGradients<G::Gradients, C>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        Box::new(WithGradients { layer: self.layer.zero_gradients(), context: boxed(C::zero) })
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, G::Scalar>)) {
        self.layer.visit(visitor);
    }

    fn visit_layers(&self, visitor: &mut dyn FnMut(LayerInfo<'_>)) {
        self.layer.visit_layers(visitor);
    }

    fn depth(&self) -> usize {
        self.layer.depth()
    }
}

impl<G, C> ModelMut for WithGradients<G, C>
where
    G: ModelMut,
    C: Varying<G::Scalar> + Send,
{
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, G::Scalar>)) {
        self.layer.visit_mut(visitor);
    }

    fn set_zero(&mut self) {
        self.layer.set_zero();
        *self.context = C::zero();
    }
}

impl<'w, L, C> With<'w, L, C> {
    fn bind<'a, X, const B: usize>(&self, pass: Pass<'a, X, (), B>) -> Pass<'a, X, C, B>
    where
        'w: 'a,
    {
        pass.context(self.context)
    }
}

impl<const B: usize, L> Layer<B> for With<'_, L, L::Context>
where
    L: Layer<B>,
    L::Context: Varying<L::Scalar> + Send,
{
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type Context = ();
    type State = L::State;
    type Tape = L::Tape;

    fn initial_state_with(&self, (): &()) -> L::State {
        self.layer.initial_state_with(self.context)
    }

    fn initial_state_with_backward(
        &self,
        (): &(),
        dstate: &L::State,
        gradients: &mut Self::Gradients,
        _: Option<&mut ()>,
    ) {
        let WithGradients { layer, context } = gradients;
        self.layer.initial_state_with_backward(self.context, dstate, layer, Some(context));
    }

    fn seed_noise(&self, state: &mut L::State, rng: &mut DynRng<'_>) {
        self.layer.seed_noise(state, rng);
    }

    fn visit_state(&self, state: &mut L::State, visitor: &mut StateVisitor<'_, L::Scalar>) {
        self.layer.visit_state(state, visitor);
    }

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut L::State) -> Vec<L::Output> {
        self.layer.run_pass(self.bind(pass), state)
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut L::State, tape: &mut L::Tape) {
        self.layer.forward_pass(self.bind(pass), state, tape);
    }

    fn outputs<'t>(&self, tape: &'t L::Tape) -> &'t [L::Output] {
        self.layer.outputs(tape)
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut L::Tape,
        dys: &[L::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        let Bars { gradients: WithGradients { layer, context }, state, inputs, .. } = bars;
        let bars = Bars { gradients: &mut **layer, state, inputs, context: Some(&mut **context) };
        self.layer.backward_pass(self.bind(pass), tape, dys, bars);
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &L::State,
        tape: &L::Tape,
    ) -> Result<(), Fault> {
        self.layer.inspect_forward(self.bind(pass), state, tape)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &L::State,
        tapes: [&L::Tape; 2],
        dys: &[L::Output],
        gradients: &Self::Gradients,
    ) -> Result<(), Fault> {
        self.layer.inspect_backward(self.bind(pass), state, tapes, dys, &gradients.layer)
    }
}

impl<const B: usize, L> Cell<B> for With<'_, L, L::Context>
where
    L: Cell<B>,
    L::Context: Varying<L::Scalar> + Send,
{
    fn step_with(&self, x: &L::Input, (): &(), state: &mut L::State) -> L::Output {
        self.layer.step_with(x, self.context, state)
    }

    fn chunk(&self) -> usize {
        self.layer.chunk()
    }
}

impl<const B: usize, L> Prepare<B> for With<'_, L, L::Context>
where
    L: Prepare<B>,
{
    type Scalar = L::Scalar;
    type Context = ();
    type Input = L::Input;
    type Output = L::Output;
    type State = L::State;
    type Fixed = L::Fixed;

    #[inline(always)]
    fn prepare_on<S: Isa>(&self, isa: S, (): &()) -> L::Fixed {
        self.layer.prepare_on(isa, self.context)
    }

    #[inline(always)]
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &L::Fixed,
        x: &L::Input,
        (): &(),
        state: &mut L::State,
    ) -> L::Output {
        self.layer.step_on(isa, fixed, x, self.context, state)
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, (): &(), state: &mut L::State) {
        self.layer.start_on(isa, self.context, state);
    }
}
