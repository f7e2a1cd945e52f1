//! Gradients that vanish, persist and explode. The example follows cotangents back through time in
//! tanh networks of several spectral radii, in LSTMs with several forget biases, and in a GRU. It
//! also shows the effect of clipping on a network whose gradients explode in training.
//!
//! ```text
//! cargo run --release --example gradients
//! ```

use examples::adding;
use examples::options::{Options, QUICK};
use examples::plot::{LogCurve, Panel, panels};
use examples::report::{progress, run};
use nalgebra::SVector;
use rnn_cell::cells::{Dense, Elman, Gru, Lstm};
use rnn_cell::init;
use rnn_cell::inspect::finite::check_finite;
use rnn_cell::inspect::flow::{Jacobians, SingularValues, norms};
use rnn_cell::prelude::*;
use rnn_cell::rng::normal;
use rnn_cell::train::loss::mean_squared_error;
use rnn_cell::train::optim::clip_global_norm;
use rnn_cell::types::varying::Varying;
use std::error::Error;
use std::f64::consts::LN_10;
use std::process::ExitCode;

const INPUTS: usize = 4;
const HIDDEN: usize = 32;
/// The standard deviation of the inputs, small enough not to saturate a tanh.
const LOUDNESS: f64 = 0.3;
/// The number of points of a curve of singular values.
const POINTS: usize = 20;
/// The number of random cotangents whose norms are averaged.
const DIRECTIONS: u64 = 10;

/// The batch size in the adding problem.
const BATCH: usize = 16;
/// The number of units of the network that learns the adding problem.
const UNITS: usize = 32;
/// The number of batches over which a loss is averaged.
const AVERAGED: usize = 50;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read(
            "Shows gradients that vanish, persist and explode.",
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("steps", "100", "the number of steps to go back"),
                ("batches", "10000", "the number of training batches, with and without clipping"),
                ("rate", "0.03", "the learning rate of both training runs"),
                ("clip", "1", "the maximal norm of clipped gradients"),
                ("picture", "target/gradients.svg", "the file of the picture"),
                QUICK,
            ],
        )?;
        let quick = options.flag("quick");
        let (seed, steps) = (options.get("seed")?, if quick { 4 } else { options.get("steps")? });
        let flows = flows(seed, steps)?;
        table(&flows, steps);

        let batches = if quick { 4 } else { options.get("batches")? };
        let task = Adding { steps: if quick { 20 } else { 60 }, batches, rate: options.get("rate")? };
        let clip = options.get("clip")?;
        println!(
            "\nadding problem over {} steps, relu network of {UNITS} units, SGD at a rate of {}:",
            task.steps, task.rate
        );
        let clipped = task.learn(seed, Some(clip), &format!("clipped to a norm of {clip}"));
        let free = task.learn(seed, None, "not clipped");

        let path = options.path("picture");
        let title = format!("The size of a gradient, {steps} steps back through time");
        panels(&path, &title, &pictured(&flows, &clipped, &free))?;
        println!("picture: {}", path.display());
        Ok(())
    })
}

/// The gradients in one network.
struct Flow {
    name: String,
    family: Family,
    /// The mean logarithm of the norms of random cotangents, by the number of steps back. The
    /// initial norm is one.
    norms: Vec<f64>,
    /// The singular values of the derivative of the last state by earlier states.
    singular_values: Vec<SingularValues>,
}

#[derive(PartialEq, Clone, Copy)]
enum Family {
    Tanh,
    Gated,
}

