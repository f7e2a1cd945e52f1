//! The code that the examples share. Each example itself contains little but its cell and its
//! training.
//!
//! - [`adding`] draws sequences of the adding problem,
//! - [`audio`] reads and writes sound files,
//! - [`data`] reads the data files and reports mistakes in them,
//! - [`dates`] generates dates in many written forms,
//! - [`jobs`] executes independent training runs in parallel,
//! - [`options`] reads the command-line options,
//! - [`plot`] draws the pictures of the results,
//! - [`reber`] draws strings of the embedded Reber grammar,
//! - [`report`] shows progress and turns an error into a message and an exit code,
//! - [`rnnoise`] is a network that removes noise from speech,
//! - [`silero`] is a network that detects speech.

pub mod adding;
pub mod audio;
pub mod data;
pub mod dates;
pub mod jobs;
pub mod options;
pub mod plot;
pub mod reber;
pub mod report;
pub mod rnnoise;
pub mod silero;
