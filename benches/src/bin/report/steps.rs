//! One step of a stream at batch 1.

use crate::Run;
use benches::by_hand;
use benches::measure::{Contest, Table, figure, percent};
use benches::peers::{self, Kind};
use benches::work::{inputs, rng, step};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cells::{Gru, GruResetAfter, Lstm};
use std::hint::black_box;

const SEQUENCE: usize = 1000;

/// What stands before the columns of the libraries.
const OURS: [&str; 4] = ["step", "prepared", "run", "step, f64"];

/// Prints a table for the LSTM, one for the GRU.
pub fn report(run: &mut Run) {
    let note = "ns a step, batch 1, f32. `step` as called; `prepared`: on the handle that `prepare` returns; `run`: 1000 steps in \
                one call. FLOP by `FLOPS_PER_STEP`; the fraction of the peak and the ratio are those of `step`.";
    let columns = |kind: Kind| {
        let reset_before = if kind == Kind::Gru { "step, reset before" } else { "" };
        ["(I, H)"]
            .into_iter()
            .chain(OURS)
            .chain([reset_before, "of the peak", "nalgebra by hand"])
            .chain(peers::STEPPING)
            .chain(["best peer / ours"])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut table = Table::new("Step: LSTM", note, columns(Kind::Lstm));
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

    let note = "As above; the GRU with its reset after the product (PyTorch, cuDNN), and ours with the reset before.";
    let mut table = Table::new("Step: GRU", note, columns(Kind::Gru));
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

fn lstm<const I: usize, const H: usize>(run: &mut Run, table: &mut Table) {
    let (cell, hand) = (Lstm::<I, H>::init_boxed(&mut rng()), by_hand::Lstm::<I, H>::new());
    let x = SMatrix::<f32, I, 1>::repeat(0.5);
    let xs = inputs::<f32, I, 1>(SEQUENCE);
    let prepared = cell.prepare::<1>();
    let (mut streaming, mut running) = (cell.zero_state(), cell.zero_state());
    let (mut h, mut c) = (SVector::zeros(), SVector::zeros());
    let mut contest = Contest::new(run.effort);
    contest.enter("step", 1, step::<f32, I, 1, _>(cell.clone()));
    contest.enter("prepared", 1, || {
        black_box(prepared.step(black_box(&x), &mut streaming));
    });
    contest.enter("run", SEQUENCE, || {
        black_box(cell.run(black_box(&xs), &mut running));
    });
    contest.enter("step, f64", 1, step::<f64, I, 1, _>(Lstm::<I, H, f64>::init_boxed(&mut rng())));
    contest.enter("nalgebra by hand", 1, || {
        hand.step(black_box(&x), &mut h, &mut c);
        black_box(&h);
    });
    peers::enter_steps(&mut contest, Kind::Lstm, I, H);
    row::<I, H>(run, table, contest, Lstm::<I, H, f32>::FLOPS_PER_STEP);
}

fn gru<const I: usize, const H: usize>(run: &mut Run, table: &mut Table) {
    let (cell, hand) = (GruResetAfter::<I, H>::init_boxed(&mut rng()), by_hand::Gru::<I, H>::new());
    let x = SMatrix::<f32, I, 1>::repeat(0.5);
    let xs = inputs::<f32, I, 1>(SEQUENCE);
    let prepared = cell.prepare::<1>();
    let (mut streaming, mut running) = (cell.zero_state(), cell.zero_state());
    let mut h = SVector::zeros();
    let mut contest = Contest::new(run.effort);
    contest.enter("step", 1, step::<f32, I, 1, _>(cell.clone()));
    contest.enter("prepared", 1, || {
        black_box(prepared.step(black_box(&x), &mut streaming));
    });
    contest.enter("run", SEQUENCE, || {
        black_box(cell.run(black_box(&xs), &mut running));
    });
    contest.enter("step, reset before", 1, step::<f32, I, 1, _>(Gru::<I, H>::init_boxed(&mut rng())));
    contest.enter("nalgebra by hand", 1, || {
        hand.step(black_box(&x), &mut h);
        black_box(&h);
    });
    peers::enter_steps(&mut contest, Kind::Gru, I, H);
    row::<I, H>(run, table, contest, GruResetAfter::<I, H, f32>::FLOPS_PER_STEP);
}

fn row<const I: usize, const H: usize>(run: &mut Run, table: &mut Table, contest: Contest, flops: usize) {
    let times = run.measure(contest);
    let ours = times.get("step").expect("always entered");
    let others = ["nalgebra by hand"].into_iter().chain(peers::STEPPING).filter_map(|name| times.get(name));
    let best = others.fold(f64::MAX, f64::min);
    let mut cells = vec![format!("({I}, {H})")];
    cells.extend(OURS.map(|name| figure(times.get(name))));
    cells.push(figure(times.get("step, reset before")));
    cells.push(percent(flops as f64 / ours, run.peak));
    cells.push(figure(times.get("nalgebra by hand")));
    cells.extend(peers::STEPPING.map(|name| figure(times.get(name))));
    cells.push(format!("{:.1}", best / ours));
    table.row(cells);
}
