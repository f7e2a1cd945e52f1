//! Reads dates in many written forms, from `3-may-07` to
//! `thursday, the third day of the month of may in the year two thousand and seven`, and writes
//! them in the form of ISO 8601, character by character. An encoder-decoder with attention
//! (Bahdanau et al. 2015) is compared with an encoder-decoder that reads only the encoder's last
//! states (Cho et al. 2014).
//!
//! One day in ten is held out of the training in all forms.
//!
//! ```text
//! cargo run --release --example dates
//! ```

mod model;

use examples::dates::{DAYS, Date, LONGEST};
use examples::options::{Options, QUICK};
use examples::plot::{Alignment, Curve, alignments};
use examples::report::{progress, run};
use model::{Attending, BATCH, Decoder, Summarising, Translator};
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use std::error::Error;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

const BATCHES: usize = 2000;
const TESTED: usize = 2000;
const BEAM: usize = 5;
/// The interval between held-out days.
const HELD_OUT: usize = 10;
/// The upper bounds of the classes of lengths, in characters.
const CLASSES: [usize; 6] = [12, 20, 30, 50, 70, LONGEST];
/// The stack size of the training threads. A batch of memories is on the stack more than once.
const STACK: usize = 32 << 20;

/// A written date and its ISO form.
#[derive(Debug, Clone)]
struct Pair {
    source: String,
    target: String,
}

impl Pair {
    /// Draws a random date in a random form, either of a held-out day or of another one.
    fn draw(held_out: bool, rng: &mut impl Rng) -> Self {
        loop {
            let day = below(rng, DAYS);
            if day.is_multiple_of(HELD_OUT) == held_out {
                let date = Date::new(day);
                return Self { source: date.written(rng), target: date.to_string() };
            }
        }
    }
}

/// A trained translator and its test results.
struct Outcome<D> {
    translator: Translator<D>,
    written: Vec<String>,
    seconds: f64,
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Learns to convert dates to one form.",
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("picture", "target/dates.svg", "the file of the picture"),
                QUICK,
            ],
        )?;
        let (batches, tested) = if options.flag("quick") { (4, 50) } else { (BATCHES, TESTED) };
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.get("seed")?);
        let test: Vec<Pair> = (0..tested).map(|_| Pair::draw(true, &mut rng)).collect();
        println!("dates: {tested} of held-out days, {batches} batches of {BATCH} others for training");
        let (with, without) = thread::scope(|scope| {
            let (mut with, mut without) = (rng.clone(), rng.clone());
            let test = &test;
            let with = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let decoder = Box::new(Attending::init(&mut with));
                learn("attention", decoder, batches, test, with)
            })?;
            let without = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let decoder = Box::new(Summarising::init(&mut without));
                learn("no attention", decoder, batches, test, without)
            })?;
            let failed = |_| "the training has panicked";
            Ok::<_, Box<dyn Error>>((with.join().map_err(failed)?, without.join().map_err(failed)?))
        })?;
        summarise(&test, &with, &without, &options)
    })
}

fn learn<D>(
    name: &str,
    decoder: Box<D>,
    batches: usize,
    test: &[Pair],
    mut rng: Xoshiro256PlusPlus,
) -> Outcome<D>
where
    D: Decoder<BATCH> + Decoder<1>,
{
    let start = Instant::now();
    let mut translator = Translator::new(decoder, &mut rng);
    let bar = progress(name, batches);
    translator.learn(
        batches,
        &mut rng,
        |rng| Pair::draw(false, rng),
        |loss| {
            bar.set_message(format!("loss {loss:.4}"));
            bar.inc(1);
        },
    );
    bar.finish_and_clear();
    let written = test.iter().map(|pair| translator.write(&pair.source).0).collect();
    Outcome { translator, written, seconds: start.elapsed().as_secs_f64() }
}

fn summarise(
    test: &[Pair],
    with: &Outcome<Attending>,
    without: &Outcome<Summarising>,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    let (first, second) = (accuracies(test, &with.written), accuracies(test, &without.written));
    println!("characters   dates  with attention  without");
    for (class, name) in class_names().iter().enumerate() {
        let count = test.iter().filter(|pair| class_of(&pair.source) == class).count();
        println!("{name:<11} {count:>6} {:>13.1} % {:>6.1} %", first[class], second[class]);
    }
    println!(
        "all         {:>6} {:>13.1} % {:>6.1} %",
        test.len(),
        accuracy(test.iter().zip(&with.written)),
        accuracy(test.iter().zip(&without.written))
    );
    let searched: Vec<String> =
        test.iter().map(|pair| without.translator.search(&pair.source, BEAM)).collect();
    println!("without attention, with a beam of {BEAM}: {:.1} %", accuracy(test.iter().zip(&searched)));
    println!(
        "parameters: {} with, {} without; time: {:.1} s and {:.1} s, in parallel",
        with.translator.parameter_count(),
        without.translator.parameter_count(),
        with.seconds,
        without.seconds
    );
    for (pair, (with, without)) in test.iter().zip(with.written.iter().zip(&without.written)).take(6) {
        println!("  {}\n    -> {with}, without attention {without}", pair.source);
    }

    // A date in words, in which the order changes and the distances are long.
    let in_words =
        |pair: &&Pair| pair.source.contains(" the ") && !pair.source.contains(|c: char| c.is_ascii_digit());
    let shown = test.iter().filter(in_words).find(|pair| (43..=53).contains(&pair.source.len()));
    let maps: Vec<Alignment> = shown.into_iter().map(|pair| alignment(&with.translator, pair)).collect();
    let path = options.path("picture");
    let curves =
        [Curve { name: "with attention", values: &first }, Curve { name: "without", values: &second }];
    alignments(&path, "Attention of an encoder-decoder that converts dates", &class_names(), &curves, &maps)?;
    println!("picture: {}", path.display());
    Ok(())
}

fn alignment(translator: &Translator<Attending>, pair: &Pair) -> Alignment {
    let (written, weights) = translator.write(&pair.source);
    let symbols = |text: &str| text.chars().map(String::from).collect::<Vec<String>>();
    let ended = weights.len() > written.len();
    Alignment {
        caption: format!("written as {written}"),
        source: symbols(&pair.source),
        written: symbols(&written).into_iter().chain(ended.then(|| "end".into())).collect(),
        weights,
    }
}

fn class_of(source: &str) -> usize {
    CLASSES.iter().position(|&longest| source.len() <= longest).unwrap_or(CLASSES.len() - 1)
}

fn class_names() -> Vec<String> {
    let from = [1].into_iter().chain(CLASSES.map(|longest| longest + 1));
    from.zip(CLASSES).map(|(from, to)| format!("{from} to {to}")).collect()
}

/// Returns the share of dates that are entirely right in percent, by the class of their length.
fn accuracies(test: &[Pair], written: &[String]) -> Vec<f64> {
    let of = |class| test.iter().zip(written).filter(move |(pair, _)| class_of(&pair.source) == class);
    (0..CLASSES.len()).map(|class| accuracy(of(class))).collect()
}

/// Returns the share of right results in percent, 0 for an empty iterator.
fn accuracy<'a>(pairs: impl Iterator<Item = (&'a Pair, &'a String)>) -> f64 {
    let (mut right, mut all) = (0, 0);
    for (pair, written) in pairs {
        right += usize::from(pair.target == *written);
        all += 1;
    }
    100.0 * right as f64 / all.max(1) as f64
}
