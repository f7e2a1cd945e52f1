//! Number literals: their values and suffixes.

use proc_macro2::Literal;

#[derive(Debug, PartialEq)]
pub enum Number {
    /// A valid number.
    Value(f64),
    /// `1f32`, a number with a Rust type as its suffix.
    Typed {
        value: f64,
        number: String,
        suffix: String,
    },
    /// `2x`, a number and a name without an operator in between.
    Joined {
        value: f64,
        number: String,
        name: String,
    },
    TooLarge,
    TooSmall,
    /// `0x1F`
    NotDecimal,
    /// A string, a character or any other literal.
    Other,
}

const TYPES: [&str; 14] =
    ["f16", "f32", "f64", "f128", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "usize"];

pub fn number(literal: &Literal) -> Number {
    let text = literal.to_string();
    let unsigned = text.strip_prefix('-').unwrap_or(&text);
    if !unsigned.starts_with(|character: char| character.is_ascii_digit()) {
        return Number::Other;
    }
    if ["0x", "0b", "0o"].iter().any(|prefix| unsigned.starts_with(prefix)) {
        return Number::NotDecimal;
    }
    let (digits, suffix) = text.split_at(text.len() - unsigned.len() + number_length(unsigned));
    let plain: String = digits.chars().filter(|character| *character != '_').collect();
    let Ok(value) = plain.parse::<f64>() else { return Number::Other };
    if value.is_infinite() {
        return Number::TooLarge;
    }
    let mantissa = plain.split(['e', 'E']).next().unwrap_or_default();
    if value == 0.0 && mantissa.contains(|character: char| ('1'..='9').contains(&character)) {
        return Number::TooSmall;
    }
    let number = digits.trim_end_matches('_').to_owned();
    match suffix {
        "" => Number::Value(value),
        "isize" | "u128" => Number::Typed { value, number, suffix: suffix.to_owned() },
        name if TYPES.contains(&name) => Number::Typed { value, number, suffix: suffix.to_owned() },
        name => Number::Joined { value, number, name: name.to_owned() },
    }
}

/// Returns the value of the digits as an integer, for a dimension.
pub fn whole(literal: &Literal) -> Option<u64> {
    let text: String = literal.to_string().chars().filter(|character| *character != '_').collect();
    text.parse().ok()
}

/// Returns the number of bytes before the suffix.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count()
    };
    let mut end = run(0);
    if bytes.get(end) == Some(&b'.') {
        end = run(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = run(end + 1 + sign);
        let has_digit =
            bytes.get(end + 1 + sign..exponent).unwrap_or_default().iter().any(u8::is_ascii_digit);
        if has_digit {
            end = exponent;
        }
    }
    // `2_x` could be a 2 and the name `_x`, but the underscore is treated as part of the number.
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Number {
        number(&text.parse().unwrap())
    }

    #[test]
    fn numbers_have_their_value() {
        for (text, value) in [
            ("0", 0.0),
            ("1.", 1.0),
            ("0.5", 0.5),
            ("1e-3", 1e-3),
            ("1_000", 1000.0),
            ("2.5E+3", 2500.0),
            ("1e3_0", 1e30),
        ] {
            assert_eq!(read(text), Number::Value(value), "{text}");
        }
    }

    #[test]
    fn suffixes_are_types_or_names() {
        let typed = |value, number: &str, suffix: &str| Number::Typed {
            value,
            number: number.to_owned(),
            suffix: suffix.to_owned(),
        };
        assert_eq!(read("1f32"), typed(1.0, "1", "f32"));
        assert_eq!(read("2.5_f64"), typed(2.5, "2.5", "f64"));
        assert_eq!(read("3usize"), typed(3.0, "3", "usize"));
        let joined = Number::Joined { value: 2.0, number: "2".to_owned(), name: "x".to_owned() };
        assert_eq!(read("2x"), joined);
    }

    #[test]
    fn invalid_numbers_are_classified() {
        assert_eq!(read("1e400"), Number::TooLarge);
        assert_eq!(read("1e-400"), Number::TooSmall);
        assert_eq!(read("0e-400"), Number::Value(0.0));
        assert_eq!(read("0xFF"), Number::NotDecimal);
        assert_eq!(read("\"1\""), Number::Other);
        assert_eq!(read("'1'"), Number::Other);
        assert_eq!(whole(&"1_024".parse().unwrap()), Some(1024));
        assert_eq!(whole(&"99999999999999999999999".parse().unwrap()), None);
    }
}
