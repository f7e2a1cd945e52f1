//! What came after the LSTM, each in a task of seconds that asks for its kind of memory, beside an LSTM of as many parameters: state spaces
//! (S4D), cells whose gates don't read their state (minGRU, minLSTM, SRU, QRNN), selective state spaces (Mamba), RWKV-4.
//!
//! ```text
//! cargo run --release --example successors
//! ```
//!
//! Selective copying shows what selection is for: S4D, which treats all inputs alike, has the same task.

mod tasks;

use examples::jobs::Jobs;
use examples::options::{Options, QUICK};
use examples::plot::{LogCurve, Panel, panels};
use examples::report::run;
use examples::train::Trainer;
use rnn_cell::cells::*;
use rnn_cell::prelude::*;
use rnn_cell::train::optim::Schedule;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use tasks::{ADDING, BATCH, DELAY, Drawn, RECALL, SELECTIVE, Step, Target, Task};

rnn_cell! {
    /// What stands before a block: `rms_norm`.
    pub cell Norm<D> {
        /// The channels.
        input x: [D];
        /// Their gains.
        param gain: [D] = 1;

        y = rms_norm(x, gain);

        output y;
    }

    /// What stands behind a state space: its channels, which have nothing to do with each other there, are mixed, and gated (Gu et al. 2022).
    pub cell Mix<D> {
        /// The channels.
        input x: [D];
        /// Weights.
        param W, V: [D, D];
        /// Biases.
        param b, c: [D];

        a = gelu(x);
        y = (W @ a + b) * sigmoid(V @ a + c);

        output y;
    }
}

/// Batches of a test.
const TESTED: usize = 32;
/// Tests during training.
const POINTS: usize = 25;

/// What became of a network.
struct Outcome {
    task: &'static str,
    /// The error without learning.
    baseline: f64,
    name: &'static str,
    parameters: usize,
    /// Errors on sequences that are not trained on: before the first update, and on the way to the last.
    errors: Vec<f64>,
    seconds: f64,
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Trains what came after the LSTM.",
            &[
                ("seed", "1", "where randomness starts"),
                ("picture", "target/successors.svg", "where the picture goes"),
                QUICK,
            ],
        )?;
        let mut school =
            School { seed: options.get("seed")?, is_quick: options.flag("quick"), jobs: Jobs::new() };
        delay(&mut school);
        adding(&mut school);
        selective(&mut school);
        recall(&mut school);
        let outcomes = school.jobs.run();
        let tasks: Vec<&[Outcome]> = outcomes.chunk_by(|a, b| a.task == b.task).collect();
        println!(
            "errors on sequences not trained on: of numbers, squares over those of the targets; of symbols, the share of wrong ones"
        );
        tasks.iter().for_each(|outcomes| report(outcomes));
        let path = options.path("picture");
        draw(&path, &tasks)?;
        println!("picture: {}", path.display());
        Ok(())
    })
}

/// Prints the table of a task, whose last network is the LSTM.
fn report(outcomes: &[Outcome]) {
    let [.., lstm] = outcomes else { return };
    println!("\n{} ({:.2} without learning)", lstm.task, lstm.baseline);
    println!("{:22} {:>10} {:>8} {:>8} {:>6}", "cell", "parameters", "before", "after", "s");
    for Outcome { name, parameters, errors, seconds, .. } in outcomes {
        let (before, after) = (errors[0], errors[errors.len() - 1]);
        println!("{name:22} {parameters:>10} {before:>8.3} {after:>8.4} {seconds:>6.1}");
    }
}

fn draw(path: &Path, tasks: &[&[Outcome]]) -> Result<(), Box<dyn Error>> {
    let panel = |outcomes: &&[Outcome]| {
        let curve = |name: &str, errors: &[f64], colour, is_thin| LogCurve {
            name: name.into(),
            points: (0..)
                .zip(errors)
                .map(|(k, error)| (100.0 * f64::from(k) / (errors.len() - 1) as f64, error.max(1e-4).log10()))
                .collect(),
            colour,
            is_thin,
        };
        let first = &outcomes[0];
        let learned =
            outcomes.iter().enumerate().map(|(k, outcome)| curve(outcome.name, &outcome.errors, k, false));
        let level = curve("without learning", &[first.baseline; 2], outcomes.len(), true);
        Panel {
            caption: first.task.into(),
            x: "training, %".into(),
            y: "error".into(),
            curves: learned.chain([level]).collect(),
        }
    };
    let drawn: Vec<Panel> = tasks.iter().map(panel).collect();
    panels(path, "Errors while learning, beside an LSTM of as many parameters", &drawn)
}

fn delay(school: &mut School) {
    school.teach("S4d", &DELAY, |rng| channels(S4d::<8, 16>::init(rng), rng));
    school.teach("S4dBilinear", &DELAY, |rng| channels(S4dBilinear::<8, 16>::init(rng), rng));
    school.teach("S4dReal", &DELAY, |rng| channels(S4dReal::<8, 32>::init(rng), rng));
    school.teach("DiagonalSsm", &DELAY, DiagonalSsm::<1, 138, 1>::init);
    school.lstm::<1, 11, 1>(&DELAY);
}

fn adding(school: &mut School) {
    school.teach("MinGru", &ADDING, |rng| Stack(MinGru::<2, 32>::init(rng), Dense::<32, 1>::init(rng)));
    school.teach("MinLstm", &ADDING, |rng| Stack(MinLstm::<2, 22>::init(rng), Dense::<22, 1>::init(rng)));
    school.teach("Qrnn", &ADDING, |rng| Stack(Qrnn::<2, 14>::init(rng), Dense::<14, 1>::init(rng)));
    school.teach("Sru", &ADDING, |rng| {
        Stack(Stack(Dense::<2, 7>::init(rng), Sru::<7>::init(rng)), Dense::<7, 1>::init(rng))
    });
    school.lstm::<2, 6, 1>(&ADDING);
}

