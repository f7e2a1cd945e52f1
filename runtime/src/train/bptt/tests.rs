//! Truncated and checkpointed backpropagation against passes over the whole sequence and against
//! their definitions.

use alloc::vec;
use alloc::vec::Vec;

use nalgebra::SMatrix;

use super::*;
use crate::by_hand::{Conditioned, Elman};
use crate::cell::{Bars, Cell, Layer, Model, Pass};
use crate::cells::Lstm;
use crate::network::Dropout;
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
use crate::rnn_cell;
use crate::types::varying::Varying;

const B: usize = 2;
const STEPS: usize = 23;

type Net = Dropout<Elman<3, 4>>;
type Lengths = Option<[usize; B]>;
type State = <Net as Layer<B>>::State;

struct Case {
    net: Net,
    state: State,
    xs: Vec<SMatrix<f64, 3, B>>,
    dys: Vec<SMatrix<f64, 4, B>>,
}

fn case() -> Case {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let net = Dropout::new(Elman(Conditioned::init(&mut rng)), 0.3);
    let mut state: State = net.initial_state();
    state.state = SMatrix::from_fn(|_, _| rng::normal(&mut rng));
    net.seed_noise(&mut state, &mut rng);
    let xs = (0..STEPS).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect();
    let dys = (0..STEPS).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect();
    Case { net, state, xs, dys }
}

fn flat(gradients: &impl Model<Scalar = f64>) -> Vec<f64> {
    let mut flat = Vec::new();
    gradients.visit(&mut |parameter| flat.extend_from_slice(parameter.values));
    flat
}

#[track_caller]
fn assert_close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() <= 1e-13 * largest, "{got}, not {want}");
    }
}

impl Case {
    /// Returns the gradients and the cotangent of the initial state of one pass over the steps from
    /// `edge` to `end`, starting from the state at `edge`. Only the outputs from `first` on have
    /// cotangents.
    fn pass(&self, edge: usize, first: usize, end: usize, lengths: Lengths) -> (Vec<f64>, State) {
        let (mut state, mut tape) = (self.state.clone(), self.net.tape::<B>());
        let whole = self.steps(lengths);
        self.net.forward(whole.window(0..edge), &mut state, &mut tape);
        self.net.forward(whole.window(edge..end), &mut state, &mut tape);
        let mut dys = self.dys[edge..end].to_vec();
        dys[..first - edge].fill(SMatrix::zeros());
        let (mut gradients, mut dstate) = (self.net.zero_gradients(), self.net.zero_state::<B>());
        let bars = Bars::of(&mut gradients).state(&mut dstate);
        self.net.backward(whole.window(edge..end), &mut tape, &dys, bars);
        (flat(&*gradients), dstate)
    }

    fn steps(&self, lengths: Lengths) -> Pass<'_, SMatrix<f64, 3, B>, (), B> {
        Pass::of(&self.xs).lengths(lengths)
    }

    fn whole(&self, lengths: Lengths) -> (Vec<f64>, State) {
        self.pass(0, 0, STEPS, lengths)
    }

    fn truncated(&self, k1: usize, k2: usize) -> Truncated<Net, B> {
        let mut bptt = Truncated::new(&self.net, k1, k2);
        bptt.start(self.state.clone());
        bptt
    }
}

#[test]
fn a_window_as_long_as_the_sequence_gives_the_whole_gradient() {
    let case = case();
    for lengths in [None, Some([STEPS, 9])] {
        let (gradients, dstate) = case.whole(lengths);
        let mut bptt = case.truncated(STEPS, STEPS);
        let mut sum = case.net.zero_gradients();
        assert_eq!(bptt.forward(&case.net, case.steps(lengths)), Some(0..STEPS));
        let initial = bptt.backward(&case.net, case.steps(lengths), &case.dys, &mut sum);
        assert_eq!(initial.map(|initial| initial.state), Some(dstate.state));
        assert_eq!(flat(&*sum), gradients);
        assert_eq!(bptt.forward(&case.net, case.steps(lengths)), None);

        // Blocks whose windows all reach the start.
        let (mut bptt, mut sum) = (case.truncated(5, STEPS), case.net.zero_gradients());
        let mut dstate_sum = SMatrix::zeros();
        while let Some(block) = bptt.forward(&case.net, case.steps(lengths)) {
            let initial = bptt.backward(&case.net, case.steps(lengths), &case.dys[block], &mut sum);
            dstate_sum += initial.expect("the window reaches the start").state;
        }
        assert_close(&flat(&*sum), &gradients);
        assert_close(dstate_sum.as_slice(), dstate.state.as_slice());
    }
}

