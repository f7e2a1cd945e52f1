//! Values of earlier steps: where they are recorded, and their cotangents.
//!
//! In a pass over a sequence, a recorded value has a series that begins with the values before the
//! first step, and a delayed read is an offset into it. The cotangents of delayed reads are added
//! to a separate series, one for each ring. The step that computed the value reads their sum from
//! it.

use crate::graph::ir::{Earlier, Id, Piece};

/// A block of a value of which earlier steps are read.
#[derive(Debug, Clone, Copy)]
pub struct Recorded {
    /// `Piece::of` is the index of the value.
    pub piece: Piece,
    pub source: Source,
}

/// The origin of a recorded block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Input(Piece),
    /// A one-hot input, which has no cotangent.
    Index(Piece),
    State(Piece),
    /// A value that owns its series.
    Value(Id),
}

impl Source {
    pub fn is_input(self) -> bool {
        matches!(self, Source::Input(_) | Source::Index(_))
    }
}

impl Recorded {
    /// Returns the value that owns the series, if neither an input nor a state does.
    pub fn computed(&self) -> Option<Id> {
        match self.source {
            Source::Value(id) => Some(id),
            _ => None,
        }
    }

    pub fn computed_mut(&mut self) -> Option<&mut Id> {
        match &mut self.source {
            Source::Value(id) => Some(id),
            _ => None,
        }
    }
}

/// A cotangent of a read of earlier values.
#[derive(Debug, Clone, Copy)]
pub struct Push {
    pub earlier: Earlier,
    pub id: Id,
}

/// Returns the source of a recorded value.
///
/// # Panics
/// Panics if the value is not recorded.
pub fn source(recorded: &[Recorded], piece: Piece) -> Source {
    recorded.iter().find(|record| record.piece == piece).expect("every earlier value is recorded").source
}
