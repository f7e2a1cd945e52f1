//! Output without `core::fmt`, in which panics are reachable.

use crate::platform;

/// The number of bytes that are written at once.
const SIZE: usize = 256;

/// A line of text, written piece by piece.
#[derive(Debug)]
pub struct Text {
    bytes: [u8; SIZE],
    length: usize,
}

impl Text {
    /// Returns an empty line.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Text { bytes: [0; SIZE], length: 0 }
    }

    fn byte(&mut self, byte: u8) {
        if self.length >= SIZE {
            self.flush();
        }
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn flush(&mut self) {
        if let Some(bytes) = self.bytes.get(..self.length) {
            platform::write(bytes);
        }
        self.length = 0;
    }

    /// Appends a text.
    pub fn str(&mut self, text: &str) -> &mut Self {
        for byte in text.bytes() {
            self.byte(byte);
        }
        self
    }

    /// Appends a space and an integer.
    pub fn integer(&mut self, integer: usize) -> &mut Self {
        self.byte(b' ');
        self.digits(integer as u32)
    }

    fn digits(&mut self, integer: u32) -> &mut Self {
        // The units are constants, because a division by zero would be a panic.
        macro_rules! digits {
            ($($unit:literal)*) => {$(
                if integer >= $unit || $unit == 1 {
                    self.byte(b'0' + (integer / $unit % 10) as u8);
                }
            )*};
        }
        digits!(1_000_000_000 100_000_000 10_000_000 1_000_000 100_000 10_000 1_000 100 10 1);
        self
    }

    /// Appends a space and every bit of a float: `-12582912p23` is -12582912 / 2^23.
    pub fn float(&mut self, float: f32) -> &mut Self {
        let bits = float.to_bits();
        let (exponent, fraction) = (bits >> 23 & 0xff, bits & 0x7f_ffff);
        let (mantissa, exponent) =
            if exponent == 0 { (fraction, 1) } else { (fraction | 0x80_0000, exponent) };
        self.byte(b' ');
        if float.is_sign_negative() {
            self.byte(b'-');
        }
        self.digits(mantissa).byte(b'p');
        // Finite numbers above 2^24 are not expected. They, infinities and NaN have a negative
        // power.
        match 150u32.checked_sub(exponent) {
            Some(power) => self.digits(power),
            None => self.str("-").digits(exponent.saturating_sub(150)),
        }
    }

    /// Writes the line and starts a new one.
    pub fn end(&mut self) {
        self.byte(b'\n');
        self.flush();
    }
}
