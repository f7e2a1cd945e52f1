//! Parameters whose rows or columns are a sum of dimensions.
//!
//! `param W: [H, H + I]` is a `Cols<SMatrix<T, H, H>, SMatrix<T, H, I>>`: one block per term, in
//! the order of the terms. Stable Rust has no type for a matrix of `H + I` columns. More terms nest
//! to the right, and `[2*H, H + I]` is a `Rows<Cols<..>, Cols<..>>`. `W[(row, column)]` is an entry
//! of the whole matrix. [`to_matrix`](Cols::to_matrix) and [`copy_from`](Cols::copy_from) convert
//! for any size.
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
//! A wrong size does not compile:
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

/// A block on top of another block with the same number of columns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Rows<A, B> {
    /// The rows of the first term.
    pub top: A,
    /// The rows of the remaining terms.
    pub bottom: B,
}

/// A block to the left of another block with the same number of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Cols<A, B> {
    /// The columns of the first term.
    pub left: A,
    /// The columns of the remaining terms.
    pub right: B,
}

/// The place of an entry or of a block in a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At {
    /// The head, for a parameter of `heads K { .. }` and for the blocks of a stack of heads. Zero
    /// for any other.
    pub head: usize,
    /// The row in the whole matrix.
    pub row: usize,
    /// The column in the whole matrix.
    pub column: usize,
}

impl At {
    /// The first entry of the first head.
    pub const START: At = At { head: 0, row: 0, column: 0 };

    fn moved(self, rows: usize, columns: usize) -> Self {
        At { row: self.row + rows, column: self.column + columns, ..self }
    }
}

/// The value of a parameter: a scalar, a matrix, a matrix of blocks, or one of these per head.
///
/// Generated code and the [initialisers](crate::init) work on this trait. Positions are always
/// positions in the whole matrix.
pub trait Block {
    /// The type of the entries, `f32` or `f64`.
    type Scalar: Scalar;
    /// The same blocks in double precision, for intermediate results.
    type Double: Block<Scalar = f64> + Flat<Scalar = f64>;

    /// The number of heads of a parameter of `heads K { .. }`, each of which has a matrix of its
    /// own; `None` for any other parameter.
    const HEADS: Option<usize> = None;
    /// The number of rows of the whole matrix.
    const ROWS: usize;
    /// The number of columns of the whole matrix.
    const COLUMNS: usize;

    /// Returns blocks whose entries are all zero.
    fn zeros() -> Self
    where
        Self: Sized;

    /// Returns an entry, or `None` outside the matrix.
    fn entry(&self, at: At) -> Option<&Self::Scalar>;

    /// Returns a mutable entry, or `None` outside the matrix.
    fn entry_mut(&mut self, at: At) -> Option<&mut Self::Scalar>;