fn selective(school: &mut School) {
    school.teach("Mamba, twice", &SELECTIVE, |rng| twice(rng, Mamba::<16, 32, 8, 1>::init));
    school.teach("SelectiveSsm, twice", &SELECTIVE, |rng| {
        twice(rng, |rng| Stack(SelectiveSsm::<16, 40, 2>::init(rng), Mix::<16>::init(rng)))
    });
    school.teach("S4d, twice", &SELECTIVE, |rng| {
        twice(rng, |rng| Stack(S4d::<16, 32>::init(rng), Mix::<16>::init(rng)))
    });
    school.lstm::<6, 33, 4>(&SELECTIVE);
}

fn recall(school: &mut School) {
    school.teach("RWKV-4", &RECALL, |rng| {
        let (time, channel) = (RwkvTimeMixing::<16>::init(rng), RwkvChannelMixing::<16, 32>::init(rng));
        let mixing = Stack(block(time, rng), block(channel, rng));
        Stack(Stack(Dense::<10, 16>::init(rng), mixing), Dense::<16, 4>::init(rng))
    });
    school.lstm::<10, 20, 4>(&RECALL);
}

/// A layer of eight channels between one that spreads a number over them and a readout.
fn channels<L>(layer: L, rng: &mut Xoshiro256PlusPlus) -> Stack<Stack<Dense<1, 8>, L>, Dense<8, 1>> {
    Stack(Stack(Dense::init(rng), layer), Dense::init(rng))
}

/// A layer with a norm before it and a residual around both.
fn block<L>(layer: L, rng: &mut Xoshiro256PlusPlus) -> Residual<Stack<Norm<16>, L>> {
    Residual::new(Stack(Norm::init(rng), layer))
}

type Block<L> = Residual<Stack<Norm<16>, L>>;
type Twice<L> = Stack<Stack<Dense<6, 16>, Stack<Block<L>, Block<L>>>, Dense<16, 4>>;

/// Two blocks of sixteen channels between a layer up and a readout.
fn twice<L>(rng: &mut Xoshiro256PlusPlus, layer: impl Fn(&mut Xoshiro256PlusPlus) -> L) -> Twice<L> {
    let mut next = || {
        let layer = layer(rng);
        block(layer, rng)
    };
    let blocks = Stack(next(), next());
    Stack(Stack(Dense::init(rng), blocks), Dense::init(rng))
}

/// Where networks learn.
struct School {
    seed: u64,
    is_quick: bool,
    jobs: Jobs<'static, Outcome>,
}

impl School {
    fn lstm<const I: usize, const H: usize, const O: usize>(&mut self, task: &'static Task<I, O>) {
        self.teach("Lstm", task, |rng| Stack(Lstm::<I, H>::init(rng), Dense::<H, O>::init(rng)));
    }

    /// Adds the training of what `init` makes.
    fn teach<L, const I: usize, const O: usize>(
        &mut self,
        name: &'static str,
        task: &'static Task<I, O>,
        init: impl FnOnce(&mut Xoshiro256PlusPlus) -> L + Send + 'static,
    ) where
        L: ModelMut<Scalar = f32> + Layer<BATCH, Context = (), Input = Step<I>, Output = Step<O>>,
    {
        let (seed, is_quick) = (self.seed, self.is_quick);
        let (updates, tested) = if is_quick { (4, 1) } else { (task.updates, TESTED) };
        self.jobs.add(move || {
            let start = Instant::now();
            let net = init(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
            let parameters = net.parameter_count();
            let mut trainer = Trainer::new(net, Adam::new(task.rate), Some(1.0));
            let schedule = Schedule::cosine(task.rate, updates);
            let mut errors = vec![error(&mut trainer, task, tested)];
            // All networks of a task see the same sequences.
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed + 1);
            for update in 0..updates {
                let Drawn { xs, targets } = (task.draw)(&mut rng);
                schedule.apply(update, &mut trainer.optimiser);
                trainer.update(&xs, |ys, dys| cotangents(&targets, ys, dys));
                if (update + 1) * POINTS / updates > update * POINTS / updates {
                    errors.push(error(&mut trainer, task, tested));
                }
            }
            let seconds = start.elapsed().as_secs_f64();
            Outcome { task: task.name, baseline: task.baseline, name, parameters, errors, seconds }
        });
    }
}

/// The gradient of the mean loss over the steps that ask for something.
fn cotangents<const O: usize>(targets: &[Target<O>], ys: &[Step<O>], dys: &mut Vec<Step<O>>) {
    let asked = targets.iter().filter(|target| !matches!(target, Target::None)).count() as f32;
    let of = |(target, y): (&Target<O>, _)| target.gradient(y) / asked;
    dys.clear();
    dys.extend(targets.iter().zip(ys).map(of));
}

/// The error on sequences that no network is trained on.
fn error<L, const I: usize, const O: usize>(
    trainer: &mut Trainer<L, Adam<f32>, BATCH>,
    task: &Task<I, O>,
    batches: usize,
) -> f64
where
    L: ModelMut<Scalar = f32> + Layer<BATCH, Context = (), Input = Step<I>, Output = Step<O>>,
{
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(0x5eed);
    let (mut wrong, mut all) = (0.0, 0.0);
    for _ in 0..batches {
        let Drawn { xs, targets } = (task.draw)(&mut rng);
        for (target, y) in targets.iter().zip(trainer.outputs(&xs)) {
            let (missed, asked) = target.error(y);
            wrong += missed;
            all += asked;
        }
    }
    wrong / all
}
