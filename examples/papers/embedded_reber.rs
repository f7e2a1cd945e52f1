//! The embedded Reber grammar (Hochreiter & Schmidhuber 1997, experiment 1): predict the legal next
//! symbols at every step. The last symbol but one repeats the second, so it must be remembered over
//! the inner string.
//!
//! The paper: 256 strings for training and 256 for the test. A run succeeds if the units of the
//! legal next symbols are the most active ones at every step of all 512 strings. The network has
//! three blocks of two cells and 276 weights initialised in ±0.2. It is trained string by string by
//! gradient descent at a rate of 0.5 on the squared error of sigmoid outputs. The gradient is
//! truncated outside of the cells. Elman's networks have 15 hidden units (Cleeremans et al. 1989)
//! and 200,000 strings.
//!
//! Ours: the same network, judging by its number of weights, with an update at every step and the
//! truncated gradient. (We read the string so far again with the current weights, where the paper
//! carries derivatives forward.) The other rows are the same network with the whole gradient of a
//! string, an LSTM with a forget gate, and Elman's network with its original gradient of one step
//! and with the gradient of the whole string. Each run has at most 100,000 strings and is checked
//! for success after each of them. We tried rates for Adam with ten seeds: 0.005 and 0.01 did
//! equally well for the two LSTMs together, and 0.02 did worse.

use crate::table::{Options, Row};
use examples::jobs::Jobs;
use examples::reber::{ReberString, SYMBOLS, predicts};
use examples::report::mean_and_deviation;
use nalgebra::SVector;
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::Trainer;

rnn_cell! {
    /// The network of 1997: K blocks of two cells that share an input and an output gate, without a
    /// forget gate. Every unit reads the input and all cells and gates of the previous step; the
    /// outputs read the cells.
    cell Blocks<I, K, O> {
        input  x: [I];
        /// The outputs and the states of the blocks' first and second cells, and the gates.
        state  y_1, y_2, c_1, c_2, i, o: [K];
        param  W_1, W_2, W_i, W_o: [K, 4*K + I] = uniform(0.2);
        param  b_i: [K] = uniform(0.2);
        param  b_o: [K] = from_fn(output_gate_bias);
        param  V: [O, 2*K] = uniform(0.2);

        fn g(u) = 4 * sigmoid(u) - 2;
        fn h(u) = 2 * sigmoid(u) - 1;

        i = sigmoid(W_i @ [y_1[t-1], y_2[t-1], i[t-1], o[t-1], x] + b_i);
        o = sigmoid(W_o @ [y_1[t-1], y_2[t-1], i[t-1], o[t-1], x] + b_o);
        c_1 = c_1[t-1] + i * g(W_1 @ [y_1[t-1], y_2[t-1], i[t-1], o[t-1], x]);
        c_2 = c_2[t-1] + i * g(W_2 @ [y_1[t-1], y_2[t-1], i[t-1], o[t-1], x]);
        y_1 = o * h(c_1);
        y_2 = o * h(c_2);
        y = sigmoid(V @ [y_1, y_2]);

        output y;
    }

    /// The same network with the paper's gradient, which goes back only along `c_1` and `c_2`.
    cell CutBlocks<I, K, O> {
        input  x: [I];
        state  y_1, y_2, c_1, c_2, i, o: [K];
        param  W_1, W_2, W_i, W_o: [K, 4*K + I] = uniform(0.2);
        param  b_i: [K] = uniform(0.2);
        param  b_o: [K] = from_fn(output_gate_bias);
        param  V: [O, 2*K] = uniform(0.2);

        fn g(u) = 4 * sigmoid(u) - 2;
        fn h(u) = 2 * sigmoid(u) - 1;

        before = stop_gradient([y_1[t-1], y_2[t-1], i[t-1], o[t-1]]);
        i = sigmoid(W_i @ [before, x] + b_i);
        o = sigmoid(W_o @ [before, x] + b_o);
        c_1 = c_1[t-1] + i * g(W_1 @ [before, x]);
        c_2 = c_2[t-1] + i * g(W_2 @ [before, x]);
        y_1 = o * h(c_1);
        y_2 = o * h(c_2);
        y = sigmoid(V @ [y_1, y_2]);

        output y;
    }

    /// The LSTM with a forget gate and the same kind of outputs.
    cell Forgetting<I, H, O> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_f, W_g, W_o: [H, H + I];
        param  b_i, b_g, b_o: [H];
        param  b_f: [H] = 1;
        param  V: [O, H];
        param  b_y: [O];

        i = sigmoid(W_i @ [h[t-1], x] + b_i);
        f = sigmoid(W_f @ [h[t-1], x] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        o = sigmoid(W_o @ [h[t-1], x] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);
        y = sigmoid(V @ h + b_y);

        output y;
    }

    /// Elman's network with its original training: the context is an ordinary input, and no
    /// gradient goes through it.
    cell ElmanOneStep<I, H, O> {
        input  x: [I];
        state  h: [H];
        param  W: [H, H + I];
        param  b: [H];
        param  V: [O, H];
        param  b_y: [O];

        h = sigmoid(W @ [stop_gradient(h[t-1]), x] + b);
        y = sigmoid(V @ h + b_y);

        output y;
    }

    /// Elman's network with backpropagation through time.
    cell ElmanThroughTime<I, H, O> {
        input  x: [I];
        state  h: [H];
        param  W: [H, H + I];
        param  b: [H];
        param  V: [O, H];
        param  b_y: [O];

        h = sigmoid(W @ [h[t-1], x] + b);
        y = sigmoid(V @ h + b_y);

        output y;
    }
}

