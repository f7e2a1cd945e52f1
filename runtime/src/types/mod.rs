//! The types of values: matrices of blocks, and values as points of a vector space.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`blocks`] | parameters whose rows or columns are a sum of dimensions |
//! | [`varying`] | values as points of a vector space |

pub mod blocks;
pub mod varying;
