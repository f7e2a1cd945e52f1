//! Equations whose values or derivatives are infinite on padding. The gradients of a ragged batch
//! must stay correct.

use nalgebra::{Matrix2x3, SMatrix};
use rnn_cell::cells::RwkvTimeMixing;
use rnn_cell::prelude::*;
use rnn_cell::types::varying::Varying;
use tests::exactness::{
    all_scalars, assert_close, assert_same_bits, parameters, ragged_batch_is_its_samples, random,
    random_sequence, rng,
};
use tests::golden::scalars;

rnn_cell! {
    /// A cell that reads the logarithm of a time interval, which is infinite on padding.
    pub cell Elapsed<H> {
        input x: [H], dt: [];
        state h: [H];
        param v, b: [H];
        h = 0.5 * h[t-1] + v * ln(dt) + b * x;
        output h;
    }

    /// A cell that normalises its input to length 1, which is impossible for zeros.
    pub cell Direction<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I], U: [H, H];
        h = tanh(U @ h[t-1] + W @ (x / sqrt(sum(square(x)))));
        output h;
    }

    /// A layer without state whose output is a quotient of inputs.
    pub cell Quotient<N> {
        input n: [N], d: [N];
        param k: [N];
        y = k * n / d;
        output y;
    }

    /// A running sum: the cotangent of the old state is that of the product.
    pub cell Accumulator<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I];
        h = h[t-1] + W @ x;
        output h;
    }

    /// A cell that divides by its state, which is zero after the last step of each sample.
    pub cell Countdown<H> {
        input x: [H];
        state h: [H], n: [];
        param w: [H];
        n = n[t-1] - 1;
        h = 0.3 * h[t-1] + w * x / n[t-1];
        y = ln(n[t-1]) * h;
        output y, h;
    }

    /// A cell that normalises its context to length 1 and reads the previous input.
    pub cell Guided<I, H> {
        input   x: [I];
        context c: [H];
        param   W: [H, H + I], V: [H, I], g: [H];
        state   h: [H] = g * c / sqrt(sum(square(c)));
        state   p: [I];
        p = x;
        h = tanh(W @ [h[t-1], x] + V @ p[t-1] + g * c / sqrt(sum(square(c))));
        output h;
    }
}

/// Maps the scalars of an input or a state to values between 0.5 and 2.
fn positive<V: Varying<f64>>(mut value: V) -> V {
    value.scalars_mut(&mut |x| *x = 0.5 + 1.5 * (x.abs() / (1.0 + x.abs())));
    value
}

macro_rules! verify {
    ($cell:expr, $lengths:expr) => {{
        let mut rng = rng(5);
        let xs = random_sequence(&mut rng, 6).into_iter().map(positive).collect();
        ragged_batch_is_its_samples(&$cell, xs, &positive(random(&mut rng)), $lengths, 6);
    }};
}

#[test]
fn infinite_derivatives_on_padding() {
    let mut rng = rng(1);
    let elapsed = Elapsed::<3, f64>::init(&mut rng);
    verify!(elapsed, [4, 2]);
    verify!(elapsed, [5, 0, 2]);
    let direction = Direction::<2, 3, f64>::init(&mut rng);
    verify!(direction, [4, 2]);
    verify!(direction, [0, 5, 1]);
    verify!(Quotient::<3, f64>::init(&mut rng), [3, 0]);
    verify!(Quotient::<3, f64>::init(&mut rng), [0, 0]);
}

#[test]
fn cotangents_of_states_that_pass_through_padding() {
    let mut rng = rng(1);
    let accumulator = Accumulator::<2, 3, f64>::init(&mut rng);
    verify!(accumulator, [4, 2]);
    verify!(accumulator, [0, 5, 2]);
}

#[test]
fn final_states_that_allow_no_further_step() {
    let cell = Countdown::<2, f64>::init(&mut rng(1));
    let mut rng = rng(2);
    let lengths = [3, 5, 0];
    let mut state: CountdownState<2, 3, f64> = positive(random(&mut rng));
    state.n = SMatrix::from_columns(&lengths.map(|length| SMatrix::<f64, 1, 1>::new(length as f64)));
    let xs = random_sequence(&mut rng, 6);
    ragged_batch_is_its_samples(&cell, xs, &state, lengths, 3);
}

/// A sample of length 0 may have a context of zeros.
#[test]
fn contexts_of_empty_samples() {
    let cell = Guided::<2, 3, f64>::init(&mut rng(1));
    let mut rng = rng(2);
    let xs: Vec<Matrix2x3<f64>> = random_sequence(&mut rng, 5);
    let dys: Vec<SMatrix<f64, 3, 3>> = random_sequence(&mut rng, 5);
    let mut context: GuidedContext<3, 3, f64> = random(&mut rng);
    context.c.set_column(1, &SVector::zeros());
    let gradients = |context: &GuidedContext<3, 3, f64>| {
        let pass = Pass::of(&xs).context(context).lengths([4, 0, 2]);
        let (mut state, mut tape) = (cell.initial_state_with(context), cell.tape());
        cell.forward(pass, &mut state, &mut tape);
        let (mut grads, mut dstate) = (Guided::zeros(), cell.zero_state());
        let mut dcontext = GuidedContext::zero();
        let bars = Bars::of(&mut grads).state(&mut dstate).context(&mut dcontext);
        cell.backward(pass, &mut tape, &dys, bars);
        cell.initial_state_with_backward(context, &dstate, &mut grads, Some(&mut dcontext));
        (parameters(&grads), dcontext.c)
    };
    let (absent, bar) = gradients(&context);
    context.c.set_column(1, &SVector::repeat(1.0));
    let (present, _) = gradients(&context);
    assert_close("gradients beside an empty sample", &absent, &present, 1e-13);
    assert!(bar.column(1).iter().all(|&x| x == 0.0), "the cotangent of the empty sample's context: {bar}");
}

/// The outputs on padding do not depend on where a sequence is cut.
#[test]
fn cut_sequences_have_the_same_outputs() {
    let cell = RwkvTimeMixing::<3, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 3, 2>> = random_sequence(&mut rng(2), 6);
    let pass = Pass::of(&xs).lengths([6, 2]);
    let (mut state, mut tape) = (cell.initial_state(), cell.tape());
    let whole = all_scalars(cell.forward(pass, &mut state, &mut tape));
    let mut cut_state = cell.initial_state();
    let mut cut = Vec::new();
    for window in [0..3, 3..6] {
        cut.extend(all_scalars(cell.forward(pass.window(window), &mut cut_state, &mut tape)));
    }
    assert_same_bits("outputs", &cut, &whole);
    assert_same_bits("states", &scalars(&cut_state), &scalars(&state));
}

#[test]
#[should_panic(expected = "a forward pass of samples of the lengths [2, 1], but `lengths` is [2, 0]")]
fn lengths_that_differ_from_the_forward_pass() {
    let cell = Direction::<2, 3, f64>::init(&mut rng(1));
    let xs: Vec<SMatrix<f64, 2, 2>> = random_sequence(&mut rng(2), 2);
    let (mut state, mut tape) = (cell.zero_state(), cell.tape());
    cell.forward(Pass::of(&xs).lengths([2, 1]), &mut state, &mut tape);
    cell.backward(Pass::of(&xs).lengths([2, 0]), &mut tape, &[], &mut Direction::zeros());
}
