//! Optimisers against their algorithms in exact decimals, and tests of clearing, clipping and
//! checking gradients.

use alloc::boxed::Box;
use alloc::format;

use nalgebra::SVector;

use super::*;
use crate::cell::{Parameter, ParameterMut};
use crate::inspect::finite::check_finite;
use crate::types::blocks::{Block, Cols};

/// Two parameters, one of them in blocks.
#[derive(Debug, Clone, PartialEq)]
struct Pair<T: Scalar> {
    w: Cols<SVector<T, 2>, SVector<T, 2>>,
    k: T,
}

impl<T: Scalar> Pair<T> {
    fn of(values: [f64; 5]) -> Self {
        let mut values = values.into_iter();
        let mut pair = Pair { w: Block::zeros(), k: T::zero() };
        pair.visit_mut(&mut |block| block.values.iter_mut().for_each(|x| *x = T::of(values.next().unwrap())));
        pair
    }

    fn values(&self) -> Vec<f64> {
        let mut values = Vec::new();
        self.visit(&mut |block| values.extend(block.values.iter().map(|x| x.as_f64())));
        values
    }
}

impl<T: Scalar> Model for Pair<T> {
    type Scalar = T;
    type Gradients = Self;

    fn zero_gradients(&self) -> Box<Self> {
        Box::new(Self::of([0.0; 5]))
    }

    fn visit<'v>(&'v self, visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, T>)) {
        self.w.visit_named("w", visitor);
        self.k.visit_named("k", visitor);
    }
}

impl<T: Scalar> ModelMut for Pair<T> {
    fn visit_mut<'v>(&'v mut self, visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, T>)) {
        self.w.visit_named_mut("w", visitor);
        self.k.visit_named_mut("k", visitor);
    }
}

const START: [f64; 5] = [1.0, -2.0, 0.5, 0.0, 3.0];
const FIRST: [f64; 5] = [0.5, -1.0, 0.0, 2.0, 1e-3];
const SECOND: [f64; 5] = [-0.25, -1.0, 4.0, 2.0, -2e-3];

fn after(optimiser: &mut impl Optimiser<f64>) -> [Vec<f64>; 2] {
    let mut model = Pair::<f64>::of(START);
    [FIRST, SECOND].map(|gradient| {
        optimiser.step(&mut model, &Pair::of(gradient));
        model.values()
    })
}

fn assert_close(found: &[f64], expected: [f64; 5]) {
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-14 * b.abs().max(1.0));
    assert!(close, "{found:?} is not {expected:?}");
}

#[test]
fn sgd_agrees_with_values_by_hand() {
    let [one, two] = after(&mut Sgd::new(0.1));
    assert_close(&one, [0.95, -1.9, 0.5, -0.2, 2.9999]);
    assert_close(&two, [0.975, -1.8, 0.1, -0.4, 3.0001]);

    // v = g1, then 0.9 g1 + g2.
    let [one, two] = after(&mut Sgd::new(0.1).momentum(0.9));
    assert_close(&one, [0.95, -1.9, 0.5, -0.2, 2.9999]);
    assert_close(&two, [0.95 - 0.02, -1.9 + 0.19, 0.1, -0.58, 2.9999 + 0.1 * 1.1e-3]);

    // Steps by 1.9 g1, then by g2 + 0.9 (0.9 g1 + g2) = 0.81 g1 + 1.9 g2.
    let [one, two] = after(&mut Sgd::new(0.1).nesterov(0.9));
    assert_close(&one, [0.905, -1.81, 0.5, -0.38, 3.0 - 1.9e-4]);
    assert_close(&two, [0.905 + 0.007, -1.81 + 0.271, 0.5 - 0.76, -0.38 - 0.542, 3.0 - 1.9e-4 + 2.99e-4]);

    let [one, _] = after(&mut Sgd::new(0.1).weight_decay(0.5));
    assert_close(&one, [0.9, -1.8, 0.475, -0.2, 2.8499]);
}

#[test]
fn adam_follows_its_algorithm() {
    // Algorithm 1 of the paper, and its decoupled form, in exact decimals.
    let [one, two] = after(&mut Adam::new(0.1));
    assert_close(&one, ADAM[0]);
    assert_close(&two, ADAM[1]);
    let [one, two] = after(&mut Adam::new(0.1).betas(0.8, 0.9).epsilon(1e-3).weight_decay(0.1));
    assert_close(&one, ADAM_DECAYED[0]);
    assert_close(&two, ADAM_DECAYED[1]);
    let [one, two] = after(&mut AdamW::new(0.1));
    assert_close(&one, ADAM_W[0]);
    assert_close(&two, ADAM_W[1]);
}

