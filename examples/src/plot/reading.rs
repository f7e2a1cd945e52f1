//! Pictures of a network that reads an image column by column.

use super::Curve;
use super::style::{Area, BLUE, GRID, INK, LABEL, WIDTH, blend, centred_text, mesh, picture, shortest, text};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const LEFT: i32 = 60;
/// The height of the error rate.
pub(super) const RATES: u32 = 196;
/// The height of a reading with its caption, image and curves.
const READING: u32 = 270;
const CAPTION: i32 = 26;
const CURVES: i32 = 84;
/// One colour per class after the blank, distinguishable side by side (Tableau's ten).
const COLOURS: [RGBColor; 10] = [
    RGBColor(31, 119, 180),
    RGBColor(255, 127, 14),
    RGBColor(44, 160, 44),
    RGBColor(214, 39, 40),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(227, 119, 194),
    RGBColor(110, 110, 110),
    RGBColor(188, 189, 34),
    RGBColor(23, 190, 207),
];

/// An image and the classes that a network reads in it.
#[derive(Debug, Clone)]
pub struct Reading<const H: usize> {
    /// The caption above the image.
    pub caption: String,
    /// The ink of each column, from top to bottom, 0 to 1.
    pub columns: Vec<[f32; H]>,
    /// The probabilities of the classes at each column. Class 0 is the blank.
    pub probabilities: Vec<Vec<f64>>,
}

/// Draws some readings (each image, and under each of its columns the probability of every class),
/// and below them an error rate in percent over the training batches, on a logarithmic axis.
/// `names` are the names of the classes after the blank.
pub fn readings<const H: usize>(
    path: &Path,
    title: &str,
    rate: Curve,
    batches: usize,
    names: &[&str],
    readings: &[Reading<H>],
) -> Result<(), Box<dyn Error>> {
    let height = READING * readings.len() as u32;
    picture(path, title, height + RATES, |area| {
        let (upper, lower) = area.split_vertically(height);
        for (reading, area) in readings.iter().zip(upper.split_evenly((readings.len().max(1), 1))) {
            draw_reading(&area, names, reading)?;
        }
        draw_rate(&lower, rate, batches)
    })
}

pub(super) fn draw_rate(area: &Area, rate: Curve, batches: usize) -> Result<(), Box<dyn Error>> {
    let lowest = rate.values.iter().copied().fold(100.0, f64::min).max(0.1);
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(26)
        .caption(rate.name, text(LABEL))
        .x_label_area_size(54)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..batches as f64, (0.8 * lowest..120.0).log_scale())?;
    mesh(&mut chart)
        .x_desc("batches of the training")
        .x_labels(6)
        .y_labels(4)
        .x_label_formatter(&|batch| format!("{batch:.0}"))
        .y_label_formatter(&|rate| format!("{} %", shortest(*rate)))
        .draw()?;
    let every = batches as f64 / rate.values.len().max(1) as f64;
    let points = rate.values.iter().enumerate().map(|(i, rate)| ((i + 1) as f64 * every, rate.max(lowest)));
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(3)))?;
    Ok(())
}

fn draw_reading<const H: usize>(
    area: &Area,
    names: &[&str],
    reading: &Reading<H>,
) -> Result<(), Box<dyn Error>> {
    let steps = reading.columns.len().max(1) as i32;
    let side = ((WIDTH as i32 - LEFT - 64) / steps).clamp(1, 16);
    area.draw(&Text::new(reading.caption.clone(), (LEFT, 2), text(LABEL)))?;
    for (t, column) in reading.columns.iter().enumerate() {
        for (y, ink) in column.iter().enumerate().filter(|(_, ink)| **ink > 0.0) {
            let (x, y) = (LEFT + t as i32 * side, CAPTION + y as i32 * side);
            let colour = blend(INK, f64::from(ink.clamp(0.0, 1.0)));
            area.draw(&Rectangle::new([(x, y), (x + side, y + side)], colour.filled()))?;
        }
    }
    let top = CAPTION + H as i32 * side;
    area.draw(&Rectangle::new([(LEFT, CAPTION), (LEFT + steps * side, top)], GRID.stroke_width(1)))?;

    draw_curves(area, names, &reading.probabilities, top, LEFT + steps * side, |t| {
        LEFT + t as i32 * side + side / 2
    })?;
    Ok(())
}

