//! Removes noise from speech with RNNoise, a published network. The network is one cell of this
//! library, its equations, and its weights are loaded from the file of the crate `nnnoiseless`. The
//! sound is streamed in frames of 10 ms, as in a call.
//!
//! Without a file, the example adds the noise of a fan to synthetic speech, so that the result can
//! be compared with the speech alone.
//!
//! ```text
//! cargo run --release --example denoise
//! cargo run --release --example denoise -- noisy.wav --wav clean.wav
//! ```

use examples::audio::{self, Sound};
use examples::options::{OFF, Options};
use examples::plot::{Curve, spectrograms};
use examples::report::{median, run};
use examples::rnnoise::{FRAME, Network, RATE, Stream, WEIGHTS, load};
use nnnoiseless::DenoiseState;
use rnn_cell::prelude::*;
use rnn_cell::rng::uniform;
use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The number of passes over the sound when the time is measured.
const PASSES: usize = 15;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read_with_operand(
            "Removes noise from speech.",
            ("FILE.wav", "a WAV file of 48 kHz, 16 bits, one channel [shipped speech and noise]"),
            &[
                ("snr", "5", "the level of the shipped speech over the noise that is added, in dB"),
                ("seed", "1", "the seed of the noise"),
                ("weights", "", "a file of weights [those of RNNoise]"),
                ("wav", "target/denoise.wav", "the file of the sound without noise"),
                ("noisy", "target/denoise_noisy.wav", "the file of the shipped speech with noise"),
                ("picture", "target/denoise.svg", "the file of the picture"),
                ("quick", OFF, "a single pass over the sound, with a rough time"),
            ],
        )?;
        let shipped = options.path("data").join("rnnoise");
        let (sound, clean) = match options.operand() {
            Some(path) => (audio::read_mono(path, RATE)?, None),
            None => {
                let speech = audio::read_mono(&shipped.join("speech.wav"), RATE)?;
                let sound = with_noise(&speech, options.get("snr")?, options.get("seed")?);
                audio::save(&options.path("noisy"), &sound)?;
                (sound, Some(speech))
            }
        };
        let weights = match options.path("weights") {
            path if path.as_os_str().is_empty() => shipped.join(WEIGHTS),
            path => path,
        };
        let fault = |cause: &dyn std::fmt::Display| format!("the weights {}: {cause}", weights.display());
        let network =
            load(&fs::read(&weights).map_err(|cause| fault(&cause))?).map_err(|cause| fault(&cause))?;
        println!(
            "model: RNNoise, {} parameters; {} FLOPs per frame of {FRAME} samples",
            Network::PARAMETER_COUNT,
            Network::FLOPS_PER_STEP
        );

        let passes = if options.flag("quick") { 1 } else { PASSES };
        let output = compare(&network, &sound.samples, passes);
        if let Some(clean) = &clean {
            let [before, after] =
                [&sound.samples, &output.samples].map(|sound| signal_to_noise(sound, &clean.samples));
            println!("speech to noise: {before:.1} dB before, {after:.1} dB after");
        }
        let output_sound = Sound { rate: RATE, samples: output.samples };
        audio::save(&options.path("wav"), &output_sound)?;

        let mut sounds = vec![("with noise", &sound), ("denoised", &output_sound)];
        sounds.extend(clean.as_ref().map(|clean| ("the speech alone", clean)));
        let picture = options.path("picture");
        let speech = Curve { name: "speech", values: &output.speech };
        spectrograms(&picture, "Noise removed by RNNoise", &sounds, speech)?;
        println!("picture: {}", picture.display());
        Ok(())
    })
}

/// A sound after a denoiser, and the probability of speech in each frame.
struct Denoised {
    samples: Vec<f32>,
    speech: Vec<f64>,
}

