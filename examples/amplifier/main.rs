//! A guitar amplifier as a recurrent network, in real time. An LSTM with the shape of Neural Amp
//! Modeler's (one layer, a learned initial state, a linear head) learns a synthetic amplifier by
//! truncated BPTT. It then plays a WAV file block by block, against the deadline of a sound card.
//!
//! Denormals: the learned amplifier is as fast in silence as in sound, because its biases keep its
//! state away from zero. A cell whose state fades to zero stays at numbers below 1.2e-38 forever
//! and slows down by half, unless a tiny constant is added to its input. The example measures all
//! three.
//!
//! ```text
//! cargo run --release --example amplifier
//! cargo run --release --example amplifier -- guitar.wav --wav louder.wav
//! cargo run --release --example amplifier -- guitar.wav --model amp.nam   # a WaveNet or LSTM
//! ```

mod sounds;

use examples::audio::{self, Sound};
use examples::options::{OFF, Options, QUICK};
use examples::plot::{Curve, amplified};
use examples::report::{median, progress, run};
use nalgebra::{SMatrix, SVector};
use rnn_cell::cell::{FourDecimals, Prepare, Prepared};
use rnn_cell::prelude::*;
use rnn_cell::train::loss::mean_squared_error_weighted;
use rnn_cell::train::optim::scale;
use rnn_cell::train::{Diverged, Schedule, Trainer};
use rnn_cell::weights::{Player, Source, nam};
use sounds::{RATE, amplifier, error_to_signal, filtered, guitar, linear_filter};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

rnn_cell! {
    /// The LSTM of Neural Amp Modeler (Atkinson; nam/models/recurrent.py), with one sample as input
    /// and one as output.
    pub cell Amp<H> {
        /// One sample of the input.
        input x: [1];
        /// The hidden state and the cell state, with learned initial values.
        state h: [H] = h_0;
        state c: [H] = c_0;
        param h_0, c_0: [H];
        /// The gates, which read the sample and the hidden state.
        param W_i, W_f, W_g, W_o: [H, 1 + H];
        param b_i, b_g, b_o: [H];
        param b_f: [H] = 1;
        /// The linear head.
        param w: [1, H];
        param b: [1];

        i = sigmoid(W_i @ [x, h[t-1]] + b_i);
        f = sigmoid(W_f @ [x, h[t-1]] + b_f);
        g = tanh(W_g @ [x, h[t-1]] + b_g);
        o = sigmoid(W_o @ [x, h[t-1]] + b_o);
        c = f * c[t-1] + i * g;
        h = o * tanh(c);
        y = w @ h + b;

        output y;
    }
}

/// The number of units. Neural Amp Modeler uses 16 and 40.
const HIDDEN: usize = 16;
type Amplifier = Amp<HIDDEN>;
type Sample = SVector<f32, 1>;

/// The budget of a pedal, checked at compile time: a microcontroller with 150 million operations
/// per second to spare, and a memory that holds the parameters and the state beside the audio
/// buffers.
const _: () = {
    assert!(Amplifier::FLOPS_PER_STEP * RATE as usize <= 150_000_000);
    assert!(Amplifier::PARAMETER_COUNT * size_of::<f32>() <= 8 * 1024);
    assert!(Amplifier::STATE_BYTES <= 256);
};

