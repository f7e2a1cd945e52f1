//! The successors of the LSTM: state spaces (S4D), cells whose gates do not read their state
//! (minGRU, minLSTM, SRU, QRNN), selective state spaces (Mamba) and RWKV-4. Each learns a task of
//! seconds that requires its kind of memory, compared with an LSTM with as many parameters.
//!
//! ```text
//! cargo run --release --example successors
//! ```
//!
//! Selective copying shows the purpose of selection: S4D, which treats all inputs alike, learns the
//! same task.

mod tasks;

use examples::jobs::Jobs;
use examples::options::{Options, QUICK};
use examples::plot::{Bars, bars};
use examples::report::run;
use rnn_cell::cells::*;
use rnn_cell::prelude::*;
use rnn_cell::train::{FullBptt, Schedule, Trainer};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use tasks::{ADDING, BATCH, DELAY, Drawn, RECALL, SELECTIVE, Step, Target, Task};

rnn_cell! {
    /// The `rms_norm` before a block.
    pub cell Norm<D> {
        /// The channels.
        input x: [D];
        /// The gains of the channels.
        param gain: [D] = 1;

        y = rms_norm(x, gain);

        output y;
    }

    /// The layer after a state space. It mixes the channels, which the state space processes
    /// independently, and gates them (Gu et al. 2022).
    pub cell Mix<D> {
        /// The channels.
        input x: [D];
        /// The weights.
        param W, V: [D, D];
        /// The biases.
        param b, c: [D];

        a = gelu(x);
        y = (W @ a + b) * sigmoid(V @ a + c);

        output y;
    }
}

/// The number of batches of a test.
const TESTED: usize = 32;

/// The result of one training.
struct Outcome {
    task: &'static str,
    measure: &'static str,
    /// The error of the best constant prediction.
    baseline: f64,
    name: &'static str,
    parameters: usize,
    /// The errors on test sequences, before and after the training.
    errors: [f64; 2],
    seconds: f64,
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Trains the successors of the LSTM.",
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("picture", "target/successors.svg", "the file of the picture"),
                QUICK,
            ],
        )?;
        let mut experiments =
            Experiments { seed: options.get("seed")?, is_quick: options.flag("quick"), jobs: Jobs::new() };
        delay(&mut experiments);
        adding(&mut experiments);
        selective(&mut experiments);
        recall(&mut experiments);
        let outcomes = experiments.jobs.run();
        let tasks: Vec<&[Outcome]> = outcomes.chunk_by(|a, b| a.task == b.task).collect();
        println!(
            "errors on test sequences: for numbers, the squared error over the square of the targets; for symbols, the share of wrong ones"
        );
        tasks.iter().for_each(|outcomes| report(outcomes));
        let path = options.path("picture");
        draw(&path, &tasks)?;
        println!("picture: {}", path.display());
        Ok(())
    })
}

/// Prints the table of a task. Its last network is the LSTM.
fn report(outcomes: &[Outcome]) {
    let [.., lstm] = outcomes else { return };
    println!("\n{} ({:.2} without learning)", lstm.task, lstm.baseline);
    println!("{:22} {:>10} {:>8} {:>8} {:>6}", "cell", "parameters", "before", "after", "s");
    for Outcome { name, parameters, errors: [before, after], seconds, .. } in outcomes {
        println!("{name:22} {parameters:>10} {before:>8.3} {after:>8.4} {seconds:>6.1}");
    }
}

fn draw(path: &Path, tasks: &[&[Outcome]]) -> Result<(), Box<dyn Error>> {
    let task = |outcomes: &&[Outcome]| {
        let Outcome { task, measure, baseline, .. } = outcomes[0];
        Bars {
            caption: task.into(),
            quantity: format!("{measure} (line: a guess)"),
            results: outcomes
                .iter()
                .map(|outcome| (outcome.name.into(), 100.0 * outcome.errors[1]))
                .collect(),
            level: 100.0 * baseline,
        }
    };
    let tasks: Vec<Bars> = tasks.iter().map(task).collect();
    bars(path, "What a cell gets wrong after training: shorter is better", &tasks)
}

fn delay(experiments: &mut Experiments) {
    experiments.train("S4d", &DELAY, |rng| channels(S4d::<8, 16>::init(rng), rng));
    experiments.train("S4dBilinear", &DELAY, |rng| channels(S4dBilinear::<8, 16>::init(rng), rng));
    experiments.train("S4dReal", &DELAY, |rng| channels(S4dReal::<8, 32>::init(rng), rng));
    experiments.train("DiagonalSsm", &DELAY, DiagonalSsm::<1, 138, 1>::init);
    experiments.lstm::<1, 11, 1>(&DELAY);
}

