//! Counting languages (Gers & Schmidhuber 2001, "LSTM recurrent networks learn simple context-free
//! and context-sensitive languages"): a^n b^n and a^n b^n c^n. A network trained with n up to 10 is
//! tested on larger and larger n, which shows how well it has learned to count.
//!
//! The paper trains LSTMs with peepholes. The figures beside ours are those of a small re-run in
//! NumPy (cybertronai/schmidhuber-problems, `anbn-anbncn`): 2 cells (a^n b^n) and 3 cells, Adam at
//! 0.01, gradients clipped at 1, and 4,000 and 8,000 strings, with one update per string. A string
//! is accepted if at every step exactly the legal next symbols are above 1/2. The result is the
//! largest n up to which all strings are accepted, for five seeds, tested up to 100.
//!
//! Ours: the same setting, with peepholes and without, 20,000 strings, tests up to 1,000, and
//! twenty seeds. The initial weights are the library's own.

use crate::table::{Options, Row};
use examples::jobs::Jobs;
use nalgebra::SVector;
use rnn_cell::cells::{Dense, Lstm, PeepholeLstm};
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::Trainer;
use rnn_cell::train::loss::binary_cross_entropy_weighted;

/// The number of symbols: the start, three letters, the end.
const SYMBOLS: usize = 5;
const END: usize = 4;
const LONGEST_TRAINED: usize = 10;
const LONGEST_TESTED: usize = 1000;
const STRINGS: usize = 20_000;
const RATE: f64 = 0.01;
const CLIP: f64 = 1.0;
const SEEDS: u64 = 20;

type Symbol = SVector<f32, SYMBOLS>;

/// Trains on both languages, with peepholes and without.
pub fn run(options: &Options) -> Vec<Row> {
    let two = "a^n b^n";
    let three = "a^n b^n c^n";
    vec![
        row(two, "peepholes", Some([65, 100, 100]), reach(options, PeepholeLstm::<SYMBOLS, 2>::init, 2)),
        row(two, "no peepholes", None, reach(options, Lstm::<SYMBOLS, 2>::init, 2)),
        row(three, "peepholes", Some([18, 24, 29]), reach(options, PeepholeLstm::<SYMBOLS, 3>::init, 3)),
        row(three, "no peepholes", None, reach(options, Lstm::<SYMBOLS, 3>::init, 3)),
    ]
}

/// Formats the lowest, the median and the highest result of the seeds.
fn row(language: &str, cell: &str, published: Option<[usize; 3]>, mut reach: Vec<usize>) -> Row {
    reach.sort_unstable();
    let ours = [reach[0], reach[reach.len() / 2], reach[reach.len() - 1]];
    let text = |[lowest, median, highest]: [usize; 3]| format!("{lowest}, {median}, {highest}");
    let verdict = published.map_or(String::new(), |published| {
        let differences = [0, 1].map(|k| ours[k] as i64 - published[k] as i64);
        format!("lowest {:+}, median {:+}", differences[0], differences[1])
    });
    Row::new(
        format!("{language}, {cell}: n reached (lowest, median, highest)"),
        published.map_or("-".into(), text),
        text(ours),
        verdict,
    )
}

/// Returns, for each seed, the largest n up to which all strings are accepted.
fn reach<C, const H: usize>(
    options: &Options,
    init: impl Fn(&mut Xoshiro256PlusPlus) -> C + Copy + Send,
    letters: usize,
) -> Vec<usize>
where
    C: Cell<1, Context = (), Input = Symbol, Output = SVector<f32, H>, InputBar = Symbol>
        + ModelMut<Scalar = f32>,
{
    let mut jobs = Jobs::new();
    for seed in 0..options.either(SEEDS, 2) {
        let strings = options.either(STRINGS, 100);
        jobs.add(move || {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed + seed);
            let net = Stack(init(&mut rng), Dense::<H, SYMBOLS>::init(&mut rng));
            learn(net, letters, strings, &mut rng)
        });
    }
    jobs.run()
}

fn learn<N>(net: N, letters: usize, strings: usize, rng: &mut Xoshiro256PlusPlus) -> usize
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol> + ModelMut<Scalar = f32>,
{
    let mut trainer = Trainer::new::<1>(net, Adam::new(RATE)).clip_norm(CLIP);
    for _ in 0..strings {
        let (xs, legal) = string(letters, 1 + below(rng, LONGEST_TRAINED));
        let loss = trainer.step(&xs, |out| {
            out.every_step(|t, y, weights| binary_cross_entropy_weighted(y, &legal[t], weights))
        });
        loss.expect("the loss is finite");
    }
    (1..=LONGEST_TESTED).take_while(|&n| accepts(&trainer.model, letters, n)).count()
}

/// Returns a string of the language with `letters` letters: its symbols except the end, and the
/// sets of legal next symbols.
fn string(letters: usize, n: usize) -> (Vec<Symbol>, Vec<Symbol>) {
    let set = |members: &[usize]| Symbol::from_fn(|row, _| f32::from(members.contains(&row)));
    let (mut xs, mut legal) = (vec![set(&[0])], vec![set(&[1])]);
    for letter in 1..=letters {
        let after = if letter == letters { END } else { letter + 1 };
        for left in (0..n).rev() {
            xs.push(set(&[letter]));
            legal.push(match (letter, left) {
                (1, _) => set(&[letter, after]),
                (_, 0) => set(&[after]),
                _ => set(&[letter]),
            });
        }
    }
    (xs, legal)
}

/// Returns whether at every step exactly the legal next symbols have logits above zero.
fn accepts<N>(net: &N, letters: usize, n: usize) -> bool
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol>,
{
    let (xs, legal) = string(letters, n);
    let mut state = net.initial_state();
    xs.iter().zip(&legal).all(|(x, legal)| net.step(x, &mut state).map(|y| f32::from(y > 0.0)) == *legal)
}
