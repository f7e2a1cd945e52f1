//! Names, lists, shapes and numbers in messages, each of bounded length.

use alloc::string::{String, ToString};
use core::fmt::{self, Write};

/// The largest number of items of a list that are written out.
const ITEMS: usize = 16;

/// The largest number of sizes of a shape that are written out.
const SIZES: usize = 8;

/// The maximum length of a [`Name`], in bytes.
const NAME: usize = 200;

/// The maximum length of a [`ShortName`], in bytes.
#[cfg(any(feature = "nam", feature = "onnx", feature = "rtneural", feature = "safetensors"))]
const SHORT_NAME: usize = 60;

/// Writes the first items with `write`, separated by `between`, and the number of the others.
pub(super) fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    between: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().take(ITEMS).enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        write(f, item)?;
    }
    match items.len().saturating_sub(ITEMS) {
        0 => Ok(()),
        more => write!(f, " and {more} more"),
    }
}

/// Writes `text` with its control characters escaped, and also quotes and backslashes if `quoted`.
/// Cuts it after `most` bytes.
fn escape(f: &mut fmt::Formatter<'_>, text: &str, most: usize, quoted: bool) -> fmt::Result {
    let mut length = 0;
    for c in text.chars() {
        let is_plain = c == '\'' || !quoted && matches!(c, '"' | '\\');
        length += if is_plain { 1 } else { c.escape_debug().map(char::len_utf8).sum() };
        match c {
            _ if length > most => return f.write_str(".."),
            _ if is_plain => f.write_char(c)?,
            _ => write!(f, "{}", c.escape_debug())?,
        }
    }
    Ok(())
}

/// Implements `Display` and, with quotes, `Debug` for a name that is cut after `$most` bytes.
macro_rules! escaped {
    ($name:ident, $most:expr) => {
        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                escape(f, self.0, $most, false)
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_char('"')?;
                escape(f, self.0, $most, true)?;
                f.write_char('"')
            }
        }
    };
}

/// A name or a text from a file or a model. `{:?}` quotes it.
pub(in super::super) struct Name<'a>(pub(in super::super) &'a str);
escaped!(Name, NAME);

/// A name or a text from a file that is one of many parts of a longer name. `{:?}` quotes it.
#[cfg(any(feature = "nam", feature = "onnx", feature = "rtneural", feature = "safetensors"))]
pub(in super::super) struct ShortName<'a>(pub(in super::super) &'a str);
#[cfg(any(feature = "nam", feature = "onnx", feature = "rtneural", feature = "safetensors"))]
escaped!(ShortName, SHORT_NAME);

/// A list of names between backticks.
pub(super) struct Names<'a>(pub(super) &'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, ", ", |f, name| write!(f, "`{}`", Name(name)))
    }
}

/// A path as the argument of [`Mapping::under`](super::super::Mapping::under).
pub(in super::super) struct Path<'a>(pub(in super::super) &'a str);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.parse::<usize>() {
            Ok(number) => write!(f, "{number}"),
            Err(_) => write!(f, "{:?}", Name(self.0)),
        }
    }
}

/// Alternative calls of a method of a mapping: the method's name and the argument of each call.
pub(super) struct Calls<'a>(pub(super) &'static str, pub(super) &'a [String]);

impl fmt::Display for Calls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.1, " or ", |f, argument| match self.0 {
            "under" => write!(f, "`.under({})`", Path(argument)),
            method => write!(f, "`.{method}({:?})`", Name(argument)),
        })
    }
}

/// A list of paths in a network.
pub(super) struct Paths<'a>(pub(super) &'a [String]);

impl fmt::Display for Paths<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, " and ", |f, path| match path.as_str() {
            "" => f.write_str("no path"),
            path => write!(f, "`{}`", Name(path)),
        })
    }
}

/// A list of prefixes of tensors' names.
pub(super) struct Prefixes<'a>(pub(super) &'a [String]);

impl fmt::Display for Prefixes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0, " and ", |f, prefix| match prefix.as_str() {
            "" => f.write_str("without a prefix"),
            prefix => write!(f, "under `{}`", Name(prefix)),
        })
    }
}

/// A shape that a file claims, which may have any number of sizes.
pub(in super::super) struct Shape<'a>(pub(in super::super) &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.get(..SIZES) {
            Some(first) if self.0.len() > SIZES => {
                write!(f, "{first:?} and {} sizes more", self.0.len() - SIZES)
            }
            _ => write!(f, "{:?}", self.0),
        }
    }
}

/// A range of rows or columns: its start, and its exclusive end unless it is open.
pub(super) struct Range(pub(super) (usize, Option<usize>));

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.0;
        write!(f, "{start}..")?;
        end.map_or(Ok(()), |end| write!(f, "{end}"))
    }
}

/// Formats a number in a few characters.
#[cfg(any(feature = "nam", feature = "rtneural", feature = "safetensors"))]
pub(in super::super) fn decimal(number: f64) -> String {
    match number.abs() {
        0.0 | 1e-5..1e16 => number.to_string(),
        _ => alloc::format!("{number:e}"),
    }
}

/// Formats a count with commas between its thousands.
#[cfg(feature = "onnx")]
pub(in super::super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
