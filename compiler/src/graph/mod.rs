//! The graph of a step: values, the operations between them, and their derivatives. Nothing here knows of cells.
//!
//! [`ir`] holds the values; [`simplify`] the builders, which save arithmetic as nodes are made; [`ops`] the operations of the
//! language in terms of the builders; [`autodiff`] the reverse sweep; [`grid`] values in blocks; [`text`] values as text.

pub mod autodiff;
pub mod grid;
pub mod ir;
pub mod ops;
pub mod simplify;
pub mod text;
