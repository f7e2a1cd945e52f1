//! Instruction sets: tokens that prove what the processor can do, and the dispatch that makes them.
//!
//! A kernel body is `#[inline(always)]` and generic over [`Isa`]. Inside `dispatch` it is compiled once per
//! instruction set, under the `#[target_feature]` that the token stands for.

use super::pack::Packed;

mod sealed {
    pub trait Sealed {}
}

/// The instruction sets, each with all of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The baseline of the target.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 with its extensions VL, DQ and BW: every processor since 2017 that has any of it.
    Avx512,
}

/// An instruction set. A value of it is a proof that the processor has the set.
pub trait Isa: sealed::Sealed + Copy + 'static {
    /// Which one it is.
    const LEVEL: Level;

    /// Whether `a * b + c` is one rounding and one instruction.
    const FMA: bool;

    /// The vectors that hand-blocked kernels hold in registers.
    type Pack<T: Packed>: super::pack::Pack<T>;
}

/// The baseline of the target.
#[derive(Debug, Clone, Copy)]
pub struct Portable(());

impl sealed::Sealed for Portable {}

impl Isa for Portable {
    const LEVEL: Level = Level::Portable;
    // `core` has no fused multiply-add, and where the target lacks the instruction it would be a library call.
    const FMA: bool = cfg!(all(
        feature = "std",
        not(feature = "deterministic"),
        any(target_feature = "fma", target_arch = "aarch64")
    ));
    type Pack<T: Packed> = T::Portable;
}

/// AVX2 with FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy)]
pub struct Avx2(());

#[cfg(target_arch = "x86_64")]
impl sealed::Sealed for Avx2 {}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx2 {
    const LEVEL: Level = Level::Avx2;
    const FMA: bool = cfg!(all(feature = "std", not(feature = "deterministic")));
    type Pack<T: Packed> = T::Avx2;
}

/// AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy)]
pub struct Avx512(());

#[cfg(target_arch = "x86_64")]
impl sealed::Sealed for Avx512 {}

#[cfg(target_arch = "x86_64")]
impl Isa for Avx512 {
    const LEVEL: Level = Level::Avx512;
    const FMA: bool = cfg!(all(feature = "std", not(feature = "deterministic")));
    type Pack<T: Packed> = T::Avx512;
}

/// How far the choice goes. The deterministic mode has vectors of one width, those of AVX2.
#[cfg(target_arch = "x86_64")]
const BEST: Level = if cfg!(feature = "deterministic") { Level::Avx2 } else { Level::Avx512 };

/// What the whole program is compiled for.
#[cfg(target_arch = "x86_64")]
const COMPILED_FOR: Level = {
    let avx2 = cfg!(all(target_feature = "avx2", target_feature = "fma"));
    let avx512 = cfg!(all(
        target_feature = "avx512f",
        target_feature = "avx512vl",
        target_feature = "avx512dq",
        target_feature = "avx512bw"
    ));
    match (avx2, avx512) {
        (true, true) => BEST,
        (true, false) => Level::Avx2,
        (false, _) => Level::Portable,
    }
};

/// The best instruction set of this processor that `RNN_CELL_ISA` allows.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
#[inline(always)]
fn level() -> Level {
    use core::sync::atomic::{AtomicU8, Ordering};

    // One byte for all features: std's own cache costs a load and a test each.
    static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);
    const UNKNOWN: u8 = u8::MAX;
    const AVX2: u8 = Level::Avx2 as u8;
    const AVX512: u8 = Level::Avx512 as u8;

    #[cold]
    #[inline(never)]
    fn look() -> u8 {
        let cap = std::env::var_os("RNN_CELL_ISA").map_or(BEST, |name| named(&name.to_string_lossy()));
        let best = ALL.into_iter().filter(|level| *level <= cap && level.is_available()).max();
        let found = best.unwrap_or(COMPILED_FOR) as u8;
        FOUND.store(found, Ordering::Relaxed);
        found
    }

    if COMPILED_FOR == BEST {
        return COMPILED_FOR;
    }
    let mut found = FOUND.load(Ordering::Relaxed);
    if found == UNKNOWN {
        found = look();
    }
    match found {
        AVX512 => Level::Avx512,
        AVX2 => Level::Avx2,
        _ => Level::Portable,
    }
}

/// What can't be found out must be known beforehand.
#[cfg(all(target_arch = "x86_64", not(feature = "std")))]
#[inline(always)]
fn level() -> Level {
    COMPILED_FOR
}

/// From the worst to the best.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

