//! Equations as MathML, which browsers draw without scripts.
//!
//! Values of a step have the index `t`, parameters have none. `*` is a circled dot, and `@` is not
//! written, as in papers.

use super::names::{MathNames, Name, escaped};
use crate::analysis::resolve::{Resolved, Symbol, key};
use crate::analysis::shapes::Shapes;
use crate::analysis::{past, reads};
use crate::dim::Shape;
use crate::graph::ir::Comparison;
use crate::syntax::ast::{BinaryOp, Cell, DeclarationKind, Equation, Expr, ExprKind, Function, Time};
use crate::syntax::text;
use proc_macro2::Ident;

/// The width in letters beyond which a right-hand side is broken before a term of a sum.
const LINE: usize = 72;

/// A left-hand side and the lines of a right-hand side.
pub struct Rows {
    pub left: String,
    pub right: Vec<String>,
}

pub struct Math<'a> {
    pub cell: &'a Cell,
    pub resolved: &'a Resolved,
    pub shapes: &'a Shapes,
    pub names: &'a MathNames,
    /// A flag for each equation: its value changes from step to step.
    varies: Vec<bool>,
}

/// The time index of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// No index: the value is the same at every step.
    Always,
    Now,
    Before,
    /// Some steps back: `3`, `2*D`.
    Earlier(String),
    /// Some steps on, in a derived equation, which only a report shows as mathematics.
    #[cfg_attr(not(any(test, feature = "report")), allow(dead_code))]
    Later(String),
    /// The index 0 of an initial value.
    Start,
}

impl<'a> Math<'a> {
    pub fn new(cell: &'a Cell, resolved: &'a Resolved, shapes: &'a Shapes, names: &'a MathNames) -> Self {
        let mut varies = vec![false; cell.equations.len()];
        for &equation in &resolved.order {
            let is_state = cell.equations[equation].targets.iter().any(|target| is_state(cell, target));
            varies[equation] = is_state
                || reads::symbols(&cell.equations[equation].value, resolved).iter().any(
                    |symbol| match symbol {
                        Symbol::Declaration(index) => {
                            cell.declarations[*index].kind == DeclarationKind::Input
                        }
                        Symbol::Previous(_) | Symbol::Delayed(_) => true,
                        Symbol::Target(target) => varies[target.equation],
                        Symbol::Dimension(_) | Symbol::Argument(_) => false,
                    },
                );
        }
        Math { cell, resolved, shapes, names, varies }
    }

    pub fn equation(&self, index: usize) -> Rows {
        let equation = &self.cell.equations[index];
        Rows { left: self.targets(index), right: self.lines(&equation.value) }
    }

    fn targets(&self, index: usize) -> String {
        let equation: &Equation = &self.cell.equations[index];
        let at = self.time(index);
        let targets: Vec<String> =
            equation.targets.iter().map(|target| name(&self.names.get(target), &at, None)).collect();
        if equation.is_split { column(&targets) } else { targets.concat() }
    }

    /// Returns the time index of the targets of an equation.
    pub fn time(&self, equation: usize) -> At {
        if self.varies[equation] { At::Now } else { At::Always }
    }

    /// Writes `s_0 = ..`.
    pub fn initial(&self, state: &Ident, value: &Expr) -> Rows {
        Rows { left: name(&self.names.get(state), &At::Start, None), right: self.lines(value) }
    }

    pub fn function(&self, function: &Function) -> Rows {
        let arguments: Vec<String> =
            function.arguments.iter().map(|argument| self.plain_name(argument)).collect();
        Rows { left: called(&word(&key(&function.name)), &arguments), right: self.lines(&function.body) }
    }

    fn plain_name(&self, of: &Ident) -> String {
        name(&self.names.get(of), &At::Always, None)
    }

