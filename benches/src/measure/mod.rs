//! The clock: competitors that take turns.
//!
//! A slice of one competitor, then of the next, round after round, so that a machine that slows down slows all of them.
//! Of each the median slice counts; two are compared by the median over rounds of their ratio. Time is CPU time of the process, its
//! threads included: what others do on the machine while we wait isn't in it. Only what takes several threads on purpose is timed by
//! the wall clock.

mod remote;

use cpu_time::ProcessTime;
pub use remote::{Calibrated, Server};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// What one turn of a competitor lasts at least.
    pub slice: Duration,
    /// Turns of each competitor.
    pub rounds: usize,
    /// What a contest lasts at most, but for five rounds.
    pub contest: Duration,
}

impl Effort {
    /// For figures to quote.
    pub const FULL: Effort =
        Effort { slice: Duration::from_millis(1), rounds: 101, contest: Duration::from_secs(8) };
    /// For a glance.
    pub const QUICK: Effort =
        Effort { slice: Duration::from_micros(300), rounds: 11, contest: Duration::from_millis(700) };
}

/// Rounds that even the slowest competitors take.
const ROUNDS: usize = 5;

/// A piece of work, to be done again and again.
pub type Work<'a> = Box<dyn FnMut() + 'a>;

/// What time is.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// Of all threads of this process.
    Cpu,
    /// On the wall.
    Wall,
}

/// Work with the number of times that fills a slice.
pub struct Repeated<'a> {
    work: Work<'a>,
    goes: usize,
    clock: Clock,
}

impl<'a> Repeated<'a> {
    /// Finds how many goes fill a slice; warms up on the way.
    pub fn calibrate(work: Work<'a>, slice: Duration, clock: Clock) -> Self {
        let mut repeated = Repeated { work, goes: 1, clock };
        loop {
            let time = repeated.time();
            if time >= slice || repeated.goes >= 1 << 24 {
                return repeated;
            }
            let wanted = slice.as_secs_f64() / time.as_secs_f64().max(1e-9) * 1.1;
            repeated.goes = (repeated.goes as f64 * wanted.min(64.0)).ceil() as usize;
        }
    }

    /// Nanoseconds of one go.
    pub fn turn(&mut self) -> f64 {
        // The caches are full of the competitor before.
        if self.goes > 1 {
            (self.work)();
        }
        self.time().as_secs_f64() * 1e9 / self.goes as f64
    }

    fn time(&mut self) -> Duration {
        let (cpu, wall) = (ProcessTime::now(), Instant::now());
        for _ in 0..self.goes {
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
    /// In another process, which keeps its own clock.
    There(Rc<Server>, String),
}

struct Competitor<'a> {
    name: String,
    runner: Runner<'a>,
    /// Steps (or whatever is counted) in one go.
    units: f64,
    /// Nanoseconds a unit, by round.
    times: Vec<f64>,
}

/// Competitors that are measured in turns.
pub struct Contest<'a> {
    competitors: Vec<Competitor<'a>>,
    effort: Effort,
    clock: Clock,
}

impl<'a> Contest<'a> {
    /// No competitors yet.
    pub fn new(effort: Effort) -> Self {
        Contest { competitors: vec![], effort, clock: Clock::Cpu }
    }

    /// No competitors yet, and the wall clock: for work of several threads.
    pub fn by_the_wall(effort: Effort) -> Self {
        Contest { clock: Clock::Wall, ..Contest::new(effort) }
    }

    /// Adds a competitor whose `work` does `units` steps in one go.
    pub fn enter(&mut self, name: impl Into<String>, units: usize, work: impl FnMut() + 'a) {
        let runner = Runner::Here(Repeated::calibrate(Box::new(work), self.effort.slice, self.clock));
        self.add(name.into(), units, runner);
    }

    /// Adds a competitor of another process, if that process knows the work.
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

    /// Measures all of them.
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

/// What a contest measured.
pub struct Times(Vec<(String, Vec<f64>)>);

impl Times {
    fn rounds(&self, name: &str) -> Option<&[f64]> {
        let (_, times) = self.0.iter().find(|(own, _)| own == name)?;
        Some(times)
    }

    /// Nanoseconds a unit, of the median slice; None if there was no such competitor.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.rounds(name).map(median)
    }

    /// How many times as long `name` takes as `base`: the median over rounds. None if one of them wasn't there.
    pub fn ratio(&self, name: &str, base: &str) -> Option<f64> {
        let (name, base) = (self.rounds(name)?, self.rounds(base)?);
        let ratios: Vec<f64> = name.iter().zip(base).map(|(name, base)| name / base).collect();
        Some(median(&ratios))
    }

    /// Names and medians of all competitors.
    pub fn all(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, times)| (name.as_str(), median(times)))
    }

    /// How restless the machine was: half the distance of the quartiles, relative to the median, of the middle competitor.
    pub fn unrest(&self) -> f64 {
        let spread = |times: &[f64]| (quantile(times, 0.75) - quantile(times, 0.25)) / 2.0 / median(times);
        median(&self.0.iter().map(|(_, times)| spread(times)).collect::<Vec<_>>())
    }
}

/// The middle one; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = (sorted.len() as f64 * at) as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
