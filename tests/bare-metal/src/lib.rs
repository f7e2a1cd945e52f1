//! Helpers of the programs: reading numbers from flash, and a panic handler that does not link.
//!
//! Only `main`, which the C library calls, is specific to the host. On a device, the device's
//! runtime starts the program.

#![no_std]
#![deny(missing_docs)]

use rnn_cell::cell::ModelMut;
use rnn_cell::types::varying::Varying;

// Without `std`, the C library must be linked explicitly. It calls `main` and copies memory.
// SAFETY: nothing is declared.
#[link(name = "c")]
unsafe extern "C" {}

/// Calls an undefined function, so that a program with a reachable panic does not link.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: the function is not defined anywhere.
    unsafe extern "C" {
        fn a_panic_can_be_reached() -> !;
    }
    // SAFETY: a program with this call does not link, so it never runs.
    unsafe { a_panic_can_be_reached() }
}

/// Does nothing. The host's `core` is compiled with unwinding and refers to this function, but
/// nothing unwinds here. The `core` of targets without an operating system does not refer to it.
// SAFETY: without `std` the program has no other function of that name.
#[cfg(unix)]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

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

/// Returns a value that the optimiser cannot predict.
pub fn any<V: Varying<f32>>() -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |entry| *entry = core::hint::black_box(0.1));
    core::hint::black_box(value)
}

/// Fills the parameters with values that the optimiser cannot predict.
pub fn fill(model: &mut impl ModelMut<Scalar = f32>) {
    model.visit_mut(&mut |parameter| parameter.values.fill(core::hint::black_box(0.1)));
}

/// Returns whether all scalars are finite.
pub fn is_finite<V: Varying<f32>>(value: &V) -> bool {
    let mut finite = true;
    value.scalars(&mut |entry| finite &= entry.is_finite());
    finite
}
