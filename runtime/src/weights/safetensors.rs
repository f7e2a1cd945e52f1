//! The safetensors format: <https://huggingface.co/docs/safetensors>.
//!
//! Read and written here rather than by the crate `safetensors` (0.8.0), which takes a key that occurs twice silently, 48 times
//! the memory of a shape of many dimensions, and adds offsets up without a check.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::error::Problem;
use super::formats::{Format, other_format};
use super::json::{Json, holds, parse, quoted, string};
use super::tensor::{Read, Values, Written};
use crate::Scalar;

/// The tensors of a file, in the order of their names.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Read<'_>>, Problem> {
    if let Some(problem) = other_format(bytes, &FORMAT) {
        return Err(problem);
    }
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
            return Err(damaged("the bytes of its tensors overlap or have gaps in between"));
        }
        end = span.1;
    }
    if end != data.len() {
        return Err(damaged(CUT));
    }
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

const FORMAT: Format = Format { name: "safetensors", is_json: false, exporter: None };
const CUT: &str = "its length isn't what its header says; it may have been cut off";

fn damaged(message: impl ToString) -> Problem {
    Problem::Format { format: FORMAT.name, message: message.to_string() }
}

/// A tensor, and where its bytes start and end.
fn tensor<'a>(name: String, entry: &Json, data: &'a [u8]) -> Result<(Read<'a>, (usize, usize)), Problem> {
    let of = |what: &str| damaged(format!("of the tensor {} {what}", quoted(&name)));
    let wrong = |key: &str, wanted: &str| of(&format!("`{key}` is {}; {wanted}", holds(entry.get(key))));
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
        // How many bytes such a tensor has is of no consequence, since nobody reads them.
        other => (0, Err(other.to_string())),
    };
    let bytes = shape.iter().try_fold(size, |bytes: usize, &size| bytes.checked_mul(size));
    if size > 0 && bytes != Some(data.len()) {
        return Err(of("the bytes are not as many as its shape needs"));
    }
    Ok((Read { name, shape, values }, (start, end)))
}

/// A file of these tensors, in the order of their names.
pub(super) fn write<T: Scalar>(tensors: &[Written<'_, T>]) -> Vec<u8> {
    let single = size_of::<T>() == size_of::<f32>();
    let dtype = if single { "F32" } else { "F64" };
    let mut tensors: Vec<&Written<'_, T>> = tensors.iter().collect();
    tensors.sort_by_key(|tensor| tensor.name);
    let (mut header, mut end) = (String::from("{"), 0);
    for Written { name, shape, values } in &tensors {
        let (comma, start) = (if header.len() > 1 { "," } else { "" }, end);
        end += values.len() * size_of::<T>();
        let name = string(name);
        // To memory, writing cannot fail.
        let _ = write!(
            header,
            "{comma}{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        );
    }
    header.push('}');
    // Spaces, so that the data starts at a multiple of 8.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut bytes = Vec::with_capacity(8 + header.len() + end);
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend(header.as_bytes());
    for value in tensors.iter().flat_map(|tensor| &tensor.values) {
        // A scalar is f32 or f64; the first goes through a double without a change.
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
            let message = message(&header, 0);
            assert!(message.contains("must be an array of whole numbers below 2^53"), "{message}");
        }
    }

    #[test]
    fn bytes_that_are_not_one_tensors_alone() {
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
        assert!(both(of(0, 4), of(8, 4)).contains("of the tensor \"b\" `data_offsets` end before"));
        let header = format!(r#"{{"b":{},"c":{},"a":{}}}"#, of(4, 12), of(4, 4), of(0, 4));
        assert_eq!(read(&file(&header, 12)).unwrap().len(), 3);
    }

    #[test]
    fn shapes_that_are_none() {
        for shape in ["[-1]", "[0.5]", "[1e30]", "[9007199254740992]", "[null]", "1", "[[1]]", "\"\""] {
            let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4]}}}}"#);
            let message = message(&header, 4);
            assert!(message.ends_with("; it must be an array of whole numbers below 2^53"), "{message}");
        }
        for shape in ["[2]", "[0]", "[9007199254740991,9007199254740991]", "[9007199254740991]"] {
            let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4]}}}}"#);
            assert!(message(&header, 4).ends_with("the bytes are not as many as its shape needs"));
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
