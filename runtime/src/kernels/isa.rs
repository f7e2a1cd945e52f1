//! Instruction sets: tokens that prove the features of the processor, and the dispatch that creates
//! them.
//!
//! A kernel body is `#[inline(always)]` and generic over [`Isa`]. `dispatch` compiles it once per
//! instruction set, with the `#[target_feature]` attributes that the token proves.

use core::fmt;
use core::marker::PhantomData;

use super::fused::FUSED;
use super::pack::Packed;

mod sealed {
    pub trait Sealed {}
}

/// The instruction sets. Each includes all sets before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The baseline of the target.
    Portable,
    /// AVX2 with FMA.
    Avx2,
    /// AVX-512 with its extensions VL, DQ and BW, which every processor with AVX-512 since 2017
    /// has.
    Avx512,
}

/// True on processors of ARM's M profile with a floating-point unit (Cortex-M4F and later), which
/// have no vectors of floats before Helium.
///
/// rustc does not say which unit a 32-bit ARM has. Only the targets of the M profile pass floats in
/// registers and have no atomic operations on 64 bits. `pack` has the same condition.
pub(super) const M_PROFILE: bool =
    cfg!(all(target_arch = "arm", target_abi = "eabihf", not(target_has_atomic = "64")));

/// An instruction set. A value of the type is a proof that the processor has the set.
pub trait Isa: sealed::Sealed + Copy + 'static {
    /// The instruction set as a value.
    const LEVEL: Level;

    /// True if `a * b + c` is one instruction with one rounding.
    const FMA: bool;

    /// The vectors of hand-blocked kernels.
    type Pack<T: Packed>: super::pack::Pack<T>;

    /// The number of correct decimals of `tanh` and `sigmoid`, or `None` if they are exact to the
    /// last bits.
    const DECIMALS: Option<Decimals> = None;
}

/// An accuracy of `tanh` and `sigmoid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimals {
    /// Relative errors of `tanh` up to 1e-4.
    Four,
    /// Relative errors of `tanh` up to 1e-5.
    Five,
}

/// The accuracy of `tanh` and `sigmoid` in [approximate](crate::cell::Approximate) steps:
/// [`FourDecimals`] or [`FiveDecimals`].
pub trait Accuracy: sealed::Sealed + fmt::Debug + Copy + Send + Sync + 'static {
    /// The accuracy as a value.
    #[doc(hidden)]
    const DECIMALS: Decimals;
}

/// A relative error of `tanh` of at most 1e-4, and an absolute error of `sigmoid` of at most 5e-5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FourDecimals;

impl sealed::Sealed for FourDecimals {}

impl Accuracy for FourDecimals {
    const DECIMALS: Decimals = Decimals::Four;
}

/// A relative error of `tanh` of at most 1e-5, and an absolute error of `sigmoid` of at most 5e-6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FiveDecimals;

impl sealed::Sealed for FiveDecimals {}

impl Accuracy for FiveDecimals {
    const DECIMALS: Decimals = Decimals::Five;
}

/// The instruction set `S`, with `tanh` and `sigmoid` of the accuracy `A`.
#[derive(Debug, Clone, Copy)]
pub struct Within<S, A>(S, PhantomData<A>);

impl<S: Isa, A: Accuracy> Within<S, A> {
    /// Returns the token that proves the same instruction set as `isa`.
    #[inline(always)]
    pub(crate) fn accuracy(isa: S) -> Self {
        Within(isa, PhantomData)
    }
}

impl<S, A> sealed::Sealed for Within<S, A> {}

impl<S: Isa, A: Accuracy> Isa for Within<S, A> {
    const LEVEL: Level = S::LEVEL;
    const FMA: bool = S::FMA;
    type Pack<T: Packed> = S::Pack<T>;
    const DECIMALS: Option<Decimals> = Some(A::DECIMALS);
}

/// The baseline of the target.
#[derive(Debug, Clone, Copy)]
pub struct Portable(());

impl sealed::Sealed for Portable {}

