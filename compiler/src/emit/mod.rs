//! From the plan to Rust.
//!
//! - [`context`]: names, types of blocks, paths;
//! - [`body`]: one region's code, group by group; [`fused`]: the loops over entries;
//! - [`layout`]: the tape; [`sequence`]: forward and backward; [`stream`]: one step; [`start`]: initial states;
//! - [`items`]: all that a definition expands to: [`types`] as signatures name them, [`structs`], [`methods`] of a step, [`passes`] over
//!   sequences, and [`jobs`], both as the runtime runs them; [`model`]: parameters and initialisation; [`traits`] of the cell, and of its
//!   [`values`];
//! - [`quantised`]: the copy of a cell whose matrices are stored in fewer bits, and [`storage`], what it holds;
//! - [`skeleton`]: what is left of a definition with mistakes;
//! - [`docs`], [`text`]: equations as text; [`hygiene`]: identifiers;
//! - [`places`] of names in the user's source, and [`mentions`] of them, for editors.

pub mod body;
pub mod context;
pub mod docs;
mod fused;
pub mod hygiene;
pub mod items;
mod jobs;
pub mod layout;
mod mentions;
mod methods;
pub mod model;
mod passes;
pub mod places;
mod quantised;
pub mod sequence;
pub mod skeleton;
pub mod start;
pub mod storage;
pub mod stream;
mod structs;
pub mod text;
pub mod traits;
pub mod types;
mod values;

#[cfg(test)]
mod tests;
