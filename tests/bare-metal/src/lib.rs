//! What the programs here share: the numbers in flash, and the handler of panics, which doesn't exist.
//!
//! Nothing here is special to the host but that a C library starts the programs (`main`); on a device its runtime does.

#![no_std]
#![deny(missing_docs)]

use rnn_cell::cell::ModelMut;
use rnn_cell::types::varying::Varying;

// Without `std` nobody asks for the C library that calls `main` and copies memory.
// SAFETY: nothing is declared.
#[link(name = "c")]
unsafe extern "C" {}

/// Never returns, since it is never called: it calls what does not exist, so a program in which a panic can be reached does not link.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    // SAFETY: nobody defines it.
    unsafe extern "C" {
        fn a_panic_can_be_reached() -> !;
    }
    // SAFETY: a program that has this call has not been linked.
    unsafe { a_panic_can_be_reached() }
}

/// `core` for this host was compiled to unwind, so some of it names the function that unwinding asks what to do. Nothing unwinds here. (`core` for targets
/// without an operating system doesn't name it.)
// SAFETY: without `std` the program has no other function of that name.
#[cfg(unix)]
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Numbers in flash, read one after the other.
#[derive(Debug)]
pub struct Flash<'a> {
    bytes: &'a [u8],
    /// Whether more was asked for than there is.
    pub is_short: bool,
}

impl<'a> Flash<'a> {
    /// Little-endian `f32`s.
    pub fn new(bytes: &'a [u8]) -> Self {
        Flash { bytes, is_short: false }
    }

    /// The next number.
    pub fn number(&mut self) -> f32 {
        let Some((number, rest)) = self.bytes.split_first_chunk() else {
            self.is_short = true;
            return 0.0;
        };
        self.bytes = rest;
        f32::from_le_bytes(*number)
    }

    /// All parameters of a model, in the order of their declaration.
    pub fn parameters(&mut self, model: &mut impl ModelMut<Scalar = f32>) {
        model.visit_mut(&mut |parameter| parameter.values.fill_with(|| self.number()));
    }

    /// An input, an output, a state.
    pub fn value<V: Varying<f32>>(&mut self) -> V {
        let mut value = V::zero();
        value.scalars_mut(&mut |entry| *entry = self.number());
        value
    }

    /// Whether every number was read, and no more.
    pub fn is_read(&self) -> bool {
        self.bytes.is_empty() && !self.is_short
    }
}

/// A value that the compiler can't foresee.
pub fn any<V: Varying<f32>>() -> V {
    let mut value = V::zero();
    value.scalars_mut(&mut |entry| *entry = core::hint::black_box(0.1));
    core::hint::black_box(value)
}

/// Fills the parameters with what the compiler can't foresee.
pub fn fill(model: &mut impl ModelMut<Scalar = f32>) {
    model.visit_mut(&mut |parameter| parameter.values.fill(core::hint::black_box(0.1)));
}

/// Whether every number is one.
pub fn is_finite<V: Varying<f32>>(value: &V) -> bool {
    let mut finite = true;
    value.scalars(&mut |entry| finite &= entry.is_finite());
    finite
}