    /// Writes a right-hand side, broken between the terms of a long sum, which may be the only
    /// argument of a call.
    fn lines(&self, value: &Expr) -> Vec<String> {
        if width(value) <= LINE {
            return vec![row(&self.bare(value))];
        }
        match &value.kind {
            ExprKind::Call { function, arguments }
                if arguments.len() == 1 && self.is_written_as_call(function) =>
            {
                let mut lines = self.terms(&arguments[0]);
                let last = lines.len() - 1;
                lines[0] = format!(
                    "{}{}<mo stretchy=\"false\">(</mo>{}",
                    self.function_name(function),
                    APPLY,
                    lines[0]
                );
                lines[last].push_str("<mo stretchy=\"false\">)</mo>");
                lines.into_iter().map(|line| row(&line)).collect()
            }
            _ => self.terms(value).into_iter().map(|line| row(&line)).collect(),
        }
    }

    fn terms(&self, value: &Expr) -> Vec<String> {
        let mut terms = vec![];
        sum_terms(value, None, &mut terms);
        let mut lines = vec![String::new()];
        let mut length = 0;
        for (sign, term) in terms {
            let next = width(term) + 3;
            if length > 0 && length + next > LINE {
                lines.push(String::new());
                length = 0;
            }
            let line = lines.last_mut().expect("there is always a line");
            if let Some(sign) = sign {
                line.push_str(&operator(sign));
            }
            line.push_str(&if sign.is_none() { self.bare(term) } else { self.expr(term) });
            length += next;
        }
        lines
    }

    /// Writes an expression with the parentheses of the source.
    fn expr(&self, value: &Expr) -> String {
        let inner = self.bare(value);
        if value.parenthesised && !sets_its_own_brackets(value) { parentheses(&inner) } else { inner }
    }

    /// Writes an expression without parentheses around all of it.
    fn bare(&self, value: &Expr) -> String {
        match &value.kind {
            ExprKind::Number(number) => number_text(*number),
            ExprKind::Name { name: of, .. } => self.value(of, value, None),
            ExprKind::Neg(inner) => format!("<mo form=\"prefix\">−</mo>{}", self.expr(inner)),
            ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => {
                fraction(&self.bare(left), &self.bare(right))
            }
            ExprKind::Binary { op, left, right, .. } => {
                format!("{}{}{}", self.expr(left), self.sign(*op, left, right), self.expr(right))
            }
            ExprKind::Transpose(inner) => self.raised(inner, "<mo>⊤</mo>"),
            ExprKind::Head(inner) => self.raised(inner, "<mtext>head</mtext>"),
            ExprKind::Stack(parts) => column(&parts.iter().map(|part| self.bare(part)).collect::<Vec<_>>()),
            ExprKind::Call { function, arguments } => self.call(function, arguments),
            ExprKind::Compare { op, left, right, .. } => {
                format!("{}<mo>{}</mo>{}", self.expr(left), comparison(*op), self.expr(right))
            }
            ExprKind::Logic { op, left, right } => {
                format!(
                    "{}<mtext>&#xa0;{}&#xa0;</mtext>{}",
                    self.expr(left),
                    text::logic(*op),
                    self.expr(right)
                )
            }
            ExprKind::Not(inner) => format!("<mtext>not&#xa0;</mtext>{}", self.expr(inner)),
            ExprKind::RustPath(_) | ExprKind::Error => "<mtext>..</mtext>".to_owned(),
        }
    }

    fn sign(&self, op: BinaryOp, left: &Expr, right: &Expr) -> String {
        match op {
            BinaryOp::Add | BinaryOp::Sub => operator(op),
            BinaryOp::MatMul => "<mspace width=\"0.17em\"></mspace>".to_owned(),
            BinaryOp::Mul | BinaryOp::Div if self.is_scalar(left) || self.is_scalar(right) => {
                "<mo>⋅</mo>".to_owned()
            }
            BinaryOp::Mul | BinaryOp::Div => "<mo>⊙</mo>".to_owned(),
        }
    }

