//! Exactness of passes: sequences, batches, ragged batches, windows of one step and of none, both
//! precisions.

#![allow(missing_docs)]

mod extremes;
mod jacobians;
mod layers;
mod networks;
mod padding;

use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Gru, Lstm, PeepholeLstm, ReluGru};
use rnn_cell::inspect::gradcheck::Gradcheck;
use rnn_cell::prelude::*;
use rnn_cell::types::varying::Varying;
use tests::exactness::{
    all_scalars, assert_close, assert_same_bits, forward_and_backward, parameters,
    ragged_batches_are_their_samples, random, random_sequence, rng, verify,
};
use tests::golden::{from_scalars, inner_product, scalars};

rnn_cell! {
    /// A cell with fields of every kind: matrix, row, vector and scalar states, matrix, vector and
    /// scalar inputs, several outputs.
    pub cell Mixed<I, H, E> {
        input  x: [I], X: [H, E], s: [];
        state  h: [H];
        state  P: [H, E];
        state  n: [];
        state  r: [1, E];
        param  W: [H, H + I];
        param  v: [E] = normal(0.5);
        param  k: [] = 0.5;

        g = sigmoid(W @ [h[t-1], x]);
        r = tanh(0.5 * s * r[t-1] + v.T);
        P = 0.5 * P[t-1] * g + tanh(X + h[t-1] @ r);
        n = 0.9 * n[t-1] + s * mean(P);
        h = tanh(P @ v + n * k + g);

        output h, P, n;
    }

    /// A cell with values that are used several times, and an equation that only an output reads.
    pub cell Reuse<H> {
        input  x: [H];
        state  h: [H];
        param  w: [H] = 0.7;
        param  U: [H, H];

        a = tanh(U @ h[t-1] + w * x);
        b = a * a + a * w + U @ a;
        h = a * b - b * h[t-1] * 0.2 + a;
        y = square(h) + U @ (h * a) + w;
        lonely = x * w;

        output h, y, lonely;
    }

    /// A layer without state.
    pub cell Feedforward<I, O> {
        input  x: [I];
        param  W: [O, I];
        param  b: [O] = 0.1;

        y = tanh(W @ x + b);

        output y;
    }

    /// An autonomous system, which has no input.
    pub cell Oscillator<H> {
        state  h: [H] = 0.5;
        param  W: [H, H];

        h = tanh(1.5 * W @ h[t-1]);

        output h;
    }

    /// A cell in which the cotangent of the previous state is also that of `u`, whose gradient is
    /// computed after the recurrence.
    pub cell SharedCarry<I, H> {
        input  x: [I];
        state  h: [H];
        param  W: [H, I];

        u = W @ x;
        h = tanh(u + h[t-1]);

        output h;
    }

    /// A cell with learned initial states: a parameter, and an expression of a parameter and the
    /// context.
    pub cell Learned<I, H> {
        input   x: [I];
        context m: [H];
        param   h_0: [H] = uniform(0.5);
        param   W_0: [H, H];
        state   h: [H] = h_0;
        state   s: [H] = tanh(W_0 @ m);
        param   W: [H, H + I];

        h = tanh(W @ [s[t-1], x] + m);
        s = 0.5 * s[t-1] + h * h[t-1];

        output h;
    }
}

/// Checks the general properties and the gradients at batch 1 and 4.
macro_rules! verify {
    ($cell:expr) => {{
        let mut cell = $cell;
        verify::<1, _>(&mut cell, 9, &[1, 4]);
        verify::<4, _>(&mut cell, 9, &[1, 4]);
    }};
}

#[test]
fn fields_of_every_kind() {
    verify!(Mixed::<2, 3, 2, f64>::init(&mut rng(1)));
}

#[test]
fn values_used_twice_and_unread_outputs() {
    verify!(Reuse::<4, f64>::init(&mut rng(1)));
}

#[test]
fn cells_without_a_state() {
    verify!(Feedforward::<3, 4, f64>::init(&mut rng(1)));
}

#[test]
fn cells_without_an_input() {
    let mut cell = Oscillator::<4, f64>::init(&mut rng(1));
    verify::<1, _>(&mut cell, 9, &[1, 4]);
    verify::<4, _>(&mut cell, 9, &[1, 4]);
    assert_eq!(cell.initial_state::<2>().h, SMatrix::<f64, 4, 2>::from_element(0.5));
}

#[test]
fn cells_of_the_library() {
    verify!(Lstm::<3, 5, f64>::init(&mut rng(1)));
    verify!(PeepholeLstm::<3, 5, f64>::init(&mut rng(1)));
    verify!(Gru::<3, 5, f64>::init(&mut rng(1)));
    verify!(ReluGru::<3, 5, f64>::init(&mut rng(1)));
}

