//! Instruction sets: tokens that prove what the processor can do, and the dispatch that makes them.
//!
//! A kernel body is `#[inline(always)]` and generic over [`Isa`]. Inside `dispatch` it is compiled once per
//! instruction set, under the `#[target_feature]` that the token stands for.

use super::pack::Packed;

mod sealed {
    pub trait Sealed {}
}

/// An instruction set. A value of it is a proof that the processor has the set.
pub trait Isa: sealed::Sealed + Copy + 'static {
    /// Whether `a * b + c` is one rounding and one instruction.
    const FMA: bool;

    /// Whether outlined kernels may enter their AVX2 twins.
    const AVX2: bool;

    /// The vectors that hand-blocked kernels hold in registers.
    type Pack<T: Packed>: super::pack::Pack<T>;
}

/// The baseline of the target.
#[derive(Debug, Clone, Copy)]
pub struct Portable(());

impl sealed::Sealed for Portable {}

impl Isa for Portable {
    // `core` has no fused multiply-add, and where the target lacks the instruction it would be a library call.
    const FMA: bool = cfg!(all(feature = "std", any(target_feature = "fma", target_arch = "aarch64")));
    const AVX2: bool = false;
    type Pack<T: Packed> = T::Portable;
}

#[cfg(test)]
impl Portable {
    /// The baseline is always there.
    #[inline(always)]
    pub(crate) fn token() -> Self {
        Portable(())
    }
}

/// AVX2 with FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy)]
pub struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl sealed::Sealed for Avx2 {}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx2 {
    const FMA: bool = cfg!(feature = "std");
    const AVX2: bool = true;
    type Pack<T: Packed> = T::Avx2;
}

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    /// The token, if the processor has the set.
    #[inline(always)]
    pub(crate) fn detect() -> Option<Self> {
        if detected() { Some(Avx2(())) } else { None }
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
#[inline(always)]
fn detected() -> bool {
    true
}

#[cfg(all(
    target_arch = "x86_64",
    feature = "std",
    not(all(target_feature = "avx2", target_feature = "fma"))
))]
#[inline(always)]
fn detected() -> bool {
    use core::sync::atomic::{AtomicU8, Ordering};

    // One byte for both features: std's own cache costs a load and a test each.
    static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);
    const UNKNOWN: u8 = 0;
    const ABSENT: u8 = 1;
    const PRESENT: u8 = 2;

    #[cold]
    #[inline(never)]
    fn look() -> u8 {
        let both = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
        let found = if both { PRESENT } else { ABSENT };
        FOUND.store(found, Ordering::Relaxed);
        found
    }

    let mut found = FOUND.load(Ordering::Relaxed);
    if found == UNKNOWN {
        found = look();
    }
    found == PRESENT
}

#[cfg(all(
    target_arch = "x86_64",
    not(feature = "std"),
    not(all(target_feature = "avx2", target_feature = "fma"))
))]
#[inline(always)]
fn detected() -> bool {
    false
}

/// A computation that runs under whichever instruction set is best. `run` should be `#[inline(always)]`: only
/// what is inlined into the dispatch is compiled for the set.
pub trait Job {
    /// What it returns.
    type Out;

    /// The computation.
    fn run<S: Isa>(self, isa: S) -> Self::Out;
}

/// Runs `job` under the best instruction set of this processor.
#[inline]
pub fn dispatch<J: Job>(job: J) -> J::Out {
    #[cfg(target_arch = "x86_64")]
    if let Some(isa) = Avx2::detect() {
        // SAFETY: the token proves the features.
        return unsafe { on_avx2(job, isa) };
    }
    job.run(Portable(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2<J: Job>(job: J, isa: Avx2) -> J::Out {
    job.run(isa)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Name;

    impl Job for Name {
        type Out = (bool, bool);
        #[inline(always)]
        fn run<S: Isa>(self, _isa: S) -> (bool, bool) {
            (S::AVX2, S::FMA)
        }
    }

    #[test]
    fn dispatch_follows_the_processor() {
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        {
            let both = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
            assert_eq!(dispatch(Name), if both { (true, true) } else { (false, Portable::FMA) });
        }
        #[cfg(not(target_arch = "x86_64"))]
        assert_eq!(dispatch(Name), (false, Portable::FMA));
    }
}
