//! The properties that every cell must have, whatever its equations say: a sequence is its steps, a result
//! depends on nothing but its arguments, a batch is its samples, and a sample's end is its end.

use crate::golden::{from_scalars, scalars};
use rnn_cell::cell::{Cell, Layer, Model};
use rnn_cell::rng::{Rng, SeedableRng, Xoshiro256PlusPlus, normal};
use rnn_cell::types::varying::Varying;

/// A generator of random numbers that starts from `seed`.
pub fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// A value of normally distributed scalars.
pub fn random<V: Varying<f64>>(rng: &mut impl Rng) -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |x| *x = normal(rng));
    value
}

/// A sequence of normally distributed scalars.
pub fn random_sequence<V: Varying<f64>>(rng: &mut impl Rng, steps: usize) -> Vec<V> {
    (0..steps).map(|_| random(rng)).collect()
}

/// A copy, by way of the scalars.
pub fn copy<V: Varying<f64>>(value: &V) -> V {
    from_scalars(&scalars(value))
}

/// The scalars of all entries.
pub fn all_scalars<'v, V: Varying<f64> + 'v>(values: impl IntoIterator<Item = &'v V>) -> Vec<f64> {
    values.into_iter().flat_map(scalars).collect()
}

/// The entries of all parameters.
pub fn parameters(model: &impl Model<Scalar = f64>) -> Vec<f64> {
    let mut entries = Vec::new();
    model.visit(&mut |parameter| entries.extend_from_slice(parameter.values));
    entries
}

/// Asserts that two arrays agree to `tolerance` of the second's largest entry (or of 1, if that is larger).
#[track_caller]
pub fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: the sizes differ");
    let largest = want.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got - want).abs() / largest;
        assert!(error <= tolerance, "{what}: entry {k} is {got}, not {want} (error {error:.1e})");
    }
}

/// Asserts that two arrays are the same to the last bit.
#[track_caller]
pub fn assert_same_bits(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: the sizes differ");
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(got.to_bits() == want.to_bits(), "{what}: entry {k} is {got:?}, not {want:?}");
    }
}

/// All that a forward and a backward pass of one sequence give.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// The outputs, step by step.
    pub outputs: Vec<f64>,
    /// The final state.
    pub state: Vec<f64>,
    /// The cotangent of the initial state.
    pub dstate: Vec<f64>,
    /// The gradients of the parameters.
    pub gradients: Vec<f64>,
    /// The cotangents of the inputs, step by step.
    pub dxs: Vec<f64>,
}

/// Runs forward and backward from `state` with the cotangents `dys` (empty: zero) and `dfinal`.
pub fn pass<const B: usize, L>(
    cell: &L,
    xs: &[L::Input],
    lengths: Option<&[usize; B]>,
    state: &L::State,
    (dys, dfinal): (&[L::Output], &L::State),
    tape: &mut L::Tape,
) -> Pass
where
    L: Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    let mut state = copy(state);
    cell.forward(Pass::of(xs).lengths(lengths.copied()), &mut state, tape);
    let outputs = all_scalars(cell.outputs(tape));
    let mut dstate = copy(dfinal);
    let mut gradients = cell.zero_gradients();
    // Backward overwrites the cotangents of the inputs, whatever stood there.
    let mut dxs: Vec<L::InputBar> = xs
        .iter()
        .map(|_| {
            let mut dx = L::InputBar::zero();
            dx.scalars_mut(&mut |x| *x = f64::NAN);
            dx
        })
        .collect();
    cell.backward(Pass::of(xs).lengths(lengths.copied()), tape, dys, Bars::of(&mut gradients).state(&mut dstate).inputs(&mut dxs));
    Pass {
        outputs,
        state: scalars(&state),
        dstate: scalars(&dstate),
        gradients: parameters(&*gradients),
        dxs: all_scalars(&dxs),
    }
}

/// Checks all properties that need nothing but the cell and a sequence.
pub fn check<const B: usize, L>(cell: &L, xs: &[L::Input], state: &L::State, seed: u64)
where
    L: Cell<B> + Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    steps_are_the_sequence(cell, xs, state);
    earlier_calls_leave_no_trace(cell, xs, state, seed);
    empty_sequences_do_nothing(cell, state, seed);
    sequences_can_be_cut(cell, xs, state, seed);
    missing_cotangents_are_zero(cell, xs, state, seed);
    gradients_add_up(cell, xs, state, seed);
}

