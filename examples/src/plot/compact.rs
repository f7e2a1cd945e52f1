//! Shorter text for the same picture: filled rectangles of one colour become one path.

use std::fmt::Write;

/// A rectangle in pixels.
#[derive(Debug, PartialEq)]
struct Rectangle {
    corner: [i32; 2],
    width: i32,
    height: i32,
}

/// Rewrites an SVG document of `plotters`. Rectangles that follow each other without anything in
/// between, and that have the same height, become one path per colour, drawn where the first of
/// them was. Such rectangles must not overlap. A spectrogram then takes a twentieth of the bytes.
pub fn compact(svg: &str) -> String {
    let mut result = String::with_capacity(svg.len() / 4);
    let mut colours: Vec<(&str, Vec<Rectangle>)> = Vec::new();
    for line in svg.lines() {
        match filled_rectangle(line) {
            Some((colour, rectangle)) => {
                let height = rectangle.height;
                let same = |(other, rectangles): &&mut (&str, Vec<Rectangle>)| {
                    *other == colour && rectangles[0].height == height
                };
                match colours.iter_mut().find(same) {
                    Some((_, rectangles)) => rectangles.push(rectangle),
                    None => colours.push((colour, vec![rectangle])),
                }
            }
            None => {
                write_paths(&mut result, &mut colours);
                result.push_str(&line.replace(" opacity=\"1\"", ""));
                result.push('\n');
            }
        }
    }
    result
}

/// Parses `<rect x=".." .. fill="COLOUR" stroke="none"/>`, if it is opaque.
fn filled_rectangle(line: &str) -> Option<(&str, Rectangle)> {
    let attributes = line.strip_prefix("<rect ")?.strip_suffix(" stroke=\"none\"/>")?;
    let of = |name: &str| attributes.split(' ').find_map(|pair| pair.strip_prefix(name)?.strip_prefix("=\""));
    let value = |name| of(name)?.strip_suffix('"');
    let number = |name| value(name)?.parse().ok();
    if value("opacity")? != "1" {
        return None;
    }
    let corner = [number("x")?, number("y")?];
    Some((value("fill")?, Rectangle { corner, width: number("width")?, height: number("height")? }))
}

/// Writes each colour as a broken line, as broad as its rectangles are high.
fn write_paths(svg: &mut String, colours: &mut Vec<(&str, Vec<Rectangle>)>) {
    for (colour, rectangles) in colours.drain(..) {
        let Rectangle { corner: [x, y], width, height } = rectangles[0];
        if rectangles.len() == 1 {
            let _ =
                writeln!(svg, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>"#);
            continue;
        }
        let middle = f64::from(y) + f64::from(height) / 2.0;
        let _ = write!(
            svg,
            r#"<path fill="none" stroke="{colour}" stroke-width="{height}" shape-rendering="crispEdges" d="M{x} {middle}h{width}"#
        );
        for pair in rectangles.windows(2) {
            let ([x, y], end) = (pair[1].corner, pair[0].corner[0] + pair[0].width);
            let _ = write!(svg, "m{} {}h{}", x - end, y - pair[0].corner[1], pair[1].width);
        }
        svg.push_str("\"/>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_colour_and_height_are_one_path() {
        let rectangle = |x, y, height, fill: &str| {
            let place = format!(r#"x="{x}" y="{y}" width="2" height="{height}""#);
            format!(r#"<rect {place} opacity="1" fill="{fill}" stroke="none"/>"#)
        };
        let blue = [rectangle(1, 2, 3, "blue"), rectangle(6, 2, 3, "red"), rectangle(4, 5, 3, "blue")];
        let svg = format!("<svg>\n{}\n<g/>\n{}\n</svg>\n", blue.join("\n"), rectangle(9, 9, 1, "blue"));
        let path = r#"<path fill="none" stroke="blue" stroke-width="3" shape-rendering="crispEdges" d="M1 3.5h2m1 3h2"/>"#;
        let red = r#"<rect x="6" y="2" width="2" height="3" fill="red"/>"#;
        let last = r#"<rect x="9" y="9" width="2" height="1" fill="blue"/>"#;
        assert_eq!(compact(&svg), format!("<svg>\n{path}\n{red}\n<g/>\n{last}\n</svg>\n"));
    }

    #[test]
    fn transparent_rectangles_are_left_alone() {
        let svg = r#"<rect x="1" y="2" width="3" height="4" opacity="0.5" fill="blue" stroke="none"/>"#;
        assert_eq!(compact(svg), format!("{svg}\n"));
    }
}
