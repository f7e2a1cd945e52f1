//! Layers written by hand in plain nalgebra. The tests of the training code run them, and they show
//! that the traits can be implemented without the macro.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nalgebra::{SMatrix, SVector};

use crate::cell::{Bars, Cell, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut};
use crate::init;
use crate::rng::Rng;
use crate::types::blocks::{Block, Cols};

/// The deliberate errors of `Conditioned::backward`, which the checks must detect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// One entry of the gradient of `W`, in the block of the inputs, is 1 % too large.
    OneEntry,
    /// The cotangent does not flow from step to step.
    NoRecurrence,
    /// The cotangent of the initial state is not written.
    StateUntouched,
    OverwritesGradients,
    AddsToInputs,
    NoCotangentOfContext,
    /// Empty `dys` are treated as ones.
    EmptyIsNotZero,
    /// Cotangents of outputs past a sample's end flow back.
    PaddingCounts,
}

/// Elman's network with a bias per sequence: `h = act(W @ [h[t-1], x] + b + k)`, output `h`,
/// context `k`.
#[derive(Debug, Clone)]
pub struct Conditioned<const I: usize, const H: usize> {
    pub weights: Cols<SMatrix<f64, H, H>, SMatrix<f64, H, I>>,
    pub bias: SVector<f64, H>,
    pub relu: bool,
    pub fault: Fault,
}

impl<const I: usize, const H: usize> Conditioned<I, H> {
    pub fn zeros() -> Self {
        Conditioned { weights: Block::zeros(), bias: SVector::zeros(), relu: false, fault: Fault::None }
    }

    pub fn init(rng: &mut impl Rng) -> Self {
        let mut layer = Self::zeros();
        init::xavier_uniform(&mut layer.weights, rng);
        init::uniform(&mut layer.bias, -0.1, 0.1, rng);
        layer
    }
}

impl<const I: usize, const H: usize> Model for Conditioned<I, H> {
    type Scalar = f64;
    type Gradients = Self;

    fn zero_gradients(&self) -> Box<Self> {
        Box::new(Self::zeros())
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, f64>)) {
        self.weights.visit_named("W", visitor);
        self.bias.visit_named("b", visitor);
    }
}

impl<const I: usize, const H: usize> ModelMut for Conditioned<I, H> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, f64>)) {
        self.weights.visit_named_mut("W", visitor);
        self.bias.visit_named_mut("b", visitor);
    }
}

#[derive(Debug)]
pub struct Tape<const H: usize, const B: usize> {
    initial: SMatrix<f64, H, B>,
    ys: Vec<SMatrix<f64, H, B>>,
}

impl<const H: usize, const B: usize> Default for Tape<H, B> {
    fn default() -> Self {
        Tape { initial: SMatrix::zeros(), ys: Vec::new() }
    }
}

