//! A guitar amplifier as a recurrent network, in real time: an LSTM of the shape of the Neural Amp Modeler's (one layer, its initial state
//! learned, a linear head) learns a synthetic amplifier by truncated BPTT, then plays a WAV file through it, block by block,
//! against the deadline of the sound card.
//!
//! Denormals: the learned amplifier takes as long in silence as in sound, since its biases hold its state away from zero. A cell whose
//! state fades to zero stays among numbers below 1.2e-38 for ever and slows down by half, unless a tiny constant is added to its input. The
//! example measures all three.
//!
//! ```text
//! cargo run --release --example amplifier
//! cargo run --release --example amplifier -- guitar.wav --wav louder.wav
//! cargo run --release --example amplifier -- guitar.wav --model amp.nam
//! ```

mod sounds;

use examples::audio::{self, Sound};
use examples::options::{Options, QUICK};
use examples::plot::{Curve, amplified};
use examples::report::{make_folders, median, progress, run};
use nalgebra::{SMatrix, SVector};
use rnn_cell::prelude::*;
use rnn_cell::train::bptt::Truncated;
use rnn_cell::train::optim::{Schedule, clip_global_norm, scale};
use rnn_cell::weights::nam::{self, one_layer, two_layers};
use rnn_cell::weights::{Family, Player};
use sounds::{RATE, amplifier, error_to_signal, filtered, guitar, linear_filter};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

rnn_cell! {
    /// The LSTM of the Neural Amp Modeler (Atkinson; nam/models/recurrent.py): one sample in, one out.
    pub cell Amp<H> {
        /// A sample, after the one before it.
        input x: [1];
        /// The hidden and the cell state; what they start from is learned.
        state h: [H] = h_0;
        state c: [H] = c_0;
        param h_0, c_0: [H];
        /// Gates, each of the sample and the hidden state.
        param W_i, W_f, W_g, W_o: [H, 1 + H];
        param b_i, b_g, b_o: [H];
        param b_f: [H] = 1;
        /// The head.
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

/// The Neural Amp Modeler's sizes are 16 and 40.
const HIDDEN: usize = 16;
type Amplifier = Amp<HIDDEN>;
type Sample = SVector<f32, 1>;

/// A pedal's budget, checked by the compiler: a microcontroller that spares 150 million operations a second, a cell whose
/// parameters and state fit beside the audio buffers.
const _: () = {
    assert!(Amplifier::FLOPS_PER_STEP * RATE as usize <= 150_000_000);
    assert!(Amplifier::PARAMETER_COUNT * size_of::<f32>() <= 8 * 1024);
    assert!(Amplifier::STATE_BYTES <= 256);
};

/// The training sound is cut into so many, which are learned side by side.
const BATCH: usize = 16;
const TRAINING_SECONDS: usize = 8;
const EPOCHS: usize = 60;
/// An update every so many samples, from cotangents that go back through twice as many.
const BLOCK: usize = 128;
const RATE_OF_LEARNING: f64 = 1e-2;
/// Taps of the linear filter that the network is compared with: 5 ms.
const TAPS: usize = 256;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read_with_operand(
            "Learns an amplifier, and plays a WAV file through it in real time.",
            ("FILE.wav", "what is played, a WAV file of 48 kHz [five seconds of a synthetic guitar]"),
            &[
                ("seed", "1", "where randomness starts"),
                ("model", "", "a Neural Amp Modeler's LSTM (.nam) that is played instead of learning one"),
                ("block", "64", "samples that the sound card asks for at a time"),
                ("wav", "target/amplifier.wav", "where the amplified sound goes"),
                ("picture", "target/amplifier.svg", "where the picture goes"),
                QUICK,
            ],
        )?;
        let block: usize = options.get("block")?;
        if block == 0 {
            return Err("`--block` must be at least 1".into());
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.get("seed")?);
        let held_out = guitar(5 * RATE as usize, &mut rng);
        let input = match options.operand() {
            Some(path) => audio::read_at(path, RATE)?,
            None => Sound { rate: RATE, samples: held_out.clone() },
        };
        let model = options.path("model");
        if !model.as_os_str().is_empty() {
            let mut player = load(&model)?;
            let (output, times) = play(&input.samples, block, |xs, ys| player.run(xs, ys));
            report(&times, block);
            save(&options.path("wav"), &output)?;
            return draw(&options.path("picture"), &input.samples, None, &output);
        }
        println!(
            "model: LSTM of 1 x {HIDDEN}, {} parameters; {} FLOPs a sample, {:.0} million a second at 48 kHz",
            Amplifier::PARAMETER_COUNT,
            Amplifier::FLOPS_PER_STEP,
            (Amplifier::FLOPS_PER_STEP * RATE as usize) as f64 * 1e-6
        );

        let (seconds, epochs) = if options.flag("quick") { (1, 2) } else { (TRAINING_SECONDS, EPOCHS) };
        let start = Instant::now();
        let training = guitar(seconds * RATE as usize, &mut rng);
        let (amp, errors) = learn(&training, &held_out, epochs, &mut rng);
        println!(
            "training: {} updates on {seconds} s of guitar in {:.1} s",
            epochs * (training.len() / BATCH).div_ceil(BLOCK),
            start.elapsed().as_secs_f64()
        );
        let truth = amplifier(&held_out);
        let linear = linear_filter(&training, &amplifier(&training), TAPS).ok_or("the guitar is silent")?;
        println!("error to signal on 5 s of guitar that it never heard:");
        println!(
            "  best linear filter of {TAPS} taps  {:.5}",
            error_to_signal(&filtered(&held_out, &linear), &truth)
        );
        println!("  LSTM                          {:.5}", errors.last().copied().unwrap_or(f64::NAN));

        let (output, times) = play(&input.samples, block, streamed(&amp));
        report(&times, block);
        denormals(&amp, &held_out, &mut rng);

        let truth = amplifier(&input.samples);
        if let Some(path) = options.operand() {
            println!("error to signal on {}: {:.5}", path.display(), error_to_signal(&output, &truth));
        }
        save(&options.path("wav"), &output)?;
        draw(&options.path("picture"), &input.samples, Some((&truth, &errors)), &output)
    })
}