fn adding(experiments: &mut Experiments) {
    experiments.train("MinGru", &ADDING, |rng| Stack(MinGru::<2, 32>::init(rng), Dense::<32, 1>::init(rng)));
    experiments
        .train("MinLstm", &ADDING, |rng| Stack(MinLstm::<2, 22>::init(rng), Dense::<22, 1>::init(rng)));
    experiments.train("Qrnn", &ADDING, |rng| Stack(Qrnn::<2, 14, 2>::init(rng), Dense::<14, 1>::init(rng)));
    experiments.train("Sru", &ADDING, |rng| {
        Stack(Stack(Dense::<2, 7>::init(rng), Sru::<7>::init(rng)), Dense::<7, 1>::init(rng))
    });
    experiments.lstm::<2, 6, 1>(&ADDING);
}

fn selective(experiments: &mut Experiments) {
    experiments.train("Mamba × 2", &SELECTIVE, |rng| twice(rng, Mamba::<16, 32, 8, 1>::init));
    experiments.train("SelectiveSsm × 2", &SELECTIVE, |rng| {
        twice(rng, |rng| Stack(SelectiveSsm::<16, 40, 2>::init(rng), Mix::<16>::init(rng)))
    });
    experiments.train("S4d × 2", &SELECTIVE, |rng| {
        twice(rng, |rng| Stack(S4d::<16, 32>::init(rng), Mix::<16>::init(rng)))
    });
    experiments.lstm::<6, 33, 4>(&SELECTIVE);
}

fn recall(experiments: &mut Experiments) {
    experiments.train("RWKV-4", &RECALL, |rng| {
        let (time, channel) = (RwkvTimeMixing::<16>::init(rng), RwkvChannelMixing::<16, 32>::init(rng));
        let mixing = Stack(block(time, rng), block(channel, rng));
        Stack(Stack(Dense::<10, 16>::init(rng), mixing), Dense::<16, 4>::init(rng))
    });
    experiments.lstm::<10, 20, 4>(&RECALL);
}

/// Returns a layer of eight channels between an input projection and a readout.
fn channels<L>(layer: L, rng: &mut Xoshiro256PlusPlus) -> Stack<Stack<Dense<1, 8>, L>, Dense<8, 1>> {
    Stack(Stack(Dense::init(rng), layer), Dense::init(rng))
}

/// Returns a layer with a norm before it and a residual connection around both.
fn block<L>(layer: L, rng: &mut Xoshiro256PlusPlus) -> Residual<Stack<Norm<16>, L>> {
    Residual::new(Stack(Norm::init(rng), layer))
}

type Block<L> = Residual<Stack<Norm<16>, L>>;
type Twice<L> = Stack<Stack<Dense<6, 16>, Stack<Block<L>, Block<L>>>, Dense<16, 4>>;

/// Returns two blocks of sixteen channels between an input projection and a readout.
fn twice<L>(rng: &mut Xoshiro256PlusPlus, layer: impl Fn(&mut Xoshiro256PlusPlus) -> L) -> Twice<L> {
    let mut next = || {
        let layer = layer(rng);
        block(layer, rng)
    };
    let blocks = Stack(next(), next());
    Stack(Stack(Dense::init(rng), blocks), Dense::init(rng))
}

/// The training runs of all networks.
struct Experiments {
    seed: u64,
    is_quick: bool,
    jobs: Jobs<'static, Outcome>,
}

impl Experiments {
    fn lstm<const I: usize, const H: usize, const O: usize>(&mut self, task: &'static Task<I, O>) {
        self.train("Lstm", task, |rng| Stack(Lstm::<I, H>::init(rng), Dense::<H, O>::init(rng)));
    }

    /// Adds the training run of the network that `init` returns.
    fn train<L, const I: usize, const O: usize>(
        &mut self,
        name: &'static str,
        task: &'static Task<I, O>,
        init: impl FnOnce(&mut Xoshiro256PlusPlus) -> L + Send + 'static,
    ) where
        L: ModelMut<Scalar = f32> + Layer<BATCH, Context = (), Input = Step<I>, Output = Step<O>>,
    {
        let (seed, is_quick) = (self.seed, self.is_quick);
        let (updates, tested) = if is_quick { (2, 1) } else { (task.updates, TESTED) };
        self.jobs.add(move || {
            let start = Instant::now();
            let net = init(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
            let parameters = net.parameter_count();
            let mut trainer = Trainer::new::<BATCH>(net, Adam::new(task.rate))
                .schedule(Schedule::cosine(task.rate, updates))
                .clip_norm(1.0);
            let before = error(&mut trainer, task, tested);
            // All networks of a task are trained on the same sequences.
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed + 1);
            for _ in 0..updates {
                let Drawn { xs, targets } = (task.draw)(&mut rng);
                let asked = targets.iter().filter(|target| !matches!(target, Target::None)).count() as f32;
                let loss = trainer.step(&xs, |out| out.sum(|t, y| targets[t].loss(y, asked)));
                loss.expect("the loss is finite");
            }
            let errors = [before, error(&mut trainer, task, tested)];
            let seconds = start.elapsed().as_secs_f64();
            let Task { name: task, measure, baseline, .. } = *task;
            Outcome { task, measure, baseline, name, parameters, errors, seconds }
        });
    }
}

/// Returns the error on test sequences.
fn error<L, const I: usize, const O: usize>(
    trainer: &mut Trainer<L, Adam<f32>, FullBptt<L, BATCH>>,
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