/// The number of parts of the training sound, which are learned in parallel.
const BATCH: usize = 16;
const TRAINING_SECONDS: f64 = 8.0;
const EPOCHS: usize = 60;
/// The number of samples between updates. The cotangents go back through twice as many.
const BLOCK: usize = 128;
const LEARNING_RATE: f64 = 1e-2;
/// The number of taps of the linear filter used as a baseline: 5 ms.
const TAPS: usize = 256;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read_with_operand(
            "Learns an amplifier, and plays a WAV file through it in real time.",
            ("FILE.wav", "the sound to play, a WAV file of 48 kHz [five seconds of a synthetic guitar]"),
            &[
                ("seed", "1", "the seed of the random numbers"),
                ("model", "", "a model of Neural Amp Modeler (.nam) to play instead of training one"),
                ("block", "64", "the number of samples that the sound card requests at a time"),
                ("wav", "target/amplifier.wav", "the file of the amplified sound"),
                ("picture", "target/amplifier.svg", "the file of the picture"),
                ("near", OFF, "compute tanh and sigmoid approximately while playing"),
                QUICK,
            ],
        )?;
        let block: usize = options.get("block")?;
        if block == 0 {
            return Err("`--block` must be at least 1".into());
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.get("seed")?);
        let (seconds, epochs, held_out_seconds) =
            if options.flag("quick") { (0.2, 1, 0.2) } else { (TRAINING_SECONDS, EPOCHS, 5.0) };
        let mut recording = |seconds: f64| guitar((seconds * f64::from(RATE)) as usize, &mut rng);
        let (held_out, training) = (recording(held_out_seconds), recording(seconds));
        let input = match options.operand() {
            Some(path) => audio::read_at(path, RATE)?,
            None => Sound { rate: RATE, samples: held_out.clone() },
        };
        let model = options.path("model");
        if !model.as_os_str().is_empty() {
            let mut player = load(&model)?;
            let (output, times) = play(&input.samples, block, |xs, ys| player.run(xs, ys));
            report(&times, block);
            audio::save(&options.path("wav"), &Sound { rate: RATE, samples: output.clone() })?;
            return draw(&options.path("picture"), &input.samples, None, &output);
        }
        println!(
            "model: LSTM of 1 x {HIDDEN}, {} parameters; {} FLOPs per sample, {:.0} million per second at 48 kHz",
            Amplifier::PARAMETER_COUNT,
            Amplifier::FLOPS_PER_STEP,
            (Amplifier::FLOPS_PER_STEP * RATE as usize) as f64 * 1e-6
        );

        let start = Instant::now();
        let (amp, errors) = learn(&training, &held_out, epochs, &mut rng)?;
        println!(
            "training: {} updates on {seconds} s of guitar in {:.1} s",
            epochs * (training.len() / BATCH).div_ceil(BLOCK),
            start.elapsed().as_secs_f64()
        );
        let truth = amplifier(&held_out);
        let linear = linear_filter(&training, &amplifier(&training), TAPS).ok_or("the guitar is silent")?;
        println!("error to signal on {held_out_seconds} s of held-out guitar:");
        println!(
            "  best linear filter of {TAPS} taps  {:.5}",
            error_to_signal(&filtered(&held_out, &linear), &truth)
        );
        println!("  LSTM                          {:.5}", errors.last().copied().unwrap_or(f64::NAN));

        let (output, times) = if options.flag("near") {
            play(&input.samples, block, streamed(amp.prepare().approximate::<FourDecimals>()))
        } else {
            play(&input.samples, block, streamed(amp.prepare()))
        };
        report(&times, block);
        denormals(&amp, &held_out, &mut rng);

        let truth = amplifier(&input.samples);
        if let Some(path) = options.operand() {
            println!("error to signal on {}: {:.5}", path.display(), error_to_signal(&output, &truth));
        }
        audio::save(&options.path("wav"), &Sound { rate: RATE, samples: output.clone() })?;
        draw(&options.path("picture"), &input.samples, Some((&truth, &errors)), &output)
    })
}

/// Loads a `.nam` file of any published size.
fn load(path: &Path) -> Result<Box<dyn Player<Sample, Sample> + Send>, Box<dyn Error>> {
    let file = nam::File::open(path)?;
    println!("model: {}, {}", file.info().name.as_deref().unwrap_or("unnamed"), file.sizes());
    if let Some(rate) = file.info().sample_rate.filter(|rate| *rate != f64::from(RATE)) {
        println!("it was trained at {rate} samples per second and will sound different at {RATE}");
    }
    Ok(nam::published(&file).load()?)
}

