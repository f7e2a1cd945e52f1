//! Parameters whose rows or columns are a sum of dimensions.
//!
//! `param W: [H, H + I]` is a `Cols<SMatrix<T, H, H>, SMatrix<T, H, I>>`: a block a term, in the order of the terms, since
//! stable Rust has no type for a matrix of `H + I` columns. More terms nest to the right, and `[2*H, H + I]` is a
//! `Rows<Cols<..>, Cols<..>>`. An entry of the whole matrix is `W[(row, column)]`;
//! [`to_matrix`](Cols::to_matrix) and [`copy_from`](Cols::copy_from) convert for any size.
//!
//! ```
//! use nalgebra::{Matrix2, Matrix2x1, Matrix2x3};
//! use rnn_cell::types::blocks::Cols;
//!
//! let mut w = Cols { left: Matrix2::identity(), right: Matrix2x1::new(5.0, 6.0) };
//! w[(1, 2)] = 7.0;
//! assert_eq!(w.to_matrix::<2, 3>(), Matrix2x3::new(1.0, 0.0, 5.0, 0.0, 1.0, 7.0));
//! assert_eq!(Cols::from_matrix(&w.to_matrix::<2, 3>()), w);
//! ```
//!
//! A size that does not fit does not compile:
//! ```compile_fail,E0080
//! # use nalgebra::{Matrix2, Matrix2x1};
//! # use rnn_cell::types::blocks::Cols;
//! # let w = Cols { left: Matrix2::<f32>::identity(), right: Matrix2x1::new(5.0, 6.0) };
//! let matrix = w.to_matrix::<3, 2>();
//! ```

use core::ops::{Index, IndexMut};

use nalgebra::allocator::Allocator;
use nalgebra::{Const, DefaultAllocator, Dim, DimAdd, DimSum, OMatrix, SMatrix};

use crate::Scalar;
use crate::cell::{BlockShape, Parameter, ParameterMut, Storage};
use crate::kernels::plain::Flat;

/// A block and, below it, another one of as many columns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Rows<A, B> {
    /// The first term's rows.
    pub top: A,
    /// The rows of the terms that follow.
    pub bottom: B,
}

/// A block and, to the right of it, another one of as many rows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Cols<A, B> {
    /// The first term's columns.
    pub left: A,
    /// The columns of the terms that follow.
    pub right: B,
}

/// A parameter's value: a scalar, a matrix, or a matrix of blocks.
///
/// It is what generated code and the [initialisers](crate::init) are written against; positions are always those
/// of the whole matrix.
pub trait Block {
    /// `f32` or `f64`.
    type Scalar: Scalar;
    /// The same blocks in double precision: room to compute in.
    type Double: Block<Scalar = f64> + Flat<Scalar = f64>;

    /// Rows of the whole.
    const ROWS: usize;
    /// Columns of the whole.
    const COLUMNS: usize;

    /// All zero.
    fn zeros() -> Self
    where
        Self: Sized;

    /// The entry, or `None` outside of the matrix.
    fn entry(&self, row: usize, column: usize) -> Option<&Self::Scalar>;

    /// The entry to change, or `None` outside of the matrix.
    fn entry_mut(&mut self, row: usize, column: usize) -> Option<&mut Self::Scalar>;

