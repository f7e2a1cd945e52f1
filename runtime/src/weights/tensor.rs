//! The tensors between a file format and a mapping. Readers create [`FileTensor`]s, and writers
//! take [`ModelTensor`]s.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::error::Problem;

/// The numbers of a tensor, row by row: little-endian bytes of the file, or numbers that a reader
/// has parsed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    #[cfg(feature = "safetensors")]
    F16(&'a [[u8; 2]]),
    #[cfg(feature = "safetensors")]
    Bf16(&'a [[u8; 2]]),
    #[cfg(feature = "safetensors")]
    F32(&'a [[u8; 4]]),
    #[cfg(feature = "safetensors")]
    F64(&'a [[u8; 8]]),
    #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
    Numbers(&'a [f64]),
}

impl Values<'_> {
    /// Returns the value at `index`, counted row by row.
    pub(super) fn at(&self, index: usize) -> f64 {
        match self {
            #[cfg(feature = "safetensors")]
            Values::F16(values) => half(u16::from_le_bytes(values[index])),
            #[cfg(feature = "safetensors")]
            Values::Bf16(values) => {
                // A bfloat16 is the upper half of an `f32`.
                let bits = u32::from(u16::from_le_bytes(values[index])) << 16;
                f64::from(f32::from_bits(bits))
            }
            #[cfg(feature = "safetensors")]
            Values::F32(values) => f64::from(f32::from_le_bytes(values[index])),
            #[cfg(feature = "safetensors")]
            Values::F64(values) => f64::from_le_bytes(values[index]),
            #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
            Values::Numbers(values) => values[index],
        }
    }

    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        match self {
            #[cfg(feature = "safetensors")]
            Values::F16(values) | Values::Bf16(values) => values.len(),
            #[cfg(feature = "safetensors")]
            Values::F32(values) => values.len(),
            #[cfg(feature = "safetensors")]
            Values::F64(values) => values.len(),
            #[cfg(any(feature = "nam", feature = "rtneural", feature = "onnx"))]
            Values::Numbers(values) => values.len(),
        }
    }
}

/// Converts from half precision (IEEE 754 binary16).
#[cfg(feature = "safetensors")]
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (u64::from((bits >> 10) & 31), u64::from(bits & 1023));
    let size = match exponent {
        0 => fraction as f64 / f64::from(1 << 24),
        31 if fraction > 0 => f64::NAN,
        31 => f64::INFINITY,
        // Exponents are biased by 15 here, and by 1023 in a double.
        _ => f64::from_bits(((exponent + 1008) << 52) | (fraction << 42)),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// A tensor of a file.
#[derive(Debug)]
pub(super) struct FileTensor<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// The values, one for each entry of the shape, or the name of an unsupported type.
    pub(super) values: Result<Values<'a>, String>,
}

/// Rounds the value of a tensor at `index`, counted row by row, to the nearest scalar.
#[cfg(feature = "safetensors")]
pub(super) fn round<T: crate::Scalar>(
    name: &str,
    shape: &[usize],
    index: usize,
    value: f64,
) -> Result<T, Problem> {
    let rounded = T::of(value);
    if rounded.is_finite() || !value.is_finite() {
        return Ok(rounded);
    }
    let columns = shape.last().copied().unwrap_or(1);
    Err(Problem::TooLarge { parameter: name.to_string(), at: (index / columns, index % columns), value })
}

/// A tensor of a model, to be written to a file.
#[derive(Debug)]
#[cfg(any(feature = "safetensors", feature = "nam"))]
pub(super) struct ModelTensor<'m, T> {
    pub(super) name: &'m str,
    pub(super) shape: Vec<usize>,
    /// The entries, row by row.
    pub(super) values: Vec<T>,
}

/// Returns an error unless all values of a tensor, in row-major order, are finite.
pub(super) fn check_finite(
    name: &str,
    shape: &[usize],
    values: impl Iterator<Item = f64>,
) -> Result<(), Problem> {
    let mut wrong = values.enumerate().filter(|(_, value)| !value.is_finite());
    let Some((mut index, value)) = wrong.next() else { return Ok(()) };
    let mut at = vec![0; shape.len()];
    for (at, &size) in at.iter_mut().zip(shape).rev() {
        *at = index % size.max(1);
        index /= size.max(1);
    }
    Err(Problem::NotFinite { name: name.to_string(), at, value, count: 1 + wrong.count() })
}

#[cfg(all(test, feature = "safetensors"))]
mod tests {
    use super::*;

    #[test]
    fn every_half_precision_number_converts() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from((bits >> 10) & 31), f64::from(bits & 1023) / 1024.0);
            let size = match exponent {
                31 if fraction > 0.0 => f64::NAN,
                31 => f64::INFINITY,
                0 => fraction * 2f64.powi(-14),
                _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
            };
            let wanted = if bits < 0x8000 { size } else { -size };
            let read = half(bits);
            assert!(
                read.to_bits() == wanted.to_bits() || read.is_nan() && wanted.is_nan(),
                "{bits:#x}: {read}"
            );
        }
        assert_eq!((half(0x3c00), half(0xc000), half(0x7bff), half(1)), (1.0, -2.0, 65504.0, 2f64.powi(-24)));
    }
}
