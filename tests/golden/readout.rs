//! Elman's network with a `Dense` readout, of two cells of the library, put together by hand: a type that
//! implements the traits stands wherever a generated cell can.

use nalgebra::SMatrix;
use rnn_cell::cell::{Parameter, ParameterMut};
use rnn_cell::cells::{Dense, DenseState, DenseTape, Elman, ElmanState, ElmanTape};
use rnn_cell::prelude::*;
use rnn_cell::types::varying::Varying;

/// `h` of the network and `y` of the readout.
pub struct ElmanAndDense<const I: usize, const H: usize, const O: usize, T> {
    elman: Elman<I, H, T>,
    dense: Dense<H, O, T>,
}

type Output<const H: usize, const O: usize, const B: usize> = (SMatrix<f64, H, B>, SMatrix<f64, O, B>);

/// The residuals of both, and the outputs side by side.
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

/// The readout's parameters as the case names them.
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
    type State = ElmanState<H, B, f64>;
    type Tape = Tape<I, H, O, B>;

    fn initial_state(&self) -> Self::State {
        self.elman.initial_state::<B>()
    }

    fn zero_state(&self) -> Self::State {
        self.elman.zero_state::<B>()
    }

    fn tape(&self) -> Self::Tape {
        Tape { elman: self.elman.tape(), dense: self.dense.tape(), outputs: Vec::new() }
    }

    fn forward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        state: &mut Self::State,
        tape: &mut Self::Tape,
    ) {
        Layer::forward((Pass::of(&self.elman).lengths(lengths.copied()), xs), state, &mut tape.elman);
        let hs = self.elman.outputs(&tape.elman);
        let mut none: DenseState<B, f64> = Varying::zero();
        Layer::forward((Pass::of(&self.dense).lengths(lengths.copied()), hs), &mut none, &mut tape.dense);
        tape.outputs = hs.iter().copied().zip(self.dense.outputs(&tape.dense).iter().copied()).collect();
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        &tape.outputs
    }

    fn backward(
        &self,
        xs: &[Self::Input],
        lengths: Option<&[usize; B]>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        dstate: &mut Self::State,
        grads: &mut Self,
        dxs: Option<&mut [Self::InputBar]>,
    ) {
        let (mut dhs, dys): (Vec<_>, Vec<_>) = dys.iter().copied().unzip();
        let hs: Vec<_> = tape.outputs.iter().map(|output| output.0).collect();
        let mut through = vec![SMatrix::zeros(); hs.len()];
        let mut none: DenseState<B, f64> = Varying::zero();
        Layer::backward(
            &self.dense,
            &hs,
            lengths,
            &mut tape.dense,
            &dys,
            &mut none,
            &mut grads.dense,
            Some(&mut through),
        );
        dhs.iter_mut().zip(&through).for_each(|(dh, through)| *dh += through);
        Layer::backward(&self.elman, xs, lengths, &mut tape.elman, &dhs, dstate, &mut grads.elman, dxs);
    }
}

impl<const I: usize, const H: usize, const O: usize, const B: usize> Cell<B> for ElmanAndDense<I, H, O, f64> {
    fn step(&self, x: &Self::Input, state: &mut Self::State) -> Self::Output {
        let h = Cell::step((&self.elman, x), state);
        let mut none: DenseState<B, f64> = Varying::zero();
        (h, Cell::step((&self.dense, &h), &mut none))
    }
}
