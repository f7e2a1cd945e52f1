//! Training of networks: checkpoints compared with the whole tape, and a batch on two threads
//! compared with one.
//!
//! `cargo run --release -p benches --bin networks -- [--quick]`

mod checkpoints;
mod threads;

use benches::machine;
use benches::measure::{Effort, median};
use benches::run::exit_code;
use lexopt::{Arg, Parser, ValueExt};
use std::process::ExitCode;

fn main() -> ExitCode {
    exit_code(run())
}

fn run() -> Result<(), lexopt::Error> {
    let mut effort = Effort::FULL;
    let mut arguments = Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("quick") => effort = Effort::QUICK,
            Arg::Long(checkpoints::MEMORY) => {
                let (row, way) = (arguments.value()?.string()?, arguments.value()?.string()?);
                checkpoints::memory(&row, &way);
                return Ok(());
            }
            _ => return Err(argument.unexpected()),
        }
    }
    println!("# Networks\n\n{}, {}.", machine::processor(), machine::instruction_set());
    let mut noise = Vec::new();
    threads::report(effort, &mut noise);
    checkpoints::report(effort, &mut noise);
    let noise = 100.0 * median(&noise);
    println!(
        "\nHalf the interquartile range of a competitor was {noise:.1} % of its median (the median over competitors)."
    );
    Ok(())
}
