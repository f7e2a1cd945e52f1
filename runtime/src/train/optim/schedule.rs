//! Learning rates that change during training.

use core::f64::consts::PI;

use super::{Optimiser, not_negative};
use crate::{Scalar, functions};

/// A learning rate for each step of an optimiser.
///
/// All constructors and [`to`](Self::to) panic if a rate or a factor is negative or not finite.
///
/// ```
/// use rnn_cell::train::optim::{Adam, Optimiser, Schedule};
///
/// let schedule = Schedule::cosine(1e-3, 1000).to(1e-5).warm_up(100);
/// let mut adam = Adam::<f32>::new(1e-3);
/// for step in 0..1000 {
///     schedule.apply(step, &mut adam);
///     // .. forward, backward, adam.step(..) ..
/// }
/// assert!((adam.rate() - 1e-5).abs() < 1e-8);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Schedule {
    peak: f64,
    floor: f64,
    warm_up: usize,
    course: Course,
}

#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Course {
    Constant,
    Steps { every: usize, factor: f64 },
    Exponential { factor: f64 },
    Linear { end: usize },
    Cosine { end: usize },
}

impl Schedule {
    /// Creates a schedule with the same rate at each step.
    #[track_caller]
    pub fn constant(rate: f64) -> Self {
        Self::new(rate, Course::Constant)
    }

    /// Creates a schedule with the rate `rate * factor^k` in the `k`-th group of `every` steps.
    ///
    /// # Panics
    /// Panics if `every` is zero.
    #[track_caller]
    pub fn step(rate: f64, every: usize, factor: f64) -> Self {
        assert!(every > 0, "a schedule must keep a rate for at least one step");
        let factor = not_negative("a factor of learning rates", factor);
        Self::new(rate, Course::Steps { every, factor })
    }

    /// Creates a schedule with the rate `rate * factor^step`.
    #[track_caller]
    pub fn exponential(rate: f64, factor: f64) -> Self {
        let factor = not_negative("a factor of learning rates", factor);
        Self::new(rate, Course::Exponential { factor })
    }

    /// Creates a schedule that follows a straight line from `rate` down to 0, or to its
    /// [floor](Self::to), over `steps` steps.
    #[track_caller]
    pub fn linear(rate: f64, steps: usize) -> Self {
        Self::new(rate, Course::Linear { end: steps })
    }

    /// Creates a schedule that follows half a cosine from `rate` down to 0, or to its
    /// [floor](Self::to), over `steps` steps (Loshchilov & Hutter 2017, eq. 5, without restarts).
    /// The rate then stays constant.
    #[track_caller]
    pub fn cosine(rate: f64, steps: usize) -> Self {
        Self::new(rate, Course::Cosine { end: steps })
    }

    #[track_caller]
    fn new(peak: f64, course: Course) -> Self {
        let peak = not_negative("a learning rate", peak);
        Schedule { peak, floor: 0.0, warm_up: 0, course }
    }

    /// Sets the smallest rate. A line or a cosine ends there; steps and powers do not go below it.
    #[must_use]
    #[track_caller]
    pub fn to(mut self, floor: f64) -> Self {
        self.floor = not_negative("a learning rate", floor);
        self
    }

    /// Adds `steps` steps on a straight line up to the rate: `rate / steps`, `2 rate / steps`, ..
    /// (Goyal et al. 2017, section 2.2).
    ///
    /// In a line or a cosine they count as part of its steps, so that its end does not move. Steps
    /// and powers count from the end of the warm-up.
    #[must_use]
    pub fn warm_up(mut self, steps: usize) -> Self {
        self.warm_up = steps;
        self
    }

