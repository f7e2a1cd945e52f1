//! From the plan to plain text, which a build carries: the equations as they were written, and those that were derived.

pub mod adjoints;
pub mod equations;
pub mod jacobian;
