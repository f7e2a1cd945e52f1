//! Recognises strings of spoken digits while it listens: log-mel spectra, subsampling, two
//! Conformer blocks (Gulati et al. 2020) and an LSTM, trained by connectionist temporal
//! classification. All of it is causal, so a digit is recognised as it ends.
//!
//! The speech is synthetic: espeak-ng spoke it in many voices, and a synthetic room and noise are
//! added. The voices of the test are held out of the training.
//!
//! ```text
//! cargo run --release --example conformer
//! cargo run --release --example conformer -- --compare   # with networks without one of the parts
//! cargo run --release --example conformer -- --weights target/conformer.safetensors FILE.wav
//! ```

mod blocks;
mod model;
mod stream;

use examples::audio::read_at;
use examples::jobs::Jobs;
use examples::options::{OFF, Options, QUICK};
use examples::plot::{Curve, Heard, heard};
use examples::report::{make_folders, progress, run};
use examples::spoken::{RATE, Recording, Spoken, load, record};
use model::{
    BATCH, BothDirections, FRAMES, FRAMES_PER_STEP, Hybrid, Logits, NoAttention, NoConvolution, NoLstm, Pair,
    Reads, Recogniser, Sample, Upper, frames, greedy, pairs,
};
use rnn_cell::prelude::*;
use rnn_cell::rng::shuffle;
use rnn_cell::train::ctc::label_error_rate;
use rnn_cell::train::{Error as TrainError, Part, Samples, Schedule, Trainer};
use rnn_cell::weights;
use std::collections::HashSet;
use std::error::Error;
use std::process::ExitCode;
use std::time::Instant;

const LEARNING_RATE: f64 = 3e-3;
const WEIGHT_DECAY: f64 = 1e-2;
/// The seed of the rooms and noises of the validation and the test, which are those of every run.
const ROOMS: u64 = 2020;

/// A string of the training, whose room and noise are new in every epoch.
type Clean = Sample<Vec<f32>>;

/// A string of the test with its voice, and how it sounds.
struct Tested {
    spoken: Spoken,
    recording: Recording,
}

/// The features of a string of the validation or the test.
type Recorded = Sample<Vec<Pair>>;

/// The strings of all parts.
struct Strings {
    training: Vec<Clean>,
    validation: Vec<Recorded>,
    test: Vec<Tested>,
    /// The features of `test`.
    heard: Vec<Recorded>,
}

/// A trained model.
struct Learned<U> {
    model: Recogniser<U>,
    /// The label error rate of the validation after each epoch, in percent.
    rates: Vec<f64>,
    seconds: f64,
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read_with_operand(
            "Learns to recognise strings of spoken digits.",
            ("FILE", "a WAV file of 8,000 samples per second to listen to after the training"),
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("epochs", "40", "the number of epochs"),
                ("compare", OFF, "train the networks without one of the parts too"),
                ("weights", "", "the weights of an earlier run, which replace the training"),
                ("save", "target/conformer.safetensors", "the file for the weights"),
                ("picture", "target/conformer.svg", "the file of the picture"),
                QUICK,
            ],
        )?;
        // A mistake in the file is reported before the training.
        let file = options.operand().map(|path| read_at(path, RATE)).transpose()?;
        let strings = Strings::load(&options)?;
        let learned = match options.path("weights") {
            path if path.as_os_str().is_empty() => {
                let learned = learn::<Hybrid>(&strings, &options)?;
                let path = options.path("save");
                make_folders(&path)?;
                weights::save_file(&learned.model, &path)?;
                println!("weights: {}", path.display());
                learned
            }
            path => {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
                let mut model = Recogniser::new(&[], &mut rng);
                weights::load_file(&mut model, path)?;
                Learned { model, rates: Vec::new(), seconds: 0.0 }
            }
        };
        let Learned { model, rates, .. } = &learned;
        let mut table = vec![Row::of(&learned, &strings)];
        if options.flag("compare") {
            table.extend(compare(&strings, &options)?);
        }
        print_table(&table, strings.heard.len());
        let logits = logits(model, &strings.heard);
        let found = greedy(&logits);
        for (tested, labels) in strings.test.iter().zip(&found).take(6) {
            let (spoken, heard) = (text(&tested.spoken.digits), digits_of(labels));
            let verdict = if spoken == heard { "" } else { "  (wrong)" };
            println!("  {:<24} spoken {spoken:<6} heard {heard}{verdict}", tested.spoken.voice);
        }
        stream::report(model, &strings.test, &logits)?;
        if let Some(sound) = file {
            stream::listen(model, &sound);
        }
        draw(&found, &logits, rates, &strings, &options)
    })
}