#[test]
fn cotangents_go_back_through_the_window() {
    let case = case();
    let (mut state, mut tape) = (case.state.clone(), case.net.tape::<B>());
    case.net.forward(&case.xs, &mut state, &mut tape);
    let ys = case.net.outputs(&tape).to_vec();
    for lengths in [None, Some([4, 17])] {
        for (k1, k2) in [(1, 1), (5, 5), (4, 7), (3, 12), (5, 2), (7, 1), (30, 40), (1, 6)] {
            let mut bptt = case.truncated(k1, k2);
            let mut at = 0;
            while let Some(block) = bptt.forward(&case.net, case.steps(lengths)) {
                assert_eq!(block, at..(at + k1).min(STEPS));
                if lengths.is_none() {
                    assert_close(listed(bptt.outputs()).as_slice(), &listed(&ys[block.clone()]));
                }
                let edge = block.end.saturating_sub(k2);
                let (want, dstate) = case.pass(edge, block.start.max(edge), block.end, lengths);
                let mut gradients = case.net.zero_gradients();
                let dys = &case.dys[block.clone()];
                let initial = bptt.backward(&case.net, case.steps(lengths), dys, &mut gradients);
                assert_close(&flat(&*gradients), &want);
                assert_eq!(initial.is_some(), edge == 0);
                if let Some(initial) = initial {
                    assert_close(initial.state.as_slice(), dstate.state.as_slice());
                }
                at = block.end;
            }
            assert_eq!(at, STEPS);
            if lengths.is_none() {
                assert_close(bptt.state().state.as_slice(), state.state.as_slice());
            }
        }
    }
}

#[test]
fn cotangents_of_state_and_inputs_are_those_of_a_pass_over_the_window() {
    let case = case();
    let mut last: State = case.net.zero_state();
    last.state = case.dys[0];
    for lengths in [None, Some([4, 17])] {
        for (k1, k2) in [(5, 5), (4, 7), (3, 12), (5, 2), (30, 40)] {
            let mut bptt = case.truncated(k1, k2);
            while let Some(block) = bptt.forward(&case.net, case.steps(lengths)) {
                let window = bptt.window();
                assert_eq!(window, block.end.saturating_sub(k2)..block.end);
                let (mut state, mut tape) = (case.state.clone(), case.net.tape::<B>());
                case.net.forward(case.steps(lengths).window(0..window.start), &mut state, &mut tape);
                let pass = case.steps(lengths).window(window.clone());
                case.net.forward(pass, &mut state, &mut tape);
                let mut dys = case.dys[window.clone()].to_vec();
                dys[..block.start.saturating_sub(window.start)].fill(SMatrix::zeros());
                let (mut want, mut dstate) = (case.net.zero_gradients(), last.clone());
                let mut dxs = vec![SMatrix::from_element(f64::NAN); window.len()];
                let bars = Bars::of(&mut want).state(&mut dstate).inputs(&mut dxs);
                case.net.backward(pass, &mut tape, &dys, bars);

                let (mut gradients, mut initial) = (case.net.zero_gradients(), last.clone());
                let mut got = vec![SMatrix::from_element(f64::NAN); window.len()];
                let bars = Bars::of(&mut gradients).state(&mut initial).inputs(&mut got);
                let returned = bptt.backward(&case.net, case.steps(lengths), &case.dys[block], bars).cloned();
                assert_close(&flat(&*gradients), &flat(&*want));
                assert_close(initial.state.as_slice(), dstate.state.as_slice());
                assert_eq!(returned, (window.start == 0).then_some(initial));
                let all = |dxs: &[SMatrix<f64, 3, B>]| dxs.iter().flatten().copied().collect::<Vec<_>>();
                assert_close(&all(&got), &all(&dxs));
            }
        }
    }
}

