//! The data flow of a step as a drawing: the values that it reads on the left, its equations in
//! order of evaluation, and states and outputs on the right.

use super::layers::{Drawing, Node, Rect, Segment, Side, draw};
use super::math::{At, Math};
use super::names::{Name, escaped};
use crate::analysis::reads;
use crate::analysis::resolve::{Delayed, Symbol, key};
use crate::syntax::ast::{DeclarationKind, ExprKind};
use proc_macro2::Ident;
use std::fmt::Write;

/// Font sizes in pixels, of names, of their indices, and of the notes below them.
const NAME: f64 = 16.0;
const INDEX: f64 = 11.5;
const NOTE: f64 = 10.5;
/// The horizontal padding between a box and its text.
const PADDING: f64 = 10.0;
const HEIGHT: f64 = 40.0;
/// The margin around the drawing, which keeps strokes at its edge from being clipped.
const MARGIN: f64 = 2.0;
/// The length in letters at which a list below a name is cut, and the number of names at which a
/// split is cut.
const LONGEST_NOTE: usize = 26;
const MOST_NAMES: usize = 4;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Previous,
    Equation,
    Result,
}

/// The contents of a box.
struct Content {
    kind: Kind,
    names: Vec<(Name, At)>,
    /// The outermost function of an equation.
    function: Option<String>,
    note: String,
    /// The complete text, shown as a tooltip.
    title: String,
}

/// A value that is read within a step, other than parameters and dimensions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Declaration(usize),
    Previous(usize),
    Equation(usize),
}

fn source(math: &Math, symbol: Symbol) -> Option<Source> {
    match symbol {
        Symbol::Declaration(index) => match math.cell.declarations[index].kind {
            DeclarationKind::Input | DeclarationKind::Context => Some(Source::Declaration(index)),
            DeclarationKind::State | DeclarationKind::Param | DeclarationKind::Buffer => None,
        },
        Symbol::Previous(index) => Some(Source::Previous(index)),
        // An arrow from a value carries its earlier values too.
        Symbol::Delayed(Delayed::Declaration(index)) => match math.cell.declarations[index].kind {
            DeclarationKind::State => Some(Source::Previous(index)),
            _ => Some(Source::Declaration(index)),
        },
        Symbol::Target(target) | Symbol::Delayed(Delayed::Target(target)) => {
            Some(Source::Equation(target.equation))
        }
        Symbol::Dimension(_) | Symbol::Argument(_) => None,
    }
}

/// Returns the drawing, as an `<svg>` in the colours of the page. `text` returns an equation on one
/// line.
pub fn drawing(math: &Math, text: impl Fn(usize) -> String) -> String {
    let (cell, resolved) = (math.cell, math.resolved);
    let reads_of = |equation: usize| -> Vec<Source> {
        let symbols = reads::symbols(&cell.equations[equation].value, resolved);
        symbols.into_iter().filter_map(|symbol| source(math, symbol)).collect()
    };
    let read: Vec<Source> = resolved.order.iter().flat_map(|equation| reads_of(*equation)).collect();

    let mut sources = vec![];
    let mut contents = vec![];
    let mut nodes: Vec<Node> = vec![];
    let mut add = |content: Content, side: Side, reads: Vec<usize>| {
        nodes.push(Node { width: content.width(), height: HEIGHT, side, reads });
        contents.push(content);
    };
    for (index, declaration) in cell.declarations.iter().enumerate() {
        let (origin, kind, at, note) = match declaration.kind {
            DeclarationKind::Input => (Source::Declaration(index), Kind::Read, At::Now, "input"),
            DeclarationKind::Context => (Source::Declaration(index), Kind::Read, At::Always, "context"),
            DeclarationKind::State => (Source::Previous(index), Kind::Previous, At::Before, "state"),
            DeclarationKind::Param | DeclarationKind::Buffer => continue,
        };
        if read.contains(&origin) {
            sources.push(origin);
            let names = vec![(math.names.get(&declaration.name), at)];
            let title = key(&declaration.name);
            add(Content { kind, names, function: None, note: note.to_owned(), title }, Side::Left, vec![]);
        }
    }
    for &equation in &resolved.order {
        let number = |source: &Source| sources.iter().position(|other| other == source);
        let mut reads: Vec<usize> = reads_of(equation).iter().filter_map(number).collect();
        reads.sort_unstable();
        reads.dedup();
        sources.push(Source::Equation(equation));
        add(equation_content(math, equation, text(equation)), Side::Between, reads);
    }
    for (name, equation, note) in results(math) {
        let reads = sources.iter().position(|source| *source == Source::Equation(equation));
        let names = vec![(math.names.get(name), math.time(equation))];
        let content =
            Content { kind: Kind::Result, names, function: None, note: note.to_owned(), title: key(name) };
        add(content, Side::Right, reads.into_iter().collect());
    }
    svg(&contents, &draw(&nodes))
}

