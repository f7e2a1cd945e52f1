//! The kernels, and of the runtime no more than they need.

extern crate alloc;

pub mod blocks;
pub mod cell;
pub mod kernels;
mod scalar;

pub use nalgebra;
pub use scalar::Scalar;
