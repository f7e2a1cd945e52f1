//! Cells with matrices in fewer bits: the time of a step, the memory, and the loss of accuracy.

use benches::run::Run;
use benches::table::{Table, figure};
use benches::work::{CYCLE, inputs, rng, step};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Gru, GruQuantised, Lstm, LstmQuantised};
use rnn_cell::prelude::*;
use rnn_cell::quantised::{Bf16, Int8, Int8By16};
use std::hint::black_box;
use std::process::ExitCode;

/// The number of random cells of each size over which the largest error is taken.
const CELLS: u64 = 8;
/// The number of steps of each cell.
const STEPS: usize = 300;

fn main() -> ExitCode {
    Run::start("Matrices in fewer bits", |run| {
        times(run);
        losses(run);
    })
}

macro_rules! times {
    ($run:ident $table:ident $batch:literal: $($cell:ident $copy:ident ($i:literal, $h:literal))*) => {$({
        let name = format!("{} ({}, {})", stringify!($cell), $i, $h);
        let id = format!("quantised {name} x {}", $batch);
        let bytes = [
            size_of::<$cell<$i, $h>>(),
            size_of::<$copy<$i, $h, Bf16>>(),
            size_of::<$copy<$i, $h, Int8>>(),
        ];
        if $run.wants(&id) {
            let cell = $cell::<$i, $h>::init_boxed(&mut rng());
            let (halves, small) = (cell.quantised_boxed::<Bf16>(), cell.quantised_boxed::<Int8>());
            let (halves, small) = (halves.expect("the weights are finite"), small.expect("the weights are finite"));
            let integers = cell.quantised_boxed::<Int8By16>().expect("the weights are finite");
            let xs: Vec<SMatrix<f32, $i, $batch>> = inputs(CYCLE);
            let [mut state, mut small_state, mut integer_state] = [0; 3].map(|_| cell.zero_state::<$batch>());
            let (mut t, mut u, mut v) = (0, 0, 0);
            let mut contest = $run.baselines(bytes[0]);
            contest.enter("f32", 1, step::<f32, $batch, _>(cell));
            contest.enter("bf16", 1, || {
                t = (t + 1) % CYCLE;
                black_box(halves.step(black_box(&xs[t]), &mut state));
            });
            contest.enter("int8", 1, || {
                u = (u + 1) % CYCLE;
                black_box(small.step(black_box(&xs[u]), &mut small_state));
            });
            contest.enter("int8by16", 1, || {
                v = (v + 1) % CYCLE;
                black_box(integers.step(black_box(&xs[v]), &mut integer_state));
            });
            let times = $run.measure(&id, contest);
            let mut cells = vec![name, $batch.to_string()];
            cells.extend(["f32", "bf16", "int8", "int8by16"].map(|name| figure(times.get(name))));
            cells.extend(["bf16", "int8", "int8by16"].map(|name| figure(times.ratio("f32", name))));
            cells.extend(bytes.map(|bytes| bytes.to_string()));
            cells.extend(bytes[1..].iter().map(|own| figure(Some(*own as f64 / bytes[0] as f64))));
            $table.row(cells);
        }
    })*};
}

fn times(run: &mut Run) {
    let note = "ns per step of a batch; the speed relative to f32; the bytes of the cell that a step reads, and their share.";
    let columns = [
        "(I, H)",
        "batch",
        "f32",
        "bf16",
        "int8",
        "int8by16",
        "f32 / bf16",
        "f32 / int8",
        "f32 / int8by16",
        "bytes, f32",
        "bf16",
        "int8",
        "share of bf16",
        "of int8",
    ];
    let mut table = Table::new("Steps", note, columns);
    times! { run table 1:
        Lstm LstmQuantised (1, 16)
        Lstm LstmQuantised (1, 32)
        Lstm LstmQuantised (1, 64)
        Lstm LstmQuantised (1, 100)
        Lstm LstmQuantised (1, 128)
        Lstm LstmQuantised (64, 64)
        Lstm LstmQuantised (128, 128)
        Lstm LstmQuantised (256, 256)
        Gru GruQuantised (128, 128)
    }
    times! { run table 4:
        Lstm LstmQuantised (128, 128)
    }
    table.print();
}

macro_rules! losses {
    ($run:ident $table:ident: $($cell:ident ($i:literal, $h:literal))*) => {$({
        let name = format!("{} ({}, {})", stringify!($cell), $i, $h);
        if $run.wants(&format!("loss {name}")) {
            let mut worst = [0.0f32; 3];
            for seed in 0..CELLS {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                let cell = $cell::<$i, $h>::init_boxed(&mut rng);
                let halves = cell.quantised_boxed::<Bf16>().expect("the weights are finite");
                let small = cell.quantised_boxed::<Int8>().expect("the weights are finite");
                let integers = cell.quantised_boxed::<Int8By16>().expect("the weights are finite");
                let mut states = [0; 4].map(|_| cell.zero_state::<1>());
                for x in inputs::<f32, SVector<f32, $i>>(STEPS) {
                    let y = cell.step(&x, &mut states[0]);
                    let outputs = [
                        halves.step(&x, &mut states[1]),
                        small.step(&x, &mut states[2]),
                        integers.step(&x, &mut states[3]),
                    ];
                    for (worst, own) in worst.iter_mut().zip(outputs) {
                        *worst = worst.max((own - y).amax());
                    }
                }
            }
            let [halves, small, integers] = worst.map(|worst| format!("{worst:.1e}"));
            $table.row([name, halves, small, integers]);
        }
    })*};
}

fn losses(run: &mut Run) {
    let note = format!(
        "The largest error of an output over {CELLS} new cells and {STEPS} steps of each. Outputs are within 1."
    );
    let mut table = Table::new("Losses", &note, ["(I, H)", "bf16", "int8", "int8by16"]);
    losses! { run table: Lstm (1, 16) Lstm (1, 64) Lstm (64, 64) Lstm (128, 128) Gru (128, 128) }
    table.print();
}
