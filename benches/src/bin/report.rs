//! Runs the commands `steps`, `training`, `cells` and `growth` one after the other and prints their
//! Markdown tables.
//!
//! `cargo run --release -p benches --bin report -- [options]` passes its options to each command.

use std::process::{Command, ExitCode};

const COMMANDS: [&str; 4] = ["steps", "training", "cells", "growth"];

fn main() -> ExitCode {
    for command in COMMANDS {
        let status = Command::new(env!("CARGO"))
            .args(["run", "--release", "--quiet", "--bin", command, "--"])
            .args(std::env::args().skip(1))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        match status {
            Ok(status) if status.success() => println!(),
            Ok(_) => return ExitCode::FAILURE,
            Err(error) => {
                eprintln!("error: cannot run cargo: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
