//! Tensors between a file's format and a mapping: every reader makes [`Read`]s, every writer takes [`Written`]s.

use alloc::string::String;
use alloc::vec::Vec;

/// The numbers of a tensor, row by row: a file's own bytes, little-endian, or numbers that a reader made of its text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    #[cfg(feature = "safetensors")]
    F32(&'a [[u8; 4]]),
    #[cfg(feature = "safetensors")]
    F64(&'a [[u8; 8]]),
    #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
    Numbers(&'a [f64]),
}

impl Values<'_> {
    /// The value at `place`, counted row by row.
    pub(super) fn at(&self, place: usize) -> f64 {
        match self {
            #[cfg(feature = "safetensors")]
            Values::F32(values) => f64::from(f32::from_le_bytes(values[place])),
            #[cfg(feature = "safetensors")]
            Values::F64(values) => f64::from_le_bytes(values[place]),
            #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
            Values::Numbers(values) => values[place],
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            #[cfg(feature = "safetensors")]
            Values::F32(values) => values.len(),
            #[cfg(feature = "safetensors")]
            Values::F64(values) => values.len(),
            #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
            Values::Numbers(values) => values.len(),
        }
    }
}

/// A tensor of a file.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// As many numbers as the shape has, or the name of another type.
    pub(super) values: Result<Values<'a>, String>,
}

/// A tensor to be written.
#[derive(Debug)]
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(super) struct Written<'m, T> {
    pub(super) name: &'m str,
    pub(super) shape: Vec<usize>,
    /// Row by row.
    pub(super) values: Vec<T>,
}
