//! Reads strings of handwritten digits without segmenting them: a bidirectional LSTM over the
//! columns of the image, trained by connectionist temporal classification.
//!
//! The digits of a string come from one form and so from one person. They are cropped to their ink
//! and placed side by side, some of them touching. The last three forms are held out of the
//! training.
//!
//! ```text
//! cargo run --release --example ctc_digits
//! cargo run --release --example ctc_digits -- --seed 2
//! ```

use examples::data::{DIGIT_SIDE, Digit, digits};
use examples::options::{Options, QUICK};
use examples::plot::{Curve, Reading, readings};
use examples::report::{progress, run};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::data::pad;
use rnn_cell::network::{Bidirectional, Concat, Stack};
use rnn_cell::prelude::*;
use rnn_cell::rng::{below, normal};
use rnn_cell::train::ctc::{Ctc, label_error_rate};
use rnn_cell::train::{Diverged, Schedule, Trainer};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

const HIDDEN: usize = 64;
const BOTH: usize = 2 * HIDDEN;
/// The number of classes: the blank and ten digits. Digit `d` is class `d + 1`.
const CLASSES: usize = 11;
const BLANK: u32 = 0;
const BATCH: usize = 16;
/// The number of training rounds. The held-out strings are tested after every round.
const ROUNDS: usize = 80;
const BATCHES: usize = 50;
const RATE: f64 = 5e-3;
const WEIGHT_DECAY: f64 = 1e-2;
/// The standard deviation of the noise on the ink in training. The noise is needed because there
/// are only 1,415 training digits.
const NOISE: f64 = 0.2;
/// The number of held-out forms.
const HELD_OUT: usize = 3;
/// The number of test strings with digits of the held-out forms.
const TESTED: usize = 500;
const BEAM: usize = 10;

type Column = SVector<f32, DIGIT_SIDE>;
type Direction = Lstm<DIGIT_SIDE, HIDDEN>;
type Reader = Stack<Bidirectional<Direction, Direction, Concat<BOTH>>, Dense<BOTH, CLASSES>>;

/// A string of digits as an image.
struct Written {
    columns: Vec<Column>,
    labels: Vec<u32>,
}

/// The length of the training and the number of test strings.
struct Size {
    rounds: usize,
    batches: usize,
    tested: usize,
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Learns to read strings of handwritten digits.",
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("picture", "target/ctc_digits.svg", "the file of the picture"),
                QUICK,
            ],
        )?;
        let seed: u64 = options.get("seed")?;
        let forms = digits(&options.path("data"))?;
        let (train, test) = forms.split_at(forms.len() - HELD_OUT);
        let size = if options.flag("quick") {
            Size { rounds: 2, batches: 2, tested: 20 }
        } else {
            Size { rounds: ROUNDS, batches: BATCHES, tested: TESTED }
        };
        println!(
            "digits: {} of {} forms for training, {} of {} others for the test",
            train.iter().map(Vec::len).sum::<usize>(),
            train.len(),
            test.iter().map(Vec::len).sum::<usize>(),
            test.len()
        );
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let test: Vec<Written> = (0..size.tested).map(|_| compose(test, &mut rng)).collect();
        let start = Instant::now();
        let (reader, rates) = learn(&size, train, &test, &mut rng)?;
        println!("time: {:.1} s", start.elapsed().as_secs_f64());
        summarise(&size, &reader, &rates, &test, &options)
    })
}

