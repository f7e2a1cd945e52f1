//! Tasks of the papers, one per paper, each with a seed. The table shows the published figures
//! beside ours. `README.md` holds the output of a full run.
//!
//! ```text
//! cargo run --release --example papers
//! cargo run --release --example papers -- --task adding --seed 2
//! ```
//!
//! A task is a module with a function from [`Options`] to [rows](Row) of the table, and an entry in
//! [`TASKS`].

mod adding;
mod characters;
mod continual_reber;
mod copy_memory;
mod counting;
mod elman_xor;
mod embedded_reber;
mod long_lags;
mod lstm_1997;
mod lstm_variants;
mod omega;
mod sonnets;
mod spike_distance;
mod table;
mod temporal_order;
mod train;

use examples::options::{OFF, Options as CommandLine, QUICK};
use examples::report::run;
use std::process::ExitCode;
use std::time::Instant;
use table::{Options, Row, print};

/// A task of a paper.
struct Task {
    /// The name for `--task`.
    name: &'static str,
    /// The source of the published figures.
    source: &'static str,
    /// The function that runs the task.
    run: fn(&Options) -> Vec<Row>,
}

const TASKS: &[Task] = &[
    Task { name: "elman-xor", source: "Elman 1990, \"Finding structure in time\"", run: elman_xor::run },
    Task {
        name: "embedded-reber",
        source: "Hochreiter & Schmidhuber 1997, experiment 1",
        run: embedded_reber::run,
    },
    Task {
        name: "continual-reber",
        source: "Gers, Schmidhuber & Cummins 2000; figures of a small re-run",
        run: continual_reber::run,
    },
    Task {
        name: "spike-distance",
        source: "Gers, Schraudolph & Schmidhuber 2002; figures of a small re-run",
        run: spike_distance::run,
    },
    Task {
        name: "counting",
        source: "Gers & Schmidhuber 2001; figures of a small re-run",
        run: counting::run,
    },
    Task { name: "lstm-variants", source: "Greff et al. 2017", run: lstm_variants::run },
    Task { name: "sonnets", source: "Chung et al. 2014, with other data", run: sonnets::run },
    Task {
        name: "adding",
        source: "Hochreiter & Schmidhuber 1997, experiment 4; Bai et al. 2018",
        run: adding::run,
    },
    Task { name: "long-lags", source: "Hochreiter & Schmidhuber 1997, experiment 2a", run: long_lags::run },
    Task {
        name: "copy-memory",
        source: "Arjovsky et al. 2016; Bai et al. 2018, table 1",
        run: copy_memory::run,
    },
    Task {
        name: "temporal-order",
        source: "Hochreiter & Schmidhuber 1997, experiment 6a; Pascanu et al. 2013",
        run: temporal_order::run,
    },
];

fn main() -> ExitCode {
    run(|| {
        let command = CommandLine::read(
            "Runs the papers' tasks and prints the published figures beside ours.",
            &[
                ("task", "all", "the name of a task; `--list` lists them"),
                ("list", OFF, "list the tasks and run none"),
                ("seed", "1", "the first random seed"),
                QUICK,
            ],
        )?;
        if command.flag("list") {
            TASKS.iter().for_each(|task| println!("{:<16} {}", task.name, task.source));
            return Ok(());
        }
        let name: String = command.get("task")?;
        let options = Options { seed: command.get("seed")?, quick: command.flag("quick") };
        let chosen: Vec<&Task> = TASKS.iter().filter(|task| name == "all" || name == task.name).collect();
        if chosen.is_empty() {
            let names: Vec<&str> = TASKS.iter().map(|task| task.name).collect();
            return Err(
                format!("no task is called `{name}`\nhelp: the tasks are {}", names.join(", ")).into()
            );
        }
        let all = Instant::now();
        for task in chosen {
            let start = Instant::now();
            let rows = (task.run)(&options);
            println!("{}: {}; {:.0} s\n", task.name, task.source, start.elapsed().as_secs_f64());
            print(&rows);
            println!();
        }
        println!("seed {}, {:.0} s", options.seed, all.elapsed().as_secs_f64());
        Ok(())
    })
}
