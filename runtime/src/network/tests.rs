//! Tests of networks of ready-made and hand-written cells: gradients, paths, noise, streaming.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use nalgebra::SMatrix;

use super::*;
use crate::by_hand::{Conditioned, Elman};
use crate::cell::{Cell, Layer, LayerPass, Model, ModelMut, Pass};
use crate::cells::{Dense, Lstm};
use crate::inspect::finite::check_sequence;
use crate::inspect::gradcheck::Gradcheck;
use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};
use crate::types::varying::Varying;

const B: usize = 3;
const LENGTHS: [usize; B] = [5, 2, 0];

type Inputs<const I: usize> = Vec<SMatrix<f64, I, B>>;

fn generator() -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(11)
}

/// Creates a cell written by hand, which compiles quickly.
fn elman<const I: usize, const H: usize>() -> Elman<I, H> {
    Elman(Conditioned::init(&mut generator()))
}

fn lstm<const I: usize, const H: usize>() -> Lstm<I, H, f64> {
    Lstm::init(&mut generator())
}

fn inputs<const I: usize>(steps: usize) -> Inputs<I> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(12);
    (0..steps).map(|_| SMatrix::from_fn(|_, _| rng::normal(&mut rng))).collect()
}

fn listed(values: &[impl Varying<f64>]) -> Vec<f64> {
    let mut list = Vec::new();
    values.iter().for_each(|value| value.scalars(&mut |x| list.push(x)));
    list
}

/// Checks the gradients of a full and of a ragged batch, with and without noise.
fn check<const I: usize, L>(mut net: L)
where
    L: ModelMut<Scalar = f64>,
    L: Layer<B, Input = SMatrix<f64, I, B>, InputBar = SMatrix<f64, I, B>, Context = ()>,
{
    let xs = inputs::<I>(5);
    let mut rng = generator();
    let mut state = net.initial_state();
    state.scalars_mut(&mut |x| *x = rng::normal(&mut rng));
    for is_noisy in [false, true] {
        if is_noisy {
            net.seed_noise(&mut state, &mut rng);
        }
        for lengths in [None, Some(LENGTHS)] {
            let pass = Pass::of(&xs).lengths(lengths);
            Gradcheck::default().check(&mut net, pass, &state).assert_ok();
            run_is_forward(&net, pass, &state);
        }
    }
}

/// Checks that a run without residuals gives the same outputs and the same final state as a forward
/// pass, including random generators.
fn run_is_forward<L: Layer<B, Scalar = f64>>(net: &L, pass: LayerPass<'_, L, B>, start: &L::State) {
    let (mut forwarded, mut ran, mut tape) = (start.clone(), start.clone(), net.tape());
    // The second pass continues from the final state of the first.
    for _ in 0..2 {
        net.forward(pass, &mut forwarded, &mut tape);
        let ys = net.run(pass, &mut ran);
        assert_eq!(ys.len(), pass.xs.len());
        let (got, want) = (listed(&ys), listed(net.outputs(&tape)));
        let (got_state, want_state) = (listed(&[ran.clone()]), listed(&[forwarded.clone()]));
        let pairs = got.iter().zip(&want).chain(got_state.iter().zip(&want_state));
        assert!(pairs.into_iter().all(|(got, want)| (got - want).abs() < 1e-13), "{got:?}, not {want:?}");
    }
}

#[test]
fn gradients_of_stacks() {
    let lower = Stack(Box::new(elman::<3, 4>()), lstm::<4, 3>());
    check(Stack(lower, Dense::<3, 2, f64>::init(&mut generator())));
}

#[test]
fn gradients_of_both_directions() {
    let both = || Bidirectional::new(elman::<3, 4>(), elman::<3, 2>());
    check(both());
    check(Stack(both().joined(Concat::<6>), elman::<6, 2>()));
    check(Bidirectional::new(Stack(elman::<3, 4>(), elman::<4, 2>()), elman::<3, 2>()).joined(Sum));
}

