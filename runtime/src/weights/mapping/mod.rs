//! The description of a file: which of its tensors holds which parameters.

mod layer;
mod tensor;

pub(super) use layer::{LayerKind, MappedLayer};
pub use tensor::{Part, Tensor, matrix, part, plus, scalar, vector};
pub(super) use tensor::{Rank, Span};

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

use super::parameters::parameters;
use crate::cell::Model;

/// A description of which tensors of a file hold which parameters. The same mapping reads
/// ([`load`](Self::load)) and writes ([`save`](Self::save)); see the [module](super) for an
/// example.
///
/// It must contain every entry of every parameter and buffer exactly once, apart from [`plus`]
/// terms. It does not contain sizes, which follow from the cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    pub(super) tensors: Vec<Tensor>,
    /// Prefixes of the names of tensors that the file may have and that are not read.
    pub(super) ignored: Vec<String>,
    /// Tensors that the file doesn't have. Their parameters are zero.
    pub(super) omitted: Vec<Tensor>,
    /// The layers from ready mappings, for messages.
    pub(super) layers: Vec<MappedLayer>,
}

impl Mapping {
    /// Creates a mapping without tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the mapping of [`save`](super::save): each parameter and buffer of `model` is a
    /// tensor of the same name.
    pub fn by_name<M: Model>(model: &M) -> Self {
        let parameters = parameters(model).into_iter().filter(|parameter| parameter.len() > 0);
        let tensors = parameters.map(|parameter| {
            let tensor = match parameter.rank {
                0 if parameter.heads.is_none() => scalar(&parameter.path),
                0 | 1 => vector(&parameter.path),
                _ => matrix(&parameter.path),
            };
            Tensor { may_lack_ones: true, ..tensor.stack([parameter.path]) }
        });
        Self { tensors: tensors.collect(), ..Self::default() }
    }

    /// Adds a tensor.
    pub fn with(mut self, tensor: Tensor) -> Self {
        self.tensors.push(tensor);
        self
    }

    /// Adds the tensors of another mapping and the names that it ignores.
    pub fn and(mut self, other: Mapping) -> Self {
        let before = self.tensors.len();
        self.layers.extend(other.layers.into_iter().map(|layer| MappedLayer {
            tensors: layer.tensors.start + before..layer.tensors.end + before,
            ..layer
        }));
        self.omitted.extend(other.omitted);
        self.tensors.extend(other.tensors);
        self.ignored.extend(other.ignored);
        self
    }

    /// Adds `path.` to the front of all parameter names so far. It is the position of a cell in its
    /// network, as in `.under(0)` or `.under("1.forward")`.
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

    /// Adds `prefix`, without a separator, to the front of all tensor names so far, ignored ones
    /// included: `.prefix("lstm.")`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        for tensor in self.tensors.iter_mut().chain(&mut self.omitted) {
            tensor.name.insert_str(0, prefix);
            tensor.prefix += prefix.len();
        }
        self.ignored.iter_mut().for_each(|name| name.insert_str(0, prefix));
        self
    }

    /// Permits tensors in the file whose names start with `beginning`. They are not read.
    pub fn ignoring(mut self, beginning: &str) -> Self {
        self.ignored.push(beginning.to_string());
        self
    }

    /// Removes the biases of all layers so far that come from [`torch`](super::torch) and
    /// [`keras`](super::keras), for files without them (`bias=False`, `use_bias=False`). A load
    /// sets them to zero; a save reports an error if they are not zero.
    pub fn without_bias(mut self) -> Self {
        let is_bias = |index: usize| self.layer_of(index).is_some() && self.tensors[index].is_bias();
        let is_bias: Vec<bool> = (0..self.tensors.len()).map(is_bias).collect();
        let kept = |end: usize| is_bias[..end].iter().filter(|is_bias| !**is_bias).count();
        for layer in &mut self.layers {
            layer.tensors = kept(layer.tensors.start)..kept(layer.tensors.end);
        }
        for (tensor, is_bias) in core::mem::take(&mut self.tensors).into_iter().zip(is_bias) {
            if is_bias { &mut self.omitted } else { &mut self.tensors }.push(tensor);
        }
        self
    }

    /// Declares that all tensors so far belong to one layer of this kind.
    pub(super) fn of(mut self, kind: &'static LayerKind) -> Self {
        self.layers.push(MappedLayer { kind, tensors: 0..self.tensors.len(), path: String::new() });
        self
    }

    /// Returns the layer of the tensor at `index`.
    pub(super) fn layer_of(&self, index: usize) -> Option<&MappedLayer> {
        self.layers.iter().find(|layer| layer.tensors.contains(&index))
    }

    /// Removes prefixes and layers, which only messages use, for files whose names and cells the
    /// user does not choose.
    #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
    pub(super) fn plain(&self) -> Self {
        let mut plain = Self { layers: Vec::new(), ..self.clone() };
        plain.tensors.iter_mut().for_each(|tensor| tensor.prefix = 0);
        plain
    }
}
