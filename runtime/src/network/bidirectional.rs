//! Networks that read a sequence in both directions.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::join::{Branch, Join, Pair, join_all};
use super::{copy, fit};
use crate::cell::fault::{Fault, look_at_outputs, look_back_at_outputs};
use crate::cell::{
    Bars, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Place, StateVisitor,
    check_lengths, visit_mut_parts, visit_parts,
};
use crate::data::reverse;
use crate::rng::DynRng;
use crate::types::varying::Varying;

/// Two layers that read the same sequence, the second from its end to its start (Schuster & Paliwal
/// 1997). The second layer's first step reads the last input, so the network cannot stream: it is a
/// [`Layer`], not a [`Cell`](crate::cell::Cell).
///
/// In a ragged batch the second layer starts at each sample's own last step. The outputs in the
/// padding are zero, like those of a packed sequence in PyTorch. The final state of the second
/// layer is the state after the first step of the sequence.
///
/// The output is a pair unless [joined](Self::joined) differently. The parameters have names like
/// `forward.W` and `reverse.W`.
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let mut gru = || Gru::<3, 5>::init(&mut rng);
/// let layer = Bidirectional::new(gru(), gru());
///
/// let xs = vec![SVector::<f32, 3>::repeat(0.5); 4];
/// let (mut state, mut tape) = (layer.initial_state(), layer.tape());
/// let ys = layer.forward(&xs, &mut state, &mut tape);
/// assert_eq!((ys[3].forward, ys[0].reverse), (state.forward.h, state.reverse.h));
///
/// // The next layer reads both outputs as one vector.
/// let net = Stack::new(layer.joined(Concat::<10>), Gru::<10, 5>::init(&mut rng));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Bidirectional<F, R, J = Pair> {
    /// The layer that reads forwards.
    pub forward: F,
    /// The layer that reads backwards.
    pub reverse: R,
    /// The way in which the two outputs are joined.
    pub join: J,
}

impl<F, R> Bidirectional<F, R> {
    /// Creates a layer for both directions, whose output is a pair.
    pub fn new(forward: F, reverse: R) -> Self {
        Bidirectional { forward, reverse, join: Pair }
    }
}

impl<F, R, J> Bidirectional<F, R, J> {
    /// Joins the two outputs in another way: `joined(Concat::<10>)`, `joined(Sum)`.
    ///
    /// The outputs are checked for a batch of one sample. For layers of other batches only, set the
    /// field `join` instead.
    pub fn joined<K>(self, join: K) -> Bidirectional<F, R, K>
    where
        F: Layer<1>,
        R: Layer<1>,
        K: Join<F::Output, R::Output>,
    {
        let () = K::FITS;
        Bidirectional { forward: self.forward, reverse: self.reverse, join }
    }

    /// Prevents rustc from suggesting the `step` of one direction; cannot be called.
    #[doc(hidden)]
    pub fn step<X, S>(&self, _: X, _: S) -> core::convert::Infallible
    where
        Self: Streams,
    {
        unreachable!("no type implements `Streams`")
    }
}

/// A layer that runs one step at a time. [`Bidirectional`] does not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Bidirectional` cannot run one step at a time",
    label = "its first output depends on the last input",
    note = "`run` or `forward` it over a whole sequence"
)]
pub trait Streams {}

/// A pair of values, one per direction of a [`Bidirectional`]: two states or two outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Both<F, R> {
    /// The value of the layer that reads forwards.
    pub forward: F,
    /// The value of the layer that reads backwards.
    pub reverse: R,
}

crate::types::varying::structs! { Both { forward, reverse } }

const FORWARD: Place = Place::Named("forward");
const REVERSE: Place = Place::Named("reverse");

impl<F: Model, R: Model<Scalar = F::Scalar>, J> Model for Bidirectional<F, R, J> {
    type Scalar = F::Scalar;
    type Gradients = Bidirectional<Box<F::Gradients>, Box<R::Gradients>>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        Box::new(Bidirectional::new(self.forward.zero_gradients(), self.reverse.zero_gradients()))
    }

    visit_parts!(this, (first, second) = (FORWARD, REVERSE) => (first, this.forward), (second, this.reverse));
}

impl<F: ModelMut, R: ModelMut<Scalar = F::Scalar>, J> ModelMut for Bidirectional<F, R, J> {
    visit_mut_parts!(this, (first, second) = (FORWARD, REVERSE) => (first, this.forward), (second, this.reverse));
}

/// The tape of a [`Bidirectional`]: the tapes of both directions and the reversed sequences.
#[derive(Clone)]
pub struct BidirectionalTape<F, R, X, D, Y> {
    forward: F,
    reverse: R,
    /// The inputs in reverse order, and their cotangents.
    xs: Vec<X>,
    dxs: Vec<D>,
    outputs: Vec<Y>,
}

short_debug!(BidirectionalTape<F, R, X, D, Y>: forward, reverse);

impl<F: Default, R: Default, X, D, Y> Default for BidirectionalTape<F, R, X, D, Y> {
    fn default() -> Self {
        BidirectionalTape {
            forward: F::default(),
            reverse: R::default(),
            xs: Vec::new(),
            dxs: Vec::new(),
            outputs: Vec::new(),
        }
    }
}

