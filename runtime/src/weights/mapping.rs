//! What a mapping is made of, and how one is written.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use core::ops::{Bound, RangeBounds};

use super::plan::held;
use super::ready::{Kind, Ready, split};
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
    /// Tensors that the file doesn't have; their parameters are zero.
    pub(super) omitted: Vec<Tensor>,
    /// The layers that ready mappings gave, for what is told of mistakes.
    pub(super) layers: Vec<Ready>,
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
        Self { tensors: tensors.collect(), ..Self::default() }
    }

    /// Adds a tensor.
    pub fn with(mut self, tensor: Tensor) -> Self {
        self.tensors.push(tensor);
        self
    }

    /// Adds the tensors of another mapping, and what it ignores.
    pub fn and(mut self, other: Mapping) -> Self {
        let before = self.tensors.len();
        self.layers.extend(other.layers.into_iter().map(|layer| Ready {
            tensors: layer.tensors.start + before..layer.tensors.end + before,
            ..layer
        }));
        self.omitted.extend(other.omitted);
        self.tensors.extend(other.tensors);
        self.ignored.extend(other.ignored);
        self
    }

    /// Puts `path.` before the names of all parameters so far: where the cell stands in its network, as in `.under(0)` or
    /// `.under("1.forward")`.
    pub fn under(mut self, path: impl Display) -> Self {
        let tensors = self.tensors.iter_mut().chain(&mut self.omitted);
        let parts = tensors.flat_map(|tensor| tensor.stacks.iter_mut().flatten());
        parts.for_each(|part| part.parameter = format!("{path}.{}", part.parameter));
        for layer in &mut self.layers {
            layer.path =
                if layer.path.is_empty() { path.to_string() } else { format!("{path}.{}", layer.path) };
        }
        self
    }

    /// Puts `prefix`, as it is, before the names of all tensors so far, and before what is ignored so far: `.prefix("lstm.")`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        for tensor in self.tensors.iter_mut().chain(&mut self.omitted) {
            tensor.name.insert_str(0, prefix);
            tensor.prefix += prefix.len();
        }
        self.ignored.iter_mut().for_each(|name| name.insert_str(0, prefix));
        self
    }

    /// A file may also hold tensors whose names begin so; they are not read.
    pub fn ignoring(mut self, beginning: &str) -> Self {
        self.ignored.push(beginning.to_string());
        self
    }

    /// The layers so far that [`torch`](super::torch) and [`keras`](super::keras) describe have no biases in the file (`bias=False`,
    /// `use_bias=False`). Read, they are zero; a model whose biases are not is not written.
    pub fn without_bias(mut self) -> Self {
        let bias = |place: usize| self.layer_of(place).is_some() && self.tensors[place].is_bias();
        let bias: Vec<bool> = (0..self.tensors.len()).map(bias).collect();
        let kept = |end: usize| bias[..end].iter().filter(|bias| !**bias).count();
        for layer in &mut self.layers {
            layer.tensors = kept(layer.tensors.start)..kept(layer.tensors.end);
        }
        for (tensor, bias) in core::mem::take(&mut self.tensors).into_iter().zip(bias) {
            if bias { &mut self.omitted } else { &mut self.tensors }.push(tensor);
        }
        self
    }

    /// All tensors so far are those of a layer of this kind.
    pub(super) fn of(mut self, kind: &'static Kind) -> Self {
        self.layers.push(Ready { kind, tensors: 0..self.tensors.len(), path: String::new() });
        self
    }

    /// The layer that a tensor is of.
    pub(super) fn layer_of(&self, tensor: usize) -> Option<&Ready> {
        self.layers.iter().find(|layer| layer.tensors.contains(&tensor))
    }

    /// As if it were written by hand: for files whose names and cells the user doesn't choose.
    #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
    pub(super) fn plain(&self) -> Self {
        let mut plain = Self { layers: Vec::new(), ..self.clone() };
        plain.tensors.iter_mut().for_each(|tensor| tensor.prefix = 0);
        plain
    }
}

/// A tensor of a file and what it is made of: [stacks](Self::stack) of parts of parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    pub(super) name: String,
    /// How much of the name is what [`Mapping::prefix`] put before it.
    pub(super) prefix: usize,
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
        Self { name: name.into(), prefix: 0, rank, transposed: false, stacks: Vec::new() }
    }

    /// Whether a layer of a ready mapping has it as a bias.
    pub(super) fn is_bias(&self) -> bool {
        self.name[self.prefix..].starts_with("bias")
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
    /// The parameter's name, at `path` if that isn't the one that the mapping says.
    pub(super) fn at(&self, path: Option<&str>) -> Cow<'_, str> {
        match (path, split(&self.parameter).1) {
            (None, _) => Cow::Borrowed(&self.parameter),
            (Some(""), name) => Cow::Borrowed(name),
            (Some(path), name) => Cow::Owned(format!("{path}.{name}")),
        }
    }

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
