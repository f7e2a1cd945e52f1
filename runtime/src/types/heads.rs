//! Values whose size is a product of dimensions, `K*D`: the stack of the vectors `[D]` of `K` heads
//! of a block, or of the `K` columns of a matrix. Each of the `K` parts is called a head.
//!
//! Stable Rust has no type for a matrix of `K * D` rows, so it is a [`Heads<SMatrix<T, D, B>,
//! K>`](Heads): `head(k)` is the matrix of one head, and [`to_matrix`](Heads::to_matrix) the whole
//! one, whose size is checked at compile time. A parameter `[K*D, I]` outside of a block is a
//! [`HeadRows`], and a parameter `[O, K*D]` a [`HeadCols`].
//!
//! ```
//! use nalgebra::{SMatrix, Vector2, Vector6};
//! use rnn_cell::types::heads::Heads;
//!
//! let h = Heads::from_fn(|head| Vector2::repeat(head as f32));
//! assert_eq!(h.to_matrix::<6>(), Vector6::new(0.0, 0.0, 1.0, 1.0, 2.0, 2.0));
//! assert_eq!(Heads::<SMatrix<f32, 2, 1>, 3>::from_matrix(&h.to_matrix::<6>()), h);
//! ```
//!
//! A wrong size does not compile:
//! ```compile_fail,E0080
//! # use nalgebra::Vector2;
//! # use rnn_cell::types::heads::Heads;
//! # let h: Heads<Vector2<f32>, 3> = Heads::zeros();
//! let matrix = h.to_matrix::<5>();
//! ```

use core::ops::{Index, IndexMut};

use nalgebra::{ArrayStorage, SMatrix};

use crate::Scalar;
use crate::kernels::plain::Flat;
use crate::types::blocks::{At, Block, BlockVisitor, BlockVisitorMut};
use crate::types::varying::Varying;

/// The stack of `K` heads, each an `SMatrix<T, D, B>` with one sample per column: a matrix of
/// `K * D` rows.
///
/// Samples are contiguous in memory, as in an `SMatrix` of `K * D` rows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(transparent)]
pub struct Heads<M, const K: usize> {
    /// The scalars of the whole matrix in column-major order. The elements of this array are not
    /// the heads.
    memory: [M; K],
}

impl<T: Scalar, const D: usize, const B: usize, const K: usize> Heads<SMatrix<T, D, B>, K> {
    /// Returns a stack whose entries are all zero.
    #[inline(always)]
    pub fn zeros() -> Self {
        Heads { memory: [SMatrix::from_array_storage(ArrayStorage([[T::ZERO; D]; B])); K] }
    }

    /// Returns the stack of the heads `f(0)`, `f(1)`, ..
    pub fn from_fn(mut f: impl FnMut(usize) -> SMatrix<T, D, B>) -> Self {
        let mut stack = Self::zeros();
        for head in 0..K {
            stack.set_head(head, &f(head));
        }
        stack
    }

    /// Returns the matrix of one head.
    ///
    /// # Panics
    /// Panics if `head` is not less than the number of heads.
    pub fn head(&self, head: usize) -> SMatrix<T, D, B> {
        let mut part = SMatrix::<T, D, B>::zeros();
        for (sample, mut column) in part.column_iter_mut().enumerate() {
            column.copy_from_slice(&self.flat()[Self::entries_of(head, sample)]);
        }
        part
    }

    /// Replaces the matrix of one head.
    ///
    /// # Panics
    /// Panics if `head` is not less than the number of heads.
    pub fn set_head(&mut self, head: usize, part: &SMatrix<T, D, B>) {
        for (sample, column) in part.column_iter().enumerate() {
            self.flat_mut()[Self::entries_of(head, sample)].copy_from_slice(column.as_slice());
        }
    }

    /// Returns the range of the entries of a head and sample.
    fn entries_of(head: usize, sample: usize) -> core::ops::Range<usize> {
        assert!(head < K, "there are only {K} heads, no head {head}");
        let first = (sample * K + head) * D;
        first..first + D
    }

