//! The elements that all pictures share: canvas, colours, fonts, axes, legends.

use super::compact::compact;
use crate::report::make_folders;
use plotters::chart::MeshStyle;
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::fs;
use std::path::Path;

const FONT: &str = "DejaVu Sans, Helvetica, Arial, sans-serif";
/// The width of every picture, in pixels. Its text is readable at half of this width, too.
pub const WIDTH: u32 = 720;
/// The height of the title, which every picture has.
pub const TITLE: u32 = 44;
/// The sizes of text. A font of this size is 0.8 times as many pixels high.
pub const LABEL: u32 = 20;
pub const INK: RGBColor = RGBColor(40, 44, 52);
pub const GRID: RGBColor = RGBColor(228, 230, 235);
pub const BLUE: RGBColor = RGBColor(31, 97, 176);
pub const ORANGE: RGBColor = RGBColor(217, 108, 20);

pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub type Chart<'a, 'p, X, Y> = ChartContext<'a, SVGBackend<'p>, Cartesian2d<X, Y>>;

/// Writes a white picture to `path`, and creates its folders. `draw` draws on an area of the given
/// height below the title.
pub fn picture(
    path: &Path,
    title: &str,
    height: u32,
    draw: impl FnOnce(&Area) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (WIDTH, TITLE + height)).into_drawing_area();
        root.fill(&WHITE)?;
        let (top, area) = root.split_vertically(TITLE);
        top.draw(&Text::new(title, (WIDTH as i32 / 2, TITLE as i32 / 2), centred_text(24)))?;
        draw(&area)?;
        root.present()?;
    }
    make_folders(path)?;
    Ok(fs::write(path, compact(&svg))?)
}

/// Returns a style of axes and grid, without labels.
pub fn mesh<'a, 'b, 'p, X, Y>(chart: &'b mut Chart<'a, 'p, X, Y>) -> MeshStyle<'a, 'b, X, Y, SVGBackend<'p>>
where
    X: Ranged + ValueFormatter<X::ValueType>,
    Y: Ranged + ValueFormatter<Y::ValueType>,
{
    let mut style = chart.configure_mesh();
    style
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(text(LABEL))
        .axis_desc_style(text(LABEL));
    style
}

/// Draws a line with a name in the legend.
pub fn named_line<X: Ranged + 'static, Y: Ranged + 'static>(
    chart: &mut Chart<X, Y>,
    name: &str,
    points: impl Iterator<Item = (X::ValueType, Y::ValueType)>,
    style: ShapeStyle,
) -> Result<(), Box<dyn Error>>
where
    X::ValueType: Clone + 'static,
    Y::ValueType: Clone + 'static,
{
    let key = ShapeStyle { stroke_width: 3, ..style };
    chart
        .draw_series(LineSeries::new(points, style))?
        .label(name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], key));
    Ok(())
}

/// The height of a row of [`keys`], and the width of an entry.
pub const KEY: (u32, u32) = (22, 172);

/// Draws a legend in rows of `abreast` entries.
pub fn keys<'n>(
    area: &Area,
    abreast: u32,
    entries: impl Iterator<Item = (&'n str, ShapeStyle)>,
) -> Result<(), Box<dyn Error>> {
    let (height, width) = (KEY.0 as i32, KEY.1 as i32);
    for (index, (name, style)) in (0..).zip(entries) {
        let (x, y) = (12 + width * (index % abreast as i32), height / 2 + height * (index / abreast as i32));
        area.draw(&PathElement::new([(x, y), (x + 18, y)], style))?;
        let beside = text(LABEL - 2).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(name.to_owned(), (x + 24, y), beside))?;
    }
    Ok(())
}

/// Draws the legend within a chart.
pub fn legend<'a, 'p: 'a, X: Ranged, Y: Ranged>(
    chart: &mut Chart<'a, 'p, X, Y>,
    position: SeriesLabelPosition,
) -> Result<(), Box<dyn Error>> {
    chart
        .configure_series_labels()
        .position(position)
        .margin(12)
        .legend_area_size(30)
        .background_style(WHITE.mix(0.9))
        .border_style(GRID)
        .label_font(text(LABEL))
        .draw()?;
    Ok(())
}

pub fn text(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

pub fn centred_text(size: u32) -> TextStyle<'static> {
    text(size).pos(Pos::new(HPos::Center, VPos::Center))
}

/// Blends `colour` with white.
pub fn blend(colour: RGBColor, strength: f64) -> RGBColor {
    let mix = |channel: u8| (255.0 - (255.0 - f64::from(channel)) * strength).round() as u8;
    RGBColor(mix(colour.0), mix(colour.1), mix(colour.2))
}

/// Formats a number without trailing zeros: 0.01, 0.5, 10.
pub fn shortest(value: f64) -> String {
    let digits = (-value.abs().log10().floor()).max(0.0) as usize;
    format!("{value:.digits$}")
}

/// Formats a label of an axis that extends to `reach`, with enough digits to distinguish its
/// labels.
pub fn shortest_within(value: f64, reach: f64) -> String {
    let digits = (1.0 - reach.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.digits$}");
    // Zero has no sign.
    if text.trim_start_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_short() {
        assert_eq!(shortest(0.01), "0.01");
        assert_eq!(shortest(0.5), "0.5");
        assert_eq!(shortest(10.0), "10");
        assert_eq!([-0.2, -1e-9, 0.5].map(|level| shortest_within(level, 0.6)), ["-0.20", "0.00", "0.50"]);
        assert_eq!(shortest_within(12.0, 30.0), "12");
    }
}
