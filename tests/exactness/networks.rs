//! Networks have the properties of cells: stepping and running agree, a batch computes the same as
//! its samples, also in both directions.

use super::*;
use rnn_cell::cells::Dense;
use rnn_cell::inspect::gradcheck::Checked;
use rnn_cell::train::bptt::Checkpointed;

type Deep = Stack<Stack<Lstm<3, 5, f64>, Residual<Zoneout<Lstm<5, 5, f64>>>>, Dropout<Dense<5, 2, f64>>>;

fn deep() -> Deep {
    let residual = Residual::new(Zoneout::new(Lstm::init(&mut rng(2))).field("h", 0.2).field("c", 0.3));
    Stack(Stack(Lstm::init(&mut rng(1)), residual), Dropout::new(Dense::init(&mut rng(3)), 0.5))
}

#[test]
fn networks() {
    let mut net = deep();
    verify::<1, _>(&mut net, 9, &[1, 4]);
    verify::<4, _>(&mut net, 9, &[1, 4]);
    ragged_batches_are_their_samples(&net, [7, 3, 1, 0], 5);
}

/// With noise in the state, stepping and running still agree, and a sequence can still be cut.
#[test]
fn networks_with_noise() {
    let net = deep();
    let mut state = random::<<Deep as Layer<4>>::State>(&mut rng(4));
    net.seed_noise(&mut state, &mut rng(5));
    let mut rng = rng(6);
    let xs: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng, 6);
    let dys: Vec<SMatrix<f64, 2, 4>> = random_sequence(&mut rng, 6);
    let dfinal: <Deep as Layer<4>>::State = random(&mut rng);
    let run = |xs: &[_], state: &<Deep as Layer<4>>::State, dys: &[_], dfinal: &<Deep as Layer<4>>::State| {
        let (mut state, mut tape) = (state.clone(), net.tape());
        let ys = all_scalars(net.forward(xs, &mut state, &mut tape));
        let (mut dstate, mut gradients) = (dfinal.clone(), net.zero_gradients());
        net.backward(xs, &mut tape, dys, Bars::of(&mut gradients).state(&mut dstate));
        (ys, state, dstate, parameters(&*gradients))
    };
    let whole = run(&xs, &state, &dys, &dfinal);
    let again = run(&xs, &state, &dys, &dfinal);
    assert_same_bits("gradients of two runs", &again.3, &whole.3);
    let mut stepped = state.clone();
    let steps: Vec<SMatrix<f64, 2, 4>> = xs.iter().map(|x| net.step(x, &mut stepped)).collect();
    assert_close("outputs by steps", &all_scalars(&steps), &whole.0, 1e-13);

    let (first, middle, ..) = run(&xs[..2], &state, &[], &dfinal);
    let (second, last, dmiddle, after) = run(&xs[2..], &middle, &dys[2..], &dfinal);
    assert_close("outputs in two parts", &[first, second].concat(), &whole.0, 1e-13);
    assert!(last == whole.1, "state and generators in two parts");
    let (.., dstate, before) = run(&xs[..2], &state, &dys[..2], &dmiddle);
    let sum: Vec<f64> = before.iter().zip(&after).map(|(a, b)| a + b).collect();
    assert_close("gradients in two parts", &sum, &whole.3, 1e-12);
    assert_close("cotangent of the initial state", &scalars(&dstate), &scalars(&whole.2), 1e-12);
}

#[test]
fn both_directions() {
    let first =
        Bidirectional::new(Lstm::<3, 5, f64>::init(&mut rng(1)), Lstm::<3, 5, f64>::init(&mut rng(2)));
    let net = Stack(first.joined(Concat::<10>), Dense::<10, 2, f64>::init(&mut rng(3)));
    ragged_batches_are_their_samples(&net, [7, 3, 1, 0], 5);
    ragged_batches_are_their_samples(&net, [0, 0, 0, 0], 5);
    let mut tape = net.tape::<4>();
    let longer: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng(4), 9);
    let mut state = net.initial_state();
    net.forward(&longer, &mut state, &mut tape);
    let outputs = |tape: &mut _| {
        let mut state = net.initial_state();
        all_scalars(net.forward(Pass::of(&longer[..4]).lengths([4, 2, 0, 3]), &mut state, tape))
    };
    assert_same_bits("outputs on a used tape", &outputs(&mut tape), &outputs(&mut net.tape()));

    // Structs of several inputs, with matrices and scalars among them, are reversed too.
    let mixed = Mixed::<2, 3, 2, f64>::init(&mut rng(1));
    ragged_batches_are_their_samples(&Bidirectional::new(mixed.clone(), mixed), [5, 1, 0, 6], 5);
}

