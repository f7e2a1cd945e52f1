//! What a gradient check found.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The result of a [gradient check](super).
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// One entry a parameter, then `input`, `initial state` and `context`, as far as they have scalars.
    pub checks: Vec<Check>,
    /// What `backward` or `forward` does against its contract, beside wrong derivatives.
    pub violations: Vec<String>,
    /// The largest relative error that passes.
    pub tolerance: f64,
}

/// What was found for one parameter, or for the inputs, the initial state or the context as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The parameter's name, or `input`, `initial state`, `context`.
    pub name: String,
    /// How many scalars it has.
    pub scalars: usize,
    /// How many directions were compared.
    pub compared: usize,
    /// The largest relative error of those: the difference of the two derivatives over the size of the gradient.
    pub error: f64,
    /// In the direction of that error: the derivative that `backward` gives.
    pub analytic: f64,
    /// In the same direction: the derivative by differences.
    pub numeric: f64,
    /// The directions in which there is no derivative.
    pub kinks: Vec<Kink>,
}

/// A direction in which the loss has no derivative at the point that was checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kink {
    /// The derivative that `backward` gives.
    pub analytic: f64,
    /// The derivative from the left.
    pub left: f64,
    /// The derivative from the right.
    pub right: f64,
}

impl Report {
    /// Whether everything was compared, agrees, and `backward` keeps its contract.
    pub fn is_ok(&self) -> bool {
        self.violations.is_empty() && self.checks.iter().all(|check| check.is_ok(self.tolerance))
    }

    /// The check with the largest error, if anything was compared.
    pub fn worst(&self) -> Option<&Check> {
        self.checks
            .iter()
            .filter(|check| check.compared > 0)
            .max_by(|a, b| a.error.abs().total_cmp(&b.error.abs()))
    }

    /// The largest relative error.
    pub fn error(&self) -> f64 {
        self.worst().map_or(0.0, |check| check.error)
    }

    /// The check of the parameter, `input`, `initial state` or `context` of that name.
    pub fn of(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }

    /// Panics with the whole report unless everything [is right](Self::is_ok).
    ///
    /// # Panics
    /// If a derivative is wrong or could not be checked, or `backward` breaks its contract.
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
