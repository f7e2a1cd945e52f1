//! Ways to join the outputs of two layers.

use alloc::vec::Vec;

use nalgebra::SMatrix;

use super::bidirectional::Both;
use crate::Scalar;
use crate::data::clear_past_end;
use crate::types::varying::Varying;

/// A way to join the outputs of two layers, of a [`Bidirectional`](super::Bidirectional) or a
/// [`Parallel`](super::Parallel). Implement it to build the inputs of a cell with several inputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot join outputs `{F}` and `{R}`",
    label = "no `Join` of these outputs"
)]
pub trait Join<F, R> {
    /// The joined output.
    type Output;

    /// A compile-time check that the sizes fit.
    const FITS: () = ();

    /// Joins the outputs of one step. Overwrites all of `y`.
    fn join(&self, first: &F, second: &R, y: &mut Self::Output);

    /// Pulls a cotangent back. Overwrites all of `first` and `second`.
    fn pull_back(&self, dy: &Self::Output, first: &mut F, second: &mut R);
}

/// The two outputs as a pair, for any types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Pair;

impl<F: Clone, R: Clone> Join<F, R> for Pair {
    type Output = Both<F, R>;

    fn join(&self, first: &F, second: &R, y: &mut Both<F, R>) {
        y.forward.clone_from(first);
        y.reverse.clone_from(second);
    }

    fn pull_back(&self, dy: &Both<F, R>, first: &mut F, second: &mut R) {
        first.clone_from(&dy.forward);
        second.clone_from(&dy.reverse);
    }
}

/// The two outputs in one vector of `N` rows, the first on top.
///
/// An `N` that is not the sum of their sizes does not compile:
/// ```compile_fail,E0080
/// # use rnn_cell::cells::Gru;
/// # use rnn_cell::prelude::*;
/// let layer = Bidirectional::new(Gru::<3, 5>::zeros(), Gru::<3, 5>::zeros()).joined(Concat::<11>);
/// layer.forward(&[SVector::<f32, 3>::zeros()], &mut layer.initial_state(), &mut layer.tape());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Concat<const N: usize>;

impl<T: Scalar, const F: usize, const R: usize, const N: usize, const B: usize>
    Join<SMatrix<T, F, B>, SMatrix<T, R, B>> for Concat<N>
{
    type Output = SMatrix<T, N, B>;

    const FITS: () = assert!(F + R == N, "`Concat` must have as many rows as both outputs together");

    fn join(&self, first: &SMatrix<T, F, B>, second: &SMatrix<T, R, B>, y: &mut SMatrix<T, N, B>) {
        let () = <Self as Join<SMatrix<T, F, B>, SMatrix<T, R, B>>>::FITS;
        for sample in 0..B {
            let (top, bottom) = y.as_mut_slice()[sample * N..(sample + 1) * N].split_at_mut(F);
            top.copy_from_slice(&first.as_slice()[sample * F..(sample + 1) * F]);
            bottom.copy_from_slice(&second.as_slice()[sample * R..(sample + 1) * R]);
        }
    }

    fn pull_back(&self, dy: &SMatrix<T, N, B>, first: &mut SMatrix<T, F, B>, second: &mut SMatrix<T, R, B>) {
        for sample in 0..B {
            let (top, bottom) = dy.as_slice()[sample * N..(sample + 1) * N].split_at(F);
            first.as_mut_slice()[sample * F..(sample + 1) * F].copy_from_slice(top);
            second.as_mut_slice()[sample * R..(sample + 1) * R].copy_from_slice(bottom);
        }
    }
}

/// The sum of the two outputs, which must have the same type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sum;

impl<T: Scalar, const N: usize, const B: usize> Join<SMatrix<T, N, B>, SMatrix<T, N, B>> for Sum {
    type Output = SMatrix<T, N, B>;

    fn join(&self, first: &SMatrix<T, N, B>, second: &SMatrix<T, N, B>, y: &mut SMatrix<T, N, B>) {
        y.copy_from(first);
        *y += second;
    }

    fn pull_back(&self, dy: &SMatrix<T, N, B>, first: &mut SMatrix<T, N, B>, second: &mut SMatrix<T, N, B>) {
        first.copy_from(dy);
        second.copy_from(dy);
    }
}

/// Joins the outputs of two layers step by step. The results are zero in the padding.
pub(super) fn join_all<T: Scalar, X, Y, J, const B: usize>(
    join: &J,
    (first, second): (&[X], &[Y]),
    lengths: Option<[usize; B]>,
    ys: &mut Vec<J::Output>,
) where
    J: Join<X, Y, Output: Varying<T>>,
{
    ys.resize_with(first.len(), Varying::zero);
    for (y, (first, second)) in ys.iter_mut().zip(first.iter().zip(second)) {
        join.join(first, second, y);
    }
    clear_past_end(ys, lengths);
}

/// The tape of one of two joined layers, and a buffer between its outputs and the joined ones. The
/// buffer holds reversed outputs in the forward pass of a [`Bidirectional`](super::Bidirectional),
/// and the cotangents of the outputs in a backward pass.
#[derive(Clone)]
pub struct Branch<P, Y> {
    pub(super) tape: P,
    pub(super) ys: Vec<Y>,
}

short_debug!(Branch<P, Y>: tape);

impl<P: Default, Y> Default for Branch<P, Y> {
    fn default() -> Self {
        Branch { tape: P::default(), ys: Vec::new() }
    }
}
