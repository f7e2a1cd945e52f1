//! The types of values.
//!
//! | module | contents |
//! | --- | --- |
//! | [`blocks`] | parameters whose rows or columns are a sum of dimensions |
//! | [`varying`] | values as points of a vector space |

pub mod blocks;
pub mod varying;
