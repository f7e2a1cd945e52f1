//! Measures the stack usage of one step by stack painting: the step runs on a stack that was filled
//! with a pattern, and every word that has changed was used. Prints a table and exits with 1 if a
//! step of `Lstm<1, 64>` uses more than `LIMIT`.
//!
//! The stack belongs to a POSIX thread. On a device, paint the memory below the stack pointer.

#![no_std]
#![no_main]

use bare_metal::{any, fill};
use core::ffi::{c_char, c_int, c_void};
use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ptr;
use rnn_cell::cells::*;

/// The stack limit in bytes of a step of an LSTM with 64 units.
const LIMIT: usize = 4 * 1024;

/// The size of the stack in bytes.
const SIZE: usize = 512 * 1024;

/// The pattern. It is not zero, not -1, and not an `f32` that a step computes.
const PAINT: u64 = 0xA5C3_96F0_5A3C_690F;

const WORDS: usize = SIZE / size_of::<u64>();

#[repr(C, align(4096))]
struct Stack([u64; WORDS]);

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
    fn printf(format: *const c_char, ...) -> c_int;
}

struct Task<'a> {
    work: &'a mut dyn FnMut(),
    stack: *mut Stack,
    bytes: usize,
}

/// Paints the stack below its own frame, runs the task, and finds the deepest word that has
/// changed.
extern "C" fn on_painted_stack(task: *mut c_void) -> *mut c_void {
    // SAFETY: `bytes` passes a valid task and waits for the thread. The words between the start of
    // the stack and the margin below this frame belong to no live frame. They are accessed as words
    // of `Stack`, and the accesses are volatile because the compiler does not know about other
    // frames.
    unsafe {
        let task = &mut *task.cast::<Task>();
        let start = task.stack.cast::<u64>();
        let frame = ptr::from_ref(&task).addr();
        let below = (frame - start.addr()) / size_of::<u64>() - MARGIN;
        for word in 0..below {
            start.add(word).write_volatile(PAINT);
        }
        (task.work)();
        let clean = (0..below).take_while(|word| start.add(*word).read_volatile() == PAINT).count();
        task.bytes = frame - start.add(clean).addr();
    }
    ptr::null_mut()
}

/// The number of words below the address of a local variable that may still belong to its frame.
const MARGIN: usize = 24;

/// Returns the number of bytes that `work` uses below its caller's frame, at least the margin.
fn bytes(work: &mut dyn FnMut()) -> usize {
    static mut STACK: Stack = Stack([0; WORDS]);
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

/// Measures the stack of a step. Parameters, state, input and output are stored elsewhere.
macro_rules! step {
    (@list $first:literal $(, $size:literal)*) => { concat!($first $(, ", ", $size)*) };
    ($cell:ident < $($size:literal),+ >) => {{
        #[inline(never)]
        fn measured() -> usize {
            let mut cell = $cell::<$($size),+>::zeros();
            fill(&mut cell);
            let (x, mut state) = (any(), cell.initial_state::<1>());
            let mut output = MaybeUninit::uninit();
            bytes(&mut || {
                output.write(black_box(&cell).step(black_box(&x), &mut state));
            })
        }
        let name = concat!(stringify!($cell), "<", step!(@list $($size),+), ">\0");
        let bytes = measured();
        // SAFETY: both strings end in a zero, and the arguments have the types that the format
        // requires.
        unsafe { printf(c"%-28s %6zu bytes\n".as_ptr(), name.as_ptr(), bytes) };
        bytes
    }};
}

// SAFETY: the program has no other `main`, and this is the signature with which the C library calls
// it.
#[unsafe(no_mangle)]
extern "C" fn main() -> c_int {
    step!(Lstm<1, 8>);
    step!(Lstm<1, 16>);
    step!(Lstm<1, 20>);
    step!(Lstm<1, 32>);
    let limited = step!(Lstm<1, 64>);
    step!(Lstm<1, 128>);
    step!(Gru<1, 64>);
    step!(LayerNormLstm<1, 64>);
    step!(Mamba<4, 16, 8, 2>);
    c_int::from(limited > LIMIT)
}
