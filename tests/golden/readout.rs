//! Elman's network with a `Dense` readout: two cells of the library, combined by hand. A type that
//! implements the traits can be used in place of a generated cell.

use nalgebra::SMatrix;
use rnn_cell::cell::{LayerBars, LayerPass, Parameter, ParameterMut};
use rnn_cell::cells::{Dense, DenseTape, Elman, ElmanState, ElmanTape};
use rnn_cell::prelude::*;

/// A network that returns its hidden state `h` and the readout `y`.
pub struct ElmanAndDense<const I: usize, const H: usize, const O: usize, T> {
    elman: Elman<I, H, T>,
    dense: Dense<H, O, T>,
}

type Output<const H: usize, const O: usize, const B: usize> = (SMatrix<f64, H, B>, SMatrix<f64, O, B>);

/// The tapes of both cells, and the pairs of their outputs.
#[derive(Default)]
pub struct Tape<const I: usize, const H: usize, const O: usize, const B: usize> {
    elman: ElmanTape<I, H, B, f64>,
    dense: DenseTape<H, O, B, f64>,
    outputs: Vec<Output<H, O, B>>,
}

impl<const I: usize, const H: usize, const O: usize> ElmanAndDense<I, H, O, f64> {
    pub fn zeros() -> Self {
        Self { elman: Elman::zeros(), dense: Dense::zeros() }
    }
}

/// Returns the case's name of a parameter of the readout.
fn readout_name(name: &str) -> &str {
    if name == "W" { "W_hy" } else { "b_y" }
}

impl<const I: usize, const H: usize, const O: usize> Model for ElmanAndDense<I, H, O, f64> {
    type Scalar = f64;
    type Gradients = Self;

    fn zero_gradients(&self) -> Box<Self> {
        Box::new(Self::zeros())
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, f64>)) {
        self.elman.visit(visitor);
        self.dense.visit(&mut |p| visitor(Parameter { name: readout_name(p.name), ..p }));
    }
}

impl<const I: usize, const H: usize, const O: usize> ModelMut for ElmanAndDense<I, H, O, f64> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, f64>)) {
        self.elman.visit_mut(visitor);
        self.dense.visit_mut(&mut |p| visitor(ParameterMut { name: readout_name(p.name), ..p }));
    }
}

impl<const I: usize, const H: usize, const O: usize, const B: usize> Layer<B>
    for ElmanAndDense<I, H, O, f64>
{
    type Input = SMatrix<f64, I, B>;
    type Output = Output<H, O, B>;
    type InputBar = SMatrix<f64, I, B>;
    type Context = ();
    type State = ElmanState<H, B, f64>;
    type Tape = Tape<I, H, O, B>;

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        let hs = self.elman.forward(pass, state, &mut tape.elman);
        let pass = Pass::of(hs).lengths(pass.lengths);
        let ys = self.dense.forward(pass, &mut self.dense.zero_state(), &mut tape.dense);
        tape.outputs = hs.iter().copied().zip(ys.iter().copied()).collect();
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
        let Bars { gradients, state, inputs, context } = bars;
        let (mut dhs, dys): (Vec<_>, Vec<_>) = dys.iter().copied().unzip();
        let hs = self.elman.outputs(&tape.elman);
        let mut through = vec![SMatrix::zeros(); hs.len()];
        let to_dense = Bars::of(&mut gradients.dense).inputs(&mut through);
        self.dense.backward(Pass::of(hs).lengths(pass.lengths), &mut tape.dense, &dys, to_dense);
        dhs.iter_mut().zip(&through).for_each(|(dh, through)| *dh += through);
        let to_elman = Bars { gradients: &mut gradients.elman, state, inputs, context };
        self.elman.backward(pass, &mut tape.elman, &dhs, to_elman);
    }
}

impl<const I: usize, const H: usize, const O: usize, const B: usize> Cell<B> for ElmanAndDense<I, H, O, f64> {
    fn step_with(&self, x: &Self::Input, (): &(), state: &mut Self::State) -> Self::Output {
        let h = self.elman.step(x, state);
        (h, self.dense.step(&h, &mut self.dense.zero_state()))
    }
}
