//! The start of a program, its output and its measurements on each target.
//!
//! Each platform calls `main` of the program and reports its result as an exit code.

use core::ptr;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{abort, instructions, stack, write};

#[cfg(all(target_arch = "arm", target_os = "none"))]
mod cortex_m;
#[cfg(all(target_arch = "arm", target_os = "none"))]
pub use cortex_m::{abort, instructions, stack, write};

#[cfg(target_family = "wasm")]
mod wasm;
#[cfg(target_family = "wasm")]
pub use wasm::{abort, instructions, stack, write};

/// The pattern of a painted stack. It is not zero, not -1, and not an `f32` that a step computes.
const PAINT: usize = 0xA5C3_96F0_5A3C_690F_u64 as usize;

/// The number of words below the address of a local variable that may still belong to its frame.
const MARGIN: usize = 24;

/// Paints the stack below its own frame, runs `work`, and returns the number of bytes down to the
/// deepest word that has changed.
///
/// # Safety
/// The memory from `start` to the frame of this function belongs to the stack that it runs on, and
/// no interrupt uses it.
unsafe fn painted(start: *mut usize, work: &mut dyn FnMut()) -> usize {
    let frame = ptr::from_ref(&work).addr();
    let below = ((frame - start.addr()) / size_of::<usize>()).saturating_sub(MARGIN);
    // SAFETY: the words between the start of the stack and the margin below this frame belong to no
    // live frame. The accesses are volatile because the compiler does not know about other frames.
    unsafe {
        for word in 0..below {
            start.add(word).write_volatile(PAINT);
        }
        work();
        let clean = (0..below).take_while(|word| start.add(*word).read_volatile() == PAINT).count();
        frame - start.add(clean).addr()
    }
}
