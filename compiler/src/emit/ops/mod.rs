//! The code of operations. Element-wise operations are expressions within a fused loop, the others
//! separate statements.

pub mod elementwise;
pub mod one_hot;
pub mod parts;
pub mod product;
pub mod rearrange;
pub mod reduce;
