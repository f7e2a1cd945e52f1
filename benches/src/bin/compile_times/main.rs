//! The time to compile a crate with 1, 10 and 50 cells, and the part of the macro's expansion.
//!
//! `cargo run --release -p benches --bin compile_times -- [COUNT..]` writes such crates from the
//! definitions of the ready cells to a temporary folder, builds their dependencies, then times the
//! crates alone.

mod definitions;
mod scratch;

use benches::run::exit_code;
use benches::table::Table;
use definitions::Definition;
use lexopt::{Arg, Parser, ValueExt};
use scratch::{Kind, Scratch};
use std::error::Error;
use std::process::ExitCode;

/// The numbers of cells per crate, unless the command line has others.
const COUNTS: [usize; 3] = [1, 10, 50];

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut counts = vec![];
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(count) => counts.push(count.parse()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    report(if counts.is_empty() { &COUNTS } else { &counts })?;
    Ok(())
}

fn report(counts: &[usize]) -> std::io::Result<()> {
    let scratch = Scratch::new()?;
    let definitions = definitions::ready();
    let largest = counts.iter().copied().max().unwrap_or(0);
    let expansions = scratch.expand(&definitions::take(&definitions, largest))?;

    let note = "Seconds of wall time for one crate with built dependencies, without incremental compilation. The first row is an \
                empty crate, the minimum of Cargo and rustc. \"Defined\": the cells are public and nothing uses them. \"Used\": each is \
                initialised, stepped and trained in f32. The expansion is measured with the compiler as a library, compiled as Cargo \
                compiles procedural macros, without optimisation. It is part of each of the other times.";
    let columns = [
        "cells",
        "lines written",
        "lines expanded",
        "expansion, s",
        "check, defined",
        "dev, defined",
        "dev, used",
        "release, used",
    ];
    let mut table = Table::new("Compile time", note, columns);
    for count in [0].iter().chain(counts) {
        let cells = definitions::take(&definitions, *count);
        let written: usize = cells.iter().map(Definition::lines).sum();
        let expanded: usize = expansions[..*count].iter().map(|expansion| expansion.lines).sum();
        let milliseconds: f64 = expansions[..*count].iter().map(|expansion| expansion.milliseconds).sum();
        let seconds = |kind| Ok::<_, std::io::Error>(format!("{:.2}", scratch.time(&cells, kind)?));
        table.row([
            count.to_string(),
            written.to_string(),
            expanded.to_string(),
            format!("{:.3}", milliseconds / 1e3),
            seconds(Kind::CheckDefined)?,
            seconds(Kind::DevDefined)?,
            seconds(Kind::DevUsed)?,
            seconds(Kind::ReleaseUsed)?,
        ]);
    }
    table.print();

    let note = "One definition each, as above.";
    let mut table =
        Table::new("Expansion", note, ["cell", "lines written", "lines expanded", "expansion, ms"]);
    let cells = definitions::take(&definitions, largest.min(definitions.len()));
    for (cell, expansion) in cells.iter().zip(&expansions) {
        table.row([
            cell.title.clone(),
            cell.lines().to_string(),
            expansion.lines.to_string(),
            format!("{:.1}", expansion.milliseconds),
        ]);
    }
    table.print();
    Ok(())
}