/// Returns the output gate bias of a block, -1, -2 or -3, so that the gates open one after the
/// other.
fn output_gate_bias(block: usize, _: usize) -> f64 {
    -1.0 - block as f64
}

type Lstm1997 = Blocks<SYMBOLS, 3, SYMBOLS>;
type CutLstm1997 = CutBlocks<SYMBOLS, 3, SYMBOLS>;
const _: () = assert!(Lstm1997::PARAMETER_COUNT == 276, "the number of weights in the paper");

const TRAINING: usize = 256;
const TESTED: usize = 256;
const LIMIT: usize = 100_000;
const SEEDS: u64 = 20;
/// The number of steps between updates that means one update per string.
const STRING: usize = usize::MAX / 2;
const PAPER_RATE: f64 = 0.5;
const ADAM_RATE: f64 = 5e-3;

type Symbol = SVector<f32, SYMBOLS>;

/// Trains each network with several seeds.
pub fn run(options: &Options) -> Vec<Row> {
    let sgd = || Sgd::new(PAPER_RATE);
    let adam = || Adam::new(ADAM_RATE);
    let published = outcomes(options, 1, CutLstm1997::init, sgd);
    let first = outcomes(options, STRING, Lstm1997::init, sgd);
    let first_adam = outcomes(options, STRING, Lstm1997::init, adam);
    let forgetting = outcomes(options, STRING, Forgetting::<SYMBOLS, 6, SYMBOLS>::init, adam);
    let one_step = outcomes(options, STRING, ElmanOneStep::<SYMBOLS, 15, SYMBOLS>::init, adam);
    let through_time = outcomes(options, STRING, ElmanThroughTime::<SYMBOLS, 15, SYMBOLS>::init, adam);
    vec![
        row("LSTM of 1997, 3 x 2 cells, gradient descent at 0.5", Some((100.0, Some(8440.0))), &published),
        row("the same, whole gradient, one update per string", None, &first),
        row("the same, whole gradient, Adam at 0.005", None, &first_adam),
        row("LSTM with forget gate, 6 cells, Adam at 0.005", None, &forgetting),
        row("Elman, 15 units, gradient of one step, Adam at 0.005", Some((0.0, None)), &one_step),
        row("the same, gradient of the whole string", None, &through_time),
    ]
}

