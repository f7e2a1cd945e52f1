//! Layers of one step, and pools over all steps.

mod dense;
mod embedding;
mod norm;
mod pool;

pub use dense::*;
pub use embedding::*;
pub use norm::*;
pub use pool::*;
