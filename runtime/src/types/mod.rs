//! The types of values.
//!
//! | module | contents |
//! | --- | --- |
//! | [`blocks`] | parameters whose rows or columns are a sum of dimensions |
//! | [`rings`] | the last values of a cell that reads earlier steps |
//! | [`varying`] | values as points of a vector space |

pub mod blocks;
pub mod rings;
pub mod varying;
