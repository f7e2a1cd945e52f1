//! Access to a value in generated code.

/// The access that a statement needs to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}
