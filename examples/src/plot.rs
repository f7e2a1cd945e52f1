//! Pictures as SVG, in which text remains text.

mod alignment;
mod bars;
mod compact;
mod heard;
mod panels;
mod reading;
mod sound;
mod spectrogram;
mod style;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;
use style::{
    Area, BLUE, GRID, INK, KEY, LABEL, ORANGE, blend, centred_text, keys, legend, mesh, named_line, picture,
    shortest, text,
};

pub use alignment::{Alignment, alignments};
pub use bars::{Bars, bars};
pub use heard::{Heard, heard};
pub use panels::{LogCurve, Panel, panels};
pub use reading::{Reading, readings};
pub use sound::{Detection, amplified, speech};
pub use spectrogram::spectrograms;

/// One curve of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// The name in the legend.
    pub name: &'a str,
    /// The values at 0, 1, 2, ..
    pub values: &'a [f64],
}

/// Draws a logarithmic loss curve for every entry of `losses`, beside a confusion matrix.
///
/// `confusion[truth][prediction]` counts test samples. Classes are numbered from 1 in the picture.
pub fn loss_and_confusion<const N: usize>(
    path: &Path,
    title: &str,
    losses: &[(&str, Vec<f64>)],
    confusion: &[[usize; N]; N],
) -> Result<(), Box<dyn Error>> {
    picture(path, title, 452, |area| {
        let (left, right) = area.split_horizontally(314);
        draw_losses(&left, losses)?;
        draw_confusion(&right, confusion)
    })
}

fn draw_losses(area: &Area, losses: &[(&str, Vec<f64>)]) -> Result<(), Box<dyn Error>> {
    let losses: Vec<Curve> = losses.iter().map(|(name, values)| Curve { name, values }).collect();
    let losses = &*losses;
    let lowest = smallest(losses).max(1e-6);
    let highest = largest(losses).max(lowest * 10.0);
    let epochs = losses.iter().map(|curve| curve.values.len()).max().unwrap_or(1).max(2);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .caption("cross-entropy per sample", text(LABEL))
        .x_label_area_size(54)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..(epochs - 1) as f64, (lowest * 0.8..highest * 1.2).log_scale())?;
    mesh(&mut chart)
        .x_desc("epoch")
        .x_labels(5)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|loss| shortest(*loss))
        .draw()?;
    for (curve, colour) in losses.iter().zip([BLUE, ORANGE].into_iter().cycle()) {
        let points = curve.values.iter().enumerate().map(|(epoch, loss)| (epoch as f64, loss.max(lowest)));
        named_line(&mut chart, curve.name, points, colour.stroke_width(2))?;
    }
    legend(&mut chart, SeriesLabelPosition::UpperRight)
}

fn draw_confusion<const N: usize>(area: &Area, confusion: &[[usize; N]; N]) -> Result<(), Box<dyn Error>> {
    const LEFT: i32 = 56;
    const TOP: i32 = 40;
    let (width, height) = area.dim_in_pixel();
    let side = ((width as i32 - LEFT - 12).min(height as i32 - TOP - 62)) / N as i32;
    let centred = text(LABEL - 2).pos(Pos::new(HPos::Center, VPos::Center));
    let middle = side * N as i32 / 2;
    area.draw(&Text::new("test utterances", (LEFT + middle, 22), centred_text(LABEL)))?;
    for (row, counts) in confusion.iter().enumerate() {
        let total = counts.iter().sum::<usize>().max(1);
        let top = TOP + row as i32 * side;
        for (column, &count) in counts.iter().enumerate() {
            let left = LEFT + column as i32 * side;
            let share = count as f64 / total as f64;
            let colour = if row == column { BLUE } else { ORANGE };
            // A single mistake must be visible, so small shares are not drawn in proportion.
            let strength = if count == 0 { 0.0 } else { 0.2 + 0.8 * share };
            let cell = [(left, top), (left + side, top + side)];
            if count > 0 {
                area.draw(&Rectangle::new(cell, blend(colour, strength).filled()))?;
            }
            area.draw(&Rectangle::new(cell, GRID.stroke_width(1)))?;
            if count > 0 {
                let ink = if strength > 0.55 { WHITE } else { INK };
                let at = (left + side / 2, top + side / 2);
                area.draw(&Text::new(count.to_string(), at, centred.clone().color(&ink)))?;
            }
        }
        let number = (row + 1).to_string();
        area.draw(&Text::new(number.clone(), (LEFT - 14, top + side / 2), centred.clone()))?;
        let below = TOP + N as i32 * side + 16;
        area.draw(&Text::new(number, (LEFT + row as i32 * side + side / 2, below), centred.clone()))?;
    }
    let below = TOP + N as i32 * side + 40;
    area.draw(&Text::new("recognised as", (LEFT + middle, below), centred.clone()))?;
    let upright = centred.transform(FontTransform::Rotate270);
    area.draw(&Text::new("speaker", (18, TOP + middle), upright))?;
    Ok(())
}

