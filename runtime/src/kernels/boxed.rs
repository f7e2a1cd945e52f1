//! Large values on the heap, without passing them through the caller's stack.

use alloc::boxed::Box;

/// Up to this size a value may pass through the stack.
#[cfg(feature = "std")]
const SMALL: usize = 32 * 1024;

/// Builds a value on the heap.
///
/// In a debug build a value passes through the stack several times before it reaches its box, and a cell of some
/// megabytes overflows it. Safe Rust has no way to build a struct in place, so a large value is made on a
/// thread of its own, whose stack is sized for it. Without `std` (or without threads) it is made here.
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

/// Not inlined: the value would claim room in the frame of [`boxed`], whether it is made there or not.
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
        // 8 MiB: four times the stack of a test thread.
        let large = boxed(|| [7u64; 1 << 20]);
        assert!(large.iter().all(|&entry| entry == 7));
    }

    #[test]
    #[cfg(feature = "std")]
    #[should_panic(expected = "made of nothing")]
    fn a_panic_reaches_the_caller() {
        boxed(|| -> [u8; 1 << 20] { panic!("made of nothing") });
    }
}
