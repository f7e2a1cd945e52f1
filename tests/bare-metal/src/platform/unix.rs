//! Programs of the C library, which calls `main`.

use super::painted;
use core::ffi::{c_int, c_void};
use core::ptr;

// Without `std`, the C library must be linked explicitly. It calls `main` and copies memory.
// SAFETY: nothing is declared.
#[link(name = "c")]
unsafe extern "C" {}

/// Satisfies the linker and does nothing. The host's `core` is compiled with unwinding and refers
/// to this function, but nothing unwinds here. The `core` of targets without an operating system
/// does not refer to it.
// SAFETY: without `std` the program has no other function of that name.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// The size of the measured stack in bytes.
const SIZE: usize = 512 * 1024;

#[repr(C, align(65536))]
struct Stack([usize; SIZE / size_of::<usize>()]);

/// Memory for the `pthread_attr_t` of any C library.
#[repr(C, align(16))]
struct Attributes([u8; 256]);

// SAFETY: the declarations are those of POSIX, where `pthread_t` is a word. `Attributes` is large
// enough for any system.
unsafe extern "C" {
    fn pthread_attr_init(attributes: *mut Attributes) -> c_int;
    fn pthread_attr_setstack(attributes: *mut Attributes, start: *mut c_void, size: usize) -> c_int;
    fn pthread_create(
        thread: *mut usize,
        attributes: *const Attributes,
        start: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> c_int;
    fn pthread_join(thread: usize, result: *mut *mut c_void) -> c_int;
    #[link_name = "abort"]
    fn abort_process() -> !;
    #[link_name = "write"]
    fn write_to(file: c_int, bytes: *const u8, count: usize) -> isize;
}

/// Writes to the standard output.
pub fn write(bytes: &[u8]) {
    // SAFETY: the slice is valid.
    unsafe { write_to(1, bytes.as_ptr(), bytes.len()) };
}

/// Ends the program with a failure.
pub fn abort() -> ! {
    // SAFETY: the function has no arguments.
    unsafe { abort_process() }
}

/// Runs the work and returns zero: an emulator counts the instructions from outside.
pub fn instructions(work: &mut dyn FnMut()) -> usize {
    work();
    0
}

struct Task<'a> {
    work: &'a mut dyn FnMut(),
    stack: *mut Stack,
    bytes: usize,
}

extern "C" fn on_painted_stack(task: *mut c_void) -> *mut c_void {
    // SAFETY: `stack` passes a valid task and waits for the thread, whose stack it is.
    unsafe {
        let task = &mut *task.cast::<Task>();
        task.bytes = painted(task.stack.cast(), task.work);
    }
    ptr::null_mut()
}

/// Returns the number of bytes that `work` uses below its caller's frame, at least the margin.
pub fn stack(work: &mut dyn FnMut()) -> usize {
    static mut STACK: Stack = Stack([0; SIZE / size_of::<usize>()]);
    let mut task = Task { work, stack: &raw mut STACK, bytes: 0 };
    let (mut attributes, mut thread) = (Attributes([0; 256]), 0);
    // SAFETY: the stack is large enough and used by one thread at a time, and `task` outlives the
    // thread.
    unsafe {
        pthread_attr_init(&mut attributes);
        pthread_attr_setstack(&mut attributes, task.stack.cast(), SIZE);
        if pthread_create(&mut thread, &attributes, on_painted_stack, (&raw mut task).cast()) != 0 {
            return usize::MAX;
        }
        pthread_join(thread, ptr::null_mut());
    }
    task.bytes
}