impl Isa for Portable {
    const LEVEL: Level = Level::Portable;
    const FMA: bool = FUSED && cfg!(not(feature = "deterministic"));
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

/// The best instruction set that is used. The deterministic mode has vectors of one width, that of
/// AVX2.
#[cfg(target_arch = "x86_64")]
const BEST: Level = if cfg!(feature = "deterministic") { Level::Avx2 } else { Level::Avx512 };

/// The instruction set that the whole program is compiled for.
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

/// True if jobs are compiled only for the instruction set of the whole program. Dev builds of this
/// repository are (`.cargo/config.toml`), since compiling jobs takes most of their time.
#[cfg(target_arch = "x86_64")]
const ONE_SET: bool = cfg!(all(rnn_cell_one_set, debug_assertions, not(feature = "deterministic")));

/// True if that instruction set includes AVX2.
#[cfg(target_arch = "x86_64")]
const COMPILED_FOR_AVX2: bool = !matches!(COMPILED_FOR, Level::Portable);

/// Returns the best instruction set of this processor that `RNN_CELL_ISA` allows.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
#[inline(always)]
fn level() -> Level {
    use core::sync::atomic::{AtomicU8, Ordering};

    // One byte for all features. The cache of `std` costs a load and a test per feature.
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

/// Returns the instruction set that the program is compiled for, because detection at run time
/// needs `std`.
#[cfg(all(target_arch = "x86_64", not(feature = "std")))]
#[inline(always)]
fn level() -> Level {
    COMPILED_FOR
}

/// All instruction sets, from the worst to the best.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

#[cfg(all(target_arch = "x86_64", feature = "std"))]
impl Level {
    /// Returns whether the processor has the set.
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

/// Returns the set that a value of `RNN_CELL_ISA` names.
///
/// # Panics
/// Panics if no set has this name: a user who sets the variable wants to know what runs.
#[cfg(all(target_arch = "x86_64", feature = "std"))]
fn named(name: &str) -> Level {
    match name {
        "portable" => Level::Portable,
        "avx2" => Level::Avx2,
        "avx512" => Level::Avx512,
        _ => panic!("RNN_CELL_ISA is `{name}`, not one of `portable`, `avx2`, `avx512`"),
    }
}

/// A computation that runs under the best instruction set. `run` should be `#[inline(always)]`,
/// because only code that is inlined into the dispatch is compiled for the set.
pub trait Job {
    /// The type of the result.
    type Out;

    /// Runs the computation.
    fn run<S: Isa>(self, isa: S) -> Self::Out;
}

/// Runs `job` under the best instruction set of this processor.
///
/// The best set is AVX2 with the feature `deterministic` or with debug assertions. A third copy of
/// every job would increase the compile time of cells by two fifths, for code that is not optimised
/// anyway.
///
/// The environment variable `RNN_CELL_ISA` (`portable`, `avx2`, `avx512`) limits the choice, so
/// that all paths can be tested and timed on one machine. It is read at the first call. A program
/// that is compiled for AVX-512 as a whole, or without `std`, ignores it.
///
/// It is always inlined, so that a job is built where the function of the instruction set reads it.
/// A call in between copies the job by wide loads from narrow stores that have just been made. They
/// wait until these stores, and with them the step before, are complete: a quarter of a small step.
#[inline(always)]
pub fn dispatch<J: Job>(job: J) -> J::Out {
    // Both conditions are constants, so the branches not taken are not compiled.
    #[cfg(target_arch = "x86_64")]
    if ONE_SET {
        if COMPILED_FOR_AVX2 {
            // SAFETY: the whole program is compiled for the set.
            return unsafe { on_avx2(job, Avx2(())) };
        }
        return job.run(Portable(()));
    }
    #[cfg(target_arch = "x86_64")]
    match level() {
        // SAFETY: the processor has the detected set, or the set that the whole program is compiled
        // for.
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

/// Returns the instruction sets of this processor.
#[cfg(test)]
pub(crate) fn available() -> impl Iterator<Item = Level> {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    let all = ALL.into_iter().filter(|level| level.is_available());
    #[cfg(not(all(target_arch = "x86_64", feature = "std")))]
    let all = [Level::Portable].into_iter();
    all
}

/// Runs `job` under one of the available instruction sets.
#[cfg(test)]
pub(crate) fn run_at<J: Job>(level: Level, job: J) -> J::Out {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    {
        assert!(level.is_available());
        match level {
            // SAFETY: the set is available, as asserted above.
            #[cfg(not(feature = "deterministic"))]
            Level::Avx512 => return unsafe { on_avx512(job, Avx512(())) },
            // SAFETY: as above.
            Level::Avx2 => return unsafe { on_avx2(job, Avx2(())) },
            _ => {}
        }
    }
    assert_eq!(level, Level::Portable);
    job.run(Portable(()))
}

/// The token for functions of single numbers.
#[cfg(any(test, feature = "alloc"))]
impl Portable {
    /// Returns the token of the baseline, which is always available.
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

    /// Tests that run under every available set must run under at least one.
    #[test]
    fn the_baseline_is_always_available() {
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
            let best = available().filter(|level| *level <= cap).max();
            let expected = match if ONE_SET { Some(COMPILED_FOR.min(Level::Avx2)) } else { best } {
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
    fn an_unknown_set_panics() {
        named("sse9");
    }
}
