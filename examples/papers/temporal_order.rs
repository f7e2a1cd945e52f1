//! Temporal order: at the end of a sequence of distractors, the network classifies which of two
//! symbols came first and which second; there are four classes.
//!
//! Hochreiter & Schmidhuber (1997, experiment 6a): 100 to 110 steps, the two symbols at steps 10 to
//! 20 and 50 to 60, two blocks of two cells, 156 weights, learning rate 0.5, one sequence per
//! update. Ours has [the same network](Blocks), data, rate and criterion: the mean error of the
//! last 2,000 sequences is below 0.1, and each of them is right within 0.3 in every output. We
//! interpret the rate as one for the squared error, so it is 1 for half the squared error. With a
//! rate of 0.5 for half the squared error, two of four runs end in a minimum with one class of four
//! wrong.
//!
//! Pascanu, Mikolov & Bengio (2013, section 4.1): T steps, the symbols between T/10 and 2T/10 and
//! between 4T/10 and 5T/10, a tanh network of 50 units, success if at most 1 % are wrong at the
//! end. Without clipping the network fails at short lengths, with clipping at longer ones. With
//! clipping and the regulariser it succeeds at all tested lengths, and also with a single model for
//! lengths from 50 to 200.
//!
//! Ours has the same network and initialisation ("basic tanh"), 16 sequences per update, rate 0.1,
//! gradients clipped at 1, and the regulariser as a mean over steps with weight 4. The paper trains
//! for up to 5 million updates, we for a few thousand. So our lengths are shorter, and the single
//! model for many lengths is left out.

use crate::lstm_1997::{Blocks, Experiment, TESTED, counted, listed};
use crate::omega::{GradientControl, TanhNet};
use crate::table::{Options, Row, agreement};
use examples::jobs::Jobs;
use nalgebra::SMatrix;
use rnn_cell::prelude::*;
use rnn_cell::rng::below;

const BATCH: usize = 16;
const HIDDEN: usize = 50;
const RATE: f64 = 0.1;
const SEEDS: u64 = 4;
/// The number of runs of the network of 1997.
const SEEDS_1997: u64 = 10;
/// The share of the last 1,000 or so sequences that must be right to end the training.
const RIGHT: f64 = 0.998;

/// Runs the tasks of both papers.
pub fn run(options: &Options) -> Vec<Row> {
    let mut rows = as_in_1997(options);
    let control = |clip, omega| GradientControl { clip, omega };
    let clipped = "success up to some length (figure)";
    for (steps, updates, cases) in [
        (
            20,
            4_000,
            &[
                (control(None, 0.0), "fails at shorter lengths than clipped (figure)", false),
                (control(Some(1.0), 0.0), clipped, true),
            ][..],
        ),
        (
            50,
            6_000,
            &[
                (control(Some(1.0), 0.0), "success up to some length (figure)", false),
                (control(Some(1.0), 4.0), "100 % of runs", true),
            ],
        ),
    ] {
        for &(control, published, solved_there) in cases {
            rows.push(as_in_2013(options, steps, updates, control, published, solved_there));
        }
    }
    rows.push(Row::new(
        "tanh RNN, one model of T = 50 to 200",
        "100 % of runs",
        "not run",
        "the paper's training has up to 5 million updates",
    ));
    rows
}

fn as_in_1997(options: &Options) -> Vec<Row> {
    let (budget, tested) = options.either((100_000, TESTED), (100, 20));
    let mut jobs = Jobs::new();
    for seed in 0..options.either(SEEDS_1997, 2) {
        let seed = options.seed + seed;
        let experiment = Experiment {
            rate: 1.0,
            input_biases: [-2.0, -4.0],
            tolerance: 0.3,
            mean_error: 0.1,
            draw: draw_1997,
        };
        jobs.add(move || experiment.learn::<8, 4>(budget, tested, seed));
    }
    let endings = jobs.run();
    let solved = endings.iter().all(|ending| ending.solved.is_some());
    vec![
        Row::new(
            "LSTM of 1997, 6a: sequences until solved",
            "31,390 (all runs)",
            counted(endings.iter().map(|ending| ending.solved)),
            format!("solved by all seeds: {}", agreement(solved)),
        ),
        Row::new(
            "LSTM of 1997, 6a: wrong in the test",
            "1 of 2,560",
            format!("{} of {tested}", listed(endings.iter().map(|ending| ending.wrong))),
            "one figure per seed",
        ),
    ]
}

