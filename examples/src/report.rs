//! What a run says: a progress bar on a terminal (nothing in a log file), and errors as a message and an exit
//! code.

use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::process::ExitCode;

/// A progress bar over `steps` of training. It shows itself only on a terminal.
pub fn progress(what: &str, steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}, {eta} left, {msg}")
        .expect("the template is valid");
    bar.with_style(style).with_prefix(what.to_string())
}

/// Runs an example: an error becomes a message on standard error and a failing exit code.
pub fn run(example: impl FnOnce() -> Result<(), Box<dyn Error>>) -> ExitCode {
    match example() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The mean and the standard deviation (of a sample) of `values`.
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 })
}
