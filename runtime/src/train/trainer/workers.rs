//! The workers that compute the parts of a batch.

use alloc::vec::Vec;
use core::ops::Range;

use crate::Scalar;

/// A way to compute the parts of a batch and to add up their gradients: one part after the other
/// ([`OneThread`]), on threads (`Threads`, feature `rayon`), or in several processes (`Mpi` of the
/// package `rnn-cell-cluster`).
///
/// Several processes run the same program. Each has the whole model and the list of all samples,
/// computes its [own](Self::own) parts, and makes the same update as the others. The methods
/// [`sum`](Self::sum) and [`all_gather`](Self::all_gather) wait for all processes, which call them
/// in the same order.
///
/// The sum of the gradients must be the [pairwise](pairs) one. It then has the same bits for any
/// workers.
pub trait Workers {
    /// Returns the parts that this process computes, of `parts` in all. It may have none. The parts
    /// of all processes follow one another.
    fn own(&self, parts: usize) -> Range<usize> {
        0..parts
    }

    /// Calls `work` with each of this process's parts and its index among them.
    fn each<P: Send>(&self, own: &mut [P], work: impl Fn(usize, &mut P) + Sync);

    /// Sets `sum` to the sum of the gradients of all `parts` parts. `own` are those of this
    /// process's parts, each as long as `sum`; their values are not needed afterwards.
    fn sum<T: Scalar>(&self, parts: usize, own: &mut [&mut [T]], sum: &mut [T]) {
        add_pairs(parts, 0..parts, own);
        if let [total, ..] = own {
            sum.copy_from_slice(total);
        }
    }

    /// Returns the bytes of every process, in the order of the processes.
    fn all_gather(&self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        Vec::from([bytes])
    }

    /// Returns whether this is the first process, which reads and writes files and reports.
    fn is_first(&self) -> bool {
        true
    }
}

/// Returns the additions that make up the sum of `parts` vectors, as far as they concern the
/// vectors in `own` alone. A pair `(i, j)` stands for `v[i] += v[j]`. After the pairs of `0..parts`
/// the sum is `v[0]`.
///
/// This is pairwise summation: `v[0] + v[1]` and `v[2] + v[3]`, then the sum of both, and so on. A
/// process that owns consecutive vectors makes most of the additions by itself, and only the few
/// vectors that are left need to be sent. The order does not depend on the division among
/// processes. Its rounding error grows with the logarithm of `parts` (Higham 1993, "The accuracy of
/// floating point summation").
///
/// ```
/// use rnn_cell::train::pairs;
///
/// assert_eq!(pairs(5, 0..5).collect::<Vec<_>>(), [(0, 1), (2, 3), (0, 2), (0, 4)]);
/// // Two processes, whose vectors 0 and 3, 4 are left. The pair of 2 and 3 is divided.
/// assert_eq!(pairs(5, 0..3).collect::<Vec<_>>(), [(0, 1)]);
/// assert_eq!(pairs(5, 3..5).count(), 0);
/// ```
pub fn pairs(parts: usize, own: Range<usize>) -> impl Iterator<Item = (usize, usize)> {
    let distances = core::iter::successors(Some(1), |distance| Some(2 * distance));
    distances.take_while(move |distance| *distance < parts).flat_map(move |distance| {
        let Range { start, end } = own;
        (start.next_multiple_of(2 * distance)..parts - distance)
            .step_by(2 * distance)
            .take_while(move |left| parts.min(left + 2 * distance) <= end)
            .map(move |left| (left, left + distance))
    })
}

/// Makes the additions of the [pairs] among `vectors`, the `own` ones of `parts` vectors.
pub fn add_pairs<T: Scalar>(parts: usize, own: Range<usize>, vectors: &mut [&mut [T]]) {
    let start = own.start;
    for (left, right) in pairs(parts, own) {
        let (before, after) = vectors.split_at_mut(right - start);
        before[left - start].iter_mut().zip(&*after[0]).for_each(|(sum, &x)| *sum += x);
    }
}

/// One part after the other, on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneThread;

impl Workers for OneThread {
    fn each<P: Send>(&self, own: &mut [P], work: impl Fn(usize, &mut P) + Sync) {
        own.iter_mut().enumerate().for_each(|(index, part)| work(index, part));
    }
}

/// The threads of rayon: its global pool, or the pool in which the trainer is
/// [called](rayon::ThreadPool::install).
#[cfg(feature = "rayon")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Threads;

#[cfg(feature = "rayon")]
impl Workers for Threads {
    fn each<P: Send>(&self, own: &mut [P], work: impl Fn(usize, &mut P) + Sync) {
        use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
        own.par_iter_mut().enumerate().for_each(|(index, part)| work(index, part));
    }
}
