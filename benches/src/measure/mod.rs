//! The clock and the contests of competitors that take turns.
//!
//! Each round measures a slice of every competitor in turn, so that a machine that slows down slows
//! all of them. The median slice of each competitor counts; two competitors are compared by the
//! median over rounds of their ratio. Time is the CPU time of the process including its threads,
//! which excludes other processes on the machine. Only intentionally multi-threaded work is timed
//! by the wall clock.

mod remote;

use cpu_time::ProcessTime;
pub use remote::{Calibrated, Server};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The duration of a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The minimal duration of one turn of a competitor.
    pub slice: Duration,
    /// The number of turns of each competitor.
    pub rounds: usize,
    /// The maximal duration of a contest, except for its first five rounds.
    pub contest: Duration,
}

impl Effort {
    /// The effort for figures to publish.
    pub const FULL: Effort =
        Effort { slice: Duration::from_millis(1), rounds: 101, contest: Duration::from_secs(8) };
    /// The effort for a quick overview.
    pub const QUICK: Effort =
        Effort { slice: Duration::from_micros(300), rounds: 11, contest: Duration::from_millis(700) };
}

/// The minimal number of rounds.
const ROUNDS: usize = 5;

/// A piece of work that is repeated.
pub type Work<'a> = Box<dyn FnMut() + 'a>;

/// The clock that measures.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The CPU time of all threads of this process.
    Cpu,
    /// The wall-clock time.
    Wall,
}

/// A piece of work and the number of repetitions that fill a slice.
pub struct Repeated<'a> {
    work: Work<'a>,
    repetitions: usize,
    clock: Clock,
}

impl<'a> Repeated<'a> {
    /// Determines the number of repetitions that fill a slice, and warms up.
    pub fn calibrate(work: Work<'a>, slice: Duration, clock: Clock) -> Self {
        let mut repeated = Repeated { work, repetitions: 1, clock };
        loop {
            let time = repeated.time();
            if time >= slice || repeated.repetitions >= 1 << 24 {
                return repeated;
            }
            let wanted = slice.as_secs_f64() / time.as_secs_f64().max(1e-9) * 1.1;
            repeated.repetitions = (repeated.repetitions as f64 * wanted.min(64.0)).ceil() as usize;
        }
    }

    /// Measures one slice. Returns the nanoseconds per repetition.
    pub fn turn(&mut self) -> f64 {
        // Warm up the caches, which the previous competitor has filled.
        if self.repetitions > 1 {
            (self.work)();
        }
        self.time().as_secs_f64() * 1e9 / self.repetitions as f64
    }

    fn time(&mut self) -> Duration {
        let (cpu, wall) = (ProcessTime::now(), Instant::now());
        for _ in 0..self.repetitions {
            (self.work)();
        }
        match self.clock {
            Clock::Cpu => cpu.elapsed(),
            Clock::Wall => wall.elapsed(),
        }
    }
}

enum Runner<'a> {
    Here(Repeated<'a>),
    /// A competitor in another process, which has its own clock.
    There(Rc<Server>, String),
}

struct Competitor<'a> {
    name: String,
    runner: Runner<'a>,
    /// The number of steps or other units in one repetition.
    units: f64,
    /// The nanoseconds per unit in each round.
    times: Vec<f64>,
}

/// Competitors that are measured in turns.
pub struct Contest<'a> {
    competitors: Vec<Competitor<'a>>,
    effort: Effort,
    clock: Clock,
}

impl<'a> Contest<'a> {
    /// Creates a contest without competitors.
    pub fn new(effort: Effort) -> Self {
        Contest { competitors: vec![], effort, clock: Clock::Cpu }
    }

    /// Creates a contest without competitors and with the wall clock, for multi-threaded work.
    pub fn by_the_wall(effort: Effort) -> Self {
        Contest { clock: Clock::Wall, ..Contest::new(effort) }
    }

    /// Adds a competitor whose `work` consists of `units` steps.
    pub fn enter(&mut self, name: impl Into<String>, units: usize, work: impl FnMut() + 'a) {
        let runner = Runner::Here(Repeated::calibrate(Box::new(work), self.effort.slice, self.clock));
        self.add(name.into(), units, runner);
    }

    /// Adds a competitor of another process, if that process supports the work.
    pub fn enter_remote(
        &mut self,
        name: impl Into<String>,
        units: usize,
        server: &Rc<Server>,
        request: &str,
    ) {
        if server.turn(request).is_some() {
            self.add(name.into(), units, Runner::There(Rc::clone(server), request.to_owned()));
        }
    }

    fn add(&mut self, name: String, units: usize, runner: Runner<'a>) {
        self.competitors.push(Competitor { name, runner, units: units as f64, times: vec![] });
    }

    /// Measures all competitors.
    pub fn run(mut self) -> Times {
        let start = Instant::now();
        for round in 0..self.effort.rounds {
            if round >= ROUNDS && start.elapsed() > self.effort.contest {
                break;
            }
            for competitor in &mut self.competitors {
                let time = match &mut competitor.runner {
                    Runner::Here(repeated) => repeated.turn(),
                    Runner::There(server, request) => server.turn(request).unwrap_or(f64::NAN),
                };
                competitor.times.push(time / competitor.units);
            }
        }
        Times(self.competitors.into_iter().map(|competitor| (competitor.name, competitor.times)).collect())
    }
}

/// The results of a contest.
pub struct Times(Vec<(String, Vec<f64>)>);

impl Times {
    fn rounds(&self, name: &str) -> Option<&[f64]> {
        let (_, times) = self.0.iter().find(|(own, _)| own == name)?;
        Some(times)
    }

    /// Returns the nanoseconds per unit of the median slice, or `None` if there is no such
    /// competitor.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.rounds(name).map(median)
    }

    /// Returns the time of `name` relative to `base`, the median over rounds, or `None` if one of
    /// them is missing.
    pub fn ratio(&self, name: &str, base: &str) -> Option<f64> {
        let (name, base) = (self.rounds(name)?, self.rounds(base)?);
        let ratios: Vec<f64> = name.iter().zip(base).map(|(name, base)| name / base).collect();
        Some(median(&ratios))
    }

    /// Returns the names and medians of all competitors.
    pub fn all(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, times)| (name.as_str(), median(times)))
    }

    /// Returns the noise of the machine: the median over competitors of half the interquartile
    /// range, relative to the median.
    pub fn noise(&self) -> f64 {
        let spread = |times: &[f64]| (quantile(times, 0.75) - quantile(times, 0.25)) / 2.0 / median(times);
        median(&self.0.iter().map(|(_, times)| spread(times)).collect::<Vec<_>>())
    }
}

/// Returns the median, or NaN for no values.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * at) as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