#[cfg(all(target_arch = "x86_64", feature = "std"))]
impl Level {
    /// Whether the processor has the set.
    pub(crate) fn is_available(self) -> bool {
        use std::is_x86_feature_detected as has;
        match self {
            Level::Portable => true,
            Level::Avx2 => has!("avx2") && has!("fma"),
            Level::Avx512 => {
                BEST == Level::Avx512
                    && Level::Avx2.is_available()
                    && has!("avx512f")
                    && has!("avx512vl")
                    && has!("avx512dq")
                    && has!("avx512bw")
            }
        }
    }
}

/// The set that a value of `RNN_CELL_ISA` stands for.
///
/// # Panics
/// If there is none of this name: who sets the variable wants to know what runs.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
fn named(name: &str) -> Level {
    match name {
        "portable" => Level::Portable,
        "avx2" => Level::Avx2,
        "avx512" => Level::Avx512,
        _ => panic!("RNN_CELL_ISA is `{name}`, not one of `portable`, `avx2`, `avx512`"),
    }
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
///
/// The feature `deterministic` stops at AVX2, and so do debug assertions: a third copy of every job would add two fifths to the
/// time it takes to compile cells, for code that is not optimised anyway.
///
/// The environment variable `RNN_CELL_ISA`, read at the first call, caps the choice (`portable`, `avx2`, `avx512`), so
/// that every path can be tested and timed on one machine. A program that is compiled for AVX-512 as a whole, or
/// without `std`, doesn't look at it.
#[inline]
pub fn dispatch<J: Job>(job: J) -> J::Out {
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: the processor has what was found, or what the whole program is compiled for.
        #[cfg(not(any(debug_assertions, feature = "deterministic")))]
        Level::Avx512 => return unsafe { on_avx512(job, Avx512(())) },
        Level::Portable => {}
        // SAFETY: as above; AVX-512 includes AVX2.
        _ => return unsafe { on_avx2(job, Avx2(())) },
    }
    job.run(Portable(()))
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2<J: Job>(job: J, isa: Avx2) -> J::Out {
    job.run(isa)
}

#[cfg(all(target_arch = "x86_64", not(feature = "deterministic"), any(test, not(debug_assertions))))]
#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
fn on_avx512<J: Job>(job: J, isa: Avx512) -> J::Out {
    job.run(isa)
}

/// The instruction sets of this processor.
#[cfg(test)]
pub(crate) fn available() -> impl Iterator<Item = Level> {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    let all = ALL.into_iter().filter(|level| level.is_available());
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    let all = [Level::Portable].into_iter();
    all
}

/// Runs `job` under one of the available sets.
#[cfg(test)]
pub(crate) fn run_at<J: Job>(level: Level, job: J) -> J::Out {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    {
        assert!(level.is_available());
        match level {
            // SAFETY: just asked.
            #[cfg(not(feature = "deterministic"))]
            Level::Avx512 => return unsafe { on_avx512(job, Avx512(())) },
            // SAFETY: just asked.
            Level::Avx2 => return unsafe { on_avx2(job, Avx2(())) },
            _ => {}
        }
    }
    assert_eq!(level, Level::Portable);
    job.run(Portable(()))
}

/// For functions of single numbers.
#[cfg(any(test, feature = "alloc"))]
impl Portable {
    /// The baseline is always there.
    #[inline(always)]
    pub(crate) fn token() -> Self {
        Portable(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Name;

    impl Job for Name {
        type Out = (Level, bool);
        #[inline(always)]
        fn run<S: Isa>(self, _isa: S) -> (Level, bool) {
            (S::LEVEL, S::FMA)
        }
    }

    /// Tests run under every set there is: not under none.
    #[test]
    fn the_baseline_is_always_there() {
        assert_eq!(available().next(), Some(Level::Portable));
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        assert_eq!(available().any(|level| level == Level::Avx2), {
            std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma")
        });
    }

    #[test]
    fn dispatch_follows_the_processor() {
        #[cfg(all(target_arch = "x86_64", feature = "std"))]
        {
            let cap = std::env::var("RNN_CELL_ISA").map_or(BEST, |name| named(&name));
            let cap = if cfg!(debug_assertions) { cap.min(Level::Avx2) } else { cap };
            let expected = match available().filter(|level| *level <= cap).max() {
                Some(Level::Avx512) => (Level::Avx512, Avx512::FMA),
                Some(Level::Avx2) => (Level::Avx2, Avx2::FMA),
                _ => (Level::Portable, Portable::FMA),
            };
            assert_eq!(dispatch(Name), expected);
        }
        #[cfg(not(target_arch = "x86_64"))]
        assert_eq!(dispatch(Name), (Level::Portable, Portable::FMA));
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    fn every_set_has_a_name() {
        assert_eq!(["portable", "avx2", "avx512"].map(named), ALL);
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    #[should_panic(expected = "RNN_CELL_ISA is `sse9`")]
    fn an_unknown_set_is_a_mistake() {
        named("sse9");
    }
}