    /// Calls `visitor` with each plain matrix: its first row and column (counted from `at`), its rows and columns,
    /// and its entries column by column.
    fn visit_blocks<'v>(&'v self, at: (usize, usize), visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>);

    /// [`visit_blocks`](Self::visit_blocks), to change the entries.
    fn visit_blocks_mut<'v>(
        &'v mut self,
        at: (usize, usize),
        visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>,
    );

    /// Visits the blocks as parts of the parameter `name`: the body of [`Model::visit`](crate::cell::Model::visit).
    fn visit_named<'v>(
        &'v self,
        name: &str,
        visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>),
    ) {
        self.visit_stored(name, &[], visitor);
    }

    /// [`visit_named`](Self::visit_named), to change the entries.
    fn visit_named_mut<'v>(
        &'v mut self,
        name: &str,
        visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
    ) {
        self.visit_stored_mut(name, &[], visitor);
    }

    /// [`visit_named`](Self::visit_named) with the [`Storage`] of each block, in the order of the
    /// visits; blocks beyond the slice's end are stored whole.
    fn visit_stored<'v>(
        &'v self,
        name: &str,
        storage: &[Storage],
        visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>),
    ) {
        let (whole, mut storage) = ((Self::ROWS, Self::COLUMNS), storage.iter());
        self.visit_blocks((0, 0), &mut |at, size, values| {
            let storage = storage.next().copied().unwrap_or_default();
            visitor(Parameter { name, shape: BlockShape { size, at, whole, storage }, values });
        });
    }

    /// [`visit_stored`](Self::visit_stored), to change the entries.
    fn visit_stored_mut<'v>(
        &'v mut self,
        name: &str,
        storage: &[Storage],
        visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
    ) {
        let (whole, mut storage) = ((Self::ROWS, Self::COLUMNS), storage.iter());
        self.visit_blocks_mut((0, 0), &mut |at, size, values| {
            let storage = storage.next().copied().unwrap_or_default();
            visitor(ParameterMut { name, shape: BlockShape { size, at, whole, storage }, values });
        });
    }

    /// Sets every entry to `value`.
    fn fill_with_value(&mut self, value: Self::Scalar) {
        self.visit_blocks_mut((0, 0), &mut |_, _, values| values.fill(value));
    }

    /// Sets every entry to `f(row, column)`, called column by column whatever the blocks, so that a random matrix
    /// does not depend on how its shape was written.
    fn fill_with(&mut self, mut f: impl FnMut(usize, usize) -> Self::Scalar)
    where
        Self: Sized,
    {
        for column in 0..Self::COLUMNS {
            for row in 0..Self::ROWS {
                if let Some(entry) = self.entry_mut(row, column) {
                    *entry = f(row, column);
                }
            }
        }
    }
}

/// What [`Block::visit_blocks`] calls: first row and column, rows and columns, entries.
pub type BlockVisitor<'f, 'v, T> = dyn FnMut((usize, usize), (usize, usize), &'v [T]) + 'f;

/// What [`Block::visit_blocks_mut`] calls.
pub type BlockVisitorMut<'f, 'v, T> = dyn FnMut((usize, usize), (usize, usize), &'v mut [T]) + 'f;

impl<T: Scalar> Block for T {
    type Scalar = T;
    type Double = f64;

    const ROWS: usize = 1;
    const COLUMNS: usize = 1;

    fn zeros() -> Self {
        T::zero()
    }

    fn entry(&self, row: usize, column: usize) -> Option<&T> {
        (row == 0 && column == 0).then_some(self)
    }

    fn entry_mut(&mut self, row: usize, column: usize) -> Option<&mut T> {
        (row == 0 && column == 0).then_some(self)
    }

    fn visit_blocks<'v>(&'v self, at: (usize, usize), visitor: &mut BlockVisitor<'_, 'v, T>) {
        visitor(at, (1, 1), core::slice::from_ref(self));
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: (usize, usize), visitor: &mut BlockVisitorMut<'_, 'v, T>) {
        visitor(at, (1, 1), core::slice::from_mut(self));
    }
}

impl<T: Scalar, const R: usize, const C: usize> Block for SMatrix<T, R, C> {
    type Scalar = T;
    type Double = SMatrix<f64, R, C>;

    const ROWS: usize = R;
    const COLUMNS: usize = C;

    fn zeros() -> Self {
        SMatrix::zeros()
    }

    fn entry(&self, row: usize, column: usize) -> Option<&T> {
        self.get((row, column))
    }

    fn entry_mut(&mut self, row: usize, column: usize) -> Option<&mut T> {
        self.get_mut((row, column))
    }

    fn visit_blocks<'v>(&'v self, at: (usize, usize), visitor: &mut BlockVisitor<'_, 'v, T>) {
        visitor(at, (R, C), self.as_slice());
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: (usize, usize), visitor: &mut BlockVisitorMut<'_, 'v, T>) {
        visitor(at, (R, C), self.as_mut_slice());
    }
}

impl<A: Block, B: Block<Scalar = A::Scalar>> Block for Rows<A, B> {
    type Scalar = A::Scalar;
    type Double = Rows<A::Double, B::Double>;

    const ROWS: usize = A::ROWS + B::ROWS;
    const COLUMNS: usize = {
        assert!(A::COLUMNS == B::COLUMNS, "the blocks of `Rows` must have as many columns as each other");
        A::COLUMNS
    };

    fn zeros() -> Self {
        Rows { top: A::zeros(), bottom: B::zeros() }
    }

    fn entry(&self, row: usize, column: usize) -> Option<&Self::Scalar> {
        if row < A::ROWS { self.top.entry(row, column) } else { self.bottom.entry(row - A::ROWS, column) }
    }

    fn entry_mut(&mut self, row: usize, column: usize) -> Option<&mut Self::Scalar> {
        if row < A::ROWS {
            self.top.entry_mut(row, column)
        } else {
            self.bottom.entry_mut(row - A::ROWS, column)
        }
    }

