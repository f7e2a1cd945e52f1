//! Copy memory: ten symbols, then T blanks, then a sign, after which the ten symbols must be
//! repeated in order.
//!
//! Arjovsky, Shah & Bengio (2016, section 4.1) have ten symbols out of eight, T - 1 blanks, the
//! sign and ten blanks. The target is blank up to the sign, then the ten symbols. Without memory
//! the best result is to predict blanks and to guess among eight symbols: 10 ln 8 / (T + 20) nats
//! per step. In Bai, Kolter & Koltun (2018, table 1) none of LSTM, GRU and tanh network is clearly
//! below that at T = 1000, with about 16,000 weights each.
//!
//! Ours: the same data, and cells of about 15,000 weights with their readout; Adam, gradients
//! clipped at 1, 16 sequences per update, and one rate for all cells. Bai et al. search the rate
//! and the clipping for each cell. T = 1000 shows the result of a few minutes of training, a short
//! T the abilities of the cells.

use crate::table::{Options, Row};
use crate::train::Recurrent;
use examples::jobs::Jobs;
use nalgebra::SMatrix;
use rnn_cell::cells::{Dense, Elman, Gru, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::Trainer;
use rnn_cell::train::loss::{arg_max, softmax_cross_entropy, softmax_cross_entropy_weighted};

/// The number of symbols to remember, out of [`LETTERS`].
const REMEMBERED: usize = 10;
const LETTERS: usize = 8;
const BLANK: usize = 8;
const SIGN: usize = 9;
const SYMBOLS: usize = 10;

const BATCH: usize = 16;
const RATE: f64 = 5e-3;
const CLIP: f64 = 1.0;
const TESTED: usize = 320;

/// Returns the loss in nats per step of a network that predicts blanks and guesses the symbols.
fn baseline(blanks: usize) -> f64 {
    REMEMBERED as f64 * (LETTERS as f64).ln() / (blanks + 2 * REMEMBERED) as f64
}

/// Runs a short T, which cells can learn in minutes, and the published one.
pub fn run(options: &Options) -> Vec<Row> {
    let mut rows = by_cell(options, 10, 3, 12_000, None);
    rows.extend(by_cell(options, 1000, 1, 1_500, Some(["0.0204", "0.0197", "0.0202"])));
    rows
}

/// The test results of a training run.
#[derive(Clone, Copy)]
struct Outcome {
    /// The loss in nats per step.
    loss: f64,
    /// The share of the symbols that are recalled.
    recalled: f64,
}

fn by_cell(
    options: &Options,
    blanks: usize,
    seeds: u64,
    updates: usize,
    published: Option<[&str; 3]>,
) -> Vec<Row> {
    let (updates, tested) = options.either((updates, TESTED), (2, BATCH));
    let (blanks, seeds) = options.either((blanks, seeds), (10, 1));
    let mut jobs = Jobs::new();
    for cell in 0..3 {
        for seed in 0..seeds {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed + seed);
            jobs.add(move || match cell {
                0 => learn(Lstm::<SYMBOLS, 56>::init(&mut rng), blanks, updates, tested, rng),
                1 => learn(Gru::<SYMBOLS, 64>::init(&mut rng), blanks, updates, tested, rng),
                _ => learn(Elman::<SYMBOLS, 112>::init(&mut rng), blanks, updates, tested, rng),
            });
        }
    }
    let outcomes = jobs.run();
    let guess = baseline(blanks);
    let rows = ["LSTM", "GRU", "tanh RNN"].iter().zip(outcomes.chunks(seeds as usize)).enumerate();
    rows.map(|(cell, (name, seeds))| {
        let each = |what: &dyn Fn(&Outcome) -> String| seeds.iter().map(what).collect::<Vec<_>>().join(" ");
        Row::new(
            format!("{name}, T = {blanks}: nats per step (guessing: {guess:.4})"),
            published.map_or("-", |published| published[cell]),
            each(&|outcome| format!("{:.4}", outcome.loss)),
            format!(
                "symbols recalled {} % (guessing: 12.5)",
                each(&|outcome| format!("{:.1}", 100.0 * outcome.recalled))
            ),
        )
    })
    .collect()
}

/// Trains a cell with Adam and tests it.
fn learn<C, const H: usize>(
    cell: C,
    blanks: usize,
    updates: usize,
    tested: usize,
    mut rng: Xoshiro256PlusPlus,
) -> Outcome
where
    C: Recurrent<SYMBOLS, H, BATCH>,
{
    let net = Stack(cell, Dense::<H, SYMBOLS>::init(&mut rng));
    let mut trainer = Trainer::new::<BATCH>(net, Adam::new(RATE)).clip_norm(CLIP);
    for _ in 0..updates {
        let (xs, targets) = draw(blanks, &mut rng);
        let loss = trainer.step(&xs, |out| {
            out.every_step(|t, y, weights| softmax_cross_entropy_weighted(y, &targets[t], weights))
        });
        loss.expect("the loss is finite");
    }
    let (mut loss, mut recalled) = (0.0, 0);
    let batches = tested / BATCH;
    for _ in 0..batches {
        let (xs, targets) = draw(blanks, &mut rng);
        let ys = trainer.outputs(&xs);
        loss += ys
            .iter()
            .zip(&targets)
            .map(|(y, target)| f64::from(softmax_cross_entropy(y, target).0))
            .sum::<f64>();
        let due = xs.len() - REMEMBERED;
        for (y, target) in ys[due..].iter().zip(&targets[due..]) {
            recalled += arg_max(y).iter().zip(target).filter(|(recalled, symbol)| recalled == symbol).count();
        }
    }
    Outcome {
        loss: loss / (batches * (blanks + 2 * REMEMBERED)) as f64,
        recalled: recalled as f64 / (batches * BATCH * REMEMBERED) as f64,
    }
}

/// Draws a batch of sequences and their targets at each step.
fn draw(
    blanks: usize,
    rng: &mut Xoshiro256PlusPlus,
) -> (Vec<SMatrix<f32, SYMBOLS, BATCH>>, Vec<[u32; BATCH]>) {
    let steps = blanks + 2 * REMEMBERED;
    let mut symbols = vec![[BLANK; BATCH]; steps];
    let mut targets = vec![[BLANK as u32; BATCH]; steps];
    symbols[REMEMBERED + blanks - 1] = [SIGN; BATCH];
    for k in 0..REMEMBERED {
        symbols[k] = std::array::from_fn(|_| below(rng, LETTERS));
        targets[REMEMBERED + blanks + k] = symbols[k].map(|symbol| symbol as u32);
    }
    let one_hot =
        |symbols: &[usize; BATCH]| SMatrix::from_fn(|row, sample| f32::from(row == symbols[sample]));
    (symbols.iter().map(one_hot).collect(), targets)
}
