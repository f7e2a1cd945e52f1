//! Losses and their gradients, for one step or a sequence.
//!
//! Each loss takes the outputs of one step, one sample per column. It returns its value and its
//! gradient with respect to the outputs, as the mean over the samples. The `_weighted` forms return
//! the *sum* over the samples, each multiplied by its weight; a sample of weight zero is not read.
//! [`every_step`] and [`last_step`] use these weights to apply a loss to a batch of sequences of
//! different lengths.
//!
//! Losses that take logits are numerically stable for logits of any size.

use alloc::vec::Vec;
use core::array;
use core::ops::Range;

use nalgebra::SMatrix;

use crate::data::ends;
use crate::types::varying::Varying;
use crate::{Scalar, functions};

/// Computes the mean squared error: the mean of `(y - target)²` over entries and samples.
///
/// ```
/// use nalgebra::Vector2;
/// use rnn_cell::train::loss::mean_squared_error;
///
/// let (loss, dy) = mean_squared_error(&Vector2::new(1.0, 4.0), &Vector2::new(1.0, 2.0));
/// assert_eq!((loss, dy), (2.0, Vector2::new(0.0, 2.0)));
/// ```
pub fn mean_squared_error<T: Scalar, const N: usize, const B: usize>(
    y: &SMatrix<T, N, B>,
    target: &SMatrix<T, N, B>,
) -> (T, SMatrix<T, N, B>) {
    mean_squared_error_weighted(y, target, &even())
}

/// Computes [`mean_squared_error`] with one weight per sample.
pub fn mean_squared_error_weighted<T: Scalar, const N: usize, const B: usize>(
    y: &SMatrix<T, N, B>,
    target: &SMatrix<T, N, B>,
    weights: &[T; B],
) -> (T, SMatrix<T, N, B>) {
    let share = T::of(1.0 / N.max(1) as f64);
    by_sample(weights, |sample, weight, dy| {
        let mut sum = T::zero();
        for (row, dy) in dy.iter_mut().enumerate() {
            let error = y[(row, sample)] - target[(row, sample)];
            sum += error * error;
            *dy = (error + error) * share * weight;
        }
        sum * share
    })
}

/// Computes the cross-entropy of `softmax(logits)` against one class per sample: the mean of
/// `-ln p[class]`.
///
/// # Panics
/// Panics if a class is `N` or above.
pub fn softmax_cross_entropy<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    classes: &[u32; B],
) -> (T, SMatrix<T, N, B>) {
    softmax_cross_entropy_weighted(logits, classes, &even())
}

/// Computes [`softmax_cross_entropy`] with one weight per sample. The class of a sample of weight
/// zero may have any value.
///
/// # Panics
/// Panics if the class of a sample whose weight is not zero is `N` or above.
pub fn softmax_cross_entropy_weighted<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    classes: &[u32; B],
    weights: &[T; B],
) -> (T, SMatrix<T, N, B>) {
    by_sample(weights, |sample, weight, dy| {
        let class = classes[sample] as usize;
        assert!(class < N, "class {class} of sample {sample} is not below {N}, the number of logits");
        let (largest, log_sum) = softmax(logits, sample, dy);
        dy[class] -= T::one();
        dy.iter_mut().for_each(|dy| *dy *= weight);
        (largest - logits[(class, sample)]) + log_sum
    })
}

/// Computes the cross-entropy of `softmax(logits)` against one distribution per sample: the mean of
/// `-sum(target * ln p)`. The targets may be soft or smoothed labels; their columns need not sum to
/// one.
pub fn softmax_cross_entropy_with<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    target: &SMatrix<T, N, B>,
) -> (T, SMatrix<T, N, B>) {
    softmax_cross_entropy_with_weighted(logits, target, &even())
}

/// Computes [`softmax_cross_entropy_with`] with one weight per sample.
pub fn softmax_cross_entropy_with_weighted<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    target: &SMatrix<T, N, B>,
    weights: &[T; B],
) -> (T, SMatrix<T, N, B>) {
    by_sample(weights, |sample, weight, dy| {
        let (largest, log_sum) = softmax(logits, sample, dy);
        let total = target.column(sample).sum();
        let mut loss = T::zero();
        for (row, dy) in dy.iter_mut().enumerate() {
            let share = target[(row, sample)];
            // A logit of -inf whose class has no share in the target adds 0, not NaN.
            if share != T::zero() {
                loss += share * ((largest - logits[(row, sample)]) + log_sum);
            }
            *dy = (*dy * total - share) * weight;
        }
        loss
    })
}

