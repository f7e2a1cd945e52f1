//! The layers of other programs that ready mappings describe. With them a message names a mistake
//! in a whole layer once, instead of once per parameter.

use alloc::string::String;
use core::ops::Range;

/// A kind of layer of another program.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct LayerKind {
    /// The function that returns its mapping, such as `torch::lstm`.
    pub(in super::super) mapping: &'static str,
    /// The layer's name in that program.
    pub(in super::super) layer: &'static str,
    /// The cell with the same equations.
    pub(in super::super) cell: &'static str,
    /// True if the layer has a hidden size. Its first tensor then multiplies the input, and its
    /// second the hidden state.
    pub(in super::super) is_recurrent: bool,
}

impl LayerKind {
    /// Creates a layer with a hidden state.
    pub(in super::super) const fn recurrent(
        mapping: &'static str,
        layer: &'static str,
        cell: &'static str,
    ) -> Self {
        LayerKind { mapping, layer, cell, is_recurrent: true }
    }

    /// Creates the layer whose cell is `Dense`.
    pub(in super::super) const fn dense(mapping: &'static str, layer: &'static str) -> Self {
        LayerKind { mapping, layer, cell: "Dense", is_recurrent: false }
    }

    /// Returns the program, which is the module of the mapping.
    pub(in super::super) fn program(&self) -> &'static str {
        self.mapping.split(':').next().unwrap_or_default()
    }

    /// Returns whether the names of its tensors end with the layer's number and direction.
    pub(in super::super) fn is_numbered(&self) -> bool {
        self.is_recurrent && self.program() == "torch"
    }
}

/// A layer in a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct MappedLayer {
    pub(in super::super) kind: &'static LayerKind,
    /// The range of its tensors in the mapping.
    pub(in super::super) tensors: Range<usize>,
    /// The path before its parameters, from [`Mapping::under`](super::Mapping::under).
    pub(in super::super) path: String,
}
