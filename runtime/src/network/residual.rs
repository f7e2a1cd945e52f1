//! A layer whose input is added to its output.

use alloc::vec::Vec;

use super::copy;
use crate::Scalar;
use crate::cell::{Cell, Layer, Model, ModelMut, Parameter, ParameterMut};
use crate::data::clear_past_end;
use crate::generated::check_lengths;
use crate::inspect::finite::{Fault, look_at_outputs};
use crate::rng::DynRng;
use crate::types::varying::Varying;

/// `y = x + layer(x)`: a layer that learns what to change (He et al. 2016; between recurrent layers Wu et al. 2016,
/// section 3.1). What the layer reads and returns must be of one size.
///
/// The parameters are called as those of the layer. Past a sample's end the outputs are zero.
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
pub struct Residual<L> {
    /// The layer.
    pub layer: L,
}

impl<L> Residual<L> {
    /// `y = x + layer(x)`
    pub fn new(layer: L) -> Self {
        Residual { layer }
    }
}

same_parameters!(Residual);

/// The tape of the layer of a [`Residual`], and the sums.
#[derive(Debug, Clone)]
pub struct ResidualTape<P, Y> {
    layer: P,
    outputs: Vec<Y>,
    dys: Vec<Y>,
}

fn add_inputs<T: Scalar, X: Varying<T>, const B: usize>(
    ys: &mut [X],
    xs: &[X],
    lengths: Option<&[usize; B]>,
) {
    ys.iter_mut().zip(xs).for_each(|(y, x)| y.add(x));
    if let Some(lengths) = lengths {
        clear_past_end(ys, lengths);
    }
}

impl<const B: usize, L, X> Layer<B> for Residual<L>
where
    L: Layer<B, Input = X, Output = X, InputBar = X>,
    X: Varying<L::Scalar> + Clone,
{
    type Input = X;
    type Output = X;
    type InputBar = X;
    type State = L::State;
    type Tape = ResidualTape<L::Tape, X>;

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

    fn tape(&self) -> Self::Tape {
        ResidualTape { layer: self.layer.tape(), outputs: Vec::new(), dys: Vec::new() }
    }

    fn run(&self, xs: &[X], lengths: Option<&[usize; B]>, state: &mut L::State) -> Vec<X> {
        let mut ys = self.layer.run(xs, lengths, state);
        add_inputs::<L::Scalar, _, B>(&mut ys, xs, lengths);
        ys
    }

    fn forward(&self, xs: &[X], lengths: Option<&[usize; B]>, state: &mut L::State, tape: &mut Self::Tape) {
        self.layer.forward(xs, lengths, state, &mut tape.layer);
        copy(&mut tape.outputs, self.layer.outputs(&tape.layer));
        add_inputs::<L::Scalar, _, B>(&mut tape.outputs, xs, lengths);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [X] {
        &tape.outputs
    }

    fn backward(
        &self,
        xs: &[X],
        lengths: Option<&[usize; B]>,
        tape: &mut Self::Tape,
        dys: &[X],
        dstate: &mut L::State,
        grads: &mut L::Gradients,
        mut dxs: Option<&mut [X]>,
    ) {
        let ResidualTape { layer, outputs, dys: own } = tape;
        check_lengths(outputs.len(), xs.len(), dys.len(), dxs.as_deref().map(<[X]>::len));
        self.layer.backward(xs, lengths, layer, dys, dstate, grads, dxs.as_deref_mut());
        let Some(dxs) = dxs else { return };
        let dys = match lengths {
            None => dys,
            // What stands past a sample's end is no cotangent, and must not become one.
            Some(lengths) => {
                copy(own, dys);
                clear_past_end::<L::Scalar, _, B>(own, lengths);
                own
            }
        };
        dxs.iter_mut().zip(dys).for_each(|(dx, dy)| dx.add(dy));
    }

    fn inspect_forward(
        &self,
        xs: &[X],
        lengths: Option<&[usize; B]>,
        state: &L::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        self.layer.inspect_forward(xs, lengths, state, &tape.layer)?;
        look_at_outputs(&tape.outputs, lengths)
    }

    fn inspect_backward(
        &self,
        xs: &[X],
        lengths: Option<&[usize; B]>,
        state: &L::State,
        tapes: [&Self::Tape; 2],
        dys: &[X],
        grads: &L::Gradients,
    ) -> Result<(), Fault> {
        let tapes = tapes.map(|tape| &tape.layer);
        self.layer.inspect_backward(xs, lengths, state, tapes, dys, grads)
    }
}

impl<const B: usize, L, X> Cell<B> for Residual<L>
where
    L: Cell<B> + Layer<B, Input = X, Output = X, InputBar = X>,
    X: Varying<L::Scalar> + Clone,
{
    fn step(&self, x: &X, state: &mut L::State) -> X {
        let mut y = self.layer.step(x, state);
        y.add(x);
        y
    }

    fn chunk(&self) -> usize {
        self.layer.chunk()
    }
}
