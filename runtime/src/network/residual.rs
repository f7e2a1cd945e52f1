//! Residual connections: layers whose input is added to their output.

use alloc::vec::Vec;

use super::copy;
use crate::Scalar;
use crate::cell::fault::{Fault, look_at_outputs};
use crate::cell::{
    Cell, Isa, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Pass, Prepare,
    StateVisitor, check_lengths, prepared_as,
};
use crate::data::clear_past_end;
use crate::rng::DynRng;
use crate::types::varying::Varying;

/// A layer with a residual connection, `y = x + layer(x)` (He et al. 2016; between recurrent layers
/// Wu et al. 2016, section 3.1). The inputs and outputs of the layer must have the same size.
///
/// The parameters have the same names as in the layer. The outputs in the padding are zero.
///
/// ```
/// use rnn_cell::cells::Lstm;
/// use rnn_cell::prelude::*;
///
/// let deep = Residual { layer: Lstm::<8, 8>::zeros() };
/// let x = SVector::<f32, 8>::repeat(0.5);
/// assert_eq!(deep.step(&x, &mut deep.initial_state()), x);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Residual<L> {
    /// The layer.
    pub layer: L,
}

impl<L> Residual<L> {
    /// Adds a residual connection around `layer`.
    pub fn new(layer: L) -> Self {
        Residual { layer }
    }
}

same_parameters!(Residual);

/// The tape of a [`Residual`]: the tape of its layer and the sums.
#[derive(Clone)]
pub struct ResidualTape<P, Y> {
    layer: P,
    outputs: Vec<Y>,
    dys: Vec<Y>,
}

short_debug!(ResidualTape<P, Y>: layer);

impl<P: Default, Y> Default for ResidualTape<P, Y> {
    fn default() -> Self {
        ResidualTape { layer: P::default(), outputs: Vec::new(), dys: Vec::new() }
    }
}

fn add_inputs<T: Scalar, X: Varying<T>, C, const B: usize>(ys: &mut [X], pass: Pass<'_, X, C, B>) {
    ys.iter_mut().zip(pass.xs).for_each(|(y, x)| y.add(x));
    clear_past_end(ys, pass.lengths);
}

impl<const B: usize, L, X> Layer<B> for Residual<L>
where
    L: Layer<B, Input = X, Output = X, InputBar = X>,
    X: Varying<L::Scalar> + Clone,
{
    type Input = X;
    type Output = X;
    type InputBar = X;
    type Context = L::Context;
    type State = L::State;
    type Tape = ResidualTape<L::Tape, X>;

    same_initial_state!();

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut L::State) -> Vec<X> {
        let mut ys = self.layer.run_pass(pass, state);
        add_inputs::<L::Scalar, _, _, B>(&mut ys, pass);
        ys
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut L::State, tape: &mut Self::Tape) {
        self.layer.forward_pass(pass, state, &mut tape.layer);
        copy(&mut tape.outputs, self.layer.outputs(&tape.layer));
        add_inputs::<L::Scalar, _, _, B>(&mut tape.outputs, pass);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [X] {
        &tape.outputs
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[X],
        mut bars: LayerBars<'_, Self, B>,
    ) {
        let ResidualTape { layer, outputs, dys: own } = tape;
        check_lengths(outputs.len(), pass.xs.len(), dys.len(), bars.steps());
        self.layer.backward_pass(pass, layer, dys, bars.reborrow());
        let Some(dxs) = bars.inputs else { return };
        let dys = match pass.lengths {
            None => dys,
            // The contents of `dys` in the padding are arbitrary and must not reach the cotangents.
            lengths => {
                copy(own, dys);
                clear_past_end::<L::Scalar, _, B>(own, lengths);
                own
            }
        };
        dxs.iter_mut().zip(dys).for_each(|(dx, dy)| dx.add(dy));
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &L::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        self.layer.inspect_forward(pass, state, &tape.layer)?;
        look_at_outputs(&tape.outputs, pass.lengths)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &L::State,
        tapes: [&Self::Tape; 2],
        dys: &[X],
        gradients: &L::Gradients,
    ) -> Result<(), Fault> {
        self.layer.inspect_backward(pass, state, tapes.map(|tape| &tape.layer), dys, gradients)
    }
}

impl<const B: usize, L, X> Cell<B> for Residual<L>
where
    L: Cell<B> + Layer<B, Input = X, Output = X, InputBar = X>,
    X: Varying<L::Scalar> + Clone,
{
    fn step_with(&self, x: &X, context: &L::Context, state: &mut L::State) -> X {
        let mut y = self.layer.step_with(x, context, state);
        y.add(x);
        y
    }

    fn chunk(&self) -> usize {
        self.layer.chunk()
    }
}

impl<const B: usize, L> Prepare<B> for Residual<L>
where
    L: Prepare<B, Input = <L as Prepare<B>>::Output, Output: Varying<<L as Prepare<B>>::Scalar>>,
{
    prepared_as!(State = L::State, this => this.layer);

    #[inline(always)]
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &L::Fixed,
        x: &L::Input,
        context: &L::Context,
        state: &mut Self::State,
    ) -> L::Output {
        let mut y = self.layer.step_on(isa, fixed, x, context, state);
        y.add(x);
        y
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &L::Context, state: &mut Self::State) {
        self.layer.start_on(isa, context, state);
    }
}