/// Denoises `sound` with the cell and with the crate `nnnoiseless` in turns. Prints their
/// difference and their times. Returns the cell's result.
fn compare(network: &Network, sound: &[f32], passes: usize) -> Denoised {
    let (mut times, mut network_times, mut peer_times) = (vec![], vec![], vec![]);
    let mut results = None;
    for _ in 0..passes {
        let (mut stream, mut state) = (Stream::new(), network.initial_state());
        let ours = denoise(sound, &mut times, |frame| {
            stream.step(frame, |x| {
                let start = Instant::now();
                let output = network.step(x, &mut state);
                network_times.push(start.elapsed());
                output
            })
        });
        let mut peer = DenoiseState::new();
        let theirs = denoise(sound, &mut peer_times, |frame| {
            let mut output = [0.0; FRAME];
            let speech = peer.process_frame(&mut output, &frame.map(|sample| 32768.0 * sample));
            (output.map(|sample| sample / 32768.0), speech)
        });
        results = Some((ours, theirs));
    }
    let (ours, theirs) = results.expect("at least one pass");
    let differences = || ours.samples.iter().zip(&theirs.samples).map(|(a, b)| f64::from(a - b));
    println!(
        "difference from nnnoiseless (full scale: 1): {:.1e} at most, {:.1e} root mean square",
        differences().fold(0.0, |worst, difference| difference.abs().max(worst)),
        (differences().map(|difference| difference * difference).sum::<f64>() / sound.len() as f64).sqrt()
    );
    let microseconds = |times: &[Duration]| 1e6 * median(times).as_secs_f64();
    println!(
        "time per frame of 10 ms: {:.1} us, {:.1} of it in the network; nnnoiseless {:.1} us (medians of {})",
        microseconds(&times),
        microseconds(&network_times),
        microseconds(&peer_times),
        times.len()
    );
    ours
}

/// Passes `sound` to `step` frame by frame, and adds the time of each frame to `times`. A frame of
/// zeros follows the sound, because the output is one frame behind.
fn denoise(
    sound: &[f32],
    times: &mut Vec<Duration>,
    mut step: impl FnMut(&[f32; FRAME]) -> ([f32; FRAME], f32),
) -> Denoised {
    let (mut samples, mut speech) = (vec![], vec![]);
    for chunk in sound.chunks(FRAME).chain([&[][..]]) {
        let mut frame = [0.0; FRAME];
        frame[..chunk.len()].copy_from_slice(chunk);
        let start = Instant::now();
        let (output, probability) = step(&frame);
        times.push(start.elapsed());
        samples.extend(output);
        speech.push(f64::from(probability));
    }
    samples.drain(..FRAME);
    speech.remove(0);
    samples.truncate(sound.len());
    Denoised { samples, speech }
}

/// Adds the noise of a fan, `level` decibels below the speech: air, and the hum of a motor.
fn with_noise(speech: &Sound, level: f64, seed: u64) -> Sound {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut low = 0.0;
    let noise: Vec<f64> = (0..speech.samples.len())
        .map(|n| {
            let air = uniform(&mut rng, -1.0, 1.0);
            low += 0.05 * (air - low);
            let turn = std::f64::consts::TAU * 120.0 * n as f64 / f64::from(RATE);
            low + 0.05 * air + 0.03 * (1..=4).map(|k| (f64::from(k) * turn).sin()).sum::<f64>()
        })
        .collect();
    let energy = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let ratio = energy(&mut speech.samples.iter().map(|&sample| f64::from(sample)))
        / energy(&mut noise.iter().copied());
    let gain = ratio.sqrt() * 10f64.powf(-level / 20.0);
    let samples = speech.samples.iter().zip(&noise).map(|(speech, noise)| speech + (gain * noise) as f32);
    Sound { rate: RATE, samples: samples.collect() }
}

/// Returns the ratio of the speech in `sound` to everything else, in dB, whatever the scale (Le
/// Roux et al. 2019, "SDR: half-baked or well done?", eq. 3).
fn signal_to_noise(sound: &[f32], speech: &[f32]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum() };
    let target = product(sound, speech).powi(2) / product(speech, speech);
    10.0 * (target / (product(sound, sound) - target)).log10()
}
