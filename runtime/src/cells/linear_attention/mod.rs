//! Linear attention: cells whose state is a memory of keys and values.

mod delta;
mod gated;
mod rwkv;
mod rwkv7;
mod rwkv_matrix;
mod xlstm;

pub use delta::*;
pub use gated::*;
pub use rwkv::*;
pub use rwkv_matrix::*;
pub use rwkv7::*;
pub use xlstm::*;
