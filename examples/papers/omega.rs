//! A tanh network that predicts a class at the end of a sequence, trained with plain gradients,
//! with clipped gradients, or with the regulariser of Pascanu, Mikolov & Bengio (2013, section
//! 3.3).

use nalgebra::SMatrix;
use rnn_cell::cells::Dense;
use rnn_cell::init;
use rnn_cell::prelude::*;
use rnn_cell::train::loss::{arg_max, softmax_cross_entropy};
use rnn_cell::train::optim::clip_global_norm;

rnn_cell! {
    /// The recurrent half of a tanh layer; `x` is the contribution of the inputs. The cotangent of
    /// `x` is the cotangent of the tanh's argument, which the regulariser uses.
    cell Recurrent<H> {
        input  x: [H];
        state  h: [H];
        param  U: [H, H] = normal(0.1);

        h = tanh(U @ h[t-1] + x);

        output h;
    }
}

/// A stack of the input layer, the recurrent layer and the readout.
type Net<const I: usize, const H: usize, const O: usize> =
    Stack<Stack<Dense<I, H>, Recurrent<H>>, Dense<H, O>>;

/// The measures against exploding and vanishing gradients.
#[derive(Debug, Clone, Copy)]
pub struct GradientControl {
    /// The maximal norm of the gradients, which are scaled down to it.
    pub clip: Option<f64>,
    /// The weight of the regulariser.
    pub omega: f32,
}

/// A tanh network in training that reads a class at the end of a sequence.
pub struct TanhNet<const I: usize, const H: usize, const O: usize, const B: usize> {
    net: Net<I, H, O>,
    sgd: Sgd<f32>,
    control: GradientControl,
    gradients: Box<<Net<I, H, O> as Model>::Gradients>,
    input: <Dense<I, H> as Layer<B>>::Tape,
    recurrent: <Recurrent<H> as Layer<B>>::Tape,
    readout: <Dense<H, O> as Layer<B>>::Tape,
    /// The cotangents of the tanh's arguments, one per step.
    deltas: Vec<SMatrix<f32, H, B>>,
}

impl<const I: usize, const H: usize, const O: usize, const B: usize> TanhNet<I, H, O, B> {
    /// Creates a network whose weights are normal with deviation 0.1, like the paper's "basic
    /// tanh".
    pub fn new(rate: f64, control: GradientControl, rng: &mut Xoshiro256PlusPlus) -> Self {
        let mut net: Net<I, H, O> = Stack(Stack(Dense::init(rng), Recurrent::init(rng)), Dense::init(rng));
        init::normal(&mut net.0.0.W, 0.1, rng);
        init::normal(&mut net.1.W, 0.1, rng);
        TanhNet {
            sgd: Sgd::new(rate),
            control,
            gradients: net.zero_gradients(),
            input: net.0.0.tape(),
            recurrent: net.0.1.tape(),
            readout: net.1.tape(),
            deltas: Vec::new(),
            net,
        }
    }

    /// Returns the logits at the end of the sequences, and the last hidden state.
    fn forward(&mut self, xs: &[SMatrix<f32, I, B>]) -> (SMatrix<f32, O, B>, SMatrix<f32, H, B>) {
        let Stack(Stack(input, recurrent), readout) = &self.net;
        let drive = input.forward(xs, &mut input.zero_state(), &mut self.input);
        let mut state = recurrent.zero_state();
        recurrent.forward(drive, &mut state, &mut self.recurrent);
        (readout.forward(&[state.h], &mut readout.zero_state(), &mut self.readout)[0], state.h)
    }

    /// Returns the predicted classes.
    pub fn classes(&mut self, xs: &[SMatrix<f32, I, B>]) -> [u32; B] {
        arg_max(&self.forward(xs).0)
    }

    /// Updates the parameters. Returns the classes predicted before the update, or `None` if the
    /// network is no longer finite.
    pub fn update(&mut self, xs: &[SMatrix<f32, I, B>], classes: &[u32; B]) -> Option<[u32; B]> {
        let (logits, last) = self.forward(xs);
        let (loss, dlogits) = softmax_cross_entropy(&logits, classes);
        if !loss.is_finite() {
            return None;
        }
        let Stack(Stack(input, recurrent), readout) = &self.net;
        self.gradients.set_zero();
        let Stack(lower, dreadout) = &mut *self.gradients;
        let Stack(dinput, drecurrent) = &mut **lower;
        let mut dlast = [SMatrix::zeros()];
        let bars = Bars::of(dreadout).inputs(&mut dlast);
        readout.backward(&[last], &mut self.readout, &[dlogits], bars);
        let mut dstate = recurrent.zero_state();
        dstate.h = dlast[0];
        self.deltas.resize(xs.len(), SMatrix::zeros());
        let drive = input.outputs(&self.input);
        let hs: Vec<_> = recurrent.outputs(&self.recurrent).to_vec();
        let bars = Bars::of(drecurrent).state(&mut dstate).inputs(&mut self.deltas);
        recurrent.backward(drive, &mut self.recurrent, &[], bars);
        input.backward(xs, &mut self.input, &self.deltas, dinput);
        if self.control.omega > 0.0 {
            drecurrent.U += regulariser(&hs, &self.deltas) * self.control.omega;
        }
        if let Some(max) = self.control.clip {
            clip_global_norm(&mut self.gradients, max);
        }
        self.sgd.step(&mut self.net, &self.gradients);
        Some(arg_max(&logits))
    }
}

/// Returns the gradient of the regulariser by the recurrent matrix. The regulariser is the mean
/// over steps and samples of `(|delta[k]| / |delta[k + 1]| - 1)²`, where
/// `delta[k] = (1 - h[k]²) * U.T @ delta[k + 1]` is the cotangent of the tanh's argument at step
/// `k`. As in the paper (eq. 10), only the explicit `U` is differentiated; states and
/// `delta[k + 1]` are constants.
fn regulariser<const H: usize, const B: usize>(
    hs: &[SMatrix<f32, H, B>],
    deltas: &[SMatrix<f32, H, B>],
) -> SMatrix<f32, H, H> {
    let mut gradient = SMatrix::zeros();
    let share = 1.0 / (B * deltas.len()) as f32;
    for (pair, h) in deltas.windows(2).zip(hs) {
        let (mut left, mut right) = (pair[1], pair[0]);
        right.zip_apply(h, |delta, h| *delta *= 1.0 - h * h);
        for sample in 0..B {
            let (norm, next) = (pair[0].column(sample).norm(), pair[1].column(sample).norm());
            // A cotangent that is zero has no direction to preserve.
            let factor = if norm > 1e-20 && next > 1e-20 {
                2.0 * share * (norm / next - 1.0) / (norm * next)
            } else {
                0.0
            };
            left.column_mut(sample).apply(|delta| *delta *= factor);
        }
        gradient += left * right.transpose();
    }
    gradient
}
