//! The clock: competitors that take turns, and the tables that their times go into.
//!
//! A slice of one competitor, then of the next, round after round: a machine that slows down slows all of them. Of
//! each the fastest slice counts, since whatever else the machine does only ever adds time.

use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// What one turn of a competitor lasts at least.
    pub slice: Duration,
    /// Turns of each competitor.
    pub rounds: usize,
    /// What a contest lasts at most, but for three rounds.
    pub contest: Duration,
}

impl Effort {
    /// For figures to quote.
    pub const FULL: Effort =
        Effort { slice: Duration::from_micros(1000), rounds: 60, contest: Duration::from_secs(8) };
    /// For a glance.
    pub const QUICK: Effort =
        Effort { slice: Duration::from_micros(200), rounds: 7, contest: Duration::from_millis(700) };
}

/// A piece of work, to be done again and again.
pub type Work<'a> = Box<dyn FnMut() + 'a>;

struct Competitor<'a> {
    name: String,
    work: Work<'a>,
    /// Steps (or whatever is counted) in one go.
    units: f64,
    /// Goes in a slice.
    goes: usize,
    /// Nanoseconds a unit, by round.
    times: Vec<f64>,
}

/// Competitors that are measured in turns.
pub struct Contest<'a> {
    competitors: Vec<Competitor<'a>>,
    effort: Effort,
}

impl<'a> Contest<'a> {
    /// No competitors yet.
    pub fn new(effort: Effort) -> Self {
        Contest { competitors: vec![], effort }
    }

    /// Adds a competitor whose `work` does `units` steps in one go.
    pub fn enter(&mut self, name: impl Into<String>, units: usize, work: impl FnMut() + 'a) {
        self.competitors.push(Competitor {
            name: name.into(),
            work: Box::new(work),
            units: units as f64,
            goes: 1,
            times: vec![],
        });
    }

    /// Measures all of them.
    pub fn run(mut self) -> Times {
        for competitor in &mut self.competitors {
            competitor.calibrate(self.effort.slice);
        }
        let start = Instant::now();
        for round in 0..self.effort.rounds {
            if round >= 3 && start.elapsed() > self.effort.contest {
                break;
            }
            for competitor in &mut self.competitors {
                competitor.turn();
            }
        }
        Times(self.competitors.into_iter().map(|competitor| (competitor.name, competitor.times)).collect())
    }
}

impl Competitor<'_> {
    /// Finds how many goes fill a slice; warms up on the way.
    fn calibrate(&mut self, slice: Duration) {
        loop {
            let time = self.time();
            if time >= slice || self.goes >= 1 << 24 {
                return;
            }
            let wanted = slice.as_secs_f64() / time.as_secs_f64().max(1e-9) * 1.1;
            self.goes = (self.goes as f64 * wanted.min(64.0)).ceil() as usize;
        }
    }

    fn turn(&mut self) {
        // The caches are full of the competitor before.
        if self.goes > 1 {
            (self.work)();
        }
        let time = self.time().as_secs_f64() * 1e9;
        self.times.push(time / (self.goes as f64 * self.units));
    }

    fn time(&mut self) -> Duration {
        let start = Instant::now();
        for _ in 0..self.goes {
            (self.work)();
        }
        start.elapsed()
    }
}

/// What a contest measured.
pub struct Times(Vec<(String, Vec<f64>)>);

impl Times {
    /// Nanoseconds a unit, of the fastest slice; None if there was no such competitor.
    pub fn get(&self, name: &str) -> Option<f64> {
        let (_, times) = self.0.iter().find(|(own, _)| own == name)?;
        times.iter().copied().reduce(f64::min)
    }

    /// The middle over competitors of how much the median slice was slower than the fastest: the machine's unrest.
    pub fn unrest(&self) -> f64 {
        let ratios =
            self.0.iter().map(|(_, times)| median(times) / times.iter().copied().fold(f64::MAX, f64::min));
        median(&ratios.collect::<Vec<_>>())
    }
}

/// The middle one; NaN of none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A Markdown table.
pub struct Table {
    title: String,
    note: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with the names of its columns.
    pub fn new<N: Into<String>>(title: &str, note: &str, columns: impl IntoIterator<Item = N>) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Table { title: title.to_owned(), note: note.to_owned(), rows: vec![columns] }
    }

    /// Adds a row.
    pub fn row<N: Into<String>>(&mut self, cells: impl IntoIterator<Item = N>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Prints the table, without the columns that are empty in every row: peers that are not built in.
    pub fn print(&self) {
        println!("\n## {}\n", self.title);
        if !self.note.is_empty() {
            println!("{}\n", self.note);
        }
        let used = |column: &usize| self.rows[1..].iter().any(|row| !row[*column].is_empty());
        let used: Vec<usize> = (0..self.rows[0].len()).filter(used).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<&str> = used.iter().map(|column| row[*column].as_str()).collect();
            println!("| {} |", cells.join(" | "));
            if index == 0 {
                println!("|{}", " --- |".repeat(used.len()));
            }
        }
    }
}

/// Three significant digits or whole numbers; empty for what was not measured.
pub fn figure(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value >= 100.0 => format!("{value:.0}"),
        Some(value) if value >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// `value` with what it is a fraction of: `12 %`.
pub fn percent(value: f64, of: f64) -> String {
    format!("{:.0} %", 100.0 * value / of)
}
