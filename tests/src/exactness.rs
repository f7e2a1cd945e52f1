//! Properties that every cell must have, whatever its equations:
//!
//! - a pass over a sequence computes the same as its steps one at a time,
//! - a result depends on the arguments alone,
//! - a batch computes the same as its samples one at a time,
//! - padding after the end of a sample has no effect.

use crate::golden::{from_scalars, scalars};
use rnn_cell::cell::{Bars, Cell, Layer, LayerPass, Model, Pass};
use rnn_cell::inspect::gradcheck::{Checked, Gradcheck};
use rnn_cell::rng::{Rng, SeedableRng, Xoshiro256PlusPlus, normal};
use rnn_cell::types::varying::Varying;
use std::ops::Range;

/// Returns a random generator with this seed.
pub fn rng(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Returns a value of normally distributed scalars.
pub fn random<V: Varying<f64>>(rng: &mut impl Rng) -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |x| *x = normal(rng));
    value
}

/// Returns a sequence of values of normally distributed scalars.
pub fn random_sequence<V: Varying<f64>>(rng: &mut impl Rng, steps: usize) -> Vec<V> {
    (0..steps).map(|_| random(rng)).collect()
}

/// Copies a value scalar by scalar, since a `Varying` need not implement `Clone`.
pub fn copy<V: Varying<f64>>(value: &V) -> V {
    from_scalars(&scalars(value))
}

/// Returns the scalars of all values, one value after the other.
pub fn all_scalars<'v, V: Varying<f64> + 'v>(values: impl IntoIterator<Item = &'v V>) -> Vec<f64> {
    values.into_iter().flat_map(scalars).collect()
}

/// Returns the entries of all parameters.
pub fn parameters(model: &impl Model<Scalar = f64>) -> Vec<f64> {
    let mut entries = Vec::new();
    model.visit(&mut |parameter| entries.extend_from_slice(parameter.values));
    entries
}

/// Asserts that two arrays agree to `tolerance`, relative to the largest entry of `want` or to 1,
/// whichever is larger.
#[track_caller]
pub fn assert_close(what: &str, got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len(), "{what}: the sizes differ");
    let largest = want.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got - want).abs() / largest;
        assert!(error <= tolerance, "{what}: entry {k} is {got}, not {want} (error {error:.1e})");
    }
}

/// Asserts that two arrays are equal bit for bit.
#[track_caller]
pub fn assert_same_bits(what: &str, got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len(), "{what}: the sizes differ");
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        assert!(got.to_bits() == want.to_bits(), "{what}: entry {k} is {got:?}, not {want:?}");
    }
}

/// The results of a forward and a backward pass over one sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// The outputs of all steps.
    pub outputs: Vec<f64>,
    /// The final state.
    pub state: Vec<f64>,
    /// The cotangent of the initial state.
    pub dstate: Vec<f64>,
    /// The gradients of the parameters.
    pub gradients: Vec<f64>,
    /// The cotangents of the inputs of all steps.
    pub dxs: Vec<f64>,
    /// The cotangent of the context.
    pub dcontext: Vec<f64>,
}

impl Results {
    /// Calls `compare` for every part with a description, both values, and the pass that computed
    /// the part (0 for forward, 1 for backward).
    #[track_caller]
    fn compare(&self, want: &Self, when: &str, compare: impl Fn(&str, &[f64], &[f64], usize)) {
        for (part, got, want, pass) in [
            ("outputs", &self.outputs, &want.outputs, 0),
            ("final state", &self.state, &want.state, 0),
            ("cotangent of the initial state", &self.dstate, &want.dstate, 1),
            ("gradients", &self.gradients, &want.gradients, 1),
            ("cotangents of the inputs", &self.dxs, &want.dxs, 1),
            ("cotangent of the context", &self.dcontext, &want.dcontext, 1),
        ] {
            compare(&format!("{part} {when}"), got, want, pass);
        }
    }
}

