//! The bytes of a safetensors file: a header of JSON with the name, type, shape and place of each
//! tensor, then the numbers.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::super::error::{Problem, ShortName};
use super::super::json::{Json, describe, parse, string};
use super::super::other_format::{Format, check_format};
use super::super::tensor::{FileTensor, Values};

const FORMAT: Format = Format { name: "safetensors", is_json: false, exporter: None };

/// The contents of a file.
#[derive(Debug, Default)]
pub(super) struct Contents<'a> {
    /// The tensors, sorted by name.
    pub(super) tensors: Vec<FileTensor<'a>>,
    /// The tensors of type `U8`, by name.
    pub(super) bytes: BTreeMap<String, &'a [u8]>,
    /// The texts under `__metadata__`.
    pub(super) metadata: Vec<(Box<str>, Json)>,
    /// The kind of the file, if it holds anything but weights.
    pub(super) kind: Option<Kind>,
}

/// A kind of file that this library writes, apart from weights. The metadata name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The state of a stream.
    State,
    /// The checkpoint of a training run.
    Training,
}

impl Kind {
    /// The key of the kind in the metadata.
    pub(super) const KEY: &'static str = "rnn-cell";

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::State => "state",
            Kind::Training => "training",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Kind::State, Kind::Training].into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the problem that a file is of this kind rather than weights.
    pub(super) fn problem(self) -> Problem {
        let (found, help) = match self {
            Kind::State => (
                "a file of a stream's state, not of weights",
                "`rnn_cell::weights::load_state` reads such files",
            ),
            Kind::Training => (
                "the checkpoint of a training run, not a file of weights",
                "`Trainer::load_checkpoint` resumes the run; `Reader::model` with the prefix `model.` reads the weights",
            ),
        };
        Problem::OtherFormat { found: found.to_string(), help: help.to_string() }
    }
}

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Result<Contents<'_>, Problem> {
    check_format(bytes, &FORMAT)?;
    let (length, rest) = bytes.split_first_chunk().ok_or_else(|| damaged("it has fewer than 8 bytes"))?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok();
    let split = length.and_then(|length| rest.split_at_checked(length));
    let (header, data) = split.ok_or_else(|| damaged("it ends within its header"))?;
    let Json::Object(entries) = parse(header, FORMAT.name)? else {
        return Err(damaged("its header isn't an object"));
    };
    let (mut contents, mut spans) = (Contents::default(), Vec::new());
    for (name, entry) in entries {
        if &*name == METADATA {
            let Json::Object(entries) = entry else { continue };
            contents.metadata = entries.into();
        } else {
            let (tensor, span) = tensor(name.into(), &entry, data)?;
            if tensor.values.as_ref().is_err_and(|dtype| dtype == "U8") {
                contents.bytes.insert(tensor.name.clone(), &data[span.0..span.1]);
            }
            contents.tensors.push(tensor);
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
    contents.tensors.sort_by(|a, b| a.name.cmp(&b.name));
    contents.kind = contents.text(Kind::KEY).and_then(Kind::from_name);
    Ok(contents)
}

impl Contents<'_> {
    /// Returns a text of the metadata.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(name, _)| **name == *key).and_then(|(_, text)| text.text())
    }
}

/// The key of the metadata in a header.
const METADATA: &str = "__metadata__";

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

/// A tensor to be written.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The type's name, and its size in bytes.
    pub(super) dtype: (&'static str, usize),
    pub(super) shape: Vec<usize>,
    /// The numbers, row by row, little-endian.
    pub(super) bytes: Vec<u8>,
}

/// Writes a file of these tensors. Sorts them by type, larger numbers first, so that each is
/// aligned, and by name.
pub(super) fn write(mut entries: Vec<Entry>, metadata: &BTreeMap<String, String>) -> Vec<u8> {
    entries.sort_by(|a, b| b.dtype.1.cmp(&a.dtype.1).then_with(|| a.name.cmp(&b.name)));
    let (mut header, mut end) = (String::from("{"), 0);
    if !metadata.is_empty() {
        let texts: Vec<_> =
            metadata.iter().map(|(key, text)| format!("{}:{}", string(key), string(text))).collect();
        // Writing to memory cannot fail.
        let _ = write!(header, "\"{METADATA}\":{{{}}}", texts.join(","));
    }
    for Entry { name, dtype: (dtype, _), shape, bytes } in &entries {
        let (comma, start) = (if header.len() > 1 { "," } else { "" }, end);
        end += bytes.len();
        let name = string(name);
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
    let mut file = Vec::with_capacity(8 + header.len() + end);
    file.extend((header.len() as u64).to_le_bytes());
    file.extend(header.as_bytes());
    entries.iter().for_each(|entry| file.extend(&entry.bytes));
    file
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
        assert_eq!(read(&file(&header, 12)).unwrap().tensors.len(), 3);
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
        let contents = read(&bytes).unwrap();
        assert_eq!(contents.text("at"), Some("17640000000000000000000000 \"1"));
        let tensors = contents.tensors;
        assert_eq!((tensors.len(), tensors[0].name.as_str()), (1, "a\\"));
        assert_eq!(tensors[0].values.as_ref().unwrap().at(0), 0.0);
    }
}
