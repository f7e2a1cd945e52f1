//! The stack that one step takes, measured: the step runs on a stack of our own, painted before; what is not the paint's colour afterwards was
//! used. Prints a table; exits with 1 if a step of `Lstm<1, 64>` takes more than `LIMIT`.
//!
//! The stack of our own is a POSIX thread's. On a device paint what lies below the stack pointer.

#![no_std]
#![no_main]

use bare_metal::{any, fill};
use core::ffi::{c_char, c_int, c_void};
use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ptr;
use rnn_cell::cells::*;

/// What a step of an LSTM with 64 units may take.
const LIMIT: usize = 4 * 1024;

const SIZE: usize = 512 * 1024;

/// The colour: not zero, not -1, no `f32` that a step computes.
const PAINT: u64 = 0xA5C3_96F0_5A3C_690F;

const WORDS: usize = SIZE / size_of::<u64>();

#[repr(C, align(4096))]
struct Room([u64; WORDS]);

/// `pthread_attr_t` of any C library is no larger.
#[repr(C, align(16))]
struct Attributes([u8; 256]);

// SAFETY: the declarations are those of POSIX, where `pthread_t` is a word; `Attributes` has room for any system's.
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
    room: *mut Room,
    bytes: usize,
}

/// Paints what lies below its own frame, works, and looks how deep the paint is gone.
extern "C" fn on_painted_stack(task: *mut c_void) -> *mut c_void {
    // SAFETY: `bytes` hands over a task and waits for the thread. The words between the room's start and the margin below this frame are on no
    // frame that is alive, and they are read and written as words of the room, volatile since the compiler knows nothing of other frames.
    unsafe {
        let task = &mut *task.cast::<Task>();
        let start = task.room.cast::<u64>();
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

/// Words below the address that stands for a frame which may still belong to it.
const MARGIN: usize = 24;

/// The bytes of stack below its caller's frame that `work` uses; at least the margin.
fn bytes(work: &mut dyn FnMut()) -> usize {
    static mut ROOM: Room = Room([0; WORDS]);
    let mut task = Task { work, room: &raw mut ROOM, bytes: 0 };
    let (mut attributes, mut thread) = (Attributes([0; 256]), 0);
    // SAFETY: the room is large enough for a stack and used by one thread at a time, and `task` outlives the thread.
    unsafe {
        pthread_attr_init(&mut attributes);
        pthread_attr_setstack(&mut attributes, task.room.cast(), SIZE);
        if pthread_create(&mut thread, &attributes, on_painted_stack, (&raw mut task).cast()) != 0 {
            return usize::MAX;
        }
        pthread_join(thread, ptr::null_mut());
    }
    task.bytes
}

/// The stack of a step alone: parameters, state, input and output stand elsewhere.
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
        // SAFETY: both strings end in a zero, and the arguments are of the types that the format names.
        unsafe { printf(c"%-28s %6zu bytes\n".as_ptr(), name.as_ptr(), bytes) };
        bytes
    }};
}

// SAFETY: the program has no other `main`; this is how the C library calls it.
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
