//! The performance goals, and their comparison with measurements.

use crate::measure::Times;

/// The GFLOP/s of multiply-adds on the reference machine of the goals in nanoseconds, one core of
/// an EPYC (Zen 3).
const REFERENCE_PEAK: f64 = 102.6;
/// The GB/s of the second-level cache of the reference machine.
const REFERENCE_BANDWIDTH: f64 = 102.0;

/// The size from which the second-level cache limits a step. Below it, the arithmetic does.
const CACHE_BOUND: usize = 64;

/// The goal for one step at `H`, with exact activations and one input.
#[derive(Debug, Clone, Copy)]
pub struct StepGoal {
    /// The size of the state.
    pub h: usize,
    /// The nanoseconds of the LSTM on the reference machine.
    pub lstm: f64,
    /// The nanoseconds of the GRU on the reference machine.
    pub gru: f64,
}

/// The goals for steps.
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
    /// Converts a goal in nanoseconds from the reference machine to this machine.
    pub fn scaled(&self, goal: f64, h: usize) -> Option<f64> {
        let (peak, bandwidth) = self.baselines()?;
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
    /// Checks that `value` is at most `wanted`. Ignores values that were not measured.
    pub fn at_most(&mut self, name: &str, value: Option<f64>, wanted: Option<f64>) {
        let Some((value, wanted)) = value.zip(wanted) else { return };
        self.checked += 1;
        if value > wanted {
            self.missed.push(format!("{name} by {:.2}", value / wanted));
        }
    }

    /// Checks that `value` is at least `wanted`. Ignores values that were not measured.
    pub fn at_least(&mut self, name: &str, value: Option<f64>, wanted: f64) {
        let Some(value) = value else { return };
        self.checked += 1;
        if value < wanted {
            self.missed.push(format!("{name} by {:.2}", wanted / value));
        }
    }

    /// Returns the text for the table: `reached`, or each missed goal with its factor, or nothing
    /// if there was no goal.
    pub fn verdict(&self) -> String {
        match (self.checked, self.missed.is_empty()) {
            (0, _) => String::new(),
            (_, true) => "reached".to_owned(),
            (_, false) => format!("missed: {}", self.missed.join(", ")),
        }
    }
}