/// Computes the cross-entropy of `sigmoid(logits)` against targets in [0, 1]: the mean over entries
/// and samples.
pub fn binary_cross_entropy<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    target: &SMatrix<T, N, B>,
) -> (T, SMatrix<T, N, B>) {
    binary_cross_entropy_weighted(logits, target, &even())
}

/// Computes [`binary_cross_entropy`] with one weight per sample.
pub fn binary_cross_entropy_weighted<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    target: &SMatrix<T, N, B>,
    weights: &[T; B],
) -> (T, SMatrix<T, N, B>) {
    let share = T::of(1.0 / N.max(1) as f64);
    by_sample(weights, |sample, weight, dy| {
        let mut sum = T::zero();
        for (row, dy) in dy.iter_mut().enumerate() {
            let (x, target) = (logits[(row, sample)], target[(row, sample)]);
            // exp(-|x|) cannot overflow. The linear part of an infinite logit would be 0 * inf for
            // targets of 0 and 1.
            let small = functions::exp(-x.abs());
            let wrong = if x >= T::zero() { T::one() - target } else { target };
            let linear = if wrong == T::zero() { T::zero() } else { x.abs() * wrong };
            sum += linear + functions::ln_1p(small);
            let positive = if x >= T::zero() { T::one() } else { small } / (T::one() + small);
            *dy = (positive - target) * share * weight;
        }
        sum * share
    })
}

/// Computes a loss at every step of a batch of sequences: the mean over all steps within the
/// samples' lengths.
///
/// `step(t, y, weights)` is one of the weighted losses above, applied to the targets of step `t`.
/// `dys` becomes the gradient with respect to the outputs, zero past a sample's end. Its allocation
/// is reused. Without `lengths` every sample has all steps.
///
/// ```
/// use nalgebra::Matrix3x2;
/// use rnn_cell::train::loss::{every_step, softmax_cross_entropy_weighted};
///
/// let ys = [Matrix3x2::<f64>::zeros(); 4];
/// let classes = [[0, 2], [1, 1], [2, 0], [2, 0]];
/// let mut dys = Vec::new();
/// let loss = every_step(&ys, Some([2, 4]), &mut dys, |t, y, weights| {
///     softmax_cross_entropy_weighted(y, &classes[t], weights)
/// });
/// assert!((loss - 3.0_f64.ln()).abs() < 1e-15);
/// assert_eq!(dys[3].column(0).amax(), 0.0);
/// ```
pub fn every_step<T: Scalar, const N: usize, const B: usize>(
    ys: &[SMatrix<T, N, B>],
    lengths: Option<[usize; B]>,
    dys: &mut Vec<SMatrix<T, N, B>>,
    mut step: impl FnMut(usize, &SMatrix<T, N, B>, &[T; B]) -> (T, SMatrix<T, N, B>),
) -> T {
    let lengths = ends(ys.len(), lengths);
    let weight = T::of(1.0 / lengths.iter().sum::<usize>().max(1) as f64);
    dys.clear();
    let mut sum = T::zero();
    for (t, y) in ys.iter().enumerate() {
        let weights = lengths.map(|length| if t < length { weight } else { T::zero() });
        let (loss, dy) = step(t, y, &weights);
        sum += loss;
        dys.push(dy);
    }
    sum
}

/// Computes a loss at the last step of each sample of a batch of sequences (one label per
/// sequence): the mean over the samples that have at least one step.
///
/// `last(y, weights)` is one of the weighted losses above. Column `b` of its `y` is the output of
/// sample `b` at the last step of that sample. `dys` becomes the gradient with respect to the
/// outputs of all steps. Its allocation is reused.
pub fn last_step<T: Scalar, const N: usize, const B: usize>(
    ys: &[SMatrix<T, N, B>],
    lengths: Option<[usize; B]>,
    dys: &mut Vec<SMatrix<T, N, B>>,
    last: impl FnOnce(&SMatrix<T, N, B>, &[T; B]) -> (T, SMatrix<T, N, B>),
) -> T {
    dys.clear();
    dys.resize(ys.len(), SMatrix::zeros());
    at_last_steps(ys, 0..ys.len(), &ends(ys.len(), lengths), dys, last)
}

