//! Classifies nine speakers by their pronunciation of /ae/: a user-defined LSTM variant, written
//! here with the macro, and a `Dense` readout, trained on 270 utterances of different lengths and
//! tested on 370 others.
//!
//! ```text
//! cargo run --release --example japanese_vowels
//! cargo run --release --example japanese_vowels -- --seeds 5
//! ```

use examples::data::{COEFFICIENTS, SPEAKERS, Utterance, japanese_vowels};
use examples::options::Options;
use examples::plot::{Curve, loss_and_confusion};
use examples::report::{mean_and_deviation, progress, run};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::Dense;
use rnn_cell::data::{Batch, pad};
use rnn_cell::prelude::*;
use rnn_cell::rng::{SeedableRng, Xoshiro256PlusPlus, normal, shuffle};
use rnn_cell::train::loss::{arg_max, softmax_cross_entropy};
use rnn_cell::train::optim::{AdamW, Optimiser, Schedule, clip_global_norm};
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

rnn_cell! {
    /// An LSTM with coupled gates (Greff et al. 2017, CIFG) that also averages its outputs over
    /// time. All speakers say the same vowels, so the whole utterance matters, not its end.
    cell Listener<I, H> {
        input  x: [I];
        state  h, c: [H];
        /// The mean of `h` over the steps so far.
        state  mean_h: [H];
        /// The number of steps so far.
        state  n: [];
        param  W_f, W_g, W_o: [H, H + I];
        param  b_g, b_o: [H];
        param  b_f: [H] = 1;

        f = sigmoid(W_f @ [h[t-1], x] + b_f);
        g = tanh(W_g @ [h[t-1], x] + b_g);
        o = sigmoid(W_o @ [h[t-1], x] + b_o);
        c = f * c[t-1] + (1 - f) * g;
        h = o * tanh(c);

        n = n[t-1] + 1;
        mean_h = mean_h[t-1] + (h - mean_h[t-1]) / n;

        output mean_h;
    }
}

/// The network: a listener, and a readout of its final state.
#[derive(Model)]
struct Classifier {
    listener: Listener<COEFFICIENTS, HIDDEN>,
    readout: Dense<HIDDEN, SPEAKERS>,
}

const HIDDEN: usize = 32;
const BATCH: usize = 10;
const EPOCHS: usize = 80;
const RATE: f64 = 1e-2;
const WEIGHT_DECAY: f64 = 1e-2;
/// The standard deviation of the noise that is added to the standardised coefficients in training.
/// The test utterances were recorded on other occasions, and without noise the network learns the
/// occasion.
const NOISE: f64 = 0.8;

type Frames = Vec<SVector<f32, COEFFICIENTS>>;

/// An utterance with standardised coefficients.
struct Sample {
    frames: Frames,
    speaker: u32,
}

/// The result of a training: the losses of every epoch, and the final test results.
#[derive(Default)]
struct Outcome {
    training_loss: Vec<f64>,
    test_loss: Vec<f64>,
    accuracy: f64,
    confusion: [[usize; SPEAKERS]; SPEAKERS],
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Learns to distinguish nine speakers.",
            &[
                ("seed", "1", "the first random seed"),
                ("seeds", "1", "the number of seeds"),
                ("picture", "target/japanese_vowels.svg", "the file of the picture"),
            ],
        )?;
        let (first, count): (u64, u64) = (options.get("seed")?, options.get("seeds")?);
        if count == 0 {
            return Err("`--seeds` must be at least 1".into());
        }
        let (train, test) = japanese_vowels(&options.path("data"))?;
        let (train, test) = standardise(&train, &test);
        println!(
            "japanese vowels: {} training and {} test utterances of {SPEAKERS} speakers",
            train.len(),
            test.len()
        );
        println!(
            "model: {} parameters in Listener<{COEFFICIENTS}, {HIDDEN}>, {} in Dense<{HIDDEN}, {SPEAKERS}>",
            Listener::<COEFFICIENTS, HIDDEN>::PARAMETER_COUNT,
            Dense::<HIDDEN, SPEAKERS>::PARAMETER_COUNT
        );
        let start = Instant::now();
        let mut outcomes = Vec::new();
        for seed in first..first + count {
            let outcome = learn(seed, &train, &test)?;
            println!(
                "seed {seed}: {:.1} % of the test utterances right, training loss {:.4}, test loss {:.4}",
                100.0 * outcome.accuracy,
                outcome.training_loss[EPOCHS - 1],
                outcome.test_loss[EPOCHS - 1]
            );
            outcomes.push(outcome);
        }
        summarise(&outcomes, first, start.elapsed().as_secs_f64(), &options)
    })
}

fn summarise(outcomes: &[Outcome], seed: u64, seconds: f64, options: &Options) -> Result<(), Box<dyn Error>> {
    let accuracies: Vec<f64> = outcomes.iter().map(|outcome| 100.0 * outcome.accuracy).collect();
    if let [_, _, ..] = outcomes {
        let (mean, deviation) = mean_and_deviation(&accuracies);
        let lowest = accuracies.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = accuracies.iter().copied().fold(0.0, f64::max);
        println!(
            "{} seeds: {mean:.2} % +- {deviation:.2} (standard deviation), from {lowest:.1} to {highest:.1} %",
            outcomes.len()
        );
    }
    println!("time: {seconds:.1} s");
    let [outcome, ..] = outcomes else { return Ok(()) };
    let path = options.path("picture");
    let title = format!("Japanese vowels, seed {seed}: {:.1} % of the test utterances right", accuracies[0]);
    let losses = [
        Curve { name: "training", values: &outcome.training_loss },
        Curve { name: "test", values: &outcome.test_loss },
    ];
    loss_and_confusion(&path, &title, &losses, &outcome.confusion)?;
    println!("picture: {}", path.display());
    Ok(())
}

