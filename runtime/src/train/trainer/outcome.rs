//! The results of a training run over epochs.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Diverged, Scores};

/// The results of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// The number of the epoch, from 1.
    pub number: usize,
    /// The number of updates so far.
    pub updates: usize,
    /// The learning rate of the last update.
    pub rate: f64,
    /// The scores of the training samples, each computed before its update.
    pub training: Scores,
    /// The scores of the validation samples after the epoch, if there are any.
    pub validation: Option<Scores>,
    /// True if this is the best epoch so far.
    pub is_best: bool,
}

impl Epoch {
    /// Returns the loss that decides which epoch is the best: that of the validation samples, or
    /// else of the training samples.
    pub fn loss(&self) -> f64 {
        self.validation.as_ref().unwrap_or(&self.training).loss()
    }
}

/// A reason why a training run stopped.
#[derive(Clone)]
#[non_exhaustive]
pub enum Error {
    /// A loss or a gradient is not finite.
    Diverged(Diverged),
    /// The loss of the validation samples is not finite.
    Validation {
        /// The number of the epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// A checkpoint or a log could not be read or written.
    #[cfg(all(feature = "std", feature = "safetensors"))]
    File(crate::weights::Error),
    /// A process trains in another way than the first, or its model differs.
    Process {
        /// The number of the process, from 0.
        number: usize,
        /// The difference.
        problem: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Diverged(diverged) => fmt::Display::fmt(diverged, f),
            Error::Validation { epoch, loss } => {
                write!(f, "the loss of the validation samples is {loss} after epoch {epoch}")
            }
            #[cfg(all(feature = "std", feature = "safetensors"))]
            Error::File(error) => fmt::Display::fmt(error, f),
            Error::Process { number, problem } => write!(
                f,
                "process {number} {problem}\n  \
                 note: each process needs the same settings, the list of all samples, and a model of \
                 the same seed\n  \
                 note: processors with different instruction sets round differently, unless the \
                 feature `deterministic` is on"
            ),
        }
    }
}

/// Shows the message: `fn main() -> Result<(), Error>` prints it.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Error {}

impl From<Diverged> for Error {
    fn from(diverged: Diverged) -> Self {
        Error::Diverged(diverged)
    }
}

#[cfg(all(feature = "std", feature = "safetensors"))]
impl From<crate::weights::Error> for Error {
    fn from(error: crate::weights::Error) -> Self {
        Error::File(error)
    }
}

/// The results of a training run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The epochs, from the first; after a resume, those before it as well.
    pub epochs: Vec<Epoch>,
    /// The number of the best epoch, from 1.
    pub best: Option<usize>,
}

impl Outcome {
    /// Returns the metric `name` (or `"loss"`) of the training samples, one entry per epoch that
    /// has it.
    pub fn training(&self, name: &str) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.training.get(name)).collect()
    }

    /// Returns the metric `name` (or `"loss"`) of the validation samples, one entry per epoch that
    /// has it; empty without validation samples.
    pub fn validation(&self, name: &str) -> Vec<f64> {
        self.epochs.iter().filter_map(|epoch| epoch.validation.as_ref()?.get(name)).collect()
    }

    /// Returns the last epoch.
    pub fn last(&self) -> Option<&Epoch> {
        self.epochs.last()
    }
}
