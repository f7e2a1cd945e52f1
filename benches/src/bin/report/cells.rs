//! What the arithmetic of every cell costs, relative to our LSTM.

use crate::Run;
use benches::measure::{Contest, Table, figure, percent};
use benches::work::{Decoder, STEPS, Subject, odd, ready};

const SIZE: usize = 64;

/// Prints a table at batch 1, one at batch 16.
pub fn report(run: &mut Run) {
    batch::<1>(run);
    batch::<16>(run);
}

fn batch<const B: usize>(run: &mut Run) {
    let decoder = Decoder::<SIZE, B>::new();
    let mut subjects: Vec<Subject> = ready::<SIZE, B>();
    subjects.extend(odd::<SIZE, B>(&decoder));
    let costs: Vec<(&str, usize, usize)> =
        subjects.iter().map(|subject| (subject.name, subject.flops, subject.tape)).collect();
    let (mut steps, mut trains) = (Contest::new(run.effort), Contest::new(run.effort));
    for subject in subjects {
        steps.enter(subject.name, B, subject.step);
        trains.enter(subject.name, B * STEPS, subject.train);
    }
    let (steps, trains) = (run.measure(steps), run.measure(trains));
    let title = format!("Cells, I = H = {SIZE}, batch {B}");
    let note = format!(
        "ns a step and sample, f32; training is forward and backward, T = {STEPS}. The ratios are ns per FLOP, over our LSTM's. The \
         last four are odd cells, written for the purpose. Attention is over {} steps; its product of the context alone counts in \
         every step and is done once a sequence. Of LiGru some units die, and what they fade through, subnormal numbers, takes the \
         processor longer.",
        benches::work::ATTENDED
    );
    let columns =
        ["cell", "FLOP", "tape, B", "step", "ratio", "of the peak", "training", "ratio", "of the peak"];
    let mut table = Table::new(&title, &note, columns);
    let per_flop = |time: f64, flops: usize| time / flops as f64;
    let lstm = costs.iter().find(|(name, ..)| *name == "Lstm").expect("a ready cell").1;
    let base = |times: &benches::measure::Times| per_flop(times.get("Lstm").expect("entered"), lstm);
    for (name, flops, tape) in costs {
        let mut cells = vec![name.to_owned(), flops.to_string(), tape.to_string()];
        for (times, work) in [(&steps, flops), (&trains, 3 * flops)] {
            let time = times.get(name).expect("entered");
            cells.push(figure(Some(time)));
            cells.push(format!("{:.2}", per_flop(time, flops) / base(times)));
            cells.push(percent(work as f64 / time, run.peak));
        }
        table.row(cells);
    }
    table.print();
}
