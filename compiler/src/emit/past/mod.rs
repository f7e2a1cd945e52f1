//! Values of earlier steps: the rings in the state, their series on the tape, and the code that
//! reads, records and pulls back.
//!
//! - `rings`: the types and fields of the rings;
//! - `series`: the series of recorded values and of their cotangents in a pass over a sequence;
//! - `windows`: the statements of windows and of their masks;
//! - `step`: the rings in a single step; `initial`: the rings of initial states.

mod initial;
mod rings;
mod series;
mod step;
mod windows;

pub use initial::{add_ring_bars, fill_rings, initial_bar};
pub use step::{bind_delay, record_states, record_values};
pub use windows::{window_column_in_step, window_in_step};