    /// Returns the whole as one matrix of `N` rows. The size is checked at compile time.
    pub fn to_matrix<const N: usize>(&self) -> SMatrix<T, N, B> {
        const { assert!(N == K * D, "the matrix must have the rows of all heads together") };
        SMatrix::from_column_slice(self.flat())
    }

    /// Splits a matrix of `N` rows into heads. The size is checked at compile time.
    pub fn from_matrix<const N: usize>(matrix: &SMatrix<T, N, B>) -> Self {
        const { assert!(N == K * D, "the matrix must have the rows of all heads together") };
        let mut stack = Self::zeros();
        stack.flat_mut().copy_from_slice(matrix.as_slice());
        stack
    }

    /// Returns all entries, column by column: those of one sample are adjacent.
    pub fn as_slice(&self) -> &[T] {
        self.flat()
    }

    /// Returns all entries, column by column, as a mutable slice.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        self.flat_mut()
    }
}

impl<T: Scalar, const D: usize, const B: usize, const K: usize> Default for Heads<SMatrix<T, D, B>, K> {
    fn default() -> Self {
        Self::zeros()
    }
}

/// The entry at a row of the whole matrix and a column.
impl<T: Scalar, const D: usize, const B: usize, const K: usize> Index<(usize, usize)>
    for Heads<SMatrix<T, D, B>, K>
{
    type Output = T;

    #[track_caller]
    fn index(&self, (row, column): (usize, usize)) -> &T {
        assert!(row < K * D && column < B, "entry ({row}, {column}) of a {} x {B} matrix", K * D);
        &self.flat()[column * K * D + row]
    }
}

impl<T: Scalar, const D: usize, const B: usize, const K: usize> IndexMut<(usize, usize)>
    for Heads<SMatrix<T, D, B>, K>
{
    #[track_caller]
    fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut T {
        assert!(row < K * D && column < B, "entry ({row}, {column}) of a {} x {B} matrix", K * D);
        &mut self.flat_mut()[column * K * D + row]
    }
}

impl<T: Scalar, const D: usize, const B: usize, const K: usize> Varying<T> for Heads<SMatrix<T, D, B>, K> {
    #[inline(always)]
    fn zero() -> Self {
        Self::zeros()
    }

    fn scalars(&self, f: &mut dyn FnMut(T)) {
        self.flat().iter().for_each(|&x| f(x));
    }

    fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
        self.flat_mut().iter_mut().for_each(f);
    }

    fn sample_mut(&mut self, sample: usize, batch: usize, f: &mut dyn FnMut(&mut T)) {
        if B == batch {
            self.flat_mut()[sample * K * D..(sample + 1) * K * D].iter_mut().for_each(f);
        }
    }

    fn swap_sample(&mut self, other: &mut Self, sample: usize, batch: usize) {
        if B == batch {
            let column = sample * K * D..(sample + 1) * K * D;
            self.flat_mut()[column.clone()].swap_with_slice(&mut other.flat_mut()[column]);
        }
    }

    fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
        self.flat_mut().iter_mut().zip(other.flat()).for_each(|(x, y)| f(x, *y));
    }
}

