//! Recognition of files in another format than the loader reads.

use alloc::format;
use alloc::string::{String, ToString};

use super::error::{Name, Problem};

/// The format that a loader reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    /// The name in messages.
    pub(super) name: &'static str,
    pub(super) is_json: bool,
    /// A sentence on the programs that write such files; `None` for safetensors, to which other
    /// files can be converted.
    pub(super) exporter: Option<&'static str>,
}

/// The UTF-8 byte-order mark, which some programs write before text.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// A file format for weights, and the Python code that converts it to safetensors.
type Convertible = (&'static str, &'static str);

const TORCH: &str = "in Python `safetensors.torch.save_file(model.state_dict(), \"net.safetensors\")`";
const KERAS: &str = "in Python `safetensors.numpy.save_file({v.path: v.numpy() for v in model.weights}, \"net.safetensors\")`";
const NUMPY: &str =
    "in Python `safetensors.numpy.save_file(dict(numpy.load(\"net.npz\")), \"net.safetensors\")`";
const ARRAY: &str =
    "in Python `safetensors.numpy.save_file({\"W\": numpy.load(\"W.npy\")}, \"net.safetensors\")`";

/// Compressed formats: the first bytes, the program that writes them, and the program that unpacks
/// them.
const COMPRESSED: [(&[u8], &str, &str); 4] = [
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\xfd7zXZ", "xz", "unxz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
];

/// Returns an error if `bytes` are a file of another format that users often have instead of
/// `wanted`.
pub(super) fn check_format(bytes: &[u8], wanted: &Format) -> Result<(), Problem> {
    recognise(bytes, wanted).map_or(Ok(()), Err)
}

fn recognise(bytes: &[u8], wanted: &Format) -> Option<Problem> {
    let other = |found: &str, help: &str| {
        Some(Problem::OtherFormat { found: found.to_string(), help: help.to_string() })
    };
    if is_safetensors(bytes) {
        let help = "`rnn_cell::weights::load` and `Mapping::load` read such files";
        return wanted.exporter.and_then(|_| other("a safetensors file", help));
    }
    if bytes.is_empty() {
        return other("an empty file", "download or export it again");
    }
    for (beginning, program, unpack) in COMPRESSED {
        if bytes.starts_with(beginning) {
            let help = format!("unpack it with `{unpack}`");
            return other(&format!("compressed with {program}"), &help);
        }
    }
    if is_utf_16(bytes) {
        return other("text in UTF-16", "save it as UTF-8");
    }
    if bytes.starts_with(b"version https://git-lfs") {
        let help = "`git lfs pull` in the repository fetches the file that it points to";
        return other("a Git LFS pointer", help);
    }
    if let Some(page) = page(bytes) {
        let help = "download the raw file rather than the page that shows it, signed in if necessary";
        return other(page, help);
    }
    if let Some(entry) = zip_entry(bytes)
        && [".nam", ".json", ".safetensors", ".onnx"].iter().any(|end| entry.ends_with(end))
        && !KERAS_ENTRIES.contains(&entry.as_str())
    {
        return other(&format!("a zip archive with `{}` in it", Name(&entry)), "unzip it");
    }
    if let Some((found, conversion)) = convertible(bytes) {
        return other(found, wanted.exporter.unwrap_or(conversion));
    }
    let help = "the modules `nam` and `rtneural` of `rnn_cell::weights` read such files";
    if !wanted.is_json && is_json(bytes) { other("a JSON file", help) } else { None }
}

/// Returns whether the bytes may be a JSON object.
fn is_json(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes).trim_ascii_start();
    // The length in a safetensors file may begin with the code of a brace.
    text.starts_with(b"{") && !bytes.iter().take(8).any(|&byte| byte == 0)
}

/// Returns whether the first 8 bytes are the length of a JSON header that follows.
fn is_safetensors(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk().map(|length| u64::from_le_bytes(*length));
    length.is_some_and(|length| length <= bytes.len() as u64) && bytes.get(8) == Some(&b'{')
}

/// Returns whether each character has two bytes: the text starts with a byte-order mark, or with a
/// brace and another character.
fn is_utf_16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [b'{', 0, second, 0, ..] | [0, b'{', 0, second, ..] => *second != 0,
        _ => false,
    }
}

/// Recognises a page that a web site sent instead of a file, to sign in or with a message.
fn page(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes).trim_ascii_start();
    let begins =
        |tag: &str| text.get(..tag.len()).is_some_and(|text| text.eq_ignore_ascii_case(tag.as_bytes()));
    if ["<!doctype html", "<html", "<head", "<!--"].into_iter().any(begins) {
        return Some("an HTML page");
    }
    begins("<?xml").then_some("an XML document")
}

/// The entries of Keras's zip archives.
const KERAS_ENTRIES: [&str; 3] = ["metadata.json", "config.json", "model.weights.h5"];

/// Returns the name of the first entry of a zip archive. The name follows a header of 30 bytes,
/// whose last four bytes are the lengths of the name and of an extra field.
fn zip_entry(bytes: &[u8]) -> Option<String> {
    let rest = bytes.strip_prefix(b"PK\x03\x04")?;
    let length = rest.get(22..24).map_or(0, |length| usize::from(u16::from_le_bytes([length[0], length[1]])));
    Some(String::from_utf8_lossy(rest.get(26..26 + length).unwrap_or_default()).into_owned())
}

/// Recognises a file that can be converted to safetensors.
fn convertible(bytes: &[u8]) -> Option<Convertible> {
    if let Some(entry) = zip_entry(bytes) {
        return Some(match entry.as_str() {
            entry if entry.ends_with(".npy") => ("a NumPy zip archive (`numpy.savez`)", NUMPY),
            entry if KERAS_ENTRIES.contains(&entry) => ("a Keras zip archive (`model.save`)", KERAS),
            _ => ("a PyTorch zip archive (`torch.save`)", TORCH),
        });
    }
    match bytes {
        [0x80, 2, 0x8a, 0x0a, ..] => Some(("a pickle of an old PyTorch version (`torch.save`)", TORCH)),
        // The version of the protocol, then an object, a class, a frame, a list or a mark.
        [0x80, 2..=5, b'}' | b'c' | 0x95 | b']' | b'(', ..] => Some(("a Python pickle", TORCH)),
        _ if bytes.starts_with(b"\x93NUMPY") => Some(("a NumPy array (`numpy.save`)", ARRAY)),
        _ if bytes.starts_with(b"\x89HDF\r\n\x1a\n") => Some(("an HDF5 file, as Keras saves weights", KERAS)),
        _ => None,
    }
}
