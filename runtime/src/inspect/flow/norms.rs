//! Cotangents of states in a backward pass.

use core::fmt;
use core::slice;

use alloc::vec::Vec;

use super::spectrum::{Magnitude, Scale, rate};
use crate::Scalar;
use crate::cell::{Bars, Cell, IntoPass, LayerPass, check_lengths};
use crate::functions;
use crate::types::varying::Varying;

/// Pulls cotangents back through a sequence. Calls `visit` with the cotangent of the state after
/// `t` steps, for every `t` from the last down to 0: the contribution of all later steps. `dys` and
/// `dstate` are as in [`backward`](crate::cell::Layer::backward).
///
/// The state is typed, so `visit` can look at a single field. The function keeps the state after
/// each step and runs the steps forward twice.
///
/// ```
/// use rnn_cell::cells::Lstm;
/// use rnn_cell::inspect::flow::cotangents;
/// use rnn_cell::prelude::*;
///
/// let lstm = Lstm::<1, 4>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let xs = [SVector::<f32, 1>::new(1.0); 20];
/// let mut dstate = lstm.zero_state::<1>();
/// dstate.c.fill(1.0);
/// let mut norms = Vec::new();
/// let state = lstm.zero_state::<1>();
/// cotangents::<_, 1>(&lstm, &xs, &state, &[], &mut dstate, |_t, bar| norms.push(bar.c.norm()));
/// assert_eq!((norms.len(), norms[0]), (21, 2.0));
/// ```
///
/// # Panics
/// Panics if `dys` is neither empty nor as long as the sequence.
#[track_caller]
pub fn cotangents<'a, L, const B: usize>(
    layer: &L,
    pass: impl IntoPass<'a, L::Input, L::Context, B>,
    state: &L::State,
    dys: &[L::Output],
    dstate: &mut L::State,
    mut visit: impl FnMut(usize, &L::State),
) where
    L: Cell<B, Input: 'a, Context: 'a>,
{
    let pass = pass.into_pass();
    check_lengths(pass.xs.len(), pass.xs.len(), dys.len(), None);
    walk(layer, pass, state, dys, dstate, |t, bar| visit(t, bar));
}

/// Pulls cotangents back like [`cotangents`]; `visit` may change them.
fn walk<L: Cell<B>, const B: usize>(
    layer: &L,
    pass: LayerPass<'_, L, B>,
    state: &L::State,
    dys: &[L::Output],
    dstate: &mut L::State,
    mut visit: impl FnMut(usize, &mut L::State),
) {
    let mut tape = L::Tape::default();
    let mut gradients = layer.zero_gradients();
    let mut states: Vec<L::State> = Vec::with_capacity(pass.xs.len());
    let mut now = state.clone();
    for t in 0..pass.xs.len() {
        states.push(now.clone());
        layer.forward_pass(pass.window(t..t + 1), &mut now, &mut tape);
    }
    visit(pass.xs.len(), dstate);
    for (t, mut before) in states.into_iter().enumerate().rev() {
        let step = pass.window(t..t + 1);
        layer.forward_pass(step, &mut before, &mut tape);
        let dys = dys.get(t).map_or(&[][..], slice::from_ref);
        let bars = Bars::of(&mut *gradients).state(&mut *dstate).without_context();
        layer.backward_pass(step, &mut tape, dys, bars);
        visit(t, dstate);
    }
}

/// The norms of a cotangent in a backward pass through a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Norms {
    /// The natural logarithms of the Euclidean norms, by distance from the end: from the final
    /// state's cotangent to the initial state's. The logarithm of zero is `-inf`.
    pub ln: Vec<f64>,
}

impl Norms {
    /// Returns the number of steps.
    pub fn steps(&self) -> usize {
        self.ln.len().saturating_sub(1)
    }

    /// Returns the factor by which the norm grows per step back, as a geometric mean.
    pub fn growth(&self) -> f64 {
        match (self.ln.first(), self.ln.last()) {
            (Some(first), Some(last)) => rate(last - first, self.steps()),
            _ => 1.0,
        }
    }
}

impl fmt::Display for Norms {
    /// Writes `|dstate| 1.0e0 -> 2.3e-9 over 100 steps back: 0.813 per step`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |ln: Option<&f64>| Magnitude(ln.copied().unwrap_or(f64::NEG_INFINITY));
        let (first, last) = (at(self.ln.first()), at(self.ln.last()));
        write!(
            f,
            "|dstate| {first} -> {last} over {} steps back: {:.3} per step",
            self.steps(),
            self.growth()
        )
    }
}

/// Returns the norms, over all samples, of a final state's cotangent in a backward pass through a
/// sequence whose outputs have no cotangents. The cotangent is rescaled in each step, so it neither
/// vanishes nor overflows: 10⁻¹⁰⁰⁰ is distinct from 0, even for cells in `f32`.
pub fn norms<'a, L, const B: usize>(
    layer: &L,
    pass: impl IntoPass<'a, L::Input, L::Context, B>,
    state: &L::State,
    mut dstate: L::State,
) -> Norms
where
    L: Cell<B, Input: 'a, Context: 'a>,
{
    let pass = pass.into_pass();
    let (mut ln, mut scaled) = (Vec::with_capacity(pass.xs.len() + 1), 0.0);
    walk(layer, pass, state, &[], &mut dstate, |_, bar| {
        let norm = norm(bar);
        ln.push(functions::ln(norm) + scaled);
        if let Some(scale) = Scale::of(norm) {
            let [first, second] = scale.factors.map(L::Scalar::of);
            bar.scalars_mut(&mut |x| *x = *x * first * second);
            scaled += scale.ln;
        }
    });
    Norms { ln }
}

fn norm<T: Scalar>(value: &impl Varying<T>) -> f64 {
    let mut sum = 0.0_f64;
    value.scalars(&mut |x| sum += x.as_f64() * x.as_f64());
    sum.sqrt()
}
