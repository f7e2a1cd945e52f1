//! A step of LSTM and GRU at batch 1.

use benches::by_hand;
use benches::measure::Contest;
use benches::peers::{Kind, ONNX_SEQUENCE, SEQUENCE, STEPPING};
use benches::run::{Goals, Run, STEP_GOALS};
use benches::table::{Table, figure, percent};
use benches::work::{CYCLE, inputs, rng, step};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cell::{FiveDecimals, FourDecimals, Layer, Model};
use rnn_cell::cells::{Gru, GruResetAfter, Lstm};
use std::hint::black_box;

const BY_HAND: &str = "nalgebra by hand";

/// Our competitors, whose columns precede those of the libraries.
const OURS: [&str; 7] = ["step", "prepared", "1e-4", "1e-5", "run", "step, f64", "step, reset before"];

/// Prints one table for the LSTM and one for the GRU.
pub fn report(run: &mut Run) {
    let note = "ns per step, batch 1, f32. `prepared` is a step on the handle that `prepare` returns, `1e-4` and \
                `1e-5` the same with approximate activations of these errors, `run` 1000 steps in one call. The FLOP of `step` (`FLOPS_PER_STEP`: two per multiply-add of a product, one per element-wise operation or \
                function) are relative to multiply-adds alone, its bytes of weights to reading as many bytes, both \
                measured in the same rounds. The goals in ns are stated for 102.6 GFLOP/s and 102 GB/s and scaled by the first \
                below H = 64, by the second from there on. Other goals: 10 times nexus-inference, 1.3 times its native build, 30 times \
                candle. ONNX-Runtime-1000 is a call over 1000 steps, in ns per step, and does not count as a peer.";
    let mut table = Table::new("Step: LSTM", note, columns());
    lstm::<1, 8>(run, &mut table);
    lstm::<1, 16>(run, &mut table);
    lstm::<1, 20>(run, &mut table);
    lstm::<1, 32>(run, &mut table);
    lstm::<1, 40>(run, &mut table);
    lstm::<1, 64>(run, &mut table);
    lstm::<1, 100>(run, &mut table);
    lstm::<1, 128>(run, &mut table);
    lstm::<64, 64>(run, &mut table);
    lstm::<128, 128>(run, &mut table);
    lstm::<256, 256>(run, &mut table);
    table.print();

    let note = "As above, for the GRU with the reset after the product (PyTorch, cuDNN), and for ours with the reset before it.";
    let mut table = Table::new("Step: GRU", note, columns());
    gru::<1, 8>(run, &mut table);
    gru::<1, 16>(run, &mut table);
    gru::<1, 20>(run, &mut table);
    gru::<1, 32>(run, &mut table);
    gru::<1, 40>(run, &mut table);
    gru::<1, 64>(run, &mut table);
    gru::<1, 100>(run, &mut table);
    gru::<1, 128>(run, &mut table);
    gru::<64, 64>(run, &mut table);
    gru::<128, 128>(run, &mut table);
    gru::<256, 256>(run, &mut table);
    table.print();
}

fn columns() -> Vec<&'static str> {
    let ours = ["(I, H)"].into_iter().chain(OURS);
    let baselines = ["of the peak", "of the bandwidth", "goal, ns", "goal, scaled", BY_HAND];
    ours.chain(baselines).chain(STEPPING).chain(["best peer / ours", "goals"]).collect()
}

fn lstm<const I: usize, const H: usize>(run: &mut Run, table: &mut Table) {
    let cost = Cost {
        kind: Kind::Lstm,
        size: (I, H),
        flops: Lstm::<I, H, f32>::FLOPS_PER_STEP,
        bytes: 4 * Lstm::<I, H, f32>::PARAMETER_COUNT,
    };
    if !run.wants(&cost.id()) {
        return;
    }
    let (cell, hand) = (Lstm::<I, H>::init_boxed(&mut rng()), by_hand::Lstm::<I, H>::new());
    let xs: Vec<SMatrix<f32, I, 1>> = inputs(SEQUENCE);
    let prepared = cell.prepare::<1>();
    let four = cell.prepare::<1>().approximate::<FourDecimals>();
    let five = cell.prepare::<1>().approximate::<FiveDecimals>();
    let (mut with_four, mut with_five) = (cell.zero_state(), cell.zero_state());
    let (mut streaming, mut running) = (cell.zero_state(), cell.zero_state());
    let (mut h, mut c) = (SVector::zeros(), SVector::zeros());
    let mut contest = run.baselines(cost.bytes);
    contest.enter("step", 1, step::<f32, 1, _>(cell.clone()));
    contest.enter(
        "prepared",
        1,
        cycling(&xs, |x| {
            black_box(prepared.step(x, &mut streaming));
        }),
    );
    contest.enter(
        "1e-4",
        1,
        cycling(&xs, |x| {
            black_box(four.step(x, &mut with_four));
        }),
    );
    contest.enter(
        "1e-5",
        1,
        cycling(&xs, |x| {
            black_box(five.step(x, &mut with_five));
        }),
    );
    contest.enter("run", SEQUENCE, || {
        black_box(cell.run(black_box(&xs), &mut running));
    });
    contest.enter("step, f64", 1, step::<f64, 1, _>(Lstm::<I, H, f64>::init_boxed(&mut rng())));
    contest.enter(
        BY_HAND,
        1,
        cycling(&xs, |x| {
            hand.step(x, &mut h, &mut c);
            black_box(&h);
        }),
    );
    row(run, table, contest, &cost);
}

