//! Cells whose recurrence is a scan: a sequence at once compared with one step at a time, and with
//! our LSTM, whose arithmetic is mostly sequential.

use benches::run::Run;
use benches::table::{Table, figure, percent};
use benches::work::{self, CYCLE, STEPS, inputs, rng, train};
use rnn_cell::cells::*;
use std::hint::black_box;
use std::process::ExitCode;

/// The number of modes per channel.
const MODES: usize = 16;
/// The rank of Mamba's step sizes.
const RANK: usize = 4;
/// The width of the filters of the quasi-recurrent network.
const WIDTH: usize = 2;

const BASE: &str = "Lstm";

fn main() -> ExitCode {
    Run::start("Scans", |run| {
        table::<32, 1>(run);
        table::<64, 1>(run);
        table::<64, 16>(run);
    })
}

/// A cell with its counted cost and its workloads.
struct Subject {
    name: &'static str,
    flops: usize,
    recurrent: usize,
    /// One step of a stream, with prepared parameters.
    step: Box<dyn FnMut()>,
    /// A sequence of [`STEPS`] steps, without residuals.
    run: Box<dyn FnMut()>,
    /// A forward and a backward pass through [`STEPS`] steps.
    train: Box<dyn FnMut()>,
}

macro_rules! subjects {
    ($b:ident: $($name:ident<$($dim:ident),*>)*) => {
        vec![$({
            type Cell<const N: usize> = $name<$($dim,)* f32>;
            // The cells are leaked.
            let cell: &'static Cell<N> = Box::leak(Cell::<N>::init_boxed(&mut rng()));
            let (live, mut state, mut t) = (cell.prepare::<$b>(), cell.zero_state::<$b>(), 0);
            let xs = inputs(CYCLE);
            Subject {
                name: stringify!($name),
                flops: Cell::<N>::FLOPS_PER_STEP,
                recurrent: Cell::<N>::RECURRENT_FLOPS_PER_STEP,
                step: Box::new(move || {
                    t = (t + 1) % CYCLE;
                    black_box(live.step(black_box(&xs[t]), &mut state));
                }),
                run: Box::new(work::run::<$b, _>(Cell::<N>::init_boxed(&mut rng()), inputs(STEPS))),
                train: Box::new(train::<f32, $b, _>(Cell::<N>::init_boxed(&mut rng()), STEPS)),
            }
        }),*]
    };
}

fn subjects<const N: usize, const B: usize>() -> Vec<Subject> {
    subjects! { B:
        Lstm<N, N> MinGru<N, N> MinLstm<N, N> Sru<N> Qrnn<N, N, WIDTH>
        DiagonalSsm<N, N, N> S4dReal<N, MODES> S4d<N, MODES> S4dBilinear<N, MODES>
        SelectiveSsm<N, MODES, RANK> Mamba<N, N, MODES, RANK> RwkvTimeMixing<N> RwkvChannelMixing<N, N>
    }
}

/// Measures all cells in turns, in one contest for each of the three workloads.
fn table<const N: usize, const B: usize>(run: &mut Run) {
    let subjects = subjects::<N, B>();
    let id = |what: &str| format!("scan {what} ({N}, {N}) batch {B}");
    let counts: Vec<_> =
        subjects.iter().map(|subject| (subject.name, subject.flops, subject.recurrent)).collect();
    let wanted: Vec<bool> = counts.iter().map(|(name, ..)| run.wants(&id(name))).collect();
    if !wanted.contains(&true) {
        return;
    }
    let (mut steps, mut runs, mut trains) = (run.baselines(0), run.baselines(0), run.baselines(0));
    for (subject, wanted) in subjects.into_iter().zip(&wanted) {
        if *wanted || subject.name == BASE {
            steps.enter(subject.name, B, subject.step);
            runs.enter(subject.name, B * STEPS, subject.run);
            trains.enter(subject.name, B * STEPS, subject.train);
        }
    }
    let steps = run.measure(&id("step"), steps);
    let runs = run.measure(&id("run"), runs);
    let trains = run.measure(&id("training"), trains);

    let title = format!("Scans, all dimensions {N} (modes {MODES}, rank {RANK}), batch {B}");
    let note = format!(
        "ns per step and sample, f32; T = {STEPS} for `run` and for training, which is forward and backward. FLOP by `FLOPS_PER_STEP`, including the \
         terms that depend on parameters alone, which are computed once per call; within the recurrence: the part `RECURRENT_FLOPS_PER_STEP`, \
         which is sequential. The ratios are ns per FLOP relative to our LSTM in the same workload; training has three times the FLOP."
    );
    let columns = [
        "cell",
        "FLOP",
        "within the recurrence",
        "step",
        "ratio",
        "run",
        "ratio",
        "step / run",
        "training",
        "ratio",
    ];
    let mut table = Table::new(&title, &note, columns);
    let base = counts.iter().find(|(name, ..)| *name == BASE).expect("the first subject").1 as f64;
    for (name, flops, recurrent) in counts {
        let Some(step) = steps.get(name) else { continue };
        let mut cells =
            vec![name.to_owned(), flops.to_string(), percent(Some(recurrent as f64 / flops as f64))];
        let ratio = |ratio: Option<f64>| figure(ratio.map(|ratio| ratio * base / flops as f64));
        cells.extend([figure(Some(step)), ratio(steps.ratio(name, BASE))]);
        cells.extend([figure(runs.get(name)), ratio(runs.ratio(name, BASE))]);
        cells.push(figure(runs.get(name).map(|run| step / run)));
        cells.extend([figure(trains.get(name)), ratio(trains.ratio(name, BASE))]);
        table.row(cells);
    }
    table.print();
}
