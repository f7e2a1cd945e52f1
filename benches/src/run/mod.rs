//! One run of a command that measures: its options, its yardsticks, what it has measured.

mod goals;
mod options;
mod servers;

use crate::machine;
use crate::measure::{Contest, Effort, Times, median};
use crate::peers::{Kind, ONNX_SEQUENCE, Request, SEQUENCE, STEPPING, TRAINING};
pub use goals::{Goals, STEP_GOALS, StepGoal};
use options::Options;
use serde_json::json;
use servers::Servers;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// The competitor that multiplies and adds at the peak; ns a FLOP.
const PEAK: &str = "peak";
/// The competitor that reads as many bytes as a step has weights; ns a byte.
const READ: &str = "read";

/// Options, and what has been measured.
pub struct Run {
    options: Options,
    servers: Servers,
    unrest: Vec<f64>,
}

impl Run {
    /// Measures the machine, then does what `report` says.
    pub fn start(title: &'static str, report: fn(&mut Run)) -> ExitCode {
        let work = move || -> Result<(), String> {
            let options = Options::read()?;
            let servers = Servers::start(&options)?;
            let mut run = Run { options, servers, unrest: vec![] };
            run.header(title);
            report(&mut run);
            let unrest = 100.0 * median(&run.unrest);
            println!(
                "\nHalf the distance between a competitor's quartiles was {unrest:.1} % of its median, in the middle."
            );
            Ok(())
        };
        // Layers by hand pass their parameters through the stack.
        let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(work);
        match worker.map(|worker| worker.join()) {
            Ok(Ok(outcome)) => exit_code(outcome),
            Err(reason) => exit_code(Err(format!("no thread: {reason}"))),
            // The panic has printed its message.
            Ok(Err(_)) => ExitCode::FAILURE,
        }
    }

    fn header(&mut self, title: &str) {
        const SIZES: [usize; 4] = [24, 66, 264, 1024];
        let buffers = SIZES.map(|size| machine::to_read(size * 1024));
        let mut contest = Contest::new(self.options.effort);
        contest.enter(PEAK, machine::PEAK_FLOPS, machine::multiply_add);
        for (size, (numbers, bytes)) in SIZES.iter().zip(&buffers) {
            contest.enter(size.to_string(), *bytes, || machine::read(numbers));
        }
        let times = contest.run();
        let rate = |name: &str| 1.0 / times.get(name).expect("entered above");
        println!("# {title}\n\n{}, {}, one thread.", machine::processor(), machine::instruction_set());
        let speeds = SIZES.map(|size| format!("{:.0} ({size} KiB)", rate(&size.to_string())));
        println!(
            "Multiply-adds in f32: {:.1} GFLOP/s; reading from the caches, GB/s: {}.",
            rate(PEAK),
            speeds.join(", ")
        );
        println!("CPU time; in each row all competitors take turns, and the median slice counts.");
        self.unrest.push(times.unrest());
    }

    /// Whether the command line asks for a row.
    pub fn wants(&self, id: &str) -> bool {
        self.options.wants(id)
    }

    /// A contest, if the command line asks for it, with the yardsticks entered.
    pub fn contest<'a>(&self, id: &str, bytes: usize) -> Option<Contest<'a>> {
        self.wants(id).then(|| self.yardsticks(bytes))
    }

    /// A contest with the yardsticks entered: the peak, and reading `bytes`.
    pub fn yardsticks<'a>(&self, bytes: usize) -> Contest<'a> {
        let mut contest = Contest::new(self.options.effort);
        contest.enter(PEAK, machine::PEAK_FLOPS, machine::multiply_add);
        let (numbers, bytes) = machine::to_read(bytes);
        contest.enter(READ, bytes, move || machine::read(&numbers));
        contest
    }

    /// Measures, and writes down what was asked to be written down.
    pub fn measure(&mut self, id: &str, contest: Contest) -> Times {
        let times = contest.run();
        self.servers.clear();
        self.unrest.push(times.unrest());
        if let Some(path) = &self.options.json {
            let figures: serde_json::Map<_, _> =
                times.all().map(|(name, time)| (name.to_owned(), json!(time))).collect();
            let line = json!({ "id": id, "instructions": machine::instruction_set(), "ns": figures });
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            if let Err(error) = file.and_then(|mut file| writeln!(file, "{line}")) {
                eprintln!("warning: {}: {error}", path.display());
            }
        }
        times
    }

    /// Enters a step of every library whose process was started and knows the cell.
    pub fn enter_step_peers(&self, contest: &mut Contest, kind: Kind, size: (usize, usize)) {
        for library in STEPPING {
            let units = if library == ONNX_SEQUENCE { SEQUENCE } else { 1 };
            self.enter(contest, units, library, &Request { batch: None, kind, size, library });
        }
    }

    /// Enters a training pass of every such library.
    pub fn enter_training_peers(
        &self,
        contest: &mut Contest,
        kind: Kind,
        size: (usize, usize),
        batch: usize,
    ) {
        for library in TRAINING {
            self.enter(contest, 1, library, &Request { batch: Some(batch), kind, size, library });
        }
    }

    fn enter(&self, contest: &mut Contest, units: usize, library: &str, request: &Request) {
        let request = request.to_string();
        if let Some(server) = self.servers.iter().find(|server| server.turn(&request).is_some()) {
            contest.enter_remote(library, units, server, &request);
        }
    }
}

/// What a run's yardsticks say of a competitor.
impl Times {
    /// The fraction of the peak that `flops` in a unit of `name` are.
    pub fn of_peak(&self, name: &str, flops: usize) -> Option<f64> {
        Some(flops as f64 * self.ratio(PEAK, name)?)
    }

    /// The fraction of the cache's bandwidth that reading `bytes` in a unit of `name` is.
    pub fn of_bandwidth(&self, name: &str, bytes: usize) -> Option<f64> {
        Some(bytes as f64 * self.ratio(READ, name)?)
    }

    /// The fastest of `others` as a multiple of `name`.
    pub fn best_of<'n>(&self, others: impl IntoIterator<Item = &'n str>, name: &str) -> Option<f64> {
        others.into_iter().filter_map(|other| self.ratio(other, name)).reduce(f64::min)
    }

    /// GFLOP/s and GB/s.
    fn yardsticks(&self) -> Option<(f64, f64)> {
        Some((1.0 / self.get(PEAK)?, 1.0 / self.get(READ)?))
    }
}

/// Returns the exit code of a command, and prints the reason if it failed.
pub fn exit_code<E: Display>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

impl Effort {
    /// By a flag of the command line.
    fn quick(quick: bool) -> Self {
        if quick { Effort::QUICK } else { Effort::FULL }
    }
}
