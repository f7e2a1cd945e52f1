//! The safetensors format: <https://huggingface.co/docs/safetensors>.
//!
//! This module does not use the crate `safetensors` (0.8.0), which accepts duplicate keys, takes
//! memory of 48 times the size of a shape with many dimensions, and adds offsets without an
//! overflow check.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

#[cfg(feature = "std")]
use super::disk;
use super::error::{Error, Problem, ShortName};
use super::json::{Json, describe, parse, string};
use super::mapping::Mapping;
use super::other_format::{Format, check_format};
use super::tensor::{FileTensor, ModelTensor, Values};
use crate::Scalar;
use crate::cell::{Model, ModelMut};

const FORMAT: Format = Format { name: "safetensors", is_json: false, exporter: None };

impl Mapping {
    /// Sets every parameter and buffer of `model` from a safetensors file.
    ///
    /// # Errors
    /// Lists all mistakes: missing and unexpected tensors, wrong shapes, types and values, and
    /// mistakes of the mapping itself. The model is then unchanged.
    pub fn load<M: ModelMut>(&self, model: &mut M, bytes: &[u8]) -> Result<(), Error> {
        let file = read(bytes);
        self.set_named(model, file.as_deref().map_err(Clone::clone))
    }

    /// Returns the parameters and buffers of `model` as a safetensors file in the model's
    /// precision.
    ///
    /// # Errors
    /// Lists mistakes of the mapping, and values that are not finite, which no load accepts.
    pub fn save<M: Model>(&self, model: &M) -> Result<Vec<u8>, Error> {
        self.write(model, |tensors| Ok(write(tensors)))
    }

    /// Loads the file at `path`: see [`load`](Self::load).
    ///
    /// # Errors
    /// If [`load`](Self::load) fails, or the file cannot be read.
    #[cfg(feature = "std")]
    pub fn load_file<M: ModelMut>(
        &self,
        model: &mut M,
        path: impl AsRef<std::path::Path>,
    ) -> Result<(), Error> {
        disk::read(path.as_ref(), |bytes| self.load(model, bytes))
    }

    /// Saves to the file at `path`: see [`save`](Self::save). Other programs see either the old
    /// file or the complete new one.
    ///
    /// # Errors
    /// If [`save`](Self::save) fails, or the file cannot be written.
    #[cfg(feature = "std")]
    pub fn save_file<M: Model>(&self, model: &M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
        disk::write(path.as_ref(), || self.save(model))
    }
}

/// Loads a file written by [`save`]: [`Mapping::load`] with [`Mapping::by_name`].
///
/// ```
/// use rnn_cell::cells::Gru;
/// use rnn_cell::prelude::*;
/// use rnn_cell::weights;
///
/// let gru = Gru::<3, 8>::init(&mut Xoshiro256PlusPlus::seed_from_u64(1));
/// let mut copy = Gru::<3, 8>::zeros();
/// weights::load(&mut copy, &weights::save(&gru)?)?;
/// assert_eq!(copy, gru);
/// # Ok::<(), weights::Error>(())
/// ```
///
/// # Errors
/// Lists all mistakes. The model is then unchanged.
pub fn load<M: ModelMut>(model: &mut M, bytes: &[u8]) -> Result<(), Error> {
    Mapping::by_name(model).load(model, bytes)
}

/// Returns the parameters and buffers of `model` as a safetensors file, one tensor for each, with
/// the name of its path.
///
/// # Errors
/// Lists values that are not finite.
pub fn save<M: Model>(model: &M) -> Result<Vec<u8>, Error> {
    Mapping::by_name(model).save(model)
}

/// Loads the file at `path`: see [`load`].
///
/// # Errors
/// If [`load`] fails, or the file cannot be read.
#[cfg(feature = "std")]
pub fn load_file<M: ModelMut>(model: &mut M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    Mapping::by_name(model).load_file(model, path)
}