    /// Calls `visitor` with every plain matrix: the place of its first entry (counted from `at`),
    /// its numbers of rows and columns, and its entries in column-major order.
    fn visit_blocks<'v>(&'v self, at: At, visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>);

    /// Calls `visitor` with every plain matrix, like [`visit_blocks`](Self::visit_blocks), to
    /// change it.
    fn visit_blocks_mut<'v>(&'v mut self, at: At, visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>);

    /// Visits the blocks as parts of the parameter `name`. This is the body of
    /// [`Model::visit`](crate::cell::Model::visit). The number of axes follows from the size: none
    /// for one entry, one for a column, two for any other matrix.
    fn visit_named<'v>(
        &'v self,
        name: &str,
        visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>),
    ) {
        self.visit_declared(name, rank::<Self>(), &[], visitor);
    }

    /// Visits the blocks like [`visit_named`](Self::visit_named), to change them.
    fn visit_named_mut<'v>(
        &'v mut self,
        name: &str,
        visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
    ) {
        self.visit_declared_mut(name, rank::<Self>(), &[], visitor);
    }

    /// Visits the blocks like [`visit_named`](Self::visit_named), with the number of axes in the
    /// declaration and the [`Storage`] of each block in the order of the visits; all heads of a
    /// block have the same. Blocks past the end of the slice have [`Storage::Whole`].
    fn visit_declared<'v>(
        &'v self,
        name: &str,
        rank: usize,
        storage: &[Storage],
        visitor: &mut dyn for<'n> FnMut(Parameter<'n, 'v, Self::Scalar>),
    ) {
        let (whole, mut order) = ((Self::ROWS, Self::COLUMNS), Order::new(storage));
        self.visit_blocks(At::START, &mut |at, size, values| {
            let (head, storage) = (Self::HEADS.map(|heads| (at.head, heads)), order.next(at));
            let shape = BlockShape { head, size, at: (at.row, at.column), whole, rank, storage };
            visitor(Parameter { name, shape, values });
        });
    }

    /// Visits the blocks like [`visit_declared`](Self::visit_declared), to change them.
    fn visit_declared_mut<'v>(
        &'v mut self,
        name: &str,
        rank: usize,
        storage: &[Storage],
        visitor: &mut dyn for<'n> FnMut(ParameterMut<'n, 'v, Self::Scalar>),
    ) {
        let (whole, mut order) = ((Self::ROWS, Self::COLUMNS), Order::new(storage));
        self.visit_blocks_mut(At::START, &mut |at, size, values| {
            let (head, storage) = (Self::HEADS.map(|heads| (at.head, heads)), order.next(at));
            let shape = BlockShape { head, size, at: (at.row, at.column), whole, rank, storage };
            visitor(ParameterMut { name, shape, values });
        });
    }

    /// Sets every entry to `value`.
    fn fill_with_value(&mut self, value: Self::Scalar) {
        self.visit_blocks_mut(At::START, &mut |_, _, values| values.fill(value));
    }

    /// Sets every entry of one head to `f(row, column)`. The calls go column by column through the
    /// whole matrix, so a random matrix does not depend on how its shape is split into blocks.
    fn fill_head_with(&mut self, head: usize, mut f: impl FnMut(usize, usize) -> Self::Scalar)
    where
        Self: Sized,
    {
        for column in 0..Self::COLUMNS {
            for row in 0..Self::ROWS {
                if let Some(entry) = self.entry_mut(At { head, row, column }) {
                    *entry = f(row, column);
                }
            }
        }
    }

    /// Sets every entry to `f(row, column)`, head by head.
    fn fill_with(&mut self, mut f: impl FnMut(usize, usize) -> Self::Scalar)
    where
        Self: Sized,
    {
        for head in 0..Self::HEADS.unwrap_or(1) {
            self.fill_head_with(head, &mut f);
        }
    }
}

/// Returns the number of axes of a parameter without a declaration, or of one head's matrix.
const fn rank<B: Block + ?Sized>() -> usize {
    match (B::ROWS, B::COLUMNS) {
        (1, 1) => 0,
        (_, 1) => 1,
        _ => 2,
    }
}

/// The storage of the blocks of a parameter, in the order of the visits.
struct Order<'s> {
    rest: core::slice::Iter<'s, Storage>,
    storage: Storage,
}

impl<'s> Order<'s> {
    fn new(storage: &'s [Storage]) -> Self {
        Order { rest: storage.iter(), storage: Storage::default() }
    }

    /// Returns the storage of the block at `at`. Another head of a block has the storage of the
    /// head before.
    fn next(&mut self, at: At) -> Storage {
        if at.head == 0 {
            self.storage = self.rest.next().copied().unwrap_or_default();
        }
        self.storage
    }
}

/// The callback of [`Block::visit_blocks`]. Its arguments are the place of the first entry, the
/// numbers of rows and columns, and the entries.
pub type BlockVisitor<'f, 'v, T> = dyn FnMut(At, (usize, usize), &'v [T]) + 'f;

/// The callback of [`Block::visit_blocks_mut`].
pub type BlockVisitorMut<'f, 'v, T> = dyn FnMut(At, (usize, usize), &'v mut [T]) + 'f;

impl<T: Scalar> Block for T {
    type Scalar = T;
    type Double = f64;

    const ROWS: usize = 1;
    const COLUMNS: usize = 1;

    fn zeros() -> Self {
        T::zero()
    }

    fn entry(&self, at: At) -> Option<&T> {
        (at == At::START).then_some(self)
    }

    fn entry_mut(&mut self, at: At) -> Option<&mut T> {
        (at == At::START).then_some(self)
    }

    fn visit_blocks<'v>(&'v self, at: At, visitor: &mut BlockVisitor<'_, 'v, T>) {
        visitor(at, (1, 1), core::slice::from_ref(self));
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: At, visitor: &mut BlockVisitorMut<'_, 'v, T>) {
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

    fn entry(&self, at: At) -> Option<&T> {
        self.get((at.row, at.column)).filter(|_| at.head == 0)
    }

    fn entry_mut(&mut self, at: At) -> Option<&mut T> {
        self.get_mut((at.row, at.column)).filter(|_| at.head == 0)
    }

    fn visit_blocks<'v>(&'v self, at: At, visitor: &mut BlockVisitor<'_, 'v, T>) {
        visitor(at, (R, C), self.as_slice());
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: At, visitor: &mut BlockVisitorMut<'_, 'v, T>) {
        visitor(at, (R, C), self.as_mut_slice());
    }
}

/// One matrix per head of `heads K { .. }`.
impl<M: Block, const K: usize> Block for [M; K] {
    type Scalar = M::Scalar;
    type Double = [M::Double; K];

    const HEADS: Option<usize> = {
        assert!(M::HEADS.is_none(), "heads do not nest");
        Some(K)
    };
    const ROWS: usize = M::ROWS;
    const COLUMNS: usize = M::COLUMNS;

    fn zeros() -> Self {
        core::array::from_fn(|_| M::zeros())
    }

    fn entry(&self, at: At) -> Option<&Self::Scalar> {
        self.get(at.head)?.entry(At { head: 0, ..at })
    }

    fn entry_mut(&mut self, at: At) -> Option<&mut Self::Scalar> {
        self.get_mut(at.head)?.entry_mut(At { head: 0, ..at })
    }

    fn visit_blocks<'v>(&'v self, at: At, visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>) {
        for (head, matrix) in self.iter().enumerate() {
            matrix.visit_blocks(At { head, ..at }, visitor);
        }
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: At, visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>) {
        for (head, matrix) in self.iter_mut().enumerate() {
            matrix.visit_blocks_mut(At { head, ..at }, visitor);
        }
    }
}