#[test]
fn sizes_around_the_block_widths_of_the_kernels() {
    verify!(Lstm::<1, 1, f64>::init(&mut rng(1)));
    verify!(Lstm::<7, 8, f64>::init(&mut rng(1)));
    verify!(Lstm::<9, 15, f64>::init(&mut rng(1)));
    verify!(Lstm::<2, 17, f64>::init(&mut rng(1)));
    verify!(Gru::<3, 33, f64>::init(&mut rng(1)));
}

#[test]
fn ragged_batches() {
    let lstm = Lstm::<3, 5, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&lstm, [7, 3, 1, 0], 5);
    ragged_batches_are_their_samples(&lstm, [2, 2], 5);
    ragged_batches_are_their_samples(&lstm, [0, 0, 0], 5);
    let mixed = Mixed::<2, 3, 2, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&mixed, [5, 1, 0, 6], 5);
    let reuse = Reuse::<4, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&reuse, [4, 9, 2], 5);
    let shared = SharedCarry::<3, 4, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&shared, [5, 2, 0], 5);
    let dense = Feedforward::<3, 4, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&dense, [1, 4], 5);
}

#[test]
fn ragged_gradients_agree_with_differences() {
    let mut cell = Mixed::<2, 3, 2, f64>::init(&mut rng(1));
    let mut rng = rng(4);
    let xs: Vec<MixedInput<2, 3, 2, 3, f64>> = random_sequence(&mut rng, 6);
    let state: MixedState<3, 2, 3, f64> = random(&mut rng);
    Gradcheck::default().check(&mut cell, Pass::of(&xs).lengths([6, 2, 0]), &state).assert_ok();
}

#[test]
fn samples_do_not_see_each_other() {
    let cell = Lstm::<3, 5, f64>::init(&mut rng(1));
    let mut rng = rng(2);
    let mut xs: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng, 5);
    let run = |xs: &[SMatrix<f64, 3, 4>]| {
        let mut tape = cell.tape();
        let mut state = cell.zero_state();
        let ys = cell.forward(xs, &mut state, &mut tape);
        ys.iter().map(|y| y.column(1).into_owned()).collect::<Vec<SVector<f64, 5>>>()
    };
    let before = run(&xs);
    for x in &mut xs {
        x.column_mut(0).fill(f64::NAN);
        x.column_mut(3).fill(1e300);
    }
    assert_same_bits("a sample beside others", &all_scalars(&run(&xs)), &all_scalars(&before));
}

#[test]
fn run_is_forward_without_residuals() {
    let cell = Lstm::<3, 5, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 3, 2>> = random_sequence(&mut rng(2), 8);
    let (mut state, mut tape) = (cell.zero_state(), cell.tape());
    let ys = all_scalars(cell.forward(&xs, &mut state, &mut tape));
    let mut other = cell.zero_state();
    let run = all_scalars(&cell.run(&xs, &mut other));
    assert_close("outputs of run", &run, &ys, 1e-13);
    assert_close("state of run", &scalars(&other), &scalars(&state), 1e-13);
}

#[test]
fn learned_initial_states() {
    let mut cell = Learned::<2, 3, f64>::init(&mut rng(1));
    let context: LearnedContext<3, 2, f64> = random(&mut rng(2));
    let xs: Vec<SMatrix<f64, 2, 2>> = random_sequence(&mut rng(3), 5);
    let state = cell.initial_state_with(&context);
    assert_eq!(state.h.column(1), cell.h_0);
    assert_close("initial s", &scalars(&state.s), &scalars(&(cell.W_0 * context.m).map(f64::tanh)), 1e-14);
    Gradcheck::default().check(&mut cell, (&xs, &context), &state).assert_ok();
}

