//! Helpers of the programs: numbers, output, and a panic handler that does not link.
//!
//! [`platform`] contains what differs between targets: how a program starts, prints and ends.

#![no_std]
#![deny(missing_docs)]

pub mod platform;
pub mod steps;
mod text;

use core::sync::atomic::{AtomicU32, Ordering};
use rnn_cell::cell::ModelMut;
use rnn_cell::types::varying::Varying;
pub use text::Text;

#[cfg(feature = "loaders")]
mod heap;

/// Ends the program.
#[cfg(feature = "loaders")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    Text::new().str("a panic").end();
    platform::abort()
}

/// Calls an undefined function, so that a program with a reachable panic does not link.
#[cfg(not(feature = "loaders"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: the function is not defined anywhere.
    unsafe extern "C" {
        fn a_panic_can_be_reached() -> !;
    }
    // SAFETY: a program with this call does not link, so it never runs.
    unsafe { a_panic_can_be_reached() }
}

/// A reader of numbers in flash.
#[derive(Debug)]
pub struct Flash<'a> {
    bytes: &'a [u8],
    /// A flag that is set when a number is read past the end.
    pub is_short: bool,
}

impl<'a> Flash<'a> {
    /// Returns a reader of little-endian `f32`s.
    pub fn new(bytes: &'a [u8]) -> Self {
        Flash { bytes, is_short: false }
    }

    /// Reads a number.
    pub fn number(&mut self) -> f32 {
        let Some((number, rest)) = self.bytes.split_first_chunk() else {
            self.is_short = true;
            return 0.0;
        };
        self.bytes = rest;
        f32::from_le_bytes(*number)
    }

    /// Reads all parameters of a model, in the order of their declarations.
    pub fn parameters(&mut self, model: &mut impl ModelMut<Scalar = f32>) {
        model.visit_mut(&mut |parameter| parameter.values.fill_with(|| self.number()));
    }

    /// Reads an input, an output or a state.
    pub fn value<V: Varying<f32>>(&mut self) -> V {
        let mut value = V::zero();
        value.scalars_mut(&mut |entry| *entry = self.number());
        value
    }

    /// Returns whether every number was read, and no more.
    pub fn is_read(&self) -> bool {
        self.bytes.is_empty() && !self.is_short
    }
}

/// The state of the generator behind [`number`].
static SEED: AtomicU32 = AtomicU32::new(0);

/// Restarts the sequence of [`number`].
pub fn restart() {
    SEED.store(0, Ordering::Relaxed);
}

/// Returns the next number of a sequence between -0.5 and 0.5, which is the same on all targets and
/// which the optimiser cannot predict.
pub fn number() -> f32 {
    // The generator of Numerical Recipes. Only the upper half of its state is used.
    let seed = SEED.load(Ordering::Relaxed).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    SEED.store(seed, Ordering::Relaxed);
    ((seed >> 16) as u16 as i16) as f32 / 65_536.0
}

/// Returns a value of the next numbers.
pub fn any<V: Varying<f32>>() -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |entry| *entry = number());
    core::hint::black_box(value)
}

/// Fills the parameters with the next numbers.
pub fn fill(model: &mut impl ModelMut<Scalar = f32>) {
    model.visit_mut(&mut |parameter| parameter.values.fill_with(number));
}

/// Prints all scalars in a line, and returns whether they are finite.
pub fn print<V: Varying<f32>>(value: &V) -> bool {
    let (mut finite, mut line) = (true, Text::new());
    value.scalars(&mut |entry| {
        finite &= entry.is_finite();
        line.float(entry);
    });
    line.end();
    finite
}
