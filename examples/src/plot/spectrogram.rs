//! Spectrograms, one below the other.

use super::Curve;
use super::style::{Area, BLUE, LABEL, ORANGE, blend, mesh, picture, shortest_within, text};
use crate::audio::Sound;
use plotters::prelude::*;
use realfft::RealFftPlanner;
use std::error::Error;
use std::f64::consts::PI;
use std::path::Path;

/// The highest frequency that is drawn, in Hz.
const HIGHEST: f64 = 12_000.0;
/// The distance of the windows, in seconds. Each is twice as long.
const HOP: f64 = 0.02;
/// The quietest level that is drawn, relative to the loudest, in dB.
const FLOOR: f64 = -70.0;
/// The number of colours.
const SHADES: f64 = 8.0;

/// Draws the spectrograms of sounds of one rate, and below them a curve with values from 0 to 1
/// whose points are evenly spaced in time. A colour has the same level in all of them.
pub fn spectrograms(
    path: &Path,
    title: &str,
    sounds: &[(&str, &Sound)],
    curve: Curve,
) -> Result<(), Box<dyn Error>> {
    const HEIGHT: u32 = 134;
    let spectra: Vec<Vec<Vec<f64>>> = sounds.iter().map(|(_, sound)| spectra(sound)).collect();
    let loudest = spectra.iter().flatten().flatten().copied().fold(1e-12, f64::max);
    let seconds = sounds.iter().map(|(_, sound)| sound.seconds()).fold(0.0, f64::max);
    picture(path, title, HEIGHT * sounds.len() as u32 + 150, |area| {
        let mut rest = area.clone();
        for ((name, _), spectra) in sounds.iter().zip(&spectra) {
            let (area, below) = rest.split_vertically(HEIGHT);
            draw(&area, name, spectra, loudest, seconds)?;
            rest = below;
        }
        draw_curve(&rest, curve, seconds)
    })
}

fn draw_curve(area: &Area, curve: Curve, seconds: f64) -> Result<(), Box<dyn Error>> {
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(16)
        .x_label_area_size(54)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..seconds, 0.0..1.02)?;
    mesh(&mut chart)
        .x_desc("seconds")
        .y_desc(curve.name)
        .x_labels(6)
        .y_labels(3)
        .x_label_formatter(&|time| shortest_within(*time, seconds))
        .y_label_formatter(&|value| format!("{value:.1}"))
        .draw()?;
    let spacing = seconds / curve.values.len().max(1) as f64;
    let points = curve.values.iter().enumerate().map(|(index, value)| (index as f64 * spacing, *value));
    chart.draw_series(LineSeries::new(points, ORANGE.stroke_width(2)))?;
    Ok(())
}

fn draw(
    area: &Area,
    name: &str,
    spectra: &[Vec<f64>],
    loudest: f64,
    seconds: f64,
) -> Result<(), Box<dyn Error>> {
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(16)
        .margin_top(0)
        .margin_bottom(0)
        .caption(name, text(LABEL))
        .x_label_area_size(8)
        .y_label_area_size(76)
        .build_cartesian_2d(0.0..seconds, 0.0..HIGHEST)?;
    let shade = |power: f64| {
        let level = 10.0 * (power / loudest).max(1e-30).log10();
        (SHADES * (1.0 - level / FLOOR).max(0.0)).floor()
    };
    let rows = spectra.first().map_or(0, Vec::len);
    for row in 0..rows {
        // Neighbours of one colour are one rectangle.
        let shades: Vec<f64> = spectra.iter().map(|spectrum| shade(spectrum[row])).collect();
        let mut column = 0;
        for run in shades.chunk_by(|a, b| a == b) {
            let (from, to) = (HOP * column as f64, HOP * (column + run.len()) as f64);
            column += run.len();
            if run[0] > 0.0 {
                let [low, high] = [row, row + 1].map(|row| HIGHEST * row as f64 / rows as f64);
                let colour = blend(BLUE, run[0] / SHADES);
                chart
                    .draw_series([Rectangle::new([(from, low), (to.min(seconds), high)], colour.filled())])?;
            }
        }
    }
    mesh(&mut chart)
        .disable_mesh()
        .y_desc("kHz")
        .y_labels(3)
        .x_label_formatter(&|_| String::new())
        .y_label_formatter(&|frequency| format!("{:.0}", frequency / 1000.0))
        .draw()?;
    Ok(())
}

/// Returns the power of each band of 300 Hz, for each hop.
fn spectra(sound: &Sound) -> Vec<Vec<f64>> {
    let hop = (HOP * f64::from(sound.rate)) as usize;
    let transform = RealFftPlanner::<f64>::new().plan_fft_forward(2 * hop);
    let (mut wave, mut bins) = (transform.make_input_vec(), transform.make_output_vec());
    // A bin is 25 Hz wide.
    let shown = (HIGHEST * 2.0 * HOP) as usize;
    (0..sound.samples.len().div_ceil(hop))
        .map(|index| {
            for (n, sample) in wave.iter_mut().enumerate() {
                let value = sound.samples.get(index * hop + n).copied().unwrap_or(0.0);
                let sine = (PI * (n as f64 + 0.5) / (2 * hop) as f64).sin();
                *sample = f64::from(value) * sine * sine;
            }
            transform.process(&mut wave, &mut bins).expect("the lengths are those of the transform");
            bins[..shown.min(bins.len())]
                .chunks(12)
                .map(|bins| bins.iter().map(|bin| bin.norm_sqr()).sum())
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_in_its_band() {
        let samples = (0..4800).map(|n| (2.0 * PI * 1000.0 * f64::from(n) / 48_000.0).sin() as f32).collect();
        let spectra = spectra(&Sound { rate: 48_000, samples });
        assert_eq!(spectra.len(), 5);
        assert!(spectra.iter().all(|spectrum| spectrum.len() == 40));
        let loudest = spectra[2].iter().copied().fold(0.0, f64::max);
        // Band 3 covers 900 to 1200 Hz.
        assert_eq!(spectra[2].iter().position(|power| *power == loudest), Some(3));
        assert!(spectra[2][6] < 1e-6 * loudest);
    }

    #[test]
    fn a_picture_contains_its_texts() {
        let path = std::env::temp_dir().join(format!("rnn-cell-spectrogram-{}.svg", std::process::id()));
        let sound = Sound { rate: 48_000, samples: (0..9600).map(|n| (0.05 * n as f32).sin()).collect() };
        let curve = Curve { name: "probability of speech", values: &[0.0, 0.5, 1.0] };
        spectrograms(&path, "noise", &[("before", &sound), ("after", &sound)], curve).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for words in ["\nnoise\n", "\nbefore\n", "\nafter\n", "seconds", "kHz", "probability of speech"] {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
