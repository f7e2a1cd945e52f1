//! Sizes and batches of zero, one and two. A cell without rows has empty values, a cell without
//! columns reads nothing, and a batch without samples computes nothing.

#![allow(missing_docs)]

use rnn_cell::cells::*;
use rnn_cell::inspect::gradcheck::{Checked, Gradcheck};
use rnn_cell::prelude::*;
use rnn_cell::quantised::{Bf16, Int8, round};
use tests::exactness::{
    all_scalars, assert_close, check, ragged_batches_are_their_samples, random, random_sequence, rng,
};
use tests::golden::scalars;

rnn_cell! {
    /// A cell that uses kernels which the library's cells in this test do not use: columns by
    /// index, transposes, outer products, sums and maxima.
    pub cell Kernels<I, H, V> {
        input  x: [I], w: one_hot[V];
        state  h: [H];
        param  W: [H, I];
        param  E: [H, V] = normal(0.5);
        param  U: [H, H];
        param  D: [I, H];
        param  v: [2] = 0.4;

        u = tanh(W @ x + E @ w + U.T @ h[t-1]);
        s = sum(v * v) * sum(x);
        h = u + row_sum((u @ h[t-1].T) * U) + s * (softmax(u) + D.T @ x);
        y = [tanh(D @ h), v, h];

        output h, y;
    }
}

/// Checks the general properties, and compares the gradients with differences.
fn verify<const B: usize, L>(cell: &mut L)
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(7);
    let xs: Vec<L::Input> = random_sequence(&mut rng, 4);
    let state: L::State = random(&mut rng);
    check(cell, Pass::of(&xs), &state, 3);
    let (mut run, mut forward, mut tape) = (state.clone(), state.clone(), cell.tape());
    let ys = all_scalars(&cell.run(&xs, &mut run));
    let want = all_scalars(cell.forward(&xs, &mut forward, &mut tape));
    assert_close("outputs of run", &ys, &want, 1e-13);
    assert_close("state of run", &scalars(&run), &scalars(&forward), 1e-13);
    Gradcheck::default().check(cell, &xs, &state).assert_ok();
}

macro_rules! sizes {
    ($($cell:ident $(<$($size:literal),+>)+;)+) => {$($({
        let mut cell = $cell::<$($size),+, f64>::init(&mut rng(1));
        verify::<0, _>(&mut cell);
        verify::<1, _>(&mut cell);
        verify::<2, _>(&mut cell);
    })+)+};
}

#[test]
fn sequences_and_steps() {
    sizes! {
        Dense <0, 0> <0, 1> <0, 2> <1, 0> <2, 0> <1, 2> <2, 1>;
        Lstm <0, 0> <0, 2> <2, 0> <1, 2> <2, 1>;
        Gru <0, 2> <2, 0> <2, 1>;
        LayerNormLstm <2, 0>;
        S4d <2, 0> <0, 2>;
        Kernels <0, 0, 0> <2, 0, 2> <0, 2, 0> <1, 1, 1>;
        Mamba <0, 2, 1, 1> <2, 0, 2, 1> <1, 2, 0, 1> <2, 1, 1, 0>;
    }
}

#[test]
fn ragged_batches() {
    let (blind, empty) = (Lstm::<0, 2, f64>::init(&mut rng(1)), Lstm::<2, 0, f64>::init(&mut rng(1)));
    ragged_batches_are_their_samples(&blind, [3, 0], 5);
    ragged_batches_are_their_samples(&blind, [], 5);
    ragged_batches_are_their_samples(&empty, [3, 0], 5);
    ragged_batches_are_their_samples(&empty, [], 5);
}

#[test]
fn attention_over_an_empty_memory_returns_zeros() {
    let mut cell = DotAttention::<2, 0, f64>::init(&mut rng(1));
    let (x, context, mut state) = (random(&mut rng(2)), random(&mut rng(3)), random(&mut rng(4)));
    assert!(scalars(&cell.step::<1>((&x, &context), &mut state)).iter().all(|y| *y == 0.0));
    Gradcheck::default().check(&mut cell, (&[x], &context), &state).assert_ok();
}

macro_rules! quantised {
    ($($format:ident $cell:ident <$($size:literal),+> $batch:literal;)+) => {$({
        let mut cell = $cell::<$($size),+, f64>::init(&mut rng(1));
        round::<$format>(&mut cell).expect("finite weights");
        let copy = cell.quantised::<$format>().expect("finite weights");
        let (mut state, mut own) = (cell.initial_state::<$batch>(), copy.initial_state());
        for x in random_sequence(&mut rng(3), 2) {
            let (y, of_copy) = (cell.step(&x, &mut state), copy.step(&x, &mut own));
            assert_close("a step of a copy", &scalars(&of_copy), &scalars(&y), 1e-12);
        }
        assert_close("the state of a copy", &scalars(&own), &scalars(&state), 1e-12);
    })+};
}

#[test]
fn quantised_copies() {
    quantised! {
        Int8 Dense<0, 2> 1;
        Int8 Lstm<2, 0> 1;
        Bf16 Lstm<0, 2> 1;
        Bf16 Gru<2, 0> 2;
        Int8 Gru<2, 1> 0;
    }
}
