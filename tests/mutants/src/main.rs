//! Mutation testing of the compiler's passes and of the kernels.
//!
//! `cargo mutants` lists the mutants. It would build the tests anew for each of them, which takes hours here; this puts all of
//! them into one program, asks each test which mutants it reaches, and runs for each mutant the tests that reach it.
//!
//! ```text
//! cargo install cargo-mutants --locked
//! cargo run -- compiler            # or kernels
//! cargo run -- compiler --file plan --file schedule.rs --jobs 2
//! cargo run -- kernels --survivors # those that the last run left
//! ```

mod build;
mod instrument;
mod run;

use build::Part;
use run::Outcome;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs, process};

/// What the command line asks for.
pub struct Options {
    part: Part,
    /// Parts of paths; all files that are examined if there are none.
    files: Vec<String>,
    survivors: bool,
    jobs: usize,
}

fn options() -> Option<Options> {
    let mut args = env::args().skip(1);
    let part = match args.next()?.as_str() {
        "compiler" => Part::Compiler,
        "kernels" => Part::Kernels,
        _ => return None,
    };
    let mut options = Options { part, files: vec![], survivors: false, jobs: 1 };
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--file" => options.files.push(args.next()?),
            "--jobs" => options.jobs = args.next()?.parse().ok()?,
            "--survivors" => options.survivors = true,
            _ => return None,
        }
    }
    Some(options)
}

fn main() {
    let Some(options) = options() else {
        eprintln!("usage: mutants compiler|kernels [--file PART-OF-A-PATH].. [--survivors] [--jobs N]");
        process::exit(2);
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), PathBuf::from);
    let folder = target.join("mutants").join(options.part.name());
    let last = folder.join("outcomes.txt");
    let survivors = options.survivors.then(|| fs::read_to_string(&last).expect("there was a run before"));
    let wanted = |mutant: &instrument::Mutant| {
        (options.files.is_empty() || options.files.iter().any(|part| mutant.file.contains(part)))
            && survivors.as_ref().is_none_or(|last| {
                last.lines()
                    .any(|line| line.strip_prefix("survived ").is_some_and(|name| same(name, &mutant.name)))
            })
    };
    let program = build::build(&root, &folder, &options, wanted);
    eprintln!("{} mutants in {}", program.mutants.len(), program.executable.display());
    let outcomes = run::run(&program, options.jobs);

    let mut lines: Vec<String> =
        outcomes.iter().map(|(id, outcome)| format!("{outcome} {}", program.mutants[*id].name)).collect();
    lines.sort();
    fs::write(&last, lines.join("\n") + "\n").expect("the folder can be written to");
    let mut counts: BTreeMap<&str, BTreeMap<Outcome, usize>> = BTreeMap::new();
    for (id, outcome) in &outcomes {
        for row in ["all", program.mutants[*id].file.as_str()] {
            *counts.entry(row).or_default().entry(*outcome).or_default() += 1;
        }
    }
    for line in lines.iter().filter(|line| line.starts_with("survived") || line.starts_with("unreached")) {
        println!("{line}");
    }
    println!("{}", last.display());
    for (row, counts) in counts {
        let counts: Vec<String> =
            counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        println!("{row}: {}", counts.join(", "));
    }
}

/// Whether two names are of one mutant: lines and columns move as tests are added.
fn same(a: &str, b: &str) -> bool {
    let parts = |name: &str| {
        let (place, what) = name.split_once(": ").unwrap_or((name, ""));
        (place.split(':').next().unwrap_or_default().to_owned(), what.to_owned())
    };
    parts(a) == parts(b)
}
