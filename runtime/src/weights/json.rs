//! JSON documents. An array of numbers is one vector in the tree, so that a document takes no more
//! memory than a constant times its length. The parser is `serde_json`'s, which stops at 128
//! levels.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde_core::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

#[cfg(any(feature = "nam", feature = "rtneural"))]
use super::error::{Error, setting};
use super::error::{Problem, ShortName, decimal};
#[cfg(any(feature = "nam", feature = "rtneural"))]
use super::other_format::{Format, MARK, check_format};

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Flag(bool),
    Number(f64),
    Text(Box<str>),
    /// An array of numbers alone, at least one.
    Numbers(Box<[f64]>),
    /// An array without numbers.
    Array(Box<[Json]>),
    /// An array of numbers and other values, such as a shape `[null, null, 1]`. Only the last
    /// element is kept.
    Mixed {
        length: usize,
        last: Box<Json>,
    },
    /// The entries of an object in the document's order, each key once.
    Object(Box<[(Box<str>, Json)]>),
}

/// Parses a file, unless it is of another format. Skips a byte-order mark, as RFC 8259 allows.
#[cfg(any(feature = "nam", feature = "rtneural"))]
pub(super) fn parse_file(bytes: &[u8], format: &Format) -> Result<Json, Error> {
    let bytes_after_mark = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let json = check_format(bytes, format).and_then(|()| parse(bytes_after_mark, format.name));
    json.map_err(|problem| Error::loading([problem]))
}

/// Parses a document. Errors name `format`.
pub(super) fn parse(bytes: &[u8], format: &'static str) -> Result<Json, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let mut message = error.to_string();
        if let Some(word) = not_finite(bytes, error.line(), error.column()) {
            message = format!(
                "`{word}` at line {} column {}, which isn't a JSON number: the training may have diverged",
                error.line(),
                error.column()
            );
        }
        Problem::Format { format, message }
    })
}

/// Returns the word for a number that is not finite, as Python writes it, if the parser stopped
/// there.
fn not_finite(bytes: &[u8], line: usize, column: usize) -> Option<&'static str> {
    let line = bytes.split(|&byte| byte == b'\n').nth(line.checked_sub(1)?)?;
    let at = line.get(column.saturating_sub(2)..)?;
    ["NaN", "Infinity"].into_iter().find(|word| {
        let near = at.get(..at.len().min(word.len() + 2));
        near.is_some_and(|near| near.windows(word.len()).any(|window| window == word.as_bytes()))
    })
}

impl Json {
    /// Returns the value of a key of an object, unless it is `null`.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(entries) = self else { return None };
        let (_, value) = entries.iter().find(|(name, _)| **name == *key)?;
        (*value != Json::Null).then_some(value)
    }

    /// Returns the value if it is a number.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the value if it is a number that [`size`] accepts.
    #[cfg(any(feature = "nam", feature = "rtneural"))]
    pub(super) fn size(&self) -> Option<usize> {
        self.number().and_then(size)
    }

    /// Returns the value if it is an array of numbers that [`size`] accepts.
    #[cfg(feature = "safetensors")]
    pub(super) fn sizes(&self) -> Option<Vec<usize>> {
        match self {
            Json::Numbers(numbers) => numbers.iter().map(|&number| size(number)).collect(),
            Json::Array(elements) if elements.is_empty() => Some(Vec::new()),
            _ => None,
        }
    }

    /// Returns the value if it is a string.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Describes the value in a few characters.
    pub(super) fn describe(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Flag(flag) => flag.to_string(),
            Json::Number(number) => decimal(*number),
            Json::Text(text) => format!("{:?}", ShortName(text)),
            Json::Numbers(numbers) => format!("an array of {} numbers", numbers.len()),
            Json::Array(elements) => format!("an array of {} elements", elements.len()),
            Json::Mixed { length, .. } => format!("an array of {length} elements"),
            Json::Object(entries) => format!("an object of {} entries", entries.len()),
        }
    }
}

/// Describes a value, if there is one, in a few characters.
pub(super) fn describe(value: Option<&Json>) -> String {
    value.map_or_else(|| "missing".into(), Json::describe)
}

/// A value that a document may have, with its name in messages.
#[cfg(any(feature = "nam", feature = "rtneural"))]
#[derive(Debug, Clone)]
pub(super) struct Field<'j> {
    name: String,
    pub(super) value: Option<&'j Json>,
}

#[cfg(any(feature = "nam", feature = "rtneural"))]
impl<'j> Field<'j> {
    pub(super) fn new(name: impl Into<String>, value: Option<&'j Json>) -> Self {
        Field { name: name.into(), value }
    }

    /// Returns the name in messages.
    #[cfg(feature = "nam")]
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the field `key` of an object.
    pub(super) fn get(&self, key: &str) -> Self {
        let name = if self.name.is_empty() { key.into() } else { format!("{}.{key}", self.name) };
        Field { name, value: self.value.and_then(|value| value.get(key)) }
    }

    /// Returns an element of an array, with the name `name` in messages.
    #[cfg(feature = "rtneural")]
    pub(super) fn element(&self, name: &str, value: &'j Json) -> Self {
        Field { name: format!("{}, {name}", self.name), value: Some(value) }
    }

    /// Replaces the name in messages.
    pub(super) fn named(self, name: &str) -> Self {
        Field { name: name.into(), ..self }
    }

