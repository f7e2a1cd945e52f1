//! What is to be reached, and whether it is.

use crate::measure::Times;

/// GFLOP/s of multiply-adds and GB/s of the second-level cache on the machine that the goals in nanoseconds are of: one core of an
/// EPYC (Zen 3).
const REFERENCE_PEAK: f64 = 102.6;
const REFERENCE_BANDWIDTH: f64 = 102.0;

/// From this size on a step waits for the second-level cache, below it for the arithmetic.
const CACHE_BOUND: usize = 64;

/// What one step may take at `H`, with exact activations and one input.
#[derive(Debug, Clone, Copy)]
pub struct StepGoal {
    /// The size of the state.
    pub h: usize,
    /// Nanoseconds of the LSTM on the machine of reference.
    pub lstm: f64,
    /// Nanoseconds of the GRU.
    pub gru: f64,
}

/// The goals of steps.
pub const STEP_GOALS: [StepGoal; 7] = [
    StepGoal { h: 8, lstm: 50.0, gru: 42.0 },
    StepGoal { h: 16, lstm: 90.0, gru: 67.0 },
    StepGoal { h: 20, lstm: 150.0, gru: 120.0 },
    StepGoal { h: 32, lstm: 195.0, gru: 175.0 },
    StepGoal { h: 40, lstm: 280.0, gru: 250.0 },
    StepGoal { h: 64, lstm: 835.0, gru: 640.0 },
    StepGoal { h: 128, lstm: 3000.0, gru: 2360.0 },
];

impl Times {
    /// A goal in nanoseconds on the machine of reference, as nanoseconds on this one.
    pub fn scaled(&self, goal: f64, h: usize) -> Option<f64> {
        let (peak, bandwidth) = self.yardsticks()?;
        let factor = if h < CACHE_BOUND { REFERENCE_PEAK / peak } else { REFERENCE_BANDWIDTH / bandwidth };
        Some(goal * factor)
    }
}

/// The goals of one row.
#[derive(Debug, Default)]
pub struct Goals {
    checked: usize,
    missed: Vec<String>,
}

impl Goals {
    /// `value` may be at most `wanted`. What was not measured is no goal.
    pub fn at_most(&mut self, name: &str, value: Option<f64>, wanted: Option<f64>) {
        let Some((value, wanted)) = value.zip(wanted) else { return };
        self.checked += 1;
        if value > wanted {
            self.missed.push(format!("{name} by {:.2}", value / wanted));
        }
    }

    /// `value` must be at least `wanted`.
    pub fn at_least(&mut self, name: &str, value: Option<f64>, wanted: f64) {
        let Some(value) = value else { return };
        self.checked += 1;
        if value < wanted {
            self.missed.push(format!("{name} by {:.2}", wanted / value));
        }
    }

    /// What the table says: `reached`, or what was missed by which factor; nothing if there was no goal.
    pub fn verdict(&self) -> String {
        match (self.checked, self.missed.is_empty()) {
            (0, _) => String::new(),
            (_, true) => "reached".to_owned(),
            (_, false) => format!("missed: {}", self.missed.join(", ")),
        }
    }
}
