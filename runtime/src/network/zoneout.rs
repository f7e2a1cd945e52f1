//! Zoneout: a state that keeps old values at random in training.

use alloc::string::String;
use alloc::vec::Vec;
use core::slice;

use super::noise::{Noisy, Rate};
use crate::Scalar;
use crate::cell::fault::{Fault, inspect_steps, inspect_steps_back};
use crate::cell::{
    Bars, Cell, Isa, Layer, LayerBars, LayerPass, Model, ModelMut, Parameter, ParameterMut, Prepare,
    StateFields, StatePart, StateVisitor, check_lengths, prepared_as,
};
use crate::data::clear_past_end;
use crate::rng::{DynRng, Xoshiro256PlusPlus};
use crate::types::varying::Varying;

/// A layer whose state keeps old values at random (Krueger et al. 2017). In training, each value of
/// a field keeps its previous value with the probability of the field. In inference, it becomes the
/// mean, `rate * old + (1 - rate) * new`. A state is for training once
/// [`seed_noise`](Layer::seed_noise) was called on it.
///
/// The layer computes its new state from the old one before any value is restored, as in the
/// paper's equations. Outputs that are fields of the state change with it; outputs that are
/// computed from the state do not.
///
/// Works with any state of named [fields](StateFields), which every generated cell has. It runs one
/// step at a time and sums the gradients of the parameters step by step, which takes longer than
/// the cell alone. Each step copies the state, so that it allocates if the state has [earlier
/// steps](crate::types::rings).
///
/// ```
/// use rnn_cell::cells::Lstm;
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let lstm = Zoneout::new(Lstm::<3, 16>::init(&mut rng)).field("c", 0.5).field("h", 0.05);
/// let mut state = lstm.initial_state();
/// lstm.seed_noise(&mut state, &mut rng);
/// let y = lstm.step(&SVector::<f32, 3>::repeat(1.0), &mut state);
/// assert_eq!(y, state.state.h);
/// assert!(state.state.c.iter().any(|&c| c == 0.0) && state.state.c.iter().any(|&c| c != 0.0));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Zoneout<L> {
    /// The layer whose state keeps old values.
    pub layer: L,
    rates: Vec<(String, Rate)>,
}

impl<L> Zoneout<L> {
    /// Creates a layer that keeps no values until [`field`](Self::field) sets a rate.
    pub fn new(layer: L) -> Self {
        Zoneout { layer, rates: Vec::new() }
    }

    /// Sets the probability, `rate`, with which each value of the state's field `name` keeps its
    /// previous value.
    ///
    /// # Panics
    /// Panics if the rate is not in `[0, 1)`. If the state has no such field, `initial_state` and
    /// `forward` panic.
    #[must_use]
    #[track_caller]
    pub fn field(mut self, name: &str, rate: f64) -> Self {
        self.rates.retain(|(other, _)| other != name);
        self.rates.push((name.into(), Rate::new(rate)));
        self
    }

    #[track_caller]
    fn check_names(&self, names: &[&str]) {
        for (name, _) in &self.rates {
            assert!(
                names.contains(&name.as_str()),
                "zoneout of `{name}`, but the state's fields are {names:?}"
            );
        }
    }

    /// Calls `f` with every value of a field that has a rate, the same value of `other`, and the
    /// share of the old value.
    fn zip<T: Scalar, Y, S: StateFields<T, Y>>(
        &self,
        state: &mut S,
        other: &S,
        mut generator: Option<Xoshiro256PlusPlus>,
        f: impl Fn(&mut T, T, Stay<T>),
    ) -> Option<Xoshiro256PlusPlus> {
        let rate_of = |field: usize| {
            let (_, rate) = self.rates.iter().find(|(name, _)| name == S::NAMES[field])?;
            Some(*rate)
        };
        let mut now = (usize::MAX, None);
        state.zip_fields(other, &mut |field, x, other| {
            if now.0 != field {
                now = (field, rate_of(field));
            }
            let Some(rate) = now.1 else { return };
            let stay = match &mut generator {
                Some(generator) => {
                    if rate.hits(generator) {
                        Stay::Wholly
                    } else {
                        Stay::Not
                    }
                }
                None => Stay::Partly(T::of(rate.probability)),
            };
            f(x, other, stay);
        });
        generator
    }
}

/// The share of the old value in the new one.
#[derive(Clone, Copy)]
enum Stay<T> {
    Wholly,
    Not,
    /// The share in the mean of both, for inference.
    Partly(T),
}

impl<T: Scalar> Stay<T> {
    fn keep(self, x: &mut T, old: T) {
        match self {
            Stay::Wholly => *x = old,
            Stay::Not => {}
            // Written as a change of `x`, so that an unchanged value keeps all its bits.
            Stay::Partly(rate) => *x += rate * (old - *x),
        }
    }

    /// Returns the part of the cotangent `dx` of a mixed value that belongs to the old value.
    fn around(self, dx: T) -> T {
        match self {
            Stay::Wholly => dx,
            Stay::Not => T::zero(),
            Stay::Partly(rate) => rate * dx,
        }
    }
}

same_parameters!(Zoneout);

/// The tape of a [`Zoneout`]: one tape of its layer per step.
#[derive(Clone)]
pub struct ZoneoutTape<P, Y> {
    /// One tape per step of the longest sequence so far.
    steps: Vec<P>,
    outputs: Vec<Y>,
    /// The generators before each step.
    generators: Vec<Option<Xoshiro256PlusPlus>>,
}

