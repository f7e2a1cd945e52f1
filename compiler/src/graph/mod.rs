//! The graph of a step: values, the operations between them, and their derivatives. It is
//! independent of cells.
//!
//! [`ir`] holds the values, [`simplify`] the builders, which save arithmetic as they create nodes.
//! [`ops`] defines the operations of the language in terms of the builders, [`autodiff`] the
//! reverse sweep, [`grid`] values in blocks, and [`text`] values as text.

pub mod autodiff;
pub mod grid;
pub mod ir;
pub mod ops;
pub mod simplify;
pub mod text;
