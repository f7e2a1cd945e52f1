//! The safetensors format: <https://huggingface.co/docs/safetensors>.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::error::Problem;
use super::tensor::{Read, Values, Written};
use crate::Scalar;

/// The tensors of a file, in the order of their names.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Read<'_>>, Problem> {
    if let Some(problem) = other_format(bytes) {
        return Err(problem);
    }
    if has_huge_number(bytes) {
        let message = "a size or an offset in its header is larger than any file".to_string();
        return Err(damaged(message));
    }
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(told(&error)))?;
    let mut tensors: Vec<Read> = file.tensors().into_iter().map(|(name, view)| tensor(name, &view)).collect();
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

/// What a file is that isn't safetensors but that weights are often saved in.
fn other_format(bytes: &[u8]) -> Option<Problem> {
    const TORCH: &str = "in Python `safetensors.torch.save_file(model.state_dict(), \"net.safetensors\")`";
    const KERAS: &str = "in Python `safetensors.numpy.save_file({v.path: v.numpy() for v in model.weights}, \"net.safetensors\")`";
    const NUMPY: &str =
        "in Python `safetensors.numpy.save_file(dict(numpy.load(\"net.npz\")), \"net.safetensors\")`";
    let (found, help) = if bytes.starts_with(b"PK\x03\x04") {
        // The name of a zip archive's first entry stands behind 30 bytes of other things, the 27th of which begin its length.
        let length =
            bytes.get(26..28).map_or(0, |length| usize::from(u16::from_le_bytes([length[0], length[1]])));
        let first = bytes.get(30..30 + length).unwrap_or_default();
        if first.ends_with(b".npy") {
            ("a zip archive of NumPy (`numpy.savez`)", NUMPY)
        } else if [b"metadata.json".as_slice(), b"config.json", b"model.weights.h5"].contains(&first) {
            ("a zip archive of Keras (`model.save`)", KERAS)
        } else {
            ("a PyTorch zip archive (`torch.save`)", TORCH)
        }
    } else if bytes.starts_with(b"\x80\x02\x8a\x0a") {
        ("a pickle of an old PyTorch (`torch.save`)", TORCH)
    } else if bytes.starts_with(b"\x89HDF\r\n\x1a\n") {
        ("an HDF5 file, as Keras saves weights", KERAS)
    } else {
        return None;
    };
    Some(Problem::OtherFormat { found, help })
}

fn damaged(message: String) -> Problem {
    Problem::Format { format: "safetensors", message }
}

fn told(error: &safetensors::SafeTensorError) -> String {
    use safetensors::SafeTensorError::*;
    let plain = match error {
        HeaderTooSmall => "it has fewer than 8 bytes",
        HeaderTooLarge => "the length of its header, its first 8 bytes, is above 100 MB",
        InvalidHeaderLength => "it ends within its header",
        MetadataIncompleteBuffer => "its length isn't what its header says; it may have been cut off",
        TensorInvalidInfo => "a tensor's bytes are not as many as its shape needs",
        other => return other.to_string(),
    };
    plain.to_string()
}

fn tensor<'a>(name: String, view: &TensorView<'a>) -> Read<'a> {
    let data: &'a [u8] = view.data();
    // The format's reader has checked that the bytes are a multiple of the type's.
    let values = match view.dtype() {
        Dtype::F32 => Ok(Values::F32(data.as_chunks().0)),
        Dtype::F16 => Ok(Values::F16(data.as_chunks().0)),
        Dtype::BF16 => Ok(Values::Bf16(data.as_chunks().0)),
        Dtype::F64 => Ok(Values::F64(data.as_chunks().0)),
        other => Err(format!("{other:?}")),
    };
    Read { name, shape: view.shape().to_vec(), values }
}

/// Whether the header holds a number so long that sums of two may overflow. The format's reader (safetensors 0.8.0) adds
/// the last offset and the header's length up unchecked; with such offsets that overflows, and in a release build
/// offsets beyond the file's end could pass.
fn has_huge_number(bytes: &[u8]) -> bool {
    let digits = usize::MAX.ilog10();
    let (mut within_string, mut escaped, mut run) = (false, false, 0);
    let header = bytes.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
    let header = usize::try_from(header).unwrap_or(usize::MAX);
    for byte in bytes.iter().skip(8).take(header) {
        run = if !within_string && byte.is_ascii_digit() { run + 1 } else { 0 };
        if run > digits {
            return true;
        }
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = within_string,
            b'"' => within_string = !within_string,
            _ => {}
        }
    }
    false
}

/// A file of these tensors.
pub(super) fn write<T: Scalar>(tensors: &[Written<'_, T>]) -> Result<Vec<u8>, Problem> {
    let problem = |error| damaged(told(&error));
    let single = size_of::<T>() == size_of::<f32>();
    let data: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| {
            let values = tensor.values.iter().map(|value| value.as_f64());
            // A scalar is f32 or f64; the first goes through a double without a change.
            if single {
                values.flat_map(|value| (value as f32).to_le_bytes()).collect()
            } else {
                values.flat_map(f64::to_le_bytes).collect()
            }
        })
        .collect();
    let dtype = if single { Dtype::F32 } else { Dtype::F64 };
    let views = tensors.iter().zip(&data).map(|(tensor, data)| {
        let view = TensorView::new(dtype, tensor.shape.clone(), data);
        view.map(|view| (tensor.name, view)).map_err(problem)
    });
    serialize(views.collect::<Result<Vec<_>, Problem>>()?, None).map_err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn file(header: &str, data: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        bytes
    }

    /// Eight tensors of 2^61 - 1 bytes and one that brings the end to where it wraps around to the file's length.
    #[test]
    fn offsets_that_wrap_around_are_an_error() {
        let most = (1_u64 << 61) - 1;
        let mut entries: Vec<String> = (0..8)
            .map(|k| {
                format!(
                    r#""t{k}":{{"dtype":"U8","shape":[{most}],"data_offsets":[{},{}]}}"#,
                    k * most,
                    (k + 1) * most
                )
            })
            .collect();
        let start = 8 * most;
        // The header's length doesn't depend on the last size as long as that has one digit.
        for last in 0..8_u64 {
            let end = start + last;
            entries.push(format!(r#""u":{{"dtype":"U8","shape":[{last}],"data_offsets":[{start},{end}]}}"#));
            let header = format!("{{{}}}", entries.join(","));
            entries.pop();
            let bytes = file(&header, 0);
            let problem = read(&bytes).unwrap_err();
            assert!(
                matches!(&problem, Problem::Format { message, .. } if message.contains("offset")),
                "{problem}"
            );
        }
    }

    #[test]
    fn digits_in_names_are_no_numbers() {
        let header = r#"{"__metadata__":{"at":"17640000000000000000000000 \"1"},"a\\":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let bytes = file(header, 4);
        let tensors = read(&bytes).unwrap();
        assert_eq!((tensors.len(), tensors[0].name.as_str()), (1, "a\\"));
        assert_eq!(tensors[0].values.as_ref().unwrap().at(0), 0.0);
    }
}
