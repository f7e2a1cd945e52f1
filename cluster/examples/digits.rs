//! Classifies handwritten digits, whose rows of pixels are the steps of a sequence.
//!
//! ```text
//! cargo build --release --example digits
//! mpirun -n 2 target/release/examples/digits
//! ```
//!
//! The result has the same bits without `mpirun`. A training that was killed resumes from the
//! checkpoint `digits.safetensors`, on any number of processes. The options are the path of the
//! checkpoint and the path of the data.

use std::error::Error;
use std::fs;
use std::process::ExitCode;

use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::train::loss::softmax_cross_entropy_weighted;
use rnn_cell::train::{LayerPart, Trainer};
use rnn_cell_cluster::Mpi;

/// The number of samples of each part of a batch, and the number of parts.
const SAMPLES: usize = 16;
const PARTS: usize = 4;
const SIDE: usize = 8;
/// The number of digits in the last forms, which are held out of the training: other people wrote
/// them.
const HELD_OUT: usize = 400;
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/digits.csv");

type Net = Stack<Lstm<SIDE, 32>, Dense<32, 10>>;

struct Digit {
    rows: [SVector<f32, SIDE>; SIDE],
    label: u32,
}

fn main() -> ExitCode {
    rnn_cell_cluster::run(train)
}

fn train(mpi: Mpi) -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let checkpoint = args.next().unwrap_or("digits.safetensors".to_owned());
    let digits = read(&args.next().unwrap_or(DATA.to_owned()))?;
    let (training, held_out) = digits.split_at(digits.len() - HELD_OUT);

    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let net = Stack::new(Lstm::init(&mut rng), Dense::init(&mut rng));
    let trainer = Trainer::new::<SAMPLES>(net, Adam::new(5e-3)).clip_norm(1.0);
    let mut trainer = trainer.parts(PARTS).workers(mpi);

    let outcome = trainer
        .fit(training, loss)
        .validation(held_out)
        .epochs(10)
        .checkpoint(&checkpoint, 10)
        .each_epoch(|epoch| {
            let accuracy = epoch.validation.as_ref().and_then(|scores| scores.get("accuracy"));
            let (training, accuracy) = (epoch.training.loss(), 100.0 * accuracy.unwrap_or(0.0));
            println!("epoch {:2}: training loss {training:.4}, held out {accuracy:.1} %", epoch.number);
        })
        .run()?;

    if mpi.rank() == 0 {
        let loss = outcome.last().map_or(f64::NAN, |epoch| epoch.loss());
        println!("{} processes, held-out loss {loss:?}; {checkpoint} holds the training", mpi.size());
    }
    Ok(())
}

/// Computes the mean loss of the digits of a part, and how many are classified correctly.
fn loss(part: &mut LayerPart<'_, Net, Digit, SAMPLES>) -> f64 {
    let digits = part.samples;
    // The last batch of an epoch has fewer digits than the others.
    let xs: [SMatrix<f32, SIDE, SAMPLES>; SIDE] = std::array::from_fn(|t| {
        SMatrix::from_fn(|pixel, k| digits.get(k).map_or(0.0, |digit| digit.rows[t][pixel]))
    });
    let lengths = std::array::from_fn(|k| if k < digits.len() { SIDE } else { 0 });
    let labels: [u32; SAMPLES] = std::array::from_fn(|k| digits.get(k).map_or(0, |digit| digit.label));
    let mut correct = 0;
    let loss = part.sequence(Pass::of(&xs).lengths(lengths), |out| {
        out.last_step(|y, weights| {
            let is_correct = |k: &usize| y.column(*k).imax() == labels[*k] as usize;
            correct += (0..digits.len()).filter(is_correct).count();
            softmax_cross_entropy_weighted(y, &labels, weights)
        })
    });
    part.metric("accuracy", correct as f64 / digits.len() as f64);
    loss
}

/// Reads the digits: a label and 64 pixels from 0 to 16 per line.
fn read(path: &str) -> Result<Vec<Digit>, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    let digit = |line: &str| {
        let mut numbers = line.split(',');
        let label = numbers.next().unwrap_or_default().parse()?;
        let pixels: Vec<f32> = numbers.map(str::parse).collect::<Result<_, _>>()?;
        let rows: &[[f32; SIDE]; SIDE] = pixels.as_chunks().0.try_into()?;
        Ok(Digit { rows: rows.map(|row| SVector::from(row) / 16.0), label })
    };
    text.lines().skip(1).map(digit).collect()
}
