//! Pictures of attention: accuracies by the length of the source, and alignments as heat maps.

use super::Curve;
use super::style::{Area, BLUE, GRID, ORANGE, blend, canvas, centred_text, legend, mesh, named_line, text};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const WIDTH: u32 = 1160;
const ACCURACIES: u32 = 300;
const LEFT: i32 = 84;
/// The height of a row of a heat map.
const ROW: i32 = 19;
/// The maximal width of a column of a heat map.
const COLUMN: i32 = 24;
/// The top of a heat map, below its caption and the source.
const TOP: i32 = 62;

/// An alignment: the weight of each symbol of the source in each symbol of the result.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// The caption above the heat map.
    pub caption: String,
    /// The source, one symbol per column.
    pub source: Vec<String>,
    /// The result, one symbol per row.
    pub written: Vec<String>,
    /// The weights of each row, from 0 to 1.
    pub weights: Vec<Vec<f64>>,
}

/// Draws accuracies in percent over classes of lengths, and the heat maps below.
pub fn alignments(
    path: &Path,
    title: &str,
    lengths: &[String],
    accuracies: &[Curve],
    alignments: &[Alignment],
) -> Result<(), Box<dyn Error>> {
    let heights =
        alignments.iter().map(|alignment| TOP as u32 + ROW as u32 * alignment.written.len() as u32 + 24);
    let height = 50 + ACCURACIES + heights.clone().sum::<u32>();
    let root = canvas(path, title, (WIDTH, height))?;
    let (upper, mut rest) = root.split_vertically(ACCURACIES);
    draw_accuracies(&upper, lengths, accuracies)?;
    draw_scale(&rest)?;
    for (alignment, height) in alignments.iter().zip(heights) {
        let (area, below) = rest.split_vertically(height);
        draw_alignment(&area, alignment)?;
        rest = below;
    }
    root.present()?;
    Ok(())
}

fn draw_accuracies(area: &Area, lengths: &[String], accuracies: &[Curve]) -> Result<(), Box<dyn Error>> {
    let classes = lengths.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(70)
        .build_cartesian_2d(-0.5..classes - 0.5, 0.0..106.0)?;
    let name = |at: &f64| {
        let class = at.round();
        let whole = (at - class).abs() < 1e-9 && class >= 0.0;
        whole.then(|| lengths.get(class as usize).cloned()).flatten().unwrap_or_default()
    };
    mesh(&mut chart)
        .x_desc("characters of the source")
        .y_desc("dates entirely right")
        .x_labels(2 * lengths.len() + 1)
        .y_labels(6)
        .disable_x_mesh()
        .x_label_formatter(&name)
        .y_label_formatter(&|percent| format!("{percent:.0} %"))
        .draw()?;
    for (curve, colour) in accuracies.iter().zip([BLUE, ORANGE].into_iter().cycle()) {
        let points = || curve.values.iter().enumerate().map(|(class, percent)| (class as f64, *percent));
        named_line(&mut chart, curve.name, points(), colour.stroke_width(2))?;
        chart.draw_series(points().map(|point| Circle::new(point, 4, colour.filled())))?;
    }
    legend(&mut chart, SeriesLabelPosition::LowerLeft)?;
    Ok(())
}

/// Draws the colour scale of the weights, to the right of the first caption.
fn draw_scale(area: &Area) -> Result<(), Box<dyn Error>> {
    const STEPS: i32 = 20;
    const SIDE: i32 = 7;
    let left = WIDTH as i32 - 40 - STEPS * SIDE;
    for step in 0..STEPS {
        let x = left + step * SIDE;
        let colour = blend(BLUE, f64::from(step) / f64::from(STEPS - 1));
        area.draw(&Rectangle::new([(x, 8), (x + SIDE, 22)], colour.filled()))?;
    }
    area.draw(&Text::new("weight", (left - 44, 15), centred_text(14)))?;
    area.draw(&Text::new("0", (left - 10, 15), centred_text(13)))?;
    area.draw(&Text::new("1", (left + STEPS * SIDE + 10, 15), centred_text(13)))?;
    Ok(())
}

fn draw_alignment(area: &Area, alignment: &Alignment) -> Result<(), Box<dyn Error>> {
    let (rows, columns) = (alignment.written.len() as i32, alignment.source.len().max(1) as i32);
    let wide = ((WIDTH as i32 - LEFT - 30) / columns).min(COLUMN);
    area.draw(&Text::new(alignment.caption.clone(), (LEFT, 8), text(16)))?;
    for (column, symbol) in alignment.source.iter().enumerate() {
        let x = LEFT + column as i32 * wide + wide / 2;
        area.draw(&Text::new(symbol.clone(), (x, TOP - 12), centred_text(15)))?;
    }
    for (row, (symbol, weights)) in alignment.written.iter().zip(&alignment.weights).enumerate() {
        let y = TOP + row as i32 * ROW;
        area.draw(&Text::new(symbol.clone(), (LEFT - 18, y + ROW / 2), centred_text(15)))?;
        for (column, weight) in weights.iter().enumerate() {
            let x = LEFT + column as i32 * wide;
            let cell = [(x, y), (x + wide, y + ROW)];
            area.draw(&Rectangle::new(cell, blend(BLUE, weight.clamp(0.0, 1.0)).filled()))?;
            area.draw(&Rectangle::new(cell, GRID.stroke_width(1)))?;
        }
    }
    let upright = centred_text(14).transform(FontTransform::Rotate270);
    area.draw(&Text::new("written", (LEFT - 46, TOP + rows * ROW / 2), upright))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_contains_its_texts() {
        let path = std::env::temp_dir().join(format!("rnn-cell-alignment-{}.svg", std::process::id()));
        let symbols = |text: &str| text.chars().map(String::from).collect();
        let alignment = Alignment {
            caption: "q7 becomes 7".into(),
            source: symbols("q7"),
            written: symbols("7"),
            weights: vec![vec![0.0, 1.0]],
        };
        let accuracies = [
            Curve { name: "with", values: &[100.0, 99.0] },
            Curve { name: "without", values: &[90.0, 50.0] },
        ];
        let lengths = ["1 to 9".into(), "10 to 19".into()];
        alignments(&path, "dates", &lengths, &accuracies, &[alignment]).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let words =
            ["dates", "q7 becomes 7", "with", "without", "1 to 9", "10 to 19", "characters of the source"];
        for words in words.into_iter().chain(["\nq\n", "#1F61B0"]) {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
