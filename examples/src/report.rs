//! The output of a run: a progress bar (on terminals only), errors as a message and an exit code,
//! means and medians, folders for its files.

use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Returns a progress bar over `steps` of training, which is visible only on a terminal.
pub fn progress(what: &str, steps: usize) -> ProgressBar {
    let bar = ProgressBar::new(steps as u64);
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len}, {eta} left, {msg}")
        .expect("the template is valid");
    bar.with_style(style).with_prefix(what.to_string())
}

/// Runs an example. An error becomes a message on standard error and a failing exit code.
pub fn run(example: impl FnOnce() -> Result<(), Box<dyn Error>>) -> ExitCode {
    match example() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Creates the parent folders of `path`.
///
/// # Errors
/// Fails with the name of a folder that cannot be created.
pub fn make_folders(path: &Path) -> Result<(), Box<dyn Error>> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()).into())
}

/// Returns the median, the later of the two middle times if their number is even, and zero if there
/// are none.
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Returns the mean and the sample standard deviation of `values`.
pub fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, if values.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 })
}
