//! Noise in training. A layer that draws masks carries its random generator from step to step as a
//! part of its state.

use crate::rng::{DynRng, Rng, SeedableRng, Xoshiro256PlusPlus};
use crate::types::varying::Varying;

/// A state with the random generator for the masks that its layer draws. The result of
/// [`initial_state`](crate::cell::Model::initial_state) has no generator and no noise;
/// [`seed_noise`](crate::cell::Layer::seed_noise) adds one.
///
/// Cotangents ignore the random generator.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Noisy<S> {
    /// The state of the layer without the noise.
    pub state: S,
    pub(super) generator: Option<Xoshiro256PlusPlus>,
}

impl<S> Noisy<S> {
    pub(super) fn silent(state: S) -> Self {
        Noisy { state, generator: None }
    }

    pub(super) fn seed(&mut self, rng: &mut DynRng<'_>) {
        self.generator = Some(Xoshiro256PlusPlus::from_rng(rng));
    }

    /// Returns whether masks are drawn.
    pub fn is_noisy(&self) -> bool {
        self.generator.is_some()
    }
}

impl<T, S: Varying<T>> Varying<T> for Noisy<S> {
    fn zero() -> Self {
        Noisy::silent(S::zero())
    }

    fn scalars(&self, f: &mut dyn FnMut(T)) {
        self.state.scalars(f);
    }

    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
        self.state.scalars_mut(f);
    }

    fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        self.state.sample_mut(sample, batch, f);
    }

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        self.state.swap_sample(&mut other.state, sample, batch);
    }

    fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
        self.state.zip_scalars(&other.state, f);
    }
}

/// The probability of a hit, stored as a bound on 64 random bits.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "f64", into = "f64"))]
pub(super) struct Rate {
    pub(super) probability: f64,
    bound: u64,
}

impl TryFrom<f64> for Rate {
    type Error = &'static str;

    fn try_from(probability: f64) -> Result<Self, &'static str> {
        if !(0.0..1.0).contains(&probability) {
            return Err("a rate is a probability from 0 up to, but not including, 1");
        }
        // The cast rounds towards zero, and 2^64 is exact.
        Ok(Rate { probability, bound: (probability * 18_446_744_073_709_551_616.0) as u64 })
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> f64 {
        rate.probability
    }
}

impl Rate {
    /// Creates a rate.
    ///
    /// # Panics
    /// Panics if the probability is not in `[0, 1)`.
    #[track_caller]
    pub(super) fn new(probability: f64) -> Self {
        match Rate::try_from(probability) {
            Ok(rate) => rate,
            Err(mistake) => panic!("{mistake}; this one is {probability}"),
        }
    }

    /// Returns whether the next value is hit.
    pub(super) fn hits(self, generator: &mut (impl Rng + ?Sized)) -> bool {
        generator.next_u64() < self.bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_hits_as_often_as_it_says() {
        let mut generator = Xoshiro256PlusPlus::seed_from_u64(3);
        for probability in [0.0, 0.25, 0.9] {
            let rate = Rate::new(probability);
            let hits = (0..100_000).filter(|_| rate.hits(&mut generator)).count();
            assert!((hits as f64 / 1e5 - probability).abs() < 0.005, "{hits} of 100000 at {probability}");
        }
    }

    #[test]
    #[should_panic(expected = "but not including, 1; this one is 1")]
    fn nothing_would_be_left() {
        Rate::new(1.0);
    }

    #[test]
    #[should_panic(expected = "this one is NaN")]
    fn no_number() {
        Rate::new(f64::NAN);
    }
}
