//! What the examples share, so that each example shows its cell and its training and little else.
//!
//! - [`adding`] draws sequences of the adding problem,
//! - [`audio`] reads and writes sound files,
//! - [`data`] reads the data files and says what is wrong with them,
//! - [`dates`] makes dates in many written forms,
//! - [`jobs`] runs independent trainings side by side,
//! - [`options`] reads the few command-line options,
//! - [`plot`] draws the pictures,
//! - [`reber`] draws strings of the embedded Reber grammar,
//! - [`report`] shows progress and turns an error into a message and an exit code,
//! - [`silero`] is a network that hears speech,
//! - [`train`] holds a network in training.

pub mod adding;
pub mod audio;
pub mod data;
pub mod dates;
pub mod jobs;
pub mod options;
pub mod plot;
pub mod reber;
pub mod report;
pub mod silero;
pub mod train;
