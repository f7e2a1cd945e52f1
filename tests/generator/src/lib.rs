//! Random, well-formed cell definitions of 20 to 40 equations: every operator and function, shared
//! subexpressions, vector, matrix and scalar states, contexts, one-hot inputs, splits, user functions,
//! learned initial states, equations in any order.
//!
//! The build script of the package `tests` writes them out for the test `random`, which compiles them and checks every gradient;
//! unit tests of the compiler read them too. Plain `std`, so that the build script stays quick to build. One seed gives one definition, always the same.

mod definition;
mod expressions;
mod shapes;
mod source;

pub use definition::Definition;
pub use source::write_tests;

/// A small generator of random numbers (SplitMix64; Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// One that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
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