#[test]
#[should_panic(expected = "the window has 9 steps, but `dxs` has 6")]
fn too_few_cotangents_of_inputs_panic() {
    let case = case();
    let mut bptt = case.truncated(6, 9);
    bptt.forward(&case.net, &case.xs);
    bptt.forward(&case.net, &case.xs);
    let (mut gradients, mut dxs) = (case.net.zero_gradients(), [SMatrix::zeros(); 6]);
    let bars = Bars::of(&mut gradients).inputs(&mut dxs);
    bptt.backward(&case.net, &case.xs, &case.dys[6..12], bars);
}

fn listed(ys: &[SMatrix<f64, 4, B>]) -> Vec<f64> {
    ys.iter().flat_map(|y| y.iter().copied().collect::<Vec<_>>()).collect()
}

#[test]
fn a_new_sequence_starts_from_its_own_state() {
    let case = case();
    let mut bptt = case.truncated(6, 9);
    bptt.forward(&case.net, &case.xs);
    let first = bptt.outputs().to_vec();
    while bptt.forward(&case.net, &case.xs).is_some() {}
    bptt.start(case.state.clone());
    assert_eq!(
        bptt.forward(&case.net, &case.xs[..4]),
        Some(0..4),
        "the new sequence may have another length"
    );
    bptt.start(case.state.clone());
    assert!(bptt.outputs().is_empty());
    assert_eq!(bptt.forward(&case.net, &case.xs), Some(0..6));
    assert_eq!(bptt.outputs(), first);
}

#[test]
#[should_panic(expected = "the block has 6 steps, but `dys` has 5")]
fn too_few_cotangents_panic() {
    let case = case();
    let mut bptt = case.truncated(6, 6);
    bptt.forward(&case.net, &case.xs);
    bptt.backward(&case.net, &case.xs, &case.dys[..5], &mut case.net.zero_gradients());
}

#[test]
#[should_panic(expected = "the sequence has 23 steps, but `xs` has 4")]
fn inputs_of_another_sequence_panic_in_backward() {
    let case = case();
    let mut bptt = case.truncated(6, 6);
    bptt.forward(&case.net, &case.xs);
    bptt.backward(&case.net, &case.xs[..4], &case.dys[..6], &mut case.net.zero_gradients());
}

#[test]
#[should_panic(expected = "the sequence has 23 steps, but `xs` has 4")]
fn inputs_of_another_sequence_panic_in_forward() {
    let case = case();
    let mut bptt = case.truncated(6, 9);
    bptt.forward(&case.net, &case.xs);
    bptt.forward(&case.net, &case.xs[..4]);
}

#[test]
#[should_panic(expected = "a block of 3 steps, a window of 0")]
fn an_empty_window_panics() {
    case().truncated(3, 0);
}

#[test]
fn segments_give_the_whole_gradient() {
    let case = case();
    for lengths in [None, Some([STEPS, 9])] {
        let (gradients, dstate) = case.whole(lengths);
        for (every, keep) in [(1, 1), (4, 2), (4, 16), (22, 1), (STEPS, 1), (100, 3)] {
            let mut checkpointed = Checkpointed::<_, B>::new().every(every).keep(keep);
            let mut state = case.state.clone();
            checkpointed.forward(&case.net, case.steps(lengths), &mut state);
            let (mut sum, mut initial) = (case.net.zero_gradients(), case.net.zero_state::<B>());
            let mut dxs = vec![SMatrix::from_element(f64::NAN); STEPS];
            let mut next = STEPS;
            checkpointed.backward(
                &case.net,
                case.steps(lengths),
                |steps, ys, dys| {
                    assert_eq!((steps.end, ys.len(), dys.len()), (next, steps.len(), steps.len()));
                    next = steps.start;
                    dys.copy_from_slice(&case.dys[steps]);
                },
                Bars::of(&mut sum).state(&mut initial).inputs(&mut dxs),
            );
            assert_eq!(next, 0);
            // A cell that adds up its gradients step by step forms the same sums in the same order.
            assert_eq!(flat(&*sum), gradients);
            assert_eq!(initial.state, dstate.state);
            assert!(dxs.iter().all(|dx| dx.iter().all(|x| x.is_finite())));
        }
    }
}

