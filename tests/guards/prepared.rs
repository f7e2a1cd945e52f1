//! Prepared handles that own their layer: they step like the layer, bit for bit, allocate nothing,
//! and live in a struct that other threads use.

use std::sync::{Arc, Mutex};

use allocation_counter::measure;
use rnn_cell::cell::{Accuracy, Approximate, FiveDecimals, FourDecimals, Isa, Layer, Prepare, Prepared};
use rnn_cell::cells::{
    AdditiveAttention, AdditiveAttentionContext, Dense, DenseState, Gru, InitialStateLstm, Lstm,
    SelectiveSsm, SelectiveSsmState, UgRnn,
};
use rnn_cell::network::{Map, Parallel, Sum};
use rnn_cell::prelude::*;
use rnn_cell::quantised::Int8;
use rnn_cell::rng::uniform;
use rnn_cell::types::varying::Varying;
use tests::exactness::{random, random_sequence, rng};

const STEPS: usize = 12;

/// Returns the bits of all scalars.
fn bits(value: &impl Varying<f64>) -> Vec<u64> {
    let mut bits = vec![];
    value.scalars(&mut |x| bits.push(x.to_bits()));
    bits
}

/// Compares the steps of a layer with those of a handle that holds it as `held`, with noise if the
/// layer has any.
fn agrees<const B: usize, L, H>(name: &str, layer: &L, held: H)
where
    L: Cell<B, Scalar = f64, Context = (), Input: Varying<f64>>,
    H: Prepare<
            B,
            Scalar = f64,
            Context = (),
            Input = <L as Layer<B>>::Input,
            Output = <L as Layer<B>>::Output,
            State = <L as Layer<B>>::State,
        >,
{
    let prepared = Prepared::new(held);
    let (mut state, mut own) = (layer.initial_state(), prepared.initial_state());
    assert_eq!(bits(&own), bits(&state), "{name}: initial state");
    layer.seed_noise(&mut state, &mut rng(3));
    layer.seed_noise(&mut own, &mut rng(3));
    let xs: Vec<<L as Layer<B>>::Input> = random_sequence(&mut rng(4), STEPS);
    let mut ys = Vec::with_capacity(STEPS);
    let allocated = measure(|| ys.extend(xs.iter().map(|x| prepared.step(x, &mut own))));
    assert_eq!(allocated.count_total, 0, "{name}: {allocated:?}");
    for (x, y) in xs.iter().zip(&ys) {
        assert_eq!(bits(y), bits(&layer.step_with(x, &(), &mut state)), "{name}");
    }
    assert_eq!(bits(&own), bits(&state), "{name}: final state");
}

type Ssm = SelectiveSsm<4, 2, 1, f64>;

#[test]
fn a_handle_steps_like_its_layer() {
    let ssm = Ssm::init(&mut rng(1));
    agrees::<1, _, _>("by reference", &ssm, &ssm);
    agrees::<1, _, _>("by value", &ssm, ssm.clone());
    agrees::<3, _, _>("in a box", &ssm, Box::new(ssm.clone()));
    agrees::<3, _, _>("shared", &ssm, Arc::new(ssm.clone()));
    let lstm = InitialStateLstm::<3, 5, f64>::init(&mut rng(2));
    agrees::<2, _, _>("without prepared values", &lstm, &lstm);

    let net = Stack(ssm.clone(), Residual::new(Lstm::<4, 4, f64>::init(&mut rng(3))))
        .then(Dense::init(&mut rng(4)));
    let net: Stack<_, Dense<4, 2, f64>> = net;
    agrees::<1, _, _>("a network", &net, net.clone());
    agrees::<2, _, _>("a network in a box", &net, Box::new(net.clone()));
    let map = Map::new(|x: &SVector<f64, 4>| x * 2.0, |_, dy: &SVector<f64, 4>| dy * 2.0);
    let branches = Parallel::new(ssm.clone().then(map), Lstm::<4, 4, f64>::init(&mut rng(7)), Sum);
    agrees::<1, _, _>("branches", &branches, &branches);
    agrees::<3, _, _>("branches", &branches, &branches);
    let gru = Zoneout::new(Gru::<4, 4, f64>::init(&mut rng(5))).field("h", 0.3);
    let noisy = Stack(Dropout::new(ssm.clone(), 0.4), gru);
    agrees::<2, _, _>("noise", &noisy, &noisy);

    let (attention, context) = attention();
    let bound = attention.with(&context);
    agrees::<1, _, _>("a bound context", &bound, &bound);
}

