//! A run of a benchmark command: its options, its baselines, its measurements.

mod goals;
mod options;
mod servers;

use crate::machine;
use crate::measure::{Contest, Effort, Times, median};
use crate::peers::{Kind, ONNX_SEQUENCE, Request, SEQUENCE, STEPPING, TRAINING, Task};
pub use goals::{Goals, STEP_GOALS, StepGoal};
use options::Options;
use serde_json::json;
use servers::Servers;
use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// The competitor that runs multiply-adds at the peak, in ns per FLOP.
const PEAK: &str = "peak";
/// The competitor that reads as many bytes as a step has weights, in ns per byte.
const READ: &str = "read";

/// The options and the results of a run.
pub struct Run {
    options: Options,
    servers: Servers,
    noise: Vec<f64>,
}

impl Run {
    /// Measures the machine, then runs `report`.
    pub fn start(title: &'static str, report: fn(&mut Run)) -> ExitCode {
        let work = move || -> Result<(), String> {
            let options = Options::read()?;
            let servers = Servers::start(&options)?;
            let mut run = Run { options, servers, noise: vec![] };
            run.header(title);
            report(&mut run);
            let noise = 100.0 * median(&run.noise);
            println!(
                "\nHalf the interquartile range of a competitor was {noise:.1} % of its median (the median over competitors)."
            );
            Ok(())
        };
        // Hand-written layers pass their parameters through the stack.
        let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(work);
        match worker.map(|worker| worker.join()) {
            Ok(Ok(outcome)) => exit_code(outcome),
            Err(reason) => exit_code(Err(format!("cannot start a thread: {reason}"))),
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
        let rate = |name: &str| 1.0 / times.get(name).expect("the competitor was entered above");
        println!("# {title}\n\n{}, {}, one thread.", machine::processor(), machine::instruction_set());
        let speeds = SIZES.map(|size| format!("{:.0} ({size} KiB)", rate(&size.to_string())));
        println!(
            "Multiply-adds in f32: {:.1} GFLOP/s; reading from the caches, GB/s: {}.",
            rate(PEAK),
            speeds.join(", ")
        );
        println!("CPU time; in each row all competitors take turns, and the median slice counts.");
        self.noise.push(times.noise());
    }

    /// Returns whether the command line selects a row.
    pub fn wants(&self, id: &str) -> bool {
        self.options.wants(id)
    }

    /// Returns a contest with the baselines, if the command line selects the row.
    pub fn contest<'a>(&self, id: &str, bytes: usize) -> Option<Contest<'a>> {
        self.wants(id).then(|| self.baselines(bytes))
    }

    /// Returns a contest with the baselines: the peak, and reading `bytes`.
    pub fn baselines<'a>(&self, bytes: usize) -> Contest<'a> {
        let mut contest = Contest::new(self.options.effort);
        contest.enter(PEAK, machine::PEAK_FLOPS, machine::multiply_add);
        let (numbers, bytes) = machine::to_read(bytes);
        contest.enter(READ, bytes, move || machine::read(&numbers));
        contest
    }

    /// Runs the contest and appends its results to the JSON file, if there is one.
    pub fn measure(&mut self, id: &str, contest: Contest) -> Times {
        let times = contest.run();
        self.servers.clear();
        self.noise.push(times.noise());
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

    /// Enters a step of every library whose process runs and supports the cell.
    pub fn enter_step_peers(&self, contest: &mut Contest, kind: Kind, size: (usize, usize)) {
        for library in STEPPING {
            let units = if library == ONNX_SEQUENCE { SEQUENCE } else { 1 };
            self.enter(contest, units, library, &Request { task: Task::Step, kind, size, library });
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
            self.enter(contest, 1, library, &Request { task: Task::Training(batch), kind, size, library });
        }
    }

    /// Enters the work of another library, if its process runs and supports it. It consists of
    /// `units` steps.
    pub fn enter(&self, contest: &mut Contest, units: usize, name: &str, request: &Request) {
        let request = request.to_string();
        if let Some(server) = self.servers.iter().find(|server| server.turn(&request).is_some()) {
            contest.enter_remote(name, units, server, &request);
        }
    }
}

/// Comparisons of a competitor with the baselines of the run.
impl Times {
    /// Returns the fraction of the peak that `flops` FLOP per unit of `name` reach.
    pub fn of_peak(&self, name: &str, flops: usize) -> Option<f64> {
        Some(flops as f64 * self.ratio(PEAK, name)?)
    }

    /// Returns the fraction of the cache's bandwidth that reading `bytes` per unit of `name`
    /// reaches.
    pub fn of_bandwidth(&self, name: &str, bytes: usize) -> Option<f64> {
        Some(bytes as f64 * self.ratio(READ, name)?)
    }

    /// Returns the time of the fastest of `others` relative to `name`.
    pub fn best_of<'n>(&self, others: impl IntoIterator<Item = &'n str>, name: &str) -> Option<f64> {
        others.into_iter().filter_map(|other| self.ratio(other, name)).reduce(f64::min)
    }

    /// Returns the peak in GFLOP/s and the bandwidth in GB/s.
    fn baselines(&self) -> Option<(f64, f64)> {
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
    /// Returns the effort for the flag `--quick`.
    fn quick(quick: bool) -> Self {
        if quick { Effort::QUICK } else { Effort::FULL }
    }
}