/// Saves to the file at `path`: see [`save`].
///
/// # Errors
/// If [`save`] fails, or the file cannot be written.
#[cfg(feature = "std")]
pub fn save_file<M: Model>(model: &M, path: impl AsRef<std::path::Path>) -> Result<(), Error> {
    Mapping::by_name(model).save_file(model, path)
}

/// Reads the tensors of a file and sorts them by name.
fn read(bytes: &[u8]) -> Result<Vec<FileTensor<'_>>, Problem> {
    check_format(bytes, &FORMAT)?;
    let (length, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("it has fewer than 8 bytes"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok();
    let split = length.and_then(|length| rest.split_at_checked(length));
    let (header, data) = split.ok_or_else(|| damaged("it ends within its header"))?;
    let Json::Object(entries) = parse(header, FORMAT.name)? else {
        return Err(damaged("its header isn't an object"));
    };
    let (mut tensors, mut spans) = (Vec::new(), Vec::new());
    for (name, entry) in entries {
        if &*name != "__metadata__" {
            let (tensor, span) = tensor(name.into(), &entry, data)?;
            tensors.push(tensor);
            spans.push(span);
        }
    }
    spans.sort_unstable();
    let mut end = 0;
    for span in spans {
        if span.0 != end {
            return Err(damaged("the bytes of its tensors overlap or have gaps between them"));
        }
        end = span.1;
    }
    if end != data.len() {
        return Err(damaged(CUT));
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

const CUT: &str = "its length isn't what its header says; it may have been cut off";

fn damaged(message: impl ToString) -> Problem {
    Problem::Format { format: FORMAT.name, message: message.to_string() }
}

/// Reads a tensor. Returns it with the start and the end of its bytes.
fn tensor<'a>(
    name: String,
    entry: &Json,
    data: &'a [u8],
) -> Result<(FileTensor<'a>, (usize, usize)), Problem> {
    let of = |what: &str| damaged(format!("in the tensor {:?}, {what}", ShortName(&name)));
    let wrong = |key: &str, wanted: &str| of(&format!("`{key}` is {}; {wanted}", describe(entry.get(key))));
    let sizes = |key| entry.get(key).and_then(Json::sizes);
    let dtype =
        entry.get("dtype").and_then(Json::text).ok_or_else(|| wrong("dtype", "it must be a string"))?;
    let shape =
        sizes("shape").ok_or_else(|| wrong("shape", "it must be an array of whole numbers below 2^53"))?;
    let Some(&[start, end]) = sizes("data_offsets").as_deref() else {
        return Err(wrong("data_offsets", "it must be an array of two whole numbers below 2^53"));
    };
    if start > end {
        return Err(of("`data_offsets` end before they start"));
    }
    let data = data.get(start..end).ok_or_else(|| damaged(CUT))?;
    let (size, values) = match dtype {
        "F16" => (2, Ok(Values::F16(data.as_chunks().0))),
        "BF16" => (2, Ok(Values::Bf16(data.as_chunks().0))),
        "F32" => (4, Ok(Values::F32(data.as_chunks().0))),
        "F64" => (8, Ok(Values::F64(data.as_chunks().0))),
        // The bytes of such a tensor are not read, so their number does not matter.
        other => (0, Err(other.to_string())),
    };
    let bytes = shape.iter().try_fold(size, |bytes: usize, &size| bytes.checked_mul(size));
    if size > 0 && bytes != Some(data.len()) {
        return Err(of("the number of bytes doesn't match its shape"));
    }
    Ok((FileTensor { name, shape, values }, (start, end)))
}

/// Writes a file of these tensors, sorted by name.
fn write<T: Scalar>(tensors: &[ModelTensor<'_, T>]) -> Vec<u8> {
    let single = size_of::<T>() == size_of::<f32>();
    let dtype = if single { "F32" } else { "F64" };
    let mut tensors: Vec<&ModelTensor<'_, T>> = tensors.iter().collect();
    tensors.sort_by_key(|tensor| tensor.name);
    let (mut header, mut end) = (String::from("{"), 0);
    for ModelTensor { name, shape, values } in &tensors {
        let (comma, start) = (if header.len() > 1 { "," } else { "" }, end);
        end += values.len() * size_of::<T>();
        let name = string(name);
        // Writing to memory cannot fail.
        let _ = write!(
            header,
            "{comma}{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        );
    }
    header.push('}');
    // Spaces align the data to a multiple of 8 bytes.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header.as_bytes());
    for value in tensors.iter().flat_map(|tensor| &tensor.values) {
        // A scalar is f32 or f64; the conversion of an f32 to f64 and back is exact.
        match single {
            true => bytes.extend((value.as_f64() as f32).to_le_bytes()),
            false => bytes.extend(value.as_f64().to_le_bytes()),
        }
    }
    bytes
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

    fn message(header: &str, data: usize) -> String {
        read(&file(header, data)).unwrap_err().to_string()
    }

    /// Uses eight tensors of 2^61 - 1 bytes, and one whose end wraps around to the file's length.
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
        // The length of the header does not change while the last size has one digit.
        for last in 0..8_u64 {
            let end = start + last;
            entries.push(format!(r#""u":{{"dtype":"U8","shape":[{last}],"data_offsets":[{start},{end}]}}"#));
            let header = format!("{{{}}}", entries.join(","));
            entries.pop();
            let message = message(&header, 0);
            assert!(message.contains("must be an array of whole numbers below 2^53"), "{message}");
        }
    }

    #[test]
    fn overlapping_bytes_and_gaps_are_errors() {
        let of = |start: usize, end: usize| {
            format!(
                r#"{{"dtype":"F32","shape":[{}],"data_offsets":[{start},{end}]}}"#,
                end.abs_diff(start) / 4
            )
        };
        let both = |a: String, b: String| message(&format!(r#"{{"a":{a},"b":{b}}}"#), 12);
        assert!(both(of(0, 8), of(4, 12)).contains("overlap or have gaps"));
        assert!(both(of(0, 4), of(8, 12)).contains("overlap or have gaps"));
        assert!(both(of(4, 8), of(8, 12)).contains("overlap or have gaps"));
        assert!(both(of(0, 4), of(4, 8)).contains("its length isn't what its header says"));
        assert!(both(of(0, 4), of(4, 16)).contains("its length isn't what its header says"));
        assert!(both(of(0, 4), of(8, 4)).contains("in the tensor \"b\", `data_offsets` end before"));
        let header = format!(r#"{{"b":{},"c":{},"a":{}}}"#, of(4, 12), of(4, 4), of(0, 4));
        assert_eq!(read(&file(&header, 12)).unwrap().len(), 3);
    }

    #[test]
    fn invalid_shapes_are_errors() {
        for shape in ["[-1]", "[0.5]", "[1e30]", "[9007199254740992]", "[null]", "1", "[[1]]", "\"\""] {
            let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4]}}}}"#);
            let message = message(&header, 4);
            assert!(message.ends_with("; it must be an array of whole numbers below 2^53"), "{message}");
        }
        for shape in ["[2]", "[0]", "[9007199254740991,9007199254740991]", "[9007199254740991]"] {
            let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4]}}}}"#);
            assert!(message(&header, 4).ends_with("the number of bytes doesn't match its shape"));
        }
    }

    #[test]
    fn digits_in_names_are_not_parsed() {
        let header = r#"{"__metadata__":{"at":"17640000000000000000000000 \"1"},"a\\":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let bytes = file(header, 4);
        let tensors = read(&bytes).unwrap();
        assert_eq!((tensors.len(), tensors[0].name.as_str()), (1, "a\\"));
        assert_eq!(tensors[0].values.as_ref().unwrap().at(0), 0.0);
    }
}