#[test]
fn gradients_of_residuals_and_dropout() {
    check(Stack(
        Dropout::variational(elman::<3, 6>(), 0.4),
        Residual::new(Dropout::new(elman::<6, 6>(), 0.3)),
    ));
}

#[test]
fn gradients_of_zoneout() {
    check(Zoneout::new(lstm::<3, 4>()).field("h", 0.3).field("c", 0.6));
}

/// Returns the names of all parameters, without repetitions.
fn names(model: &impl Model) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    model.visit(&mut |parameter| names.push(parameter.name.into()));
    names.dedup();
    names
}

#[test]
fn paths_stand_before_the_names() {
    let elman = elman::<2, 2>;
    let numbered = ["0.W", "0.b", "1.W", "1.b", "2.W", "2.b"];
    assert_eq!(names(&Stack(Stack(elman(), elman()), elman())), numbered);
    let wrapped = Residual::new(Stack(Box::new(elman()), Zoneout::new(Dropout::new(elman(), 0.1))));
    let mut net = Stack(elman(), wrapped);
    assert_eq!(names(&net), numbered);
    assert_eq!(names(&*net.zero_gradients()), numbered);
    let mut visited = Vec::new();
    net.visit_mut(&mut |parameter| visited.push(String::from(parameter.name)));
    visited.dedup();
    assert_eq!(visited, numbered);

    let both = Bidirectional::new(Stack(elman(), elman()), elman());
    let expected = [
        "0.W",
        "0.b",
        "1.forward.0.W",
        "1.forward.0.b",
        "1.forward.1.W",
        "1.forward.1.b",
        "1.reverse.W",
        "1.reverse.b",
    ];
    assert_eq!(names(&Stack(elman(), both)), expected);

    let branches = Parallel::new(elman().then(elman()), elman(), Sum);
    let mut net = elman().then(branches);
    let expected = [
        "0.W",
        "0.b",
        "1.first.0.W",
        "1.first.0.b",
        "1.first.1.W",
        "1.first.1.b",
        "1.second.W",
        "1.second.b",
    ];
    assert_eq!(names(&net), expected);
    assert_eq!(names(&*net.zero_gradients()), expected);
    net.set_zero();
    assert!(listed(&[net.1.second.0.bias, net.1.first.1.0.bias]).iter().all(|x| *x == 0.0));
}

#[test]
fn a_fault_names_its_branch() {
    let sick = Map::new(
        |x: &SMatrix<f64, 3, 1>| if x[0] > 5.0 { x * f64::NAN } else { *x },
        |_, dy: &SMatrix<f64, 3, 1>| if dy[0] > 5.0 { dy * f64::NAN } else { *dy },
    );
    let net = Parallel::new(elman::<3, 3>(), sick, Sum).then(elman::<3, 2>());
    let mut xs = inputs::<3>(4);
    let check = |xs: &[_]| {
        check_sequence(&net, xs, &net.initial_state::<B>(), &[]).map_err(|fault| fault.to_string())
    };
    assert_eq!(check(&xs), Ok(()));
    xs[2][(0, 1)] = 6.0;
    let fault = "the output of layer `0.second` is NaN at step 2 (sample 1, scalar 0)";
    assert_eq!(check(&xs), Err(fault.into()));
}

/// A chain drops the outputs of its last layer, whatever the layers before it.
#[test]
fn a_chain_is_a_stack() {
    let (chain, stack) =
        (elman::<3, 4>().then(elman::<4, 2>()), Stack::new(elman::<3, 4>(), elman::<4, 2>()));
    let xs = inputs::<3>(5);
    assert_eq!(outputs(&chain, &xs, &chain.initial_state()), outputs(&stack, &xs, &stack.initial_state()));
    let (chain, wrapped) = (chain.dropout(0.5).then(elman::<2, 2>()), Dropout::new(stack, 0.5));
    let mut state = chain.initial_state::<B>();
    let mut alone = wrapped.initial_state::<B>();
    chain.seed_noise(&mut state, &mut generator());
    wrapped.seed_noise(&mut alone, &mut generator());
    assert_eq!(outputs(&chain.0, &xs, &state.0), outputs(&wrapped, &xs, &alone));
    check(chain);
}