fn gru<const I: usize, const H: usize>(run: &mut Run, table: &mut Table) {
    let cost = Cost {
        kind: Kind::Gru,
        size: (I, H),
        flops: GruResetAfter::<I, H, f32>::FLOPS_PER_STEP,
        bytes: 4 * GruResetAfter::<I, H, f32>::PARAMETER_COUNT,
    };
    if !run.wants(&cost.id()) {
        return;
    }
    let (cell, hand) = (GruResetAfter::<I, H>::init_boxed(&mut rng()), by_hand::Gru::<I, H>::new());
    let xs: Vec<SMatrix<f32, I, 1>> = inputs(SEQUENCE);
    let prepared = cell.prepare::<1>();
    let four = cell.prepare::<1>().approximate::<FourDecimals>();
    let five = cell.prepare::<1>().approximate::<FiveDecimals>();
    let (mut with_four, mut with_five) = (cell.zero_state(), cell.zero_state());
    let (mut streaming, mut running) = (cell.zero_state(), cell.zero_state());
    let mut h = SVector::zeros();
    let mut contest = run.baselines(cost.bytes);
    contest.enter("step", 1, step::<f32, 1, _>(cell.clone()));
    contest.enter(
        "prepared",
        1,
        cycling(&xs, |x| {
            black_box(prepared.step(x, &mut streaming));
        }),
    );
    contest.enter(
        "1e-4",
        1,
        cycling(&xs, |x| {
            black_box(four.step(x, &mut with_four));
        }),
    );
    contest.enter(
        "1e-5",
        1,
        cycling(&xs, |x| {
            black_box(five.step(x, &mut with_five));
        }),
    );
    contest.enter("run", SEQUENCE, || {
        black_box(cell.run(black_box(&xs), &mut running));
    });
    contest.enter("step, reset before", 1, step::<f32, 1, _>(Gru::<I, H>::init_boxed(&mut rng())));
    contest.enter(
        BY_HAND,
        1,
        cycling(&xs, |x| {
            hand.step(x, &mut h);
            black_box(&h);
        }),
    );
    row(run, table, contest, &cost);
}

/// Returns a workload that steps over the first inputs in turn.
fn cycling<X>(xs: &[X], mut step: impl FnMut(&X)) -> impl FnMut() {
    let mut t = 0;
    move || {
        t = (t + 1) % CYCLE;
        step(black_box(&xs[t]));
    }
}

/// The counted cost of a step.
struct Cost {
    kind: Kind,
    size: (usize, usize),
    flops: usize,
    bytes: usize,
}

impl Cost {
    fn id(&self) -> String {
        format!("step {} {:?}", self.kind, self.size)
    }

    /// Returns the goal in nanoseconds on the reference machine.
    fn goal(&self) -> Option<f64> {
        let (i, h) = self.size;
        let goal = STEP_GOALS.iter().find(|goal| i == 1 && goal.h == h)?;
        Some(if self.kind == Kind::Lstm { goal.lstm } else { goal.gru })
    }
}

fn row(run: &mut Run, table: &mut Table, mut contest: Contest, cost: &Cost) {
    let (i, h) = cost.size;
    run.enter_step_peers(&mut contest, cost.kind, cost.size);
    let times = run.measure(&cost.id(), contest);
    let scaled = cost.goal().and_then(|goal| times.scaled(goal, h));
    let mut goals = Goals::default();
    goals.at_most("time", times.get("step"), scaled);
    goals.at_least("nexus", times.ratio("nexus-inference", "step"), 10.0);
    goals.at_least("native nexus", times.ratio("nexus-native", "step"), 1.3);
    goals.at_least("candle", times.ratio("candle", "step"), 30.0);
    let others = STEPPING.into_iter().chain([BY_HAND]).filter(|name| *name != ONNX_SEQUENCE);

    let mut cells = vec![format!("({i}, {h})")];
    cells.extend(OURS.map(|name| figure(times.get(name))));
    cells.push(percent(times.of_peak("step", cost.flops)));
    cells.push(percent(times.of_bandwidth("step", cost.bytes)));
    cells.extend([figure(cost.goal()), figure(scaled), figure(times.get(BY_HAND))]);
    cells.extend(STEPPING.map(|name| figure(times.get(name))));
    cells.push(figure(times.best_of(others, "step")));
    cells.push(goals.verdict());
    table.row(cells);
}
