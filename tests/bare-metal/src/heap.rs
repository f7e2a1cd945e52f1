//! An allocator that never frees.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The size of the heap in bytes.
const SIZE: usize = 1024 * 1024;

#[repr(C, align(16))]
struct Heap([u8; SIZE]);

static mut HEAP: Heap = Heap([0; SIZE]);
static USED: AtomicUsize = AtomicUsize::new(0);

struct Bump;

// SAFETY: every block is a part of `HEAP` of its own, because the programs have one thread.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = USED.load(Ordering::Relaxed).next_multiple_of(layout.align());
        if layout.align() > align_of::<Heap>() || SIZE.saturating_sub(start) < layout.size() {
            return ptr::null_mut();
        }
        USED.store(start + layout.size(), Ordering::Relaxed);
        (&raw mut HEAP).cast::<u8>().wrapping_add(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump;
