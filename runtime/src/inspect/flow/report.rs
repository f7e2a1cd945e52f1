//! A printable report on the gradients of a sequence.

use core::fmt;

use alloc::vec::Vec;

use super::jacobian::Jacobians;
use super::spectrum::{Magnitude, SingularValues};
use crate::cell::{Cell, IntoPass};

/// The behaviour of the largest singular value of a product of Jacobians.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The value is below a tenth at the end: every cotangent shrinks to less than a tenth.
    Vanishes,
    /// The value is between a tenth and ten at the end: some cotangents keep their order of
    /// magnitude.
    Holds,
    /// The value is above ten at the end: some cotangents grow by more than a factor of ten.
    Explodes,
    /// A Jacobian is not finite.
    Broken,
}

/// The gradients of a sequence: the backward flow of the final state's cotangents, by distance.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The singular values of the product of the last 1, 2, 4, 8 .. steps and of the whole
    /// sequence.
    pub distances: Vec<SingularValues>,
}

impl Report {
    /// Runs `layer` over a sequence, starting from `state`.
    pub fn new<'a, L>(layer: &L, pass: impl IntoPass<'a, L::Input, L::Context, 1>, state: &L::State) -> Self
    where
        L: Cell<1, Input: 'a, Context: 'a>,
    {
        let jacobians = Jacobians::along(layer, pass, &mut state.clone());
        let end = jacobians.steps().len();
        let mut distances: Vec<usize> = core::iter::successors(Some(1), |steps| Some(2 * steps))
            .take_while(|steps| *steps < end)
            .collect();
        distances.push(end);
        Report {
            distances: distances
                .into_iter()
                .map(|distance| jacobians.singular_values(end - distance..end))
                .collect(),
        }
    }

    /// Returns the singular values of the whole sequence.
    pub fn whole(&self) -> &SingularValues {
        self.distances.last().expect("a report has at least one distance")
    }

    /// Returns the behaviour of the largest singular value over the whole sequence.
    pub fn fate(&self) -> Fate {
        let whole = self.whole();
        match whole.largest() {
            ln if ln.is_nan() => Fate::Broken,
            _ if whole.steps == 0 => Fate::Holds,
            ln if ln < -core::f64::consts::LN_10 => Fate::Vanishes,
            ln if ln > core::f64::consts::LN_10 => Fate::Explodes,
            _ => Fate::Holds,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "singular values of the derivative of the last state with respect to earlier states, by distance"
        )?;
        writeln!(
            f,
            "{:>7} {:>10} {:>10} {:>10} {:>14}",
            "steps", "largest", "median", "smallest", "growth per step"
        )?;
        for values in &self.distances {
            let [largest, median, smallest] =
                [values.largest(), values.median(), values.smallest()].map(Magnitude);
            let (steps, growth) = (values.steps, values.growth());
            writeln!(f, "{steps:>7} {largest:>10} {median:>10} {smallest:>10} {growth:>14.4}")?;
        }
        let whole = Magnitude(self.whole().largest());
        match self.fate() {
            Fate::Vanishes => {
                write!(f, "gradients vanish: no cotangent keeps more than {whole} of its length")
            }
            Fate::Holds => write!(f, "gradients hold: the largest singular value is {whole} at the end"),
            Fate::Explodes => write!(f, "gradients can explode: some cotangents grow {whole} times"),
            Fate::Broken => write!(f, "gradients are broken: a Jacobian holds NaN or an infinity"),
        }
    }
}
