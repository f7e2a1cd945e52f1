//! The types of values.
//!
//! | module | contents |
//! | --- | --- |
//! | [`blocks`] | parameters whose rows or columns are a sum of dimensions |
//! | [`sample`] | one sample's step as a part of a batch |
//! | [`varying`] | values as points of a vector space |

pub mod blocks;
pub mod sample;
pub mod varying;