/// Runs a forward pass from `state` and a backward pass with the cotangents `dys` (zero if empty)
/// and `dfinal`.
pub fn forward_and_backward<const B: usize, L: Checked<B>>(
    layer: &L,
    pass: LayerPass<'_, L, B>,
    state: &L::State,
    (dys, dfinal): (&[L::Output], &L::State),
    tape: &mut L::Tape,
) -> Results {
    let mut state = state.clone();
    let outputs = all_scalars(layer.forward(pass, &mut state, tape));
    let (mut dstate, mut gradients) = (dfinal.clone(), layer.zero_gradients());
    // The backward pass must overwrite the cotangents of the inputs.
    let mut dx = L::InputBar::zero();
    dx.scalars_mut(&mut |x| *x = f64::NAN);
    let mut dxs: Vec<L::InputBar> = pass.xs.iter().map(|_| copy(&dx)).collect();
    let mut dcontext = L::Context::zero();
    let bars = Bars::of(&mut *gradients).state(&mut dstate).inputs(&mut dxs).context(&mut dcontext);
    layer.backward(pass, tape, dys, bars);
    Results {
        outputs,
        state: scalars(&state),
        dstate: scalars(&dstate),
        gradients: parameters(&*gradients),
        dxs: all_scalars(&dxs),
        dcontext: scalars(&dcontext),
    }
}

/// A cell with a sequence, a context and a tape. All values are lists of scalars, so the properties
/// below are compiled once and not once per cell and batch.
trait Subject {
    /// Returns the number of steps, and the numbers of scalars of an output and of a state.
    fn sizes(&self) -> [usize; 3];

    /// Replaces the tape.
    fn take_new_tape(&mut self);

    /// Chooses the state whose scalars the arguments `state` replace: the final state of the last
    /// forward pass, or else the initial one. Indices and counts have no scalars.
    fn start_from_last(&mut self, is_last: bool);

    /// Runs the whole sequence one step at a time. Returns the outputs and the final state.
    fn step(&self, state: &[f64]) -> [Vec<f64>; 2];

    /// Runs a forward pass over some of the steps. Returns the outputs and the final state.
    fn forward(&mut self, steps: Range<usize>, state: &[f64]) -> [Vec<f64>; 2];

    /// Runs [`forward_and_backward`] over some of the steps. `dys` are empty or the cotangents of
    /// these steps.
    fn both(&mut self, steps: Range<usize>, state: &[f64], dys: &[f64], dfinal: &[f64]) -> Results;

    /// Runs both passes twice, without the cotangents of inputs and context. Returns the sum of the
    /// gradients, and the cotangents of the initial state.
    fn twice(&mut self, state: &[f64], dys: &[f64], dfinal: &[f64]) -> (Vec<f64>, [Vec<f64>; 2]);
}

struct Typed<'a, L: Layer<B>, const B: usize> {
    cell: &'a L,
    pass: LayerPass<'a, L, B>,
    tape: L::Tape,
    /// The initial state, the final state of the last forward pass, and the chosen one of them.
    initial: L::State,
    last: L::State,
    start: L::State,
}

fn values<V: Varying<f64>>(scalars: &[f64], count: usize) -> Vec<V> {
    let size = scalars.len() / count.max(1);
    (0..count).map(|at| from_scalars(&scalars[at * size..][..size])).collect()
}

impl<L, const B: usize> Typed<'_, L, B>
where
    L: Checked<B>,
{
    /// Returns the cotangents of the outputs of `steps` steps; none if there are no scalars.
    fn cotangents(dys: &[f64], steps: usize) -> Vec<L::Output> {
        if dys.is_empty() { Vec::new() } else { values(dys, steps) }
    }

    /// Returns the chosen state with these scalars.
    fn state(&self, scalars: &[f64]) -> L::State {
        let (mut state, mut scalars) = (self.start.clone(), scalars.iter());
        state.scalars_mut(&mut |x| *x = *scalars.next().expect("as many scalars as the state has"));
        state
    }
}

