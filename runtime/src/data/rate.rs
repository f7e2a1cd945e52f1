//! Sequences at a lower rate, with fewer steps.
//!
//! A layer returns one output per input, so a change of the rate must happen between two networks:
//! the outputs of the lower one become the inputs of the upper one, with lengths of their own. Each
//! function has a backward function.

use alloc::vec;
use alloc::vec::Vec;

use nalgebra::SMatrix;

use super::{Batch, ends};
use crate::Scalar;
use crate::types::varying::Varying;

/// Keeps the steps `0`, `k`, `2 k`, .. of each sample.
///
/// # Panics
/// Panics if `k` is zero.
#[track_caller]
pub fn every_kth<X: Clone, const B: usize>(xs: &[X], lengths: Option<[usize; B]>, k: usize) -> Batch<X, B> {
    check_stride(k);
    Batch { xs: xs.iter().step_by(k).cloned().collect(), lengths: reduced_lengths(xs.len(), lengths, k) }
}

/// Pulls the cotangents of [`every_kth`] back. `dxs` becomes the gradient with respect to the
/// longer sequence of `steps` steps. Its allocation is reused.
///
/// # Panics
/// Panics if `k` is zero, or `dys` is not as long as the shorter sequence.
#[track_caller]
pub fn every_kth_backward<T, X: Varying<T> + Clone>(dys: &[X], k: usize, steps: usize, dxs: &mut Vec<X>) {
    check_stride(k);
    check_steps(dys.len(), steps, k);
    dxs.clear();
    dxs.resize(steps, X::zero());
    dxs.iter_mut().step_by(k).zip(dys).for_each(|(dx, dy)| dx.clone_from(dy));
}

/// Stacks every `M / N` consecutive steps into one vector of `M` rows, the earliest on top. If a
/// sample ends within a vector, the remaining rows are zero.
///
/// ```
/// use rnn_cell::cells::{Dense, Gru};
/// use rnn_cell::data::{Batch, stack_steps, stack_steps_backward};
/// use rnn_cell::prelude::*;
///
/// let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
/// // The upper network reads three steps of the lower one at once (Chan et al. 2016, "Listen,
/// // Attend and Spell", equation 5).
/// let lower = Gru::<2, 4>::init(&mut rng);
/// let upper = Gru::<12, 8>::init(&mut rng).then(Dense::<8, 2>::init(&mut rng));
///
/// let batch = Batch { xs: vec![SMatrix::<f32, 2, 2>::repeat(0.5); 7], lengths: [7, 3] };
/// let (mut tape, mut upper_tape) = (lower.tape(), upper.tape());
/// let hs = lower.forward(&batch, &mut lower.initial_state(), &mut tape);
/// let frames: Batch<SMatrix<f32, 12, 2>, 2> = stack_steps(hs, Some(batch.lengths));
/// assert_eq!((frames.xs.len(), frames.lengths), (3, [3, 1]));
/// let ys = upper.forward(&frames, &mut upper.initial_state(), &mut upper_tape);
///
/// let (dys, mut dhs) = (ys.to_vec(), Vec::new());
/// let (mut gradients, mut upper_gradients) = (lower.zero_gradients(), upper.zero_gradients());
/// let mut dframes = frames.xs.clone();
/// let bars = Bars::of(&mut upper_gradients).inputs(&mut dframes);
/// upper.backward(&frames, &mut upper_tape, &dys, bars);
/// stack_steps_backward(&dframes, hs.len(), Some(batch.lengths), &mut dhs);
/// lower.backward(&batch, &mut tape, &dhs, &mut gradients);
/// ```
///
/// An `M` that is not a multiple of `N` does not compile:
/// ```compile_fail,E0080
/// use nalgebra::Vector3;
/// use rnn_cell::data::stack_steps;
///
/// let frames = stack_steps::<_, 3, 10, 1>(&[Vector3::<f32>::zeros(); 4], None);
/// ```
pub fn stack_steps<T: Scalar, const N: usize, const M: usize, const B: usize>(
    xs: &[SMatrix<T, N, B>],
    lengths: Option<[usize; B]>,
) -> Batch<SMatrix<T, M, B>, B> {
    let k = const { steps_in(N, M) };
    let mut all = vec![SMatrix::<T, M, B>::zeros(); xs.len().div_ceil(k)];
    for (sample, end) in ends(xs.len(), lengths).into_iter().enumerate() {
        for (t, x) in xs[..end].iter().enumerate() {
            let part = &mut all[t / k].as_mut_slice()[sample * M + t % k * N..][..N];
            part.copy_from_slice(&x.as_slice()[sample * N..][..N]);
        }
    }
    Batch { xs: all, lengths: reduced_lengths(xs.len(), lengths, k) }
}

/// Pulls the cotangents of [`stack_steps`] back. `dxs` becomes the gradient with respect to the
/// longer sequence of `steps` steps, zero past a sample's end. Its allocation is reused.
///
/// # Panics
/// Panics if `dys` is not as long as the shorter sequence.
#[track_caller]
pub fn stack_steps_backward<T: Scalar, const N: usize, const M: usize, const B: usize>(
    dys: &[SMatrix<T, M, B>],
    steps: usize,
    lengths: Option<[usize; B]>,
    dxs: &mut Vec<SMatrix<T, N, B>>,
) {
    let k = const { steps_in(N, M) };
    check_steps(dys.len(), steps, k);
    dxs.clear();
    dxs.resize(steps, SMatrix::zeros());
    for (sample, end) in ends(steps, lengths).into_iter().enumerate() {
        for (t, dx) in dxs[..end].iter_mut().enumerate() {
            let dy = &dys[t / k].as_slice()[sample * M + t % k * N..][..N];
            dx.as_mut_slice()[sample * N..][..N].copy_from_slice(dy);
        }
    }
}

