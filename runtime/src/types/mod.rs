//! The types of values.
//!
//! | module | contents |
//! | --- | --- |
//! | [`blocks`] | parameters whose rows or columns are a sum of dimensions |
//! | [`heads`] | values of blocks of heads, `heads K { .. }` |
//! | [`rings`] | the last values of a cell that reads earlier steps |
//! | [`sample`] | one sample's step as a part of a batch |
//! | [`varying`] | values as points of a vector space |

pub mod blocks;
pub mod heads;
pub mod rings;
pub mod sample;
pub mod varying;