    /// Returns whether a value is a scalar. The arguments of the user's functions are scalars.
    fn is_scalar(&self, value: &Expr) -> bool {
        matches!(value.kind, ExprKind::Number(_))
            || self
                .shapes
                .expressions
                .get(value.id)
                .is_none_or(|shape| shape.as_ref().is_none_or(Shape::is_scalar))
    }

    /// Writes a name within an expression, with its time index.
    fn value(&self, of: &Ident, value: &Expr, raised: Option<&str>) -> String {
        let at = match self.resolved.symbols.get(value.id).copied().flatten() {
            Some(Symbol::Declaration(index))
                if self.cell.declarations[index].kind == DeclarationKind::Input =>
            {
                At::Now
            }
            Some(Symbol::Previous(_)) => At::Before,
            Some(Symbol::Delayed(_)) => match &value.kind {
                ExprKind::Name { time, .. } => At::Earlier(past::delay_text(time).unwrap_or_default()),
                _ => At::Before,
            },
            Some(Symbol::Target(target)) => self.time(target.equation),
            _ => At::Always,
        };
        name(&self.names.get(of), &at, raised)
    }

    /// Writes `value` with a superscript.
    fn raised(&self, value: &Expr, what: &str) -> String {
        match &value.kind {
            ExprKind::Name { name, .. } => self.value(name, value, Some(what)),
            ExprKind::Number(number) if *number >= 0.0 => superscript(&number_text(*number), what),
            ExprKind::Stack(_) => superscript(&self.bare(value), what),
            _ => superscript(&parentheses(&self.bare(value)), what),
        }
    }

    fn is_written_as_call(&self, function: &Ident) -> bool {
        !matches!(key(function).as_str(), "sqrt" | "abs" | "square" | "recip" | "floor")
    }

    fn function_name(&self, function: &Ident) -> String {
        match key(function).as_str() {
            "sigmoid" | "σ" => "<mi mathvariant=\"normal\">σ</mi>".to_owned(),
            name => word(name),
        }
    }

    /// Writes a call. A user's function never has the name of a built-in one.
    fn call(&self, function: &Ident, arguments: &[Expr]) -> String {
        match (key(function).as_str(), arguments) {
            ("sqrt", [u]) => format!("<msqrt>{}</msqrt>", self.bare(u)),
            ("recip", [u]) => fraction("<mn>1</mn>", &self.bare(u)),
            ("square", [u]) => self.raised(u, "<mn>2</mn>"),
            ("pow", [u, power]) => self.raised(u, &row(&self.bare(power))),
            ("abs", [u]) => fenced("|", &self.bare(u), "|"),
            ("floor", [u]) => fenced("⌊", &self.bare(u), "⌋"),
            ("where", [condition, yes, no]) => cases(&[
                (self.bare(yes), format!("<mtext>if&#xa0;</mtext>{}", self.bare(condition))),
                (self.bare(no), "<mtext>otherwise</mtext>".to_owned()),
            ]),
            _ => {
                let arguments: Vec<String> = arguments.iter().map(|argument| self.bare(argument)).collect();
                called(&self.function_name(function), &arguments)
            }
        }
    }
}

/// The invisible operator that applies a function to its argument.
const APPLY: &str = "<mo>&#x2061;</mo>";

pub fn is_state(cell: &Cell, name: &Ident) -> bool {
    let is_it = |declaration: &crate::syntax::ast::Declaration| {
        declaration.kind == DeclarationKind::State && key(&declaration.name) == key(name)
    };
    cell.declarations.iter().any(is_it)
}

