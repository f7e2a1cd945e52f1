//! A step allocates nothing. Forward and backward passes allocate nothing once their tape has held
//! a sequence of the same length.

use allocation_counter::measure;
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Dense, Gru, LayerNormLstm, Lstm, MinGru, NamLayer, TcnBlock};
use rnn_cell::prelude::*;
use rnn_cell::train::bptt::{Checkpointed, Truncated};
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{Bptt, FullBptt, Schedule, Trainer};
use rnn_cell::types::varying::Varying;
use rnn_cell::weights::Family;
use rnn_cell::weights::nam::{self, Create};
use std::hint::black_box;
use tests::exactness::{random, random_sequence, rng};

rnn_cell! {
    /// A cell with features that the library's cells lack: an index as input, a context, a matrix
    /// as state, several inputs and outputs, a learned initial state.
    pub cell Everything<I, H, S, V> {
        input   x: [I], w: one_hot[V];
        context K: [H, S];
        param   h_0: [H] = uniform(0.5);
        state   h: [H] = h_0;
        state   M: [H, S];
        param   E: [H, V] = normal(0.3);
        param   W: [H, H + I];
        param   U: [H, H];
        param   gain: [H] = 1, bias: [H];

        a = softmax(h[t-1].T @ K);
        M = 0.9 * M[t-1] + tanh(E @ w) @ a;
        r = K @ a.T + M @ a.T;
        h = layer_norm(W @ [h[t-1], x] + U @ r, gain, bias);
        y = sum(h * r);

        output h, y;
    }
}

/// The number of steps of the longest sequence.
const STEPS: usize = 7;

/// Asserts that `work` allocates nothing.
#[track_caller]
fn allocates_nothing(what: &str, work: impl FnOnce()) {
    let info = measure(work);
    assert_eq!(info.count_total, 0, "{what}: {info:?}");
}

/// Checks steps and passes of a cell at batch `B`.
fn check<const B: usize, L>(name: &str, cell: &L)
where
    L: Cell<B, Scalar = f64, Context = (), Input: Varying<f64>, InputBar: Varying<f64>>,
{
    let mut rng = rng(3);
    let xs: Vec<L::Input> = random_sequence(&mut rng, STEPS);
    let dys: Vec<L::Output> = random_sequence(&mut rng, STEPS);
    let mut dxs: Vec<L::InputBar> = random_sequence(&mut rng, STEPS);
    let (mut state, mut dstate): (L::State, _) = (random(&mut rng), cell.zero_state());
    let mut grads = cell.zero_gradients();

    // Even the first step allocates nothing.
    allocates_nothing(&format!("{name}, batch {B}: steps"), || {
        for x in &xs {
            black_box(cell.step(x, &mut state));
        }
    });

    let mut tape = cell.tape();
    let mut run = |pass: Pass<'_, L::Input, (), B>| {
        let steps = pass.xs.len();
        black_box(cell.forward(pass, &mut state, &mut tape));
        let bars = Bars::of(&mut grads).state(&mut dstate).inputs(&mut dxs[..steps]);
        cell.backward(pass, &mut tape, &dys[..steps], bars);
    };
    let whole = Pass::of(&xs);
    run(whole);
    for steps in [STEPS, STEPS - 3, 1, 0, STEPS] {
        let what = format!("{name}, batch {B}: a pass of {steps} steps");
        allocates_nothing(&what, || run(whole.window(0..steps)));
    }
    let ragged = whole.lengths(std::array::from_fn(|sample| STEPS.saturating_sub(2 * sample)));
    run(ragged);
    allocates_nothing(&format!("{name}, batch {B}: a ragged pass"), || run(ragged));
}

macro_rules! check {
    ($($cell:expr),* $(,)?) => {$(
        let (name, cell) = (stringify!($cell), $cell);
        check::<1, _>(name, &*cell);
        check::<4, _>(name, &*cell);
    )*};
}

#[test]
fn library_cells_allocate_nothing() {
    check! {
        Lstm::<3, 20, f64>::init_boxed(&mut rng(1)),
        Gru::<16, 16, f64>::init_boxed(&mut rng(1)),
        LayerNormLstm::<2, 5, f64>::init_boxed(&mut rng(1)),
        MinGru::<3, 4, f64>::init_boxed(&mut rng(1)),
        Dense::<3, 4, f64>::init_boxed(&mut rng(1)),
        TcnBlock::<3, 4, 3, 2, f64>::init_boxed(&mut rng(1)),
        NamLayer::<1, 4, 5, f64>::init_boxed(&mut rng(1)),
    }
}

/// A loaded amplifier plays any block without an allocation, even the first.
#[test]
fn players_allocate_nothing() {
    let bytes = nam::save(&*nam::A2Nano::<f32>::init_boxed(&mut rng(1)), &nam::Info::default()).unwrap();
    let file = nam::File::read(&bytes).unwrap();
    let mut amp = Family::of(&file).or(nam::A2Nano::zeros_boxed).load().unwrap();
    let (dry, mut wet) = (vec![SVector::<f32, 1>::new(0.1); 1000], vec![SVector::zeros(); 1000]);
    for block in [64, 1, 1000, 64, 37] {
        allocates_nothing("a player", || amp.run(&dry[..block], &mut wet[..block]));
    }
}