impl<const B: usize, F, R, J> Layer<B> for Bidirectional<F, R, J>
where
    F: Layer<B, Input: Varying<F::Scalar> + Clone, InputBar: Varying<F::Scalar>>,
    R: Layer<B, Scalar = F::Scalar, Input = F::Input, InputBar = F::InputBar, Context = F::Context>,
    J: Join<F::Output, R::Output, Output: Varying<F::Scalar> + Clone>,
{
    type Input = F::Input;
    type Output = J::Output;
    type InputBar = F::InputBar;
    type Context = F::Context;
    type State = Both<F::State, R::State>;
    type Tape = BidirectionalTape<
        Branch<F::Tape, F::Output>,
        Branch<R::Tape, R::Output>,
        F::Input,
        F::InputBar,
        J::Output,
    >;

    fn initial_state_with(&self, context: &F::Context) -> Self::State {
        Both {
            forward: self.forward.initial_state_with(context),
            reverse: self.reverse.initial_state_with(context),
        }
    }

    fn initial_state_with_backward(
        &self,
        context: &F::Context,
        dstate: &Self::State,
        gradients: &mut Self::Gradients,
        mut dcontext: Option<&mut F::Context>,
    ) {
        let Bidirectional { forward, reverse, .. } = gradients;
        let first = dcontext.as_deref_mut();
        self.forward.initial_state_with_backward(context, &dstate.forward, forward, first);
        self.reverse.initial_state_with_backward(context, &dstate.reverse, reverse, dcontext);
    }

    fn seed_noise(&self, state: &mut Self::State, rng: &mut DynRng<'_>) {
        self.forward.seed_noise(&mut state.forward, rng);
        self.reverse.seed_noise(&mut state.reverse, rng);
    }

    fn visit_state(&self, state: &mut Self::State, visitor: &mut StateVisitor<'_, F::Scalar>) {
        self.forward.visit_state(&mut state.forward, &mut FORWARD.of_state(visitor));
        self.reverse.visit_state(&mut state.reverse, &mut REVERSE.of_state(visitor));
    }

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State) -> Vec<J::Output> {
        let lengths = pass.lengths;
        let mut reversed = pass.xs.to_vec();
        reverse(&mut reversed, lengths);
        let mut backward = self.reverse.run_pass(pass.inputs(&reversed), &mut state.reverse);
        reverse(&mut backward, lengths);
        let forward = self.forward.run_pass(pass, &mut state.forward);
        let mut ys = Vec::new();
        join_all(&self.join, (&forward, &backward), lengths, &mut ys);
        ys
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        let lengths = pass.lengths;
        let BidirectionalTape { forward, reverse: backward, xs: reversed, outputs, .. } = tape;
        self.forward.forward_pass(pass, &mut state.forward, &mut forward.tape);
        copy(reversed, pass.xs);
        reverse(reversed, lengths);
        self.reverse.forward_pass(pass.inputs(reversed), &mut state.reverse, &mut backward.tape);
        copy(&mut backward.ys, self.reverse.outputs(&backward.tape));
        reverse(&mut backward.ys, lengths);

        join_all(&self.join, (self.forward.outputs(&forward.tape), &backward.ys), lengths, outputs);
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
        let lengths = pass.lengths;
        let BidirectionalTape { forward, reverse: backward, xs: reversed, dxs: reversed_dxs, outputs } = tape;
        check_lengths(outputs.len(), pass.xs.len(), dys.len(), bars.steps());
        fit(&mut forward.ys, &self.forward.outputs(&forward.tape)[..dys.len()]);
        fit(&mut backward.ys, &self.reverse.outputs(&backward.tape)[..dys.len()]);
        let parts = forward.ys.iter_mut().zip(&mut backward.ys);
        for (dy, (forward, reverse)) in dys.iter().zip(parts) {
            self.join.pull_back(dy, forward, reverse);
        }
        reverse(&mut backward.ys, lengths);

        let Bars { gradients, state, mut inputs, mut context } = bars;
        let (dforward, dreverse) = state.map(|both| (&mut both.forward, &mut both.reverse)).unzip();
        let bars = Bars {
            gradients: &mut *gradients.forward,
            state: dforward,
            inputs: inputs.as_deref_mut(),
            context: context.as_deref_mut(),
        };
        self.forward.backward_pass(pass, &mut forward.tape, &forward.ys, bars);
        if inputs.is_some() {
            reversed_dxs.resize_with(pass.xs.len(), Varying::zero);
        }
        let bars = Bars {
            gradients: &mut *gradients.reverse,
            state: dreverse,
            inputs: inputs.is_some().then_some(&mut reversed_dxs[..]),
            context,
        };
        self.reverse.backward_pass(pass.inputs(reversed), &mut backward.tape, &backward.ys, bars);
        if let Some(dxs) = inputs {
            reverse(reversed_dxs, lengths);
            dxs.iter_mut().zip(reversed_dxs).for_each(|(dx, reversed)| dx.add(reversed));
        }
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        let BidirectionalTape { forward, reverse, xs: reversed, outputs, .. } = tape;
        FORWARD.locate(self.forward.inspect_forward(pass, &state.forward, &forward.tape))?;
        let found = self.reverse.inspect_forward(pass.inputs(reversed), &state.reverse, &reverse.tape);
        let lengths = pass.lengths;
        REVERSE.locate(found.map_err(|fault| fault.reversed(pass.xs.len(), lengths)))?;
        look_at_outputs(outputs, lengths)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Self::Output],
        gradients: &Self::Gradients,
    ) -> Result<(), Fault> {
        let lengths = pass.lengths;
        look_back_at_outputs(dys, lengths)?;
        let [first, back] = tapes;
        let (tapes, dys) = ([&first.forward.tape, &back.forward.tape], &back.forward.ys);
        let found = self.forward.inspect_backward(pass, &state.forward, tapes, dys, &gradients.forward);
        FORWARD.locate(found)?;
        let reversed = pass.inputs(&first.xs);
        let (tapes, dys) = ([&first.reverse.tape, &back.reverse.tape], &back.reverse.ys);
        let found = self.reverse.inspect_backward(reversed, &state.reverse, tapes, dys, &gradients.reverse);
        REVERSE.locate(found.map_err(|fault| fault.reversed(pass.xs.len(), lengths)))
    }
}
