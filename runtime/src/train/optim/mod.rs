//! Optimisers for any [`Model`], their [`Schedule`]s, and the steps between `backward` and an
//! update: norms, clipping, the search for NaN, the [noise](NoiseScale) of gradients.
//!
//! ```text
//! gradients.set_zero();
//! cell.backward(&xs, &mut tape, &dys, &mut gradients);
//! clip_global_norm(&mut gradients, 1.0);
//! adam.step(&mut cell, &gradients);
//! ```
//!
//! An optimiser keeps its moments in flat vectors, in the order in which the model visits its
//! parameters. It allocates in its first step only. From then on it works with models of that size.

mod gradients;
mod noise;
mod noise_scale;
mod schedule;

use alloc::vec::Vec;

use nalgebra::ComplexField;

use crate::Scalar;
use crate::cell::{Model, ModelMut};

pub use gradients::{add, clip_global_norm, clip_values, global_norm, scale};
pub use noise::WeightNoise;
pub use noise_scale::NoiseScale;
pub use schedule::Schedule;

/// A method that changes a model's parameters by their gradients.
pub trait Optimiser<T: Scalar> {
    /// Changes the parameters of `model` by one step downhill.
    ///
    /// # Panics
    /// Panics if `gradients` does not have the shapes of `model`, or `model` does not have the
    /// shapes of the model of the first step.
    fn step<M: ModelMut<Scalar = T>>(&mut self, model: &mut M, gradients: &M::Gradients);

    /// Returns the learning rate.
    fn rate(&self) -> f64;

    /// Sets the learning rate. A [`Schedule`] calls this.
    ///
    /// # Panics
    /// Panics if the rate is negative or not finite.
    fn set_rate(&mut self, rate: f64);

    /// Returns the name of the method, by which a checkpoint is recognised.
    fn name(&self) -> &'static str;

    /// Calls `visitor` with everything that changes from step to step, each with its name: a
    /// checkpoint saves and loads it. Keeps the changes that `visitor` makes.
    fn visit_state(&mut self, visitor: &mut dyn FnMut(&'static str, OptimiserState<'_, T>));
}

/// A part of an optimiser's state: see [`Optimiser::visit_state`].
#[derive(Debug)]
pub enum OptimiserState<'a, T> {
    /// A number: the learning rate, a product of decay rates.
    Number(&'a mut f64),
    /// One value for each parameter: a moment, a velocity. Empty before the first step.
    Values(&'a mut Vec<T>),
}

/// Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as PyTorch
/// defines them: `g += decay * p; v = momentum * v + g; p -= rate * v`. Nesterov momentum steps by
/// `g + momentum * v` instead of `v`. The velocity starts as the first gradient.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sgd<T> {
    rate: f64,
    momentum: f64,
    nesterov: bool,
    decay: f64,
    #[cfg_attr(feature = "serde", serde(skip, default = "Vec::new"))]
    gradient: Vec<T>,
    velocity: Vec<T>,
}

impl<T: Scalar> Sgd<T> {
    /// Creates an optimiser for plain gradient descent.
    ///
    /// # Panics
    /// Panics if the rate is negative or not finite.
    #[track_caller]
    pub fn new(rate: f64) -> Self {
        let rate = not_negative("a learning rate", rate);
        Sgd { rate, momentum: 0.0, nesterov: false, decay: 0.0, gradient: Vec::new(), velocity: Vec::new() }
    }

    /// Adds momentum (usually 0.9).
    ///
    /// # Panics
    /// Panics if the momentum is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = not_negative("a momentum", momentum);
        self
    }

    /// Adds Nesterov momentum.
    ///
    /// # Panics
    /// Panics if the momentum is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn nesterov(mut self, momentum: f64) -> Self {
        self.nesterov = true;
        self.momentum(momentum)
    }

    /// Adds `decay` times each parameter to its gradient.
    ///
    /// # Panics
    /// Panics if the decay is negative or not finite.
    #[must_use]
    #[track_caller]
    pub fn weight_decay(mut self, decay: f64) -> Self {
        self.decay = not_negative("a weight decay", decay);
        self
    }
}