/// `step` repeated gives the outputs and the final state of `forward`, up to rounding.
pub fn steps_are_the_sequence<const B: usize, L>(cell: &L, xs: &[L::Input], state: &L::State)
where
    L: Cell<B> + Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>>,
{
    let mut stepped = copy(state);
    let steps: Vec<L::Output> = xs.iter().map(|x| cell.step(x, &mut stepped)).collect();
    let mut forwarded = copy(state);
    let mut tape = cell.tape();
    cell.forward(xs, &mut forwarded, &mut tape);
    assert_eq!(cell.outputs(&tape).len(), xs.len(), "an output a step");
    assert_close("outputs of forward", &all_scalars(cell.outputs(&tape)), &all_scalars(&steps), 1e-13);
    assert_close("final state of forward", &scalars(&forwarded), &scalars(&stepped), 1e-13);
}

/// A pass is the same to the last bit on a new tape and on one that was used for longer and shorter
/// sequences.
pub fn earlier_calls_leave_no_trace<const B: usize, L>(cell: &L, xs: &[L::Input], state: &L::State, seed: u64)
where
    L: Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    let mut rng = rng(seed);
    let dfinal: L::State = random(&mut rng);
    let dys: Vec<L::Output> = random_sequence(&mut rng, xs.len());
    let other: L::State = random(&mut rng);
    let middle = xs.len() / 2;
    let fresh = pass(cell, &xs[..middle], None, state, (&dys[..middle], &dfinal), &mut cell.tape());
    let mut tape = cell.tape();
    for before in [xs.len(), 1, middle, 0] {
        pass(cell, &xs[..before], None, &other, (&dys[..before], &dfinal), &mut tape);
        let again = pass(cell, &xs[..middle], None, state, (&dys[..middle], &dfinal), &mut tape);
        let what = |part: &str| format!("{part} after a sequence of {before} steps");
        assert_same_bits(&what("outputs"), &again.outputs, &fresh.outputs);
        assert_same_bits(&what("final state"), &again.state, &fresh.state);
        assert_same_bits(&what("gradients"), &again.gradients, &fresh.gradients);
        assert_same_bits(&what("cotangents of the inputs"), &again.dxs, &fresh.dxs);
        assert_same_bits(&what("cotangent of the initial state"), &again.dstate, &fresh.dstate);
    }
}

/// No steps: the state and its cotangent pass through, and there are no gradients.
pub fn empty_sequences_do_nothing<const B: usize, L>(cell: &L, state: &L::State, seed: u64)
where
    L: Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    let dfinal: L::State = random(&mut rng(seed));
    let pass = pass(cell, &[], None, state, (&[], &dfinal), &mut cell.tape());
    assert!(pass.outputs.is_empty() && pass.dxs.is_empty());
    assert_same_bits("state after no step", &pass.state, &scalars(state));
    assert_same_bits("its cotangent", &pass.dstate, &scalars(&dfinal));
    assert!(pass.gradients.iter().all(|&x| x == 0.0), "gradients of no step: {:?}", pass.gradients);
}

/// A sequence in two parts, the state handed on and its cotangent handed back, is the sequence. Parts of one
/// step are among them.
pub fn sequences_can_be_cut<const B: usize, L>(cell: &L, xs: &[L::Input], state: &L::State, seed: u64)
where
    L: Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    let mut rng = rng(seed);
    let dfinal: L::State = random(&mut rng);
    let dys: Vec<L::Output> = random_sequence(&mut rng, xs.len());
    let whole = pass(cell, xs, None, state, (&dys, &dfinal), &mut cell.tape());
    for cut in [1, xs.len() - 1] {
        let mut middle = copy(state);
        cell.forward(&xs[..cut], &mut middle, &mut cell.tape());
        let second = pass(cell, &xs[cut..], None, &middle, (&dys[cut..], &dfinal), &mut cell.tape());
        let dmiddle = from_scalars(&second.dstate);
        let first = pass(cell, &xs[..cut], None, state, (&dys[..cut], &dmiddle), &mut cell.tape());
        let join = |a: &[f64], b: &[f64]| [a, b].concat();
        let sum: Vec<f64> = first.gradients.iter().zip(&second.gradients).map(|(a, b)| a + b).collect();
        assert_close("outputs in two parts", &join(&first.outputs, &second.outputs), &whole.outputs, 1e-13);
        assert_close("final state in two parts", &second.state, &whole.state, 1e-13);
        assert_close(
            "cotangents of the inputs in two parts",
            &join(&first.dxs, &second.dxs),
            &whole.dxs,
            1e-12,
        );
        assert_close("cotangent of the initial state in two parts", &first.dstate, &whole.dstate, 1e-12);
        assert_close("gradients in two parts", &sum, &whole.gradients, 1e-12);
    }
}

