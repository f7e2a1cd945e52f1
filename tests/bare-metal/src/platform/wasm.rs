//! WebAssembly modules, whose `main` [`wasm.mjs`](../../wasm.mjs) calls.

use super::painted;

// SAFETY: `wasm.mjs` provides the function.
#[link(wasm_import_module = "host")]
unsafe extern "C" {
    #[link_name = "write"]
    fn write_to_host(bytes: *const u8, count: usize);
}

/// Writes to the standard output.
pub fn write(bytes: &[u8]) {
    // SAFETY: the slice is valid.
    unsafe { write_to_host(bytes.as_ptr(), bytes.len()) };
}

/// Ends the program with a failure.
pub fn abort() -> ! {
    core::arch::wasm32::unreachable()
}

/// Runs the work and returns zero: WebAssembly has no instructions of a processor.
pub fn instructions(work: &mut dyn FnMut()) -> usize {
    work();
    0
}

/// Returns the number of bytes of the stack in linear memory that `work` uses below its caller's
/// frame, at least the margin. Locals of WebAssembly are elsewhere.
pub fn stack(work: &mut dyn FnMut()) -> usize {
    /// The stack begins at address zero.
    const BOTTOM: usize = 64;
    // SAFETY: the linker places the stack below all other data.
    unsafe { painted(core::ptr::without_provenance_mut(BOTTOM), work) }
}