/// Computes [`last_step`] for the outputs of the steps `steps` of samples of the given lengths.
/// Samples whose last step is not among them have the weight 0. `dys` is zero on entry.
pub(crate) fn at_last_steps<T: Scalar, Y: Varying<T> + Clone, const B: usize>(
    ys: &[Y],
    steps: Range<usize>,
    lengths: &[usize; B],
    dys: &mut [Y],
    last: impl FnOnce(&Y, &[T; B]) -> (T, Y),
) -> T {
    let counted = lengths.iter().filter(|&&length| length > 0).count();
    let weight = T::of(1.0 / counted.max(1) as f64);
    // The index in `ys` of the last step of a sample.
    let index = |length: usize| length.checked_sub(steps.start + 1).filter(|index| *index < ys.len());
    let (mut y, mut weights) = (Y::zero(), [T::zero(); B]);
    for (sample, index) in lengths.iter().enumerate().filter_map(|(b, length)| Some((b, index(*length)?))) {
        y.swap_sample(&mut ys[index].clone(), sample, B);
        weights[sample] = weight;
    }
    let (loss, mut dy) = last(&y, &weights);
    for (sample, index) in lengths.iter().enumerate().filter_map(|(b, length)| Some((b, index(*length)?))) {
        dys[index].swap_sample(&mut dy, sample, B);
    }
    loss
}

/// Computes the share of the samples whose largest logit is that of their class: a metric, without
/// a gradient.
///
/// ```
/// use nalgebra::Matrix2x3;
/// use rnn_cell::train::loss::accuracy;
///
/// let logits = Matrix2x3::new(0.9, 0.2, 0.4, 0.1, 0.8, 0.6);
/// assert_eq!(accuracy(&logits, &[0, 1, 0]), 2.0 / 3.0);
/// ```
pub fn accuracy<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    classes: &[u32; B],
) -> f64 {
    accuracy_weighted(logits, classes, &even())
}

/// Computes [`accuracy`] with one weight per sample: the sum of the weights of the samples that are
/// classified correctly.
pub fn accuracy_weighted<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    classes: &[u32; B],
    weights: &[T; B],
) -> f64 {
    let guesses = arg_max(logits);
    let is_right = |sample: &usize| guesses[*sample] == classes[*sample];
    (0..B).filter(is_right).map(|sample| weights[sample].as_f64()).sum()
}

/// Returns the class of the largest logit of each sample; of equal logits, the first. NaN is never
/// the largest.
pub fn arg_max<T: Scalar, const N: usize, const B: usize>(logits: &SMatrix<T, N, B>) -> [u32; B] {
    array::from_fn(|sample| {
        let mut best = 0;
        for row in 1..N {
            let (candidate, current) = (logits[(row, sample)], logits[(best, sample)]);
            if candidate > current || (current.as_f64().is_nan() && !candidate.as_f64().is_nan()) {
                best = row;
            }
        }
        best as u32
    })
}

fn even<T: Scalar, const B: usize>() -> [T; B] {
    [T::of(1.0 / B.max(1) as f64); B]
}

/// Returns the sum of `weight * loss(sample, weight, dy)` over the samples whose weight is not
/// zero, and the gradient. `dy` is the sample's column of the gradient.
fn by_sample<T: Scalar, const N: usize, const B: usize>(
    weights: &[T; B],
    mut loss: impl FnMut(usize, T, &mut [T]) -> T,
) -> (T, SMatrix<T, N, B>) {
    let mut sum = T::zero();
    let mut gradient = SMatrix::<T, N, B>::zeros();
    for (sample, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight != T::zero()) {
        sum += weight * loss(sample, weight, &mut gradient.as_mut_slice()[sample * N..][..N]);
    }
    (sum, gradient)
}