/// Empty `dys` are zeros.
pub fn missing_cotangents_are_zero<const B: usize, L>(cell: &L, xs: &[L::Input], state: &L::State, seed: u64)
where
    L: Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    let dfinal: L::State = random(&mut rng(seed));
    let zeros: Vec<L::Output> = xs.iter().map(|_| L::Output::zero()).collect();
    let with = pass(cell, xs, None, state, (&zeros, &dfinal), &mut cell.tape());
    let without = pass(cell, xs, None, state, (&[], &dfinal), &mut cell.tape());
    assert_close("gradients without cotangents of the outputs", &without.gradients, &with.gradients, 1e-13);
    assert_close("cotangents of the inputs", &without.dxs, &with.dxs, 1e-13);
    assert_close("cotangent of the initial state", &without.dstate, &with.dstate, 1e-13);
}

/// Backward adds into the gradients, and asking for no cotangents of the inputs changes nothing else.
pub fn gradients_add_up<const B: usize, L>(cell: &L, xs: &[L::Input], state: &L::State, seed: u64)
where
    L: Layer<B, Scalar = f64, State: Varying<f64>, Output: Varying<f64>, InputBar: Varying<f64>>,
{
    let mut rng = rng(seed);
    let dfinal: L::State = random(&mut rng);
    let dys: Vec<L::Output> = random_sequence(&mut rng, xs.len());
    let once = pass(cell, xs, None, state, (&dys, &dfinal), &mut cell.tape());
    let mut gradients = cell.zero_gradients();
    let mut tape = cell.tape();
    for _ in 0..2 {
        cell.forward(xs, &mut copy(state), &mut tape);
        let mut dstate = copy(&dfinal);
        cell.backward(xs, &mut tape, &dys, Bars::of(&mut gradients).state(&mut dstate));
        assert_close("cotangent of the initial state without dxs", &scalars(&dstate), &once.dstate, 1e-13);
    }
    let twice: Vec<f64> = once.gradients.iter().map(|x| 2.0 * x).collect();
    assert_close("gradients of two passes", &parameters(&*gradients), &twice, 1e-13);
}

/// One sample of a batch of `B`, as a value of batch 1.
fn sample<const B: usize, V: Varying<f64>, W: Varying<f64>>(batch: &V, b: usize) -> W {
    from_scalars(&scalars_of_sample::<B, V>(&scalars(batch), b))
}

/// Checks a ragged batch of random inputs and states: see [`ragged_batch_is_its_samples`].
pub fn ragged_batches_are_their_samples<const B: usize, L>(cell: &L, lengths: [usize; B], seed: u64)
where
    L: Layer<B, Scalar = f64, Input: Varying<f64>, InputBar: Varying<f64>>,
    L: Layer<B, State: Varying<f64>, Output: Varying<f64>>,
    L: Layer<1, Input: Varying<f64>, InputBar: Varying<f64>, State: Varying<f64>, Output: Varying<f64>>,
{
    let mut rng = rng(seed);
    let steps = lengths.iter().copied().max().unwrap_or(0) + 1;
    let xs: Vec<<L as Layer<B>>::Input> = random_sequence(&mut rng, steps);
    let state: <L as Layer<B>>::State = random(&mut rng);
    ragged_batch_is_its_samples(cell, xs, &state, lengths, seed);
}

