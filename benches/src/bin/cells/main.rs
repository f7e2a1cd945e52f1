//! The cost of the arithmetic of every cell, relative to our LSTM of the same size.

use benches::run::{Goals, Run};
use benches::subjects::{ATTENDED, Subject, odd, ready};
use benches::table::{Table, figure, percent};
use benches::work::STEPS;
use std::process::ExitCode;

/// The maximal time per FLOP, relative to our LSTM.
const LIMIT: f64 = 1.15;

const BASE: &str = "Lstm";

fn main() -> ExitCode {
    Run::start("Cells", |run| {
        batch::<32, 1>(run);
        batch::<64, 1>(run);
        batch::<64, 16>(run);
    })
}

/// Measures all cells in turns, in one contest for steps and one for training.
fn batch<const N: usize, const B: usize>(run: &mut Run) {
    let (ready, odd): (Vec<Subject>, Vec<Subject>) = (ready::<N, B>(), odd::<N, B>());
    let count = odd.len();
    let subjects: Vec<Subject> = ready.into_iter().chain(odd).collect();
    let costs: Vec<(&str, usize, usize)> =
        subjects.iter().map(|subject| (subject.name, subject.flops, subject.tape)).collect();
    // The LSTM is the base of the ratios, so it always takes part.
    let wanted: Vec<bool> = costs.iter().map(|(name, ..)| run.wants(&id::<N, B>(name))).collect();
    if !wanted.contains(&true) {
        return;
    }
    let (mut steps, mut trains) = (run.baselines(0), run.baselines(0));
    for (subject, wanted) in subjects.into_iter().zip(&wanted) {
        if *wanted || subject.name == BASE {
            steps.enter(subject.name, B, subject.step);
            trains.enter(subject.name, B * STEPS, subject.train);
        }
    }
    let steps = run.measure(&id::<N, B>("step"), steps);
    let trains = run.measure(&id::<N, B>("training"), trains);

    let title = format!("Cells, all dimensions {N}, batch {B}");
    let note = format!(
        "ns per step and sample, f32; training is forward and backward, T = {STEPS}, three times the FLOP. FLOP by `FLOPS_PER_STEP`: two per \
         multiply-add of a product, one per element-wise operation or function; for attention and decoders (over {ATTENDED} encoded \
         steps) without the products that depend on the context alone, which run once per sequence. The ratios are ns per FLOP relative to our \
         LSTM; the target is at most {LIMIT}. The last {count} are unusual cells, written for this benchmark."
    );
    let columns = [
        "cell",
        "FLOP",
        "tape, B",
        "step",
        "ratio",
        "of the peak",
        "training",
        "ratio",
        "of the peak",
        "goal",
    ];
    let mut table = Table::new(&title, &note, columns);
    let base = costs.iter().find(|(name, ..)| *name == BASE).expect("the LSTM is a ready cell").1 as f64;
    for (name, flops, tape) in costs {
        if steps.get(name).is_none() {
            continue;
        }
        let mut goals = Goals::default();
        let mut cells = vec![name.to_owned(), flops.to_string(), tape.to_string()];
        for (what, times, work) in [("step", &steps, flops), ("training", &trains, 3 * flops)] {
            let ratio = times.ratio(name, BASE).map(|ratio| ratio * base / flops as f64);
            goals.at_most(what, ratio, Some(LIMIT));
            cells.extend([figure(times.get(name)), figure(ratio), percent(times.of_peak(name, work))]);
        }
        cells.push(goals.verdict());
        table.row(cells);
    }
    table.print();
}

fn id<const N: usize, const B: usize>(what: &str) -> String {
    format!("cells {what} ({N}, {N}) batch {B}")
}
