//! Continual embedded Reber strings (Gers, Schmidhuber & Cummins 2000, "Learning to forget"): the
//! strings of [`embedded_reber`](crate::embedded_reber) in sequence, without a separator and
//! without a reset of the state. The content of a cell must be forgotten at the end of a string,
//! which is the paper's argument for the forget gate.
//!
//! The paper counts networks that predict streams of a million symbols without a mistake. The
//! figures beside ours are those of a small re-run in NumPy (cybertronai/schmidhuber-problems,
//! `continual-embedded-reber`: twelve cells, Adam, 150,000 symbols, 60 test strings, five seeds):
//! the share of strings whose crucial symbol, the last but one, is predicted. Chance is 50 %.
//!
//! Ours: eight cells, as in the paper; 500,000 symbols read once, with an update every 25 symbols
//! and a gradient that goes back through 75; Adam; then 100,000 other symbols; twenty seeds.

use crate::table::{Options, Row};
use examples::jobs::Jobs;
use examples::reber::{ReberString, SYMBOLS};
use examples::report::mean_and_deviation;
use nalgebra::SVector;
use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::train::Trainer;
use rnn_cell::train::loss::{arg_max, softmax_cross_entropy_weighted};

rnn_cell! {
    /// The LSTM without a forget gate, whose cells never lose their content.
    cell NoForgetGate<I, H> {
        input  x: [I];
        state  h, c: [H];
        param  W_i, W_g, W_o: [H, I] = xavier_uniform;
        param  U_i, U_g, U_o: [H, H] = orthogonal;
        param  b_i, b_g, b_o: [H];

        i = sigmoid(W_i @ x + U_i @ h[t-1] + b_i);
        g = tanh(W_g @ x + U_g @ h[t-1] + b_g);
        c = c[t-1] + i * g;
        o = sigmoid(W_o @ x + U_o @ h[t-1] + b_o);
        h = o * tanh(c);

        output h;
    }
}

const CELLS: usize = 8;
const TRAINED: usize = 500_000;
const TESTED: usize = 100_000;
const BLOCK: usize = 25;
const WINDOW: usize = 75;
const RATE: f64 = 5e-3;
const CLIP: f64 = 1.0;
const SEEDS: u64 = 20;
/// The percentage of predicted crucial symbols of a successful seed.
const SOLVED: f64 = 99.9;

type Symbol = SVector<f32, SYMBOLS>;

/// Trains with and without the forget gate.
pub fn run(options: &Options) -> Vec<Row> {
    let with = outcomes(options, Lstm::<SYMBOLS, CELLS>::init);
    let without = outcomes(options, NoForgetGate::<SYMBOLS, CELLS>::init);
    let [with_mean, with_spread] = rows("forget gate", 99.7, &with);
    let [without_mean, without_spread] = rows("no forget gate", 55.0, &without);
    vec![with_mean, with_spread, without_mean, without_spread]
}

fn rows(cell: &str, published: f64, crucial: &[f64]) -> [Row; 2] {
    let percent: Vec<f64> = crucial.iter().map(|share| 100.0 * share).collect();
    let (mean, _) = mean_and_deviation(&percent);
    let lowest = percent.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = percent.iter().copied().fold(0.0, f64::max);
    let solved = percent.iter().filter(|&&share| share >= SOLVED).count();
    [
        Row::new(
            format!("{cell}: crucial symbols right, mean over seeds"),
            format!("{published} %"),
            format!("{mean:.1} % ({lowest:.1} to {highest:.1})"),
            format!("{:+.1} points", mean - published),
        ),
        Row::new(
            format!("{cell}: seeds with {SOLVED} % or more"),
            "-",
            format!("{solved} of {}", percent.len()),
            "",
        ),
    ]
}

/// Returns the share of predicted crucial symbols for each seed.
fn outcomes<C>(options: &Options, init: impl Fn(&mut Xoshiro256PlusPlus) -> C + Copy + Send) -> Vec<f64>
where
    C: Cell<1, Context = (), Input = Symbol, Output = SVector<f32, CELLS>> + ModelMut<Scalar = f32>,
{
    let mut jobs = Jobs::new();
    for seed in 0..options.either(SEEDS, 2) {
        let symbols = options.either((TRAINED, TESTED), (1000, 1000));
        jobs.add(move || {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed + seed);
            let net = Stack(init(&mut rng), Dense::init(&mut rng));
            let net = learn(net, &Stream::draw(symbols.0, &mut rng));
            test(&net, &Stream::draw(symbols.1, &mut rng))
        });
    }
    jobs.run()
}

/// A sequence of strings.
struct Stream {
    symbols: Vec<u32>,
    xs: Vec<Symbol>,
    /// The set of legal next symbols after each symbol.
    legal: Vec<u8>,
    /// The steps that predict the last but one symbol of a string.
    crucial: Vec<usize>,
}

impl Stream {
    /// Draws whole strings with at least `symbols` symbols in total.
    fn draw(symbols: usize, rng: &mut Xoshiro256PlusPlus) -> Self {
        let mut stream = Self { symbols: Vec::new(), xs: Vec::new(), legal: Vec::new(), crucial: Vec::new() };
        while stream.symbols.len() < symbols {
            let string = ReberString::draw(rng);
            stream.crucial.push(stream.symbols.len() + string.crucial());
            stream.symbols.extend(string.symbols.iter().map(|&symbol| u32::from(symbol)));
            stream.legal.extend(&string.legal);
        }
        let one_hot = |&symbol: &u32| Symbol::from_fn(|row, _| f32::from(row == symbol as usize));
        stream.xs = stream.symbols.iter().map(one_hot).collect();
        stream
    }
}

/// Trains on the stream in a single pass.
fn learn<N>(net: N, stream: &Stream) -> N
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol> + ModelMut<Scalar = f32>,
{
    let mut trainer = Trainer::new::<1>(net, Adam::new(RATE)).truncated(BLOCK, WINDOW).clip_norm(CLIP);
    let loss = trainer.step(&stream.xs[..stream.xs.len() - 1], |out| {
        out.every_step(|t, y, weights| softmax_cross_entropy_weighted(y, &[stream.symbols[t + 1]], weights))
    });
    loss.expect("the loss is finite");
    trainer.model
}

/// Reads the stream without a reset. Returns the share of predicted crucial symbols.
fn test<N>(net: &N, stream: &Stream) -> f64
where
    N: Cell<1, Context = (), Input = Symbol, Output = Symbol>,
{
    let mut state = net.initial_state();
    let steps = stream.xs.iter().zip(&stream.legal);
    let right: Vec<bool> = steps
        .map(|(x, legal)| {
            let [guess] = arg_max(&net.step(x, &mut state));
            legal & (1 << guess) != 0
        })
        .collect();
    let solved = stream.crucial.iter().filter(|&&at| right[at]).count();
    solved as f64 / stream.crucial.len() as f64
}
