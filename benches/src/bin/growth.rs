//! The growth of time and memory with the length of a sequence.
//!
//! This is a separate program because it counts every allocation, which would slow down the other
//! libraries.

use allocation_counter::measure;
use benches::run::{Goals, Run};
use benches::table::{Table, figure};
use benches::work::{inputs, rng, train};
use nalgebra::SMatrix;
use rnn_cell::cell::{Bars, Layer, Model};
use rnn_cell::cells::{GruResetAfter, LayerNormLstm, Lstm};
use std::hint::black_box;
use std::process::ExitCode;

const LENGTHS: [usize; 4] = [100, 1000, 10_000, 100_000];

/// The maximal time per step in the longest sequence relative to the shortest. Tapes that exceed
/// the caches come from memory.
const LINEAR: f64 = 1.5;
/// The maximal number of bytes per step and sample relative to the analysis, from a thousand steps
/// on.
const OVERHEAD: f64 = 1.02;

fn main() -> ExitCode {
    Run::start("Growth", report)
}

fn report(run: &mut Run) {
    let note = "f32. Time: forward and backward, ns per step (of all samples), and relative to the shortest sequence. Tape: bytes per step and \
                sample, by analysis (`TAPE_BYTES_PER_STEP`) and as counted by an allocator over a first forward pass. Backward: the total \
                that the first backward pass adds. Later: allocations of the following passes. `run`, which keeps no residuals: the \
                maximal memory beyond its outputs. Goals: time per step at most 1.5 times that of the shortest sequence, bytes \
                from T = 1000 within 2 % of the analysis, no later allocations.";
    let columns = [
        "cell",
        "batch",
        "T",
        "ns per step",
        "relative",
        "tape, by analysis",
        "tape, counted",
        "backward, KiB",
        "later",
        "`run`, KiB",
        "goals",
    ];
    let mut table = Table::new("Growth with T", note, columns);

    macro_rules! rows {
        ($($cell:ident ($i:literal, $h:literal) x $b:literal)*) => {$({
            let name = format!("{} ({}, {})", stringify!($cell), $i, $h);
            let id = format!("growth {name} batch {}", $b);
            if let Some(mut contest) = run.contest(&id, 0) {
                let cell = $cell::<$i, $h>::init_boxed(&mut rng());
                for steps in LENGTHS {
                    contest.enter(steps.to_string(), steps, train::<f32, $b, _>(cell.clone(), steps));
                }
                let times = run.measure(&id, contest);
                for steps in LENGTHS {
                    let xs: Vec<SMatrix<f32, $i, $b>> = inputs(steps);
                    let memory = memory(&*cell, &xs);
                    let outputs = steps * size_of::<SMatrix<f32, $h, $b>>();
                    let running = measure(|| {
                        black_box(cell.run(&xs, &mut cell.zero_state()));
                    });
                    let relative = times.ratio(&steps.to_string(), &LENGTHS[0].to_string());
                    let (analysis, counted) = ($cell::<$i, $h, f32>::TAPE_BYTES_PER_STEP, memory.tape as f64 / (steps * $b) as f64);
                    let mut goals = Goals::default();
                    goals.at_most("time", relative, Some(LINEAR));
                    if steps >= 1000 {
                        goals.at_most("tape", Some(counted), Some(OVERHEAD * analysis as f64));
                    }
                    goals.at_most("allocations", Some(memory.later as f64), Some(0.0));
                    table.row([
                        name.clone(),
                        $b.to_string(),
                        steps.to_string(),
                        figure(times.get(&steps.to_string())),
                        figure(relative),
                        analysis.to_string(),
                        figure(Some(counted)),
                        figure(Some(memory.backward as f64 / 1024.0)),
                        memory.later.to_string(),
                        figure(Some((running.bytes_max as f64 - outputs as f64) / 1024.0)),
                        goals.verdict(),
                    ]);
                }
            }
        })*};
    }
    rows! {
        Lstm (16, 32) x 1
        Lstm (16, 32) x 16
        GruResetAfter (16, 32) x 1
        LayerNormLstm (16, 32) x 1
    }
    table.print();
}

/// The bytes that the first passes leave allocated, and the number of allocations of the second
/// passes.
struct Memory {
    tape: i64,
    backward: i64,
    later: u64,
}

fn memory<const B: usize, L>(cell: &L, xs: &[L::Input]) -> Memory
where
    L: Layer<B, Context = (), Input: Clone, InputBar = <L as Layer<B>>::Input>,
{
    let (mut state, mut dstate) = (cell.initial_state(), cell.zero_state());
    let (mut tape, mut grads, mut dxs) = (cell.tape(), cell.zero_gradients(), xs.to_vec());
    let forward = measure(|| {
        cell.forward(xs, &mut state, &mut tape);
    });
    let dys = cell.outputs(&tape).to_vec();
    let mut back = |tape: &mut L::Tape| {
        let bars = Bars::of(&mut grads).state(&mut dstate).inputs(&mut dxs);
        cell.backward(xs, tape, &dys, bars);
    };
    let backward = measure(|| back(&mut tape));
    let later = measure(|| {
        cell.forward(xs, &mut state, &mut tape);
        back(&mut tape);
    });
    Memory { tape: forward.bytes_current, backward: backward.bytes_current, later: later.count_total }
}