#[test]
fn contexts_and_indices_allocate_nothing() {
    let cell = Everything::<3, 6, 5, 4, f64>::init(&mut rng(1));
    check::<1, _>("Everything", &cell.with(&random(&mut rng(2))));
    check::<4, _>("Everything", &cell.with(&random(&mut rng(2))));
}

/// The tape of a network also holds the values between its layers and its noise.
#[test]
fn networks_allocate_nothing() {
    let lstm = |seed| Lstm::<4, 4, f64>::init(&mut rng(seed));
    let residual = Residual::new(Dropout::new(lstm(1), 0.5));
    let zoned = Zoneout::new(lstm(2)).field("c", 0.5);
    check::<4, _>("network", &Stack(Stack(residual, zoned), Dense::<4, 4, f64>::init(&mut rng(3))));

    let both = Bidirectional::new(Dropout::variational(lstm(4), 0.5), lstm(5)).joined(Concat::<8>);
    let xs: Vec<SMatrix<f64, 4, 4>> = random_sequence(&mut rng(6), STEPS);
    let dys: Vec<SMatrix<f64, 8, 4>> = random_sequence(&mut rng(7), STEPS);
    let (mut tape, mut grads, mut dxs) = (both.tape(), both.zero_gradients(), xs.clone());
    for pass in [Pass::of(&xs), Pass::of(&xs).lengths([7, 5, 3, 1])] {
        let mut run = || {
            let (mut state, mut dstate) = (both.initial_state(), both.zero_state());
            both.seed_noise(&mut state, &mut rng(8));
            both.forward(pass, &mut state, &mut tape);
            let bars = Bars::of(&mut grads).state(&mut dstate).inputs(&mut dxs);
            both.backward(pass, &mut tape, &dys, bars);
        };
        run();
        allocates_nothing("both directions", run);
    }
}

#[test]
fn drivers_allocate_nothing() {
    let lstm = Lstm::<3, 20, f64>::init_boxed(&mut rng(1));
    let xs: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng(2), 300);
    let dys: Vec<SMatrix<f64, 20, 4>> = random_sequence(&mut rng(3), 300);
    let mut grads = lstm.zero_gradients();
    let mut checkpointed = Checkpointed::new().keep(2);
    let mut by_segments = || {
        checkpointed.forward(&*lstm, &xs, &mut lstm.zero_state());
        let loss = |steps, _: &[_], own: &mut [_]| own.copy_from_slice(&dys[steps]);
        checkpointed.backward(&*lstm, &xs, loss, &mut grads);
    };
    by_segments();
    allocates_nothing("checkpoints", by_segments);

    let mut truncated = Truncated::new(&*lstm, 20, 50);
    let pass = Pass::of(&xs).lengths([300, 7, 150, 151]);
    let mut by_windows = || {
        truncated.start(lstm.zero_state());
        while let Some(block) = truncated.forward(&lstm, pass) {
            truncated.backward(&lstm, pass, &dys[block], &mut grads);
        }
    };
    by_windows();
    allocates_nothing("windows", by_windows);
}

/// The first update of a trainer makes its tapes and the moments of the optimiser. The others
/// allocate nothing, in each form of backpropagation through time.
#[test]
fn steps_of_a_trainer_allocate_nothing() {
    type Net = Stack<Dropout<Lstm<3, 20, f64>>, Dense<20, 1, f64>>;

    fn check<W: Bptt<Net, 4>>(
        what: &str,
        configure: impl FnOnce(Trainer<Net, Adam<f64>, FullBptt<Net, 4>>) -> Trainer<Net, Adam<f64>, W>,
    ) {
        let mut rng = rng(1);
        let net = Stack::new(Dropout::new(Lstm::init(&mut rng), 0.3), Dense::init(&mut rng));
        let trainer = Trainer::new::<4>(net, Adam::new(1e-3));
        let trainer = trainer.clip_norm(1.0).weight_noise(0.01).schedule(Schedule::cosine(1e-3, 100));
        let mut trainer = configure(trainer);
        let xs: Vec<SMatrix<f64, 3, 4>> = random_sequence(&mut rng, 100);
        for lengths in [[100; 4], [100, 7, 50, 51]] {
            let pass = Pass::of(&xs).lengths(lengths);
            let mut step = || {
                let loss =
                    |_, y: &_, weights: &_| mean_squared_error_weighted(y, &SMatrix::repeat(0.3), weights);
                black_box(trainer.step(pass, |out| out.every_step(loss)).unwrap());
            };
            // The first update may come after two batches.
            step();
            step();
            allocates_nothing(what, &mut step);
            allocates_nothing(what, &mut step);
        }
    }

    check("whole sequences", |trainer| trainer);
    check("carried states", |trainer| trainer.carry_state());
    check("accumulated batches", |trainer| trainer.accumulate(2));
    check("truncated", |trainer| trainer.truncated(15, 40));
    check("checkpointed", |trainer| trainer.checkpointed());
}

/// Checks the guard itself.
#[test]
#[should_panic(expected = "a longer sequence")]
fn a_growing_tape_is_counted() {
    let cell = Lstm::<1, 1, f64>::init(&mut rng(1));
    let (mut state, mut tape) = (cell.zero_state::<1>(), cell.tape());
    let xs = random_sequence(&mut rng(2), 100);
    cell.forward(&xs[..2], &mut state, &mut tape);
    allocates_nothing("a longer sequence", || {
        cell.forward(&xs, &mut state, &mut tape);
    });
}