/// Trains on `sound`. Returns the network and its error on `held_out` after every epoch.
fn learn(
    sound: &[f32],
    held_out: &[f32],
    epochs: usize,
    rng: &mut Xoshiro256PlusPlus,
) -> Result<(Box<Amplifier>, Vec<f64>), Diverged> {
    let truth = amplifier(sound);
    let power = truth.iter().map(|y| y * y).sum::<f32>() / truth.len() as f32;
    let length = sound.len() / BATCH;
    let lanes = |values: &[f32]| -> Vec<SMatrix<f32, 1, BATCH>> {
        (0..length).map(|t| SMatrix::from_fn(|_, lane| values[lane * length + t])).collect()
    };
    let (xs, targets) = (lanes(sound), lanes(&truth));
    let truth = amplifier(held_out);

    let mut trainer = Trainer::new::<BATCH>(Amplifier::init_boxed(rng), Adam::new(LEARNING_RATE))
        .truncated(BLOCK, 2 * BLOCK)
        .schedule(Schedule::cosine(LEARNING_RATE, epochs * length.div_ceil(BLOCK)))
        .clip_norm(1.0);
    let bar = progress("training", epochs);
    let mut errors = vec![];
    for epoch in 0..epochs {
        // The loss is the error to signal of each block, with the power of the whole sound.
        trainer.step(&xs, |out| {
            out.every_step(|t, y, weights| {
                let (loss, dy) = mean_squared_error_weighted(y, &targets[t], weights);
                (loss / power, dy / power)
            })
        })?;
        let (ys, _) = play(held_out, held_out.len(), streamed(trainer.model.prepare()));
        errors.push(error_to_signal(&ys, &truth));
        bar.set_message(format!("error {:.4}", errors[epoch]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((trainer.model, errors))
}

/// Returns a function that steps through the blocks of a new stream.
fn streamed<A>(amp: Prepared<A>) -> impl FnMut(&[Sample], &mut [Sample])
where
    A: Prepare<1, Context = (), Input = Sample, Output = Sample>,
{
    let mut state = amp.initial_state();
    move |xs, ys| amp.run(xs, ys, &mut state)
}

/// Plays `sound` in blocks, as a sound card requests it. Returns the output, and the time of each
/// whole block.
fn play(
    sound: &[f32],
    block: usize,
    mut run: impl FnMut(&[Sample], &mut [Sample]),
) -> (Vec<f32>, Vec<Duration>) {
    let xs: Vec<Sample> = sound.iter().map(|x| Sample::new(*x)).collect();
    let mut ys = vec![Sample::zeros(); xs.len()];
    let mut times = Vec::with_capacity(sound.len() / block);
    for (xs, ys) in xs.chunks(block).zip(ys.chunks_mut(block)) {
        let start = Instant::now();
        run(xs, ys);
        if xs.len() == block {
            times.push(start.elapsed());
        }
    }
    (ys.iter().map(|y| y[0]).collect(), times)
}

fn report(times: &[Duration], block: usize) {
    let deadline = block as f64 / f64::from(RATE);
    let Some(worst) = times.iter().max() else {
        println!("the sound is shorter than a block of {block} samples, so no time was measured");
        return;
    };
    let share = |time: Duration| 100.0 * time.as_secs_f64() / deadline;
    let late = times.iter().filter(|time| time.as_secs_f64() > deadline).count();
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let (typical, rare) = (sorted[sorted.len() / 2], sorted[sorted.len() * 99 / 100]);
    println!("{} blocks of {block} samples, with a deadline of {:.0} us each:", times.len(), 1e6 * deadline);
    println!(
        "  median {:.1} us ({:.2} % of the deadline), {:.0} ns per sample",
        1e6 * typical.as_secs_f64(),
        share(typical),
        1e9 * typical.as_secs_f64() / block as f64
    );
    println!("  99 of 100 within {:.1} us ({:.2} %)", 1e6 * rare.as_secs_f64(), share(rare));
    println!("  worst  {:.1} us ({:.2} %); {late} late", 1e6 * worst.as_secs_f64(), share(*worst));
}

/// Measures the effect of silence on the speed. A state that decays to zero passes through numbers
/// below 1.2e-38, which processors handle slowly. It may stay there, because such a number times
/// 0.99 is rounded to itself.
fn denormals(amp: &Amplifier, sound: &[f32], rng: &mut Xoshiro256PlusPlus) {
    const STEPS: usize = 64;
    // Weak weights and no bias, except for one that makes the cell forget slowly, so nothing keeps
    // the state away from zero.
    let mut fading = Amplifier::init_boxed(rng);
    scale(&mut *fading, 0.01);
    fading.b_f.fill(5.0);
    println!("after a second of sound, two of silence:");
    for (name, amp, floor) in [
        ("the amplifier", amp, 0.0),
        ("a cell that fades to zero", &*fading, 0.0),
        ("the same with 1e-15 added to its input", &*fading, 1e-15),
    ] {
        let mut state = amp.initial_state();
        let mut time = |xs: &mut dyn Iterator<Item = f32>| {
            let mut xs = xs.peekable();
            let mut times = vec![];
            while xs.peek().is_some() {
                let start = Instant::now();
                for x in xs.by_ref().take(STEPS) {
                    black_box(amp.step(&Sample::new(x + floor), &mut state));
                }
                times.push(start.elapsed());
            }
            let tiny = state.h.iter().chain(&state.c).filter(|value| value.is_subnormal()).count();
            (median(&times).as_nanos() as f64 / STEPS as f64, tiny)
        };
        let sound = &sound[..sound.len().min(RATE as usize)];
        let (loud, _) = time(&mut sound.iter().copied());
        let (quiet, tiny) = time(&mut std::iter::repeat_n(0.0, 2 * sound.len()));
        println!(
            "  {name}: {loud:.0} ns per sample in sound, {quiet:.0} in silence; {tiny} of {} states are denormal at the end",
            2 * HIDDEN
        );
    }
}

/// Draws the loudest moments of the output. For a learned amplifier, also draws the true sound and
/// the error during the training.
fn draw(
    path: &Path,
    input: &[f32],
    learned: Option<(&[f32], &[f64])>,
    output: &[f32],
) -> Result<(), Box<dyn Error>> {
    let shown = input.len().min(RATE as usize / 500);
    let loudest = (0..output.len()).max_by(|a, b| output[*a].abs().total_cmp(&output[*b].abs())).unwrap_or(0);
    let first = loudest.saturating_sub(shown / 4).min(input.len() - shown);
    let excerpt = |values: &[f32]| -> Vec<f64> {
        values[first..first + shown].iter().map(|value| f64::from(*value)).collect()
    };
    let truth = learned.map(|(truth, _)| excerpt(truth));
    let (input, output) = (excerpt(input), excerpt(output));
    let truth = truth.as_ref().map(|truth| Curve { name: "amplifier", values: truth });
    let waves: Vec<Curve> = [Curve { name: "guitar", values: &input }]
        .into_iter()
        .chain(truth)
        .chain([Curve { name: "network", values: &output }])
        .collect();
    let errors = learned.map(|(_, errors)| Curve {
        name: "power of the error / power of the sound (held out)",
        values: errors,
    });
    amplified(path, "A guitar amplifier and a network that imitates it", f64::from(RATE), &waves, errors)?;
    println!("picture: {}", path.display());
    Ok(())
}