    /// Returns the value if it is a string.
    pub(super) fn text(&self) -> Option<&'j str> {
        self.value.and_then(Json::text)
    }

    /// Returns the result of `read` if there is a value. Reports a value that `read` rejects.
    pub(super) fn optional<V>(
        &self,
        read: impl FnOnce(&'j Json) -> Option<V>,
        wanted: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<V> {
        let read = self.value.map(read)?;
        if read.is_none() {
            problems.push(self.refuse(wanted));
        }
        read
    }

    /// Returns the problem that the value, or its absence, cannot be read.
    pub(super) fn refuse(&self, wanted: &str) -> Problem {
        self.refuse_as(describe(self.value), wanted)
    }

    /// Returns the problem that the value, described as `found`, cannot be read.
    pub(super) fn refuse_as(&self, found: String, wanted: &str) -> Problem {
        setting(&self.name, found, wanted)
    }
}

/// Converts a number that is whole, not negative, and below 2^53, so that it is exact.
pub(super) fn size(number: f64) -> Option<usize> {
    (number >= 0.0 && number < (1_u64 << 53) as f64 && number % 1.0 == 0.0).then_some(number as usize)
}

/// Formats a string of a document.
#[cfg(any(feature = "nam", feature = "safetensors"))]
pub(super) fn string(text: &str) -> String {
    // Writing to memory cannot fail.
    serde_json::to_string(text).unwrap_or_else(|_| format!("{:?}", ShortName(text)))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let (mut numbers, mut others) = (Vec::new(), Vec::new());
        while let Some(element) = elements.next_element()? {
            let last = match element {
                Json::Number(number) if others.is_empty() => {
                    numbers.push(number);
                    continue;
                }
                other if numbers.is_empty() && other.number().is_none() => {
                    others.push(other);
                    continue;
                }
                other => other,
            };
            let (mut length, mut last) = (numbers.len() + others.len() + 1, last);
            drop((numbers, others));
            while let Some(element) = elements.next_element()? {
                (length, last) = (length + 1, element);
            }
            return Ok(Json::Mixed { length, last: Box::new(last) });
        }
        Ok(if numbers.is_empty() { Json::Array(others.into()) } else { Json::Numbers(numbers.into()) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut all: Vec<(Box<str>, Json)> = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        let mut keys: Vec<&str> = all.iter().map(|(key, _)| &**key).collect();
        keys.sort_unstable();
        if let Some(twice) = keys.windows(2).find(|keys| keys[0] == keys[1]) {
            return Err(A::Error::custom(format!(
                "the key {:?} occurs twice in one object",
                ShortName(twice[0])
            )));
        }
        Ok(Json::Object(all.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text.as_bytes(), "JSON").unwrap_err().to_string()
    }

    #[test]
    fn values_are_parsed() {
        let text =
            r#"{"a": null, "b": [], "c": [1, null, "x"], "d": true, "e": [1, 2.5, -3e1], "f": ["x", null]}"#;
        let tree = parse(text.as_bytes(), "JSON").unwrap();
        assert_eq!(tree.get("a"), None);
        assert_eq!(tree.get("b"), Some(&Json::Array([].into())));
        let mixed = Json::Mixed { length: 3, last: Box::new(Json::Text("x".into())) };
        assert_eq!(tree.get("c"), Some(&mixed));
        assert_eq!(
            parse(br#"["x", null, 1]"#, "JSON").unwrap(),
            Json::Mixed { length: 3, last: Box::new(Json::Number(1.0)) }
        );
        assert_eq!(tree.get("d").unwrap().describe(), "true");
        assert_eq!(tree.get("e"), Some(&Json::Numbers([1.0, 2.5, -30.0].into())));
        assert_eq!(tree.get("f"), Some(&Json::Array([Json::Text("x".into()), Json::Null].into())));
    }

    #[test]
    fn numbers_in_messages_are_short() {
        let described = |text: &str| parse(text.as_bytes(), "JSON").unwrap().describe();
        assert_eq!(
            [described("-2"), described("0"), described("0.25"), described("1e300"), described("-1e-300")],
            ["-2", "0", "0.25", "1e300", "-1e-300"]
        );
        assert_eq!(described("9007199254740991"), "9007199254740991");
    }

    /// Every number is read as the nearest double. `serde_json` without `float_roundtrip` is
    /// sometimes off by one unit in the last place.
    #[test]
    fn numbers_are_exact() {
        let mut bits: u64 = 1;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = format!("[{number:?}]");
                assert_eq!(parse(text.as_bytes(), "JSON").unwrap(), Json::Numbers([number].into()), "{text}");
            }
        }
    }

    #[test]
    fn sizes_are_whole_numbers() {
        let whole = |text: &str| parse(text.as_bytes(), "JSON").unwrap().number().and_then(size);
        for wrong in ["-1", "0.5", "1e300", "9007199254740992", "\"3\""] {
            assert_eq!(whole(wrong), None, "{wrong}");
        }
        assert_eq!(whole("3.0"), Some(3));
    }

    #[test]
    fn duplicate_keys_are_an_error() {
        assert!(
            message(r#"[{"a": 1, "b": {"a": 2}, "\u0061": 1}]"#)
                .contains("the key \"a\" occurs twice in one object at line 1")
        );
        assert!(parse(br#"[{"a": {"a": 1}}, {"a": 2}]"#, "JSON").is_ok());
    }

    #[test]
    fn nan_and_infinity_are_named() {
        let wanted = "`NaN` at line 2 column 5, which isn't a JSON number";
        assert!(message("[1,\n 2, NaN]").contains(wanted), "{}", message("[1,\n 2, NaN]"));
        assert!(message("[-Infinity]").contains("`Infinity` at line 1"));
        assert!(message("[1e999]").contains("number out of range"));
        assert!(message("[1, 2").contains("EOF"));
        assert!(message(&"[".repeat(1_000_000)).contains("recursion limit"));
        assert!(message(&r#"{"a":"#.repeat(1_000_000)).contains("recursion limit"));
    }
}