impl<L, const B: usize> Subject for Typed<'_, L, B>
where
    L: Cell<B> + Checked<B>,
{
    fn sizes(&self) -> [usize; 3] {
        [self.pass.xs.len(), scalars(&L::Output::zero()).len(), scalars(&L::State::zero()).len()]
    }

    fn take_new_tape(&mut self) {
        self.tape = self.cell.tape();
    }

    fn start_from_last(&mut self, is_last: bool) {
        self.start.clone_from(if is_last { &self.last } else { &self.initial });
    }

    fn step(&self, state: &[f64]) -> [Vec<f64>; 2] {
        let mut state = self.state(state);
        let ys: Vec<L::Output> =
            self.pass.xs.iter().map(|x| self.cell.step((x, self.pass.context), &mut state)).collect();
        [all_scalars(&ys), scalars(&state)]
    }

    fn forward(&mut self, steps: Range<usize>, state: &[f64]) -> [Vec<f64>; 2] {
        let mut state = self.state(state);
        let count = steps.len();
        let ys = self.cell.forward(self.pass.window(steps), &mut state, &mut self.tape);
        assert_eq!(ys.len(), count, "one output per step");
        let results = [all_scalars(ys), scalars(&state)];
        self.last = state;
        results
    }

    fn both(&mut self, steps: Range<usize>, state: &[f64], dys: &[f64], dfinal: &[f64]) -> Results {
        let dys = Self::cotangents(dys, steps.len());
        let (state, dfinal) = (self.state(state), from_scalars(dfinal));
        forward_and_backward(self.cell, self.pass.window(steps), &state, (&dys, &dfinal), &mut self.tape)
    }

    fn twice(&mut self, state: &[f64], dys: &[f64], dfinal: &[f64]) -> (Vec<f64>, [Vec<f64>; 2]) {
        let dys = Self::cotangents(dys, self.pass.xs.len());
        let mut gradients = self.cell.zero_gradients();
        let dstates = [(); 2].map(|()| {
            self.cell.forward(self.pass, &mut self.state(state), &mut self.tape);
            let mut dstate: L::State = from_scalars(dfinal);
            let bars = Bars::of(&mut *gradients).state(&mut dstate).without_context();
            self.cell.backward(self.pass, &mut self.tape, &dys, bars);
            scalars(&dstate)
        });
        (parameters(&*gradients), dstates)
    }
}

