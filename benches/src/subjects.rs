//! All cells at one size, each with its counted costs and its workloads.

use crate::measure::Work;
use crate::odd::{Attention, DeepTransition, FastWeights, Multiplicative};
use crate::work::{CYCLE, STEPS, inputs, rng, step, train, value};
use rnn_cell::cell::{Layer, Model};
use rnn_cell::cells::*;
use rnn_cell::types::varying::Varying;
use std::hint::black_box;

/// A cell with its cost and its workloads.
pub struct Subject {
    /// The cell's name.
    pub name: &'static str,
    /// The FLOP of one step and sample: `FLOPS_PER_STEP` without the terms that depend on the
    /// context alone, which are computed once per sequence.
    pub flops: usize,
    /// The value of `TAPE_BYTES_PER_STEP`.
    pub tape: usize,
    /// A step of `B` samples with a prepared context.
    pub step: Work<'static>,
    /// A training pass over [`STEPS`] steps of `B` samples.
    pub train: Work<'static>,
}

macro_rules! subjects {
    ($b:ident: $($name:ident<$($dim:ident),*>)*) => {
        vec![$(Subject {
            name: stringify!($name),
            flops: $name::<$($dim,)* f32>::FLOPS_PER_STEP,
            tape: $name::<$($dim,)* f32>::TAPE_BYTES_PER_STEP,
            step: Box::new(step::<f32, $b, _>($name::<$($dim,)* f32>::init_boxed(&mut rng()))),
            train: Box::new(train::<f32, $b, _>($name::<$($dim,)* f32>::init_boxed(&mut rng()), STEPS)),
        }),*]
    };
}

/// Builds the cells with a context. `once` is the number of FLOP that depend on the context alone.
/// Cells and contexts are leaked.
macro_rules! attending {
    ($b:ident: $($name:ident<$($dim:ident),*> once $once:expr;)*) => {
        vec![$({
            let cell = &*Box::leak($name::<$($dim,)* f32>::init_boxed(&mut rng()));
            let mut context = Box::new(value::<f32, <$name<$($dim,)* f32> as Layer<$b>>::Context>(1));
            // Masks are not negative.
            context.scalars_mut(&mut |x: &mut f32| *x = x.abs());
            let context = &*Box::leak(context);
            let layer = cell.with(context);
            let (prepared, mut state) = (cell.prepare::<$b>(context), layer.initial_state::<$b>());
            let (xs, mut t) = (inputs::<f32, _>(CYCLE), 0);
            Subject {
                name: stringify!($name),
                flops: $name::<$($dim,)* f32>::FLOPS_PER_STEP - $once,
                tape: $name::<$($dim,)* f32>::TAPE_BYTES_PER_STEP,
                step: Box::new(move || {
                    t = (t + 1) % CYCLE;
                    black_box(prepared.step(black_box(&xs[t]), &mut state));
                }),
                train: Box::new(train::<f32, $b, _>(Box::new(layer), STEPS)),
            }
        }),*]
    };
}

/// The number of encoded steps that attention reads.
pub const ATTENDED: usize = 16;

/// Returns every ready cell with all dimensions `N`.
pub fn ready<const N: usize, const B: usize>() -> Vec<Subject> {
    const S: usize = ATTENDED;
    let mut all = subjects! { B:
        Lstm<N, N> PeepholeLstm<N, N> CifgLstm<N, N> LayerNormLstm<N, N> MinLstm<N, N>
        GreffNig<N, N> GreffNfg<N, N> GreffNog<N, N> GreffNiaf<N, N> GreffNoaf<N, N> GreffCifg<N, N> GreffNp<N, N>
        GreffFgr<N, N>
        Gru<N, N> ReluGru<N, N> GruResetAfter<N, N> Mgu<N, N> UgRnn<N, N> LiGru<N, N> MinGru<N, N>
        Elman<N, N> Jordan<N, N, N> IndRnn<N, N> Dense<N, N>
    };
    // The FLOP of a product of a matrix with the memory, and of a product of a matrix with the
    // summary, which is a vector.
    let (memory, vector) = (2 * N * N * S, 2 * N * N);
    all.extend(attending! { B:
        AdditiveAttention<N, N, N, S> once memory;
        DotAttention<N, S> once 0;
        GeneralAttention<N, N, S> once memory;
        ConcatAttention<N, N, N, S> once memory;
        ChoDecoder<N, N, N, N, N> once 6 * vector;
        BahdanauDecoder<N, N, N, N, N, N, S> once memory;
        LuongDotDecoder<N, N, N, S> once 0;
        LuongGeneralDecoder<N, N, N, N, S> once memory;
        LuongConcatDecoder<N, N, N, N, N, S> once memory;
    });
    all
}

/// Returns the unusual cells with all dimensions `N`.
pub fn odd<const N: usize, const B: usize>() -> Vec<Subject> {
    const S: usize = ATTENDED;
    let mut all = subjects! { B: FastWeights<N, N> Multiplicative<N, N> DeepTransition<N, N> };
    all.extend(attending! { B: Attention<N, N, S> once 2 * N * N * S; });
    all
}
