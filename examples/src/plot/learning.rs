//! Curves of errors in learning side by side.

use super::{Curve, GRID, INK, create_folder, largest, shortest, smallest, text};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const PANEL: (u32, u32) = (560, 340);
const COLOURS: [RGBColor; 5] = [
    RGBColor(31, 97, 176),
    RGBColor(217, 108, 20),
    RGBColor(44, 140, 60),
    RGBColor(148, 103, 189),
    RGBColor(120, 120, 120),
];

/// The curves of one panel; values are spread evenly over the whole of what runs to the right.
#[derive(Debug, Clone, Copy)]
pub struct Learning<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// The curves.
    pub curves: &'a [Curve<'a>],
    /// A thin line: what is reached without learning.
    pub level: f64,
}

/// Draws learning, two a row, each of curves on a logarithmic scale.
pub fn learning(path: &Path, title: &str, learning: &[Learning]) -> Result<(), Box<dyn Error>> {
    create_folder(path)?;
    let rows = learning.len().div_ceil(2);
    let root = SVGBackend::new(path, (2 * PANEL.0 + 20, rows as u32 * PANEL.1 + 50)).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.margin(8, 0, 0, 0).titled(title, text(22))?;
    for (panel, area) in learning.iter().zip(root.split_evenly((rows, 2))) {
        draw(&area, panel)?;
    }
    root.present()?;
    Ok(())
}

fn draw(area: &super::Area, panel: &Learning) -> Result<(), Box<dyn Error>> {
    let lowest = smallest(panel.curves).max(1e-4);
    let highest = largest(panel.curves).max(panel.level);
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .caption(panel.title, text(17))
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..100.0, (0.8 * lowest..1.3 * highest).log_scale())?;
    chart
        .configure_mesh()
        .x_desc("training, %")
        .y_desc("error")
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(14))
        .axis_desc_style(text(15))
        .x_label_formatter(&|share| format!("{share:.0}"))
        .y_label_formatter(&|error| shortest(*error))
        .draw()?;
    let level = [(0.0, panel.level), (100.0, panel.level)];
    chart.draw_series(LineSeries::new(level, INK.mix(0.4).stroke_width(1)))?;
    for (curve, colour) in panel.curves.iter().zip(COLOURS.into_iter().cycle()) {
        let step = 100.0 / (curve.values.len().max(2) - 1) as f64;
        let points = curve.values.iter().enumerate().map(|(k, error)| (step * k as f64, error.max(lowest)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(3)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::MiddleRight)
        .margin(8)
        .legend_area_size(30)
        .background_style(WHITE.mix(0.9))
        .border_style(GRID)
        .label_font(text(14))
        .draw()?;
    Ok(())
}