/// The sizes of the files that can be played: each is compiled.
fn load(path: &Path) -> Result<Box<dyn Player<Sample, Sample> + Send>, Box<dyn Error>> {
    let file = nam::File::open(path)?;
    let info = file.info();
    println!(
        "model: {}, LSTM of {} x {}",
        info.name.as_deref().unwrap_or("without a name"),
        file.num_layers(),
        file.hidden_size()
    );
    if info.sample_rate.is_some_and(|rate| rate != f64::from(RATE)) {
        println!(
            "it was made for {} samples a second, and will sound otherwise at {RATE}",
            info.sample_rate.unwrap_or(0.0)
        );
    }
    let family =
        Family::of(&file).or(one_layer::<8>).or(one_layer::<16>).or(one_layer::<24>).or(one_layer::<40>);
    Ok(family.or(two_layers::<8>).or(two_layers::<16>).load()?)
}

/// Trains on `sound`. Returns the network, and its error on `held_out` after every epoch.
fn learn(
    sound: &[f32],
    held_out: &[f32],
    epochs: usize,
    rng: &mut Xoshiro256PlusPlus,
) -> (Box<Amplifier>, Vec<f64>) {
    let truth = amplifier(sound);
    let power = truth.iter().map(|y| y * y).sum::<f32>() / truth.len() as f32;
    let length = sound.len() / BATCH;
    let lanes = |values: &[f32]| -> Vec<SMatrix<f32, 1, BATCH>> {
        (0..length).map(|t| SMatrix::from_fn(|_, lane| values[lane * length + t])).collect()
    };
    let (xs, targets) = (lanes(sound), lanes(&truth));
    let truth = amplifier(held_out);

    let mut amp = Amplifier::init_boxed(rng);
    let mut gradients = Amplifier::zeros_boxed();
    let mut adam = Adam::new(RATE_OF_LEARNING);
    let schedule = Schedule::cosine(RATE_OF_LEARNING, epochs);
    let mut bptt = Truncated::<Amplifier, BATCH>::new(&amp, BLOCK, 2 * BLOCK);
    let mut dys = Vec::with_capacity(BLOCK);
    let bar = progress("training", epochs);
    let mut errors = vec![];
    for epoch in 0..epochs {
        schedule.apply(epoch, &mut adam);
        bptt.start(amp.initial_state());
        while let Some(block) = bptt.forward(&amp, &xs) {
            // The error to signal of the block, whose power is taken to be that of the whole sound.
            let share = 2.0 / (power * (block.len() * BATCH) as f32);
            dys.clear();
            dys.extend(bptt.outputs().iter().zip(&targets[block]).map(|(y, target)| (y - target) * share));
            gradients.set_zero();
            if let Some(dstate) = bptt.backward(&amp, &xs, &dys, &mut gradients) {
                amp.initial_state_backward(dstate, &mut gradients);
            }
            clip_global_norm(&mut gradients, 1.0);
            adam.step(&mut *amp, &gradients);
        }
        let (ys, _) = play(held_out, held_out.len(), streamed(&amp));
        errors.push(error_to_signal(&ys, &truth));
        bar.set_message(format!("error {:.4}", errors[epoch]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    (amp, errors)
}

/// Steps through the blocks of a stream that begins.
fn streamed(amp: &Amplifier) -> impl FnMut(&[Sample], &mut [Sample]) {
    let mut state = amp.initial_state();
    move |xs, ys| xs.iter().zip(ys).for_each(|(x, y)| *y = amp.step(x, &mut state))
}

/// Plays `sound` as a sound card asks for it. Returns what is heard, and how long each whole block took.
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
        println!("the sound is shorter than a block of {block} samples: no block was timed");
        return;
    };
    let share = |time: Duration| 100.0 * time.as_secs_f64() / deadline;
    let late = times.iter().filter(|time| time.as_secs_f64() > deadline).count();
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let (typical, rare) = (sorted[sorted.len() / 2], sorted[sorted.len() * 99 / 100]);
    println!("{} blocks of {block} samples, each to be ready within {:.0} us:", times.len(), 1e6 * deadline);
    println!(
        "  median {:.1} us ({:.2} % of the deadline), {:.0} ns a sample",
        1e6 * typical.as_secs_f64(),
        share(typical),
        1e9 * typical.as_secs_f64() / block as f64
    );
    println!("  99 of 100 within {:.1} us ({:.2} %)", 1e6 * rare.as_secs_f64(), share(rare));
    println!("  worst  {:.1} us ({:.2} %); {late} late", 1e6 * worst.as_secs_f64(), share(*worst));
}

/// What silence does to the speed. A state that decays to nothing passes through numbers so small (below 1.2e-38) that processors take a detour
/// for each, and may stay there: such a number times 0.99 is rounded to itself.
fn denormals(amp: &Amplifier, sound: &[f32], rng: &mut Xoshiro256PlusPlus) {
    const STEPS: usize = 64;
    // No bias but one that makes it forget slowly, weak weights: nothing keeps this state away from zero.
    let mut fading = Amplifier::init_boxed(rng);
    scale(&mut *fading, 0.01);
    fading.b_f.fill(5.0);
    println!("after a second of sound, two of silence:");
    for (name, amp, floor) in [
        ("the amplifier", amp, 0.0),
        ("one that fades to zero", &*fading, 0.0),
        ("the same, 1e-15 added to its input", &*fading, 1e-15),
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
        let (loud, _) = time(&mut sound.iter().copied().take(RATE as usize));
        let (quiet, tiny) = time(&mut std::iter::repeat_n(0.0, 2 * RATE as usize));
        println!(
            "  {name}: {loud:.0} ns a sample in sound, {quiet:.0} in silence; {tiny} of {} states are denormal at the end",
            2 * HIDDEN
        );
    }
}

fn save(path: &Path, output: &[f32]) -> Result<(), Box<dyn Error>> {
    make_folders(path)?;
    let sound = Sound { rate: RATE, samples: output.to_vec() };
    audio::write(path, &sound)?;
    println!("sound: {} ({:.1} s)", path.display(), sound.seconds());
    Ok(())
}

/// Draws the loudest moments of what was played; of an amplifier that was learned, its true sound too, and how the error fell.
fn draw(
    path: &Path,
    input: &[f32],
    learned: Option<(&[f32], &[f64])>,
    output: &[f32],
) -> Result<(), Box<dyn Error>> {
    let shown = input.len().min(RATE as usize / 50);
    let loudest = (0..output.len()).max_by(|a, b| output[*a].abs().total_cmp(&output[*b].abs())).unwrap_or(0);
    let first = loudest.saturating_sub(shown / 4).min(input.len() - shown);
    let excerpt = |values: &[f32]| -> Vec<f64> {
        values[first..first + shown].iter().map(|value| f64::from(*value)).collect()
    };
    let truth = learned.map(|(truth, _)| excerpt(truth));
    let (input, output) = (excerpt(input), excerpt(output));
    let truth = truth.as_ref().map(|truth| Curve { name: "amplifier", values: truth });
    let waves: Vec<Curve> = [Curve { name: "input", values: &input }]
        .into_iter()
        .chain(truth)
        .chain([Curve { name: "LSTM", values: &output }])
        .collect();
    let errors = learned.map(|(_, errors)| Curve { name: "error to signal, held out", values: errors });
    amplified(path, "An LSTM as an amplifier: 20 ms of sound", f64::from(RATE), first, &waves, errors)?;
    println!("picture: {}", path.display());
    Ok(())
}
