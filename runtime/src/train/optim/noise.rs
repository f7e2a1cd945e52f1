//! Noise on the weights during a gradient computation.

use alloc::vec::Vec;

use super::update;
use crate::Scalar;
use crate::cell::ModelMut;
use crate::rng::{self, Rng};

/// Normally distributed noise on every parameter during a forward and a backward pass (Jim, Giles &
/// Horne 1996; Graves 2011, section 2). It favours weights in flat regions of the loss. The
/// optimiser updates the weights without the noise.
///
/// ```
/// use rnn_cell::cells::Lstm;
/// use rnn_cell::train::optim::{Optimiser, Sgd, WeightNoise};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// let mut lstm = Lstm::<1, 4>::init(&mut rng);
/// let (before, gradients) = (lstm.clone(), Lstm::zeros());
/// let mut noise = WeightNoise::new(0.075);
/// noise.add(&mut lstm, &mut rng);
/// // .. forward and backward here ..
/// noise.remove(&mut lstm);
/// assert_eq!(lstm, before);
/// Sgd::new(0.1).step(&mut lstm, &gradients);
/// ```
#[derive(Debug, Clone)]
pub struct WeightNoise<T> {
    deviation: f64,
    /// The parameters without the noise, while it is present.
    saved: Vec<T>,
    is_added: bool,
}

impl<T: Scalar> WeightNoise<T> {
    /// Creates noise with the given standard deviation.
    ///
    /// # Panics
    /// Panics if the deviation is negative or not finite.
    #[track_caller]
    pub fn new(deviation: f64) -> Self {
        assert!(
            deviation >= 0.0 && deviation.is_finite(),
            "a standard deviation must be a finite number, 0 or above, but is {deviation}"
        );
        WeightNoise { deviation, saved: Vec::new(), is_added: false }
    }

    /// Adds noise to every parameter of `model` and saves the original values.
    ///
    /// # Panics
    /// Panics if the previous noise was not [removed](Self::remove).
    #[track_caller]
    pub fn add<M: ModelMut<Scalar = T>>(&mut self, model: &mut M, rng: &mut (impl Rng + ?Sized)) {
        assert!(!self.is_added, "the previous noise was not removed");
        self.is_added = true;
        self.saved.clear();
        model.visit_mut(&mut |parameter| {
            self.saved.extend_from_slice(parameter.values);
            for value in parameter.values {
                *value += T::of(self.deviation * rng::normal(rng));
            }
        });
    }

    /// Restores every parameter of `model` to its exact value before the noise.
    ///
    /// # Panics
    /// Panics if there is no noise to remove, or it was added to a model of another size.
    #[track_caller]
    pub fn remove<M: ModelMut<Scalar = T>>(&mut self, model: &mut M) {
        assert!(self.is_added, "there is no noise to remove");
        self.is_added = false;
        update(model, &self.saved, |_, values, saved| values.copy_from_slice(saved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_hand::{Conditioned, Elman};
    use crate::rng::{SeedableRng, Xoshiro256PlusPlus};

    fn generator() -> Xoshiro256PlusPlus {
        Xoshiro256PlusPlus::seed_from_u64(5)
    }

    #[test]
    fn noise_is_added_and_removed() {
        let mut model = Elman(Conditioned::<8, 40>::init(&mut generator()));
        let before = model.clone();
        let mut noise = WeightNoise::new(0.5);
        for _ in 0..2 {
            let mut rng = generator();
            noise.add(&mut model, &mut rng);
            let added: Vec<f64> =
                model.0.weights.left.iter().zip(&before.0.weights.left).map(|(a, b)| a - b).collect();
            let variance = added.iter().map(|x| x * x).sum::<f64>() / added.len() as f64;
            assert!((variance - 0.25).abs() < 0.03, "a variance of {variance}");
            assert_eq!(
                model.0.weights.left[0],
                before.0.weights.left[0] + 0.5 * crate::rng::normal(&mut generator())
            );
            noise.remove(&mut model);
            assert_eq!((model.0.weights, model.0.bias), (before.0.weights, before.0.bias));
        }
    }

    #[test]
    #[should_panic(expected = "was not removed")]
    fn adding_noise_twice_panics() {
        let mut model = Elman(Conditioned::<1, 2>::zeros());
        let mut noise = WeightNoise::new(0.1);
        noise.add(&mut model, &mut generator());
        noise.add(&mut model, &mut generator());
    }

    #[test]
    #[should_panic(expected = "there is no noise to remove")]
    fn removing_absent_noise_panics() {
        WeightNoise::new(0.1).remove(&mut Elman(Conditioned::<1, 2>::zeros()));
    }
}
