//! A tensor in a mapping and the parts of parameters that it consists of.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Bound, RangeBounds};

use super::super::parameters::split_path;

/// A tensor of a file: [stacks](Self::stack) of parts of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    pub(in super::super) name: String,
    /// The length of the part of the name that [`Mapping::prefix`](super::Mapping::prefix) added.
    pub(in super::super) prefix: usize,
    pub(in super::super) rank: Rank,
    pub(in super::super) transposed: bool,
    /// True if the shape in the file may lack axes of size 1 at its end, as in files of earlier
    /// versions.
    pub(in super::super) may_lack_ones: bool,
    pub(in super::super) stacks: Vec<Vec<Part>>,
}

/// The number of axes of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Rank {
    Scalar,
    Vector,
    Matrix,
}

/// Creates a tensor of shape `[rows, columns]`, even if one of them is 1.
pub fn matrix(name: impl Into<String>) -> Tensor {
    Tensor::new(name, Rank::Matrix)
}

/// Creates a tensor of shape `[n]`.
pub fn vector(name: impl Into<String>) -> Tensor {
    Tensor::new(name, Rank::Vector)
}

/// Creates a tensor of shape `[]`.
pub fn scalar(name: impl Into<String>) -> Tensor {
    Tensor::new(name, Rank::Scalar)
}

impl Tensor {
    fn new(name: impl Into<String>, rank: Rank) -> Self {
        Self {
            name: name.into(),
            prefix: 0,
            rank,
            transposed: false,
            may_lack_ones: false,
            stacks: Vec::new(),
        }
    }

    /// Adds a stack of parts, one below the other, such as the gates. Each additional call adds a
    /// stack to the right of the previous ones.
    pub fn stack<P: Into<Part>>(mut self, parts: impl IntoIterator<Item = P>) -> Self {
        self.stacks.push(parts.into_iter().map(Into::into).collect());
        self
    }

    /// Declares that the file holds the transposed matrix, as in programs that multiply from the
    /// right (`x W`). In the file, stacks are then one below the other, and the parts of a stack
    /// side by side.
    pub fn transposed(mut self) -> Self {
        self.transposed = !self.transposed;
        self
    }

    /// Returns the name without its prefix.
    pub(in super::super) fn base(&self) -> &str {
        &self.name[self.prefix..]
    }

    /// Returns the parts of all stacks.
    pub(in super::super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.stacks.iter().flatten()
    }

    /// Returns whether the tensor of a ready mapping holds biases.
    pub(in super::super) fn is_bias(&self) -> bool {
        self.base().starts_with("bias")
    }
}

/// A parameter, or some of its rows and columns, as a part of a tensor. A name converts into the
/// whole parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub(in super::super) parameter: String,
    pub(in super::super) rows: Span,
    pub(in super::super) columns: Span,
    pub(in super::super) plus: bool,
    pub(in super::super) negated: bool,
}

/// The first index and the exclusive end, `None` if the range is open.
pub(in super::super) type Span = (usize, Option<usize>);

/// Returns the whole parameter of this name.
pub fn part(parameter: impl Into<String>) -> Part {
    Part { parameter: parameter.into(), rows: (0, None), columns: (0, None), plus: false, negated: false }
}

/// Returns a second term of this parameter. A load adds it to the parameter's value; a save writes
/// zeros. PyTorch's two biases per gate are one parameter here.
pub fn plus(parameter: impl Into<String>) -> Part {
    Part { plus: true, ..part(parameter) }
}

impl Part {
    /// Selects rows of the parameter: `part("W").rows(8..16)`.
    pub fn rows(mut self, rows: impl RangeBounds<usize>) -> Self {
        self.rows = span(&rows);
        self
    }

    /// Selects columns of the parameter. In `param W: [H, H + I]` with `H` = 8,
    /// `part("W").columns(..8)` multiplies `h`.
    pub fn columns(mut self, columns: impl RangeBounds<usize>) -> Self {
        self.columns = span(&columns);
        self
    }

    /// Declares that the file holds the negative. If a gate is one minus the file's gate, all its
    /// parameters are negated: `1 - sigmoid(z)` is `sigmoid(-z)`.
    pub fn negated(mut self) -> Self {
        self.negated = !self.negated;
        self
    }

    /// Returns the parameter's path if its cell is at `path`. Without `path`, returns the path in
    /// the mapping.
    pub(in super::super) fn at(&self, path: Option<&str>) -> Cow<'_, str> {
        match (path, split_path(&self.parameter).1) {
            (None, _) => Cow::Borrowed(&self.parameter),
            (Some(""), name) => Cow::Borrowed(name),
            (Some(path), name) => Cow::Owned(format!("{path}.{name}")),
        }
    }
}

fn span(range: &impl RangeBounds<usize>) -> Span {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => Some(end.saturating_add(1)),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => None,
    };
    (start, end)
}

impl From<&str> for Part {
    fn from(parameter: &str) -> Self {
        part(parameter)
    }
}

impl From<String> for Part {
    fn from(parameter: String) -> Self {
        part(parameter)
    }
}