fn flows(seed: u64, steps: usize) -> Result<Vec<Flow>, Box<dyn Error>> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let xs: Vec<SVector<f64, INPUTS>> =
        (0..steps).map(|_| SVector::from_fn(|_, _| LOUDNESS * normal(&mut rng))).collect();
    let bar = progress("networks", 7);
    let mut flows = vec![];
    for radius in [0.5, 1.0, 1.5] {
        let mut elman = Elman::<INPUTS, HIDDEN, f64>::init(&mut rng);
        init::normal(&mut elman.U, 1.0, &mut rng);
        init::scale_to_spectral_radius(&mut elman.U, radius);
        flows.push(flow(format!("tanh, radius {radius:.1}"), Family::Tanh, &elman, &xs, elman.zero_state()));
        bar.inc(1);
    }
    for bias in [0.0, 1.0, 5.0] {
        let mut lstm = Lstm::<INPUTS, HIDDEN, f64>::init(&mut rng);
        init::constant(&mut lstm.b_f, bias);
        flows.push(flow(
            format!("LSTM, forget bias {bias:.0}"),
            Family::Gated,
            &lstm,
            &xs,
            lstm.zero_state(),
        ));
        bar.inc(1);
    }
    let gru = Gru::<INPUTS, HIDDEN, f64>::init(&mut rng);
    flows.push(flow("GRU".into(), Family::Gated, &gru, &xs, gru.zero_state()));
    bar.finish_and_clear();
    Ok(flows)
}

fn flow<L>(name: String, family: Family, layer: &L, xs: &[L::Input], state: L::State) -> Flow
where
    L: Cell<1, Scalar = f64, Context = ()>,
{
    let mut mean = vec![0.0; xs.len() + 1];
    for direction in 0..DIRECTIONS {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(direction);
        let mut dstate = layer.zero_state();
        dstate.scalars_mut(&mut |x| *x = normal(&mut rng));
        let ln = norms::<_, 1>(layer, xs, &state, dstate).ln;
        mean.iter_mut().zip(&ln).for_each(|(mean, x)| *mean += (x - ln[0]) / DIRECTIONS as f64);
    }
    let jacobians = Jacobians::along(layer, xs, &mut state.clone());
    let between = xs.len().div_ceil(POINTS).max(1);
    let distances = (0..xs.len()).step_by(between).chain([xs.len()]);
    let singular_values =
        distances.map(|distance| jacobians.singular_values(xs.len() - distance..xs.len())).collect();
    Flow { name, family, norms: mean, singular_values }
}

fn table(flows: &[Flow], steps: usize) {
    println!(
        "the norm of a cotangent of initial length 1 by the steps back, and the singular values over all {steps} steps:"
    );
    let distances = [1, steps / 10, steps / 2, steps];
    print!("{:<20}", "");
    distances.iter().for_each(|distance| print!("{distance:>9}"));
    println!("{:>14}{:>11}{:>11}{:>11}", "growth/step", "largest", "median", "smallest");
    for Flow { name, norms, singular_values, .. } in flows {
        print!("{name:<20}");
        distances.iter().for_each(|distance| print!("{:>9}", short(norms[*distance])));
        let growth = (norms[steps] / steps as f64).exp();
        let values = singular_values.last().expect("the last one covers all steps");
        let [largest, median, smallest] = [values.largest(), values.median(), values.smallest()].map(short);
        println!("{growth:>14.3}{largest:>11}{median:>11}{smallest:>11}");
    }
}

/// Formats a number given by its natural logarithm.
fn short(ln: f64) -> String {
    let tens = ln / LN_10;
    if !tens.is_finite() {
        format!("{tens}")
    } else if tens.abs() < 300.0 {
        format!("{:.0e}", 10f64.powf(tens))
    } else {
        format!("1e{tens:.0}")
    }
}

/// The adding problem (Hochreiter & Schmidhuber 1997, section 5.4): two numbers of a random
/// sequence are marked, and the target at the end is their sum.
struct Adding {
    steps: usize,
    batches: usize,
    rate: f64,
}

rnn_cell! {
    /// A rectified network initialised with the identity (Le, Jaitly & Hinton 2015). Nothing
    /// saturates, so nothing bounds its gradients.
    pub cell Rectified<I, H> {
        input x: [I];
        state h: [H];
        param W: [H, I] = normal(0.1);
        param U: [H, H] = identity(1);
        param b: [H];

        h = relu(W @ x + U @ h[t-1] + b);

        output h;
    }
}

