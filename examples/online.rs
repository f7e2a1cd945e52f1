//! Online learning: an LSTM forecasts a chaotic signal while it streams, and learns from each
//! sample (truncated BPTT in the loop). In mid-stream the law of the signal changes. For
//! comparison, a copy of the network stops learning just before the change.
//!
//! ```text
//! cargo run --release --example online
//! ```

use allocation_counter::measure;
use examples::options::{Options, QUICK};
use examples::plot::{LogCurve, Panel, panels};
use examples::report::{median, run};
use nalgebra::SVector;
use rnn_cell::cell::Layer;
use rnn_cell::cells::{Dense, Lstm};
use rnn_cell::prelude::*;
use rnn_cell::rng::normal;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{FullBptt, Trainer};
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HIDDEN: usize = 32;
/// The number of samples between updates, and of the window that an update learns from.
const WINDOW: usize = 16;
const RATE: f64 = 3e-3;
/// The standard deviation of the observation noise. The standard deviation of the signal is about
/// 0.23.
const NOISE: f64 = 0.005;
/// The number of samples over which errors are averaged.
const AVERAGED: usize = 500;

type Net = Stack<Lstm<1, HIDDEN>, Dense<HIDDEN, 1>>;
type Sample = SVector<f32, 1>;

/// Mackey and Glass's equation (1977), `dx/dt = 0.2 x(t - delay) / (1 + x(t - delay)^10) - 0.1 x`,
/// which is chaotic for delays from 17 on. It is sampled every six units of time, as is usual for
/// forecasts.
struct MackeyGlass {
    /// A ring buffer of the past values, a tenth of a unit of time apart.
    past: Vec<f64>,
    now: usize,
    /// The delay in tenths of a unit of time.
    delay: usize,
}

impl MackeyGlass {
    const LONGEST: usize = 400;

    fn new(delay: usize) -> Self {
        let mut law = Self { past: vec![1.2; Self::LONGEST], now: 0, delay: 10 * delay };
        (0..500).for_each(|_| _ = law.sample());
        law
    }

    fn sample(&mut self) -> f64 {
        for _ in 0..60 {
            let late = self.past[(self.now + Self::LONGEST - self.delay) % Self::LONGEST];
            let x = self.past[self.now];
            self.now = (self.now + 1) % Self::LONGEST;
            self.past[self.now] = x + 0.1 * (0.2 * late / (1.0 + late.powi(10)) - 0.1 * x);
        }
        self.past[self.now]
    }
}

/// A network that forecasts the next sample and learns from its error. Its memory does not grow
/// with the stream.
struct Learner {
    trainer: Trainer<Net, Adam<f32>, FullBptt<Net, 1>>,
    /// The state at the current sample.
    live: <Net as Layer<1>>::State,
    /// The samples since the last update. The last one serves as a target only.
    window: Vec<Sample>,
}

impl Learner {
    fn new(net: Net) -> Self {
        Self {
            live: net.initial_state(),
            trainer: Trainer::new::<1>(net, Adam::new(RATE)).carry_state().clip_norm(1.0),
            window: Vec::with_capacity(WINDOW + 1),
        }
    }

    /// Forecasts the sample after `x`. If `x` completes a window, learns from that window first.
    /// Returns the forecast and whether an update took place.
    fn step(&mut self, x: Sample) -> (f32, bool) {
        self.window.push(x);
        let learns = self.window.len() > WINDOW;
        if learns {
            self.learn();
            self.window.clear();
            self.window.push(x);
        }
        (self.trainer.model.step(&x, &mut self.live)[0], learns)
    }

    /// Updates the network by one window, starting from the window's initial state.
    fn learn(&mut self) {
        let window = &self.window;
        let loss = self.trainer.step(&window[..WINDOW], |out| {
            out.every_step(|t, y, weights| mean_squared_error_weighted(y, &window[t + 1], weights))
        });
        loss.expect("the loss is finite");
    }
}