/// A ragged batch is its samples, each run alone for its length: outputs, states and all cotangents. Past a
/// sample's end its outputs are zero, its inputs have no cotangent and the cotangents of its outputs have no
/// effect, whatever the padding holds.
pub fn ragged_batch_is_its_samples<const B: usize, L>(
    cell: &L,
    mut xs: Vec<<L as Layer<B>>::Input>,
    state: &<L as Layer<B>>::State,
    lengths: [usize; B],
    seed: u64,
) where
    L: Layer<B, Scalar = f64, Input: Varying<f64>, InputBar: Varying<f64>>,
    L: Layer<B, State: Varying<f64>, Output: Varying<f64>>,
    L: Layer<1, Input: Varying<f64>, InputBar: Varying<f64>, State: Varying<f64>, Output: Varying<f64>>,
{
    let mut rng = rng(seed + 1);
    let steps = xs.len();
    let dys: Vec<<L as Layer<B>>::Output> = random_sequence(&mut rng, steps);
    let dfinal: <L as Layer<B>>::State = random(&mut rng);
    let mut tape = cell.tape::<B>();
    for padding in [0.0, 1.0, f64::NAN] {
        for (b, &length) in lengths.iter().enumerate() {
            for x in &mut xs[length..] {
                x.sample_mut(b, B, &mut |x| *x = padding);
            }
        }
        let batch = pass::<B, L>(cell, &xs, Some(&lengths), state, (&dys, &dfinal), &mut tape);
        let mut sum = vec![0.0; batch.gradients.len()];
        for (b, &length) in lengths.iter().enumerate() {
            let what = |part: &str| format!("{part} of sample {b}, padded with {padding}");
            let one = |scalars: &[f64], t: usize| -> Vec<f64> {
                scalars_of_sample::<B, <L as Layer<B>>::Output>(step((scalars, t), steps), b)
            };
            let one_bar = |scalars: &[f64], t: usize| -> Vec<f64> {
                scalars_of_sample::<B, <L as Layer<B>>::InputBar>(step((scalars, t), steps), b)
            };
            let one_state = |scalars: &[f64]| scalars_of_sample::<B, <L as Layer<B>>::State>(scalars, b);
            let xs: Vec<<L as Layer<1>>::Input> =
                xs[..length].iter().map(|x| sample::<B, _, _>(x, b)).collect();
            let dys: Vec<<L as Layer<1>>::Output> =
                dys[..length].iter().map(|dy| sample::<B, _, _>(dy, b)).collect();
            let (state, dfinal) = (sample::<B, _, _>(state, b), sample::<B, _, _>(&dfinal, b));
            let mut tape = cell.tape::<1>();
            let alone = pass::<1, L>(cell, &xs, None, &state, (&dys, &dfinal), &mut tape);

            let outputs: Vec<f64> = (0..length).flat_map(|t| one(&batch.outputs, t)).collect();
            assert_close(&what("outputs"), &outputs, &alone.outputs, 1e-13);
            assert_close(&what("final state"), &one_state(&batch.state), &alone.state, 1e-13);
            let dstate = one_state(&batch.dstate);
            assert_close(&what("cotangent of the initial state"), &dstate, &alone.dstate, 1e-12);
            let dxs: Vec<f64> = (0..length).flat_map(|t| one_bar(&batch.dxs, t)).collect();
            assert_close(&what("cotangents of the inputs"), &dxs, &alone.dxs, 1e-12);
            for t in length..steps {
                let (y, dx) = (one(&batch.outputs, t), one_bar(&batch.dxs, t));
                assert!(y.iter().all(|&y| y == 0.0), "{} at {t}: {y:?}", what("outputs past the end"));
                assert!(dx.iter().all(|&dx| dx == 0.0), "{} at {t}: {dx:?}", what("cotangents past the end"));
            }
            sum.iter_mut().zip(&alone.gradients).for_each(|(sum, x)| *sum += x);
        }
        assert_close("gradients of a ragged batch", &batch.gradients, &sum, 1e-12);
    }
}

/// The scalars of one sample of a value of batch `B` that is given by its scalars.
fn scalars_of_sample<const B: usize, V: Varying<f64>>(all: &[f64], b: usize) -> Vec<f64> {
    let mut scalars = Vec::new();
    from_scalars::<V>(all).sample_mut(b, B, &mut |x| scalars.push(*x));
    scalars
}

/// The scalars of step `t` of a sequence of `steps`.
fn step(scalars: &[f64], t: usize, steps: usize) -> &[f64] {
    let size = scalars.len() / steps;
    &scalars[t * size..(t + 1) * size]
}
