//! Forward and backward through 100 steps.

use crate::Run;
use benches::by_hand;
use benches::measure::{Contest, Table, figure, percent};
use benches::peers::{self, Kind};
use benches::work::{STEPS, inputs, rng, train};
use nalgebra::SVector;
use rnn_cell::cells::{GruResetAfter, Lstm};
use std::hint::black_box;

/// Prints a table for the LSTM, one for the GRU.
pub fn report(run: &mut Run) {
    let note = "µs a pass: T = 100, forward and backward, f32; gradients of parameters, inputs and initial state. FLOP: three times \
                `FLOPS_PER_STEP`.";
    let columns = |kind| {
        ["(I, H)", "batch", "ours", "of the peak", if kind == Kind::Lstm { "ours, f64" } else { "" }]
            .into_iter()
            .chain(["nalgebra by hand"])
            .chain(peers::TRAINING)
            .chain(["best peer / ours"])
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let mut table = Table::new("Training: LSTM", note, columns(Kind::Lstm));
    lstm_batches::<8, 16>(run, &mut table);
    lstm_batches::<16, 32>(run, &mut table);
    lstm_batches::<64, 64>(run, &mut table);
    lstm_batches::<128, 128>(run, &mut table);
    lstm_batches::<256, 256>(run, &mut table);
    table.print();
    let note = "As above; the GRU with its reset after the product.";
    let mut table = Table::new("Training: GRU", note, columns(Kind::Gru));
    gru_batches::<8, 16>(run, &mut table);
    gru_batches::<16, 32>(run, &mut table);
    gru_batches::<64, 64>(run, &mut table);
    gru_batches::<128, 128>(run, &mut table);
    gru_batches::<256, 256>(run, &mut table);
    table.print();
}

fn lstm_batches<const I: usize, const H: usize>(run: &mut Run, table: &mut Table) {
    lstm::<I, H, 1>(run, table);
    lstm::<I, H, 16>(run, table);
    lstm::<I, H, 64>(run, table);
}

fn gru_batches<const I: usize, const H: usize>(run: &mut Run, table: &mut Table) {
    gru::<I, H, 1>(run, table);
    gru::<I, H, 16>(run, table);
    gru::<I, H, 64>(run, table);
}

fn lstm<const I: usize, const H: usize, const B: usize>(run: &mut Run, table: &mut Table) {
    let (hand, mut grads) = (by_hand::Lstm::<I, H>::new(), by_hand::Lstm::<I, H>::zeros());
    let (xs, dys) = (inputs::<f32, I, 1>(STEPS), vec![SVector::<f32, H>::repeat(0.01); STEPS]);
    let (mut tape, mut dxs) = (Vec::new(), xs.clone());
    let mut contest = Contest::new(run.effort);
    contest.enter("ours", 1, train::<f32, I, B, _>(Lstm::<I, H>::init_boxed(&mut rng()), STEPS));
    contest.enter("ours, f64", 1, train::<f64, I, B, _>(Lstm::<I, H, f64>::init_boxed(&mut rng()), STEPS));
    if B == 1 {
        contest.enter("nalgebra by hand", 1, || {
            hand.forward(black_box(&xs), &mut tape);
            hand.backward(&xs, &tape, &dys, &mut grads, &mut dxs);
            black_box(&dxs);
        });
    }
    peers::enter_training(&mut contest, Kind::Lstm, I, H, B, STEPS);
    row::<I, H, B>(run, table, contest, Lstm::<I, H, f32>::FLOPS_PER_STEP);
}

fn gru<const I: usize, const H: usize, const B: usize>(run: &mut Run, table: &mut Table) {
    let (hand, mut grads) = (by_hand::Gru::<I, H>::new(), by_hand::Gru::<I, H>::zeros());
    let (xs, dys) = (inputs::<f32, I, 1>(STEPS), vec![SVector::<f32, H>::repeat(0.01); STEPS]);
    let (mut tape, mut dxs) = (Vec::new(), xs.clone());
    let mut contest = Contest::new(run.effort);
    contest.enter("ours", 1, train::<f32, I, B, _>(GruResetAfter::<I, H>::init_boxed(&mut rng()), STEPS));
    if B == 1 {
        contest.enter("nalgebra by hand", 1, || {
            hand.forward(black_box(&xs), &mut tape);
            hand.backward(&xs, &tape, &dys, &mut grads, &mut dxs);
            black_box(&dxs);
        });
    }
    peers::enter_training(&mut contest, Kind::Gru, I, H, B, STEPS);
    row::<I, H, B>(run, table, contest, GruResetAfter::<I, H, f32>::FLOPS_PER_STEP);
}

fn row<const I: usize, const H: usize, const B: usize>(
    run: &mut Run,
    table: &mut Table,
    contest: Contest,
    flops: usize,
) {
    let times = run.measure(contest);
    let ours = times.get("ours").expect("always entered");
    let others = ["nalgebra by hand"].into_iter().chain(peers::TRAINING).filter_map(|name| times.get(name));
    let best = others.reduce(f64::min);
    let micros = |name: &str| figure(times.get(name).map(|time| time / 1000.0));
    let mut cells = vec![format!("({I}, {H})"), B.to_string(), micros("ours")];
    cells.push(percent((3 * flops * STEPS * B) as f64 / ours, run.peak));
    cells.extend([micros("ours, f64"), micros("nalgebra by hand")]);
    cells.extend(peers::TRAINING.map(micros));
    cells.push(best.map_or(String::new(), |best| format!("{:.1}", best / ours)));
    table.row(cells);
}
