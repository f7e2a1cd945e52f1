//! Detects speech in a sound file with Silero VAD, a published network. Its LSTM is a cell of this
//! library, and its weights are loaded from its safetensors file. The sound is streamed, 32 ms at a
//! time, as on a device.
//!
//! ```text
//! cargo run --release --example voice_activity
//! cargo run --release --example voice_activity -- FILE.wav --csv probabilities.csv
//! ```

use examples::audio;
use examples::options::{OFF, Options};
use examples::plot::{Detection, speech};
use examples::report::{median, run};
use examples::silero::{CHUNK, Hysteresis, RATE, Vad, WEIGHTS, segments};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The number of passes over the sound when the time is measured.
const PASSES: usize = 15;

fn main() -> ExitCode {
    run(|| {
        let options = Options::read_with_operand(
            "Detects speech in a sound file.",
            ("FILE.wav", "a WAV file of 16 kHz; several channels are averaged [a shipped recording]"),
            &[
                ("threshold", "0.5", "the probability at which speech begins"),
                ("weights", "", "Silero's weights, a safetensors file [the shipped ones]"),
                ("csv", "", "a file with one line per chunk: start and end in seconds, probability"),
                ("picture", "target/voice_activity.svg", "the file of the picture"),
                ("quick", OFF, "a single pass over the sound, with a rough time"),
            ],
        )?;
        let threshold: f32 = options.get("threshold")?;
        if !(0.0..=1.0).contains(&threshold) {
            return Err(format!("`--threshold {threshold}`: expected a probability from 0 to 1").into());
        }
        let shipped = options.path("data").join("silero");
        let path = options.operand().map_or(shipped.join("speech.wav"), Path::to_path_buf);
        let sound = audio::read_at(&path, RATE)?;
        if sound.samples.len() < CHUNK {
            let (path, samples) = (path.display(), sound.samples.len());
            return Err(format!(
                "the sound file {path}: has {samples} samples, less than a chunk of {CHUNK}"
            )
            .into());
        }
        let weights = match options.path("weights") {
            path if path.as_os_str().is_empty() => shipped.join(WEIGHTS),
            path => path,
        };
        let fault = |cause: &dyn std::fmt::Display| format!("the weights {}: {cause}", weights.display());
        let vad =
            Vad::load(&fs::read(&weights).map_err(|cause| fault(&cause))?).map_err(|cause| fault(&cause))?;

        let (chunks, rest) = sound.samples.as_chunks::<CHUNK>();
        println!(
            "{}: {:.2} s, {} chunks of {CHUNK} samples{}",
            path.display(),
            sound.seconds(),
            chunks.len(),
            match rest.len() {
                0 => String::new(),
                rest => format!("; the last {rest} samples are less than a chunk and are ignored"),
            }
        );
        let (probabilities, times) = detect(&vad, chunks, if options.flag("quick") { 1 } else { PASSES });
        let rule = Hysteresis::new(threshold);
        let found = segments(&probabilities, sound.samples.len(), &rule);
        let seconds = |sample: usize| sample as f64 / f64::from(RATE);
        for segment in &found {
            println!("speech from {:.2} to {:.2} s", seconds(segment.start), seconds(segment.end));
        }
        if found.is_empty() {
            println!("no speech");
        }
        report(&times);

        let csv = options.path("csv");
        if !csv.as_os_str().is_empty() {
            let lines = probabilities.iter().enumerate().map(|(index, probability)| {
                let [start, end] = [index, index + 1].map(|edge| seconds(edge * CHUNK));
                format!("{start:.3},{end:.3},{probability}\n")
            });
            let text: String = ["start,end,probability\n".to_string()].into_iter().chain(lines).collect();
            fs::write(&csv, text).map_err(|cause| format!("{}: {cause}", csv.display()))?;
            println!("probabilities: {}", csv.display());
        }
        let picture = options.path("picture");
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let detection = Detection {
            probabilities: &probabilities,
            chunk: CHUNK,
            thresholds: [rule.threshold, rule.end_threshold],
            segments: &found,
        };
        speech(&picture, &format!("Speech in {name}, detected by Silero VAD"), &sound, &detection)?;
        println!("picture: {}", picture.display());
        Ok(())
    })
}

/// Computes the probability of every chunk and measures the time of each, in `passes` passes over
/// the sound.
fn detect(vad: &Vad, chunks: &[[f32; CHUNK]], passes: usize) -> (Vec<f32>, Vec<Duration>) {
    let mut probabilities = Vec::with_capacity(chunks.len());
    let mut times = Vec::with_capacity(passes * chunks.len());
    for _ in 0..passes {
        let mut stream = vad.stream();
        probabilities.clear();
        for chunk in chunks {
            let start = Instant::now();
            probabilities.push(vad.step(chunk, &mut stream));
            times.push(start.elapsed());
        }
    }
    (probabilities, times)
}

fn report(times: &[Duration]) {
    let median = median(times).as_secs_f64();
    let slowest = times.iter().max().copied().unwrap_or_default().as_secs_f64();
    let length = CHUNK as f64 / f64::from(RATE);
    println!(
        "real-time factor {:.5}: {:.1} us per chunk of {:.0} ms (median of {}; the slowest took {:.1} us)",
        median / length,
        1e6 * median,
        1e3 * length,
        times.len(),
        1e6 * slowest
    );
}
