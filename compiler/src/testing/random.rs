//! Seeded random numbers for tests.

use super::matrix::Matrix;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::SplitMix64;

pub struct Random(SplitMix64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(SplitMix64::seed_from_u64(seed))
    }

    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn matrix(&mut self, rows: usize, columns: usize, low: f64, high: f64) -> Matrix {
        Matrix::new(rows, columns, (0..rows * columns).map(|_| self.between(low, high)).collect())
    }
}
