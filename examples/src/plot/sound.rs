//! Pictures of sound: the wave, and the output of a network.

use super::style::{
    Area, BLUE, Chart, INK, ORANGE, canvas, legend, mesh, named_line, shortest, shortest_within,
};
use super::{Curve, largest, smallest};
use crate::audio::Sound;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::error::Error;
use std::ops::Range;
use std::path::Path;

const SIZE: (u32, u32) = (1240, 560);
/// The number of distinguishable points along a wave.
const COLUMNS: usize = 2000;

/// The speech that a network detected in a sound.
#[derive(Debug, Clone, Copy)]
pub struct Detection<'a> {
    /// The probability of speech in each chunk.
    pub probabilities: &'a [f32],
    /// The number of samples per chunk.
    pub chunk: usize,
    /// The probabilities at which speech begins and ends.
    pub thresholds: [f32; 2],
    /// The segments of speech, in samples.
    pub segments: &'a [Range<usize>],
}

/// Draws the wave with the segments of speech behind it, and the probability below.
pub fn speech(path: &Path, title: &str, sound: &Sound, detection: &Detection) -> Result<(), Box<dyn Error>> {
    let root = canvas(path, title, SIZE)?;
    let (upper, lower) = root.split_vertically(270);
    let seconds = |sample: usize| sample as f64 / f64::from(sound.rate);
    let spans: Vec<_> =
        detection.segments.iter().map(|segment| seconds(segment.start)..seconds(segment.end)).collect();
    wave(&upper, sound, &spans)?;

    let mut chart = ChartBuilder::on(&lower)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(74)
        .build_cartesian_2d(0.0..sound.seconds(), 0.0..1.02)?;
    mesh(&mut chart)
        .x_desc("seconds")
        .y_desc("probability of speech")
        .x_label_formatter(&|seconds| shortest_within(*seconds, sound.seconds()))
        .y_label_formatter(&|probability| format!("{probability:.1}"))
        .draw()?;
    shade(&mut chart, &spans, 0.0..1.02)?;
    for threshold in detection.thresholds {
        let level = [(0.0, f64::from(threshold)), (sound.seconds(), f64::from(threshold))];
        chart.draw_series(DashedLineSeries::new(level, 4, 4, INK.mix(0.5).stroke_width(1)))?;
    }
    // A chunk's probability covers all of its samples, so the curve is a step function.
    let steps = detection.probabilities.iter().enumerate().flat_map(|(index, &probability)| {
        [index, index + 1].map(|edge| (seconds(edge * detection.chunk), f64::from(probability)))
    });
    chart.draw_series(LineSeries::new(steps, ORANGE.stroke_width(2)))?;
    root.present()?;
    Ok(())
}

/// Draws waves in one chart, from the sample `first` on, and below them an error over the epochs of
/// training on a logarithmic axis, if there is one.
pub fn amplified(
    path: &Path,
    title: &str,
    rate: f64,
    first: usize,
    waves: &[Curve],
    error: Option<Curve>,
) -> Result<(), Box<dyn Error>> {
    let root = canvas(path, title, SIZE)?;
    let (upper, lower) = root.split_vertically(if error.is_some() { 310 } else { SIZE.1 - 60 });
    let seconds = |sample: usize| (first + sample) as f64 / rate;
    let reach = 1.05 * largest(waves).max(-smallest(waves)).max(1e-3);
    let samples = waves.iter().map(|wave| wave.values.len()).max().unwrap_or(0).max(2);
    let mut chart = ChartBuilder::on(&upper)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(74)
        .build_cartesian_2d(seconds(0)..seconds(samples - 1), -reach..reach)?;
    mesh(&mut chart)
        .x_desc("seconds")
        .y_desc("wave (full scale: 1)")
        .y_labels(5)
        .x_label_formatter(&|seconds| format!("{seconds:.3}"))
        .y_label_formatter(&|level| shortest_within(*level, reach))
        .draw()?;
    // The amplifier's own wave is broad, so that both waves are visible where the network follows
    // it.
    for (curve, (colour, width)) in
        waves.iter().zip([(INK.mix(0.35), 1), (BLUE.mix(0.45), 5), (ORANGE.mix(1.0), 1)])
    {
        let points = curve.values.iter().enumerate().map(|(sample, level)| (seconds(sample), *level));
        named_line(&mut chart, curve.name, points, colour.stroke_width(width))?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)?;

    if let Some(error) = error {
        training(&lower, error)?;
    }
    root.present()?;
    Ok(())
}

