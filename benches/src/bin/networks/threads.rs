//! A batch on one thread, and split into parts on two threads.

use benches::machine::{PEAK_FLOPS, multiply_add};
use benches::measure::{Contest, Effort, Times};
use benches::table::{Table, figure};
use benches::work::{inputs, rng};
use nalgebra::SMatrix;
use rnn_cell::cells::Lstm;
use rnn_cell::prelude::*;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{LayerPart, Threads, Trainer};
use std::hint::black_box;

const STEPS: usize = 100;

/// Prints the table.
pub fn report(effort: Effort, noise: &mut Vec<f64>) {
    let peak = peak(effort);
    let note = format!(
        "Updates of an LSTM (64,64) by a trainer, T = {STEPS}, f32, µs of wall time per update of the whole batch. Two threads of this machine \
         together run {peak:.2} times the multiply-adds of one. About 1 means that they share a core, and no program can gain."
    );
    let columns = ["batch", "one thread", "parts", "one thread, in parts", "two threads", "speed-up"];
    let mut table = Table::new("Data parallel", &note, columns);
    let mut row = |batch: usize, parts: usize, times: Times| {
        let two = times.get("two threads");
        noise.push(times.noise());
        let us = |time: Option<f64>| figure(time.map(|time| time / 1000.0));
        let speed_up = figure(times.ratio("whole", "two threads"));
        table.row([
            batch.to_string(),
            us(times.get("whole")),
            parts.to_string(),
            us(times.get("parts")),
            us(two),
            speed_up,
        ]);
    };
    row(64, 2, split::<64, 32>(effort));
    row(64, 4, split::<64, 16>(effort));
    row(16, 2, split::<16, 8>(effort));
    table.print();
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("the threads start")
}

/// Returns the speed of two threads relative to one for multiply-adds, the maximal speed-up on this
/// machine.
fn peak(effort: Effort) -> f64 {
    let two = pool(2);
    let mut contest = Contest::by_the_wall(effort);
    contest.enter("one", PEAK_FLOPS, multiply_add);
    contest.enter("two", 2 * 100 * PEAK_FLOPS, || {
        two.broadcast(|_| (0..100).for_each(|_| multiply_add()));
    });
    let times = contest.run();
    times.ratio("one", "two").unwrap_or(f64::NAN)
}

fn split<const B: usize, const P: usize>(effort: Effort) -> Times {
    let lstm = Lstm::<64, 64>::init(&mut rng());
    let (one, two) = (pool(1), pool(2));
    let xs = inputs::<f32, SMatrix<f32, 64, B>>(STEPS);
    let part = |part: usize| -> Vec<SMatrix<f32, 64, P>> {
        xs.iter().map(|x| x.fixed_columns::<P>(part * P).into_owned()).collect()
    };
    let parts: Vec<_> = (0..B / P).map(part).collect();
    let samples: Vec<usize> = (0..B).collect();
    let work = |part: &mut LayerPart<'_, Lstm<64, 64>, usize, P>| {
        let xs = &parts[*part.samples[0] / P];
        part.sequence(xs, |out| {
            out.every_step(|_, y, weights| mean_squared_error_weighted(y, &SMatrix::zeros(), weights))
        })
    };
    let sgd = || Sgd::new(1e-3);
    let mut whole = Trainer::new::<B>(lstm.clone(), sgd());
    let mut in_turn = Trainer::new::<P>(lstm.clone(), sgd()).parts(B / P);
    let mut at_once = Trainer::new::<P>(lstm, sgd()).parts(B / P).workers(Threads);
    let mut contest = Contest::by_the_wall(effort);
    contest.enter("whole", 1, || {
        let loss = whole.step(black_box(&xs), |out| {
            out.every_step(|_, y, weights| mean_squared_error_weighted(y, &SMatrix::zeros(), weights))
        });
        black_box(loss.expect("a finite loss"));
    });
    contest.enter("parts", 1, || {
        black_box(one.install(|| in_turn.learn(&samples, work)).expect("a finite loss"));
    });
    contest.enter("two threads", 1, || {
        black_box(two.install(|| at_once.learn(&samples, work)).expect("a finite loss"));
    });
    contest.run()
}
