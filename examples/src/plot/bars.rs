//! Bars that compare networks on several tasks.

use super::style::{Area, BLUE, INK, LABEL, ORANGE, picture, text};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::path::Path;

/// The height of a task's captions.
const CAPTIONS: i32 = 62;
/// The distance of two bars, and the height of a bar.
const ROW: (i32, i32) = (28, 18);
/// The end of the names, and the end of a bar of the length [`Bars::level`].
const ENDS: (i32, i32) = (144, 300);
/// The width of a number.
const NUMBER: i32 = 46;

/// The results of some networks on a task. The last one is the network to compare with, and has
/// its own colour.
#[derive(Debug, Clone)]
pub struct Bars {
    /// The task.
    pub caption: String,
    /// The quantity that the bars show.
    pub quantity: String,
    /// The names of the networks, and their results in percent.
    pub results: Vec<(String, f64)>,
    /// The result of a guess in percent, which a line marks. Longer bars end there.
    pub level: f64,
}

/// Draws bars in rows of two tasks.
pub fn bars(path: &Path, title: &str, tasks: &[Bars]) -> Result<(), Box<dyn Error>> {
    let longest = tasks.iter().map(|task| task.results.len()).max().unwrap_or(0) as i32;
    let rows = tasks.len().div_ceil(2);
    let height = CAPTIONS + ROW.0 * longest + 20;
    picture(path, title, height as u32 * rows as u32, |area| {
        for (task, area) in tasks.iter().zip(area.split_evenly((rows, 2))) {
            draw(&area, task)?;
        }
        Ok(())
    })
}

fn draw(area: &Area, task: &Bars) -> Result<(), Box<dyn Error>> {
    let (start, end) = (ENDS.0 + 8, ENDS.1);
    area.draw(&Text::new(task.caption.clone(), (12, 6), text(LABEL)))?;
    area.draw(&Text::new(task.quantity.clone(), (12, 32), text(LABEL - 2).color(&INK.mix(0.7))))?;
    let beside = |at| text(LABEL - 2).pos(Pos::new(at, VPos::Center));
    for (index, (name, percent)) in (0..).zip(&task.results) {
        let middle = CAPTIONS + ROW.0 * index + ROW.0 / 2;
        let length = (f64::from(end - start) * (percent / task.level).min(1.0)).round() as i32;
        let colour = if index as usize + 1 == task.results.len() { ORANGE } else { BLUE };
        // The smallest bar is still visible.
        let corners = [(start, middle - ROW.1 / 2), (start + length.max(2), middle + ROW.1 / 2)];
        area.draw(&Rectangle::new(corners, colour.filled()))?;
        area.draw(&Text::new(name.clone(), (ENDS.0, middle), beside(HPos::Right)))?;
        let digits = usize::from(*percent < 9.95);
        let percent = format!("{percent:.digits$} %");
        // The line must not cross the number.
        let number = start + length + 6;
        let number = if number + NUMBER > end { number.max(end + 8) } else { number };
        area.draw(&Text::new(percent, (number, middle), beside(HPos::Left)))?;
    }
    let bottom = CAPTIONS + ROW.0 * task.results.len() as i32;
    let guess = [(end, CAPTIONS), (end, bottom)];
    area.draw(&PathElement::new(guess, INK.stroke_width(2)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_contains_its_texts() {
        let path = std::env::temp_dir().join(format!("rnn-cell-bars-{}.svg", std::process::id()));
        let task = Bars {
            caption: "a task".into(),
            quantity: "symbols wrong".into(),
            results: vec![("new".into(), 0.26), ("old".into(), 80.0)],
            level: 75.0,
        };
        bars(&path, "a title", &vec![task; 3]).unwrap();
        let picture = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        for words in ["a title", "a task", "symbols wrong", "new", "0.3 %", "80 %"] {
            assert!(picture.contains(words), "{words}: {picture}");
        }
    }
}