fn equation_content(math: &Math, index: usize, title: String) -> Content {
    let (cell, resolved) = (math.cell, math.resolved);
    let equation = &cell.equations[index];
    let names: Vec<(Name, At)> =
        equation.targets.iter().map(|target| (math.names.get(target), math.time(index))).collect();
    let function = match &equation.value.kind {
        ExprKind::Call { function, .. } if function == "sigmoid" => Some("σ".to_owned()),
        ExprKind::Call { function, .. } => Some(key(function)),
        _ => None,
    };
    let saved = |symbol: &Symbol| match symbol {
        Symbol::Declaration(index) => {
            let declaration = &cell.declarations[*index];
            let is_saved = declaration.kind.is_saved();
            is_saved.then(|| key(&declaration.name))
        }
        _ => None,
    };
    let parameters: Vec<String> =
        reads::symbols(&equation.value, resolved).iter().filter_map(saved).collect();
    Content { kind: Kind::Equation, names, function, note: list(&parameters), title }
}

/// Lists as many of the names as fit.
fn list(names: &[String]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        let length = text.chars().count() + name.chars().count();
        if index > 0 && length + 2 > LONGEST_NOTE {
            text.push_str(", …");
            break;
        }
        if index > 0 {
            text.push_str(", ");
        }
        text.push_str(name);
    }
    text
}

/// Returns the new states and outputs, each with the equation that defines it.
fn results<'m>(math: &Math<'m>) -> Vec<(&'m Ident, usize, &'static str)> {
    let (cell, resolved) = (math.cell, math.resolved);
    let mut found = vec![];
    for (index, declaration) in cell.declarations.iter().enumerate() {
        if let Some(target) = resolved.state_values.get(index).copied().flatten() {
            let is_output = resolved.outputs.contains(&Some(target));
            let note = if is_output { "state, output" } else { "state" };
            found.push((&declaration.name, target.equation, note));
        }
    }
    for (name, target) in cell.outputs.iter().zip(&resolved.outputs) {
        let Some(target) = target else { continue };
        if !resolved.state_values.contains(&Some(*target)) {
            found.push((name, target.equation, "output"));
        }
    }
    found
}

impl Content {
    fn width(&self) -> f64 {
        let names: f64 = self.shown_names().map(|(name, at)| name_width(name, at)).sum();
        let more = (self.names.len().min(MOST_NAMES) - 1) as f64 * letters(", ", NAME)
            + if self.names.len() > MOST_NAMES { letters(", …", NAME) } else { 0.0 };
        let function = self.function.as_ref().map_or(0.0, |function| letters(function, INDEX) + INDEX);
        (names + more + function).max(letters(&self.note, NOTE)) + 2.0 * PADDING
    }

    fn shown_names(&self) -> impl Iterator<Item = &(Name, At)> {
        self.names.iter().take(MOST_NAMES)
    }

    /// Returns the first line, as the contents of a `<text>`.
    fn line(&self) -> String {
        let names: Vec<String> = self.shown_names().map(|(name, at)| name_text(name, at)).collect();
        let mut line = names.join(", ");
        if self.names.len() > MOST_NAMES {
            line.push_str(", …");
        }
        if let Some(function) = &self.function {
            let _ = write!(
                line,
                "<tspan dx=\"{INDEX}\" font-size=\"{INDEX}\" font-style=\"normal\" opacity=\"0.75\">{}</tspan>",
                escaped(function)
            );
        }
        line
    }
}

/// Returns the indices of a name, that of time last.
fn indices(name: &Name, at: &At) -> String {
    let mut indices = name.indices.clone();
    match at {
        At::Always => {}
        At::Now => indices.push("t".to_owned()),
        At::Before => indices.push("t−1".to_owned()),
        At::Earlier(delay) => indices.push(format!("t−{}", delay.replace('*', "⋅"))),
        At::Later(delay) => indices.push(format!("t+{}", delay.replace('*', "⋅"))),
        At::Start => indices.push("t=0".to_owned()),
    }
    indices.join(",")
}

fn base(name: &Name) -> String {
    let combining = match name.accent {
        Some('~') => "\u{303}",
        Some('^') => "\u{302}",
        Some('¯') => "\u{304}",
        Some(_) => "\u{307}",
        None => "",
    };
    format!("{}{combining}", name.base)
}

