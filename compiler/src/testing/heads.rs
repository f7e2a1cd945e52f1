//! Values with a head axis: the matrices of all heads, side by side, as they are in memory.

use super::matrix::Matrix;
use super::source::Definition;
use super::{assemble, block_of, size};
use crate::analysis::heads::heads;
use crate::dim::Atom;
use crate::graph::grid::Grid;
use crate::graph::ir::{Earlier, Node, Op, Piece, Reach};

/// Returns the matrix of one head.
pub fn part(value: &Matrix, heads: usize, head: usize) -> Matrix {
    let columns = value.columns / heads;
    Matrix::from_fn(value.rows, columns, |r, c| value.at(r, head * columns + c))
}

/// Returns the value of all heads.
pub fn join(parts: Vec<Matrix>) -> Matrix {
    let (rows, columns) = (parts[0].rows, parts[0].columns);
    Matrix::from_fn(rows, parts.len() * columns, |r, c| parts[c / columns].at(r, c % columns))
}

/// Repeats the heads of a value, or adds up consecutive ones, so that there are `to` heads.
pub fn regroup(value: &Matrix, from: usize, to: usize) -> Matrix {
    let of_head = |head: usize| {
        if to >= from {
            return part(value, from, head * from / to);
        }
        let members = (head * from / to..(head + 1) * from / to).map(|member| part(value, from, member));
        let sum = members.reduce(|mut sum, term| {
            sum.add(&term);
            sum
        });
        sum.expect("a group has members")
    };
    join((0..to).map(of_head).collect())
}

/// Returns the value of all heads, given their stack of `rows` rows.
pub fn unstack(stack: Matrix, rows: Atom, sizes: &[usize]) -> Matrix {
    let Atom::Product(heads, rows) = rows else { return stack };
    let (heads, rows) = (size(sizes, heads.into()), size(sizes, rows.into()));
    join(
        (0..heads)
            .map(|head| Matrix::from_fn(rows, stack.columns, |r, c| stack.at(head * rows + r, c)))
            .collect(),
    )
}

/// Returns the stack of `rows` rows of a value of all heads.
pub fn stack(value: Matrix, rows: Atom, sizes: &[usize]) -> Matrix {
    let Atom::Product(heads, rows) = rows else { return value };
    let (heads, rows) = (size(sizes, heads.into()), size(sizes, rows.into()));
    let columns = value.columns / heads;
    Matrix::from_fn(heads * rows, columns, |r, c| value.at(r % rows, r / rows * columns + c))
}

/// Returns a read of earlier values in the order of its memory. The windows of several heads follow
/// each other; `value` has a column per step, which is the stack of all heads.
pub fn earlier(value: Matrix, node: &Node, sizes: &[usize]) -> Matrix {
    let Op::Past(Earlier { reach: Reach::Window { .. }, .. }) = node.op else { return value };
    let heads = size(sizes, node.shape.heads);
    let rows = value.rows / heads;
    let of_head = |head| Matrix::from_fn(rows, value.columns, |r, c| value.at(head * rows + r, c));
    join((0..heads).map(of_head).collect())
}

/// Returns one column of the windows of all heads: the stack of these values.
pub fn column_of_windows(windows: &Matrix, heads: usize, entries: usize, index: usize) -> Matrix {
    let rows = windows.entries.len() / (heads * entries);
    let entry = |r: usize, _| windows.entries[(r / rows * entries + index) * rows + r % rows];
    Matrix::from_fn(heads * rows, 1, entry)
}

impl Definition {
    /// Returns the number of heads of a declaration.
    pub fn heads(&self, declaration: usize, sizes: &[usize]) -> usize {
        size(sizes, heads(&self.cell, self.cell.declarations[declaration].heads_block))
    }

    fn atoms(&self, declaration: usize) -> (&[Atom], &[Atom]) {
        let shape = self.shapes.declarations[declaration].as_ref().expect("the shape is known");
        (shape.rows.atoms(), shape.columns.atoms())
    }

    /// Returns a block of a declaration's value.
    pub fn block(&self, whole: &Matrix, piece: Piece, sizes: &[usize]) -> Matrix {
        if self.shapes.one_hot[piece.of].is_some() {
            return whole.clone();
        }
        let heads = self.heads(piece.of, sizes);
        let (rows, columns) = self.atoms(piece.of);
        let block =
            |head| block_of(&part(whole, heads, head), rows, columns, sizes, (piece.row, piece.column));
        join((0..heads).map(block).collect())
    }

    /// Returns a declaration's value, given its blocks.
    pub fn assemble(
        &self,
        declaration: usize,
        sizes: &[usize],
        block: impl Fn(usize, usize) -> Matrix,
    ) -> Matrix {
        let heads = self.heads(declaration, sizes);
        let (rows, columns) = self.atoms(declaration);
        let grid = Grid { rows: rows.to_vec(), columns: columns.to_vec(), blocks: vec![] };
        let of_head = |head| assemble(&grid, sizes, |row, column| part(&block(row, column), heads, head));
        join((0..heads).map(of_head).collect())
    }
}