/// Formats the share of successful runs in percent and their number of strings. `published` is the
/// same pair.
fn row(setting: &str, published: Option<(f64, Option<f64>)>, outcomes: &[Option<usize>]) -> Row {
    let strings: Vec<f64> = outcomes.iter().flatten().map(|&strings| strings as f64).collect();
    let runs = outcomes.len();
    let share = 100.0 * strings.len() as f64 / runs as f64;
    let (mean, deviation) = mean_and_deviation(&strings);
    let mut ours = format!("{} of {runs} runs", strings.len());
    if !strings.is_empty() {
        ours += &format!("; {mean:.0} ± {deviation:.0} strings");
    }
    let Some((published_share, published_strings)) = published else {
        return Row::new(setting, "-", ours, "");
    };
    let mut theirs = format!("{published_share:.0} % of runs");
    let mut verdict = format!("{:+.0} points", share - published_share);
    if let Some(published) = published_strings {
        theirs += &format!("; {published:.0} strings");
        if !strings.is_empty() {
            verdict += &format!("; {:.1} times the strings", mean / published);
        }
    }
    Row::new(setting, theirs, ours, verdict)
}

fn outcomes<N, O>(
    options: &Options,
    steps: usize,
    init: impl Fn(&mut Xoshiro256PlusPlus) -> N + Copy + Send,
    optimiser: impl Fn() -> O + Copy + Send,
) -> Vec<Option<usize>>
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol> + ModelMut<Scalar = f32>,
    O: Optimiser<f32>,
{
    let mut jobs = Jobs::new();
    for seed in 0..options.either(SEEDS, 2) {
        let limit = options.either(LIMIT, 200);
        jobs.add(move || {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed + seed);
            learn(init(&mut rng), optimiser(), steps, limit, &mut rng)
        });
    }
    jobs.run()
}

/// Trains string by string, with an update every `steps` steps of each. Returns the number of
/// strings until all symbols of all strings are predicted, unless it exceeds `limit`.
fn learn<N, O>(
    net: N,
    optimiser: O,
    steps: usize,
    limit: usize,
    rng: &mut Xoshiro256PlusPlus,
) -> Option<usize>
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol> + ModelMut<Scalar = f32>,
    O: Optimiser<f32>,
{
    let strings: Vec<ReberString> = (0..TRAINING + TESTED).map(|_| ReberString::draw(rng)).collect();
    let xs: Vec<Vec<Symbol>> = strings.iter().map(inputs).collect();
    let mut trainer = Trainer::new::<1>(net, optimiser).truncated(steps, STRING);
    // The string that failed last is the most likely to fail again.
    let mut suspect = 0;
    for shown in 1..=limit {
        let x = &xs[below(rng, TRAINING)];
        let loss = trainer.step(&x[..x.len() - 1], |out| {
            // The loss is half the squared error, summed over outputs and steps.
            out.sum(|t, y| {
                let error = y - x[t + 1];
                (0.5 * error.norm_squared(), error)
            })
        });
        loss.expect("the loss is finite");
        let mut order = (suspect..strings.len()).chain(0..suspect);
        match order.find(|&at| !all_predicted(&trainer.model, &strings[at], &xs[at])) {
            Some(at) => suspect = at,
            None => return Some(shown),
        }
    }
    None
}

fn inputs(string: &ReberString) -> Vec<Symbol> {
    string.symbols.iter().map(|&k| Symbol::from_fn(|row, _| f32::from(row == usize::from(k)))).collect()
}

/// Returns whether `net` predicts the legal next symbols at every step of `string`.
fn all_predicted<N>(net: &N, string: &ReberString, xs: &[Symbol]) -> bool
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol>,
{
    let mut state = net.initial_state();
    let steps = &xs[..xs.len() - 1];
    steps.iter().zip(&string.legal).all(|(x, &legal)| predicts(net.step(x, &mut state).as_slice(), legal))
}