/// Draws a sequence of the paper and its class. The symbols are `E`, `B`, `a` to `d`, `X`, `Y`.
fn draw_1997(rng: &mut Xoshiro256PlusPlus) -> (Vec<SVector<f32, 8>>, SVector<f32, 4>) {
    let length = 100 + below(rng, 11);
    let mut symbols: Vec<usize> = (0..length).map(|_| 2 + below(rng, 4)).collect();
    (symbols[0], symbols[length - 1]) = (0, 1);
    let mut class = 0;
    for from in [10, 50] {
        let second = below(rng, 2);
        symbols[from + below(rng, 11)] = 6 + second;
        class = 2 * class + second;
    }
    (symbols.into_iter().map(unit).collect(), unit(class))
}

fn unit<const N: usize>(at: usize) -> SVector<f32, N> {
    SVector::from_fn(|row, _| if row == at { 1.0 } else { 0.0 })
}

fn as_in_2013(
    options: &Options,
    steps: usize,
    updates: usize,
    control: GradientControl,
    published: &str,
    solved_there: bool,
) -> Row {
    let (updates, tested) = options.either((updates, 2_000), (3, BATCH));
    let mut jobs = Jobs::new();
    for seed in 0..options.either(SEEDS, 1) {
        let seed = options.seed + seed;
        jobs.add(move || learn(steps, updates, tested, control, seed));
    }
    let outcomes = jobs.run();
    let good = outcomes.iter().filter(|outcome| outcome.1 <= 0.01).count();
    let what = match (control.clip, control.omega > 0.0) {
        (None, _) => "plain",
        (_, false) => "clipped",
        (_, true) => "clipped, regularised",
    };
    let wrong: Vec<String> = outcomes.iter().map(|(_, wrong)| format!("{:.1}", 100.0 * wrong)).collect();
    let verdict =
        if solved_there { agreement(good == outcomes.len()) } else { "our training is far shorter" };
    Row::new(
        format!("tanh RNN, T = {steps}, {what}: runs with at most 1 % wrong"),
        published,
        format!("{good} of {}; wrong {} %", outcomes.len(), wrong.join(" ")),
        format!(
            "{verdict}; updates {}, at most {updates}",
            listed(outcomes.iter().map(|(updates, _)| *updates))
        ),
    )
}

/// Trains a network. Returns the number of updates, and the share of wrong sequences in the test.
fn learn(steps: usize, updates: usize, tested: usize, control: GradientControl, seed: u64) -> (usize, f64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut net = TanhNet::<6, HIDDEN, 4, BATCH>::new(RATE, control, &mut rng);
    let matches = |predicted: [u32; BATCH], classes: [u32; BATCH]| {
        predicted.iter().zip(classes).filter(|&(&predicted, class)| predicted == class).count() as f64
    };
    let (mut right, mut done) = (0.0, updates);
    for update in 1..=updates {
        let (xs, classes) = draw_2013(steps, &mut rng);
        let Some(predicted) = net.update(&xs, &classes) else { return (update, 1.0) };
        right += 0.016 * (matches(predicted, classes) / BATCH as f64 - right);
        if right >= RIGHT {
            done = update;
            break;
        }
    }
    let batches = tested / BATCH;
    let mut sum = 0.0;
    for _ in 0..batches {
        let (xs, classes) = draw_2013(steps, &mut rng);
        sum += matches(net.classes(&xs), classes);
    }
    (done, 1.0 - sum / (batches * BATCH) as f64)
}

/// Draws a batch of sequences and their classes. The two relevant symbols come first, then the four
/// distractors.
fn draw_2013(steps: usize, rng: &mut Xoshiro256PlusPlus) -> (Vec<SMatrix<f32, 6, BATCH>>, [u32; BATCH]) {
    let mut xs = vec![SMatrix::<f32, 6, BATCH>::zeros(); steps];
    let mut classes = [0; BATCH];
    for (sample, class) in classes.iter_mut().enumerate() {
        xs.iter_mut().for_each(|x| x[(2 + below(rng, 4), sample)] = 1.0);
        for from in [steps / 10, 4 * steps / 10] {
            let (at, symbol) = (from + below(rng, steps / 10 + 1), below(rng, 2));
            xs[at].column_mut(sample).fill(0.0);
            xs[at][(symbol, sample)] = 1.0;
            *class = 2 * *class + symbol as u32;
        }
    }
    (xs, classes)
}

// The number of weights in the paper.
const _: () = assert!(Blocks::<8, 4>::PARAMETER_COUNT == 156);
