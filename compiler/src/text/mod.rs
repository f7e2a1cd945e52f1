//! Plain text that a build carries, generated from the plan: the equations as written, and those
//! that were derived.

pub mod adjoints;
pub mod definition;
pub mod jacobian;
