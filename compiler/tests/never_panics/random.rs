//! A small random generator whose cases can be reproduced from their seed.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// The random generator of one case.
pub struct Random(SplitMix64);

impl Random {
    pub fn new(seed: u64, case: u64) -> Self {
        let mut numbers = SplitMix64::seed_from_u64(seed.wrapping_mul(0xd1b5_4a32_d192_ed03) ^ case);
        numbers.next_u64();
        Self(numbers)
    }

    /// Returns a number below `end`, which must not be zero.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// Returns `true` with a probability of one in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, X>(&mut self, from: &'a [X]) -> &'a X {
        &from[self.below(from.len())]
    }
}
