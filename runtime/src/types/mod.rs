//! The types of values.
//!
//! | module | contents |
//! | --- | --- |
//! | [`blocks`] | parameters whose rows or columns are a sum of dimensions |
//! | [`heads`] | values of blocks of heads, `heads K { .. }` |
//! | [`varying`] | values as points of a vector space |

pub mod blocks;
pub mod heads;
pub mod varying;
