//! Noise-free sequences with a long lag (Hochreiter & Schmidhuber 1997, experiment 2a): one of two sequences, `y a1 .. a99 y` or `x a1 .. a99 x`, each
//! symbol to be predicted from those before it. All but the last follow from the symbol before; the last is the first, 100 steps ago.
//!
//! The paper: 101 inputs joined to 101 logistic outputs, and one hidden unit: a memory cell with an input gate, added when the error of the
//! rest no longer falls (10,504 weights), or a logistic unit joined to itself (10,404); weights from ±0.2, learning rate 1. It succeeds when all outputs
//! are within 0.25 at every step: in all of 18 runs with the cell, never by backpropagation through time.
//!
//! Ours: the same networks, weights, rate (read as one on the squared error) and criterion, tried on both sequences after each that is learned
//! from. The cell learns as in the paper: an update at every step, from derivatives that are carried forward. The other network has the gradient of the
//! whole sequence, an update a sequence. The paper leaves open when exactly the cell joins; ours joins after 1,000 sequences, which count. As `g` is positive,
//! the cell of a gate that is half open has 25 in it at the end of a sequence, and at this rate the outputs swing from 0 to 1 and back. So there is a second
//! setting, in which the gate has a fixed bias of -6 (the paper biases input gates in later experiments, none is in its count of weights here).

use crate::lstm_1997::counted;
use crate::table::{Options, Row, agreement};
use examples::jobs::Jobs;
use examples::train::Trainer;
use nalgebra::SVector;
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::bptt::Truncated;

/// The lag, and the number of the symbols: `a1` to `a99`, then `x` and `y`.
const LAG: usize = 100;
const SYMBOLS: usize = LAG + 1;
/// The paper's 1, for the gradient of half the squared error.
const RATE: f64 = 2.0;
const SEEDS: u64 = 6;
/// Sequences before the memory cell joins.
const ALONE: usize = 1000;
const TOLERANCE: f32 = 0.25;

type Symbol = SVector<f32, SYMBOLS>;

rnn_cell! {
    /// A memory cell with an input gate beside weights from the inputs to the outputs.
    ///
    /// The derivatives of `c` by the weights that write to it are states (the paper's equations A.12 and A.13): they add up while the sequence is
    /// read, whatever happens to the weights meanwhile. `s` has the value of `c` and these derivatives, so that the gradient of a single step is
    /// the whole one.
    cell Remembering<S> {
        input  x: [S];
        state  c: [];
        /// The derivatives of `c` by `w_i` and `w_c`.
        state  e_i, e_c: [S];
        param  W: [S, S] = uniform(0.2);
        param  w_i, w_c: [S] = uniform(0.2);
        param  w_y: [S] = uniform(0.2);
        /// 1 from the moment at which the cell joins.
        buffer joined: [] = 0;
        /// The gate's bias.
        buffer b: [] = 0;

        fn held(u) = stop_gradient(u);

        i = sigmoid(w_i.T @ x + b);
        g = sigmoid(w_c.T @ x);
        c = c[t-1] + joined * i * g;
        e_i = e_i[t-1] + joined * i * (1 - i) * g * x;
        e_c = e_c[t-1] + joined * i * g * (1 - g) * x;
        s = held(c) + sum(held(e_i) * (w_i - held(w_i)) + held(e_c) * (w_c - held(w_c)));
        y = sigmoid(W @ x + w_y * s);

        output y;
    }

    /// A logistic unit joined to itself beside the same weights.
    cell Recurring<S> {
        input  x: [S];
        state  h: [];
        param  W: [S, S] = uniform(0.2);
        param  w_h: [S] = uniform(0.2);
        param  u: [] = uniform(0.2);
        param  w_y: [S] = uniform(0.2);

        h = sigmoid(w_h.T @ x + u * h[t-1]);
        y = sigmoid(W @ x + w_y * h);

        output y;
    }
}

// The paper's counts of weights.
const _: () = assert!(Remembering::<SYMBOLS>::PARAMETER_COUNT == 10_504);
const _: () = assert!(Recurring::<SYMBOLS>::PARAMETER_COUNT == 10_404);

