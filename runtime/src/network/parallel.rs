//! Two layers side by side.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::fit;
use super::join::{Branch, Join, join_all};
use super::stack::common_chunk;
use crate::cell::fault::{Fault, look_at_outputs, look_back_at_outputs};
use crate::cell::{
    Bars, Cell, Isa, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Place, Prepare,
    StateVisitor, check_lengths, visit_mut_parts, visit_parts,
};
use crate::rng::DynRng;
use crate::types::varying::Varying;

/// Two layers that read the same inputs, with their outputs [joined](Join): stacked in one vector
/// ([`Concat`](super::Concat)), added ([`Sum`](super::Sum)), or in a custom way. It streams if both
/// layers do.
///
/// The parameters have names like `first.W` and `second.W`.
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::network::{Parallel, Sum};
/// use rnn_cell::prelude::*;
///
/// // A recurrent layer with a linear shortcut between different sizes.
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let (lstm, shortcut) = (Lstm::<3, 8>::init(&mut rng), Dense::<3, 8>::init(&mut rng));
/// let net = Parallel::new(lstm, shortcut, Sum).then(Dense::<8, 2>::init(&mut rng));
/// let y: SVector<f32, 2> = net.step(&SVector::<f32, 3>::repeat(0.5), &mut net.initial_state());
/// ```
///
/// Layers that read different inputs do not fit:
/// ```compile_fail,E0277
/// # use rnn_cell::cells::Gru;
/// # use rnn_cell::network::{Parallel, Sum};
/// Parallel::new(Gru::<3, 5>::zeros(), Gru::<4, 5>::zeros(), Sum);
/// ```
/// Outputs of different sizes have no sum either:
/// ```compile_fail,E0277
/// # use rnn_cell::cells::Gru;
/// # use rnn_cell::network::{Parallel, Sum};
/// Parallel::new(Gru::<3, 5>::zeros(), Gru::<3, 6>::zeros(), Sum);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Parallel<A, L, J> {
    /// The first layer.
    pub first: A,
    /// The second layer.
    pub second: L,
    /// The way in which the two outputs are joined.
    pub join: J,
}

impl<A, L, J> Parallel<A, L, J> {
    /// Places two layers side by side.
    ///
    /// The layers are checked for a batch of one sample. For layers of other batches only, write
    /// `Parallel { first, second, join }`.
    pub fn new(first: A, second: L, join: J) -> Self
    where
        A: Layer<1>,
        L: Beside<A>,
        J: Join<A::Output, L::Output>,
    {
        let () = J::FITS;
        Parallel { first, second, join }
    }
}

/// A layer that reads the same inputs and the same context as the layer `A`, in the same precision.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not read the inputs of `{A}`",
    label = "inputs or a context of another type",
    note = "`Gru<3, 8>` and `Dense<3, 8>` both read 3 values; a layer with a context is bound to it by `layer.with(&context)`"
)]
pub trait Beside<A: Layer<B>, const B: usize = 1>:
    Layer<B, Scalar = A::Scalar, Input = A::Input, InputBar = A::InputBar, Context = A::Context>
{
}

#[diagnostic::do_not_recommend]
impl<A, L, const B: usize> Beside<A, B> for L
where
    A: Layer<B>,
    L: Layer<B, Scalar = A::Scalar, Input = A::Input, InputBar = A::InputBar, Context = A::Context>,
{
}

const FIRST: Place = Place::Named("first");
const SECOND: Place = Place::Named("second");

impl<A: Model, L: Model<Scalar = A::Scalar>, J> Model for Parallel<A, L, J> {
    type Scalar = A::Scalar;
    type Gradients = Parallel<Box<A::Gradients>, Box<L::Gradients>, ()>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        let (first, second) = (self.first.zero_gradients(), self.second.zero_gradients());
        Box::new(Parallel { first, second, join: () })
    }

    visit_parts!(this, (first, second) = (FIRST, SECOND) => (first, this.first), (second, this.second));
}

