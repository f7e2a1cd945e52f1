//! How time and memory of training grow with the length of a sequence.

use crate::Run;
use benches::machine::resident;
use benches::measure::{Contest, Table, figure};
use benches::work::{inputs, rng, train};
use rnn_cell::cells::Lstm;

const I: usize = 16;
const H: usize = 32;
const LENGTHS: [usize; 4] = [100, 1000, 10_000, 100_000];

/// Prints the table.
pub fn report(run: &mut Run) {
    let note = "LSTM (16, 32), batch 1, f32. Of the tape: by `TAPE_BYTES_PER_STEP`, and by how much the process grew at its first \
                forward pass, in whole pages.";
    let columns = ["T", "µs a pass", "ns a step", "tape, KiB", "process grew, KiB"];
    let mut table = Table::new("Growth with T", note, columns);
    // Before anything is freed that a tape could be put into.
    let grown = LENGTHS.map(growth);
    let mut contest = Contest::new(run.effort);
    for steps in LENGTHS {
        contest.enter(
            steps.to_string(),
            steps,
            train::<f32, I, 1, _>(Lstm::<I, H>::init_boxed(&mut rng()), steps),
        );
    }
    let times = run.measure(contest);
    for (steps, grown) in LENGTHS.into_iter().zip(grown) {
        let time = times.get(&steps.to_string()).expect("entered above");
        table.row([
            steps.to_string(),
            figure(Some(time * steps as f64 / 1000.0)),
            figure(Some(time)),
            figure(Some((steps * Lstm::<I, H, f32>::TAPE_BYTES_PER_STEP) as f64 / 1024.0)),
            figure(grown),
        ]);
    }
    table.print();
}

/// KiB by which the process grows when a tape of `steps` steps is filled for the first time.
fn growth(steps: usize) -> Option<f64> {
    let cell = Lstm::<I, H>::init_boxed(&mut rng());
    let xs = inputs::<f32, I, 1>(steps);
    let (mut state, mut tape) = (cell.zero_state(), cell.tape::<1>());
    let before = resident()?;
    cell.forward(&xs, &mut state, &mut tape);
    Some(resident()?.saturating_sub(before) as f64 / 1024.0)
}