    fn visit_blocks<'v>(&'v self, at: (usize, usize), visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>) {
        self.top.visit_blocks(at, visitor);
        self.bottom.visit_blocks((at.0 + A::ROWS, at.1), visitor);
    }

    fn visit_blocks_mut<'v>(
        &'v mut self,
        at: (usize, usize),
        visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>,
    ) {
        self.top.visit_blocks_mut(at, visitor);
        self.bottom.visit_blocks_mut((at.0 + A::ROWS, at.1), visitor);
    }
}

impl<A: Block, B: Block<Scalar = A::Scalar>> Block for Cols<A, B> {
    type Scalar = A::Scalar;
    type Double = Cols<A::Double, B::Double>;

    const ROWS: usize = {
        assert!(A::ROWS == B::ROWS, "the blocks of `Cols` must have as many rows as each other");
        A::ROWS
    };
    const COLUMNS: usize = A::COLUMNS + B::COLUMNS;

    fn zeros() -> Self {
        Cols { left: A::zeros(), right: B::zeros() }
    }

    fn entry(&self, row: usize, column: usize) -> Option<&Self::Scalar> {
        if column < A::COLUMNS {
            self.left.entry(row, column)
        } else {
            self.right.entry(row, column - A::COLUMNS)
        }
    }

    fn entry_mut(&mut self, row: usize, column: usize) -> Option<&mut Self::Scalar> {
        if column < A::COLUMNS {
            self.left.entry_mut(row, column)
        } else {
            self.right.entry_mut(row, column - A::COLUMNS)
        }
    }

    fn visit_blocks<'v>(&'v self, at: (usize, usize), visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>) {
        self.left.visit_blocks(at, visitor);
        self.right.visit_blocks((at.0, at.1 + A::COLUMNS), visitor);
    }

    fn visit_blocks_mut<'v>(
        &'v mut self,
        at: (usize, usize),
        visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>,
    ) {
        self.left.visit_blocks_mut(at, visitor);
        self.right.visit_blocks_mut((at.0, at.1 + A::COLUMNS), visitor);
    }
}

#[cold]
fn outside(row: usize, column: usize, rows: usize, columns: usize) -> ! {
    panic!("entry ({row}, {column}) of a {rows} x {columns} matrix")
}