impl<A: Block, B: Block<Scalar = A::Scalar>> Block for Rows<A, B> {
    type Scalar = A::Scalar;
    type Double = Rows<A::Double, B::Double>;

    const HEADS: Option<usize> = A::HEADS;
    const ROWS: usize = A::ROWS + B::ROWS;
    const COLUMNS: usize = {
        assert!(A::COLUMNS == B::COLUMNS, "the blocks of `Rows` must have the same number of columns");
        A::COLUMNS
    };

    fn zeros() -> Self {
        Rows { top: A::zeros(), bottom: B::zeros() }
    }

    fn entry(&self, at: At) -> Option<&Self::Scalar> {
        match at.row.checked_sub(A::ROWS) {
            None => self.top.entry(at),
            Some(row) => self.bottom.entry(At { row, ..at }),
        }
    }

    fn entry_mut(&mut self, at: At) -> Option<&mut Self::Scalar> {
        match at.row.checked_sub(A::ROWS) {
            None => self.top.entry_mut(at),
            Some(row) => self.bottom.entry_mut(At { row, ..at }),
        }
    }

    fn visit_blocks<'v>(&'v self, at: At, visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>) {
        self.top.visit_blocks(at, visitor);
        self.bottom.visit_blocks(at.moved(A::ROWS, 0), visitor);
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: At, visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>) {
        self.top.visit_blocks_mut(at, visitor);
        self.bottom.visit_blocks_mut(at.moved(A::ROWS, 0), visitor);
    }
}

impl<A: Block, B: Block<Scalar = A::Scalar>> Block for Cols<A, B> {
    type Scalar = A::Scalar;
    type Double = Cols<A::Double, B::Double>;

    const HEADS: Option<usize> = A::HEADS;
    const ROWS: usize = {
        assert!(A::ROWS == B::ROWS, "the blocks of `Cols` must have the same number of rows");
        A::ROWS
    };
    const COLUMNS: usize = A::COLUMNS + B::COLUMNS;

    fn zeros() -> Self {
        Cols { left: A::zeros(), right: B::zeros() }
    }

    fn entry(&self, at: At) -> Option<&Self::Scalar> {
        match at.column.checked_sub(A::COLUMNS) {
            None => self.left.entry(at),
            Some(column) => self.right.entry(At { column, ..at }),
        }
    }

    fn entry_mut(&mut self, at: At) -> Option<&mut Self::Scalar> {
        match at.column.checked_sub(A::COLUMNS) {
            None => self.left.entry_mut(at),
            Some(column) => self.right.entry_mut(At { column, ..at }),
        }
    }

    fn visit_blocks<'v>(&'v self, at: At, visitor: &mut BlockVisitor<'_, 'v, Self::Scalar>) {
        self.left.visit_blocks(at, visitor);
        self.right.visit_blocks(at.moved(0, A::COLUMNS), visitor);
    }

    fn visit_blocks_mut<'v>(&'v mut self, at: At, visitor: &mut BlockVisitorMut<'_, 'v, Self::Scalar>) {
        self.left.visit_blocks_mut(at, visitor);
        self.right.visit_blocks_mut(at.moved(0, A::COLUMNS), visitor);
    }
}

