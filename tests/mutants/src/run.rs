//! Runs each mutant with the tests that reach it.

use crate::build::{Program, output};
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A test fails.
    Caught,
    /// The tests take more than ten times as long as without the mutant, plus twenty seconds.
    Timeout,
    /// Every test passes.
    Survived,
    /// No test reaches the mutant.
    Unreached,
    /// The mutant does not compile.
    Unviable,
    /// No switch is possible at its position (constants, functions that return `impl Trait`).
    /// `cargo mutants` can test it.
    Apart,
}

const NAMES: [(Outcome, &str); 6] = [
    (Outcome::Caught, "caught"),
    (Outcome::Timeout, "timeout"),
    (Outcome::Survived, "survived"),
    (Outcome::Unreached, "unreached"),
    (Outcome::Unviable, "unviable"),
    (Outcome::Apart, "apart"),
];

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        NAMES.iter().filter(|(outcome, _)| outcome == self).try_for_each(|(_, name)| f.write_str(name))
    }
}

impl Outcome {
    /// Parses a line with an outcome and the name of a mutant.
    pub fn read(line: &str) -> Option<(&str, Self)> {
        let (outcome, mutant) = line.split_once(' ')?;
        let (known, _) = NAMES.iter().find(|(_, name)| *name == outcome)?;
        Some((mutant, *known))
    }

    /// Returns whether no test caught the mutant.
    pub fn is_left(self) -> bool {
        matches!(self, Outcome::Survived | Outcome::Unreached)
    }
}

/// Tests that are left out because they are slow: definitions of a thousand equations, and
/// thousands of damaged definitions. Other tests cover the same code stage by stage.
const LONG: [&str; 3] = ["emit::tests::size", "many_equations_are_drawn", "syntax::fuzz"];

struct Test {
    name: String,
    takes: Duration,
    reaches: Vec<usize>,
}

fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.executable);
    command.current_dir(&program.package);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn tests(program: &Program) -> Vec<Test> {
    let list = output(command(program).args(["--list", "--format=terse"]).stdout(Stdio::piped()));
    let list = String::from_utf8_lossy(&list).into_owned();
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let names = names.filter(|name| !LONG.iter().any(|long| name.contains(long)));
    let path = program.executable.with_extension("reached");
    let record = |name: &str| {
        let _ = std::fs::remove_file(&path);
        let start = Instant::now();
        let status = command(program)
            .args(["--exact", name, "--test-threads=1"])
            .env("MUTANT", "record")
            .env("MUTANTS_REACHED", &path)
            .status();
        let takes = start.elapsed();
        assert!(status.is_ok_and(|status| status.success()), "{name} fails without a mutant");
        let reached = std::fs::read_to_string(&path).unwrap_or_default();
        let reaches = reached.lines().filter_map(|line| line.parse().ok()).collect();
        Test { name: name.to_owned(), takes, reaches }
    };
    let mut tests: Vec<Test> = names.map(record).collect();
    tests.sort_by_key(|test| test.takes);
    tests
}

pub fn run(program: &Program, wanted: &[usize], jobs: usize, log: &Path) -> Vec<(usize, Outcome)> {
    let start = Instant::now();
    let tests = tests(program);
    let mut reaching: HashMap<usize, Vec<&Test>> = HashMap::new();
    for test in &tests {
        for id in &test.reaches {
            reaching.entry(*id).or_default().push(test);
        }
    }
    eprintln!("{} tests recorded in {:?}", tests.len(), start.elapsed());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new((vec![], File::create(log).expect("the folder can be written to")));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(&id) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = if program.unviable.contains(&id) {
                        Outcome::Unviable
                    } else if !program.placed.contains(&id) {
                        Outcome::Apart
                    } else {
                        reaching.get(&id).map_or(Outcome::Unreached, |tests| against(program, id, tests))
                    };
                    let (outcomes, log) = &mut *outcomes.lock().expect("no job panics");
                    let _ = writeln!(log, "{outcome} {}", program.mutants[id].name);
                    outcomes.push((id, outcome));
                }
            });
        }
    });
    outcomes.into_inner().expect("no job panics").0
}

/// Runs the tests in batches, the fastest first, since those catch most mutants.
fn against(program: &Program, id: usize, tests: &[&Test]) -> Outcome {
    let mut left = tests;
    let mut budget = Duration::from_millis(300);
    while !left.is_empty() {
        let mut sum = Duration::ZERO;
        let count = left
            .iter()
            .take_while(|test| {
                sum += test.takes;
                sum <= budget
            })
            .count()
            .max(1);
        let (now, later) = left.split_at(count);
        left = later;
        budget *= 5;
        let takes: Duration = now.iter().map(|test| test.takes).sum();
        let mut command = command(program);
        command.args(["--exact", "--test-threads=1"]).args(now.iter().map(|test| &test.name));
        let Ok(mut child) = command.env("MUTANT", id.to_string()).spawn() else {
            panic!("{command:?} cannot run")
        };
        let end = Instant::now() + Duration::from_secs(20) + 10 * takes;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
                _ => break None,
            }
        };
        match status {
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Outcome::Timeout;
            }
            Some(status) if !status.success() => return Outcome::Caught,
            Some(_) => {}
        }
    }
    Outcome::Survived
}
