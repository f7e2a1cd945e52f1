//! A training pass over a long sequence, with the whole tape and with checkpoints.

use benches::machine::resident;
use benches::measure::{Contest, Effort, Work};
use benches::table::{Table, figure};
use benches::work::{inputs, rng};
use nalgebra::SMatrix;
use rnn_cell::cells::{Gru, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::train::bptt::Checkpointed;
use std::hint::black_box;
use std::process::Command;

/// The option of a process that measures the memory of one pass.
pub const MEMORY: &str = "memory";

const WAYS: [&str; 2] = ["whole", "checkpointed"];

/// A function that creates a pass over the given number of steps, in one of `WAYS`.
type Pass = fn(usize, &str) -> Work<'static>;

struct Row {
    name: &'static str,
    batch: usize,
    steps: usize,
    pass: Pass,
}

const CELLS: [(&str, usize, Pass); 4] = [
    ("LSTM (16,32)", 1, |steps, way| long::<16, 1, _>(Lstm::<16, 32>::init_boxed(&mut rng()), steps, way)),
    ("LSTM (64,64)", 1, |steps, way| long::<64, 1, _>(Lstm::<64, 64>::init_boxed(&mut rng()), steps, way)),
    ("GRU (64,64)", 1, |steps, way| long::<64, 1, _>(Gru::<64, 64>::init_boxed(&mut rng()), steps, way)),
    ("LSTM (64,64)", 16, |steps, way| long::<64, 16, _>(Lstm::<64, 64>::init_boxed(&mut rng()), steps, way)),
];

fn rows() -> Vec<Row> {
    let of = |steps| CELLS.map(|(name, batch, pass)| Row { name, batch, steps, pass });
    [10_000, 100_000].into_iter().flat_map(of).collect()
}

/// Prints the table.
pub fn report(effort: Effort, noise: &mut Vec<f64>) {
    let note = "Forward and backward, f32, ns per step; growth of the process in its first pass, in MB.";
    let columns =
        ["cell", "batch", "T", "whole tape", "checkpointed", "ratio", "MB whole", "MB checkpointed"];
    let mut table = Table::new("Checkpointed backpropagation through time", note, columns);
    for (index, row) in rows().into_iter().enumerate() {
        let grown = WAYS.map(|way| {
            let program = std::env::current_exe().expect("the running program has a path");
            let output = Command::new(program)
                .args([&format!("--{MEMORY}"), &index.to_string(), way])
                .output()
                .ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse::<f64>().ok()
        });
        let mut contest = Contest::new(effort);
        for way in WAYS {
            contest.enter(way, row.steps, (row.pass)(row.steps, way));
        }
        let times = contest.run();
        noise.push(times.noise());
        let [whole, checkpointed] = WAYS.map(|way| times.get(way).expect("the competitor was entered above"));
        table.row([
            row.name.to_string(),
            row.batch.to_string(),
            row.steps.to_string(),
            figure(Some(whole)),
            figure(Some(checkpointed)),
            figure(times.ratio("checkpointed", "whole")),
            figure(grown[0]),
            figure(grown[1]),
        ]);
    }
    table.print();
}

/// Prints the growth of this process in one pass, in megabytes. Runs in a separate process, in
/// which no memory has been freed before.
pub fn memory(row: &str, way: &str) {
    let rows = rows();
    let row = &rows[row.parse::<usize>().expect("the argument is the number of a row")];
    let mut pass = (row.pass)(row.steps, way);
    let Some(before) = resident() else { return };
    pass();
    let after = resident().unwrap_or(before);
    println!("{}", after.saturating_sub(before) as f64 / 1e6);
}

fn long<const I: usize, const B: usize, L>(cell: Box<L>, steps: usize, way: &str) -> Work<'static>
where
    L: Cell<B, Scalar = f32, Context = (), Input = SMatrix<f32, I, B>> + 'static,
{
    let xs = inputs::<f32, SMatrix<f32, I, B>>(steps);
    let mut grads = cell.zero_gradients();
    if way == "checkpointed" {
        let mut checkpointed = Checkpointed::new();
        return Box::new(move || {
            checkpointed.forward(&*cell, black_box(&xs), &mut cell.initial_state());
            let loss = |_, ys: &[L::Output], dys: &mut [L::Output]| dys.clone_from_slice(ys);
            checkpointed.backward(&*cell, &xs, loss, &mut grads);
        });
    }
    let (mut tape, mut dys) = (cell.tape(), Vec::<L::Output>::new());
    Box::new(move || {
        dys.clear();
        dys.extend_from_slice(cell.forward(black_box(&xs), &mut cell.initial_state(), &mut tape));
        cell.backward(&xs, &mut tape, &dys, &mut grads);
    })
}
