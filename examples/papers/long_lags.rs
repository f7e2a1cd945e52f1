//! Noise-free sequences with a long lag (Hochreiter & Schmidhuber 1997, experiment 2a): one of the
//! two sequences `y a1 .. a99 y` and `x a1 .. a99 x`. Each symbol must be predicted from the
//! previous ones. All but the last are determined by the previous symbol; the last equals the
//! first, 100 steps earlier.
//!
//! The paper: 101 inputs connected to 101 logistic outputs, and one hidden unit. The unit is either
//! a memory cell with an input gate, added when the error of the rest no longer falls (10,504
//! weights), or a logistic unit connected to itself (10,404). Weights are initialised in ±0.2, and
//! the learning rate is 1. A run succeeds when all outputs are within 0.25 at every step: 18 of 18
//! runs with the cell, none by backpropagation through time.
//!
//! Ours: the same networks, weights, rate (interpreted as one for the squared error) and criterion,
//! checked on both sequences after each training sequence. The cell learns as in the paper: an
//! update at every step, with derivatives that are carried forward. The other network has the
//! gradient of the whole sequence and one update per sequence. The paper does not state when
//! exactly the cell joins; ours joins after 1,000 sequences, which are included in the count. As
//! `g` is positive, a cell with a half-open gate contains 25 at the end of a sequence, and at this
//! rate the outputs swing between 0 and 1. So a second setting has a gate with a fixed bias of -6.
//! The paper biases input gates in later experiments, but its number of weights here includes no
//! bias.

use crate::lstm_1997::counted;
use crate::table::{Options, Row, agreement};
use examples::jobs::Jobs;
use nalgebra::SVector;
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::Trainer;

/// The lag.
const LAG: usize = 100;
/// The number of symbols: `a1` to `a99`, `x` and `y`.
const SYMBOLS: usize = LAG + 1;
/// The paper's rate of 1, converted to the gradient of half the squared error.
const RATE: f64 = 2.0;
const SEEDS: u64 = 6;
/// The number of sequences before the memory cell joins.
const ALONE: usize = 1000;
const TOLERANCE: f32 = 0.25;

type Symbol = SVector<f32, SYMBOLS>;

rnn_cell! {
    /// A memory cell with an input gate, and weights from the inputs to the outputs.
    ///
    /// The derivatives of `c` by the weights that write to it are states (the paper's equations
    /// A.12 and A.13). They accumulate while the sequence is read, even if the weights change
    /// meanwhile. `s` has the value of `c` and these derivatives, so that the gradient of a single
    /// step is the whole gradient.
    cell Remembering<S> {
        input  x: [S];
        state  c: [];
        /// The derivatives of `c` by `w_i` and `w_c`.
        state  e_i, e_c: [S];
        param  W: [S, S] = uniform(0.2);
        param  w_i, w_c: [S] = uniform(0.2);
        param  w_y: [S] = uniform(0.2);
        /// 0 before the cell joins, 1 after that.
        buffer joined: [] = 0;
        /// The bias of the gate.
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

    /// A logistic unit connected to itself, and the same weights from the inputs to the outputs.
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

// The numbers of weights in the paper.
const _: () = assert!(Remembering::<SYMBOLS>::PARAMETER_COUNT == 10_504);
const _: () = assert!(Recurring::<SYMBOLS>::PARAMETER_COUNT == 10_404);

/// Trains both networks with several seeds.
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
    let mut next = || settings.next().expect("there are as many settings as rows");
    let row = |setting: &str, published: &str, outcomes: &[Outcome], all: bool| {
        let solved = outcomes.iter().filter(|outcome| outcome.solved.is_some()).count();
        let errors: Vec<_> = outcomes.iter().map(|outcome| format!("{:.2}", outcome.error)).collect();
        Row::new(
            format!("{setting}: sequences until success"),
            published,
            counted(outcomes.iter().map(|outcome| outcome.solved)),
            format!(
                "{}, at most {budget} sequences; largest final errors {}",
                agreement(solved == if all { outcomes.len() } else { 0 }),
                errors.join(" ")
            ),
        )
    };
    vec![
        row("cell with an input gate, one update per step", "5,040 (18 of 18)", next(), true),
        row("the same, gate biased to -6", "-", next(), true),
        row("logistic RNN, BPTT", "never (0 %, 5,000,000)", next(), false),
    ]
}

/// The result of a training run.
struct Outcome {
    /// The number of sequences until success, if there was one.
    solved: Option<usize>,
    /// The largest final error of any output on the two sequences.
    error: f32,
}

/// Returns the two sequences.
fn sequences() -> [Vec<Symbol>; 2] {
    let symbol = |at: usize| Symbol::from_fn(|row, _| f32::from(row == at));
    [LAG - 1, LAG].map(|end| [end].into_iter().chain(0..LAG - 1).chain([end]).map(symbol).collect())
}

/// Calls `learn` with a random one of the sequences until success or until the budget is used.
/// `learn` reads the number of sequences so far and returns the largest error after the update.
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

/// Returns half the squared error of an output, and its gradient.
fn half_square(error: Symbol) -> (f32, Symbol) {
    (0.5 * error.norm_squared(), error)
}

/// Returns the largest error of any output at any step.
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

/// Trains the memory cell, with one update per step.
fn remember(bias: f32, budget: usize, seed: u64) -> Outcome {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut net = Remembering::<SYMBOLS>::init(rng);
    net.b = bias;
    let mut trainer = Trainer::new::<1>(net, Sgd::new(RATE)).truncated(1, 1);
    let sequences = sequences();
    train(budget, &sequences, rng, |shown, symbols| {
        trainer.model.joined = if shown > ALONE { 1.0 } else { 0.0 };
        let loss = trainer.step(&symbols[..LAG], |out| out.sum(|t, y| half_square(y - symbols[t + 1])));
        loss.expect("the loss is finite");
        largest_error(&trainer.model, &sequences)
    })
}

/// Trains the logistic unit, with one update per sequence.
fn recur(budget: usize, seed: u64) -> Outcome {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let net = Recurring::<SYMBOLS>::init(rng);
    let mut trainer = Trainer::new::<1>(net, Sgd::new(RATE));
    let sequences = sequences();
    train(budget, &sequences, rng, |_, symbols| {
        let loss = trainer.step(&symbols[..LAG], |out| out.sum(|t, y| half_square(y - symbols[t + 1])));
        loss.expect("the loss is finite");
        largest_error(&trainer.model, &sequences)
    })
}
