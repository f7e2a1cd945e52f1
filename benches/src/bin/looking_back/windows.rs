//! Attention over the last steps, compared with the same attention over a history that is a matrix
//! of the state.

use crate::cells::{InTurns, Recent, Shifted};
use benches::run::Run;
use benches::table::{Table, figure};
use benches::work::{self, STEPS, inputs, rng, step, step_through, train, train_through};
use nalgebra::SMatrix;
use rnn_cell::cell::Layer;
use rnn_cell::types::varying::Varying;

/// The size of a step.
const M: usize = 64;

const WINDOW: &str = "window";
const IN_TURNS: &str = "in turns";
const SHIFTED: &str = "shifted";

/// Prints the table.
pub fn report(run: &mut Run) {
    let note = format!(
        "ns per step and sample, f32, {M} inputs and {M} outputs, K heads over S steps; T = {STEPS} for `run` and for training, which is forward \
         and backward. `window`: `window(k, S)` and `window(v, S)`. The other columns are relative to it: keys and values in matrices of the \
         state whose columns take turns, with the column that is next as an input; and in matrices that a product with a constant matrix shifts."
    );
    let columns = ["(K, S)", "batch", "work", "window", "in turns", "shifted"];
    let mut table = Table::new("Attention over the last steps", &note, columns);
    row::<4, 16, 16, 1>(run, &mut table);
    row::<4, 16, 64, 1>(run, &mut table);
    row::<1, 64, 64, 1>(run, &mut table);
    row::<4, 16, 64, 16>(run, &mut table);
    table.print();
}

/// Returns the one-hot vector of the column that is next at step `t`.
fn next<const S: usize, const B: usize>(t: usize) -> SMatrix<f32, S, B> {
    SMatrix::from_fn(|column, _| f32::from(u8::from(column == t % S)))
}

fn row<const K: usize, const D: usize, const S: usize, const B: usize>(run: &mut Run, table: &mut Table) {
    let id = format!("attention ({K}, {S}) batch {B}");
    let window = || Recent::<M, D, K, S>::init_boxed(&mut rng());
    let in_turns = || InTurns::<M, D, K, S>::init_boxed(&mut rng());
    let shifted = || {
        let mut cell = Shifted::<M, D, K, S>::init_boxed(&mut rng());
        cell.shift = SMatrix::from_fn(|row, column| f32::from(u8::from(row == column + 1)));
        cell.last[S - 1] = 1.0;
        cell
    };
    // The inputs of the cell whose columns take turns. A cycle of steps passes all columns.
    let turns = |steps: usize| {
        let mut xs = inputs::<f32, <InTurns<M, D, K, S> as Layer<B>>::Input>(steps);
        xs.iter_mut().enumerate().for_each(|(t, x)| x.next = next(t));
        xs
    };
    if !run.wants(&id) {
        return;
    }
    check::<K, D, S, B>(&window(), &in_turns(), &shifted());
    let (mut steps, mut runs, mut trains) = (run.baselines(0), run.baselines(0), run.baselines(0));
    steps.enter(WINDOW, B, step::<f32, B, _>(window()));
    steps.enter(IN_TURNS, B, step_through::<B, _>(in_turns(), turns(S)));
    steps.enter(SHIFTED, B, step::<f32, B, _>(shifted()));
    let units = B * STEPS;
    runs.enter(WINDOW, units, work::run::<B, _>(window(), inputs(STEPS)));
    runs.enter(IN_TURNS, units, work::run::<B, _>(in_turns(), turns(STEPS)));
    runs.enter(SHIFTED, units, work::run::<B, _>(shifted(), inputs(STEPS)));
    trains.enter(WINDOW, units, train::<f32, B, _>(window(), STEPS));
    trains.enter(IN_TURNS, units, train_through::<B, _>(in_turns(), turns(STEPS)));
    trains.enter(SHIFTED, units, train::<f32, B, _>(shifted(), STEPS));
    for (work, contest) in [("step", steps), ("run", runs), ("training", trains)] {
        let times = run.measure(&format!("{id} {work}"), contest);
        let mut cells = vec![format!("({K}, {S})"), B.to_string(), work.to_owned()];
        cells.push(figure(times.get(WINDOW)));
        cells.extend([IN_TURNS, SHIFTED].map(|name| figure(times.ratio(name, WINDOW))));
        table.row(cells);
    }
}

/// Panics unless the three cells, which have the same weights, have the same outputs.
fn check<const K: usize, const D: usize, const S: usize, const B: usize>(
    window: &Recent<M, D, K, S>,
    in_turns: &InTurns<M, D, K, S>,
    shifted: &Shifted<M, D, K, S>,
) {
    let mut turns = inputs::<f32, <InTurns<M, D, K, S> as Layer<B>>::Input>(3 * S);
    turns.iter_mut().enumerate().for_each(|(t, x)| x.next = next(t));
    let mut states =
        (window.initial_state::<B>(), in_turns.initial_state::<B>(), shifted.initial_state::<B>());
    for turn in &turns {
        let expected = window.step(&turn.x, &mut states.0);
        for mut error in [in_turns.step(turn, &mut states.1), shifted.step(&turn.x, &mut states.2)] {
            error.zip_scalars(&expected, &mut |x: &mut f32, y| *x -= y);
            error.scalars(&mut |x: f32| assert!(x.abs() < 1e-4, "the cells differ by {x}"));
        }
    }
}
