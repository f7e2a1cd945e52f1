//! Pictures of a network that recognises symbols in a stream of sound.

use super::Curve;
use super::reading::{RATES, draw_curves, draw_rate};
use super::style::{Area, GRID, INK, LABEL, WIDTH, blend, centred_text, picture, text};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const LEFT: i32 = 60;
/// The height of a spectrum with its caption and its curves.
const HEARD: u32 = 284;
const CAPTION: i32 = 26;
/// The height of a band of a spectrum.
const BAND: i32 = 6;
/// The number of colours.
const SHADES: f64 = 10.0;
/// The number of bands, and of frames, of a spectrum that are drawn as one.
const MERGED: usize = 2;

/// A sound and the classes that a network recognises in it.
#[derive(Debug, Clone)]
pub struct Heard<const N: usize> {
    /// The caption above the spectrum.
    pub caption: String,
    /// The logarithmic spectra of the frames, from the lowest band to the highest.
    pub frames: Vec<[f32; N]>,
    /// The time between two frames in seconds.
    pub hop: f64,
    /// The number of frames of a step of the network.
    pub frames_per_step: usize,
    /// The probabilities of the classes after each step. Class 0 is the blank.
    pub probabilities: Vec<Vec<f64>>,
}

/// Draws some sounds (each spectrum, and under the end of each step the probability of every
/// class), and below them an error rate in percent over the training batches, on a logarithmic
/// axis. `names` are the names of the classes after the blank.
pub fn heard<const N: usize>(
    path: &Path,
    title: &str,
    rate: Curve,
    batches: usize,
    names: &[&str],
    sounds: &[Heard<N>],
) -> Result<(), Box<dyn Error>> {
    let height = HEARD * sounds.len() as u32;
    picture(path, title, height + RATES, |area| {
        let (upper, lower) = area.split_vertically(height);
        // The axes of time are equal.
        let frames = sounds.iter().map(|sound| sound.frames.len()).max().unwrap_or(0).max(1);
        let scale = f64::from(WIDTH as i32 - LEFT - 64) / frames as f64;
        for (sound, area) in sounds.iter().zip(upper.split_evenly((sounds.len().max(1), 1))) {
            draw_sound(&area, names, sound, scale)?;
        }
        draw_rate(&lower, rate, batches)
    })
}

/// Draws a sound; `scale` is the width of a frame.
fn draw_sound<const N: usize>(
    area: &Area,
    names: &[&str],
    sound: &Heard<N>,
    scale: f64,
) -> Result<(), Box<dyn Error>> {
    let x = |frame: usize| LEFT + (scale * frame as f64).round() as i32;
    area.draw(&Text::new(sound.caption.clone(), (LEFT, 2), text(LABEL)))?;
    let values = || sound.frames.iter().flatten().copied();
    let (low, high) = (values().fold(f32::MAX, f32::min), values().fold(f32::MIN, f32::max));
    let rows = N / MERGED;
    let bottom = CAPTION + BAND * rows as i32;
    for row in 0..rows {
        for (column, frames) in sound.frames.chunks(MERGED).enumerate() {
            let part = frames.iter().flat_map(|frame| &frame[row * MERGED..(row + 1) * MERGED]);
            let mean = part.sum::<f32>() / (frames.len() * MERGED) as f32;
            let level = f64::from((mean - low) / (high - low).max(1e-3)).powi(2);
            let colour = blend(INK, (SHADES * level).round() / SHADES);
            let (left, y) = (x(column * MERGED), bottom - BAND * row as i32);
            let right = x(column * MERGED + frames.len());
            area.draw(&Rectangle::new([(left, y - BAND), (right, y)], colour.filled()))?;
        }
    }
    let end = x(sound.frames.len());
    area.draw(&Rectangle::new([(LEFT, CAPTION), (end, bottom)], GRID.stroke_width(1)))?;
    let upright = centred_text(LABEL).transform(FontTransform::Rotate270);
    area.draw(&Text::new("mel bands", (LEFT - 30, (CAPTION + bottom) / 2), upright))?;

    let base = draw_curves(area, names, &sound.probabilities, bottom, end, |step| {
        x((step + 1) * sound.frames_per_step).min(end)
    })?;
    let per_half_second = (0.5 / sound.hop).round() as usize;
    for half in 0..=sound.frames.len() / per_half_second.max(1) {
        let at = (x(half * per_half_second), base + 14);
        let label = format!("{:.1} s", 0.5 * half as f64);
        area.draw(&Text::new(label, at, centred_text(LABEL - 2)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_contains_its_texts() {
        let path = std::env::temp_dir().join(format!("rnn-cell-heard-{}.svg", std::process::id()));
        let sound = Heard {
            caption: "spoken 78, heard 78".into(),
            frames: (0..60).map(|t| [0.1 * t as f32, 1.0, -2.0, 0.0]).collect(),
            hop: 0.01,
            frames_per_step: 20,
            probabilities: vec![vec![0.9, 0.1, 0.0], vec![0.1, 0.8, 0.1], vec![0.2, 0.0, 0.8]],
        };
        let rate = Curve { name: "label error rate", values: &[90.0, 10.0, 2.5] };
        heard(&path, "spoken digits", rate, 300, &["7", "8"], &[sound]).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for words in [
            "spoken digits",
            "spoken 78, heard 78",
            "label error rate",
            "mel bands",
            "0.5 s",
            "\n7\n",
            "\n8\n",
        ] {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