/// Returns the number of vectors of `n` rows in a vector of `m` rows.
const fn steps_in(n: usize, m: usize) -> usize {
    assert!(
        n > 0 && m > 0 && m.is_multiple_of(n),
        "the rows of the result must be a multiple of the rows of a step"
    );
    m / n
}

/// Returns the lengths that remain when one step in `k` is kept.
fn reduced_lengths<const B: usize>(steps: usize, lengths: Option<[usize; B]>, k: usize) -> [usize; B] {
    ends(steps, lengths).map(|end| end.div_ceil(k))
}

#[track_caller]
fn check_stride(k: usize) {
    assert!(k > 0, "`k` is the distance between kept steps, so it must be at least 1");
}

#[track_caller]
fn check_steps(dys: usize, steps: usize, k: usize) {
    let reduced = steps.div_ceil(k);
    assert!(dys == reduced, "{steps} steps were reduced to {reduced}, but `dys` has {dys}");
}

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix1x2, Matrix2, Vector2};

    use super::*;

    /// Returns the steps 1, 2, .. of one sample and ten times as much of the other, which ends
    /// after three.
    fn ragged() -> ([Matrix1x2<f64>; 5], Option<[usize; 2]>) {
        (core::array::from_fn(|t| Matrix1x2::new(1.0, 10.0) * (t + 1) as f64), Some([5, 3]))
    }

    #[test]
    fn one_step_in_k_is_kept() {
        let (xs, lengths) = ragged();
        let batch = every_kth(&xs, lengths, 2);
        assert_eq!((&*batch.xs, batch.lengths), (&[xs[0], xs[2], xs[4]][..], [3, 2]));
        assert_eq!(every_kth(&xs, None::<[usize; 2]>, 5).lengths, [1, 1]);
        assert_eq!(every_kth(&xs[..0], lengths, 3), Batch { xs: vec![], lengths: [0, 0] });
        let mut dxs = vec![Matrix1x2::repeat(9.0)];
        every_kth_backward::<f64, _>(&batch.xs, 2, 5, &mut dxs);
        let zero = Matrix1x2::zeros();
        assert_eq!(dxs, [xs[0], zero, xs[2], zero, xs[4]]);
    }

    #[test]
    fn steps_are_stacked_within_each_sample() {
        let (xs, lengths) = ragged();
        let batch = stack_steps::<_, 1, 2, 2>(&xs, lengths);
        assert_eq!(batch.lengths, [3, 2]);
        assert_eq!(
            batch.xs,
            [
                Matrix2::new(1.0, 10.0, 2.0, 20.0),
                Matrix2::new(3.0, 30.0, 4.0, 0.0),
                Matrix2::new(5.0, 0.0, 0.0, 0.0)
            ]
        );
        let of_one = stack_steps::<_, 2, 6, 1>(&[Vector2::new(1.0_f32, 2.0); 4], None);
        assert_eq!(of_one.xs[1].as_slice(), [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(stack_steps::<_, 1, 2, 2>(&xs[..0], lengths), Batch { xs: vec![], lengths: [0, 0] });
    }

    /// The map is linear, so its backward is its transpose: `<dy, S x> = <S^T dy, x>`.
    #[test]
    fn the_backward_of_stacking_is_its_transpose() {
        let (xs, _) = ragged();
        for lengths in [None, Some([5, 3]), Some([0, 4])] {
            let batch = stack_steps::<_, 1, 3, 2>(&xs, lengths);
            let dys: Vec<SMatrix<f64, 3, 2>> = (0..batch.xs.len())
                .map(|t| SMatrix::from_fn(|row, sample| ((t * 7 + row * 3 + sample) as f64).sin()))
                .collect();
            let mut dxs: Vec<Matrix1x2<f64>> = Vec::new();
            stack_steps_backward(&dys, 5, lengths, &mut dxs);
            let over: f64 = dys.iter().zip(&batch.xs).map(|(dy, y)| dy.dot(y)).sum();
            let back: f64 = dxs.iter().zip(&xs).map(|(dx, x)| dx.dot(x)).sum();
            assert!((over - back).abs() < 1e-12 && over != 0.0, "{over}, not {back}");
            for (sample, end) in ends(5, lengths).into_iter().enumerate() {
                assert!(dxs[end..].iter().all(|dx| dx[sample] == 0.0));
            }
        }
    }

    #[test]
    #[should_panic(expected = "5 steps were reduced to 3, but `dys` has 2")]
    fn too_few_cotangents_panic() {
        stack_steps_backward::<f64, 1, 2, 1>(&[Vector2::zeros(); 2], 5, None, &mut Vec::new());
    }

    #[test]
    #[should_panic(expected = "it must be at least 1")]
    fn a_distance_of_zero_panics() {
        every_kth::<_, 1>(&[1_u32], None, 0);
    }
}