/// What `Rows` and `Cols` share: everything that speaks of the whole matrix.
macro_rules! whole_matrix {
    ($blocks:ident) => {
        impl<A, B> $blocks<A, B>
        where
            Self: Block,
        {
            /// All zero.
            pub fn zeros() -> Self {
                Block::zeros()
            }

            /// `f(row, column)` for every entry.
            pub fn from_fn(f: impl FnMut(usize, usize) -> <Self as Block>::Scalar) -> Self {
                let mut blocks: Self = Block::zeros();
                blocks.fill_with(f);
                blocks
            }

            /// The blocks of `matrix`, which must have as many rows and columns as they have together (checked when
            /// compiled).
            pub fn from_matrix<const R: usize, const C: usize>(
                matrix: &SMatrix<<Self as Block>::Scalar, R, C>,
            ) -> Self {
                let mut blocks: Self = Block::zeros();
                blocks.copy_from(matrix);
                blocks
            }

            /// Sets the blocks to those of `matrix`. The sizes are checked when compiled.
            pub fn copy_from<const R: usize, const C: usize>(
                &mut self,
                matrix: &SMatrix<<Self as Block>::Scalar, R, C>,
            ) {
                const {
                    assert!(
                        R == <Self as Block>::ROWS && C == <Self as Block>::COLUMNS,
                        "the matrix must have the rows and columns of all blocks together"
                    );
                }
                self.visit_blocks_mut((0, 0), &mut |at, size, values| {
                    for column in 0..size.1 {
                        for row in 0..size.0 {
                            values[row + column * size.0] = matrix[(at.0 + row, at.1 + column)];
                        }
                    }
                });
            }

            /// The whole as one matrix. The sizes are checked when compiled.
            pub fn to_matrix<const R: usize, const C: usize>(
                &self,
            ) -> SMatrix<<Self as Block>::Scalar, R, C> {
                const {
                    assert!(
                        R == <Self as Block>::ROWS && C == <Self as Block>::COLUMNS,
                        "the matrix must have the rows and columns of all blocks together"
                    );
                }
                let mut matrix = SMatrix::zeros();
                self.visit_blocks((0, 0), &mut |at, size, values| {
                    for column in 0..size.1 {
                        for row in 0..size.0 {
                            matrix[(at.0 + row, at.1 + column)] = values[row + column * size.0];
                        }
                    }
                });
                matrix
            }

            /// Rows and columns of the whole.
            pub const fn shape(&self) -> (usize, usize) {
                (<Self as Block>::ROWS, <Self as Block>::COLUMNS)
            }

            /// The entry at `(row, column)` of the whole, or `None` outside of it.
            pub fn get(&self, (row, column): (usize, usize)) -> Option<&<Self as Block>::Scalar> {
                self.entry(row, column)
            }

            /// The entry at `(row, column)` of the whole, to change, or `None` outside of it.
            pub fn get_mut(&mut self, (row, column): (usize, usize)) -> Option<&mut <Self as Block>::Scalar> {
                self.entry_mut(row, column)
            }

            /// The whole as one matrix whose size is inferred. Its rows and columns can be at most 127, the limit of
            /// nalgebra's sums of dimensions; [`to_matrix`](Self::to_matrix) has none.
            // `M` rather than the projection it stands for: with that in the signature the method counts as missing
            // where its size is out of range, and rustc prints typenum's binary digits instead of the message below.
            pub fn concat<M>(&self) -> M
            where
                Self: Concat<Matrix = M>,
            {
                self.concatenated()
            }
        }

        impl<A, B> Default for $blocks<A, B>
        where
            Self: Block,
        {
            fn default() -> Self {
                Block::zeros()
            }
        }

        impl<A, B> Index<(usize, usize)> for $blocks<A, B>
        where
            Self: Block,
        {
            type Output = <Self as Block>::Scalar;

            #[track_caller]
            fn index(&self, (row, column): (usize, usize)) -> &Self::Output {
                match self.entry(row, column) {
                    Some(entry) => entry,
                    None => outside(row, column, <Self as Block>::ROWS, <Self as Block>::COLUMNS),
                }
            }
        }

        impl<A, B> IndexMut<(usize, usize)> for $blocks<A, B>
        where
            Self: Block,
        {
            #[track_caller]
            fn index_mut(&mut self, (row, column): (usize, usize)) -> &mut Self::Output {
                match self.entry_mut(row, column) {
                    Some(entry) => entry,
                    None => outside(row, column, <Self as Block>::ROWS, <Self as Block>::COLUMNS),
                }
            }
        }
    };
}

whole_matrix!(Rows);
whole_matrix!(Cols);

/// Blocks whose concatenation has a size that nalgebra can infer.
#[diagnostic::on_unimplemented(
    message = "the size of this concatenation cannot be inferred",
    label = "its rows or columns are more than 127, or a dimension that is not a known number",
    note = "for such sizes write `.to_matrix::<ROWS, COLUMNS>()`"
)]
pub trait Concat {
    /// The matrix of all blocks.
    type Matrix;

    /// The blocks as one matrix.
    fn concatenated(&self) -> Self::Matrix;
}

#[diagnostic::do_not_recommend]
impl<P: Sizes + Block> Concat for P
where
    DefaultAllocator: Allocator<P::Rows, P::Columns>,
{
    type Matrix = OMatrix<P::Scalar, P::Rows, P::Columns>;

    fn concatenated(&self) -> Self::Matrix {
        let mut matrix =
            OMatrix::zeros_generic(P::Rows::from_usize(P::ROWS), P::Columns::from_usize(P::COLUMNS));
        self.visit_blocks((0, 0), &mut |at, size, values| {
            for column in 0..size.1 {
                for row in 0..size.0 {
                    matrix[(at.0 + row, at.1 + column)] = values[row + column * size.0];
                }
            }
        });
        matrix
    }
}

/// The size of a concatenation as types.
pub trait Sizes {
    /// Rows of the whole.
    type Rows: Dim;
    /// Columns of the whole.
    type Columns: Dim;
}

impl<T, const R: usize, const C: usize> Sizes for SMatrix<T, R, C> {
    type Rows = Const<R>;
    type Columns = Const<C>;
}

#[diagnostic::do_not_recommend]
impl<A: Sizes, B: Sizes<Columns = A::Columns>> Sizes for Rows<A, B>
where
    A::Rows: DimAdd<B::Rows>,
{
    type Rows = DimSum<A::Rows, B::Rows>;
    type Columns = A::Columns;
}

#[diagnostic::do_not_recommend]
impl<A: Sizes, B: Sizes<Rows = A::Rows>> Sizes for Cols<A, B>
where
    A::Columns: DimAdd<B::Columns>,
{
    type Rows = A::Rows;
    type Columns = DimSum<A::Columns, B::Columns>;
}

#[cfg(test)]
mod tests;