#[test]
fn an_optimiser_takes_a_network_for_one_cell() {
    use crate::train::optim::{Adam, Optimiser, clip_global_norm, global_norm};
    let mut net =
        Stack(Bidirectional::new(lstm::<3, 2>(), lstm::<3, 2>()).joined(Concat::<4>), elman::<4, 2>());
    let xs = inputs(4);
    type Net = Stack<Bidirectional<Lstm<3, 2, f64>, Lstm<3, 2, f64>, Concat<4>>, Elman<4, 2>>;
    let loss = |net: &Net, gradients: Option<&mut <Net as Model>::Gradients>| {
        let (mut state, mut tape) = (net.initial_state::<B>(), net.tape());
        let ys = net.forward(&xs, &mut state, &mut tape).to_vec();
        let dys: Vec<_> = ys.iter().map(|y| 2.0 * y).collect();
        if let Some(gradients) = gradients {
            net.backward(&xs, &mut tape, &dys, gradients);
        }
        ys.iter().map(SMatrix::norm_squared).sum::<f64>()
    };
    let before = loss(&net, None);
    let mut adam = Adam::new(0.01);
    for _ in 0..10 {
        let mut gradients = net.zero_gradients();
        loss(&net, Some(&mut *gradients));
        clip_global_norm(&mut *gradients, 0.5);
        assert!(global_norm(&*gradients) <= 0.5 * (1.0 + 1e-12));
        adam.step(&mut net, &gradients);
    }
    assert!(loss(&net, None) < 0.8 * before);
}

/// Returns the outputs of a pass from `state`.
fn outputs<L>(net: &L, xs: &[L::Input], state: &L::State) -> Vec<f64>
where
    L: Layer<B, Scalar = f64, Context = ()>,
{
    listed(net.forward(xs, &mut state.clone(), &mut net.tape()))
}

#[test]
fn noise_is_reproducible_and_off_for_inference() {
    let (bare, xs) = (elman::<3, 8>(), inputs::<3>(6));
    let bare_ys = outputs(&bare, &xs, &bare.initial_state());
    let dropped = Dropout::new(bare, 0.5);
    let run = |seed: Option<u64>| {
        let mut state = dropped.initial_state();
        if let Some(seed) = seed {
            dropped.seed_noise(&mut state, &mut Xoshiro256PlusPlus::seed_from_u64(seed));
        }
        outputs(&dropped, &xs, &state)
    };
    assert_eq!(run(None), bare_ys);
    assert_eq!(run(Some(1)), run(Some(1)));
    assert_ne!(run(Some(1)), run(Some(2)));
    for (dropped, y) in run(Some(1)).iter().zip(&bare_ys) {
        assert!(*dropped == 0.0 || (dropped - 2.0 * y).abs() < 1e-15, "{dropped} of {y}");
    }
}

#[test]
fn variational_dropout_has_one_mask_a_sequence() {
    let net = Dropout::variational(elman::<3, 8>(), 0.5);
    let xs = inputs::<3>(6);
    let mut state = net.initial_state::<B>();
    net.seed_noise(&mut state, &mut generator());
    let ys = outputs(&net, &xs, &state);
    let masks: Vec<Vec<bool>> = ys.chunks(8 * B).map(|y| y.iter().map(|&y| y == 0.0).collect()).collect();
    assert!(masks.iter().all(|mask| *mask == masks[0]), "{masks:?}");
    let dropped = masks[0].iter().filter(|dropped| **dropped).count();
    assert!((4..=20).contains(&dropped), "{dropped} of 24 dropped at rate 0.5");
}