impl Strings {
    fn load(options: &Options) -> Result<Self, Box<dyn Error>> {
        let quick = options.flag("quick");
        let (data, mut rng) = (options.path("data"), Xoshiro256PlusPlus::seed_from_u64(ROOMS));
        let part = |name: &str, few: usize| load(&data, name, if quick { few } else { usize::MAX });
        let training = part("training", BATCH)?;
        let mut recorded = |name| -> Result<Vec<Tested>, Box<dyn Error>> {
            let record = |spoken: Spoken| {
                let recording = record(&spoken.samples, &mut rng);
                Tested { spoken, recording }
            };
            Ok(part(name, 2)?.into_iter().map(record).collect())
        };
        let (validation, test) = (recorded("validation")?, recorded("test")?);
        // A voice is an accent and a variant. The parts of the data share accents, but no variant.
        let variants = |strings: &mut dyn Iterator<Item = &Spoken>| {
            let variants: HashSet<&str> =
                strings.filter_map(|spoken| Some(spoken.voice.split_once('+')?.1)).collect();
            variants.len()
        };
        println!(
            "synthetic speech: {} strings of digits in {} voices for training, {} in {} others for the test",
            training.len(),
            variants(&mut training.iter()),
            test.len(),
            variants(&mut test.iter().map(|tested| &tested.spoken))
        );
        let heard = |tested: &Tested| Sample {
            sound: pairs(&tested.recording.samples),
            labels: labels_of(&tested.spoken.digits),
        };
        Ok(Self {
            training: training
                .into_iter()
                .map(|spoken| Sample { labels: labels_of(&spoken.digits), sound: spoken.samples })
                .collect(),
            validation: validation.iter().map(heard).collect(),
            heard: test.iter().map(heard).collect(),
            test,
        })
    }
}

fn learn<U>(strings: &Strings, options: &Options) -> Result<Learned<U>, Box<dyn Error>>
where
    U: Upper + Reads<BATCH>,
{
    let (seed, epochs) = (options.get("seed")?, options.get("epochs")?);
    Ok(train(strings, seed, if options.flag("quick") { 1 } else { epochs })?)
}