/// Collects the terms of a sum that are not enclosed by parentheses, each with its sign.
fn sum_terms<'e>(value: &'e Expr, sign: Option<BinaryOp>, terms: &mut Vec<(Option<BinaryOp>, &'e Expr)>) {
    match &value.kind {
        ExprKind::Binary { op: op @ (BinaryOp::Add | BinaryOp::Sub), left, right, .. }
            if sign.is_none() || !value.parenthesised =>
        {
            // A parenthesised left-hand operand is one term: `(a + b) - c` is short enough to stay
            // on one line.
            if left.parenthesised {
                terms.push((sign, left))
            } else {
                sum_terms(left, sign, terms)
            }
            terms.push((Some(*op), right));
        }
        _ => terms.push((sign, value)),
    }
}

/// Returns whether a value needs no parentheses: a fraction, a root or a column.
fn sets_its_own_brackets(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Stack(_))
}

fn operator(op: BinaryOp) -> String {
    format!("<mo>{}</mo>", if op == BinaryOp::Sub { "−" } else { "+" })
}

fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Less => "&lt;",
        Comparison::LessEqual => "≤",
        Comparison::Greater => "&gt;",
        Comparison::GreaterEqual => "≥",
        Comparison::Equal => "=",
        Comparison::NotEqual => "≠",
    }
}

/// Writes a number; `1e-30` is a power of ten.
pub fn number_text(value: f64) -> String {
    let written = text::number(value.abs());
    let sign = if value.is_sign_negative() { "<mo form=\"prefix\">−</mo>" } else { "" };
    match written.split_once('e') {
        Some((factor, exponent)) => {
            let factor = if factor == "1" { String::new() } else { format!("<mn>{factor}</mn><mo>⋅</mo>") };
            let exponent = exponent.replace('-', "−");
            format!("{sign}{factor}<msup><mn>10</mn><mn>{exponent}</mn></msup>")
        }
        None => format!("{sign}<mn>{written}</mn>"),
    }
}

pub fn row(inner: &str) -> String {
    format!("<mrow>{inner}</mrow>")
}

fn superscript(base: &str, what: &str) -> String {
    format!("<msup>{}{what}</msup>", row(base))
}

pub fn fraction(above: &str, below: &str) -> String {
    format!("<mfrac>{}{}</mfrac>", row(above), row(below))
}

fn fenced(open: &str, inner: &str, close: &str) -> String {
    format!(
        "<mrow><mo form=\"prefix\" stretchy=\"true\">{open}</mo>{inner}<mo form=\"postfix\" stretchy=\"true\">{close}</mo></mrow>"
    )
}

/// Writes parentheses. They are tall only around tall contents: fonts without mathematical tables
/// stretch a bracket too far.
pub fn parentheses(inner: &str) -> String {
    let is_tall = ["<mtable", "<mfrac", "<msqrt", "<mover"].iter().any(|tall| inner.contains(tall));
    if is_tall {
        fenced("(", inner, ")")
    } else {
        format!(
            "<mrow><mo form=\"prefix\" stretchy=\"false\">(</mo>{inner}<mo form=\"postfix\" stretchy=\"false\">)</mo></mrow>"
        )
    }
}

/// Writes a column vector.
pub fn column(parts: &[String]) -> String {
    let cells: String = parts.iter().map(|part| format!("<mtr><mtd>{part}</mtd></mtr>")).collect();
    fenced("[", &format!("<mtable>{cells}</mtable>"), "]")
}

fn cases(rows: &[(String, String)]) -> String {
    let cells: String = rows
        .iter()
        .map(|(value, when)| {
            format!("<mtr><mtd>{value}</mtd><mtd style=\"text-align:left\">{when}</mtd></mtr>")
        })
        .collect();
    format!("<mrow><mo form=\"prefix\" stretchy=\"true\">{{</mo><mtable>{cells}</mtable></mrow>")
}

pub fn called(function: &str, arguments: &[String]) -> String {
    format!("{function}{APPLY}{}", parentheses(&arguments.join("<mo separator=\"true\">,</mo>")))
}

/// Writes a name of several letters, upright.
pub fn word(text: &str) -> String {
    format!("<mi mathvariant=\"normal\">{}</mi>", escaped(text))
}

