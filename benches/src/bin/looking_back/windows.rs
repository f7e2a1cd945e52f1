//! Attention over the last steps, compared with the same attention over a history that is a matrix
//! of the state; and the share of a step that copies windows.

use crate::cells::{Depthwise, InTurns, Recent, Shifted};
use benches::run::Run;
use benches::table::{Table, figure, percent};
use benches::work::{self, STEPS, inputs, rng, step, step_through, train, train_through};
use nalgebra::SMatrix;
use rnn_cell::cell::Layer;
use rnn_cell::cells::{Conformer, SlidingTransformer};
use rnn_cell::types::varying::Varying;
use std::hint::black_box;

/// The size of a step.
const M: usize = 64;

/// Prints both tables.
pub fn report(run: &mut Run) {
    attention(run);
    copies(run);
}

const WINDOW: &str = "window";
const IN_TURNS: &str = "in turns";
const SHIFTED: &str = "shifted";

fn attention(run: &mut Run) {
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

macro_rules! copying {
    ($run:ident $table:ident: $($name:literal $cell:ty, $($ring:ident [$heads:literal, $size:literal, $entries:literal]),+;)*) => {$({
        let id = format!("copies {}", $name);
        if let Some(mut contest) = $run.contest(&id, 0) {
            let cell = <$cell>::init_boxed(&mut rng());
            let state = cell.initial_state::<1>();
            contest.enter("copies", 1, move || {
                $({
                    let (now, mut window) = ([0.5; $heads * $size], [0.0; $heads * $size * $entries]);
                    let lengths = ($heads, $entries, 1);
                    black_box(&state).$ring.window(&mut window, black_box(&now), lengths);
                    black_box(&window);
                })+
            });
            contest.enter("step", 1, step::<f32, 1, _>(cell));
            let times = $run.measure(&id, contest);
            let mut cells = vec![$name.to_owned()];
            cells.extend(["step", "copies"].map(|name| figure(times.get(name))));
            cells.push(percent(times.ratio("copies", "step")));
            $table.row(cells);
        }
    })*};
}

/// Measures the copies of the windows by themselves.
fn copies(run: &mut Run) {
    let note =
        "ns per step, f32, batch 1. `copies`: copying the windows from their rings to matrices, by itself.";
    let columns = ["cell", "step", "copies", "share"];
    let mut table = Table::new("Copies of windows", note, columns);
    copying! { run table:
        "attention, 4 heads over 16 steps" Recent<M, 16, 4, 16>, past_k_S [4, 16, 16], past_v_S [4, 16, 16];
        "attention, 4 heads over 64 steps" Recent<M, 16, 4, 64>, past_k_S [4, 16, 64], past_v_S [4, 16, 64];
        "attention, 1 head over 64 steps" Recent<M, 64, 1, 64>, past_k_S [1, 64, 64], past_v_S [1, 64, 64];
        "attention, 4 heads over 256 steps" Recent<M, 16, 4, 256>, past_k_S [4, 16, 256], past_v_S [4, 16, 256];
        "SlidingTransformer, 4 heads over 32 steps" SlidingTransformer<M, 256, 16, 4, 32>, past_k_S [4, 16, 32], past_v_S [4, 16, 32];
        "Conformer, 4 heads over 32 steps, filters of 16" Conformer<M, 256, 16, 4, 32, 16>, past_key_S [4, 16, 32], past_v_S [4, 16, 32], past_u_C [1, 64, 16];
        "depthwise convolution of width 4" Depthwise<M, 4>, past_window_C [1, 64, 4];
        "depthwise convolution of width 16" Depthwise<M, 16>, past_window_C [1, 64, 16];
    }
    table.print();
}
