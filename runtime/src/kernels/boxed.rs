//! Construction of large values on the heap without passing them through the caller's stack.

use alloc::boxed::Box;

/// The largest size in bytes of a value that may pass through the stack.
#[cfg(feature = "std")]
const SMALL: usize = 32 * 1024;

/// Builds a value on the heap.
///
/// In a debug build, a value passes through the stack several times before it reaches its box, and
/// a cell of a few megabytes overflows the stack. Safe Rust cannot build a struct in place, so a
/// large value is built on a separate thread with a stack of sufficient size. Without `std` or
/// without threads it is built on the caller's stack.
pub fn boxed<M: Send>(make: impl Fn() -> M + Sync) -> Box<M> {
    #[cfg(feature = "std")]
    if size_of::<M>() > SMALL {
        let stack = 8 * size_of::<M>() + (1 << 20);
        let made = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(stack);
            let worker = thread.spawn_scoped(scope, || here(&make)).ok()?;
            Some(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        if let Some(made) = made {
            return made;
        }
    }
    here(make)
}

/// Builds the value on the current thread. It is not inlined, because the frame of [`boxed`] would
/// reserve space for the value even if it is built on the other thread.
#[inline(never)]
fn here<M>(make: impl FnOnce() -> M) -> Box<M> {
    Box::new(make())
}

#[cfg(test)]
mod tests {
    use super::boxed;

    #[test]
    fn small_and_large_values() {
        assert_eq!(*boxed(|| [3u8; 16]), [3; 16]);
        // 8 MiB, four times the stack of a test thread.
        let large = boxed(|| [7u64; 1 << 20]);
        assert!(large.iter().all(|&entry| entry == 7));
    }

    #[test]
    #[cfg(feature = "std")]
    #[should_panic(expected = "the value cannot be built")]
    fn a_panic_reaches_the_caller() {
        boxed(|| -> [u8; 1 << 20] { panic!("the value cannot be built") });
    }
}