impl<A: ModelMut, L: ModelMut<Scalar = A::Scalar>, J> ModelMut for Parallel<A, L, J> {
    visit_mut_parts!(this, (first, second) = (FIRST, SECOND) => (first, this.first), (second, this.second));
}

/// The tape of a [`Parallel`]: the tapes of both layers and the joined outputs.
#[derive(Clone)]
pub struct ParallelTape<A, L, D, Y> {
    first: A,
    second: L,
    /// The cotangents of the inputs of the second layer.
    dxs: Vec<D>,
    outputs: Vec<Y>,
}

short_debug!(ParallelTape<A, L, D, Y>: first, second);

impl<A: Default, L: Default, D, Y> Default for ParallelTape<A, L, D, Y> {
    fn default() -> Self {
        let (first, second) = (A::default(), L::default());
        ParallelTape { first, second, dxs: Vec::new(), outputs: Vec::new() }
    }
}

impl<const B: usize, A, L, J> Layer<B> for Parallel<A, L, J>
where
    A: Layer<B, InputBar: Varying<A::Scalar>>,
    L: Beside<A, B>,
    J: Join<A::Output, L::Output, Output: Varying<A::Scalar> + Clone>,
{
    type Input = A::Input;
    type Output = J::Output;
    type InputBar = A::InputBar;
    type Context = A::Context;
    type State = (A::State, L::State);
    type Tape = ParallelTape<Branch<A::Tape, A::Output>, Branch<L::Tape, L::Output>, A::InputBar, J::Output>;

    fn initial_state_with(&self, context: &A::Context) -> Self::State {
        (self.first.initial_state_with(context), self.second.initial_state_with(context))
    }

    fn initial_state_with_backward(
        &self,
        context: &A::Context,
        dstate: &Self::State,
        gradients: &mut Self::Gradients,
        mut dcontext: Option<&mut A::Context>,
    ) {
        let Parallel { first, second, .. } = gradients;
        self.first.initial_state_with_backward(context, &dstate.0, first, dcontext.as_deref_mut());
        self.second.initial_state_with_backward(context, &dstate.1, second, dcontext);
    }

    fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
        self.first.seed_noise(&mut state.0, rng);
        self.second.seed_noise(&mut state.1, rng);
    }

    fn visit_state(&self, state: &mut Self::State, visitor: &mut StateVisitor<'_, A::Scalar>) {
        self.first.visit_state(&mut state.0, &mut FIRST.of_state(visitor));
        self.second.visit_state(&mut state.1, &mut SECOND.of_state(visitor));
    }

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State) -> Vec<J::Output> {
        let first = self.first.run_pass(pass, &mut state.0);
        let second = self.second.run_pass(pass, &mut state.1);
        let mut ys = Vec::new();
        join_all(&self.join, (&first, &second), pass.lengths, &mut ys);
        ys
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        let ParallelTape { first, second, outputs, .. } = tape;
        self.first.forward_pass(pass, &mut state.0, &mut first.tape);
        self.second.forward_pass(pass, &mut state.1, &mut second.tape);
        let both = (self.first.outputs(&first.tape), self.second.outputs(&second.tape));
        join_all(&self.join, both, pass.lengths, outputs);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        &tape.outputs
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        let ParallelTape { first, second, dxs, outputs } = tape;
        check_lengths(outputs.len(), pass.xs.len(), dys.len(), bars.steps());
        fit(&mut first.ys, &self.first.outputs(&first.tape)[..dys.len()]);
        fit(&mut second.ys, &self.second.outputs(&second.tape)[..dys.len()]);
        let parts = first.ys.iter_mut().zip(&mut second.ys);
        for (dy, (first, second)) in dys.iter().zip(parts) {
            self.join.pull_back(dy, first, second);
        }

        let Bars { gradients, state, mut inputs, mut context } = bars;
        let (dfirst, dsecond) = state.map(|(first, second)| (first, second)).unzip();
        let bars = Bars {
            gradients: &mut *gradients.first,
            state: dfirst,
            inputs: inputs.as_deref_mut(),
            context: context.as_deref_mut(),
        };
        self.first.backward_pass(pass, &mut first.tape, &first.ys, bars);
        if inputs.is_some() {
            dxs.resize_with(pass.xs.len(), Varying::zero);
        }
        let bars = Bars {
            gradients: &mut *gradients.second,
            state: dsecond,
            inputs: inputs.is_some().then_some(&mut dxs[..]),
            context,
        };
        self.second.backward_pass(pass, &mut second.tape, &second.ys, bars);
        if let Some(inputs) = inputs {
            inputs.iter_mut().zip(dxs).for_each(|(dx, other)| dx.add(other));
        }
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        FIRST.locate(self.first.inspect_forward(pass, &state.0, &tape.first.tape))?;
        SECOND.locate(self.second.inspect_forward(pass, &state.1, &tape.second.tape))?;
        look_at_outputs(&tape.outputs, pass.lengths)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Self::Output],
        gradients: &Self::Gradients,
    ) -> Result<(), Fault> {
        look_back_at_outputs(dys, pass.lengths)?;
        let [tape, back] = tapes;
        let (tapes, dys) = ([&tape.first.tape, &back.first.tape], &back.first.ys);
        FIRST.locate(self.first.inspect_backward(pass, &state.0, tapes, dys, &gradients.first))?;
        let [tape, back] = [tape, back].map(|tape| &tape.second);
        let (tapes, dys) = ([&tape.tape, &back.tape], &back.ys);
        SECOND.locate(self.second.inspect_backward(pass, &state.1, tapes, dys, &gradients.second))
    }
}

