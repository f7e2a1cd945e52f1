//! Workloads of our cells: a step of a stream, a pass of training, for any layer.

use rnn_cell::Scalar;
use rnn_cell::cell::{Bars, Cell, Layer, Model};
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};
use rnn_cell::types::varying::Varying;
use std::hint::black_box;

/// Steps of every training pass.
pub const STEPS: usize = 100;

/// The generator that every workload starts from.
pub fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

/// A value whose scalars are neither equal nor large.
pub fn value<T: Scalar, V: Varying<T>>(seed: usize) -> V {
    let (mut value, mut k) = (V::zero(), 7 * seed);
    value.scalars_mut(&mut |x| {
        *x = T::of((k as f64).sin());
        k += 3;
    });
    value
}

/// A sequence of inputs.
pub fn inputs<T: Scalar, V: Varying<T>>(steps: usize) -> Vec<V> {
    (0..steps).map(value).collect()
}

/// Inputs that [`step`] takes in turn. With one and the same, a decaying state would run into denormal numbers.
pub const CYCLE: usize = 16;

/// A step, as `step` does it.
pub fn step<'a, T: Scalar, const B: usize, L>(cell: Box<L>) -> impl FnMut() + 'a
where
    L: Cell<B, Scalar = T, Context = (), Input: Varying<T>> + 'a,
    L::State: 'a,
    L::Input: 'a,
{
    let mut state = cell.initial_state();
    let xs: Vec<L::Input> = inputs(CYCLE);
    let mut t = 0;
    move || {
        t = (t + 1) % CYCLE;
        black_box(cell.step(black_box(&xs[t]), &mut state));
    }
}

/// Forward and backward through a sequence: every gradient, of parameters, inputs and initial state. The outputs serve as
/// their own cotangents: the gradient of half the sum of their squares.
pub fn train<'a, T: Scalar, const B: usize, L>(cell: Box<L>, steps: usize) -> impl FnMut() + 'a
where
    L: Layer<B, Scalar = T, Context = (), Input: Varying<T>, InputBar: Varying<T>> + 'a,
    L::State: 'a,
    L::Tape: 'a,
    L::Input: 'a,
    L::InputBar: 'a,
    L::Output: 'a,
    L::Gradients: 'a,
{
    let (xs, mut dxs): (Vec<L::Input>, Vec<L::InputBar>) = (inputs(steps), inputs(steps));
    let (mut tape, mut grads) = (cell.tape(), cell.zero_gradients());
    let dys = cell.forward(&xs, &mut cell.initial_state(), &mut tape).to_vec();
    move || {
        let (mut state, mut dstate) = (cell.initial_state(), cell.zero_state());
        cell.forward(black_box(&xs), &mut state, &mut tape);
        let bars = Bars::of(&mut grads).state(&mut dstate).inputs(&mut dxs);
        cell.backward(&xs, &mut tape, &dys, bars);
        black_box(&dxs);
    }
}
