//! What a mapping is made of, and how one is written.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::ops::{Bound, RangeBounds};

use super::plan::held;
use crate::cell::Model;

/// Which tensors of a file hold which parameters. Written once, it reads ([`load`](Self::load)) and writes
/// ([`save`](Self::save)); the [module](super) shows how.
///
/// It must give every entry of every parameter and buffer exactly once, and beyond that [`plus`] terms. Sizes are not written
/// down: they follow from the cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    pub(super) tensors: Vec<Tensor>,
    pub(super) ignored: Vec<String>,
}

impl Mapping {
    /// A mapping of no tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every parameter and buffer of `model` as a tensor of its own name: what [`super::save`] writes.
    pub fn by_name<M: Model>(model: &M) -> Self {
        let parameters =
            held(model).into_iter().filter(|parameter| parameter.whole.0 * parameter.whole.1 > 0);
        let tensors = parameters.map(|parameter| {
            let tensor = match parameter.whole {
                (1, 1) => scalar(&parameter.path),
                (_, 1) => vector(&parameter.path),
                _ => matrix(&parameter.path),
            };
            tensor.stack([parameter.path])
        });
        Self { tensors: tensors.collect(), ignored: Vec::new() }
    }

    /// Adds a tensor.
    pub fn with(mut self, tensor: Tensor) -> Self {
        self.tensors.push(tensor);
        self
    }

    /// Adds the tensors of another mapping, and what it ignores.
    pub fn and(mut self, other: Mapping) -> Self {
        self.tensors.extend(other.tensors);
        self.ignored.extend(other.ignored);
        self
    }

    /// Puts `path.` before the names of all parameters so far: where the cell stands in its network, as in `.under(0)` or
    /// `.under("1.forward")`.
    pub fn under(mut self, path: impl Display) -> Self {
        let parts = self.tensors.iter_mut().flat_map(|tensor| tensor.stacks.iter_mut().flatten());
        parts.for_each(|part| part.parameter = format!("{path}.{}", part.parameter));
        self
    }

    /// Puts `prefix`, as it is, before the names of all tensors so far, and before what is ignored so far: `.prefix("lstm.")`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        let names = self.tensors.iter_mut().map(|tensor| &mut tensor.name).chain(&mut self.ignored);
        names.for_each(|name| name.insert_str(0, prefix));
        self
    }

    /// A file may also hold tensors whose names begin so; they are not read.
    pub fn ignoring(mut self, beginning: &str) -> Self {
        self.ignored.push(beginning.to_string());
        self
    }
}

/// A tensor of a file and what it is made of: [stacks](Self::stack) of parts of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    pub(super) name: String,
    pub(super) rank: Rank,
    pub(super) transposed: bool,
    pub(super) stacks: Vec<Vec<Part>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Scalar,
    Vector,
    Matrix,
}

/// A tensor of shape `[rows, columns]`, also where one of them is 1.
pub fn matrix(name: impl Into<String>) -> Tensor {
    Tensor::new(name, Rank::Matrix)
}

/// A tensor of shape `[n]`.
pub fn vector(name: impl Into<String>) -> Tensor {
    Tensor::new(name, Rank::Vector)
}

/// A tensor of shape `[]`.
pub fn scalar(name: impl Into<String>) -> Tensor {
    Tensor::new(name, Rank::Scalar)
}

impl Tensor {
    fn new(name: impl Into<String>, rank: Rank) -> Self {
        Self { name: name.into(), rank, transposed: false, stacks: Vec::new() }
    }

    /// Adds parts that stand one below the other, in this order: the gates. A second call adds them to the right of the first
    /// ones, a third to the right of those.
    pub fn stack<P: Into<Part>>(mut self, parts: impl IntoIterator<Item = P>) -> Self {
        self.stacks.push(parts.into_iter().map(Into::into).collect());
        self
    }

    /// The file holds the matrix transposed, as those do that multiply from the right (`x W`). Stacks are then, in the
    /// file, one below the other, and the parts of a stack side by side.
    pub fn transposed(mut self) -> Self {
        self.transposed = !self.transposed;
        self
    }
}

/// A parameter, or some of its rows and columns, as a part of a tensor. A name stands for the whole parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub(super) parameter: String,
    pub(super) rows: Span,
    pub(super) columns: Span,
    pub(super) plus: bool,
    pub(super) negated: bool,
}

/// From, up to (without), the end where that is none.
pub(super) type Span = (usize, Option<usize>);

/// The parameter of this name.
pub fn part(parameter: impl Into<String>) -> Part {
    Part { parameter: parameter.into(), rows: (0, None), columns: (0, None), plus: false, negated: false }
}

/// A further term of this parameter: read, it is added to the parameter's value; written, it is zero. PyTorch's two biases of
/// a gate are one parameter here.
pub fn plus(parameter: impl Into<String>) -> Part {
    Part { plus: true, ..part(parameter) }
}

impl Part {
    /// These rows of the parameter alone: `part("W").rows(8..16)`.
    pub fn rows(mut self, rows: impl RangeBounds<usize>) -> Self {
        self.rows = span(&rows);
        self
    }

    /// These columns of the parameter alone: of `param W: [H, H + I]`, `part("W").columns(..8)` multiplies `h` if `H` is 8.
    pub fn columns(mut self, columns: impl RangeBounds<usize>) -> Self {
        self.columns = span(&columns);
        self
    }

    /// The file holds the negative. A gate that is one minus the file's gate has all its parameters negated:
    /// `1 - sigmoid(z)` is `sigmoid(-z)`.
    pub fn negated(mut self) -> Self {
        self.negated = !self.negated;
        self
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
