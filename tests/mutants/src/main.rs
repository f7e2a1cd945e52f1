//! Mutation testing of the compiler's passes and of the kernels.
//!
//! `cargo mutants` lists the mutants. It would build the tests once per mutant, which takes days
//! here. This program builds all mutants into one executable, records which mutants each test
//! reaches, and runs for each mutant only the tests that reach it.
//!
//! ```text
//! cargo install cargo-mutants --locked
//! cargo run -- compiler            # or kernels
//! cargo run -- compiler --file plan --file schedule.rs --jobs 2
//! cargo run -- kernels --left      # only mutants that no test caught last time
//! ```

mod build;
mod instrument;
mod run;

use build::Part;
use lexopt::{Arg, Parser, ValueExt};
use run::Outcome;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// The command line options.
pub struct Options {
    part: Part,
    /// Parts of the paths of the examined files. All files are examined if this is empty.
    files: Vec<String>,
    /// Skips mutants that are known to be caught.
    left: bool,
    jobs: usize,
}

fn options() -> Result<Options, lexopt::Error> {
    let mut part = None;
    let (mut files, mut left, mut jobs) = (vec![], false, 1);
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(name) if name == "compiler" => part = Some(Part::Compiler),
            Arg::Value(name) if name == "kernels" => part = Some(Part::Kernels),
            Arg::Long("file") => files.push(arguments.value()?.string()?),
            Arg::Long("jobs") => jobs = arguments.value()?.parse()?,
            Arg::Long("left") => left = true,
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Options { part: part.ok_or("`compiler` or `kernels` is missing")?, files, left, jobs })
}

fn main() {
    let options = options().unwrap_or_else(|error| {
        eprintln!(
            "error: {error}\nusage: mutants compiler|kernels [--file PART-OF-A-PATH].. [--left] [--jobs N]"
        );
        process::exit(2);
    });
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = target.join("mutants").join(options.part.name());
    let record = folder.join("outcomes.txt");
    let last = fs::read_to_string(&record).unwrap_or_default();
    let last: HashMap<&str, Outcome> = last.lines().filter_map(Outcome::read).collect();

    let program = build::build(&root, &folder, options.part);
    let is_wanted = |id: &usize| {
        let mutant = &program.mutants[*id];
        let is_file = options.files.is_empty() || options.files.iter().any(|part| mutant.file.contains(part));
        let is_left = last.get(mutant.name.as_str()).is_none_or(|outcome| outcome.is_left());
        is_file && (is_left || !options.left)
    };
    let (wanted, others): (Vec<usize>, Vec<usize>) = (0..program.mutants.len()).partition(is_wanted);
    eprintln!("{} of {} mutants", wanted.len(), program.mutants.len());
    let mut outcomes = run::run(&program, &wanted, options.jobs, &folder.join("run.txt"));
    let known = |id: &usize| Some((*id, *last.get(program.mutants[*id].name.as_str())?));
    outcomes.extend(others.iter().filter_map(known));
    report(&program, &outcomes, &record);
}

fn report(program: &build::Program, outcomes: &[(usize, Outcome)], record: &Path) {
    let mut lines: Vec<String> =
        outcomes.iter().map(|(id, outcome)| format!("{outcome} {}", program.mutants[*id].name)).collect();
    lines.sort();
    fs::write(record, lines.join("\n") + "\n").expect("the folder can be written to");
    let mut counts: BTreeMap<&str, BTreeMap<Outcome, usize>> = BTreeMap::new();
    for (id, outcome) in outcomes {
        if outcome.is_left() {
            println!("{outcome} {}", program.mutants[*id].name);
        }
        for row in ["all", program.mutants[*id].file.as_str()] {
            *counts.entry(row).or_default().entry(*outcome).or_default() += 1;
        }
    }
    for (row, counts) in counts {
        let counts: Vec<String> =
            counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        println!("{row}: {}", counts.join(", "));
    }
}