/// Both networks from several seeds.
pub fn run(options: &Options) -> Vec<Row> {
    let budget = options.either(20_000, 2);
    let seeds = options.either(SEEDS, 1);
    let mut jobs = Jobs::new();
    for bias in [0.0, -6.0] {
        for seed in options.seed..options.seed + seeds {
            jobs.add(move || remember(bias, budget, seed));
        }
    }
    for seed in options.seed..options.seed + seeds {
        jobs.add(move || recur(budget, seed));
    }
    let outcomes = jobs.run();
    let mut settings = outcomes.chunks(seeds as usize);
    let mut next = || settings.next().expect("as many as there are rows");
    let row = |setting: &str, published: &str, outcomes: &[Outcome], all: bool| {
        let solved = outcomes.iter().filter(|outcome| outcome.solved.is_some()).count();
        let errors: Vec<_> = outcomes.iter().map(|outcome| format!("{:.2}", outcome.error)).collect();
        Row::new(
            format!("{setting}: sequences until success"),
            published,
            counted(outcomes.iter().map(|outcome| outcome.solved)),
            format!(
                "{}, at most {budget} sequences; largest errors in the end {}",
                agreement(solved == if all { outcomes.len() } else { 0 }),
                errors.join(" ")
            ),
        )
    };
    vec![
        row("cell with an input gate, an update a step", "5,040 (18 of 18)", next(), true),
        row("the same, gate biased to -6", "-", next(), true),
        row("logistic RNN, BPTT", "never (0 %, 5,000,000)", next(), false),
    ]
}

/// How a training ended.
struct Outcome {
    /// Sequences until success, if it came.
    solved: Option<usize>,
    /// The largest error of any output on the two sequences in the end.
    error: f32,
}

/// The two sequences.
fn sequences() -> [Vec<Symbol>; 2] {
    let symbol = |at: usize| Symbol::from_fn(|row, _| f32::from(row == at));
    [LAG - 1, LAG].map(|end| [end].into_iter().chain(0..LAG - 1).chain([end]).map(symbol).collect())
}

/// Shows one of the sequences after the other to `learn`, which is told how many that makes and returns the largest error after it.
fn train(
    budget: usize,
    sequences: &[Vec<Symbol>; 2],
    rng: &mut Xoshiro256PlusPlus,
    mut learn: impl FnMut(usize, &[Symbol]) -> f32,
) -> Outcome {
    let mut error = f32::INFINITY;
    for shown in 1..=budget {
        error = learn(shown, &sequences[below(rng, 2)]);
        if error < TOLERANCE {
            return Outcome { solved: Some(shown), error };
        }
    }
    Outcome { solved: None, error }
}

/// The largest error of any output at any step.
fn largest_error<N>(net: &N, sequences: &[Vec<Symbol>; 2]) -> f32
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol>,
{
    let of = |symbols: &Vec<Symbol>| {
        let mut state = net.initial_state();
        let errors = symbols.windows(2).map(|pair| (net.step(&pair[0], &mut state) - pair[1]).amax());
        errors.fold(0.0, f32::max)
    };
    sequences.iter().map(of).fold(0.0, f32::max)
}

/// The memory cell, an update at every step.
fn remember(bias: f32, budget: usize, seed: u64) -> Outcome {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut net = Remembering::<SYMBOLS>::init(rng);
    net.b = bias;
    let (mut sgd, mut gradients) = (Sgd::new(RATE), net.zero_gradients());
    let mut steps: Truncated<_, 1> = Truncated::new(&net, 1, 1);
    let sequences = sequences();
    train(budget, &sequences, rng, |shown, symbols| {
        net.joined = if shown > ALONE { 1.0 } else { 0.0 };
        steps.start(net.initial_state());
        let xs = &symbols[..LAG];
        while let Some(step) = steps.forward(&net, xs) {
            // The gradient of half the squared error.
            let error = steps.outputs()[0] - symbols[step.end];
            gradients.set_zero();
            steps.backward(&net, xs, &[error], &mut gradients);
            sgd.step(&mut net, &gradients);
        }
        largest_error(&net, &sequences)
    })
}

/// The logistic unit, an update a sequence.
fn recur(budget: usize, seed: u64) -> Outcome {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let net = Recurring::<SYMBOLS>::init(rng);
    let mut trainer = Trainer::<_, _, 1>::new(net, Sgd::new(RATE), None);
    let sequences = sequences();
    train(budget, &sequences, rng, |_, symbols| {
        trainer.update(&symbols[..LAG], |ys, dys| {
            dys.clear();
            dys.extend(ys.iter().zip(&symbols[1..]).map(|(y, target)| y - target));
        });
        largest_error(&trainer.net, &sequences)
    })
}
