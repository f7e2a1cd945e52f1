//! The kernels, and of the runtime no more than they need.

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