#[cold]
fn outside(row: usize, column: usize, rows: usize, columns: usize) -> ! {
    panic!("entry ({row}, {column}) of a {rows} x {columns} matrix")
}

/// Implements the methods that `Rows` and `Cols` share, which all concern the whole matrix.
macro_rules! whole_matrix {
    ($blocks:ident) => {
        impl<A, B> $blocks<A, B>
        where
            Self: Block,
        {
            /// Returns blocks whose entries are all zero.
            pub fn zeros() -> Self {
                Block::zeros()
            }

            /// Returns blocks with the entries `f(row, column)`.
            pub fn from_fn(f: impl FnMut(usize, usize) -> <Self as Block>::Scalar) -> Self {
                let mut blocks: Self = Block::zeros();
                blocks.fill_with(f);
                blocks
            }

            /// Splits `matrix` into blocks. The size of the matrix is checked at compile time.
            pub fn from_matrix<const R: usize, const C: usize>(
                matrix: &SMatrix<<Self as Block>::Scalar, R, C>,
            ) -> Self {
                let mut blocks: Self = Block::zeros();
                blocks.copy_from(matrix);
                blocks
            }

            /// Copies the entries of `matrix` into the blocks. The size of the matrix is checked at
            /// compile time.
            pub fn copy_from<const R: usize, const C: usize>(
                &mut self,
                matrix: &SMatrix<<Self as Block>::Scalar, R, C>,
            ) {
                const {
                    assert!(
                        <Self as Block>::HEADS.is_none()
                            && R == <Self as Block>::ROWS
                            && C == <Self as Block>::COLUMNS,
                        "the matrix must have the rows and columns of all blocks together"
                    );
                }
                self.visit_blocks_mut(At::START, &mut |at, size, values| {
                    for column in 0..size.1 {
                        for row in 0..size.0 {
                            values[row + column * size.0] = matrix[(at.row + row, at.column + column)];
                        }
                    }
                });
            }

            /// Returns the whole as one matrix. The size is checked at compile time.
            pub fn to_matrix<const R: usize, const C: usize>(
                &self,
            ) -> SMatrix<<Self as Block>::Scalar, R, C> {
                const {
                    assert!(
                        <Self as Block>::HEADS.is_none()
                            && R == <Self as Block>::ROWS
                            && C == <Self as Block>::COLUMNS,
                        "the matrix must have the rows and columns of all blocks together"
                    );
                }
                let mut matrix = SMatrix::zeros();
                self.visit_blocks(At::START, &mut |at, size, values| {
                    for column in 0..size.1 {
                        for row in 0..size.0 {
                            matrix[(at.row + row, at.column + column)] = values[row + column * size.0];
                        }
                    }
                });
                matrix
            }

            /// Returns the numbers of rows and columns of the whole matrix.
            pub const fn shape(&self) -> (usize, usize) {
                (<Self as Block>::ROWS, <Self as Block>::COLUMNS)
            }

            /// Returns the entry of the whole matrix at `(row, column)`, or `None` outside the
            /// matrix.
            pub fn get(&self, (row, column): (usize, usize)) -> Option<&<Self as Block>::Scalar> {
                self.entry(At { head: 0, row, column })
            }

            /// Returns the mutable entry of the whole matrix at `(row, column)`, or `None` outside
            /// the matrix.
            pub fn get_mut(&mut self, (row, column): (usize, usize)) -> Option<&mut <Self as Block>::Scalar> {
                self.entry_mut(At { head: 0, row, column })
            }

            /// Returns the whole as one matrix whose size is inferred. It has at most 127 rows and
            /// columns, the limit of nalgebra's sums of dimensions. [`to_matrix`](Self::to_matrix)
            /// has no such limit.
            // The signature contains `M` instead of the projection. With the projection, rustc
            // reports a size out of range as a missing method and prints typenum's binary digits
            // instead of the message below.
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
                match self.entry(At { head: 0, row, column }) {
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
                match self.entry_mut(At { head: 0, row, column }) {
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
    /// The type of the whole matrix.
    type Matrix;

    /// Returns the blocks as one matrix.
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
        self.visit_blocks(At::START, &mut |at, size, values| {
            for column in 0..size.1 {
                for row in 0..size.0 {
                    matrix[(at.row + row, at.column + column)] = values[row + column * size.0];
                }
            }
        });
        matrix
    }
}

/// The size of a concatenation on the type level.
pub trait Sizes {
    /// The number of rows of the whole matrix.
    type Rows: Dim;
    /// The number of columns of the whole matrix.
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