/// The padding of inputs and cotangents has no effect.
#[test]
fn padding_may_hold_anything() {
    let both = Bidirectional::new(Lstm::<3, 5, f64>::init(&mut rng(1)), Lstm::<3, 5, f64>::init(&mut rng(2)));
    let top = Residual::new(Zoneout::new(Lstm::<10, 10, f64>::init(&mut rng(3))).field("h", 0.5));
    let readout = Dropout::new(Dense::<10, 2, f64>::init(&mut rng(6)), 0.5);
    let net = Stack(Dropout::new(both.joined(Concat::<10>), 0.5), Stack(top, readout));
    let lengths = [6, 2, 0, 4];
    let (mut rng, mut seeds) = (rng(4), rng(5));
    let mut start = net.initial_state::<4>();
    net.seed_noise(&mut start, &mut seeds);
    let xs: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng, 6);
    let dys: Vec<SMatrix<f64, 2, 4>> = random_sequence(&mut rng, 6);
    let run = |padding: f64| {
        let (mut xs, mut dys) = (xs.clone(), dys.clone());
        for (t, sample) in (0..6).flat_map(|t| (0..4).map(move |sample| (t, sample))) {
            if t >= lengths[sample] {
                xs[t].column_mut(sample).fill(padding);
                dys[t].column_mut(sample).fill(padding);
            }
        }
        let (mut state, mut tape) = (start.clone(), net.tape());
        let pass = Pass::of(&xs).lengths(lengths);
        net.forward(pass, &mut state, &mut tape);
        let (mut dstate, mut gradients) = (net.zero_state(), net.zero_gradients());
        let mut dxs = xs.clone();
        let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
        net.backward(pass, &mut tape, &dys, bars);
        [scalars(&state), scalars(&dstate), parameters(&*gradients), all_scalars(&dxs)].concat()
    };
    let zeros = run(0.0);
    assert!(zeros.iter().all(|x| x.is_finite()) && zeros.iter().any(|&x| x != 0.0));
    assert_same_bits("everything but the outputs", &run(f64::NAN), &zeros);
    assert_same_bits("everything but the outputs", &run(1e300), &zeros);
}

#[test]
fn learned_initial_states_of_a_network() {
    let cell = Learned::<2, 3, f64>::init(&mut rng(1));
    let context: LearnedContext<3, 4, f64> = random(&mut rng(2));
    let net = Stack(cell.with(&context), Lstm::<3, 5, f64>::init(&mut rng(3)));
    let state = net.initial_state::<4>();
    assert_eq!(state.0, cell.initial_state_with(&context));
    let mut dstate = net.zero_state();
    dstate.scalars_mut(&mut |x: &mut f64| *x = 0.5);
    let mut gradients = net.zero_gradients();
    net.initial_state_backward(&dstate, &mut gradients);
    let mut alone = Learned::zeros();
    let mut dcontext = LearnedContext::zero();
    cell.initial_state_with_backward(&context, &dstate.0, &mut alone, Some(&mut dcontext));
    assert!(parameters(&alone).iter().any(|&g| g != 0.0));
    assert_same_bits("gradients of the first layer", &parameters(&gradients.0), &parameters(&alone));
    assert!(scalars(&dcontext).iter().any(|&x| x != 0.0));
    assert_same_bits("cotangent of the context", &scalars(&*gradients.0.context), &scalars(&dcontext));
    assert!(parameters(&gradients.1).iter().all(|&g| g == 0.0));
}

