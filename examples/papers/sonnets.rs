//! Character models with tanh, GRU and LSTM cells (after Chung et al. 2014, "Empirical evaluation
//! of gated recurrent neural networks").
//!
//! The paper compares the three cells with similar numbers of parameters on polyphonic music and
//! raw speech. We cannot redistribute these data, so its figures cannot be reproduced, only the
//! ranks of the cells on other data. On music, the paper's negative log-likelihoods of tanh, GRU
//! and LSTM are 3.13, 3.23, 3.20 (Nottingham) and 9.10, 8.54, 8.67 (JSB chorales). The ranks differ
//! between data sets.
//!
//! Ours: Shakespeare's sonnets; see [`characters`](crate::characters) for the three parts of the
//! text and the training. All three cells have the same rate, the same epochs and the same number
//! of parameters to within 4 %, with three seeds. The model of each epoch is evaluated on the
//! validation text, and the best one is tested. Rates of 0.003 and 0.01, tried with two seeds, give
//! the same ranks.

use crate::characters::{CharacterModel, Embedding, Outcome, Text, learn, write};
use crate::table::{Options, Row};
use examples::jobs::Jobs;
use examples::report::mean_and_deviation;
use rnn_cell::cell::Model;
use rnn_cell::cells::{Dense, Elman, Gru, Lstm};
use rnn_cell::prelude::*;

const EMBEDDED: usize = 24;
const RATE: f64 = 6e-3;
const EPOCHS: usize = 25;
const SEEDS: u64 = 3;
const TEMPERATURE: f64 = 0.7;
const WRITTEN: usize = 200;

/// The result of a training run: the model's size, its bits per character, its epoch and a sample
/// of its text.
struct Trained {
    parameters: usize,
    bits: f64,
    epoch: usize,
    written: String,
}

/// Trains each cell with several seeds and prints samples from the models of the first seed.
pub fn run(options: &Options) -> Vec<Row> {
    let text = Text::sonnets(options.either(usize::MAX, 500));
    let epochs = options.either(EPOCHS, 1);
    let mut jobs = Jobs::new();
    macro_rules! add {
        ($cell:ident, $cells:expr) => {
            for seed in 0..options.either(SEEDS, 1) {
                let text = &text;
                jobs.add(move || {
                    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed + seed);
                    let (embedding, readout) = (Embedding::init(&mut rng), Dense::init(&mut rng));
                    let cell = $cell::<EMBEDDED, { $cells }>::init(&mut rng);
                    let net: CharacterModel<_, EMBEDDED, { $cells }> = Stack(Stack(embedding, cell), readout);
                    let parameters = net.parameter_count();
                    let Outcome { net, epoch, bits, .. } = learn(net, text, epochs, RATE);
                    let written = write(&net, text, WRITTEN, TEMPERATURE, &mut rng);
                    Trained { parameters, bits, epoch, written }
                });
            }
        };
    }
    add!(Elman, 128);
    add!(Gru, 76);
    add!(Lstm, 64);
    let trained = jobs.run();
    // The published values with their ranks on Nottingham and on JSB.
    let published =
        [("tanh", "3.13 (1), 9.10 (3)"), ("GRU", "3.23 (3), 8.54 (1)"), ("LSTM", "3.20 (2), 8.67 (2)")];
    let cells: Vec<&[Trained]> = trained.chunks(trained.len() / 3).collect();
    let bits: Vec<(f64, f64)> = cells
        .iter()
        .map(|seeds| mean_and_deviation(&seeds.iter().map(|seed| seed.bits).collect::<Vec<_>>()))
        .collect();
    let mut rows = Vec::new();
    for ((seeds, (mean, deviation)), (cell, published)) in cells.iter().zip(&bits).zip(published) {
        println!("a sample of {cell}, at a temperature of {TEMPERATURE}:\n\n{}\n", seeds[0].written);
        let rank = 1 + bits.iter().filter(|(other, _)| other < mean).count();
        let epochs: Vec<String> = seeds.iter().map(|seed| seed.epoch.to_string()).collect();
        let (parameters, epochs) = (seeds[0].parameters, epochs.join(", "));
        rows.push(Row::new(
            format!("{cell}, {parameters} parameters, best epochs {epochs}: bits per character"),
            published,
            format!("{mean:.3} ± {deviation:.3} ({rank})"),
            "other data: only ranks compare",
        ));
    }
    rows
}
