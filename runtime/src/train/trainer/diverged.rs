//! The error of an update.

use alloc::string::String;
use core::fmt;

use crate::inspect::finite::Fault;

/// A loss or a gradient that is not finite. The update was not made, so the model is as before it.
#[derive(Clone, PartialEq)]
pub struct Diverged {
    /// The number of updates before this one.
    pub update: usize,
    /// The loss.
    pub loss: f64,
    /// The first value that is NaN or infinite: its layer and step, or the parameter. If the value
    /// is in the part of another process, only `Display` describes it.
    pub fault: Option<Fault>,
    /// The description of the fault that another process found.
    pub(super) elsewhere: Option<String>,
}

impl fmt::Display for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "update {}: the loss is {}", self.update, self.loss)?;
        match (&self.elsewhere, &self.fault) {
            (Some(fault), _) => write!(f, "; {fault}"),
            (None, Some(fault)) => write!(f, "; {fault}"),
            (None, None) => Ok(()),
        }
    }
}

/// Shows the message: `fn main() -> Result<(), Diverged>` prints it.
impl fmt::Debug for Diverged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Diverged {}