impl<const B: usize, A, L, J> Cell<B> for Parallel<A, L, J>
where
    A: Cell<B> + Layer<B, InputBar: Varying<A::Scalar>>,
    L: Cell<B> + Beside<A, B>,
    J: Join<A::Output, L::Output, Output: Varying<A::Scalar> + Clone>,
{
    fn step_with(&self, x: &A::Input, context: &A::Context, state: &mut Self::State) -> J::Output {
        let first = self.first.step_with(x, context, &mut state.0);
        let second = self.second.step_with(x, context, &mut state.1);
        let mut y = J::Output::zero();
        self.join.join(&first, &second, &mut y);
        y
    }

    fn chunk(&self) -> usize {
        common_chunk(self.first.chunk(), self.second.chunk())
    }
}

impl<const B: usize, A, L, J> Prepare<B> for Parallel<A, L, J>
where
    A: Prepare<B>,
    L: Prepare<B, Scalar = A::Scalar, Input = A::Input, Context = A::Context>,
    J: Join<A::Output, L::Output, Output: Varying<A::Scalar>>,
{
    type Scalar = A::Scalar;
    type Context = A::Context;
    type Input = A::Input;
    type Output = J::Output;
    type State = (A::State, L::State);
    type Fixed = (A::Fixed, L::Fixed);

    #[inline(always)]
    fn prepare_on<S: Isa>(&self, isa: S, context: &A::Context) -> Self::Fixed {
        (self.first.prepare_on(isa, context), self.second.prepare_on(isa, context))
    }

    #[inline(always)]
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &Self::Fixed,
        x: &A::Input,
        context: &A::Context,
        state: &mut Self::State,
    ) -> J::Output {
        let first = self.first.step_on(isa, &fixed.0, x, context, &mut state.0);
        let second = self.second.step_on(isa, &fixed.1, x, context, &mut state.1);
        let mut y = J::Output::zero();
        self.join.join(&first, &second, &mut y);
        y
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &A::Context, state: &mut Self::State) {
        self.first.start_on(isa, context, &mut state.0);
        self.second.start_on(isa, context, &mut state.1);
    }
}
