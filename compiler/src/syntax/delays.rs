//! The time index of a value some steps back: `[t-3]`, `[t-D]`, `[t-2*D]`.

use super::ast::Time;
use super::cursor::Cursor;
use super::literals;
use super::text;
use crate::diagnostics::Extent;
use proc_macro2::{Delimiter, Ident};

/// A time index.
pub enum Step {
    /// `[t]`, `[t-1]`, `[t+2]`
    Offset(i64),
    /// `[t-D]`, `[t-2*D]`
    Delay { count: u64, dimension: Ident },
    /// `[t-0]`, `[t-(D+1)]`
    Wrong(WrongDelay),
}

/// A delay that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongDelay {
    /// `[t-0]`, `[t-0*D]`
    Zero,
    /// `[t--2]`, `[t-(-2)]`
    Negative,
    /// `[t+D]`
    Ahead(Ident),
    /// `[t-D*2]`
    Swapped { count: u64, dimension: Ident },
    /// `[t-2D]`
    Joined(String),
    /// `[t-(D+1)]`, `[t-D-1]`
    Sum,
    /// `[t-1.5]`
    Fraction,
}

impl WrongDelay {
    /// Returns the fact and the help text of the message, for a delay of `name`.
    pub fn message(&self, name: &Ident) -> (String, String) {
        let any = format!(
            "a delay is a whole number, a dimension or a multiple of one: `{name}[t-3]`, `{name}[t-2*D]`"
        );
        match self {
            WrongDelay::Zero => {
                ("a delay of zero steps".to_owned(), format!("the value of the current step is `{name}`"))
            }
            WrongDelay::Negative => (
                "a negative delay would read a later step".to_owned(),
                format!("an earlier step is `{name}[t-1]`"),
            ),
            WrongDelay::Ahead(dimension) => (
                format!("`{name}[t+{dimension}]` is a later step"),
                format!(
                    "an equation reads values of the current step and of earlier ones, `{name}[t-{dimension}]`"
                ),
            ),
            WrongDelay::Swapped { count, dimension } => (
                "the factor of a delay comes first".to_owned(),
                format!("write `{name}[t-{count}*{dimension}]`"),
            ),
            WrongDelay::Joined(written) => (format!("missing `*` in `{written}`"), any),
            WrongDelay::Sum => ("a delay cannot be a sum".to_owned(), any),
            WrongDelay::Fraction => ("a delay is a whole number of steps".to_owned(), any),
        }
    }
}

/// Reads the contents of brackets that begin with `t`. Returns `None` if they are not a time index.
pub fn read(c: &Cursor) -> Option<Step> {
    let is_back = match c.punct(1) {
        _ if c.len() == 1 => return Some(Step::Offset(0)),
        Some('-') => true,
        Some('+') => false,
        _ => return None,
    };
    let wrong = |wrong| Some(Step::Wrong(wrong));
    let whole = |ahead| c.literal(ahead).and_then(literals::whole);
    let has_comma = (0..c.len()).any(|ahead| c.at(ahead, ","));
    match (c.len(), whole(2), c.ident(2)) {
        _ if has_comma => None,
        (3, Some(0), _) => wrong(WrongDelay::Zero),
        (3, Some(steps), _) => {
            let steps = i64::try_from(steps).ok()?;
            Some(Step::Offset(if is_back { -steps } else { steps }))
        }
        (3, None, Some(name)) if is_back => Some(Step::Delay { count: 1, dimension: name.clone() }),
        (3, None, Some(name)) => wrong(WrongDelay::Ahead(name.clone())),
        (3, None, None) if is_negative_group(c) => wrong(WrongDelay::Negative),
        (3, None, None) if c.parenthesis(2).is_some() => wrong(WrongDelay::Sum),
        (3, None, None) => match literals::number(c.literal(2)?) {
            literals::Number::Joined { number, name, .. } => {
                wrong(WrongDelay::Joined(format!("{number}{name}")))
            }
            literals::Number::Value(_) => wrong(WrongDelay::Fraction),
            _ => None,
        },
        (4, ..) if c.punct(2) == Some('-') && whole(3).is_some() => wrong(WrongDelay::Negative),
        (5, Some(0), _) if c.at(3, "*") && c.ident(4).is_some() => wrong(WrongDelay::Zero),
        (5, Some(count), _) if c.at(3, "*") && is_back => {
            Some(Step::Delay { count, dimension: c.ident(4)?.clone() })
        }
        (5, Some(_), _) if c.at(3, "*") => wrong(WrongDelay::Ahead(c.ident(4)?.clone())),
        (5, None, Some(name)) if c.at(3, "*") && is_back => {
            wrong(WrongDelay::Swapped { count: whole(4)?, dimension: name.clone() })
        }
        (5.., ..) if (c.at(3, "+") || c.at(3, "-")) => wrong(WrongDelay::Sum),
        _ => None,
    }
}

fn is_negative_group(c: &Cursor) -> bool {
    c.group(2, Delimiter::Parenthesis).is_some_and(|group| Cursor::inside(group).at(0, "-"))
}

/// Returns the extent, fact and help text of the message about a later step.
pub fn later_step(name: &Ident, offset: i64, at: Extent) -> (Extent, String, String) {
    let written = text::timed(name, &Time::Offset(offset));
    let help = format!(
        "an equation reads values of the current step, `{name}`, and of earlier ones, such as `{name}[t-1]`"
    );
    (at, format!("`{written}` is a later step"), help)
}