fn attention() -> (AdditiveAttention<3, 4, 5, 6, f64>, AdditiveAttentionContext<4, 6, 1, f64>) {
    let attention = AdditiveAttention::init(&mut rng(6));
    (attention, AdditiveAttentionContext { M: random(&mut rng(7)), ..Default::default() })
}

#[test]
fn a_handle_owns_a_context() {
    let (attention, context) = attention();
    let handle = Prepared::with(attention.clone(), Box::new(context.clone()));
    let borrowed = attention.prepare(&context);
    for x in random_sequence::<SVector<f64, 3>>(&mut rng(8), STEPS) {
        let wanted = attention.step((&x, &context), &mut attention.zero_state());
        assert_eq!(handle.step(&x, &mut attention.zero_state()), wanted);
        assert_eq!(borrowed.step(&x, &mut attention.zero_state()), wanted);
    }
    assert_eq!(*handle.into_parts().1, context);
}

#[test]
fn a_handle_of_a_quantised_copy() {
    let copy = Gru::<3, 8, f64>::init(&mut rng(1)).quantised::<Int8>().unwrap();
    let handle = Prepared::new(Box::new(copy.clone()));
    let (mut state, mut own) = (copy.initial_state::<1>(), handle.initial_state());
    for x in random_sequence(&mut rng(2), STEPS) {
        assert_eq!(handle.step(&x, &mut own), copy.step(&x, &mut state));
    }
}

/// A plug-in: it owns its network, and is sent to the audio thread.
struct PlugIn {
    net: Prepared<Stack<Arc<Ssm>, Dense<4, 1, f64>>>,
    state: (SelectiveSsmState<4, 2, 1, f64>, DenseState<1, f64>),
}

impl PlugIn {
    fn play(&mut self, xs: &[SVector<f64, 4>]) -> Vec<f64> {
        xs.iter().map(|x| self.net.step(x, &mut self.state)[0]).collect()
    }
}

#[test]
fn streams_on_several_threads_share_a_cell() {
    let shared = Arc::new(Ssm::init(&mut rng(1)));
    let dense = Dense::init(&mut rng(2));
    let make = || {
        let net = Prepared::new(Stack(Arc::clone(&shared), dense.clone()));
        PlugIn { state: net.initial_state(), net }
    };
    let xs: Vec<SVector<f64, 4>> = random_sequence(&mut rng(3), STEPS);
    let wanted = make().play(&xs);
    let plug_ins: Vec<Mutex<PlugIn>> = (0..3).map(|_| Mutex::new(make())).collect();
    let plug_ins = Arc::new(plug_ins);
    let threads: Vec<_> = (0..3)
        .map(|number| {
            let (plug_ins, xs) = (Arc::clone(&plug_ins), xs.clone());
            std::thread::spawn(move || plug_ins[number].lock().unwrap().play(&xs))
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), wanted);
    }
}

/// A hand-written cell: a gain in nepers.
struct Gain(f64);

impl<const B: usize> Prepare<B> for Gain {
    type Scalar = f64;
    type Context = ();
    type Input = SMatrix<f64, 4, B>;
    type Output = SMatrix<f64, 4, B>;
    type State = ();
    type Fixed = f64;

    fn prepare_on<S: Isa>(&self, _: S, (): &()) -> f64 {
        self.0.exp()
    }

    fn step_on<S: Isa>(&self, _: S, factor: &f64, x: &Self::Input, (): &(), (): &mut ()) -> Self::Output {
        x * *factor
    }
}

#[test]
fn a_hand_written_cell_in_a_prepared_network() {
    let ssm = Ssm::init(&mut rng(1));
    let handle = Prepared::new(Stack(Gain(0.25), &ssm));
    let (mut own, mut state) = (handle.initial_state(), ssm.initial_state());
    for x in random_sequence::<SMatrix<f64, 4, 2>>(&mut rng(2), STEPS) {
        assert_eq!(handle.step(&x, &mut own), ssm.step(&(x * 0.25_f64.exp()), &mut state));
    }
}

