//! Samples side by side in a batch.

use nalgebra::{SMatrix, SVector};

use crate::Scalar;
use crate::types::blocks::{Block, Rows};
use crate::types::heads::Heads;

/// One step of one sample, which becomes a part of one step of a batch of `B` samples.
///
/// | sample | batch of `B` samples |
/// | --- | --- |
/// | a vector `SVector<T, N>` | a matrix `SMatrix<T, N, B>`, one column per sample |
/// | a stack of heads `Heads<SVector<T, D>, K>` | a stack `Heads<SMatrix<T, D, B>, K>` |
/// | a number `f32` or `f64` | a row `SMatrix<T, 1, B>` |
/// | an index `u32` (`one_hot`, a class) | an array `[u32; B]` |
/// | a matrix `[SMatrix<T, R, C>; 1]` | an array `[SMatrix<T, R, C>; B]` |
/// | the inputs `NameInput<.., 1, T>` of a cell | `NameInput<.., B, T>` |
/// | a tuple (an input and its target) | a tuple of batches |
///
/// [`pad`](crate::data::pad) and [`streams`](crate::data::streams) make batches of all of them.
/// Implement it for a type of your own to use it in the same way.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a step of one sample",
    label = "no `Sample<{B}>`",
    note = "samples are vectors, numbers, indices (`u32`), the inputs of a cell with a batch size of 1, and tuples of them"
)]
pub trait Sample<const B: usize>: Sized {
    /// One step of all samples.
    type Batch;

    /// Puts samples side by side. A missing sample becomes zero.
    fn batch(samples: [Option<&Self>; B]) -> Self::Batch;
}

impl<T: Scalar, const N: usize, const B: usize> Sample<B> for SVector<T, N> {
    type Batch = SMatrix<T, N, B>;

    fn batch(samples: [Option<&Self>; B]) -> SMatrix<T, N, B> {
        let mut batch = SMatrix::<T, N, B>::zeros();
        for (column, sample) in samples.into_iter().enumerate() {
            if let Some(sample) = sample {
                batch.set_column(column, sample);
            }
        }
        batch
    }
}

impl<T: Scalar, const D: usize, const K: usize, const B: usize> Sample<B> for Heads<SVector<T, D>, K> {
    type Batch = Heads<SMatrix<T, D, B>, K>;

    fn batch(samples: [Option<&Self>; B]) -> Self::Batch {
        let mut batch = Heads::<SMatrix<T, D, B>, K>::zeros();
        for (column, sample) in samples.into_iter().enumerate() {
            if let Some(sample) = sample {
                batch.as_mut_slice()[column * K * D..][..K * D].copy_from_slice(sample.as_slice());
            }
        }
        batch
    }
}

// An implementation for all `T: Scalar` would make rustc report a type that is not a sample as one
// without `Scalar`.
macro_rules! numbers {
    ($($scalar:ty)+) => { $(
        impl<const B: usize> Sample<B> for $scalar {
            type Batch = SMatrix<$scalar, 1, B>;

            fn batch(samples: [Option<&Self>; B]) -> Self::Batch {
                SMatrix::from_fn(|_, column| samples[column].copied().unwrap_or(0.0))
            }
        }
    )+ };
}

numbers! { f32 f64 }

impl<const B: usize> Sample<B> for u32 {
    type Batch = [u32; B];

    fn batch(samples: [Option<&Self>; B]) -> [u32; B] {
        samples.map(|sample| sample.copied().unwrap_or(0))
    }
}

impl<const B: usize> Sample<B> for [u32; 1] {
    type Batch = [u32; B];

    fn batch(samples: [Option<&Self>; B]) -> [u32; B] {
        samples.map(|sample| sample.map_or(0, |[index]| *index))
    }
}

impl<V: Block + Clone, const B: usize> Sample<B> for [V; 1] {
    type Batch = [V; B];

    fn batch(samples: [Option<&Self>; B]) -> [V; B] {
        samples.map(|sample| sample.map_or_else(V::zeros, |[value]| value.clone()))
    }
}

impl<X: Sample<B>, Y: Sample<B>, const B: usize> Sample<B> for Rows<X, Y> {
    type Batch = Rows<X::Batch, Y::Batch>;

    fn batch(samples: [Option<&Self>; B]) -> Self::Batch {
        let top = X::batch(samples.map(|sample| sample.map(|sample| &sample.top)));
        let bottom = Y::batch(samples.map(|sample| sample.map(|sample| &sample.bottom)));
        Rows { top, bottom }
    }
}

macro_rules! tuples {
    ($(($($of:ident $field:tt),*))+) => { $(
        impl<$($of: Sample<BATCH>,)* const BATCH: usize> Sample<BATCH> for ($($of,)*) {
            type Batch = ($($of::Batch,)*);

            fn batch(samples: [Option<&Self>; BATCH]) -> Self::Batch {
                ($($of::batch(samples.map(|sample| sample.map(|sample| &sample.$field))),)*)
            }
        }
    )+ };
}

tuples! { (A 0) (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

#[cfg(test)]
mod tests {
    use nalgebra::{Matrix1x2, Matrix2, Matrix2x3, Vector2};

    use super::*;

    #[test]
    fn samples_become_columns_and_elements() {
        let (one, two) = (Vector2::new(1.0_f32, 2.0), Vector2::new(3.0, 4.0));
        assert_eq!(
            Sample::batch([Some(&one), None, Some(&two)]),
            Matrix2x3::new(1.0, 0.0, 3.0, 2.0, 0.0, 4.0)
        );
        assert_eq!(Sample::batch([Some(&5.0_f64), Some(&6.0)]), Matrix1x2::new(5.0, 6.0));
        assert_eq!(Sample::batch([Some(&7_u32), None]), [7, 0]);
        assert_eq!(Sample::batch([None, Some(&[7_u32])]), [0, 7]);
        let heads: Heads<Vector2<f32>, 3> = Heads::from_fn(|head| Vector2::repeat(head as f32));
        let batch: Heads<SMatrix<f32, 2, 2>, 3> = Sample::batch([None, Some(&heads)]);
        assert_eq!(batch.as_slice(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 2.0]);
        let matrix = [Matrix2::new(1.0_f32, 2.0, 3.0, 4.0)];
        assert_eq!(Sample::batch([Some(&matrix), None]), [matrix[0], Matrix2::zeros()]);
        let rows = [Rows { top: one, bottom: 5.0 }, Rows { top: two, bottom: 6.0 }];
        let [first, second] = &rows;
        let batch = Rows { top: Matrix2::new(1.0, 3.0, 2.0, 4.0), bottom: Matrix1x2::new(5.0, 6.0) };
        assert_eq!(Sample::batch([Some(first), Some(second)]), batch);
        let pairs = [(one, 3_u32), (two, 4)];
        let batch = (Matrix2::new(1.0, 3.0, 2.0, 4.0), [3, 4]);
        assert_eq!(Sample::batch([Some(&pairs[0]), Some(&pairs[1])]), batch);
    }
}
