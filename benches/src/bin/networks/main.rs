//! What the training of networks costs: checkpoints beside the whole tape, a batch on two threads beside one.
//!
//! `cargo run --release -p benches --bin networks -- [--quick]`

mod checkpoints;
mod threads;

use benches::machine;
use benches::measure::{Effort, median};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, row, way] = &arguments[..]
        && flag == checkpoints::MEMORY
    {
        return checkpoints::memory(row, way);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let effort = if quick { Effort::QUICK } else { Effort::FULL };
    println!("# Networks\n\n{}, {}.", machine::processor(), machine::instruction_set());
    let mut unrest = Vec::new();
    threads::report(effort, &mut unrest);
    checkpoints::report(effort, &mut unrest);
    let unrest = 100.0 * median(&unrest);
    println!(
        "\nHalf the distance between a competitor's quartiles was {unrest:.1} % of its median, in the middle."
    );
}