/// Draws `truth` and `forecast` in one chart from step `first` on, and the error of the forecast
/// below.
pub fn forecast(
    path: &Path,
    title: &str,
    first: usize,
    truth: Curve,
    forecast: Curve,
) -> Result<(), Box<dyn Error>> {
    picture(path, title, 440, |area| {
        let (legend, area) = area.split_vertically(KEY.0);
        let curves = [(truth, INK.mix(0.35).stroke_width(5)), (forecast, ORANGE.stroke_width(2))];
        keys(&legend.margin(0, 0, 84, 0), 2, curves.iter().map(|(curve, style)| (curve.name, *style)))?;
        let (upper, lower) = area.split_vertically(240);
        draw_forecast(&upper, first, &curves)?;
        draw_errors(&lower, first, truth, forecast)
    })
}

fn draw_forecast(area: &Area, first: usize, curves: &[(Curve, ShapeStyle); 2]) -> Result<(), Box<dyn Error>> {
    let both = curves.map(|(curve, _)| curve);
    let last = (first + both[0].values.len().max(2) - 1) as f64;
    let (low, high) = (smallest(&both), largest(&both));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(26)
        .y_label_area_size(76)
        .build_cartesian_2d(first as f64..last, low..high + 0.05 * (high - low))?;
    mesh(&mut chart)
        .y_desc("intensity")
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|step| format!("{step:.0}"))
        .y_label_formatter(&|intensity| format!("{intensity:.0}"))
        .draw()?;
    for (curve, style) in curves {
        let points = curve.values.iter().enumerate().map(|(step, value)| ((first + step) as f64, *value));
        chart.draw_series(LineSeries::new(points, *style))?;
    }
    Ok(())
}

fn draw_errors(area: &Area, first: usize, truth: Curve, forecast: Curve) -> Result<(), Box<dyn Error>> {
    let last = (first + truth.values.len().max(2) - 1) as f64;
    let errors: Vec<f64> =
        truth.values.iter().zip(forecast.values).map(|(truth, guess)| guess - truth).collect();
    let reach = errors.iter().fold(1.0_f64, |reach, error| reach.max(error.abs()));
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(54)
        .y_label_area_size(76)
        .build_cartesian_2d(first as f64..last, -reach..reach)?;
    mesh(&mut chart)
        .x_desc("sample")
        .y_desc("error")
        .x_labels(6)
        .y_labels(5)
        .y_label_formatter(&|error| format!("{}", (error * 10.0).round() / 10.0))
        .x_label_formatter(&|step| format!("{step:.0}"))
        .draw()?;
    let points = errors.iter().enumerate().map(|(step, error)| ((first + step) as f64, *error));
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
    Ok(())
}

fn smallest(curves: &[Curve]) -> f64 {
    curves.iter().flat_map(|curve| curve.values).copied().fold(f64::INFINITY, f64::min)
}

fn largest(curves: &[Curve]) -> f64 {
    curves.iter().flat_map(|curve| curve.values).copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_contain_their_texts() {
        let folder = std::env::temp_dir().join(format!("rnn-cell-plot-{}", std::process::id()));
        let (train, test): (Vec<f64>, Vec<f64>) =
            (0..50).map(|i| (2.0 * (-0.1 * f64::from(i)).exp(), 2.0 * (-0.05 * f64::from(i)).exp())).unzip();
        let losses = [("training", train.clone()), ("test", test.clone())];
        let mut confusion = [[0; 9]; 9];
        (0..9).for_each(|i| confusion[i][i] = 30 + i);
        confusion[2][7] = 1;
        let path = folder.join("sub").join("vowels.svg");
        loss_and_confusion(&path, "Japanese vowels", &losses, &confusion).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        for words in ["Japanese vowels", "training", "recognised as", "epoch", "38"] {
            assert!(picture.contains(words), "{words}");
        }
        let path = folder.join("laser.svg");
        let curves = [Curve { name: "truth", values: &train }, Curve { name: "forecast", values: &test }];
        forecast(&path, "laser", 1000, curves[0], curves[1]).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        assert!(picture.contains("error") && picture.contains("1010"), "{picture}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