    /// Returns the rate of the step that comes after `step` others.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warm_up {
            return self.peak * (step + 1) as f64 / self.warm_up as f64;
        }
        let since = step - self.warm_up;
        // The rate of a course that is the given fraction of the way from the peak to the floor.
        let between = |end: usize, course: fn(f64) -> f64| {
            let whole = end.saturating_sub(self.warm_up);
            let way = if since >= whole { 1.0 } else { since as f64 / whole as f64 };
            self.floor + (self.peak - self.floor) * course(way)
        };
        match self.course {
            Course::Constant => self.peak,
            Course::Steps { every, factor } => self.decayed(factor, since / every),
            Course::Exponential { factor } => self.decayed(factor, since),
            Course::Linear { end } => between(end, |way| 1.0 - way),
            Course::Cosine { end } => between(end, |way| 0.5 * (1.0 + functions::cos(PI * way))),
        }
    }

    fn decayed(&self, factor: f64, times: usize) -> f64 {
        (self.peak * functions::pow(factor, times as f64)).max(self.floor)
    }

    /// Sets an optimiser's rate to that of the step that comes after `step` others.
    pub fn apply<T: Scalar>(&self, step: usize, optimiser: &mut impl Optimiser<T>) {
        optimiser.set_rate(self.rate(step));
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::train::optim::{Adam, AdamW, Sgd};

    fn rates<const N: usize>(schedule: Schedule, steps: [usize; N]) -> [f64; N] {
        steps.map(|step| schedule.rate(step))
    }

    fn assert_close<const N: usize>(schedule: Schedule, steps: [usize; N], expected: [f64; N]) {
        for (found, expected) in rates(schedule, steps).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{schedule:?}: {found}, not {expected}");
        }
    }

    #[test]
    fn rates_follow_their_course() {
        assert_close(Schedule::constant(0.3), [0, 7, 1 << 40], [0.3; 3]);
        assert_close(Schedule::step(0.8, 10, 0.5), [0, 9, 10, 19, 20], [0.8, 0.8, 0.4, 0.4, 0.2]);
        assert_close(Schedule::exponential(2.0, 0.5), [0, 1, 2, 3], [2.0, 1.0, 0.5, 0.25]);
        assert_close(Schedule::linear(1.0, 4), [0, 1, 2, 4, 5], [1.0, 0.75, 0.5, 0.0, 0.0]);
        assert_close(Schedule::cosine(1.0, 6), [0, 2, 3, 4, 6, 100], [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
    }

    #[test]
    fn rates_stop_at_the_floor() {
        assert_close(Schedule::exponential(2.0, 0.5).to(0.6), [0, 1, 2, usize::MAX], [2.0, 1.0, 0.6, 0.6]);
        assert_close(Schedule::cosine(1.0, 6).to(0.2), [0, 3, 6], [1.0, 0.6, 0.2]);
        assert_close(Schedule::step(0.8, 1, 0.5).to(0.3), [0, 1, 2], [0.8, 0.4, 0.3]);
    }

    #[test]
    fn warm_up_precedes_the_course() {
        let warm = |schedule: Schedule| schedule.warm_up(4);
        assert_close(warm(Schedule::constant(1.0)), [0, 1, 3, 4, 9], [0.25, 0.5, 1.0, 1.0, 1.0]);
        assert_close(warm(Schedule::exponential(1.0, 0.5)), [3, 4, 5, 6], [1.0, 1.0, 0.5, 0.25]);
        // The cosine ends after ten steps, including the warm-up.
        assert_close(warm(Schedule::cosine(1.0, 10)), [3, 4, 7, 10], [1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn lengths_may_be_zero_or_shorter_than_the_warm_up() {
        assert_close(Schedule::cosine(1.0, 0), [0], [0.0]);
        assert_close(Schedule::cosine(1.0, 3).warm_up(5), [4, 5, 6], [1.0, 0.0, 0.0]);
    }

    #[test]
    fn every_optimiser_follows_a_schedule() {
        fn follow(mut optimiser: impl Optimiser<f64>) -> Vec<f64> {
            let schedule = Schedule::linear(1.0, 2);
            let mut rate = |step| {
                schedule.apply(step, &mut optimiser);
                optimiser.rate()
            };
            [rate(0), rate(1), rate(2)].to_vec()
        }
        for rates in [follow(Sgd::new(9.0)), follow(Adam::new(9.0)), follow(AdamW::new(9.0))] {
            assert_eq!(rates, [1.0, 0.5, 0.0]);
        }
    }
}
