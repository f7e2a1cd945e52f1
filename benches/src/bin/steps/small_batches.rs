//! Small batches, which must never cost more than as many single steps.

use benches::run::{Goals, Run};
use benches::table::{Table, figure};
use benches::work::{STEPS, rng, step, train};
use rnn_cell::cells::{GruResetAfter, LayerNormLstm, Lstm};

const BATCHES: [usize; 7] = [1, 2, 3, 4, 6, 8, 16];

/// The tolerance of the comparison, for the noise of the clock.
const NOISE: f64 = 1.02;

/// Prints the table.
pub fn report(run: &mut Run) {
    let note = "ns per step and sample in a batch of 1, then the relative time per sample in larger batches. The target is at most 1.";
    let columns = ["cell", "", "batch 1, ns"].map(str::to_owned).into_iter();
    let columns = columns.chain(BATCHES[1..].iter().map(ToString::to_string)).chain(["goal".to_owned()]);
    let mut table = Table::new("Small batches", note, columns);

    macro_rules! rows {
        ($($cell:ident ($i:literal, $h:literal))*) => {$(
            let name = format!("{} ({}, {})", stringify!($cell), $i, $h);
            let new = || $cell::<$i, $h>::init_boxed(&mut rng());
            rows! { @one run table name "step" 4 * $cell::<$i, $h, f32>::PARAMETER_COUNT;
                1 2 3 4 6 8 16; B => step::<f32, B, _>(new()), B }
            rows! { @one run table name "training" 4 * $cell::<$i, $h, f32>::PARAMETER_COUNT;
                1 2 3 4 6 8 16; B => train::<f32, B, _>(new(), STEPS), B * STEPS }
        )*};
        (@one $run:ident $table:ident $name:ident $what:literal $bytes:expr; $($b:literal)*; $B:ident => $work:expr, $units:expr) => {
            let id = format!("batches {} {}", $what, $name);
            if let Some(mut contest) = $run.contest(&id, $bytes) {
                $({
                    const $B: usize = $b;
                    contest.enter($b.to_string(), $units, $work);
                })*
                let times = $run.measure(&id, contest);
                let mut goals = Goals::default();
                let mut cells = vec![$name.clone(), $what.to_owned(), figure(times.get("1"))];
                for batch in &BATCHES[1..] {
                    let ratio = times.ratio(&batch.to_string(), "1");
                    goals.at_most(&batch.to_string(), ratio, Some(NOISE));
                    cells.push(figure(ratio));
                }
                cells.push(goals.verdict());
                $table.row(cells);
            }
        };
    }
    rows! {
        Lstm (16, 32)
        GruResetAfter (64, 64)
        LayerNormLstm (16, 32)
    }
    table.print();
}
