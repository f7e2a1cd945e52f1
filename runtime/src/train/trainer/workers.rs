//! The workers that compute the parts of a batch.

use alloc::vec::Vec;
use core::ops::Range;

use super::Scores;
use crate::Scalar;

/// Computes the parts of a batch and adds up their gradients: one part after the other
/// ([`OneThread`]), on threads (`Threads`, feature `rayon`), or on several machines.
///
/// The sum must have the order of the parts. It then has the same bits for any workers.
pub trait Workers {
    /// Returns the parts that this process computes, of `parts` in all.
    fn own(&self, parts: usize) -> Range<usize> {
        0..parts
    }

    /// Calls `work` with each of this process's parts and its index among them.
    fn each<P: Send>(&self, own: &mut [P], work: impl Fn(usize, &mut P) + Sync);

    /// Replaces the scores of this process's parts by those of all parts, in their order. Scores are
    /// numbers here.
    fn share(&self, parts: usize, scores: &mut Vec<[f64; Scores::NUMBERS]>) {
        let _ = (parts, scores);
    }

    /// Sets `sum` to the sum of the gradients of all parts, in their order; `own` are those of this
    /// process's parts, all of the same length.
    fn sum<T: Scalar>(&self, parts: usize, own: &[&[T]], sum: &mut Vec<T>) {
        let _ = parts;
        add_in_order(own, sum);
    }

    /// Returns whether this process writes files and reports: exactly one does.
    fn is_first(&self) -> bool {
        true
    }
}

/// Sets `sum` to the sum of vectors of the same length, added in their order.
pub fn add_in_order<T: Scalar>(vectors: &[&[T]], sum: &mut Vec<T>) {
    sum.clear();
    let [first, others @ ..] = vectors else { return };
    sum.extend_from_slice(first);
    for other in others {
        sum.iter_mut().zip(*other).for_each(|(sum, &x)| *sum += x);
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