#[test]
fn zoneout_keeps_values_to_the_last_bit_or_their_mean() {
    let net = Zoneout::new(lstm::<3, 4>()).field("h", 0.3).field("c", 0.6);
    let xs = inputs::<3>(1);
    let mut before = net.initial_state::<B>();
    let mut rng = generator();
    before.state.scalars_mut(&mut |x| *x = rng::normal(&mut rng));
    let mut after = before.state.clone();
    net.layer.step(&xs[0], &mut after);

    let mut mean = before.clone();
    let y = net.step(&xs[0], &mut mean);
    assert_eq!(y, mean.state.h);
    for (rate, [old, new, got]) in
        [(0.3, [before.state.h, after.h, mean.state.h]), (0.6, [before.state.c, after.c, mean.state.c])]
    {
        assert!((rate * old + (1.0 - rate) * new - got).amax() < 1e-15);
    }

    let mut noisy = before.clone();
    net.seed_noise(&mut noisy, &mut generator());
    let y = net.step(&xs[0], &mut noisy);
    assert_eq!(y, noisy.state.h);
    let mut stayed = 0;
    for (old, new, got) in
        [(before.state.c, after.c, noisy.state.c), (before.state.h, after.h, noisy.state.h)]
    {
        for ((old, new), got) in old.iter().zip(&new).zip(&got) {
            assert!(got == old || got == new, "{got} is neither {old} nor {new}");
            stayed += usize::from(got == old);
        }
    }
    assert!((3..=19).contains(&stayed), "{stayed} of 24 stayed at rates of 0.6 and 0.3");
}

#[test]
#[should_panic(expected = "zoneout of `s`, but the state's fields are [\"h\", \"c\"]")]
fn zoneout_of_a_field_that_is_not_there() {
    Zoneout::new(lstm::<3, 4>()).field("s", 0.1).initial_state::<B>();
}

#[test]
fn a_reversed_sample_starts_at_its_own_end() {
    let net = Bidirectional::new(elman::<3, 4>(), elman::<3, 4>());
    let mut xs = inputs::<3>(5);
    for x in &mut xs[2..] {
        x.column_mut(1).fill(f64::NAN);
    }
    let (mut state, mut tape) = (net.initial_state::<B>(), net.tape());
    let ys = net.forward(Pass::of(&xs).lengths(LENGTHS), &mut state, &mut tape);

    let alone: Vec<_> = xs[..2].iter().map(|x| x.column(1).into_owned()).collect();
    let (mut state_alone, mut tape_alone) = (net.initial_state::<1>(), net.tape());
    for (t, y) in net.forward(&alone, &mut state_alone, &mut tape_alone).iter().enumerate() {
        assert!((ys[t].forward.column(1) - y.forward).amax() < 1e-15);
        assert!((ys[t].reverse.column(1) - y.reverse).amax() < 1e-15);
    }
    assert!((state.reverse.column(1) - state_alone.reverse).amax() < 1e-15);
    for (t, y) in ys.iter().enumerate() {
        for sample in (0..B).filter(|&sample| t >= LENGTHS[sample]) {
            assert!(y.forward.column(sample).iter().chain(&y.reverse.column(sample)).all(|&y| y == 0.0));
        }
    }
}

#[test]
#[should_panic(expected = "the tape holds a forward pass of 5 steps, but `dys` has 4")]
fn cotangents_of_another_length() {
    let net = Bidirectional::new(elman::<3, 4>(), elman::<3, 4>()).joined(Sum);
    let xs = inputs::<3>(5);
    let (mut state, mut tape) = (net.initial_state::<B>(), net.tape());
    net.forward(&xs, &mut state, &mut tape);
    net.backward(&xs, &mut tape, &[SMatrix::zeros(); 4], &mut net.zero_gradients());
}
