//! Ready-made cells. Each is an [`rnn_cell!`](crate::rnn_cell!) definition that names its paper.
//!
//! They use nothing that is private to this crate: copy one and change an equation.

mod attention;
mod decoder;
mod dense;
mod elman;
mod greff;
mod gru;
mod lstm;
mod quasi;
mod rwkv;
mod selective;
mod state_space;

pub use attention::*;
pub use decoder::*;
pub use dense::*;
pub use elman::*;
pub use greff::*;
pub use gru::*;
pub use lstm::*;
pub use quasi::*;
pub use rwkv::*;
pub use selective::*;
pub use state_space::*;