/// Trains with `seed` and tests after every epoch.
fn learn(seed: u64, train: &[Sample], test: &[Sample]) -> Result<Outcome, Box<dyn Error>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut net = Classifier { listener: Listener::init(&mut rng), readout: Dense::init(&mut rng) };
    let mut gradients = net.zero_gradients();
    let mut optimiser = AdamW::new(RATE).weight_decay(WEIGHT_DECAY);
    let schedule = Schedule::cosine(RATE, EPOCHS);
    let (mut tape, mut readout_tape) = (net.listener.tape::<BATCH>(), net.readout.tape::<BATCH>());

    let bar = progress(&format!("seed {seed}"), EPOCHS);
    let mut order: Vec<&Sample> = train.iter().collect();
    let mut outcome = Outcome::default();
    for epoch in 0..EPOCHS {
        schedule.apply(epoch, &mut optimiser);
        shuffle(&mut order, &mut rng);
        let mut sum = 0.0;
        for samples in order.chunks_exact(BATCH) {
            let (batch, classes) = batch(samples, |x| x + (NOISE * normal(&mut rng)) as f32);
            let Classifier { listener, readout } = &net;
            let mut state = listener.zero_state();
            listener.forward(&batch, &mut state, &mut tape);
            let means = [state.mean_h];
            let logits = readout.forward(&means, &mut readout.zero_state(), &mut readout_tape)[0];
            let (loss, dlogits) = softmax_cross_entropy(&logits, &classes);
            sum += f64::from(loss);

            gradients.set_zero();
            let mut dmeans = [SMatrix::zeros()];
            let bars = Bars::of(&mut gradients.readout).inputs(&mut dmeans);
            readout.backward(&means, &mut readout_tape, &[dlogits], bars);
            let mut dstate = listener.zero_state();
            dstate.mean_h = dmeans[0];
            let bars = Bars::of(&mut gradients.listener).state(&mut dstate);
            listener.backward(&batch, &mut tape, &[], bars);
            clip_global_norm(&mut *gradients, 1.0);
            optimiser.step(&mut net, &gradients);
        }
        outcome.training_loss.push(sum / (train.len() / BATCH) as f64);
        test_all(&net, test, &mut outcome);
        bar.set_message(format!("{:.1} %", 100.0 * outcome.accuracy));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(outcome)
}

/// Computes the loss, the accuracy and the confusion on the test set.
fn test_all(net: &Classifier, test: &[Sample], outcome: &mut Outcome) {
    let Classifier { listener, readout } = net;
    outcome.confusion = Default::default();
    let mut sum = 0.0;
    let mut right = 0;
    for sample in test {
        let (batch, classes) = batch::<1>(&[sample], |x| x);
        let mut state = listener.zero_state();
        listener.run(&batch, &mut state);
        let logits = readout.step(&state.mean_h, &mut readout.zero_state());
        sum += f64::from(softmax_cross_entropy(&logits, &classes).0);
        let [guess] = arg_max(&logits);
        outcome.confusion[sample.speaker as usize][guess as usize] += 1;
        right += usize::from(guess == sample.speaker);
    }
    outcome.test_loss.push(sum / test.len() as f64);
    outcome.accuracy = right as f64 / test.len() as f64;
}

/// Pads samples to a batch and applies `noise` to each coefficient.
fn batch<const B: usize>(
    samples: &[&Sample],
    mut noise: impl FnMut(f32) -> f32,
) -> (Batch<SMatrix<f32, COEFFICIENTS, B>, B>, [u32; B]) {
    let frames: Vec<Frames> = samples
        .iter()
        .map(|sample| sample.frames.iter().map(|frame| frame.map(&mut noise)).collect())
        .collect();
    (pad(&frames), std::array::from_fn(|b| samples[b].speaker))
}

/// Standardises every coefficient to mean 0 and deviation 1 over the training frames, and applies
/// the same scale to the test frames.
fn standardise(train: &[Utterance], test: &[Utterance]) -> (Vec<Sample>, Vec<Sample>) {
    let frames: Vec<SVector<f32, COEFFICIENTS>> =
        train.iter().flat_map(|utterance| &utterance.frames).map(|frame| SVector::from(*frame)).collect();
    let count = frames.len() as f32;
    let mean = frames.iter().sum::<SVector<f32, COEFFICIENTS>>() / count;
    let variance =
        frames.iter().map(|frame| (frame - mean).map(|x| x * x)).sum::<SVector<f32, COEFFICIENTS>>() / count;
    let deviation = variance.map(f32::sqrt);
    let apply = |utterances: &[Utterance]| {
        let sample = |utterance: &Utterance| Sample {
            frames: utterance
                .frames
                .iter()
                .map(|frame| (SVector::from(*frame) - mean).component_div(&deviation))
                .collect(),
            speaker: utterance.speaker as u32,
        };
        utterances.iter().map(sample).collect()
    };
    (apply(train), apply(test))
}
