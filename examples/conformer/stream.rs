//! Recognition while the sound arrives: its delay, its time, its agreement with the whole.

use crate::model::{BLANK, FRAMES, FRAMES_PER_STEP, Listener, Logits, Reads, Recogniser};
use crate::{Tested, digits_of, labels_of};
use examples::audio::Sound;
use examples::report::median;
use examples::spoken::RATE;
use rnn_cell::prelude::*;
use std::time::{Duration, Instant};

/// The number of samples that arrive together: 20 ms.
const BLOCK: usize = RATE as usize / 50;
/// The largest difference between a logit of the stream and of the whole that rounding explains.
const TOLERANCE: f32 = 1e-3;

/// The labels of a stream: the most likely class of each step, without repetitions and blanks.
struct Labels {
    last: u32,
}

impl Labels {
    /// Returns the label that begins with this step.
    fn next(&mut self, logits: &Logits) -> Option<u32> {
        let class = logits.imax() as u32;
        let is_new = class != self.last && class != BLANK;
        self.last = class;
        is_new.then_some(class)
    }
}

/// Returns the sample at which the frames of a step are complete.
fn completed(step: usize) -> usize {
    (step * FRAMES_PER_STEP + FRAMES_PER_STEP - 1) * FRAMES.hop + FRAMES.size
}

/// Streams all strings of the test. Prints the time and the delay.
///
/// # Errors
/// Fails if the logits differ from `wholes`, those of the whole sounds.
pub fn report<U: Reads<1> + Cell<1>>(
    model: &Recogniser<U>,
    test: &[Tested],
    wholes: &[Vec<Logits>],
) -> Result<(), String> {
    let (mut times, mut delays, mut worst) = (Vec::new(), Vec::new(), 0.0_f32);
    let (mut elapsed, mut heard) = (Duration::ZERO, 0);
    for (Tested { spoken, recording }, whole) in test.iter().zip(wholes) {
        let (mut listener, mut labels) = (Listener::new(model), Labels { last: BLANK });
        let (mut logits, mut found, mut last) = (Vec::new(), Vec::new(), 0);
        for block in recording.samples.chunks(BLOCK) {
            let (start, before) = (Instant::now(), logits.len());
            listener.hear(block, |step| {
                if let Some(label) = labels.next(&step) {
                    found.push(label);
                    last = completed(logits.len());
                }
                logits.push(step);
            });
            let time = start.elapsed();
            elapsed += time;
            if logits.len() > before {
                times.push(time);
            }
        }
        heard += recording.samples.len();
        if found == labels_of(&spoken.digits) {
            delays.push(1000.0 * (last as f64 - recording.end as f64) / f64::from(RATE));
        }
        if whole.len() != logits.len() {
            return Err(format!("the stream has {} steps, the whole {}", logits.len(), whole.len()));
        }
        let differences = whole.iter().zip(&logits).map(|(whole, step)| (whole - step).amax());
        worst = differences.fold(worst, f32::max);
    }
    if worst.is_nan() || worst > TOLERANCE {
        return Err(format!("the logits of the stream and of the whole differ by {worst:e}"));
    }
    println!("the logits of the stream and of the whole sound differ by at most {worst:.0e}");
    let seconds = heard as f64 / f64::from(RATE);
    println!(
        "time: {:.0} us (median) for a step of 40 ms; real-time factor {:.4} over {seconds:.0} s of sound",
        1e6 * median(&times).as_secs_f64(),
        elapsed.as_secs_f64() / seconds
    );
    delays.sort_by(f64::total_cmp);
    if let [.., longest] = delays[..] {
        println!(
            "the last digit of a string is recognised {}, at the latest {}",
            beside(delays[delays.len() / 2]),
            beside(longest)
        );
    }
    Ok(())
}

/// Describes a time in milliseconds relative to the end of the speech.
fn beside(delay: f64) -> String {
    let side = if delay < 0.0 { "before" } else { "after" };
    format!("{:.0} ms {side} its end", delay.abs())
}

/// Listens to a sound and prints each digit with its time.
pub fn listen<U: Reads<1> + Cell<1>>(model: &Recogniser<U>, sound: &Sound) {
    let (mut listener, mut labels, mut steps) = (Listener::new(model), Labels { last: BLANK }, 0);
    let mut heard = Vec::new();
    for block in sound.samples.chunks(BLOCK) {
        listener.hear(block, |step| {
            if let Some(label) = labels.next(&step) {
                let seconds = completed(steps) as f64 / f64::from(RATE);
                println!("  {seconds:.2} s: {}", digits_of(&[label]));
                heard.push(label);
            }
            steps += 1;
        });
    }
    println!("heard in {:.2} s of sound: {}", sound.seconds(), digits_of(&heard));
}