/// A cell with a bound context computes the same as the cell. Its gradients hold the cotangent of
/// the context.
#[test]
fn bound_contexts() {
    let cell = Learned::<2, 3, f64>::init(&mut rng(1));
    let mut rng = rng(2);
    let context: LearnedContext<3, 2, f64> = random(&mut rng);
    let xs: Vec<SMatrix<f64, 2, 2>> = random_sequence(&mut rng, 5);
    let start: LearnedState<3, 2, f64> = random(&mut rng);
    let dfinal: LearnedState<3, 2, f64> = random(&mut rng);
    let pass = Pass::of(&xs).lengths([5, 3]);
    let mut tape = cell.tape::<2>();
    let dys = random_sequence(&mut rng, xs.len());
    let free = pass.context(&context);
    let want = forward_and_backward(&cell, free, &start, (&dys, &dfinal), &mut tape);

    let bound = cell.with(&context);
    let (mut state, mut dstate, mut dxs) = (start.clone(), dfinal, xs.clone());
    let mut gradients = bound.zero_gradients();
    let outputs = all_scalars(bound.forward(pass, &mut state, &mut tape));
    let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
    bound.backward(pass, &mut tape, &dys, bars);
    assert_same_bits("outputs", &outputs, &want.outputs);
    assert_same_bits("final state", &scalars(&state), &want.state);
    assert_same_bits("cotangent of the initial state", &scalars(&dstate), &want.dstate);
    assert_same_bits("gradients", &parameters(&*gradients), &want.gradients);
    assert_same_bits("cotangents of the inputs", &all_scalars(&dxs), &want.dxs);
    assert_same_bits("cotangent of the context", &scalars(&*gradients.context), &want.dcontext);
    assert!(want.dcontext.iter().any(|&x| x != 0.0));

    let (mut one, mut other) = (start.clone(), start.clone());
    for x in &xs {
        let y = cell.step((x, &context), &mut one);
        assert_same_bits("output of step", &scalars(&bound.step(x, &mut other)), &scalars(&y));
    }
    assert_same_bits("state after the steps", &scalars(&other), &scalars(&one));
    let (mut one, mut other) = (start.clone(), start);
    let ys = all_scalars(&cell.run(free, &mut one));
    assert_same_bits("outputs of run", &all_scalars(&bound.run(pass, &mut other)), &ys);
    assert_same_bits("state of run", &scalars(&other), &scalars(&one));
}

/// Checks that a pass with checkpoints gives the same bits as a plain pass. Only the gradients of
/// parameters with several uses may differ, since they are summed in another order.
fn checkpoints_change_nothing<const B: usize, L>(cell: &L, has_several_uses: bool)
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let (mut rng, steps) = (rng(7), 200);
    let xs: Vec<L::Input> = random_sequence(&mut rng, steps);
    let dys: Vec<L::Output> = random_sequence(&mut rng, steps);
    let dfinal: L::State = random(&mut rng);
    let mut start: L::State = random(&mut rng);
    cell.seed_noise(&mut start, &mut rng);
    let ends = std::array::from_fn(|sample| steps.saturating_sub(40 * sample));
    for lengths in [None, Some(ends)] {
        let pass = Pass::of(&xs).lengths(lengths);
        let (mut state, mut tape) = (start.clone(), cell.tape());
        cell.forward(pass, &mut state, &mut tape);
        let (mut dstate, mut gradients) = (dfinal.clone(), cell.zero_gradients());
        let mut dxs: Vec<L::InputBar> = random_sequence(&mut rng, steps);
        let bars = Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs);
        cell.backward(pass, &mut tape, &dys, bars);

        let mut checkpointed = Checkpointed::new().keep(1);
        let mut last = start.clone();
        checkpointed.forward(cell, pass, &mut last);
        assert!(3 * checkpointed.segment() <= steps, "the sequence has too few segments");
        let (mut initial, mut sum) = (dfinal.clone(), cell.zero_gradients());
        let mut own_dxs: Vec<L::InputBar> = random_sequence(&mut rng, steps);
        let loss = |steps, _: &[L::Output], own: &mut [L::Output]| own.clone_from_slice(&dys[steps]);
        let bars = Bars::of(&mut sum).state(&mut initial).inputs(&mut own_dxs);
        checkpointed.backward(cell, pass, loss, bars);
        assert_same_bits("final state", &scalars(&last), &scalars(&state));
        if has_several_uses {
            assert_close("gradients", &parameters(&*sum), &parameters(&*gradients), 1e-14);
        } else {
            assert_same_bits("gradients", &parameters(&*sum), &parameters(&*gradients));
        }
        assert_same_bits("cotangent of the initial state", &scalars(&initial), &scalars(&dstate));
        assert_same_bits("cotangents of the inputs", &all_scalars(&own_dxs), &all_scalars(&dxs));
    }
}

#[test]
fn checkpoints() {
    checkpoints_change_nothing::<4, _>(&deep(), false);
    checkpoints_change_nothing::<4, _>(&Mixed::<2, 3, 2, f64>::init(&mut rng(1)), true);
    checkpoints_change_nothing::<4, _>(&Reuse::<4, f64>::init(&mut rng(1)), true);
}