impl<const I: usize, const H: usize, const B: usize> Layer<B> for Conditioned<I, H> {
    type Input = SMatrix<f64, I, B>;
    type Output = SMatrix<f64, H, B>;
    type InputBar = SMatrix<f64, I, B>;
    type Context = SMatrix<f64, H, B>;
    type State = SMatrix<f64, H, B>;
    type Tape = Tape<H, B>;

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        tape.initial = *state;
        tape.ys.clear();
        for (t, x) in pass.xs.iter().enumerate() {
            let before = *state;
            self.step_with(x, pass.context, state);
            for sample in pass.ended(t) {
                state.set_column(sample, &before.column(sample));
            }
            tape.ys.push(*state);
        }
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        &tape.ys
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        let Bars { gradients: grads, state: dstate, inputs: mut dxs, context: mut dcontext } = bars;
        let xs = pass.xs;
        if self.fault == Fault::OverwritesGradients {
            grads.bias = SVector::zeros();
        }
        let mut carried = dstate.as_deref().copied().unwrap_or_else(SMatrix::zeros);
        for t in (0..xs.len()).rev() {
            let dy = match dys.get(t) {
                Some(dy) => *dy,
                None if self.fault == Fault::EmptyIsNotZero => SMatrix::repeat(1.0),
                None => SMatrix::zeros(),
            };
            let before = if t == 0 { tape.initial } else { tape.ys[t - 1] };
            let slope = tape.ys[t].map(|y| if self.relu { f64::from(y > 0.0) } else { 1.0 - y * y });
            let mut dz = (carried + dy).component_mul(&slope);
            let mut passed = SMatrix::<f64, H, B>::zeros();
            for sample in pass.ended(t) {
                // A finished sample passes its cotangent through unchanged, and its outputs carry
                // none.
                let all = if self.fault == Fault::PaddingCounts { carried + dy } else { carried };
                passed.set_column(sample, &all.column(sample));
                dz.column_mut(sample).fill(0.0);
            }
            grads.weights.left += dz * before.transpose();
            grads.weights.right += dz * xs[t].transpose();
            grads.bias += dz.column_sum();
            if self.fault == Fault::OneEntry {
                grads.weights.right[(0, 0)] += 0.01 * (dz * xs[t].transpose())[(0, 0)];
            }
            if let Some(dxs) = dxs.as_deref_mut() {
                let dx = self.weights.right.transpose() * dz;
                dxs[t] = if self.fault == Fault::AddsToInputs { dxs[t] + dx } else { dx };
            }
            if let Some(dcontext) =
                dcontext.as_deref_mut().filter(|_| self.fault != Fault::NoCotangentOfContext)
            {
                *dcontext += dz;
            }
            carried = self.weights.left.transpose() * dz + passed;
            if self.fault == Fault::NoRecurrence {
                carried = SMatrix::zeros();
            }
        }
        if let Some(dstate) = dstate.filter(|_| self.fault != Fault::StateUntouched) {
            *dstate = carried;
        }
    }
}

impl<const I: usize, const H: usize, const B: usize> Cell<B> for Conditioned<I, H> {
    fn step_with(&self, x: &Self::Input, context: &Self::Context, state: &mut Self::State) -> Self::Output {
        let mut z = self.weights.left * *state + self.weights.right * x + context;
        for mut sample in z.column_iter_mut() {
            sample += self.bias;
        }
        *state = z.map(|z| if self.relu { z.max(0.0) } else { z.tanh() });
        *state
    }
}

/// Elman's network: [`Conditioned`] without its context.
#[derive(Debug, Clone)]
pub struct Elman<const I: usize, const H: usize>(pub Conditioned<I, H>);

impl<const I: usize, const H: usize> Model for Elman<I, H> {
    type Scalar = f64;
    type Gradients = Conditioned<I, H>;

    fn zero_gradients(&self) -> Box<Self::Gradients> {
        self.0.zero_gradients()
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, f64>)) {
        self.0.visit(visitor);
    }
}

impl<const I: usize, const H: usize> ModelMut for Elman<I, H> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, f64>)) {
        self.0.visit_mut(visitor);
    }
}

impl<const I: usize, const H: usize, const B: usize> Layer<B> for Elman<I, H> {
    type Input = SMatrix<f64, I, B>;
    type Output = SMatrix<f64, H, B>;
    type InputBar = SMatrix<f64, I, B>;
    type Context = ();
    type State = SMatrix<f64, H, B>;
    type Tape = Tape<H, B>;

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        self.0.forward_pass(pass.context(&SMatrix::zeros()), state, tape);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Self::Output] {
        &tape.ys
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Self::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        self.0.backward_pass(pass.context(&SMatrix::zeros()), tape, dys, bars.without_context());
    }
}

impl<const I: usize, const H: usize, const B: usize> Cell<B> for Elman<I, H> {
    fn step_with(&self, x: &Self::Input, (): &(), state: &mut Self::State) -> Self::Output {
        self.0.step_with(x, &SMatrix::zeros(), state)
    }
}