fn train<U>(strings: &Strings, seed: u64, epochs: usize) -> Result<Learned<U>, TrainError>
where
    U: Upper + Reads<BATCH>,
{
    let start = Instant::now();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let hear = |clean: &Vec<f32>, rng: &mut Xoshiro256PlusPlus| pairs(&record(clean, rng).samples);
    let some: Vec<Vec<Pair>> =
        strings.training.iter().take(200).map(|sample| hear(&sample.sound, &mut rng)).collect();
    let model = Recogniser::<U>::new(some.iter().flatten(), &mut rng);
    let updates = epochs * strings.training.len().div_ceil(BATCH);
    let schedule = Schedule::cosine(LEARNING_RATE, updates).warm_up(updates / 20);
    let optimiser = AdamW::new(LEARNING_RATE).weight_decay(WEIGHT_DECAY);
    let mut trainer = Trainer::with_buffers(model, optimiser, Samples::<BATCH>)
        .schedule(schedule)
        .clip_norm(1.0)
        .seed(seed);
    let bar = progress(U::NAME, epochs);
    let (mut samples, mut rates) = (strings.training.clone(), Vec::new());
    for _ in 0..epochs {
        // Every call of `fit` shuffles in the same way. Lengths are compared in half seconds, so
        // that a batch has other strings in every epoch.
        shuffle(&mut samples, &mut rng);
        let training =
            |part: &mut Part<'_, Recogniser<U>, Clean, Samples<BATCH>>| Recogniser::loss(part, hear);
        trainer.fit(&samples, training).bucket_by(|sample| sample.sound.len() / (RATE as usize / 2)).run()?;
        rates.push(error_rate(&greedy(&logits(&trainer.model, &strings.validation)), &strings.validation));
        bar.set_message(format!("{:.1} % of the labels wrong", rates[rates.len() - 1]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Learned { model: trainer.model, rates, seconds: start.elapsed().as_secs_f64() })
}

/// Returns the label error rate in percent.
fn error_rate(read: &[Vec<u32>], strings: &[Recorded]) -> f64 {
    100.0 * label_error_rate(read.iter().zip(strings.iter().map(|string| &string.labels)))
}

/// Computes a model's logits of strings.
fn logits<U: Reads<BATCH>>(model: &Recogniser<U>, strings: &[Recorded]) -> Vec<Vec<Logits>> {
    model.logits(&strings.iter().map(|string| &*string.sound).collect::<Vec<_>>())
}

/// A row of the table of results.
struct Row {
    name: &'static str,
    parameters: usize,
    rate: f64,
    right: usize,
    seconds: f64,
}

impl Row {
    fn of<U: Upper + Reads<BATCH>>(learned: &Learned<U>, strings: &Strings) -> Self {
        let found = greedy(&logits(&learned.model, &strings.heard));
        Self {
            name: U::NAME,
            parameters: learned.model.parameter_count(),
            rate: error_rate(&found, &strings.heard),
            right: found
                .iter()
                .zip(&strings.heard)
                .filter(|(found, string)| **found == string.labels)
                .count(),
            seconds: learned.seconds,
        }
    }
}

/// Trains networks that lack one of the modules but have as many parameters.
fn compare(strings: &Strings, options: &Options) -> Result<Vec<Row>, Box<dyn Error>> {
    fn job<U>(strings: &Strings, seed: u64, epochs: usize) -> Result<Row, TrainError>
    where
        U: Upper + Reads<BATCH>,
    {
        Ok(Row::of(&train::<U>(strings, seed, epochs)?, strings))
    }
    let (seed, epochs) = (options.get("seed")?, options.get("epochs")?);
    let mut jobs = Jobs::new();
    jobs.add(move || job::<NoLstm>(strings, seed, epochs));
    jobs.add(move || job::<NoAttention>(strings, seed, epochs));
    jobs.add(move || job::<NoConvolution>(strings, seed, epochs));
    jobs.add(move || job::<BothDirections>(strings, seed, epochs));
    Ok(jobs.run().into_iter().collect::<Result<_, _>>()?)
}

fn print_table(table: &[Row], strings: usize) {
    println!("network              parameters  labels wrong  strings right  training");
    for Row { name, parameters, rate, right, seconds } in table {
        let right = 100.0 * *right as f64 / strings as f64;
        println!("{name:<20} {parameters:>10} {rate:>11.2} % {right:>12.1} % {seconds:>7.0} s");
    }
}

fn labels_of(digits: &[u32]) -> Vec<u32> {
    digits.iter().map(|digit| digit + 1).collect()
}

fn digits_of(labels: &[u32]) -> String {
    text(&labels.iter().map(|label| label - 1).collect::<Vec<_>>())
}

fn text(digits: &[u32]) -> String {
    digits.iter().map(|digit| char::from_digit(*digit, 10).unwrap_or('?')).collect()
}

/// Draws the first of the longest strings of the test that is recognised, or one that is not.
fn draw(
    found: &[Vec<u32>],
    logits: &[Vec<Logits>],
    rates: &[f64],
    strings: &Strings,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    let long = || (0..found.len()).filter(|&i| strings.heard[i].labels.len() == 5);
    let shown = long().find(|&i| found[i] == strings.heard[i].labels).or(long().next());
    let sounds: Vec<_> = shown
        .into_iter()
        .map(|i| {
            let Tested { spoken, recording } = &strings.test[i];
            Heard {
                caption: format!(
                    "spoken {} by {}, heard {}",
                    text(&spoken.digits),
                    spoken.voice,
                    digits_of(&found[i])
                ),
                frames: frames(&recording.samples).into_iter().map(Into::into).collect(),
                hop: FRAMES.hop as f64 / f64::from(RATE),
                frames_per_step: FRAMES_PER_STEP,
                probabilities: logits[i].iter().map(probabilities).collect(),
            }
        })
        .collect();
    let path = options.path("picture");
    let rate = Curve { name: "labels wrong, held-out voices", values: rates };
    let names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let title = "Spoken digits in noise, recognised in a stream";
    heard(&path, title, rate, rates.len().max(1) * strings.training.len().div_ceil(BATCH), &names, &sounds)?;
    println!("picture: {}", path.display());
    Ok(())
}

fn probabilities(logits: &Logits) -> Vec<f64> {
    let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - logits.max()).exp()).collect();
    weights.iter().map(|weight| weight / weights.iter().sum::<f64>()).collect()
}
