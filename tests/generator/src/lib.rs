//! Random, valid cell definitions of 20 to 40 equations. They use every operator and function,
//! shared subexpressions, vector, matrix and scalar states, contexts, one-hot inputs, splits,
//! user-defined functions, learned initial states, delays, windows, a block of heads, and equations
//! in any order.
//!
//! [`Definition::small`] adds hundreds of small cells, of one or two equations.
//!
//! The build script of the package `tests` writes them for the test `random`, which compiles them
//! and checks every gradient. Unit tests of the compiler also read them. A seed always gives the
//! same definition.

mod definition;
mod expressions;
mod shapes;
mod small;
mod source;

pub use definition::Definition;
pub use source::write_tests;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// A small random generator.
#[derive(Debug, Clone)]
pub struct Random(SplitMix64);

impl Random {
    /// Returns a generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::seed_from_u64(seed))
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    /// Returns `true` with a probability of `percent`.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// Returns a random item.
    pub fn pick<'a, I>(&mut self, items: &'a [I]) -> &'a I {
        &items[self.below(items.len())]
    }

    /// Shuffles the items.
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
