//! Dropout: outputs that are dropped at random in training.

use alloc::vec::Vec;

use super::copy;
use super::noise::{Noisy, Rate};
use crate::Scalar;
use crate::cell::fault::Fault;
use crate::cell::{
    Bars, Cell, Isa, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Prepare,
    StatePart, StateVisitor, check_lengths, prepared_as,
};
use crate::rng::{DynRng, Rng, Xoshiro256PlusPlus};
use crate::types::varying::Varying;

/// A layer with dropout on its outputs (Srivastava et al. 2014). In training, each value is dropped
/// with a probability, and divided by the probability of being kept otherwise. This places dropout
/// between this layer and the next one, as in Zaremba et al. 2014.
///
/// [`new`](Self::new) draws a new mask at every step, [`variational`](Self::variational) one mask
/// per sequence (Gal & Ghahramani 2016). Nothing is dropped unless
/// [`seed_noise`](Layer::seed_noise) was called on the state: the state from `initial_state` is for
/// inference.
///
/// The parameters have the same names as in the layer.
///
/// ```
/// use rnn_cell::cells::{Dense, Lstm};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let lstm = Dropout::variational(Lstm::<3, 16>::init(&mut rng), 0.5);
/// let net = Stack::new(lstm, Dense::<16, 2>::init(&mut rng));
///
/// let x = SVector::<f32, 3>::repeat(1.0);
/// let (mut inference, mut training) = (net.initial_state(), net.initial_state());
/// net.seed_noise(&mut training, &mut rng);
/// assert_ne!(net.step(&x, &mut inference), net.step(&x, &mut training));
/// ```
///
/// # Within a recurrence
/// A mask on the state within a cell belongs in the cell's equations, because only they define
/// where the state is read. A mask per sequence is a `context`, which [`mask`] draws:
///
/// ```
/// use rnn_cell::network::mask;
/// use rnn_cell::prelude::*;
///
/// rnn_cell! {
///     cell Masked<I, H> {
///         input   x: [I];
///         context m: [H] = 1;
///         state   h: [H];
///         param   W: [H, I];
///         param   U: [H, H];
///
///         h = tanh(W @ x + U @ (m * h[t-1]));
///
///         output h;
///     }
/// }
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let cell = Masked::<3, 8>::init(&mut rng);
/// let context = MaskedContext { m: mask(0.25, &mut rng) };
/// let mut state = cell.initial_state_with(&context);
/// let y = cell.step((&SVector::<f32, 3>::repeat(1.0), &context), &mut state);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Dropout<L> {
    /// The layer whose outputs are dropped.
    pub layer: L,
    rate: Rate,
    is_variational: bool,
}

impl<L> Dropout<L> {
    /// Creates a layer that drops each value of each step with probability `rate`.
    ///
    /// # Panics
    /// Panics if the rate is not in `[0, 1)`.
    #[track_caller]
    pub fn new(layer: L, rate: f64) -> Self {
        Dropout { layer, rate: Rate::new(rate), is_variational: false }
    }

    /// Creates a layer that drops the same values at every step of a sequence, each with
    /// probability `rate`.
    ///
    /// # Panics
    /// Panics if the rate is not in `[0, 1)`.
    #[track_caller]
    pub fn variational(layer: L, rate: f64) -> Self {
        Dropout { is_variational: true, ..Self::new(layer, rate) }
    }

    /// Returns the probability that a value is dropped.
    pub fn rate(&self) -> f64 {
        self.rate.probability
    }

    /// Drops values of `y` and advances the generator to the next step.
    fn drop<T: Scalar>(&self, y: &mut impl Varying<T>, generator: &mut Xoshiro256PlusPlus) {
        let mut draws = generator.clone();
        apply(y, self.rate, &mut draws);
        if !self.is_variational {
            *generator = draws;
        }
    }
}

/// Draws a mask, whose values are 0 with probability `rate` and `1 / (1 - rate)` otherwise.
///
/// # Panics
/// Panics if the rate is not in `[0, 1)`.
#[track_caller]
pub fn mask<T: Scalar, V: Varying<T>>(rate: f64, rng: &mut (impl Rng + ?Sized)) -> V {
    let mut mask = V::zero();
    mask.scalars_mut(&mut |x| *x = T::one());
    apply(&mut mask, Rate::new(rate), rng);
    mask
}

fn apply<T: Scalar>(y: &mut impl Varying<T>, rate: Rate, rng: &mut (impl Rng + ?Sized)) {
    let kept = T::of(1.0 / (1.0 - rate.probability));
    y.scalars_mut(&mut |x| *x = if rate.hits(rng) { T::zero() } else { *x * kept });
}

same_parameters!(Dropout);

