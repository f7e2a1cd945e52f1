//! Programs of a Cortex-M without an operating system, under an emulator or debugger with
//! semihosting. [`cortex-m.ld`](../../cortex-m.ld) places them in memory.

use super::painted;
use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicUsize, Ordering};

// The vector table: the initial stack pointer, the reset handler, and fourteen other exceptions.
// Reset enables the floating-point unit and calls `main(0, null)`.
global_asm!(
    ".section .vectors, \"a\"",
    ".word stack_top",
    ".word reset",
    ".rept 14",
    ".word fault",
    ".endr",
    ".text",
    ".thumb_func",
    ".global reset",
    ".type reset, %function",
    "reset:",
    "ldr r0, =0xE000ED88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xF00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "movs r0, #0",
    "movs r1, #0",
    "bl main",
    "bl {exit}",
    ".thumb_func",
    ".type fault, %function",
    "fault:",
    "movs r0, #101",
    "bl {exit}",
    ".ltorg",
    exit = sym exit,
);

/// Calls the debugger: <https://github.com/ARM-software/abi-aa/blob/main/semihosting>.
///
/// # Safety
/// The arguments are those of the operation.
unsafe fn semihosting(operation: usize, arguments: *const usize) -> usize {
    let result;
    // SAFETY: guaranteed by the caller.
    unsafe { asm!("bkpt #0xAB", inlateout("r0") operation => result, in("r1") arguments, options(nostack)) };
    result
}

/// Ends the program with an exit code.
extern "C" fn exit(code: usize) -> ! {
    const SYS_EXIT_EXTENDED: usize = 0x20;
    const APPLICATION_EXIT: usize = 0x2_0026;
    loop {
        // SAFETY: the operation takes a reason and a code.
        unsafe { semihosting(SYS_EXIT_EXTENDED, [APPLICATION_EXIT, code].as_ptr()) };
    }
}

/// Ends the program with a failure.
pub fn abort() -> ! {
    exit(102)
}

/// Writes to the standard output of the emulator.
pub fn write(bytes: &[u8]) {
    const SYS_OPEN: usize = 0x01;
    const SYS_WRITE: usize = 0x05;
    const CONSOLE: &[u8] = b":tt\0";
    const FOR_WRITING: usize = 4;
    static OUTPUT: AtomicUsize = AtomicUsize::new(0);
    let mut output = OUTPUT.load(Ordering::Relaxed);
    // SAFETY: the operations take a name, a mode and the length of the name, or a handle and a
    // slice.
    unsafe {
        if output == 0 {
            output = semihosting(SYS_OPEN, [CONSOLE.as_ptr().addr(), FOR_WRITING, 3].as_ptr());
            OUTPUT.store(output, Ordering::Relaxed);
        }
        semihosting(SYS_WRITE, [output, bytes.as_ptr().addr(), bytes.len()].as_ptr());
    }
}

/// Returns the number of instructions of `work` on `qemu-system-arm -M mps2-an386 -icount shift=0`,
/// where an instruction takes a nanosecond. The result is a multiple of 40, up to 600 million.
pub fn instructions(work: &mut dyn FnMut()) -> usize {
    const CONTROL: *mut usize = 0xE000_E010 as *mut usize;
    const RELOAD: *mut usize = 0xE000_E014 as *mut usize;
    const VALUE: *mut usize = 0xE000_E018 as *mut usize;
    const MOST: usize = 0xFF_FFFF;
    /// The timer runs at 25 MHz.
    const NANOSECONDS: usize = 40;
    // SAFETY: the addresses are those of SysTick, which counts down from `RELOAD` at the
    // processor's clock without an interrupt.
    unsafe {
        RELOAD.write_volatile(MOST);
        VALUE.write_volatile(0);
        CONTROL.write_volatile(0b101);
        let start = VALUE.read_volatile();
        work();
        let end = VALUE.read_volatile();
        CONTROL.write_volatile(0);
        (start.wrapping_sub(end) & MOST) * NANOSECONDS
    }
}

/// Returns the number of bytes that `work` uses below its caller's frame, at least the margin.
pub fn stack(work: &mut dyn FnMut()) -> usize {
    // SAFETY: the linker script defines the symbol.
    unsafe extern "C" {
        static mut stack_bottom: usize;
    }
    // SAFETY: the symbol is the end of the stack, and no interrupt is enabled.
    unsafe { painted(&raw mut stack_bottom, work) }
}
