//! Workloads of our cells: a step of a stream and a training pass of any layer.

use rnn_cell::Scalar;
use rnn_cell::cell::{Bars, Cell, Layer, Model};
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};
use rnn_cell::types::varying::Varying;
use std::hint::black_box;

/// The number of steps of every training pass.
pub const STEPS: usize = 100;

/// Returns the random generator that every workload starts with.
pub fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

/// Returns a value whose scalars are neither equal nor large.
pub fn value<T: Scalar, V: Varying<T>>(seed: usize) -> V {
    let (mut value, mut k) = (V::zero(), 7 * seed);
    value.scalars_mut(&mut |x| {
        *x = T::of((k as f64).sin());
        k += 3;
    });
    value
}

/// Returns a sequence of inputs.
pub fn inputs<T: Scalar, V: Varying<T>>(steps: usize) -> Vec<V> {
    (0..steps).map(value).collect()
}

/// The number of inputs that [`step`] cycles through. With a single input, a decaying state would
/// reach denormal numbers.
pub const CYCLE: usize = 16;

/// Returns the workload of one step by `step`.
pub fn step<'a, T: Scalar, const B: usize, L>(cell: Box<L>) -> impl FnMut() + 'a
where
    L: Cell<B, Scalar = T, Context = (), Input: Varying<T>> + 'a,
    L::State: 'a,
    L::Input: 'a,
{
    step_through(cell, inputs(CYCLE))
}

/// Returns the workload of one step, which takes the next of the inputs.
pub fn step_through<'a, const B: usize, L>(cell: Box<L>, xs: Vec<L::Input>) -> impl FnMut() + 'a
where
    L: Cell<B, Context = ()> + 'a,
    L::State: 'a,
    L::Input: 'a,
{
    let (mut state, mut t) = (cell.initial_state(), 0);
    move || {
        t = (t + 1) % xs.len();
        black_box(cell.step(black_box(&xs[t]), &mut state));
    }
}

/// Returns the workload of a sequence in one call, without residuals. The next call continues from
/// its final state.
pub fn run<'a, const B: usize, L>(cell: Box<L>, xs: Vec<L::Input>) -> impl FnMut() + 'a
where
    L: Layer<B, Context = ()> + 'a,
    L::State: 'a,
    L::Input: 'a,
{
    let mut state = cell.initial_state();
    move || {
        black_box(cell.run(black_box(&xs), &mut state));
    }
}

/// Returns the workload of a forward and a backward pass through a sequence, with the gradients of
/// parameters, inputs and the initial state. The outputs serve as their own cotangents, which gives
/// the gradient of half the sum of their squares.
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
    train_through(cell, inputs(steps))
}

/// Returns the workload of [`train`] with these inputs.
pub fn train_through<'a, const B: usize, L>(cell: Box<L>, xs: Vec<L::Input>) -> impl FnMut() + 'a
where
    L: Layer<B, Context = (), InputBar: Varying<L::Scalar>> + 'a,
    L::State: 'a,
    L::Tape: 'a,
    L::Input: 'a,
    L::InputBar: 'a,
    L::Output: 'a,
    L::Gradients: 'a,
{
    let mut dxs: Vec<L::InputBar> = inputs(xs.len());
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