/// Composes a string of three to seven digits of one form, cropped to their ink, with up to two
/// empty columns after each.
fn compose(forms: &[Vec<Digit>], rng: &mut impl Rng) -> Written {
    let form = &forms[below(rng, forms.len())];
    let (mut columns, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..3 + below(rng, 5) {
        let digit = form[below(rng, form.len())];
        let inked = |x: &usize| digit.columns[*x].iter().any(|&ink| ink > 0.0);
        let first = (0..DIGIT_SIDE).find(inked).unwrap_or(0);
        let last = (0..DIGIT_SIDE).rfind(inked).unwrap_or(0);
        columns.extend(digit.columns[first..=last].iter().map(|&column| Column::from(column)));
        columns.extend(std::iter::repeat_n(Column::zeros(), below(rng, 3)));
        labels.push(digit.label + 1);
    }
    Written { columns, labels }
}

/// Trains on new strings in every batch. Returns the label error rate on the held-out strings after
/// every round, in percent.
fn learn(
    size: &Size,
    forms: &[Vec<Digit>],
    test: &[Written],
    rng: &mut Xoshiro256PlusPlus,
) -> Result<(Reader, Vec<f64>), Diverged> {
    let (forward, reverse) = (Direction::init(rng), Direction::init(rng));
    let both = Bidirectional::new(forward, reverse).joined(Concat::<BOTH>);
    let reader: Reader = Stack::new(both, Dense::init(rng));
    println!("model: {} parameters", reader.parameter_count());
    let optimiser = AdamW::new(RATE).weight_decay(WEIGHT_DECAY);
    let schedule = Schedule::cosine(RATE, size.rounds * size.batches);
    let mut trainer = Trainer::new::<BATCH>(reader, optimiser).schedule(schedule).clip_norm(1.0);
    let (mut ctc, mut dlogits, mut rates) = (Ctc::new(BLANK), Vec::new(), Vec::new());
    let bar = progress("training", size.rounds);
    for round in 0..size.rounds {
        for _ in 0..size.batches {
            let samples: Vec<Written> = (0..BATCH).map(|_| compose(forms, rng)).collect();
            let mut noisy = |column: &Column| column.map(|ink| ink + (NOISE * normal(rng)) as f32);
            let images: Vec<Vec<Column>> =
                samples.iter().map(|sample| sample.columns.iter().map(&mut noisy).collect()).collect();
            let batch = pad::<_, BATCH>(&images);
            let targets: Vec<&[u32]> = samples.iter().map(|sample| &sample.labels[..]).collect();

            trainer.step(&batch, |out| {
                let loss = ctc.loss(out.ys, Some(out.lengths), &targets, &mut dlogits);
                out.dys.copy_from_slice(&dlogits);
                if let Some(impossible) = loss.impossible.first() {
                    bar.suspend(|| eprintln!("warning: {impossible}"));
                }
                f64::from(loss.value)
            })?;
        }
        let read = test.iter().map(|written| greedy(&trainer.model, written));
        rates.push(100.0 * label_error_rate(read.zip(test.iter().map(|written| &written.labels))));
        bar.set_message(format!("{:.1} % of the labels wrong", rates[round]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((trainer.model, rates))
}

/// Computes the logits at every column of one image.
fn logits(reader: &Reader, image: &[Column]) -> Vec<SMatrix<f32, CLASSES, 1>> {
    reader.run(image, &mut reader.initial_state())
}

fn greedy(reader: &Reader, written: &Written) -> Vec<u32> {
    let [labels] = Ctc::new(BLANK).greedy(&logits(reader, &written.columns), None);
    labels
}

fn beam(reader: &Reader, written: &Written) -> Vec<u32> {
    let [hypotheses] = Ctc::new(BLANK).beam(&logits(reader, &written.columns), None, BEAM);
    hypotheses.into_iter().next().map(|best| best.labels).unwrap_or_default()
}

fn summarise(
    size: &Size,
    reader: &Reader,
    rates: &[f64],
    test: &[Written],
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    let found: Vec<Vec<u32>> = test.iter().map(|written| beam(reader, written)).collect();
    let pairs = || found.iter().zip(test.iter().map(|written| &written.labels));
    let right = pairs().filter(|(read, labels)| read == labels).count();
    println!(
        "label error rate on {} held-out strings: {:.2} % greedy, {:.2} % by a beam of {BEAM}; {:.1} % of the strings entirely right",
        test.len(),
        rates.last().copied().unwrap_or(f64::NAN),
        100.0 * label_error_rate(pairs()),
        100.0 * right as f64 / test.len() as f64
    );
    for (read, labels) in pairs().take(8) {
        let verdict = if read == labels { "" } else { "  (wrong)" };
        println!("  written {:<8} read {}{verdict}", digits_of(labels), digits_of(read));
    }

    // The picture shows the first long string that is right, or a wrong one.
    let long = || (0..test.len()).filter(|&i| test[i].labels.len() >= 6);
    let shown = long().find(|&i| found[i] == test[i].labels).or(long().next());
    let shown: Vec<Reading<DIGIT_SIDE>> = shown
        .into_iter()
        .map(|i| Reading {
            caption: format!("written {}, read {}", digits_of(&test[i].labels), digits_of(&found[i])),
            columns: test[i].columns.iter().map(|&column| column.into()).collect(),
            probabilities: logits(reader, &test[i].columns).iter().map(probabilities).collect(),
        })
        .collect();
    let path = options.path("picture");
    let rate = Curve { name: "labels wrong in held-out strings", values: rates };
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let title = "Handwritten digits, read without segmentation";
    readings(&path, title, rate, size.rounds * size.batches, &names, &shown)?;
    println!("picture: {}", path.display());
    Ok(())
}

fn digits_of(labels: &[u32]) -> String {
    labels.iter().map(|label| char::from_digit(label - 1, 10).unwrap_or('?')).collect()
}

fn probabilities(logits: &SMatrix<f32, CLASSES, 1>) -> Vec<f64> {
    let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - logits.max()).exp()).collect();
    weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect()
}