/// Defines a type of the matrices of `K` heads that together are one matrix.
macro_rules! stacked {
    ($(#[$doc:meta])* $name:ident, $which:literal, |$at:ident, $head:ident, $size:ident| $to:expr, $from:expr, $is_tall:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq)]
        #[repr(transparent)]
        pub struct $name<M, const K: usize> {
            /// The matrix of each head.
            pub heads: [M; K],
        }

        impl<M: Block, const K: usize> Block for $name<M, K> {
            type Scalar = M::Scalar;
            type Double = $name<M::Double, K>;

            const ROWS: usize = M::ROWS * if $is_tall { K } else { 1 };
            const COLUMNS: usize = M::COLUMNS * if $is_tall { 1 } else { K };

            fn zeros() -> Self {
                $name { heads: core::array::from_fn(|_| M::zeros()) }
            }

            fn entry(&self, at: At) -> Option<&Self::Scalar> {
                let (head, at) = $from(at, M::ROWS, M::COLUMNS);
                self.heads.get(head)?.entry(at)
            }

            fn entry_mut(&mut self, at: At) -> Option<&mut Self::Scalar> {
                let (head, at) = $from(at, M::ROWS, M::COLUMNS);
                self.heads.get_mut(head)?.entry_mut(at)
            }

            fn visit_blocks<'v>(&'v self, $at: At, visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>) {
                let $size = (M::ROWS, M::COLUMNS);
                for ($head, matrix) in self.heads.iter().enumerate() {
                    matrix.visit_blocks($to, visitor);
                }
            }

            fn visit_blocks_mut<'v>(&'v mut self, $at: At, visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>) {
                let $size = (M::ROWS, M::COLUMNS);
                for ($head, matrix) in self.heads.iter_mut().enumerate() {
                    matrix.visit_blocks_mut($to, visitor);
                }
            }
        }

        impl<M, const K: usize> $name<M, K>
        where
            Self: Block,
        {
            /// Returns a parameter whose entries are all zero.
            pub fn zeros() -> Self {
                Block::zeros()
            }

            /// Splits `matrix` into heads. Its size is checked at compile time.
            pub fn from_matrix<const R: usize, const C: usize>(
                matrix: &SMatrix<<Self as Block>::Scalar, R, C>,
            ) -> Self {
                const {
                    assert!(
                        R == <Self as Block>::ROWS && C == <Self as Block>::COLUMNS,
                        $which
                    );
                }
                let mut heads: Self = Block::zeros();
                heads.fill_with(|row, column| matrix[(row, column)]);
                heads
            }

            /// Returns the whole as one matrix. The size is checked at compile time.
            pub fn to_matrix<const R: usize, const C: usize>(
                &self,
            ) -> SMatrix<<Self as Block>::Scalar, R, C> {
                const {
                    assert!(
                        R == <Self as Block>::ROWS && C == <Self as Block>::COLUMNS,
                        $which
                    );
                }
                SMatrix::from_fn(|row, column| {
                    let entry = self.entry(At { head: 0, row, column });
                    entry.copied().unwrap_or_default()
                })
            }
        }

        impl<T: Copy, M: Varying<T>, const K: usize> Varying<T> for $name<M, K> {
            fn zero() -> Self {
                $name { heads: Varying::zero() }
            }

            fn scalars(&self, f: &mut dyn FnMut(T)) {
                self.heads.iter().for_each(|matrix| matrix.scalars(f));
            }

            fn scalars_mut(&mut self, f: &mut dyn FnMut(&mut T)) {
                self.heads.iter_mut().for_each(|matrix| matrix.scalars_mut(f));
            }

            fn swap_sample(&mut self, other: &mut Self, _: usize, batch: usize) {
                if batch == 1 {
                    core::mem::swap(self, other);
                }
            }

            fn zip_scalars(&mut self, other: &Self, f: &mut dyn FnMut(&mut T, T)) {
                self.heads.iter_mut().zip(&other.heads).for_each(|(x, y)| x.zip_scalars(y, f));
            }
        }
    };
}

stacked! {
    /// A matrix `[K*D, I]`: the matrix of each head on top of that of the next head.
    HeadRows, "the matrix must have the rows of all heads together",
    |at, head, size| At { head, row: at.row + head * size.0, ..at },
    |at: At, rows: usize, _| (at.row / rows.max(1), At { row: at.row % rows.max(1), ..at }),
    true
}

stacked! {
    /// A matrix `[O, K*D]`: the matrix of each head to the left of that of the next head.
    HeadCols, "the matrix must have the columns of all heads together",
    |at, head, size| At { head, column: at.column + head * size.1, ..at },
    |at: At, _, columns: usize| (at.column / columns.max(1), At { column: at.column % columns.max(1), ..at }),
    false
}
