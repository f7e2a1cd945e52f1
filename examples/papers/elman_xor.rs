//! Elman's temporal XOR (1990, "Finding structure in time", section "Exclusive-OR"): a stream of
//! bits in which every third bit is the exclusive or of the two random bits before it. The network
//! predicts the next bit. Its error by position is low where the next bit is predictable.
//!
//! The paper: 1 input unit, 2 hidden and 2 context units, logistic; 600 passes over a sequence of
//! 3,000 bits; then 1,200 other bits, with the squared error averaged over positions in cycles of
//! 12 (figure 3, a plot without figures: every third position is low). Backpropagation stops at the
//! context units, after one step.
//!
//! Ours: the same network, data and gradient ([`Truncated`] to one step, one update per bit), with
//! ten seeds. The paper gives neither the learning rate nor the initial weights. Ours are 0.1 and
//! uniform in ±0.5, the only values tried.

use crate::table::{Options, Row, agreement};
use examples::jobs::Jobs;
use examples::report::mean_and_deviation;
use nalgebra::SVector;
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::{Trainer, loss::mean_squared_error};

rnn_cell! {
    /// The simple recurrent network of the paper, with logistic units throughout.
    cell Srn<I, H, O> {
        input  x: [I];
        state  h: [H];
        param  W: [H, I] = uniform(0.5);
        param  U: [H, H] = uniform(0.5);
        param  b: [H] = uniform(0.5);
        param  V: [O, H] = uniform(0.5);
        param  a: [O] = uniform(0.5);

        h = sigmoid(W @ x + U @ h[t-1] + b);
        y = sigmoid(V @ h + a);

        output y;
    }
}

const TRAINED: usize = 3000;
const TESTED: usize = 1200;
const PASSES: usize = 600;
const SEEDS: u64 = 10;
const RATE: f64 = 0.1;

/// The mean squared errors of the predictions of each bit of a triple: the first random bit, the
/// second, and their exclusive or.
type Errors = [f64; 3];

/// Trains with several seeds and returns the error at each position of a triple.
pub fn run(options: &Options) -> Vec<Row> {
    let mut jobs = Jobs::new();
    for seed in 0..options.either(SEEDS, 2) {
        jobs.add(move || learn(options.seed + seed, options.either(PASSES, 1)));
    }
    let errors = jobs.run();
    let of = |position: usize| {
        let (mean, deviation) =
            mean_and_deviation(&errors.iter().map(|errors| errors[position]).collect::<Vec<_>>());
        format!("{mean:.3} ± {deviation:.3}")
    };
    let low = errors.iter().filter(|[first, second, third]| third < first && third < second).count();
    let count = errors.len();
    let chance = "predicting 1/2 gives 0.25";
    vec![
        Row::new("squared error, first bit of three (random)", "high (figure 3)", of(0), chance),
        Row::new("squared error, second bit (random)", "high", of(1), chance),
        Row::new(
            "squared error, third bit (xor of both)",
            "low",
            of(2),
            "0 is never reached, as in the paper",
        ),
        Row::new(
            "seeds in which the third bit's error is lowest",
            "1 of 1",
            format!("{low} of {count}"),
            agreement(low == count),
        ),
    ]
}

fn learn(seed: u64, passes: usize) -> Errors {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let net = Srn::<1, 2, 1>::init(&mut rng);
    let (bits, test) = (stream(TRAINED, &mut rng), stream(TESTED, &mut rng));
    let mut trainer = Trainer::new::<1>(net, Sgd::new(RATE)).carry_state();
    for _ in 0..passes {
        for pair in bits.windows(2) {
            let loss = trainer.step(&pair[..1], |out| out.sum(|_, y| mean_squared_error(y, &pair[1])));
            loss.expect("the loss is finite");
        }
    }
    let net = trainer.model;
    let mut state = net.initial_state();
    let mut errors = [0.0; 3];
    for (at, pair) in test.windows(2).enumerate() {
        let error = (net.step(&pair[0], &mut state) - pair[1])[0];
        errors[(at + 1) % 3] += f64::from(error * error) / (TESTED / 3) as f64;
    }
    errors
}

/// Returns triples of bits, in which the third is the exclusive or of the first two.
fn stream(bits: usize, rng: &mut impl Rng) -> Vec<SVector<f32, 1>> {
    let triples = std::iter::repeat_with(|| {
        let (first, second) = (below(rng, 2), below(rng, 2));
        [first, second, first ^ second]
    });
    triples.flatten().take(bits).map(|bit| SVector::<f32, 1>::new(bit as f32)).collect()
}