/// Writes letters: a single one is slanted, as a variable; digits are a number.
fn letters(text: &str) -> String {
    if text.chars().all(|c| c.is_ascii_digit()) {
        format!("<mn>{text}</mn>")
    } else if text.chars().count() == 1 {
        format!("<mi>{}</mi>", escaped(text))
    } else {
        word(text)
    }
}

/// Writes a delay: `3`, `2*D`.
fn product(delay: &str) -> String {
    delay.split('*').map(letters).collect::<Vec<_>>().join("<mo>⋅</mo>")
}

/// Writes the index of a time.
pub fn time_index(at: &At) -> Option<String> {
    match at {
        At::Always => None,
        At::Now => Some("<mi>t</mi>".to_owned()),
        At::Before => Some("<mi>t</mi><mo>−</mo><mn>1</mn>".to_owned()),
        At::Earlier(delay) => Some(format!("<mi>t</mi><mo>−</mo>{}", product(delay))),
        At::Later(delay) => Some(format!("<mi>t</mi><mo>+</mo>{}", product(delay))),
        At::Start => Some("<mi>t</mi><mo>=</mo><mn>0</mn>".to_owned()),
    }
}

/// Writes a name with its indices, that of time last, and a superscript.
pub fn name(name: &Name, at: &At, raised: Option<&str>) -> String {
    let mut base = letters(&name.base);
    if let Some(accent) = name.accent {
        base = format!("<mover accent=\"true\">{base}<mo stretchy=\"false\">{accent}</mo></mover>");
    }
    let mut indices: Vec<String> = name.indices.iter().map(|index| letters(index)).collect();
    indices.extend(time_index(at));
    let below = row(&indices.join("<mo separator=\"true\">,</mo>"));
    match (indices.is_empty(), raised) {
        (true, None) => base,
        (true, Some(above)) => format!("<msup>{base}{above}</msup>"),
        (false, None) => format!("<msub>{base}{below}</msub>"),
        (false, Some(above)) => format!("<msubsup>{base}{below}{above}</msubsup>"),
    }
}

/// Estimates the width of an expression, in letters.
fn width(value: &Expr) -> usize {
    let brackets = if value.parenthesised { 2 } else { 0 };
    let widest = |parts: &[Expr]| parts.iter().map(width).max().unwrap_or(0);
    brackets
        + match &value.kind {
            ExprKind::Number(number) => text::number(*number).len(),
            ExprKind::Name { name, time } => name_width(&Name::parse(&key(name)), time),
            ExprKind::Neg(inner) | ExprKind::Transpose(inner) => 1 + width(inner),
            ExprKind::Head(inner) => 4 + width(inner),
            ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => width(left).max(width(right)),
            ExprKind::Binary { op: BinaryOp::MatMul, left, right, .. } => width(left) + width(right),
            ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                width(left) + 3 + width(right)
            }
            ExprKind::Logic { left, right, .. } => width(left) + 5 + width(right),
            ExprKind::Not(inner) => 4 + width(inner),
            ExprKind::Stack(parts) => 2 + widest(parts),
            ExprKind::Call { function, arguments } if function == "where" => 20 + widest(arguments),
            ExprKind::Call { function, arguments } => {
                let name = function.to_string().chars().count();
                2 + name + arguments.iter().map(|argument| width(argument) + 2).sum::<usize>()
            }
            ExprKind::RustPath(_) | ExprKind::Error => 2,
        }
}

/// Estimates the width of a name. Indices are smaller, and nearly everything has a time index.
fn name_width(name: &Name, time: &Time) -> usize {
    let indices: usize = name.indices.iter().map(|index| index.chars().count()).sum();
    let time = match time {
        Time::Implicit | Time::Offset(0) => 1,
        _ => past::delay_text(time).map_or(3, |delay| 2 + delay.chars().count()),
    };
    name.base.chars().count() + (indices + time).div_ceil(2)
}
