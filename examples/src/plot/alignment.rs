//! Pictures of attention: accuracies by the length of the source, and alignments as heat maps.

use super::Curve;
use super::style::{
    Area, BLUE, GRID, LABEL, ORANGE, WIDTH, blend, centred_text, legend, mesh, named_line, picture, text,
};
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const ACCURACIES: u32 = 244;
const LEFT: i32 = 74;
/// The height of a row of a heat map.
const ROW: i32 = 17;
/// The maximal width of a column of a heat map.
const COLUMN: i32 = 24;
/// The top of a heat map, below its caption and the source.
const TOP: i32 = 54;

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

/// Draws the heat maps, and below them accuracies in percent over classes of lengths.
pub fn alignments(
    path: &Path,
    title: &str,
    lengths: &[String],
    accuracies: &[Curve],
    alignments: &[Alignment],
) -> Result<(), Box<dyn Error>> {
    let heights =
        alignments.iter().map(|alignment| TOP as u32 + ROW as u32 * alignment.written.len() as u32 + 24);
    picture(path, title, ACCURACIES + heights.clone().sum::<u32>(), |area| {
        let mut rest = area.clone();
        for (alignment, height) in alignments.iter().zip(heights) {
            let (area, below) = rest.split_vertically(height);
            draw_alignment(&area, alignment)?;
            rest = below;
        }
        draw_accuracies(&rest, lengths, accuracies)
    })
}

fn draw_accuracies(area: &Area, lengths: &[String], accuracies: &[Curve]) -> Result<(), Box<dyn Error>> {
    let classes = lengths.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .caption("dates converted entirely right", text(LABEL))
        .x_label_area_size(54)
        .y_label_area_size(70)
        .build_cartesian_2d(-0.5..classes - 0.5, 0.0..106.0)?;
    let name = |at: &f64| {
        let class = at.round();
        let whole = (at - class).abs() < 1e-9 && class >= 0.0;
        whole.then(|| lengths.get(class as usize).cloned()).flatten().unwrap_or_default()
    };
    mesh(&mut chart)
        .x_desc("number of characters of the written date")
        .x_labels(2 * lengths.len() + 1)
        .y_labels(3)
        .disable_x_mesh()
        .x_label_formatter(&name)
        .y_label_formatter(&|percent| format!("{percent:.0} %"))
        .draw()?;
    for (curve, colour) in accuracies.iter().zip([BLUE, ORANGE].into_iter().cycle()) {
        let points = || curve.values.iter().enumerate().map(|(class, percent)| (class as f64, *percent));
        named_line(&mut chart, curve.name, points(), colour.stroke_width(3))?;
        chart.draw_series(points().map(|point| Circle::new(point, 5, colour.filled())))?;
    }
    legend(&mut chart, SeriesLabelPosition::LowerLeft)?;
    Ok(())
}

fn draw_alignment(area: &Area, alignment: &Alignment) -> Result<(), Box<dyn Error>> {
    let (rows, columns) = (alignment.written.len() as i32, alignment.source.len().max(1) as i32);
    let wide = ((WIDTH as i32 - LEFT - 14) / columns).clamp(1, COLUMN);
    area.draw(&Text::new(alignment.caption.clone(), (LEFT, 2), text(LABEL)))?;
    for (column, symbol) in alignment.source.iter().enumerate() {
        let x = LEFT + column as i32 * wide + wide / 2;
        area.draw(&Text::new(symbol.clone(), (x, TOP - 12), centred_text(LABEL)))?;
    }
    for (row, (symbol, weights)) in alignment.written.iter().zip(&alignment.weights).enumerate() {
        let y = TOP + row as i32 * ROW;
        area.draw(&Text::new(symbol.clone(), (LEFT - 20, y + ROW / 2), centred_text(LABEL - 1)))?;
        for (column, weight) in weights.iter().enumerate() {
            let x = LEFT + column as i32 * wide;
            let cell = [(x, y), (x + wide, y + ROW)];
            area.draw(&Rectangle::new(cell, blend(BLUE, weight.clamp(0.0, 1.0)).filled()))?;
        }
    }
    let (right, bottom) = (LEFT + columns * wide, TOP + rows * ROW);
    for x in (LEFT..=right).step_by(wide as usize) {
        area.draw(&PathElement::new([(x, TOP), (x, bottom)], GRID.stroke_width(1)))?;
    }
    for y in (TOP..=bottom).step_by(ROW as usize) {
        area.draw(&PathElement::new([(LEFT, y), (right, y)], GRID.stroke_width(1)))?;
    }
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
            ["dates", "q7 becomes 7", "with", "without", "1 to 9", "10 to 19", "number of characters"];
        for words in words.into_iter().chain(["\nq\n", "#1F61B0"]) {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