impl Adding {
    /// Trains by plain gradient descent. Returns the averaged losses, which end at the first NaN.
    fn learn(&self, seed: u64, clip: Option<f64>, name: &str) -> Vec<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut net = Stack::new(Rectified::<2, UNITS>::init(&mut rng), Dense::<UNITS, 1>::init(&mut rng));
        let mut gradients = net.zero_gradients();
        let mut sgd = Sgd::new(self.rate);
        let (mut tape, mut losses, mut longest) = (net.tape(), vec![], 0.0_f64);
        let bar = progress(name, self.batches);
        for batch in 0..self.batches {
            let (xs, sums) = adding::draw::<BATCH>(self.steps, 0.0..1.0, &mut rng);
            let ys = net.forward(&xs, &mut net.initial_state(), &mut tape);
            let mut dys = vec![SMatrix::<f32, 1, BATCH>::zeros(); self.steps];
            let (loss, dy) = mean_squared_error(&ys[self.steps - 1], &sums);
            dys[self.steps - 1] = dy;
            gradients.set_zero();
            net.backward(&xs, &mut tape, &dys, &mut gradients);
            if let Err(broken) = check_finite(&gradients) {
                bar.finish_and_clear();
                println!(
                    "  {name}: the gradient of {broken} in batch {batch}; largest gradient norm before: {longest:.0e}"
                );
                return losses;
            }
            let norm = match clip {
                Some(max) => clip_global_norm(&mut gradients, max),
                None => rnn_cell::train::optim::global_norm(&gradients),
            };
            longest = longest.max(norm);
            sgd.step(&mut net, &gradients);
            losses.push(f64::from(loss));
            bar.inc(1);
        }
        bar.finish_and_clear();
        let last = &losses[losses.len().saturating_sub(10 * AVERAGED)..];
        println!(
            "  {name}: mean squared error {:.4} at the end (0.1667 for the mean alone); largest gradient norm {longest:.0e}",
            last.iter().sum::<f64>() / last.len() as f64
        );
        losses
    }
}

fn pictured(flows: &[Flow], clipped: &[f64], free: &[f64]) -> [Panel; 3] {
    let curve = |name: &str, colour, is_thin, lns: Vec<(usize, f64)>| LogCurve {
        name: name.into(),
        points: lns.iter().map(|(x, ln)| (*x as f64, ln / LN_10)).collect(),
        colour,
        is_thin,
    };
    let of = |family: Family| flows.iter().filter(move |flow| flow.family == family).enumerate();
    let norms = |family, caption: &str| Panel {
        caption: caption.into(),
        x: "steps back from the end".into(),
        curves: of(family)
            .map(|(colour, flow)| {
                curve(
                    &flow.name,
                    colour,
                    flow.name == "GRU",
                    flow.norms.iter().copied().enumerate().collect(),
                )
            })
            .collect(),
    };
    let free_name = if free.len() < clipped.len() { "not clipped: NaN" } else { "not clipped" };
    let losses = |name: &str, colour, losses: &[f64]| LogCurve {
        name: name.into(),
        points: losses
            .chunks(AVERAGED)
            .enumerate()
            .map(|(i, losses)| {
                ((i * AVERAGED) as f64, (losses.iter().sum::<f64>() / losses.len() as f64).log10())
            })
            .collect(),
        colour,
        is_thin: false,
    };
    [
        norms(Family::Tanh, "in tanh networks, by spectral radius"),
        norms(Family::Gated, "in LSTMs and a GRU"),
        Panel {
            caption: "a relu network in training: squared error".into(),
            x: "batches of the training".into(),
            curves: vec![losses("clipped", 0, clipped), losses(free_name, 1, free)],
        },
    ]
}
