//! Measures the time of an update and of an all-reduce, for the table in the README.
//!
//! ```text
//! cargo build --release --example scaling
//! target/release/examples/scaling
//! target/release/examples/scaling threads
//! mpirun -n 2 target/release/examples/scaling
//! mpirun -n 1 target/release/examples/scaling table 1e-3 132000
//! ```
//!
//! Each figure is the smallest of many, in milliseconds. `table SECONDS PARAMETERS` computes the
//! time of an update on many machines from the time of a sample and the number of parameters.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use rnn_cell::cells::Lstm;
use rnn_cell::prelude::*;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::{LayerPart, Trainer, Workers};
use rnn_cell_cluster::Mpi;

/// The number of samples of a part.
const SAMPLES: usize = 32;
/// The number of parts of a batch.
const PARTS: usize = 2;
const STEPS: usize = 100;
const SECONDS: f64 = 3.0;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    rnn_cell_cluster::run(|mpi| -> Result<(), std::num::ParseFloatError> {
        match &*args.iter().map(|arg| &**arg).collect::<Vec<_>>() {
            ["table", seconds, parameters] => table(seconds.parse()?, parameters.parse()?),
            ["threads"] => updates("two threads", mpi, mpi.threads()),
            _ => {
                updates(if mpi.size() == 1 { "one thread" } else { "processes" }, mpi, mpi);
                for count in [132_000, 1_000_000] {
                    all_reduce("pairwise", mpi, mpi, count);
                    all_reduce("unordered", mpi, mpi.unordered(), count);
                }
            }
        }
        Ok(())
    })
}

fn updates<C: Workers + Copy>(name: &str, mpi: Mpi, workers: C) {
    update::<64, _>(name, mpi, workers);
    update::<256, _>(name, mpi, workers);
}

/// Prints the time of an update of an LSTM with `H` inputs and `H` hidden units.
fn update<const H: usize, C: Workers>(name: &str, mpi: Mpi, workers: C) {
    let net = Lstm::<H, H>::init_boxed(&mut Xoshiro256PlusPlus::seed_from_u64(1));
    let parameters = net.parameter_count();
    let mut trainer = Trainer::new::<SAMPLES>(net, Sgd::new(1e-3)).parts(PARTS).workers(workers);
    let xs: Vec<SMatrix<f32, H, SAMPLES>> =
        (0..STEPS).map(|t| SMatrix::from_fn(|i, k| (0.1 * (t + 3 * i + 7 * k) as f32).sin())).collect();
    let samples = [(); PARTS * SAMPLES];
    let loss = |part: &mut LayerPart<'_, Box<Lstm<H, H>>, (), SAMPLES>| {
        part.sequence(&xs, |out| {
            out.every_step(|_, y, weights| mean_squared_error_weighted(y, &SMatrix::repeat(0.3), weights))
        })
    };
    let time = smallest(mpi, || _ = black_box(trainer.learn(&samples, loss)));
    if mpi.rank() == 0 {
        println!(
            "LSTM ({H}, {H}), {parameters} parameters, {STEPS} steps, batch {}, {name} ({}): {:.2} ms",
            PARTS * SAMPLES,
            mpi.size(),
            1e3 * time
        );
    }
}

/// Prints the time of an element-wise sum of one vector per process.
fn all_reduce<C: Workers>(name: &str, mpi: Mpi, workers: C, count: usize) {
    let (mut own, mut sum) = (vec![1.0f32; count], vec![0.0f32; count]);
    let time = smallest(mpi, || workers.sum(mpi.size(), &mut [black_box(&mut own)], &mut sum));
    if mpi.rank() == 0 {
        println!("sum of {count} floats, {name} ({}): {:.3} ms", mpi.size(), 1e3 * time);
    }
}

/// Returns the smallest time that `work` takes, in seconds.
fn smallest(mpi: Mpi, mut work: impl FnMut()) -> f64 {
    let (start, mut smallest) = (Instant::now(), f64::INFINITY);
    loop {
        let before = Instant::now();
        work();
        smallest = smallest.min(before.elapsed().as_secs_f64());
        let is_over = start.elapsed().as_secs_f64() > SECONDS;
        // The first process decides for all.
        if mpi.all_gather(vec![u8::from(is_over)])[0] == [1] {
            return smallest;
        }
    }
}

/// Prints the time of an update as a Markdown table.
fn table(sample: f64, parameters: f64) {
    /// The bytes per second and the seconds per message of a network.
    const NETWORKS: [(f64, f64); 2] = [(10e9 / 8.0, 30e-6), (100e9 / 8.0, 5e-6)];
    let sum = |machines: f64, (bandwidth, latency): (f64, f64)| {
        let bytes = 2.0 * 4.0 * parameters * (machines - 1.0) / machines;
        // The loss takes two more collective operations.
        bytes / bandwidth + 4.0 * machines.log2() * latency
    };
    for exponent in 1..=10 {
        let machines = f64::from(1 << exponent);
        print!("| {machines} |");
        for network in NETWORKS {
            let (sum, share) = (sum(machines, network), (PARTS * SAMPLES) as f64 * sample);
            // Below this number of samples, communication takes more than half of the time.
            let least = (sum / sample).ceil();
            let speed_up = machines * share / (share + sum);
            print!(" {:.2} | {speed_up:.1} | {least} |", 1e3 * sum);
        }
        println!();
    }
}