short_debug!(ZoneoutTape<P, Y>: steps);

impl<P, Y> Default for ZoneoutTape<P, Y> {
    fn default() -> Self {
        ZoneoutTape { steps: Vec::new(), outputs: Vec::new(), generators: Vec::new() }
    }
}

impl<const B: usize, L> Layer<B> for Zoneout<L>
where
    L: Layer<B, State: StateFields<L::Scalar, L::Output> + Clone>,
{
    type Input = L::Input;
    type Output = L::Output;
    type InputBar = L::InputBar;
    type Context = L::Context;
    type State = Noisy<L::State>;
    type Tape = ZoneoutTape<L::Tape, L::Output>;

    fn initial_state_with(&self, context: &L::Context) -> Self::State {
        self.check_names(L::State::NAMES);
        Noisy::silent(self.layer.initial_state_with(context))
    }

    same_initial_state!(noisy "zoneout.generator");

    fn forward_pass(&self, pass: LayerPass<'_, Self, B>, state: &mut Self::State, tape: &mut Self::Tape) {
        self.check_names(L::State::NAMES);
        let ZoneoutTape { steps, outputs, generators } = tape;
        outputs.clear();
        generators.clear();
        if steps.len() < pass.xs.len() {
            steps.resize_with(pass.xs.len(), L::Tape::default);
        }
        for (t, tape) in steps[..pass.xs.len()].iter_mut().enumerate() {
            let Noisy { state, generator } = state;
            let before = state.clone();
            self.layer.forward_pass(pass.window(t..t + 1), state, tape);
            generators.push(generator.clone());
            *generator = self.zip(state, &before, generator.take(), |x, old, stay| stay.keep(x, old));
            let mut y = self.layer.outputs(tape)[0].clone();
            state.reread(&mut y);
            outputs.push(y);
        }
        clear_past_end(outputs, pass.lengths);
    }

    fn outputs<'t>(&self, tape: &'t Self::Tape) -> &'t [L::Output] {
        &tape.outputs
    }

    fn backward_pass(
        &self,
        pass: LayerPass<'_, Self, B>,
        tape: &mut Self::Tape,
        dys: &[L::Output],
        bars: LayerBars<'_, Self, B>,
    ) {
        let ZoneoutTape { steps, outputs, generators } = tape;
        check_lengths(outputs.len(), pass.xs.len(), dys.len(), bars.steps());
        let Bars { gradients, state, mut inputs, mut context } = bars;
        let mut zero = None;
        let dstate = match state {
            Some(noisy) => &mut noisy.state,
            None => zero.insert(L::State::zero()),
        };
        for t in (0..pass.xs.len()).rev() {
            let mut dy = dys.get(t).cloned();
            if let Some(dy) = &mut dy {
                // The contents of `dys` in the padding are arbitrary and must not reach the
                // cotangent of the state.
                for sample in pass.ended(t) {
                    dy.sample_mut(sample, B, &mut |x| *x = nalgebra::zero());
                }
                dstate.pull_reread(dy);
            }
            let whole = dstate.clone();
            self.zip(dstate, &whole, generators[t].clone(), |dx, whole, stay| *dx -= stay.around(whole));
            let bars = Bars {
                gradients: &mut *gradients,
                state: Some(&mut *dstate),
                inputs: inputs.as_deref_mut().map(|dxs| slice::from_mut(&mut dxs[t])),
                context: context.as_deref_mut(),
            };
            self.layer.backward_pass(pass.window(t..t + 1), &mut steps[t], dy.as_slice(), bars);
            self.zip(dstate, &whole, generators[t].clone(), |dx, whole, stay| *dx += stay.around(whole));
        }
    }

    fn inspect_forward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        _: &Self::Tape,
    ) -> Result<(), Fault> {
        inspect_steps(self, pass, state)
    }

    fn inspect_backward(
        &self,
        pass: LayerPass<'_, Self, B>,
        state: &Self::State,
        _: [&Self::Tape; 2],
        dys: &[L::Output],
        _: &L::Gradients,
    ) -> Result<(), Fault> {
        inspect_steps_back(self, pass, state, dys)
    }
}

impl<const B: usize, L> Cell<B> for Zoneout<L>
where
    L: Cell<B>,
    L: Layer<B, State: StateFields<L::Scalar, L::Output> + Clone>,
{
    fn step_with(&self, x: &L::Input, context: &L::Context, state: &mut Self::State) -> L::Output {
        let Noisy { state, generator } = state;
        let before = state.clone();
        let mut y = self.layer.step_with(x, context, state);
        *generator = self.zip(state, &before, generator.take(), |x, old, stay| stay.keep(x, old));
        state.reread(&mut y);
        y
    }
}

impl<const B: usize, L> Prepare<B> for Zoneout<L>
where
    L: Prepare<B, State: StateFields<<L as Prepare<B>>::Scalar, <L as Prepare<B>>::Output> + Clone>,
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
        let before = state.clone();
        let mut y = self.layer.step_on(isa, fixed, x, context, state);
        *generator = self.zip(state, &before, generator.take(), |x, old, stay| stay.keep(x, old));
        state.reread(&mut y);
        y
    }

    #[inline(always)]
    fn start_on<S: Isa>(&self, isa: S, context: &L::Context, state: &mut Self::State) {
        self.layer.start_on(isa, context, &mut state.state);
    }
}
