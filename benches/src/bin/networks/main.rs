//! What the training of networks costs: checkpoints beside the whole tape, a batch on two threads beside one.
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
    let mut unrest = Vec::new();
    threads::report(effort, &mut unrest);
    checkpoints::report(effort, &mut unrest);
    let unrest = 100.0 * median(&unrest);
    println!(
        "\nHalf the distance between a competitor's quartiles was {unrest:.1} % of its median, in the middle."
    );
    Ok(())
}