const ADAM: [[f64; 5]; 2] = [
    [0.900000002, -1.900000001, 0.5, -0.0999999995, 2.90000099999],
    [0.8733662987078462, -1.800000002, 0.42558631790632756, -0.199999999, 2.9366111211855888],
];
const ADAM_DECAYED: [[f64; 5]; 2] = [
    [0.9001663893510815, -1.9000832639467111, 0.4019607843137255, -0.09995002498750624, 2.9003311258278144],
    [0.8588156607322622, -1.8001921971295356, 0.3246562758518488, -0.1998849618687556, 2.8008223721182444],
];
const ADAM_W: [[f64; 5]; 2] = [
    [0.899000002, -1.898000001, 0.4995, -0.0999999995, 2.89700099999],
    [0.8714672987058462, -1.796102001999, 0.4245868179063276, -0.1998999990005, 2.930714120185599],
];

#[test]
fn optimisers_find_a_minimum() {
    fn minimise(mut optimiser: impl Optimiser<f32>, steps: usize) -> f64 {
        let mut model = Pair::<f32>::of(START);
        for _ in 0..steps {
            // The gradient of a quadratic whose curvatures differ by a factor of 10.
            let mut curvature = [10.0, 1.0, 3.0, 2.0, 5.0].into_iter();
            let slopes: Vec<f64> = model.values().iter().map(|x| x * curvature.next().unwrap()).collect();
            optimiser.step(&mut model, &Pair::of(slopes.try_into().unwrap()));
        }
        global_norm(&model)
    }
    assert!(minimise(Sgd::new(0.1), 300) < 1e-6);
    assert!(minimise(Sgd::new(0.05).momentum(0.8), 300) < 1e-6);
    assert!(minimise(Sgd::new(0.05).nesterov(0.8), 300) < 1e-6);
    assert!(minimise(Adam::new(0.05), 1500) < 1e-3);
    assert!(minimise(AdamW::new(0.05), 1500) < 1e-3);
}

#[test]
fn later_steps_keep_the_buffers() {
    let mut adam = Adam::<f64>::new(0.1);
    let mut model = Pair::of(START);
    adam.step(&mut model, &Pair::of(FIRST));
    let places = |adam: &Adam<f64>| {
        [&adam.0.gradient, &adam.0.first, &adam.0.second].map(|buffer| (buffer.as_ptr(), buffer.capacity()))
    };
    let before = places(&adam);
    adam.step(&mut model, &Pair::of(SECOND));
    assert_eq!(places(&adam), before);
}

#[test]
fn the_rate_can_be_changed() {
    let mut sgd = Sgd::new(0.1);
    sgd.set_rate(sgd.rate() * 10.0);
    let mut model = Pair::<f64>::of(START);
    sgd.step(&mut model, &Pair::of(FIRST));
    assert_close(&model.values(), [0.5, -1.0, 0.5, -2.0, 2.999]);
}

#[test]
fn norms_are_clipped() {
    let mut gradients = Pair::<f32>::of([1.0, 2.0, -2.0, 0.0, 4.0]);
    assert_eq!(global_norm(&gradients), 5.0);
    assert_eq!(clip_global_norm(&mut gradients, 5.0), 5.0);
    assert_eq!(gradients.values(), [1.0, 2.0, -2.0, 0.0, 4.0]);
    assert_eq!(clip_global_norm(&mut gradients, 2.5), 5.0);
    assert_eq!(gradients.values(), [0.5, 1.0, -1.0, 0.0, 2.0]);
    gradients.set_zero();
    assert_eq!((global_norm(&gradients), gradients.values()), (0.0, [0.0; 5].to_vec()));
}

#[test]
fn values_are_clipped() {
    let mut gradients = Pair::<f64>::of([0.5, -3.0, f64::NAN, f64::INFINITY, 1.0]);
    assert_eq!(clip_values(&mut gradients, 1.0), 2);
    let values = gradients.values();
    assert_eq!((&values[..2], &values[3..]), (&[0.5, -1.0][..], &[1.0, 1.0][..]));
    assert!(values[2].is_nan());
}

