//! JSON documents: a tree in which an array of numbers is one vector, so that a document takes no more memory than a
//! constant times its length. The parser is `serde_json`'s; it stops at 128 levels.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::Problem;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    /// An array of numbers alone, at least one.
    Numbers(Vec<f64>),
    Array(Vec<Json>),
    /// In the document's order.
    Object(Vec<(String, Json)>),
}

/// Reads a document. What is wrong names `format`.
pub(super) fn parse(bytes: &[u8], format: &'static str) -> Result<Json, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let mut message = error.to_string();
        if let Some(word) = not_finite(bytes, error.line(), error.column()) {
            message = format!(
                "`{word}` at line {} column {}, which isn't a number of JSON: the training may have diverged",
                error.line(),
                error.column()
            );
        }
        Problem::Format { format, message }
    })
}

/// What Python writes where a number is not finite, if that is what the parser stopped at.
fn not_finite(bytes: &[u8], line: usize, column: usize) -> Option<&'static str> {
    let line = bytes.split(|&byte| byte == b'\n').nth(line.checked_sub(1)?)?;
    let at = line.get(column.saturating_sub(2)..)?;
    ["NaN", "Infinity"].into_iter().find(|word| {
        let near = at.get(..at.len().min(word.len() + 2));
        near.is_some_and(|near| near.windows(word.len()).any(|window| window == word.as_bytes()))
    })
}

impl Json {
    /// The value of a key of an object, if there is one that isn't `null`; of a key twice, the last.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(entries) = self else { return None };
        let (_, value) = entries.iter().rev().find(|(name, _)| name == key)?;
        (*value != Json::Null).then_some(value)
    }

    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Json::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A number that is whole, not negative, and exact.
    pub(super) fn size(&self) -> Option<usize> {
        let number = self.number()?;
        (number >= 0.0 && number < (1_u64 << 53) as f64 && number % 1.0 == 0.0).then_some(number as usize)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of an array that aren't all numbers, or of an empty one.
    #[cfg(feature = "rtneural")]
    pub(super) fn array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The value in a few characters, for a message.
    pub(super) fn told(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Flag(flag) => flag.to_string(),
            Json::Number(number) => number.to_string(),
            Json::Text(text) => quoted(text),
            Json::Numbers(numbers) => format!("an array of {} numbers", numbers.len()),
            Json::Array(elements) => format!("an array of {} elements", elements.len()),
            Json::Object(entries) => format!("an object of {} entries", entries.len()),
        }
    }
}

/// What a document holds in some place, for a message.
pub(super) fn holds(value: Option<&Json>) -> String {
    value.map_or_else(|| "missing".into(), Json::told)
}

/// A text of a file in a message: quoted, its control characters escaped, and cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}..", &text[..end]),
        None => format!("{text:?}"),
    }
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
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut numbers = Vec::new();
        while let Some(element) = elements.next_element()? {
            match element {
                Json::Number(number) => numbers.push(number),
                other => {
                    let mut all: Vec<Json> = numbers.into_iter().map(Json::Number).collect();
                    all.push(other);
                    while let Some(element) = elements.next_element()? {
                        all.push(element);
                    }
                    return Ok(Json::Array(all));
                }
            }
        }
        Ok(if numbers.is_empty() { Json::Array(vec![]) } else { Json::Numbers(numbers) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut all = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            all.push(entry);
        }
        Ok(Json::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(text.as_bytes(), "JSON").unwrap_err().to_string()
    }

    #[test]
    fn a_tree() {
        let text = r#"{"a": [1, 2.5, -3e1], "b": [], "c": [1, null, "x"], "d": true, "a": null}"#;
        let tree = parse(text.as_bytes(), "JSON").unwrap();
        assert_eq!(tree.get("a"), None);
        assert_eq!(tree.get("b"), Some(&Json::Array(vec![])));
        let mixed = vec![Json::Number(1.0), Json::Null, Json::Text("x".into())];
        assert_eq!(tree.get("c"), Some(&Json::Array(mixed)));
        assert_eq!(tree.get("d").unwrap().told(), "true");
        let Json::Object(entries) = tree else { panic!("{tree:?}") };
        assert_eq!(entries[0].1, Json::Numbers(vec![1.0, 2.5, -30.0]));
    }

    /// The nearest double, also where `serde_json` without `float_roundtrip` is one off.
    #[test]
    fn numbers_are_exact() {
        let mut bits: u64 = 1;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let text = format!("[{number:?}]");
                assert_eq!(parse(text.as_bytes(), "JSON").unwrap(), Json::Numbers(vec![number]), "{text}");
            }
        }
    }

    #[test]
    fn sizes_are_whole() {
        for wrong in ["-1", "0.5", "1e300", "9007199254740992", "\"3\""] {
            assert_eq!(parse(wrong.as_bytes(), "JSON").unwrap().size(), None, "{wrong}");
        }
        assert_eq!(parse(b"3.0", "JSON").unwrap().size(), Some(3));
    }

    #[test]
    fn what_is_no_number_is_named() {
        let wanted = "`NaN` at line 2 column 5, which isn't a number of JSON";
        assert!(message("[1,\n 2, NaN]").contains(wanted), "{}", message("[1,\n 2, NaN]"));
        assert!(message("[-Infinity]").contains("`Infinity` at line 1"));
        assert!(message("[1e999]").contains("number out of range"));
        assert!(message("[1, 2").contains("EOF"));
        assert!(message(&"[".repeat(1_000_000)).contains("recursion limit"));
        assert!(message(&r#"{"a":"#.repeat(1_000_000)).contains("recursion limit"));
    }
}
