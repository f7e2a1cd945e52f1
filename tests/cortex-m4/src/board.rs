//! The emulated board: vector table, output by semihosting, counting instructions and stack.

use core::arch::{asm, global_asm};
use core::ptr;

// The initial stack pointer, the reset handler, and fourteen other exceptions. Reset enables the
// floating-point unit.
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
    "bl main",
    "movs r0, #0",
    "bl {exit}",
    ".thumb_func",
    ".type fault, %function",
    "fault:",
    "movs r0, #101",
    "bl {exit}",
    ".ltorg",
    exit = sym exit,
);

/// Calls the emulator: <https://github.com/ARM-software/abi-aa/blob/main/semihosting>.
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

/// Writes to the standard output of the emulator.
pub fn write(bytes: &[u8]) {
    const SYS_OPEN: usize = 0x01;
    const SYS_WRITE: usize = 0x05;
    const CONSOLE: &[u8] = b":tt\0";
    const FOR_WRITING: usize = 4;
    // SAFETY: the operations take a name, a mode and the length of the name, or a handle and a
    // slice.
    unsafe {
        let output = semihosting(SYS_OPEN, [CONSOLE.as_ptr().addr(), FOR_WRITING, 3].as_ptr());
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

/// Returns the number of bytes of stack that `work` uses, by painting the stack below this frame.
#[inline(never)]
pub fn stack(work: &mut dyn FnMut()) -> usize {
    const PAINT: u32 = 0xA5C3_96F0;
    /// The bytes below a local variable that may belong to its frame, and the bytes painted.
    const MARGIN: usize = 128;
    const PAINTED: usize = 64 * 1024;
    let local = 0u32;
    let top = ptr::from_ref(&local).addr();
    let words = PAINTED / size_of::<u32>();
    // SAFETY: the stack has megabytes below this frame, and no interrupt is enabled.
    unsafe {
        let bottom = ptr::with_exposed_provenance_mut::<u32>((top - MARGIN - PAINTED) & !3);
        for word in 0..words {
            bottom.add(word).write_volatile(PAINT);
        }
        work();
        let clean = (0..words).take_while(|word| bottom.add(*word).read_volatile() == PAINT).count();
        top - bottom.add(clean).addr()
    }
}

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