/// Draws the probabilities of the classes over time, below `top` and up to `right`; `at` is the
/// place of a step. Returns the lower end.
pub(super) fn draw_curves(
    area: &Area,
    names: &[&str],
    probabilities: &[Vec<f64>],
    top: i32,
    right: i32,
    at: impl Fn(usize) -> i32,
) -> Result<i32, Box<dyn Error>> {
    // The names of the peaks are above the curves.
    let (full, base) = (top + 26, top + 26 + CURVES);
    for (level, label) in [(full, "1"), (base, "0")] {
        area.draw(&PathElement::new([(LEFT, level), (right, level)], GRID.stroke_width(1)))?;
        area.draw(&Text::new(label, (LEFT - 14, level), centred_text(LABEL - 2)))?;
    }
    let upright = centred_text(LABEL).transform(FontTransform::Rotate270);
    area.draw(&Text::new("probability", (LEFT - 40, (full + base) / 2), upright))?;
    let point = |t: usize, p: f64| (at(t), base - (p * f64::from(CURVES)).round() as i32);
    for class in 0..=names.len() {
        let points = probabilities.iter().enumerate().map(|(t, p)| point(t, p[class]));
        if class == 0 {
            area.draw(&PathElement::new(points.collect::<Vec<_>>(), INK.mix(0.3).stroke_width(2)))?;
            continue;
        }
        let colour = COLOURS[(class - 1) % COLOURS.len()];
        area.draw(&PathElement::new(points.collect::<Vec<_>>(), colour.stroke_width(3)))?;
        for t in peaks(probabilities, class) {
            let name = Text::new(names[class - 1], (at(t), top + 13), centred_text(22).color(&colour));
            area.draw(&name)?;
        }
    }
    area.draw(&Text::new("blank", (right + 6, full - 8), text(LABEL - 2).color(&INK.mix(0.6))))?;
    Ok(base)
}

/// Returns the columns in which a class is the most likely. In each run of such columns, only the
/// column with the highest probability counts.
fn peaks(probabilities: &[Vec<f64>], class: usize) -> Vec<usize> {
    let leads = |t: usize| probabilities[t].iter().all(|p| *p <= probabilities[t][class]);
    let mut peaks: Vec<usize> = Vec::new();
    for t in (0..probabilities.len()).filter(|&t| leads(t)) {
        match peaks.last_mut().filter(|_| t > 0 && leads(t - 1)) {
            Some(peak) if probabilities[t][class] > probabilities[*peak][class] => *peak = t,
            Some(_) => {}
            None => peaks.push(t),
        }
    }
    peaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_columns_has_one_peak() {
        let p = [0.9, 0.2, 0.3, 0.1, 0.2, 0.4].map(|p| vec![p, 1.0 - p]);
        assert_eq!(peaks(&p, 0), [0]);
        assert_eq!(peaks(&p, 1), [3]);
    }

    #[test]
    fn a_picture_contains_its_texts() {
        let path = std::env::temp_dir().join(format!("rnn-cell-reading-{}.svg", std::process::id()));
        let probabilities = vec![vec![0.9, 0.1, 0.0], vec![0.1, 0.8, 0.1], vec![0.2, 0.0, 0.8]];
        let reading = Reading {
            caption: "written 78, read 78".into(),
            columns: vec![[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]],
            probabilities,
        };
        let rate = Curve { name: "label error rate", values: &[90.0, 10.0, 2.5] };
        readings(&path, "digits", rate, 300, &["7", "8"], &[reading]).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for words in ["digits", "written 78, read 78", "label error rate", "probability", "\n7\n", "\n8\n"] {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