impl<T: Scalar> Optimiser<T> for Sgd<T> {
    fn step<M: ModelMut<Scalar = T>>(&mut self, model: &mut M, gradients: &M::Gradients) {
        gather(gradients, &mut self.gradient);
        let first = self.velocity.is_empty();
        if self.momentum != 0.0 {
            if first {
                self.velocity.resize(self.gradient.len(), T::zero());
            }
            assert_same_model(self.velocity.len(), self.gradient.len());
        }
        let (rate, decay) = (T::of(self.rate), T::of(self.decay));
        let momentum = T::of(if first { 0.0 } else { self.momentum });
        let ahead = T::of(self.momentum);
        let nesterov = self.nesterov;
        update(model, &self.gradient, |range, p, g| {
            // Without momentum there is no velocity, and `zip` would end at once.
            let Some(velocity) = self.velocity.get_mut(range) else {
                for (p, &g) in p.iter_mut().zip(g) {
                    *p -= rate * (g + decay * *p);
                }
                return;
            };
            for ((p, &g), v) in p.iter_mut().zip(g).zip(velocity) {
                let g = g + decay * *p;
                *v = momentum * *v + g;
                *p -= rate * if nesterov { g + ahead * *v } else { *v };
            }
        });
    }

    fn rate(&self) -> f64 {
        self.rate
    }

    #[track_caller]
    fn set_rate(&mut self, rate: f64) {
        self.rate = not_negative("a learning rate", rate);
    }

    fn name(&self) -> &'static str {
        "Sgd"
    }

    fn visit_state(&mut self, visitor: &mut dyn FnMut(&'static str, OptimiserState<'_, T>)) {
        visitor("rate", OptimiserState::Number(&mut self.rate));
        visitor("velocity", OptimiserState::Values(&mut self.velocity));
    }
}

/// The settings and moments that Adam and AdamW share.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Moments<T> {
    rate: f64,
    betas: (f64, f64),
    epsilon: f64,
    decay: f64,
    /// The betas to the power of the number of steps.
    powers: (f64, f64),
    #[cfg_attr(feature = "serde", serde(skip, default = "Vec::new"))]
    gradient: Vec<T>,
    first: Vec<T>,
    second: Vec<T>,
}

impl<T: Scalar> Moments<T> {
    #[track_caller]
    fn new(rate: f64, decay: f64) -> Self {
        Moments {
            rate: not_negative("a learning rate", rate),
            betas: (0.9, 0.999),
            epsilon: 1e-8,
            decay,
            powers: (1.0, 1.0),
            gradient: Vec::new(),
            first: Vec::new(),
            second: Vec::new(),
        }
    }

    /// Makes one step. If `coupled`, the decay is part of the gradient and its moments (Adam);
    /// otherwise it shrinks the parameter (AdamW).
    fn step<M: ModelMut<Scalar = T>>(&mut self, model: &mut M, gradients: &M::Gradients, coupled: bool) {
        gather(gradients, &mut self.gradient);
        if self.first.is_empty() {
            self.first.resize(self.gradient.len(), T::zero());
            self.second.resize(self.gradient.len(), T::zero());
        }
        assert_same_model(self.first.len(), self.gradient.len());
        self.powers = (self.powers.0 * self.betas.0, self.powers.1 * self.betas.1);
        let rate = T::of(self.rate / (1.0 - self.powers.0));
        let correction = T::of(1.0 / ComplexField::sqrt(1.0 - self.powers.1));
        let (keep_1, keep_2) = (T::of(self.betas.0), T::of(self.betas.1));
        let (take_1, take_2) = (T::of(1.0 - self.betas.0), T::of(1.0 - self.betas.1));
        let epsilon = T::of(self.epsilon);
        let (added, kept) = if coupled {
            (T::of(self.decay), T::one())
        } else {
            (T::zero(), T::of(1.0 - self.rate * self.decay))
        };
        let (first, second) = (&mut self.first, &mut self.second);
        update(model, &self.gradient, |range, p, g| {
            let moments = first[range.clone()].iter_mut().zip(&mut second[range]);
            for ((p, &g), (m, v)) in p.iter_mut().zip(g).zip(moments) {
                let g = g + added * *p;
                *m = keep_1 * *m + take_1 * g;
                *v = keep_2 * *v + take_2 * g * g;
                *p = kept * *p - rate * *m / ((*v).sqrt() * correction + epsilon);
            }
        });
    }
}