/// The squared error of every forecast.
#[derive(Default)]
struct Errors {
    learning: Vec<f64>,
    frozen: Vec<f64>,
    persistence: Vec<f64>,
}

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Forecasts a signal and keeps learning when its dynamics change.",
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("before", "30000", "the number of samples before the law changes"),
                ("after", "30000", "the number of samples after the change"),
                ("delays", "17,30", "the delays of Mackey-Glass before and after the change, 4 to 39"),
                ("picture", "target/online.svg", "the file of the picture"),
                QUICK,
            ],
        )?;
        let quick = options.flag("quick");
        let [before, after] =
            ["before", "after"].map(|name| if quick { Ok(2000) } else { options.get::<usize>(name) });
        let (before, after) = (before?, after?);
        if before.min(after) < 2 * AVERAGED {
            return Err(format!("`--before` and `--after` must be at least {}", 2 * AVERAGED).into());
        }
        let delays = delays(&options.get::<String>("delays")?)?;
        println!(
            "Mackey-Glass, {before} samples with a delay of {}, then {after} with {}; an update every {WINDOW} samples",
            delays[0], delays[1]
        );
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.get("seed")?);
        let net = Stack::new(Lstm::init(&mut rng), Dense::init(&mut rng));
        println!("model: {} parameters in Lstm<1, {HIDDEN}> and Dense<{HIDDEN}, 1>", net.parameter_count());

        let (mut law, mut learner) = (MackeyGlass::new(delays[0]), Learner::new(net));
        let mut frozen: Option<(Net, <Net as Layer<1>>::State)> = None;
        let mut observe = |law: &mut MackeyGlass| (law.sample() - 0.9 + NOISE * normal(&mut rng)) as f32;
        let mut x = observe(&mut law);
        let mut errors = Errors::default();
        let (mut updates, mut times, mut allocated) = (0_usize, Vec::new(), 0);
        for t in 0..before + after {
            if t == before {
                law.delay = 10 * delays[1];
                frozen = Some((learner.trainer.model.clone(), learner.live.clone()));
            }
            let (mut forecast, mut learned, mut time) = (0.0, false, Duration::ZERO);
            let used = measure(|| {
                let start = Instant::now();
                (forecast, learned) = learner.step(Sample::new(x));
                time = start.elapsed();
            });
            if learned {
                // The first update allocates the tapes and the optimiser's moments.
                if updates > 0 {
                    times.push(time);
                }
                updates += 1;
            }
            if updates > 1 {
                allocated += used.count_total;
            }
            let still = match &mut frozen {
                Some((net, state)) => net.step(&Sample::new(x), state)[0],
                None => forecast,
            };
            let next = observe(&mut law);
            let square = |forecast: f32| f64::from(forecast - next).powi(2);
            errors.learning.push(square(forecast));
            errors.frozen.push(square(still));
            errors.persistence.push(square(x));
            x = next;
        }

        report(&errors, before);
        println!(
            "{updates} updates, {:.1} us each (median, with the step); {allocated} allocations in total after the first one",
            1e6 * median(&times).as_secs_f64()
        );
        draw(&options, &errors, before)
    })
}

fn delays(text: &str) -> Result<[usize; 2], Box<dyn Error>> {
    let delays: Option<Vec<usize>> = text.split(',').map(|delay| delay.trim().parse().ok()).collect();
    match delays.as_deref() {
        Some(&[before, after]) if (4..40).contains(&before) && (4..40).contains(&after) => {
            Ok([before, after])
        }
        _ => Err(format!("`--delays {text}`: expected two numbers from 4 to 39, such as 17,30").into()),
    }
}

fn mean(errors: &[f64]) -> f64 {
    errors.iter().sum::<f64>() / errors.len().max(1) as f64
}

fn report(errors: &Errors, before: usize) {
    let length = errors.learning.len();
    println!(
        "mean squared error of the forecast of the next sample, x 1e-4 (the noise alone has {:.2}):",
        1e4 * NOISE * NOISE
    );
    println!("{:<44}{:>10}{:>10}{:>13}", "", "learning", "frozen", "persistence");
    for (name, range) in [
        (format!("the last {AVERAGED} samples before the change"), before - AVERAGED..before),
        (format!("the first {AVERAGED} samples after it"), before..before + AVERAGED),
        (format!("the last {AVERAGED} samples of all"), length - AVERAGED..length),
    ] {
        let [learning, frozen, persistence] = [&errors.learning, &errors.frozen, &errors.persistence]
            .map(|errors| 1e4 * mean(&errors[range.clone()]));
        println!("{name:<44}{learning:>10.2}{frozen:>10.2}{persistence:>13.1}");
    }
}

fn draw(options: &Options, errors: &Errors, before: usize) -> Result<(), Box<dyn Error>> {
    // At most about 200 averages per curve.
    let stretch = (errors.learning.len() / 200).max(1);
    let curve = |name: &str, errors: &[f64], first: usize, colour, is_thin| LogCurve {
        name: name.into(),
        points: errors[first..]
            .chunks(stretch)
            .enumerate()
            .map(|(index, errors)| ((first + index * stretch) as f64, mean(errors).log10()))
            .collect(),
        colour,
        is_thin,
    };
    let panel = Panel {
        caption: "squared error of the forecast of the next sample".into(),
        x: "samples seen".into(),
        curves: vec![
            curve("learning", &errors.learning, 0, 0, false),
            curve("stopped learning", &errors.frozen, before, 1, false),
            curve("last value again", &errors.persistence, 0, 2, true),
        ],
    };
    let path = options.path("picture");
    let title = format!("Learning in a stream that changes after {before} samples");
    panels(&path, &title, &[panel])?;
    println!("picture: {}", path.display());
    Ok(())
}
