//! An estimate of the noise in gradients.

/// An estimate of the *simple noise scale* of a model's gradient, `tr Σ / |G|²` (McCandlish,
/// Kaplan, Amodei et al. 2018, eq. 2.9): the sum of the variances of the gradient of one sample,
/// divided by the squared length of the true gradient.
///
/// Below a batch size of about this value, doubling the batch halves the number of steps that are
/// needed. Above it, larger batches hardly help.
///
/// The estimator of the paper's appendix A.1 compares the lengths of gradients of small and of big
/// batches, such as each part of a batch and the whole. Numerator and denominator are unbiased;
/// each is averaged before the division.
///
/// ```
/// use rnn_cell::train::optim::NoiseScale;
///
/// let mut noise = NoiseScale::new(8, 64);
/// // In every training step: the global norms of the mean gradient of 8 samples and of 64.
/// noise.observe(1.5, 1.1);
/// assert!(noise.scale().is_some());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct NoiseScale {
    small: f64,
    big: f64,
    /// The smallest weight of a new observation, used once 1 / `observations` is below it.
    least: f64,
    observations: u64,
    squared_gradient: f64,
    variance: f64,
}

impl NoiseScale {
    /// Creates an estimate from batches of `small` and of `big` samples, averaged over all
    /// observations.
    ///
    /// # Panics
    /// Panics if `small` is zero, or not below `big`.
    #[track_caller]
    pub fn new(small: usize, big: usize) -> Self {
        assert!(0 < small && small < big, "batches of {small} samples are not smaller than those of {big}");
        NoiseScale {
            small: small as f64,
            big: big as f64,
            least: 0.0,
            observations: 0,
            squared_gradient: 0.0,
            variance: 0.0,
        }
    }

    /// Averages over about the last `observations` observations instead, because the noise grows
    /// while a model learns.
    ///
    /// # Panics
    /// Panics if `observations` is zero.
    #[must_use]
    #[track_caller]
    pub fn over_last(mut self, observations: usize) -> Self {
        assert!(observations > 0, "an average needs at least one observation");
        self.least = 1.0 / observations as f64;
        self
    }

    /// Adds an observation: the [norms](super::global_norm) of the mean gradients of a small and of
    /// a big batch, at the same parameters. Norms that are not finite are ignored.
    pub fn observe(&mut self, small_norm: f64, big_norm: f64) {
        let (small_square, big_square) = (small_norm * small_norm, big_norm * big_norm);
        let squared_gradient = (self.big * big_square - self.small * small_square) / (self.big - self.small);
        let variance = (small_square - big_square) / (1.0 / self.small - 1.0 / self.big);
        if !(squared_gradient.is_finite() && variance.is_finite()) {
            return;
        }
        self.observations += 1;
        let weight = (1.0 / self.observations as f64).max(self.least);
        self.squared_gradient += weight * (squared_gradient - self.squared_gradient);
        self.variance += weight * (variance - self.variance);
    }

    /// Returns the number of observations.
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// Returns the estimate of the squared length of the true gradient, `|G|²`. It can be negative
    /// if the observations are mostly noise.
    pub fn squared_gradient(&self) -> f64 {
        self.squared_gradient
    }

    /// Returns the estimate of `tr Σ`, the sum of the variances of the gradient of one sample.
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Returns the simple noise scale, in samples. Returns `None` without observations, or if they
    /// are too noisy to distinguish the true gradient from zero.
    pub fn scale(&self) -> Option<f64> {
        (self.squared_gradient > 0.0).then(|| self.variance.max(0.0) / self.squared_gradient)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use nalgebra::ComplexField;

    use super::*;
    use crate::rng::{self, Rng, SeedableRng, Xoshiro256PlusPlus};

    const ENTRIES: usize = 50;

    /// Adds `count` noisy gradients to `sum`. Every entry of the true gradient is `truth`.
    fn add_samples(rng: &mut impl Rng, truth: f64, deviation: f64, count: usize, sum: &mut [f64]) {
        for _ in 0..count {
            sum.iter_mut().for_each(|sum| *sum += truth + deviation * rng::normal(rng));
        }
    }

    fn norm(sum: &[f64], count: usize) -> f64 {
        ComplexField::sqrt(sum.iter().map(|x| x * x).sum::<f64>()) / count as f64
    }

    fn estimate(noise: &mut NoiseScale, truth: f64, deviation: f64, rounds: usize) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        for _ in 0..rounds {
            let mut sum = vec![0.0; ENTRIES];
            add_samples(&mut rng, truth, deviation, 4, &mut sum);
            let small = norm(&sum, 4);
            add_samples(&mut rng, truth, deviation, 28, &mut sum);
            noise.observe(small, norm(&sum, 32));
        }
    }

    #[test]
    fn a_known_noise_scale_is_found() {
        // |G|² = 50 · 0.01 and tr Σ = 50 · 0.25 give a scale of 25 samples.
        let mut noise = NoiseScale::new(4, 32);
        estimate(&mut noise, 0.1, 0.5, 2000);
        assert!((noise.squared_gradient() / 0.5 - 1.0).abs() < 0.03, "{noise:?}");
        assert!((noise.variance() / 12.5 - 1.0).abs() < 0.03, "{noise:?}");
        assert!((noise.scale().unwrap() / 25.0 - 1.0).abs() < 0.05, "{noise:?}");
    }

    #[test]
    fn without_noise_the_scale_is_zero() {
        let mut noise = NoiseScale::new(4, 32);
        assert_eq!(noise.scale(), None);
        estimate(&mut noise, 0.1, 0.0, 1);
        assert!(noise.scale().unwrap() < 1e-12, "{noise:?}");
    }

    #[test]
    fn a_moving_average_forgets_old_observations() {
        let mut noise = NoiseScale::new(4, 32).over_last(50);
        estimate(&mut noise, 0.1, 5.0, 500);
        estimate(&mut noise, 0.1, 0.5, 1000);
        assert!((noise.variance() / 12.5 - 1.0).abs() < 0.2, "{noise:?}");
    }

    #[test]
    fn norms_that_are_not_finite_are_ignored() {
        let mut noise = NoiseScale::new(1, 2);
        noise.observe(f64::NAN, 1.0);
        noise.observe(1.0, f64::INFINITY);
        assert_eq!((noise.observations(), noise.scale()), (0, None));
    }

    #[test]
    #[should_panic(expected = "batches of 8 samples are not smaller than those of 8")]
    fn batches_of_equal_size_panic() {
        NoiseScale::new(8, 8);
    }
}