/// Streams `steps` inputs through a layer, exactly and approximately. Returns the largest
/// difference of an output. Blocks must give the bits of single steps, and nothing may be
/// allocated.
fn difference<A: Accuracy, const B: usize, L>(layer: &L, steps: usize) -> f64
where
    L: Prepare<B, Scalar: Into<f64>, Context = (), Input: Varying<L::Scalar>, Output: Varying<L::Scalar>>,
    L::State: Clone,
    L::Output: Clone,
{
    let exact = Prepared::new(layer);
    let near = Prepared::new(layer).approximate::<A>();
    let (mut exact_state, mut state) = (exact.initial_state(), near.initial_state());
    let mut in_blocks = state.clone();
    let mut numbers = rng(4);
    let mut input = || {
        let mut x = L::Input::zero();
        x.scalars_mut(&mut |x| *x = L::Scalar::of(uniform(&mut numbers, -1.0, 1.0)));
        x
    };
    let xs: Vec<L::Input> = (0..steps).map(|_| input()).collect();
    let mut ys: Vec<L::Output> = (0..steps).map(|_| Varying::zero()).collect();
    let allocated = measure(|| {
        for (xs, ys) in xs.chunks(64).zip(ys.chunks_mut(64)) {
            near.run(xs, ys, &mut in_blocks);
        }
    });
    assert_eq!(allocated.count_total, 0, "{allocated:?}");
    let mut largest = 0.0f64;
    for (x, y) in xs.iter().zip(&ys) {
        let mut one = vec![];
        near.step(x, &mut state).scalars(&mut |y| one.push(y));
        let mut at = one.iter();
        y.scalars(&mut |y| assert_eq!(Some(&y), at.next(), "a block differs from a step"));
        let mut at = one.iter();
        exact.step(x, &mut exact_state).scalars(&mut |y| {
            let near = at.next().copied().expect("outputs of one size");
            largest = largest.max((y - near).into().abs());
        });
    }
    largest
}

/// Checks the largest differences of both accuracies. They are at most three times the error of
/// `tanh`, and at least three tenths, since exact steps must not pass for approximate ones.
fn near<const B: usize, L>(name: &str, layer: &L, steps: usize)
where
    L: Prepare<B, Scalar: Into<f64>, Context = (), Input: Varying<L::Scalar>, Output: Varying<L::Scalar>>,
    L::State: Clone,
    L::Output: Clone,
{
    let four = difference::<FourDecimals, B, _>(layer, steps);
    let five = difference::<FiveDecimals, B, _>(layer, steps);
    println!("{name}: {four:.1e}, {five:.1e}");
    assert!((3e-5..3e-4).contains(&four), "{name}: {four:e}");
    assert!((3e-6..3e-5).contains(&five), "{name}: {five:e}");
}

#[test]
fn approximate_steps_are_near_the_exact_ones() {
    let lstm = Lstm::<1, 16>::init(&mut rng(1));
    near::<1, _>("10,000 steps of an LSTM", &lstm, 10_000);
    near::<3, _>("a batch", &lstm, 200);
    near::<1, _>("f64", &Lstm::<1, 16, f64>::init(&mut rng(1)), 200);
    near::<1, _>("a GRU", &Gru::<3, 8>::init(&mut rng(2)), 200);
    near::<1, _>("an odd size", &UgRnn::<3, 7>::init(&mut rng(2)), 200);
    let copy = lstm.quantised::<Int8>().unwrap();
    near::<1, _>("a quantised copy", &copy, 200);
    let net = Stack(lstm, Residual::new(Gru::<16, 16>::init(&mut rng(3))));
    near::<1, _>("a network", &net, 200);
}

/// A layer without `tanh` and `sigmoid`, and the layers of a network that aren't wrapped, stay
/// exact.
#[test]
fn everything_else_stays_exact() {
    let ssm = SelectiveSsm::<4, 2, 1>::init(&mut rng(1));
    assert_eq!(difference::<FourDecimals, 1, _>(&ssm, 50), 0.0);
    let (lstm, dense) = (Lstm::<3, 8, f64>::init(&mut rng(2)), Dense::<8, 2, f64>::init(&mut rng(3)));
    let half = Prepared::new(Stack(Approximate::<_, FourDecimals>::new(&lstm), &dense));
    let near = lstm.prepare::<1>().approximate::<FourDecimals>();
    let (mut state, mut own) = (half.initial_state(), near.initial_state());
    for x in random_sequence::<SVector<f64, 3>>(&mut rng(4), STEPS) {
        let h = near.step(&x, &mut own);
        assert_eq!(half.step(&x, &mut state), dense.step(&h, &mut dense.zero_state()));
    }
}
