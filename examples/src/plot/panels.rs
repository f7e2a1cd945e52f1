//! Panels of curves, each with a legend below it.

use super::style::{Area, KEY, LABEL, WIDTH, keys, mesh, picture, text};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

/// The height of a chart with its caption.
const CHART: u32 = 270;
/// Colours that are also distinguishable in print (Okabe & Ito 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// A curve of positive values of any magnitude.
#[derive(Debug, Clone)]
pub struct LogCurve {
    /// The name in the legend.
    pub name: String,
    /// Pairs of an argument and the logarithm to base 10 of the value. The curve ends at the first
    /// value that is not finite.
    pub points: Vec<(f64, f64)>,
    /// The index of the colour. Related curves share one.
    pub colour: usize,
    /// True for a thin curve beside a related thick one.
    pub is_thin: bool,
}

/// Curves in one chart, with a logarithmic axis.
#[derive(Debug, Clone)]
pub struct Panel {
    /// The caption above the chart.
    pub caption: String,
    /// The label of the horizontal axis.
    pub x: String,
    /// The curves of the panel.
    pub curves: Vec<LogCurve>,
}

/// Draws a panel, or several in rows of two. An odd last one is as wide as the picture.
pub fn panels(path: &Path, title: &str, panels: &[Panel]) -> Result<(), Box<dyn Error>> {
    let columns = panels.len().min(2);
    let rows = panels.len().div_ceil(2);
    // The entries of the legend in one line.
    let abreast = WIDTH / columns as u32 / KEY.1;
    let entries = panels.iter().map(|panel| (panel.curves.len() as u32).div_ceil(abreast));
    let height = CHART + KEY.0 * entries.max().unwrap_or(0) + 14;
    picture(path, title, height * rows as u32, |area| {
        for (pair, row) in panels.chunks(2).zip(area.split_evenly((rows, 1))) {
            for (panel, area) in pair.iter().zip(row.split_evenly((1, pair.len()))) {
                draw(&area, panel, abreast * columns as u32 / pair.len() as u32)?;
            }
        }
        Ok(())
    })
}

fn draw(area: &Area, panel: &Panel, abreast: u32) -> Result<(), Box<dyn Error>> {
    let (upper, lower) = area.split_vertically(CHART);
    let points = |curve: &LogCurve| -> Vec<(f64, f64)> {
        curve.points.iter().copied().take_while(|(_, y)| y.is_finite()).collect()
    };
    let all: Vec<(f64, f64)> = panel.curves.iter().flat_map(points).collect();
    let range = |get: fn(&(f64, f64)) -> f64| {
        let values = all.iter().map(get);
        (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max))
    };
    let ((first, last), (low, high)) = (range(|point| point.0), range(|point| point.1));
    // A single point also needs a range.
    let last = if last > first { last } else { first + 1.0 };
    let margin = (0.04 * (high - low)).max(0.1);
    let mut chart = ChartBuilder::on(&upper)
        .margin(8)
        .margin_right(20)
        .caption(&panel.caption, text(LABEL))
        .x_label_area_size(54)
        .y_label_area_size(66)
        .build_cartesian_2d(first..last, low - margin..high + margin)?;
    mesh(&mut chart)
        .x_desc(&panel.x)
        .x_labels(6)
        .y_labels(if high - low > 3.0 { 6 } else { 4 })
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| power_of_ten(*y))
        .draw()?;
    let style = |curve: &LogCurve| {
        COLOURS[curve.colour % COLOURS.len()].stroke_width(if curve.is_thin { 2 } else { 4 })
    };
    for curve in &panel.curves {
        let points = points(curve);
        if let [point] = points[..] {
            chart.draw_series([Circle::new(point, 6, style(curve).filled())])?;
        }
        chart.draw_series(LineSeries::new(points, style(curve)))?;
    }
    keys(&lower, abreast, panel.curves.iter().map(|curve| (curve.name.as_str(), style(curve))))
}

/// Returns the number with the given logarithm as text: `10⁻²`, `0.5`, `30`.
fn power_of_ten(logarithm: f64) -> String {
    if (logarithm - logarithm.round()).abs() > 1e-6 {
        let value = 10f64.powf(logarithm);
        let digits = (1.0 - logarithm.floor()).max(0.0) as usize;
        return format!("{value:.digits$}");
    }
    let exponent = format!("{:.0}", logarithm.round() + 0.0);
    let raised: String = exponent
        .chars()
        .filter_map(|digit| match digit {
            '-' => Some('⁻'),
            _ => "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().nth(digit.to_digit(10)? as usize),
        })
        .collect();
    format!("10{raised}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_ten_are_written_with_exponents() {
        assert_eq!([0.0, -0.0, 1.0, -12.0, 30.0].map(power_of_ten), ["10⁰", "10⁰", "10¹", "10⁻¹²", "10³⁰"]);
        assert_eq!([0.5, -0.5, -1.5].map(power_of_ten), ["3.2", "0.32", "0.032"]);
    }

    #[test]
    fn panels_contain_their_texts() {
        let folder = std::env::temp_dir().join(format!("rnn-cell-panels-{}", std::process::id()));
        let path = folder.join("panels.svg");
        let curve = LogCurve {
            name: "exploding".into(),
            points: vec![(0.0, -30.0), (50.0, 2.0), (60.0, f64::INFINITY), (70.0, 900.0)],
            colour: 1,
            is_thin: false,
        };
        let panel = Panel {
            caption: "a caption".into(),
            x: "steps back".into(),
            curves: vec![
                curve.clone(),
                LogCurve { name: "one point".into(), points: vec![(0.0, 0.0)], ..curve },
            ],
        };
        panels(&path, "a title", &vec![panel; 3]).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        for words in ["a title", "a caption", "steps back", "exploding", "10⁻³⁰"] {
            assert!(picture.contains(words), "{words}");
        }
        assert!(!picture.contains("10⁹⁰⁰") && !picture.contains("NaN"));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
