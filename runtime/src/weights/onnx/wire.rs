//! The wire format of protocol buffers, as far as ONNX needs it:
//! <https://protobuf.dev/programming-guides/encoding>.
//!
//! This module replaces a crate because it is only one page. A crate (prost 0.14) would add a
//! derive macro, a second `syn` and seven more crates, and would copy the data that this module
//! borrows from the file. Nothing is recursive, so nesting costs nothing.

/// A description of the damage in the bytes of a message.
pub(super) type Damage = &'static str;

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    /// A string, a message, or packed numbers.
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], Damage> {
        match self {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err("a field that should hold bytes holds a number"),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, Damage> {
        core::str::from_utf8(self.bytes()?).map_err(|_| "a name isn't UTF-8")
    }

    pub(super) fn integer(self) -> Result<i64, Damage> {
        match self {
            Value::Varint(number) => Ok(number as i64),
            _ => Err("a field that should hold an integer doesn't"),
        }
    }

    pub(super) fn float(self) -> Result<f32, Damage> {
        match self {
            Value::Fixed32(bytes) => Ok(f32::from_le_bytes(bytes)),
            _ => Err("a field that should hold a float doesn't"),
        }
    }

    /// Calls `each` with the integers of a repeated field, packed or single.
    pub(super) fn integers(self, mut each: impl FnMut(i64)) -> Result<(), Damage> {
        match self {
            Value::Bytes(mut packed) => {
                while !packed.is_empty() {
                    each(varint(&mut packed)? as i64);
                }
            }
            other => each(other.integer()?),
        }
        Ok(())
    }

    /// Calls `each` with the floats of a repeated field, packed or single.
    pub(super) fn floats(self, mut each: impl FnMut(f64)) -> Result<(), Damage> {
        match self {
            Value::Fixed32(bytes) => each(f32::from_le_bytes(bytes).into()),
            other => {
                let (numbers, rest) = other.bytes()?.as_chunks();
                numbers.iter().for_each(|&number| each(f32::from_le_bytes(number).into()));
                whole(rest, "the number of bytes of floats is not a multiple of 4")?;
            }
        }
        Ok(())
    }

    /// Calls `each` with the doubles of a repeated field, packed or single.
    pub(super) fn doubles(self, mut each: impl FnMut(f64)) -> Result<(), Damage> {
        match self {
            Value::Fixed64(bytes) => each(f64::from_le_bytes(bytes)),
            other => {
                let (numbers, rest) = other.bytes()?.as_chunks();
                numbers.iter().for_each(|&number| each(f64::from_le_bytes(number)));
                whole(rest, "the number of bytes of doubles is not a multiple of 8")?;
            }
        }
        Ok(())
    }
}

fn whole(rest: &[u8], damage: Damage) -> Result<(), Damage> {
    if rest.is_empty() { Ok(()) } else { Err(damage) }
}

/// The fields of a message, in the order of the file: the number and the value of each. The
/// iterator ends after the first damage.
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

pub(super) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = field(&mut self.rest);
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

fn field<'a>(rest: &mut &'a [u8]) -> Result<(u64, Value<'a>), Damage> {
    let key = varint(rest)?;
    let value = match key & 7 {
        0 => Value::Varint(varint(rest)?),
        1 => Value::Fixed64(fixed(rest)?),
        2 => {
            let length = usize::try_from(varint(rest)?).map_err(|_| CUT)?;
            let (bytes, after) = rest.split_at_checked(length).ok_or(CUT)?;
            *rest = after;
            Value::Bytes(bytes)
        }
        5 => Value::Fixed32(fixed(rest)?),
        _ => return Err("a field has a type that ONNX does not define"),
    };
    if key >> 3 == 0 {
        return Err("a field has the number 0");
    }
    Ok((key >> 3, value))
}

const CUT: Damage = "it ends within a field; it may have been cut off";

fn fixed<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damage> {
    let (bytes, after) = rest.split_first_chunk().ok_or(CUT)?;
    *rest = after;
    Ok(*bytes)
}

fn varint(rest: &mut &[u8]) -> Result<u64, Damage> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first().ok_or(CUT)?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err("a number is longer than 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn varints_are_read() {
        let read = |mut bytes: &[u8]| varint(&mut bytes).map(|number| (number, bytes.len()));
        assert_eq!(read(&[0x96, 0x01, 7]), Ok((150, 1)));
        let minus_one = [0xff; 9].iter().copied().chain([1]).collect::<Vec<u8>>();
        assert_eq!(read(&minus_one), Ok((u64::MAX, 0)));
        assert!(read(&[0x80; 20]).is_err() && read(&[0x80; 3]).is_err() && read(&[]).is_err());
    }

    #[test]
    fn the_fields_of_a_message_are_read() {
        // From the format's description: field 1 is 150, field 2 is "testing", field 3 a float.
        let bytes = b"\x08\x96\x01\x12\x07testing\x1d\x00\x00\x80\x3f";
        let all: Vec<_> = fields(bytes).map(Result::unwrap).collect();
        assert_eq!(all[0].1.integer(), Ok(150));
        assert_eq!((all[1].0, all[1].1.text()), (2, Ok("testing")));
        assert_eq!(all[2].1.float(), Ok(1.0));
        for end in 1..bytes.len() {
            let last = fields(&bytes[..end]).last().unwrap();
            assert_eq!(last.is_err(), ![3, 12].contains(&end), "{end}");
        }
        assert!(fields(&[0x0b]).next().unwrap().is_err(), "ONNX has no groups");
    }
}
