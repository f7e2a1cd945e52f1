//! Workloads of our cells: a step of a stream, a pass of training, for any layer.

use crate::measure::Work;
use crate::odd::{Attention, AttentionContext, DeepTransition, FastWeights, Multiplicative};
use nalgebra::SMatrix;
use rnn_cell::Scalar;
use rnn_cell::cell::{Cell, ContextLayer, Layer};
use rnn_cell::cells::*;
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus};
use std::hint::black_box;

/// Steps of every training pass.
pub const STEPS: usize = 100;

/// The generator that every workload starts from.
pub fn rng() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(1)
}

/// A sequence of inputs.
pub fn inputs<T: Scalar, const I: usize, const B: usize>(steps: usize) -> Vec<SMatrix<T, I, B>> {
    let value = |t: usize, r: usize, c: usize| T::of(((t * 7 + r * 3 + c * 5) as f64).sin());
    (0..steps).map(|t| SMatrix::from_fn(|r, c| value(t, r, c))).collect()
}

/// Inputs that [`step`] takes in turn. With one and the same, a decaying state would run into denormal numbers.
const CYCLE: usize = 16;

/// A step, as `step` does it.
pub fn step<'a, T: Scalar, const I: usize, const B: usize, L>(cell: Box<L>) -> impl FnMut() + 'a
where
    L: Cell<B, Scalar = T, Input = SMatrix<T, I, B>> + 'a,
    L::State: 'a,
{
    let mut state = cell.zero_state();
    let xs = inputs::<T, I, B>(CYCLE);
    let mut t = 0;
    move || {
        t = (t + 1) % CYCLE;
        black_box(cell.step(black_box(&xs[t]), &mut state));
    }
}

/// Forward and backward through a sequence: every gradient, of parameters, inputs and initial state. The outputs serve as
/// their own cotangents: the gradient of half the sum of their squares.
pub fn train<'a, T: Scalar, const I: usize, const B: usize, L>(
    cell: Box<L>,
    steps: usize,
) -> impl FnMut() + 'a
where
    L: Layer<B, Scalar = T, Input = SMatrix<T, I, B>, InputBar = SMatrix<T, I, B>> + 'a,
    L::State: 'a,
    L::Tape: 'a,
    L::Output: Clone + 'a,
    L::Gradients: 'a,
{
    let xs = inputs::<T, I, B>(steps);
    let (mut tape, mut grads, mut dxs) = (cell.tape(), cell.zero_gradients(), xs.clone());
    let mut state = cell.zero_state();
    cell.forward(&xs, None, &mut state, &mut tape);
    let dys = cell.outputs(&tape).to_vec();
    move || {
        let mut state = cell.zero_state();
        cell.forward(black_box(&xs), None, &mut state, &mut tape);
        let mut dstate = cell.zero_state_bar();
        cell.backward(&xs, None, &mut tape, &dys, &mut dstate, &mut grads, Some(&mut dxs));
        black_box(&dxs);
    }
}

/// A cell with its cost and its workloads.
pub struct Subject<'a> {
    /// The cell's name.
    pub name: &'static str,
    /// `FLOPS_PER_STEP`.
    pub flops: usize,
    /// `TAPE_BYTES_PER_STEP`.
    pub tape: usize,
    /// A step of `B` samples.
    pub step: Work<'a>,
    /// A training pass over [`STEPS`] steps of `B` samples.
    pub train: Work<'a>,
}

macro_rules! subjects {
    ($b:ident: $($name:ident<$($dim:ident),*>)*) => {
        vec![$(Subject {
            name: stringify!($name),
            flops: $name::<$($dim,)* f32>::FLOPS_PER_STEP,
            tape: $name::<$($dim,)* f32>::TAPE_BYTES_PER_STEP,
            step: Box::new(step::<f32, N, $b, _>($name::<$($dim,)* f32>::init_boxed(&mut rng()))),
            train: Box::new(train::<f32, N, $b, _>($name::<$($dim,)* f32>::init_boxed(&mut rng()), STEPS)),
        }),*]
    };
}

/// Every ready cell, `I = H = O = N`.
pub fn ready<const N: usize, const B: usize>() -> Vec<Subject<'static>> {
    subjects! { B:
        Lstm<N, N> PeepholeLstm<N, N> CifgLstm<N, N> LayerNormLstm<N, N> MinLstm<N, N>
        GreffNig<N, N> GreffNfg<N, N> GreffNog<N, N> GreffNiaf<N, N> GreffNoaf<N, N> GreffCifg<N, N> GreffNp<N, N>
        GreffFgr<N, N>
        Gru<N, N> GruResetAfter<N, N> Mgu<N, N> UgRnn<N, N> LiGru<N, N> MinGru<N, N>
        Elman<N, N> Jordan<N, N, N> IndRnn<N, N> Dense<N, N>
    }
}

/// Encoded steps that the decoder attends to.
pub const ATTENDED: usize = 16;

/// A decoder, and what it attends to.
pub struct Decoder<const N: usize, const B: usize> {
    cell: Box<Attention<N, N, ATTENDED>>,
    context: AttentionContext<N, ATTENDED, B>,
}

impl<const N: usize, const B: usize> Decoder<N, B> {
    /// Some parameters and some encoded steps.
    pub fn new() -> Self {
        let encoded = |b: usize| SMatrix::from_fn(|r, c| ((b + r * 3 + c * 5) as f32).sin());
        let context = AttentionContext { E: std::array::from_fn(encoded) };
        Decoder { cell: Attention::init_boxed(&mut rng()), context }
    }
}

impl<const N: usize, const B: usize> Default for Decoder<N, B> {
    fn default() -> Self {
        Self::new()
    }
}

/// The odd cells, `I = H = N`.
pub fn odd<const N: usize, const B: usize>(decoder: &Decoder<N, B>) -> Vec<Subject<'_>> {
    let mut all = subjects! { B: FastWeights<N, N> Multiplicative<N, N> DeepTransition<N, N> };
    let Decoder { cell, context } = decoder;
    all.push(Subject {
        name: "Attention",
        flops: Attention::<N, N, ATTENDED, f32>::FLOPS_PER_STEP,
        tape: Attention::<N, N, ATTENDED, f32>::TAPE_BYTES_PER_STEP,
        step: Box::new(step::<f32, N, B, _>(Box::new(ContextLayer::<B>::with(&**cell, context)))),
        train: Box::new(train::<f32, N, B, _>(Box::new(ContextLayer::<B>::with(&**cell, context)), STEPS)),
    });
    all
}