fn training(area: &Area, error: Curve) -> Result<(), Box<dyn Error>> {
    let (low, high) = (smallest(&[error]).max(1e-6), largest(&[error]).max(1e-5));
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(74)
        .build_cartesian_2d(1.0..error.values.len().max(2) as f64, (0.8 * low..1.3 * high).log_scale())?;
    mesh(&mut chart)
        .x_desc("epochs")
        .y_desc(error.name)
        .y_labels(5)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|error| shortest(*error))
        .draw()?;
    let points = error.values.iter().enumerate().map(|(epoch, error)| ((epoch + 1) as f64, error.max(low)));
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
    Ok(())
}

/// Draws the wave over the shaded `spans`.
fn wave(area: &Area, sound: &Sound, spans: &[Range<f64>]) -> Result<(), Box<dyn Error>> {
    let reach = sound.samples.iter().fold(0.01_f32, |reach, sample| reach.max(sample.abs()));
    let reach = f64::from(reach) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(8)
        .y_label_area_size(74)
        .build_cartesian_2d(0.0..sound.seconds(), -reach..reach)?;
    mesh(&mut chart)
        .y_desc("wave (full scale: 1)")
        .y_labels(5)
        .x_label_formatter(&|_| String::new())
        .y_label_formatter(&|level| shortest_within(*level, reach))
        .draw()?;
    shade(&mut chart, spans, -reach..reach)?;
    let points = outline(&sound.samples)
        .into_iter()
        .map(|(sample, level)| (sample as f64 / f64::from(sound.rate), f64::from(level)));
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(1)))?;
    Ok(())
}

fn shade<'a, 'p: 'a>(
    chart: &mut Chart<'a, 'p, RangedCoordf64, RangedCoordf64>,
    spans: &[Range<f64>],
    height: Range<f64>,
) -> Result<(), Box<dyn Error>> {
    let boxes = spans.iter().map(|span| {
        Rectangle::new([(span.start, height.start), (span.end, height.end)], ORANGE.mix(0.12).filled())
    });
    chart.draw_series(boxes)?;
    Ok(())
}

/// Returns samples with their positions: all of them if they are few, or else the lowest and the
/// highest of each stretch.
fn outline(samples: &[f32]) -> Vec<(usize, f32)> {
    let stretch = samples.len().div_ceil(COLUMNS);
    if stretch < 3 {
        return samples.iter().copied().enumerate().collect();
    }
    let ends = samples.chunks(stretch).enumerate().flat_map(|(index, samples)| {
        let low = samples.iter().copied().fold(f32::INFINITY, f32::min);
        let high = samples.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        [(index * stretch, low), (index * stretch, high)]
    });
    ends.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_keeps_the_extremes() {
        assert_eq!(outline(&[0.5, -0.5]), [(0, 0.5), (1, -0.5)]);
        let mut samples = vec![0.0; 10_000];
        (samples[4321], samples[9999]) = (1.0, -1.0);
        let outline = outline(&samples);
        assert_eq!(outline.len(), 2 * COLUMNS);
        assert!(outline.contains(&(4320, 1.0)) && outline.contains(&(9995, -1.0)));
    }

    #[test]
    fn a_picture_contains_its_texts() {
        let path = std::env::temp_dir().join(format!("rnn-cell-sound-{}.svg", std::process::id()));
        let samples = (0..5120).map(|n| (0.05 * n as f32).sin()).collect();
        let probabilities = [0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1];
        let detection = Detection {
            probabilities: &probabilities,
            chunk: 512,
            thresholds: [0.5, 0.35],
            segments: std::slice::from_ref(&(32..4576)),
        };
        speech(&path, "speech", &Sound { rate: 16_000, samples }, &detection).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for words in ["\nspeech\n", "seconds", "probability of speech", "wave (full scale: 1)"] {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
