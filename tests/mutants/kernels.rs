//! The kernels and the few parts of the runtime that they need.

extern crate alloc;

pub mod cell;
pub mod kernels;
pub mod rng;
mod scalar;
pub mod types {
    pub mod blocks;
}

pub use nalgebra;
pub use scalar::Scalar;
