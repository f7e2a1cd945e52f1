//! The code of operations: those of entries are expressions within a fused loop, the others statements of their own.

pub mod elementwise;
pub mod one_hot;
pub mod product;
pub mod rearrange;
pub mod reduce;
