//! A small seeded generator, so that a failing case can be drawn again.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// The numbers of one case.
pub struct Random(SplitMix64);

impl Random {
    pub fn new(seed: u64, case: u64) -> Self {
        let mut numbers = SplitMix64::seed_from_u64(seed.wrapping_mul(0xd1b5_4a32_d192_ed03) ^ case);
        numbers.next_u64();
        Self(numbers)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, X>(&mut self, from: &'a [X]) -> &'a X {
        &from[self.below(from.len())]
    }
}
