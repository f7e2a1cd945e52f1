//! Forecasts the Santa Fe laser one step ahead with a peephole LSTM. It is trained on the first
//! 1,000 samples, then *streams* over the next 1,000 with `step`, one sample at a time, as on a
//! device. Persistence and a linear autoregression serve as baselines.
//!
//! ```text
//! cargo run --release --example laser
//! ```

use examples::data::laser;
use examples::options::Options;
use examples::plot::{Curve, forecast};
use examples::report::{progress, run};
use nalgebra::{DMatrix, DVector};
use rnn_cell::cells::{Dense, PeepholeLstm};
use rnn_cell::prelude::*;
use rnn_cell::rng::below;
use rnn_cell::train::loss::mean_squared_error;
use rnn_cell::train::{Diverged, Schedule, Trainer};
use std::process::ExitCode;
use std::time::Instant;

const TRAINING: usize = 1000;
const STREAMED: usize = 1000;
const HIDDEN: usize = 32;
const BATCH: usize = 16;
/// The number of steps of a training window.
const WINDOW: usize = 80;
/// The number of first steps without a loss, which bring the state close to the attractor.
const WARM_UP: usize = 20;
const ITERATIONS: usize = 1500;
const RATE: f64 = 1e-2;
/// The order of the linear autoregression. Larger orders are hardly better.
const ORDER: usize = 32;

type Lstm = PeepholeLstm<1, HIDDEN>;
type Readout = Dense<HIDDEN, 1>;
type Net = Stack<Lstm, Readout>;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Forecasts a chaotic laser one step ahead.",
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("picture", "target/laser.svg", "the file of the picture"),
            ],
        )?;
        let intensities = laser(&options.path("data"))?;
        let series = &intensities[..TRAINING + STREAMED];
        // All fitted values, including the scale, are computed from the training samples alone.
        let (mean, deviation) = moments(&series[..TRAINING]);
        let scaled: Vec<f32> = series.iter().map(|x| ((x - mean) / deviation) as f32).collect();
        println!(
            "Santa Fe laser: {TRAINING} training samples, forecasts of the next {STREAMED} one step ahead"
        );
        println!(
            "model: {} parameters in PeepholeLstm<1, {HIDDEN}>, {} in Dense<{HIDDEN}, 1>",
            Lstm::PARAMETER_COUNT,
            Readout::PARAMETER_COUNT
        );

        let start = Instant::now();
        let net = learn(options.get("seed")?, &scaled[..TRAINING])?;
        let trained = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let forecasts: Vec<f64> =
            stream(&net, &scaled).iter().map(|y| f64::from(*y) * deviation + mean).collect();
        let streamed = start.elapsed();

        let truth = &series[TRAINING..];
        let persistence = &series[TRAINING - 1..TRAINING + STREAMED - 1];
        let linear = autoregression(series);
        let error = normalised_error(&forecasts, truth);
        println!("normalised mean squared error (1 is the error of the mean), one step ahead:");
        println!("  persistence                 {:.4}", normalised_error(persistence, truth));
        println!("  linear autoregression ({ORDER})  {:.4}", normalised_error(&linear, truth));
        println!("  peephole LSTM, streamed     {error:.4}");
        println!(
            "time: {trained:.1} s of training, {:.0} ns per streamed step",
            streamed.as_nanos() as f64 / (TRAINING + STREAMED) as f64
        );
        let path = options.path("picture");
        let title = format!("Santa Fe laser, one step ahead: normalised error {error:.4}");
        let shown = 300;
        forecast(
            &path,
            &title,
            TRAINING,
            Curve { name: "truth", values: &truth[..shown] },
            Curve { name: "forecast", values: &forecasts[..shown] },
        )?;
        println!("picture: {}", path.display());
        Ok(())
    })
}

/// Trains on random windows of `series`.
fn learn(seed: u64, series: &[f32]) -> Result<Net, Diverged> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let net = Stack::new(Lstm::init(&mut rng), Readout::init(&mut rng));
    let schedule = Schedule::cosine(RATE, ITERATIONS);
    let mut trainer = Trainer::new::<BATCH>(net, Adam::new(RATE)).schedule(schedule).clip_norm(1.0);
    let bar = progress("training", ITERATIONS);
    let mut mean_loss = 0.0;
    for iteration in 0..ITERATIONS {
        let starts: [usize; BATCH] = std::array::from_fn(|_| below(&mut rng, series.len() - WINDOW));
        let window = |offset: usize| -> Vec<SMatrix<f32, 1, BATCH>> {
            (0..WINDOW).map(|t| SMatrix::from_fn(|_, b| series[starts[b] + t + offset])).collect()
        };
        let (xs, targets) = (window(0), window(1));
        let loss = trainer.step(&xs, |out| {
            out.sum(|t, y| {
                let (loss, dy) = mean_squared_error(y, &targets[t]);
                let share = if t < WARM_UP { 0.0 } else { 1.0 / (WINDOW - WARM_UP) as f32 };
                (loss * share, dy * share)
            })
        })?;
        mean_loss += (loss - mean_loss) / ((iteration + 1) as f64).min(50.0);
        bar.set_message(format!("loss {mean_loss:.4}"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    println!("training: mean squared error {mean_loss:.4} of the variance at the end");
    Ok(trainer.model)
}

/// Reads `series` sample by sample and returns the forecasts from sample `TRAINING` on. Only the
/// state is kept between steps.
fn stream(net: &Net, series: &[f32]) -> Vec<f32> {
    let mut state = net.initial_state();
    let mut forecasts = Vec::with_capacity(STREAMED);
    for (t, x) in series[..series.len() - 1].iter().enumerate() {
        let y = net.step(&SVector::from([*x]), &mut state);
        if t + 1 >= TRAINING {
            forecasts.push(y[0]);
        }
    }
    forecasts
}

/// Returns the forecasts of a linear combination of the last samples and a constant, fitted to the
/// training samples by least squares.
fn autoregression(series: &[f64]) -> Vec<f64> {
    let regressors = |t: usize| series[t - ORDER..t].iter().copied().chain([1.0]);
    let rows =
        DMatrix::from_row_iterator(TRAINING - ORDER, ORDER + 1, (ORDER..TRAINING).flat_map(regressors));
    let targets = DVector::from_iterator(TRAINING - ORDER, series[ORDER..TRAINING].iter().copied());
    let weights = rows.svd(true, true).solve(&targets, 1e-12).expect("both factors were computed");
    (TRAINING..TRAINING + STREAMED)
        .map(|t| regressors(t).zip(weights.iter()).map(|(x, w)| x * w).sum())
        .collect()
}

/// Returns the mean squared error divided by the variance of the truth.
fn normalised_error(forecasts: &[f64], truth: &[f64]) -> f64 {
    let (_, deviation) = moments(truth);
    let squares: f64 = forecasts.iter().zip(truth).map(|(y, x)| (y - x).powi(2)).sum();
    squares / truth.len() as f64 / deviation.powi(2)
}

fn moments(series: &[f64]) -> (f64, f64) {
    let count = series.len() as f64;
    let mean = series.iter().sum::<f64>() / count;
    let variance = series.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}