/// Checks all properties of a cell on one sequence.
pub fn check<const B: usize, L>(cell: &L, pass: LayerPass<'_, L, B>, state: &L::State, seed: u64)
where
    L: Cell<B> + Checked<B>,
{
    let [initial, last, start] = [(); 3].map(|()| state.clone());
    let mut subject = Typed { cell, pass, tape: cell.tape(), initial, last, start };
    check_all(&mut subject, &scalars(state), seed);
}

fn check_all(subject: &mut dyn Subject, state: &[f64], seed: u64) {
    let [steps, output, scalars] = subject.sizes();
    let mut rng = rng(seed);
    let dfinal = normals(&mut rng, scalars);
    let dys = normals(&mut rng, steps * output);
    let zeros = vec![0.0; steps * output];

    let [stepped_ys, stepped] = subject.step(state);
    let [ys, forwarded] = subject.forward(0..steps, state);
    assert_close("outputs of forward", &ys, &stepped_ys, 1e-13);
    assert_close("final state of forward", &forwarded, &stepped, 1e-13);

    earlier_calls_leave_no_trace(subject, state, (&dys, &dfinal), &normals(&mut rng, scalars));
    empty_sequences_do_nothing(subject, state, &dfinal);
    sequences_can_be_cut(subject, state, (&dys, &dfinal));

    subject.take_new_tape();
    let with = subject.both(0..steps, state, &zeros, &dfinal);
    let without = subject.both(0..steps, state, &[], &dfinal);
    without.compare(&with, "without cotangents of the outputs", |what, got, want, _| {
        assert_close(what, got, want, 1e-13);
    });

    gradients_add_up(subject, state, (&dys, &dfinal));
}

fn normals(rng: &mut Xoshiro256PlusPlus, count: usize) -> Vec<f64> {
    (0..count).map(|_| normal(rng)).collect()
}

/// Checks that a pass gives the same bits on a new tape and on a tape that has held longer and
/// shorter sequences.
fn earlier_calls_leave_no_trace(
    subject: &mut dyn Subject,
    state: &[f64],
    (dys, dfinal): (&[f64], &[f64]),
    other: &[f64],
) {
    let [steps, output, _] = subject.sizes();
    let middle = steps / 2;
    let run = |subject: &mut dyn Subject, steps: usize, state: &[f64]| {
        subject.both(0..steps, state, &dys[..steps * output], dfinal)
    };
    subject.take_new_tape();
    let fresh = run(subject, middle, state);
    subject.take_new_tape();
    for before in [steps, 1, middle, 0] {
        run(subject, before, other);
        let when = format!("after a sequence of {before} steps");
        run(subject, middle, state)
            .compare(&fresh, &when, |what, got, want, _| assert_same_bits(what, got, want));
    }
}

/// Checks that a sequence without steps leaves the state and its cotangent unchanged and adds no
/// gradients.
fn empty_sequences_do_nothing(subject: &mut dyn Subject, state: &[f64], dfinal: &[f64]) {
    subject.take_new_tape();
    let results = subject.both(0..0, state, &[], dfinal);
    assert!(results.outputs.is_empty() && results.dxs.is_empty());
    assert_same_bits("final state of an empty sequence", &results.state, state);
    assert_same_bits("cotangent of the state of an empty sequence", &results.dstate, dfinal);
    assert!(results.gradients.iter().all(|&x| x == 0.0), "nonzero gradients: {:?}", results.gradients);
    assert!(results.dcontext.iter().all(|&x| x == 0.0), "nonzero dcontext: {:?}", results.dcontext);
}

/// Checks that a sequence can be run in two parts. The second part starts from the final state of
/// the first, and the backward pass of the first starts from the state cotangent of the second.
/// Parts of a single step are among them.
fn sequences_can_be_cut(subject: &mut dyn Subject, state: &[f64], (dys, dfinal): (&[f64], &[f64])) {
    let [steps, output, _] = subject.sizes();
    let run = |subject: &mut dyn Subject, steps: Range<usize>, state: &[f64], dfinal: &[f64]| {
        subject.take_new_tape();
        let dys = &dys[steps.start * output..steps.end * output];
        subject.both(steps, state, dys, dfinal)
    };
    let whole = run(subject, 0..steps, state, dfinal);
    for cut in [1, steps - 1] {
        subject.take_new_tape();
        let [_, middle] = subject.forward(0..cut, state);
        subject.start_from_last(true);
        let second = run(subject, cut..steps, &middle, dfinal);
        subject.start_from_last(false);
        let first = run(subject, 0..cut, state, &second.dstate);
        let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect();
        let joined = Results {
            outputs: [first.outputs, second.outputs].concat(),
            state: second.state,
            dstate: first.dstate,
            gradients: sum(&first.gradients, &second.gradients),
            dxs: [first.dxs, second.dxs].concat(),
            dcontext: sum(&first.dcontext, &second.dcontext),
        };
        joined.compare(&whole, "in two parts", |what, got, want, pass| {
            assert_close(what, got, want, [1e-13, 1e-12][pass]);
        });
    }
}

/// Checks that backward passes add to the gradients, and that leaving out the cotangents of inputs
/// and context changes no other result.
fn gradients_add_up(subject: &mut dyn Subject, state: &[f64], (dys, dfinal): (&[f64], &[f64])) {
    let [steps, ..] = subject.sizes();
    subject.take_new_tape();
    let once = subject.both(0..steps, state, dys, dfinal);
    subject.take_new_tape();
    let (gradients, dstates) = subject.twice(state, dys, dfinal);
    for dstate in &dstates {
        assert_close("cotangent of the initial state without dxs", dstate, &once.dstate, 1e-13);
    }
    let twice: Vec<f64> = once.gradients.iter().map(|x| 2.0 * x).collect();
    assert_close("gradients of two passes", &gradients, &twice, 1e-13);
}

/// Returns one sample of a batch of `B` as a value of batch 1.
fn sample<const B: usize, V: Varying<f64>, W: Varying<f64>>(batch: &V, b: usize) -> W {
    from_scalars(&scalars_of_sample::<B, V>(&scalars(batch), b))
}

/// Checks all properties of a cell on a random sequence of `steps` steps from a random state, and
/// its gradients on the first steps of it, as many as each of `differentiated`.
pub fn verify<const B: usize, L>(cell: &mut L, steps: usize, differentiated: &[usize])
where
    L: Cell<B> + Checked<B> + Layer<B, Context = ()>,
{
    let mut rng = rng(99);
    let xs: Vec<L::Input> = random_sequence(&mut rng, steps);
    let state: L::State = random(&mut rng);
    check(cell, Pass::of(&xs), &state, 3);
    for steps in differentiated {
        Gradcheck::default().check(cell, &xs[..*steps], &state).assert_ok();
    }
}

/// Checks a ragged batch of random inputs and states by [`ragged_batch_is_its_samples`].
pub fn ragged_batches_are_their_samples<const B: usize, L>(cell: &L, lengths: [usize; B], seed: u64)
where
    L: Checked<B> + Layer<B, Context = ()> + Checked<1> + Layer<1, Context = ()>,
{
    let mut rng = rng(seed);
    let steps = lengths.iter().copied().max().unwrap_or(0) + 1;
    let xs: Vec<<L as Layer<B>>::Input> = random_sequence(&mut rng, steps);
    let state: <L as Layer<B>>::State = random(&mut rng);
    ragged_batch_is_its_samples(cell, xs, &state, lengths, seed);
}

/// Checks that a ragged batch gives the outputs, states and cotangents of its samples, each run
/// alone for its length. On padding, whatever it holds, outputs and cotangents of inputs are zero,
/// and cotangents of outputs have no effect.
pub fn ragged_batch_is_its_samples<const B: usize, L>(
    cell: &L,
    mut xs: Vec<<L as Layer<B>>::Input>,
    state: &<L as Layer<B>>::State,
    lengths: [usize; B],
    seed: u64,
) where
    L: Checked<B> + Layer<B, Context = ()> + Checked<1> + Layer<1, Context = ()>,
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
        let batch = forward_and_backward::<B, L>(
            cell,
            Pass::of(&xs).lengths(lengths),
            state,
            (&dys, &dfinal),
            &mut tape,
        );
        let mut sum = vec![0.0; batch.gradients.len()];
        for (b, &length) in lengths.iter().enumerate() {
            let what = |part: &str| format!("{part} of sample {b}, padded with {padding}");
            let one = |scalars: &[f64], t: usize| -> Vec<f64> {
                scalars_of_sample::<B, <L as Layer<B>>::Output>(step(scalars, t, steps), b)
            };
            let one_bar = |scalars: &[f64], t: usize| -> Vec<f64> {
                scalars_of_sample::<B, <L as Layer<B>>::InputBar>(step(scalars, t, steps), b)
            };
            let one_state = |scalars: &[f64]| scalars_of_sample::<B, <L as Layer<B>>::State>(scalars, b);
            let xs: Vec<<L as Layer<1>>::Input> =
                xs[..length].iter().map(|x| sample::<B, _, _>(x, b)).collect();
            let dys: Vec<<L as Layer<1>>::Output> =
                dys[..length].iter().map(|dy| sample::<B, _, _>(dy, b)).collect();
            let (state, dfinal) = (sample::<B, _, _>(state, b), sample::<B, _, _>(&dfinal, b));
            let mut tape = cell.tape::<1>();
            let alone = forward_and_backward::<1, L>(cell, Pass::of(&xs), &state, (&dys, &dfinal), &mut tape);

            let outputs: Vec<f64> = (0..length).flat_map(|t| one(&batch.outputs, t)).collect();
            assert_close(&what("outputs"), &outputs, &alone.outputs, 1e-13);
            assert_close(&what("final state"), &one_state(&batch.state), &alone.state, 1e-13);
            let dstate = one_state(&batch.dstate);
            assert_close(&what("cotangent of the initial state"), &dstate, &alone.dstate, 1e-12);
            let dxs: Vec<f64> = (0..length).flat_map(|t| one_bar(&batch.dxs, t)).collect();
            assert_close(&what("cotangents of the inputs"), &dxs, &alone.dxs, 1e-12);
            for t in length..steps {
                let (y, dx) = (one(&batch.outputs, t), one_bar(&batch.dxs, t));
                assert!(y.iter().all(|&y| y == 0.0), "{} at {t}: {y:?}", what("outputs on padding"));
                assert!(dx.iter().all(|&dx| dx == 0.0), "{} at {t}: {dx:?}", what("cotangents on padding"));
            }
            sum.iter_mut().zip(&alone.gradients).for_each(|(sum, x)| *sum += x);
        }
        assert_close("gradients of a ragged batch", &batch.gradients, &sum, 1e-12);
    }
}

/// Returns the scalars of one sample. `all` are the scalars of a value of batch `B`.
fn scalars_of_sample<const B: usize, V: Varying<f64>>(all: &[f64], b: usize) -> Vec<f64> {
    let mut scalars = Vec::new();
    from_scalars::<V>(all).sample_mut(b, B, &mut |x| scalars.push(*x));
    scalars
}

/// Returns the scalars of step `t` in a sequence of `steps` steps.
fn step(scalars: &[f64], t: usize, steps: usize) -> &[f64] {
    let size = scalars.len() / steps;
    &scalars[t * size..(t + 1) * size]
}
