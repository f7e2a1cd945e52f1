//! The result of a gradient check.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The result of a [gradient check](super).
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One entry per parameter, then `input`, `initial state` and `context` if they have scalars.
    pub checks: Vec<Check>,
    /// Violations of the contract of `backward` or `forward` other than wrong derivatives.
    pub violations: Vec<String>,
    /// The largest relative error that passes.
    pub tolerance: f64,
}

/// The result for one parameter, or for the inputs, the initial state or the context as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The name of the parameter, or `input`, `initial state`, `context`.
    pub name: String,
    /// The number of scalars.
    pub scalars: usize,
    /// The number of directions that were compared.
    pub compared: usize,
    /// The largest relative error: the difference of the two derivatives divided by the size of the
    /// gradient.
    pub error: f64,
    /// The derivative from `backward` in the direction of the largest error.
    pub analytic: f64,
    /// The derivative by finite differences in the same direction.
    pub numeric: f64,
    /// The directions without a derivative.
    pub kinks: Vec<Kink>,
}

/// A direction in which the loss has no derivative at the checked point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kink {
    /// The derivative from `backward`.
    pub analytic: f64,
    /// The derivative from the left.
    pub left: f64,
    /// The derivative from the right.
    pub right: f64,
}

impl Report {
    /// Returns whether everything was compared and agrees, and `backward` keeps its contract.
    pub fn is_ok(&self) -> bool {
        self.violations.is_empty() && self.checks.iter().all(|check| check.is_ok(self.tolerance))
    }

    /// Returns the check with the largest error, or `None` if nothing was compared.
    pub fn worst(&self) -> Option<&Check> {
        self.checks
            .iter()
            .filter(|check| check.compared > 0)
            .max_by(|a, b| a.error.abs().total_cmp(&b.error.abs()))
    }

    /// Returns the largest relative error, or 0 if nothing was compared.
    pub fn error(&self) -> f64 {
        self.worst().map_or(0.0, |check| check.error)
    }

    /// Returns the check of a parameter, or of `input`, `initial state` or `context`, by name.
    pub fn of(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// Panics with the whole report unless the check [passed](Self::is_ok).
    ///
    /// # Panics
    /// Panics if a derivative is wrong or could not be checked, or `backward` breaks its contract.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok(), "the gradient check failed\n{self}");
    }
}

impl Check {
    fn is_ok(&self, tolerance: f64) -> bool {
        self.compared > 0 && self.error <= tolerance
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let verdict = match (check.compared, check.is_ok(self.tolerance)) {
                (0, _) => "NOT CHECKED, a kink in every direction: choose another point",
                (_, true) => "ok",
                (_, false) => "WRONG",
            };
            write!(f, "{} ({} scalars): {verdict}", check.name, check.scalars)?;
            if check.compared > 0 {
                write!(f, ", relative error {:.1e}", check.error)?;
            }
            if check.compared > 0 && !check.is_ok(self.tolerance) {
                write!(f, "; backward gives {:e}, differences give {:e}", check.analytic, check.numeric)?;
            }
            if check.compared > 0 && !check.kinks.is_empty() {
                write!(
                    f,
                    "; {} of {} directions meet a kink",
                    check.kinks.len(),
                    check.compared + check.kinks.len()
                )?;
            }
            writeln!(f)?;
        }
        self.violations.iter().try_for_each(|violation| writeln!(f, "VIOLATION: {violation}"))
    }
}