/// Compares the gradients of the initial state with central differences, entry by entry: with
/// respect to the learned state, the parameters of its expression, and the context.
#[test]
fn initial_states_are_pulled_back() {
    let cell = Learned::<2, 3, f64>::init(&mut rng(1));
    let context: LearnedContext<3, 2, f64> = random(&mut rng(2));
    let dstate: LearnedState<3, 2, f64> = random(&mut rng(3));
    let loss = |cell: &Learned<2, 3, f64>, context: &LearnedContext<3, 2, f64>| {
        inner_product(&scalars(&cell.initial_state_with(context)), &scalars(&dstate))
    };
    let mut gradients = Learned::zeros();
    let mut dcontext: LearnedContext<3, 2, f64> = Varying::zero();
    cell.initial_state_with_backward(&context, &dstate, &mut gradients, Some(&mut dcontext));

    let central = |loss: &dyn Fn(f64) -> f64| {
        let h = 1e-3;
        (8.0 * (loss(h) - loss(-h)) - (loss(2.0 * h) - loss(-2.0 * h))) / (12.0 * h)
    };
    let count = parameters(&cell).len();
    let by_differences: Vec<f64> = (0..count)
        .map(|entry| {
            central(&|step| {
                let mut moved = cell.clone();
                let mut index = 0;
                moved.visit_mut(&mut |parameter| {
                    for value in parameter.values {
                        *value += if index == entry { step } else { 0.0 };
                        index += 1;
                    }
                });
                loss(&moved, &context)
            })
        })
        .collect();
    assert_close("gradients of the initial state", &parameters(&gradients), &by_differences, 1e-10);
    assert!(
        parameters(&gradients).iter().filter(|&&g| g != 0.0).count() == 3 + 9,
        "only `h_0` and `W_0` have gradients"
    );

    let by_differences: Vec<f64> = (0..scalars(&context).len())
        .map(|entry| {
            central(&|step| {
                let mut moved = scalars(&context);
                moved[entry] += step;
                loss(&cell, &from_scalars(&moved))
            })
        })
        .collect();
    assert_close("cotangent of the context", &scalars(&dcontext), &by_differences, 1e-10);

    // It adds to the gradients, like `backward`.
    let once = parameters(&gradients);
    cell.initial_state_with_backward(&context, &dstate, &mut gradients, None);
    let twice: Vec<f64> = once.iter().map(|g| 2.0 * g).collect();
    assert_close("gradients of two passes", &parameters(&gradients), &twice, 1e-15);
}

/// Checks that `f32` agrees with `f64` to single precision, for parameters from the same seed.
#[test]
fn single_precision_agrees_with_double() {
    let double = Lstm::<4, 12, f64>::init(&mut rng(1));
    let single = Lstm::<4, 12>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 4, 3>> = random_sequence(&mut rng(2), 20);
    let dys: Vec<SMatrix<f64, 12, 3>> = random_sequence(&mut rng(3), 20);
    let zero = double.zero_state::<3>();
    let want = forward_and_backward(&double, Pass::of(&xs), &zero, (&dys, &zero), &mut double.tape());
    let narrow = |values: &[SMatrix<f64, 4, 3>]| values.iter().map(|x| x.cast::<f32>()).collect::<Vec<_>>();
    let xs = narrow(&xs);
    let dys: Vec<SMatrix<f32, 12, 3>> = dys.iter().map(|dy| dy.cast()).collect();
    let (mut state, mut tape) = (single.zero_state(), single.tape());
    let ys: Vec<f64> = single
        .forward(&xs, &mut state, &mut tape)
        .iter()
        .flat_map(|y| y.iter().map(|&y| f64::from(y)).collect::<Vec<_>>())
        .collect();
    assert_close("outputs in f32", &ys, &want.outputs, 2e-6);
    let mut gradients = Lstm::<4, 12>::zeros();
    let mut dxs = vec![SMatrix::zeros(); 20];
    single.backward(&xs, &mut tape, &dys, Bars::of(&mut gradients).inputs(&mut dxs));
    let mut narrow = Vec::new();
    gradients.visit(&mut |parameter| narrow.extend(parameter.values.iter().map(|&g| f64::from(g))));
    assert_close("gradients in f32", &narrow, &want.gradients, 1e-5);
}

#[test]
fn large_cells_need_only_a_small_stack() {
    let worker = std::thread::Builder::new().stack_size(1 << 20).spawn(|| {
        let cell = Lstm::<64, 256, f64>::init_boxed(&mut rng(1));
        let xs: Vec<SMatrix<f64, 64, 1>> = random_sequence(&mut rng(2), 2);
        let (mut state, mut tape) = (cell.zero_state(), cell.tape());
        let dys: Vec<_> = cell.forward(&xs, &mut state, &mut tape).to_vec();
        let mut gradients = Lstm::<64, 256, f64>::zeros_boxed();
        cell.backward(&xs, &mut tape, &dys, &mut gradients);
        parameters(&*gradients).iter().any(|&g| g != 0.0)
    });
    assert!(worker.expect("a thread").join().expect("no overflow"));
}

#[test]
fn one_sample_of_a_batch_can_be_read_and_replaced() {
    let cell = Lstm::<3, 5, f64>::init(&mut rng(1));
    let mut batch: <Lstm<3, 5, f64> as Layer<4>>::State = random(&mut rng(2));
    let before = batch.clone();
    let one = batch.sample(2);
    assert_eq!((one.h.column(0), one.c.column(0)), (before.h.column(2), before.c.column(2)));
    let zero = cell.zero_state();
    batch.set_sample(2, &zero);
    assert!(batch.h.column(2).amax() == 0.0 && batch.c.column(2).amax() == 0.0);
    assert_eq!(batch.h.column(1), before.h.column(1));
    let _: <Lstm<3, 5, f64> as Layer<4>>::State = from_scalars(&scalars(&before));
}
