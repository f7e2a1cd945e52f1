//! From the plan to Rust.
//!
//! - [`context`]: names, types of blocks, paths;
//! - [`body`]: one region's code, group by group;
//! - [`layout`]: the tape; [`sequence`]: forward and backward; [`stream`]: one step; [`start`]: initial states;
//! - [`items`]: the types and their methods; [`model`]: parameters and initialisation; [`traits`]: the runtime's traits;
//! - [`skeleton`]: what is left of a definition with mistakes;
//! - [`docs`], [`text`]: equations as text; [`hygiene`]: identifiers.

pub mod body;
pub mod context;
pub mod docs;
pub mod hygiene;
pub mod items;
pub mod layout;
pub mod model;
pub mod sequence;
pub mod skeleton;
pub mod start;
pub mod stream;
pub mod text;
pub mod traits;

#[cfg(test)]
mod tests;
