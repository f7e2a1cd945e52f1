//! What the machine can do at most: the yardstick of every other figure.

use rnn_cell::kernels::isa::{Isa, Job, Level, dispatch};
use rnn_cell::kernels::math::fused;
use std::hint::black_box;

/// The instructions that the kernels use here.
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

/// The processor's own name.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    model.unwrap_or("unknown processor").to_owned()
}

/// Chains that hide the latency of a multiply-add: four cycles, two a cycle, with room to spare.
const CHAINS: usize = 12;

/// Multiply-adds in one go of [`multiply_add`].
pub const PEAK_FLOPS: usize = 2 * 16 * CHAINS * 1000;

/// Multiply-adds that wait for nothing, on registers alone: the peak in `f32` of one core.
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

/// As many chains of multiply-adds as `LANES` numbers are vectors.
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

/// Numbers for [`read`], at least as many bytes as wanted, and the bytes of them that it reads.
pub fn to_read(bytes: usize) -> (Vec<f32>, usize) {
    let numbers = (bytes / size_of::<f32>()).max(1).next_multiple_of(16 * CHAINS);
    // So many more that it can start at a cache line.
    (vec![1.0; numbers + 16], numbers * size_of::<f32>())
}

/// Adds up numbers, as fast as they come from wherever in the caches they lie.
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

/// Adds up numbers, `LANES` at a time, in several chains.
#[inline(always)]
fn add_up<const LANES: usize>(numbers: &[f32]) {
    let mut sums = [[0.0; LANES]; CHAINS];
    // At a cache line, since loads across two of them take twice as long.
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

/// Bytes of memory that this process holds; None where `/proc` isn't.
pub fn resident() -> Option<usize> {
    // Not `status`, whose figures lag behind.
    let maps = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = maps.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? * 1024)
}
