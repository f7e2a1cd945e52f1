//! Pictures of sound: the wave, and the output of a network.

use super::style::{
    Area, BLUE, Chart, INK, KEY, LABEL, ORANGE, keys, mesh, picture, shortest, shortest_within, text,
};
use super::{Curve, largest, smallest};
use crate::audio::Sound;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use std::error::Error;
use std::ops::Range;
use std::path::Path;

const HEIGHT: u32 = 460;
/// The number of distinguishable points along a wave.
const COLUMNS: usize = 600;

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
    let seconds = |sample: usize| sample as f64 / f64::from(sound.rate);
    let spans: Vec<_> =
        detection.segments.iter().map(|segment| seconds(segment.start)..seconds(segment.end)).collect();
    picture(path, title, HEIGHT, |area| {
        let (upper, lower) = area.split_vertically(210);
        wave(&upper, sound, &spans)?;
        probabilities(&lower, sound, detection, &spans)
    })
}

/// Draws the probability of speech over the shaded `spans`.
fn probabilities(
    area: &Area,
    sound: &Sound,
    detection: &Detection,
    spans: &[Range<f64>],
) -> Result<(), Box<dyn Error>> {
    let seconds = |sample: usize| sample as f64 / f64::from(sound.rate);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(24)
        .x_label_area_size(54)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..sound.seconds(), 0.0..1.02)?;
    mesh(&mut chart)
        .x_desc("seconds")
        .y_desc("probability")
        .x_labels(6)
        .y_labels(3)
        .x_label_formatter(&|seconds| shortest_within(*seconds, sound.seconds()))
        .y_label_formatter(&|probability| format!("{probability:.1}"))
        .draw()?;
    shade(&mut chart, spans, 0.0..1.02)?;
    for threshold in detection.thresholds {
        let level = [(0.0, f64::from(threshold)), (sound.seconds(), f64::from(threshold))];
        chart.draw_series(DashedLineSeries::new(level, 4, 4, INK.mix(0.5).stroke_width(1)))?;
    }
    // A chunk's probability covers all of its samples, so the curve is a step function.
    let steps = detection.probabilities.iter().enumerate().flat_map(|(index, &probability)| {
        [index, index + 1].map(|edge| (seconds(edge * detection.chunk), f64::from(probability)))
    });
    chart.draw_series(LineSeries::new(steps, ORANGE.stroke_width(2)))?;
    Ok(())
}

/// Draws waves in one chart, and below them an error over the epochs of training on a logarithmic
/// axis, if there is one.
pub fn amplified(
    path: &Path,
    title: &str,
    rate: f64,
    waves: &[Curve],
    error: Option<Curve>,
) -> Result<(), Box<dyn Error>> {
    picture(path, title, HEIGHT, |area| {
        let (legend, area) = area.split_vertically(KEY.0);
        // The amplifier's own wave is broad, so that both waves are visible where the network
        // follows it.
        let mut styles = vec![INK.mix(0.45).stroke_width(2), ORANGE.stroke_width(3)];
        if waves.len() > 2 {
            styles.insert(1, BLUE.mix(0.35).stroke_width(9));
        }
        let waves: Vec<_> = waves.iter().zip(styles).collect();
        keys(&legend.margin(0, 0, 88, 0), 3, waves.iter().map(|(curve, style)| (curve.name, *style)))?;
        let (upper, lower) = area.split_vertically(if error.is_some() { 244 } else { HEIGHT - KEY.0 });
        draw_waves(&upper, rate, &waves)?;
        error.map_or(Ok(()), |error| training(&lower, error))
    })
}

fn draw_waves(area: &Area, rate: f64, waves: &[(&Curve, ShapeStyle)]) -> Result<(), Box<dyn Error>> {
    let curves: Vec<Curve> = waves.iter().map(|(curve, _)| **curve).collect();
    let milliseconds = |sample: usize| 1000.0 * sample as f64 / rate;
    let reach = 1.05 * largest(&curves).max(-smallest(&curves)).max(1e-3);
    let samples = curves.iter().map(|wave| wave.values.len()).max().unwrap_or(0).max(2);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(24)
        .x_label_area_size(54)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..milliseconds(samples - 1), -reach..reach)?;
    mesh(&mut chart)
        .x_desc("milliseconds")
        .y_desc("amplitude")
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|time| shortest_within(*time, milliseconds(samples - 1)))
        .y_label_formatter(&|level| shortest_within(*level, reach))
        .draw()?;
    for (curve, style) in waves {
        let points = curve.values.iter().enumerate().map(|(sample, level)| (milliseconds(sample), *level));
        chart.draw_series(LineSeries::new(points, *style))?;
    }
    Ok(())
}

fn training(area: &Area, error: Curve) -> Result<(), Box<dyn Error>> {
    let (low, high) = (smallest(&[error]).max(1e-6), largest(&[error]).max(1e-5));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_top(0)
        .margin_right(24)
        .caption(error.name, text(LABEL))
        .x_label_area_size(54)
        .y_label_area_size(80)
        .build_cartesian_2d(1.0..error.values.len().max(2) as f64, (0.8 * low..1.3 * high).log_scale())?;
    mesh(&mut chart)
        .x_desc("epochs of the training")
        .x_labels(6)
        .y_labels(3)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|error| shortest(*error))
        .draw()?;
    let points = error.values.iter().enumerate().map(|(epoch, error)| ((epoch + 1) as f64, error.max(low)));
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(3)))?;
    Ok(())
}

/// Draws the wave over the shaded `spans`.
fn wave(area: &Area, sound: &Sound, spans: &[Range<f64>]) -> Result<(), Box<dyn Error>> {
    let reach = sound.samples.iter().fold(0.01_f32, |reach, sample| reach.max(sample.abs()));
    let reach = f64::from(reach) * 1.05;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(24)
        .x_label_area_size(8)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..sound.seconds(), -reach..reach)?;
    mesh(&mut chart)
        .y_desc("amplitude")
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
        let mut samples = vec![0.0; 12_000];
        (samples[4321], samples[11_999]) = (1.0, -1.0);
        let outline = outline(&samples);
        assert_eq!(outline.len(), 2 * COLUMNS);
        assert!(outline.contains(&(4320, 1.0)) && outline.contains(&(11_980, -1.0)));
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
        for words in ["\nspeech\n", "seconds", "probability", "amplitude"] {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