#[test]
fn wrong_settings_panic() {
    fn refuses(setting: &str, value: f64, set: impl FnOnce()) {
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(set));
        let message = panicked.expect_err(setting).downcast::<String>().expect("a formatted message");
        assert!(message.starts_with(setting) && message.ends_with(&value.to_string()), "{message}");
    }
    for value in [-0.5, f64::NAN, f64::NEG_INFINITY] {
        refuses("gradients can't be clipped to a norm", value, || {
            clip_global_norm(&mut Pair::<f64>::of(FIRST), value);
        });
    }
    for value in [-0.5, f64::NAN, f64::INFINITY] {
        let adam = || Adam::<f64>::new(0.1);
        refuses("a learning rate", value, || drop(Sgd::<f64>::new(value)));
        refuses("a learning rate", value, || drop(Adam::<f64>::new(value)));
        refuses("a learning rate", value, || adam().set_rate(value));
        refuses("a learning rate", value, || Sgd::<f64>::new(0.1).set_rate(value));
        refuses("a momentum", value, || drop(Sgd::<f64>::new(0.1).nesterov(value)));
        refuses("a weight decay", value, || drop(Sgd::<f64>::new(0.1).weight_decay(value)));
        refuses("a weight decay", value, || drop(AdamW::<f64>::new(0.1).weight_decay(value)));
        refuses("an epsilon", value, || drop(adam().epsilon(value)));
        refuses("a beta", value, || drop(adam().betas(value, 0.9)));
        refuses("a learning rate", value, || {
            let _ = Schedule::cosine(value, 9);
        });
        refuses("a learning rate", value, || {
            let _ = Schedule::constant(1.0).to(value);
        });
        refuses("a factor of learning rates", value, || {
            let _ = Schedule::exponential(1.0, value);
        });
        refuses("a factor of learning rates", value, || {
            let _ = Schedule::step(1.0, 2, value);
        });
    }
    refuses("a beta", 1.0, || drop(Adam::<f64>::new(0.1).betas(0.9, 1.0)));
}

#[test]
fn an_infinite_norm_is_returned_and_clips_nothing() {
    let values = [1.0, f64::INFINITY, -2.0, 0.0, 4.0];
    let mut gradients = Pair::<f64>::of(values);
    assert_eq!(clip_global_norm(&mut gradients, 1.0), f64::INFINITY);
    assert_eq!(gradients.values(), values);
    // Any finite norm is below an infinite limit.
    let mut gradients = Pair::<f64>::of(FIRST);
    clip_global_norm(&mut gradients, f64::INFINITY);
    assert_eq!(gradients.values(), FIRST);
}

#[test]
#[should_panic(expected = "gradients can't be clipped to ±-1")]
fn a_negative_clipping_limit_panics() {
    clip_values(&mut Pair::<f64>::of(FIRST), -1.0);
}

#[test]
fn norms_neither_overflow_nor_underflow() {
    for size in [1e200, 1e-200] {
        let norm = global_norm(&Pair::<f64>::of([1.0, 2.0, -2.0, 0.0, 4.0].map(|x| x * size)));
        assert!((norm / size - 5.0).abs() < 1e-14, "{norm}");
    }
}

#[test]
fn scalars_that_are_not_finite_are_named() {
    let mut gradients = Pair::<f32>::of(START);
    assert_eq!(check_finite(&gradients), Ok(()));
    gradients.w.right[1] = f32::NAN;
    gradients.k = f32::INFINITY;
    let found = check_finite(&gradients).unwrap_err();
    assert_eq!((found.name.as_str(), found.row, found.column), ("w", 1, 1));
    assert_eq!(format!("{found}"), "`w` is NaN at (1, 1)");
    assert!(clip_global_norm(&mut gradients, 1.0).is_nan());
    assert_eq!(gradients.w.left, SVector::from([1.0, -2.0]), "clipping must not spread a NaN");
}

#[test]
fn gradients_are_added_and_scaled() {
    let mut gradients = Pair::<f64>::of(FIRST);
    add(&mut gradients, &Pair::of(SECOND));
    scale(&mut gradients, 0.5);
    assert_close(&gradients.values(), [0.125, -1.0, 2.0, 2.0, -5e-4]);
}

#[test]
#[should_panic(expected = "the optimiser began with a model of 5 scalars and cannot step one of 32")]
fn an_optimiser_works_with_one_model_only() {
    use crate::by_hand::Conditioned;
    let mut adam = Adam::new(0.1);
    adam.step(&mut Pair::of(START), &Pair::of(FIRST));
    adam.step(&mut Conditioned::<3, 4>::zeros(), &Conditioned::zeros());
}