rnn_cell! {
    /// A cell whose state receives cotangents from several later steps.
    cell Delayed<I, H> {
        input x: [I];
        state h: [H], c: [H];
        param W: [H, I], U: [H, H], V: [H, I + I];

        c = 0.5 * c[t-1] + tanh(W @ x + h[t-4] + row_sum(window(c[t-1], 3))) * h[t-1];
        h = tanh(V @ [x[t-2], x] + U @ h[t-1] - h[t-2] * c);

        output h;
    }
}

/// Checks that segments give the bits of the whole sequence, for the states and the cotangents.
fn same_bits_in_segments<L>(cell: &L, segment: usize) -> bool
where
    L: Cell<B, Scalar = f64, Input = SMatrix<f64, 3, B>, InputBar = SMatrix<f64, 3, B>, Context = ()>,
    L: Layer<B, Output = SMatrix<f64, 4, B>, State: PartialEq + core::fmt::Debug>,
{
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
    let xs: Vec<SMatrix<f64, 3, B>> =
        (0..700).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect();
    let dys: Vec<SMatrix<f64, 4, B>> =
        (0..700).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect();
    let (mut state, mut tape) = (cell.zero_state(), cell.tape());
    cell.forward(&xs, &mut state, &mut tape);
    let (mut whole, mut dstate) = (cell.zero_gradients(), cell.zero_state());
    let mut whole_dxs = vec![SMatrix::zeros(); 700];
    cell.backward(&xs, &mut tape, &dys, Bars::of(&mut whole).state(&mut dstate).inputs(&mut whole_dxs));

    let mut checkpointed = Checkpointed::new().keep(2);
    let mut last = cell.zero_state();
    checkpointed.forward(cell, &xs, &mut last);
    assert_eq!((checkpointed.segment(), &last), (segment, &state));
    let (mut sum, mut initial) = (cell.zero_gradients(), cell.zero_state());
    let mut dxs = vec![SMatrix::zeros(); 700];
    let loss = |steps, _: &[_], own: &mut [_]| own.copy_from_slice(&dys[steps]);
    let bars = Bars::of(&mut sum).state(&mut initial).inputs(&mut dxs);
    checkpointed.backward(cell, &xs, loss, bars);
    let scalars = |state: &L::State| {
        let mut scalars = Vec::new();
        state.scalars(&mut |x| scalars.push(x));
        scalars
    };
    assert_eq!(scalars(&initial), scalars(&dstate));
    assert_eq!(dxs, whole_dxs);
    flat(&*sum) == flat(&*whole)
}

#[test]
fn generated_cells_give_the_same_bits_in_segments() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    assert!(same_bits_in_segments(&Lstm::<3, 4, f64>::init(&mut rng), 128), "the gradients differ");
    assert!(same_bits_in_segments(&Delayed::<3, 4, f64>::init(&mut rng), 128), "the gradients differ");
}

#[test]
#[should_panic(expected = "the tape holds a forward pass of 0 steps, but `xs` has 23")]
fn a_second_backward_pass_panics() {
    let case = case();
    let mut checkpointed = Checkpointed::<_, B>::new();
    let mut state = case.state.clone();
    checkpointed.forward(&case.net, &case.xs, &mut state);
    for _ in 0..2 {
        let mut gradients = case.net.zero_gradients();
        checkpointed.backward(&case.net, &case.xs, |_, _, _| (), &mut gradients);
    }
}
