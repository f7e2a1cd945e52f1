//! Random, well-formed cell definitions of 20 to 40 equations: every operator and function, shared
//! subexpressions, vector, matrix and scalar states, contexts, one-hot inputs, splits, user functions,
//! learned initial states, equations in any order.
//!
//! The build script of the package `tests` writes them out for the test `random`, which compiles them
//! and checks every gradient; unit tests of the compiler read them too. One seed gives one
//! definition, always the same.

mod definition;
mod expressions;
mod shapes;
mod source;

pub use definition::Definition;
pub use source::write_tests;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

/// A small generator of random numbers.
#[derive(Debug, Clone)]
pub struct Random(SplitMix64);

impl Random {
    /// One that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::seed_from_u64(seed))
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound as u64) as usize
    }

    /// Whether an event of `percent` happens.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<'a, I>(&mut self, items: &'a [I]) -> &'a I {
        &items[self.below(items.len())]
    }

    /// Into a random order.
    pub fn shuffle<I>(&mut self, items: &mut [I]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
