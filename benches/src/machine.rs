//! The peak performance of the machine, the reference for all other figures.

use rnn_cell::kernels::isa::{Isa, Job, Level, dispatch};
use rnn_cell::kernels::math::fused;
use std::hint::black_box;

/// Returns the instruction set that the kernels use on this machine.
pub fn instruction_set() -> &'static str {
    struct Set;
    impl Job for Set {
        type Out = &'static str;
        #[inline(always)]
        fn run<S: Isa>(self, _isa: S) -> &'static str {
            match (S::LEVEL, S::FMA) {
                (Level::Avx512, _) => "AVX-512",
                (Level::Avx2, _) => "AVX2 + FMA",
                (Level::Portable, true) => "portable with FMA",
                (Level::Portable, false) => "portable",
            }
        }
    }
    dispatch(Set)
}

/// Returns the name of the processor.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    model.unwrap_or("unknown processor").to_owned()
}

/// The number of independent chains, more than enough to hide the latency of a multiply-add: four
/// cycles at two per cycle.
const CHAINS: usize = 12;

/// The number of FLOP of one call of [`multiply_add`].
pub const PEAK_FLOPS: usize = 2 * 16 * CHAINS * 1000;

/// Runs independent multiply-adds on registers alone, at the `f32` peak of one core.
pub fn multiply_add() {
    struct Peak(f32, f32);
    impl Job for Peak {
        type Out = ();
        #[inline(always)]
        fn run<S: Isa>(self, isa: S) {
            match S::LEVEL {
                Level::Avx512 => chains::<S, { 16 * CHAINS }>(isa, self.0, self.1),
                _ => chains::<S, { 8 * CHAINS }>(isa, self.0, self.1),
            }
        }
    }
    dispatch(Peak(black_box(0.5), black_box(0.25)));
}

/// Runs `LANES` chains of multiply-adds, which the compiler puts into vectors.
#[inline(always)]
fn chains<S: Isa, const LANES: usize>(isa: S, a: f32, b: f32) {
    let mut sums = [0.0; LANES];
    for _ in 0..PEAK_FLOPS / (2 * LANES) {
        for sum in &mut sums {
            *sum = fused(isa, *sum, a, b);
        }
    }
    black_box(sums);
}

/// Returns numbers for [`read`] that take at least `bytes` bytes, and the number of bytes that it
/// reads.
pub fn to_read(bytes: usize) -> (Vec<f32>, usize) {
    let numbers = (bytes / size_of::<f32>()).max(1).next_multiple_of(16 * CHAINS);
    // The additional numbers let `read` start at a cache line.
    (vec![1.0; numbers + 16], numbers * size_of::<f32>())
}

/// Sums numbers at the bandwidth of the cache that holds them.
pub fn read(numbers: &[f32]) {
    struct Read<'a>(&'a [f32]);
    impl Job for Read<'_> {
        type Out = ();
        #[inline(always)]
        fn run<S: Isa>(self, _isa: S) {
            match S::LEVEL {
                Level::Avx512 => add_up::<16>(self.0),
                _ => add_up::<8>(self.0),
            }
        }
    }
    dispatch(Read(black_box(numbers)));
}

/// Sums numbers, `LANES` at a time, in several chains.
#[inline(always)]
fn add_up<const LANES: usize>(numbers: &[f32]) {
    let mut sums = [[0.0; LANES]; CHAINS];
    // Start at a cache line, because loads across two cache lines take twice as long.
    let numbers = &numbers[numbers.as_ptr().align_offset(64).min(numbers.len())..];
    for block in numbers.chunks_exact(LANES * CHAINS) {
        for (sum, part) in sums.iter_mut().zip(block.chunks_exact(LANES)) {
            for lane in 0..LANES {
                sum[lane] += part[lane];
            }
        }
    }
    black_box(sums);
}

/// Returns the resident memory of this process in bytes, or `None` without `/proc`.
pub fn resident() -> Option<usize> {
    // The figures of `status` lag behind.
    let maps = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = maps.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1024)
}