/// Writes the softmax of the sample's logits to `p`. Returns the largest logit, and the logarithm
/// of the sum of `exp(logit - largest)`. The caller adds the two last, because their sum would lose
/// digits of the smaller one.
fn softmax<T: Scalar, const N: usize, const B: usize>(
    logits: &SMatrix<T, N, B>,
    sample: usize,
    p: &mut [T],
) -> (T, T) {
    let logits = &logits.as_slice()[sample * N..][..N];
    let largest = logits.iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap_or_else(T::zero);
    let mut sum = T::zero();
    for (p, &logit) in p.iter_mut().zip(logits) {
        *p = functions::exp(logit - largest);
        sum += *p;
    }
    p.iter_mut().for_each(|p| *p /= sum);
    (largest, functions::ln(sum))
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix1x2, Matrix3x2, Vector2, Vector3};

    use super::*;
    use crate::rng::{self, SeedableRng, Xoshiro256PlusPlus};

    type Logits = SMatrix<f64, 5, 3>;

    fn random(seed: u64) -> Logits {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Logits::from_fn(|_, _| 2.0 * rng::normal(&mut rng))
    }

    fn assert_gradient(name: &str, loss: impl Fn(&Logits) -> (f64, Logits)) {
        let at = random(1);
        let (_, gradient) = loss(&at);
        let h = 1e-3;
        for i in 0..at.len() {
            let shifted = |by: f64| {
                let mut y = at;
                y[i] += by * h;
                loss(&y).0
            };
            let numeric =
                (shifted(-2.0) - 8.0 * shifted(-1.0) + 8.0 * shifted(1.0) - shifted(2.0)) / (12.0 * h);
            assert!(
                (gradient[i] - numeric).abs() < 1e-11,
                "{name}, entry {i}: {} is not {numeric}",
                gradient[i]
            );
        }
    }

    #[test]
    fn gradients_agree_with_differences() {
        let target = random(2);
        let shares = random(3).map(|x| x.abs());
        let probabilities = random(4).map(|x| 1.0 / (1.0 + x.exp()));
        let (classes, weights) = ([4, 0, 2], [0.3, 0.0, -1.7]);
        assert_gradient("mse", |y| mean_squared_error(y, &target));
        assert_gradient("mse, weighted", |y| mean_squared_error_weighted(y, &target, &weights));
        assert_gradient("softmax", |y| softmax_cross_entropy(y, &classes));
        assert_gradient("softmax, weighted", |y| softmax_cross_entropy_weighted(y, &classes, &weights));
        assert_gradient("softmax with", |y| softmax_cross_entropy_with(y, &shares));
        assert_gradient("softmax with, weighted", |y| {
            softmax_cross_entropy_with_weighted(y, &shares, &weights)
        });
        assert_gradient("binary", |y| binary_cross_entropy(y, &probabilities));
        assert_gradient("binary, weighted", |y| binary_cross_entropy_weighted(y, &probabilities, &weights));
    }

    #[test]
    fn losses_agree_with_values_by_hand() {
        let y = Matrix3x2::new(1.0, 0.0, 2.0, 0.0, 3.0, 6.0);
        let (loss, dy) = mean_squared_error(&y, &Matrix3x2::zeros());
        assert!((loss - 50.0_f64 / 6.0).abs() < 1e-14);
        assert!((dy - y / 3.0).amax() < 1e-15);

        let logits = Vector3::new(0.0, 2.0_f64.ln(), 5.0_f64.ln());
        let (loss, dy) = softmax_cross_entropy(&logits, &[1]);
        assert!((loss - 4.0_f64.ln()).abs() < 1e-15);
        assert!((dy - Vector3::new(0.125, -0.75, 0.625)).amax() < 1e-15);
        let (same, ds) = softmax_cross_entropy_with(&logits, &Vector3::new(0.0, 1.0, 0.0));
        assert!((same - loss).abs() < 1e-15 && (ds - dy).amax() < 1e-15);

        let (loss, dy) = binary_cross_entropy(&Matrix1x2::new(0.0, 3.0_f64.ln()), &Matrix1x2::new(1.0, 0.0));
        assert!((loss - (2.0_f64.ln() + 4.0_f64.ln()) / 2.0).abs() < 1e-15);
        assert!((dy - Matrix1x2::new(-0.25, 0.375)).amax() < 1e-15);
    }

    #[test]
    fn extreme_logits_stay_finite() {
        let (loss, dy) = softmax_cross_entropy(&Vector3::new(1e38_f32, -1e38, 0.0), &[0]);
        assert_eq!((loss, dy), (0.0, Vector3::zeros()));
        let (loss, dy) = softmax_cross_entropy(&Vector2::new(1e4_f32, -1e4), &[1]);
        assert_eq!((loss, dy), (2e4, Vector2::new(1.0, -1.0)));
        // Nearly equal large logits keep the digits of their difference.
        let (loss, _) = softmax_cross_entropy(&Vector2::new(1e6_f32, 1e6), &[0]);
        assert_eq!(loss, core::f32::consts::LN_2);
        // A class ruled out by -inf.
        let (loss, dy) =
            softmax_cross_entropy_with(&Vector2::new(0.0_f64, f64::NEG_INFINITY), &Vector2::new(1.0, 0.0));
        assert_eq!((loss, dy), (0.0, Vector2::zeros()));

        for (x, target, expected, slope) in [
            (1e38_f32, 1.0, 0.0, 0.0),
            (1e38, 0.0, 1e38, 1.0),
            (-1e38, 0.0, 0.0, 0.0),
            (-1e38, 1.0, 1e38, -1.0),
            (f32::INFINITY, 1.0, 0.0, 0.0),
            (f32::NEG_INFINITY, 0.0, 0.0, 0.0),
        ] {
            let (loss, dy) =
                binary_cross_entropy(&SMatrix::<f32, 1, 1>::new(x), &SMatrix::<f32, 1, 1>::new(target));
            assert_eq!((loss, dy[0]), (expected, slope), "logit {x}, target {target}");
        }
        // Far in the tail the loss is exp(-x), not 0.
        let (loss, _) =
            binary_cross_entropy(&SMatrix::<f64, 1, 1>::new(40.0), &SMatrix::<f64, 1, 1>::new(1.0));
        assert!((loss / (-40.0_f64).exp() - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_sample_of_weight_zero_is_not_read() {
        let logits = Matrix3x2::new(0.0, f64::NAN, 0.0, f64::NAN, 0.0, f64::NAN);
        let (loss, dy) = softmax_cross_entropy_weighted(&logits, &[0, 99], &[1.0, 0.0]);
        assert!((loss - 3.0_f64.ln()).abs() < 1e-15);
        assert_eq!(dy.column(1).amax(), 0.0);
    }

    #[test]
    #[should_panic(expected = "class 3 of sample 1 is not below 3, the number of logits")]
    fn a_class_out_of_range_panics() {
        softmax_cross_entropy(&Matrix3x2::<f32>::zeros(), &[0, 3]);
    }

    /// Returns the steps of two samples. The first sample ends after one step.
    fn ragged() -> ([Matrix1x2<f64>; 3], [usize; 2]) {
        ([Matrix1x2::new(1.0, 2.0), Matrix1x2::new(f64::NAN, 3.0), Matrix1x2::new(f64::NAN, 4.0)], [1, 3])
    }

    #[test]
    fn every_step_ignores_padding() {
        let (ys, lengths) = ragged();
        let mut dys = Vec::new();
        let zero = Matrix1x2::zeros();
        let loss =
            every_step(&ys, Some(lengths), &mut dys, |_, y, w| mean_squared_error_weighted(y, &zero, w));
        assert_eq!(loss, (1.0 + 4.0 + 9.0 + 16.0) / 4.0);
        assert_eq!(dys, [Matrix1x2::new(0.5, 1.0), Matrix1x2::new(0.0, 1.5), Matrix1x2::new(0.0, 2.0)]);
        let loss = every_step(&ys[..1], None, &mut dys, |_, y, w| mean_squared_error_weighted(y, &zero, w));
        assert_eq!((loss, dys.len()), (2.5, 1));
        assert_eq!(
            every_step(&ys[..0], None, &mut dys, |_, y, w| mean_squared_error_weighted(y, &zero, w)),
            0.0
        );
    }

    #[test]
    fn last_step_reads_the_last_step_of_each_sample() {
        let (ys, lengths) = ragged();
        let mut dys = Vec::new();
        let loss = last_step(&ys, Some(lengths), &mut dys, |y, w| {
            mean_squared_error_weighted(y, &Matrix1x2::zeros(), w)
        });
        assert_eq!(loss, (1.0 + 16.0) / 2.0);
        assert_eq!(dys, [Matrix1x2::new(1.0, 0.0), Matrix1x2::zeros(), Matrix1x2::new(0.0, 4.0)]);
        let loss = last_step(&ys, Some([0, 2]), &mut dys, |y, w| {
            mean_squared_error_weighted(y, &Matrix1x2::zeros(), w)
        });
        assert_eq!((loss, dys[0]), (9.0, Matrix1x2::zeros()));
    }

    #[test]
    fn arg_max_takes_the_first_of_equals_and_ignores_nan() {
        let logits = Matrix3x2::new(1.0, f32::NAN, 3.0, -1.0, 3.0, -2.0);
        assert_eq!(arg_max(&logits), [1, 1]);
    }
}