fn name_text(name: &Name, at: &At) -> String {
    let indices = indices(name, at);
    let below = if indices.is_empty() {
        String::new()
    } else {
        // A shift lasts until it is reversed.
        format!(
            "<tspan dy=\"4\" font-size=\"{INDEX}\">{}</tspan><tspan dy=\"-4\">\u{200b}</tspan>",
            escaped(&indices)
        )
    };
    format!("{}{below}", escaped(&base(name)))
}

fn name_width(name: &Name, at: &At) -> f64 {
    letters(&name.base, NAME) + letters(&indices(name, at), INDEX)
}

/// Returns an upper bound of the width of a text in common fonts, since it cannot be measured here.
fn letters(text: &str, size: f64) -> f64 {
    let letter = |character: char| match character {
        'i' | 'j' | 'l' | 't' | 'f' | 'r' | ',' | '.' | ' ' => 0.4,
        'm' | 'w' | 'M' | 'W' => 0.95,
        'A'..='Z' => 0.75,
        '\u{300}'..='\u{36f}' => 0.0,
        _ if character < '\u{1100}' => 0.62,
        _ => 1.05,
    };
    text.chars().map(letter).sum::<f64>() * size
}

fn svg(contents: &[Content], drawing: &Drawing) -> String {
    let (width, height) = (drawing.width + 2.0 * MARGIN, drawing.height + 2.0 * MARGIN);
    let mut out = format!(
        "<svg role=\"img\" aria-label=\"Data flow of one step\" viewBox=\"{} {} {width:.0} {height:.0}\" width=\"{width:.0}\" \
         style=\"min-width:{:.0}px\" fill=\"none\" stroke=\"currentColor\">",
        -MARGIN,
        -MARGIN,
        0.8 * width
    );
    out.push_str("<g stroke-opacity=\"0.5\">");
    for segment in &drawing.segments {
        out.push_str(&path(segment));
    }
    out.push_str("</g>\n");
    for (content, place) in contents.iter().zip(&drawing.boxes) {
        out.push_str(&content.box_at(place));
        out.push('\n');
    }
    out.push_str("</svg>\n");
    out
}

fn path(segment: &Segment) -> String {
    let Segment { from: (x0, y0), to: (x1, y1), bend: (a, b), arrives } = *segment;
    let middle = (a + b) / 2.0;
    let curve = if (y0 - y1).abs() < 0.5 {
        String::new()
    } else {
        format!("H{a:.1}C{middle:.1} {y0:.1} {middle:.1} {y1:.1} {b:.1} {y1:.1}")
    };
    let mut path = format!("<path d=\"M{x0:.1} {y0:.1}{curve}H{x1:.1}\"></path>");
    if arrives {
        let _ = write!(
            path,
            "<path d=\"M{x1:.1} {y1:.1}l-7 -3.5v7z\" fill=\"currentColor\" fill-opacity=\"0.6\" stroke=\"none\"></path>"
        );
    }
    path
}

impl Content {
    fn box_at(&self, place: &Rect) -> String {
        let Rect { x, y, width, height } = *place;
        let (radius, stroke) = match self.kind {
            Kind::Read => (height / 2.0, ""),
            Kind::Previous => (height / 2.0, " stroke-dasharray=\"4 3\""),
            Kind::Equation => (4.0, ""),
            Kind::Result => (height / 2.0, " stroke-width=\"2\""),
        };
        let middle = x + width / 2.0;
        let baseline = if self.note.is_empty() { y + height / 2.0 + 5.0 } else { y + 17.0 };
        let mut out = format!(
            "<g><title>{}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius}\" \
             fill=\"currentColor\" fill-opacity=\"0.05\" stroke-opacity=\"0.7\"{stroke}></rect>",
            escaped(&self.title)
        );
        let text = "text-anchor=\"middle\" fill=\"currentColor\" stroke=\"none\"";
        let _ = write!(
            out,
            "<text x=\"{middle:.1}\" y=\"{baseline:.1}\" {text} font-size=\"{NAME}\" font-family=\"serif\" font-style=\"italic\">{}</text>",
            self.line()
        );
        if !self.note.is_empty() {
            let _ = write!(
                out,
                "<text x=\"{middle:.1}\" y=\"{:.1}\" {text} font-size=\"{NOTE}\" opacity=\"0.8\">{}</text>",
                y + height - 7.0,
                escaped(&self.note)
            );
        }
        out.push_str("</g>");
        out
    }
}