/// The tape of a [`Dropout`]: the tape of its layer and the generator of the masks at every step.
#[derive(Clone)]
pub struct DropoutTape<P, Y> {
    layer: P,
    outputs: Vec<Y>,
    dys: Vec<Y>,
    generators: Vec<Xoshiro256PlusPlus>,
    is_noisy: bool,
}

short_debug!(DropoutTape<P, Y>: layer);

impl<P: Default, Y> Default for DropoutTape<P, Y> {
    fn default() -> Self {
        DropoutTape {
            layer: P::default(),
            outputs: Vec::new(),
            dys: Vec::new(),
            generators: Vec::new(),
            is_noisy: false,
        }
    }
}

impl<const B: usize, L, Y> Layer<B> for Dropout<L>
where
    L: Layer<B, Output = Y>,
    Y: Varying<L::Scalar> + Clone,
{
    type Input = L::Input;
    type Output = Y;
    type InputBar = L::InputBar;
    type Context = L::Context;
    type State = Noisy<L::State>;
    type Tape = DropoutTape<L::Tape, Y>;

    fn initial_state_with(&self, context: &L::Context) -> Self::State {
        Noisy::silent(self.layer.initial_state_with(context))
    }

    same_initial_state!(noisy "dropout.generator");

    fn run_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State) -> Vec<Y> {
        let Noisy { state, generator } = state;
        let mut ys = self.layer.run_pass(pass, state);
        if let Some(generator) = generator {
            ys.iter_mut().for_each(|y| self.drop(y, generator));
        }
        ys
    }

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        let Noisy { state, generator } = state;
        self.layer.forward_pass(pass, state, &mut tape.layer);
        tape.is_noisy = generator.is_some();
        let Some(generator) = generator else { return };
        copy(&mut tape.outputs, self.layer.outputs(&tape.layer));
        tape.generators.clear();
        for y in &mut tape.outputs {
            tape.generators.push(generator.clone());
            self.drop(y, generator);
        }
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [Y] {
        if tape.is_noisy { &tape.outputs } else { self.layer.outputs(&tape.layer) }
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[Y],
        bars: LayerBars<'_, Self, B>,
    ) {
        let mut pulled = dys;
        if tape.is_noisy {
            check_lengths(tape.generators.len(), pass.xs.len(), dys.len(), bars.steps());
            copy(&mut tape.dys, dys);
            for (dy, generator) in tape.dys.iter_mut().zip(&tape.generators) {
                apply(dy, self.rate, &mut generator.clone());
            }
            pulled = &tape.dys;
        }
        let Bars { gradients, state, inputs, context } = bars;
        let state = state.map(|noisy| &mut noisy.state);
        self.layer.backward_pass(pass, &mut tape.layer, pulled, Bars { gradients, state, inputs, context });
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tape: &Self::Tape,
    ) -> Result<(), Fault> {
        self.layer.inspect_forward(pass, &state.state, &tape.layer)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        tapes: [&Self::Tape; 2],
        dys: &[Y],
        gradients: &L::Gradients,
    ) -> Result<(), Fault> {
        let dys = if tapes[1].is_noisy { &tapes[1].dys } else { dys };
        self.layer.inspect_backward(pass, &state.state, tapes.map(|tape| &tape.layer), dys, gradients)
    }
}

impl<const B: usize, L, Y> Cell<B> for Dropout<L>
where
    L: Cell<B> + Layer<B, Output = Y>,
    Y: Varying<L::Scalar> + Clone,
{
    fn step_with(&self, x: &L::Input, context: &L::Context, state: &mut Self::State) -> Y {
        let Noisy { state, generator } = state;
        let mut y = self.layer.step_with(x, context, state);
        if let Some(generator) = generator {
            self.drop(&mut y, generator);
        }
        y
    }

    fn chunk(&self) -> usize {
        self.layer.chunk()
    }
}

impl<const B: usize, L> Prepare<B> for Dropout<L>
where
    L: Prepare<B, Output: Varying<<L as Prepare<B>>::Scalar>>,
{
    prepared_as!(State = Noisy<L::State>, this => this.layer);

    #[inline(always)]
    fn step_on<S: Isa>(
        &self,
        isa: S,
        fixed: &L::Fixed,
        x: &L::Input,
        context: &L::Context,
        state: &mut Self::State,
    ) -> L::Output {
        let Noisy { state, generator } = state;
        let mut y = self.layer.step_on(isa, fixed, x, context, state);
        if let Some(generator) = generator {
            self.drop(&mut y, generator);
        }
        y
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &L::Context, state: &mut Self::State) {
        self.layer.start_on(isa, context, &mut state.state);
    }
}