macro_rules! adam {
    ($(#[$doc:meta])* $name:ident, default decay $decay:expr, coupled $coupled:expr, $(#[$decay_doc:meta])*) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        pub struct $name<T>(Moments<T>);

        impl<T: Scalar> $name<T> {
            /// Creates an optimiser with the settings of the paper: betas of 0.9 and 0.999, an
            /// epsilon of 1e-8.
            ///
            /// # Panics
            /// Panics if the rate is negative or not finite.
            #[track_caller]
            pub fn new(rate: f64) -> Self {
                $name(Moments::new(rate, $decay))
            }

            /// Sets the decay rates of the two moments.
            ///
            /// # Panics
            /// Panics if one of them is not in `[0, 1)`.
            #[must_use]
            #[track_caller]
            pub fn betas(mut self, first: f64, second: f64) -> Self {
                for beta in [first, second] {
                    assert!(
                        (0.0..1.0).contains(&beta),
                        "a beta must be at least 0 and below 1, but is {beta}"
                    );
                }
                self.0.betas = (first, second);
                self
            }

            /// Sets the term that is added to the root of the second moment.
            ///
            /// # Panics
            /// Panics if the term is negative or not finite.
            #[must_use]
            #[track_caller]
            pub fn epsilon(mut self, epsilon: f64) -> Self {
                self.0.epsilon = not_negative("an epsilon", epsilon);
                self
            }

            $(#[$decay_doc])*
            ///
            /// # Panics
            /// Panics if the decay is negative or not finite.
            #[must_use]
            #[track_caller]
            pub fn weight_decay(mut self, decay: f64) -> Self {
                self.0.decay = not_negative("a weight decay", decay);
                self
            }
        }

        impl<T: Scalar> Optimiser<T> for $name<T> {
            fn step<M: ModelMut<Scalar = T>>(&mut self, model: &mut M, gradients: &M::Gradients) {
                self.0.step(model, gradients, $coupled);
            }

            fn rate(&self) -> f64 {
                self.0.rate
            }

            #[track_caller]
            fn set_rate(&mut self, rate: f64) {
                self.0.rate = not_negative("a learning rate", rate);
            }

            fn name(&self) -> &'static str {
                stringify!($name)
            }

            fn visit_state(&mut self, visitor: &mut dyn FnMut(&'static str, OptimiserState<'_, T>)) {
                let Moments { rate, powers, first, second, .. } = &mut self.0;
                visitor("rate", OptimiserState::Number(rate));
                visitor("first_power", OptimiserState::Number(&mut powers.0));
                visitor("second_power", OptimiserState::Number(&mut powers.1));
                visitor("first", OptimiserState::Values(first));
                visitor("second", OptimiserState::Values(second));
            }
        }
    };
}

adam! {
    /// Adam (Kingma & Ba 2015, algorithm 1).
    Adam, default decay 0.0, coupled true,
    /// Adds `decay` times each parameter to its gradient (0 by default). [`AdamW`] is usually
    /// better.
}

adam! {
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2):
    /// `p -= rate * decay * p` in addition to the step of Adam.
    AdamW, default decay 0.01, coupled false,
    /// Sets the weight decay (0.01 by default).
}

/// Returns a setting after checking it.
///
/// # Panics
/// Panics if the value is negative or not finite.
#[track_caller]
fn not_negative(name: &str, value: f64) -> f64 {
    assert!(value >= 0.0 && value.is_finite(), "{name} must be a finite number, 0 or above, but is {value}");
    value
}

/// Copies the gradients into one flat vector.
pub(crate) fn gather<M: Model>(gradients: &M, flat: &mut Vec<M::Scalar>) {
    flat.clear();
    gradients.visit(&mut |block| flat.extend_from_slice(block.values));
}

/// Calls `f` with the range in the flat vector, the values and the gradient of every block of
/// `model`.
pub(crate) fn update<M: ModelMut>(
    model: &mut M,
    gradient: &[M::Scalar],
    mut f: impl FnMut(core::ops::Range<usize>, &mut [M::Scalar], &[M::Scalar]),
) {
    let mut at = 0;
    model.visit_mut(&mut |block| {
        let range = at..at + block.values.len();
        match gradient.get(range.clone()) {
            Some(gradient) => f(range.clone(), block.values, gradient),
            None => panic!("the gradients have too few scalars for `{}` of the model", block.name),
        }
        at = range.end;
    });
    assert!(at == gradient.len(), "the gradients have {} scalars, but the model has {at}", gradient.len());
}

#[track_caller]
fn assert_same_model(before: usize, now: usize) {
    assert!(
        before == now,
        "the optimiser began with a model of {before} scalars and cannot step one of {now}"
    );
}

#[cfg(test)]
mod tests;
