//! Grids of blocks: values whose dimensions may be sums. Stacking and splitting only change which
//! blocks a grid holds.

use super::ir::{Graph, Id};
use crate::dim::Atom;

/// A value: one block for each pair of terms of its dimensions, in row-major order.
#[derive(Debug, Clone)]
pub struct Grid {
    pub rows: Vec<Atom>,
    pub columns: Vec<Atom>,
    pub blocks: Vec<Id>,
}

impl Grid {
    pub fn single(graph: &Graph, id: Id) -> Self {
        let shape = graph[id].shape;
        Grid { rows: vec![shape.rows], columns: vec![shape.columns], blocks: vec![id] }
    }

    pub fn at(&self, row: usize, column: usize) -> Id {
        self.blocks[row * self.columns.len() + column]
    }

    /// Returns whether the rows or columns of a block are a product of dimensions: the block then
    /// has heads.
    pub fn is_product(&self, row: usize, column: usize) -> bool {
        self.rows[row].is_product() || self.columns[column].is_product()
    }

    /// Returns each block with its row and column.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, usize, Id)> + '_ {
        let columns = self.columns.len();
        self.blocks.iter().enumerate().map(move |(index, id)| (index / columns, index % columns, *id))
    }

    /// Returns the name of a block of the value `name`.
    pub fn block_name(&self, name: &str, row: usize, column: usize) -> String {
        block_name(name, (self.rows.len(), self.columns.len()), row, column)
    }

    /// Returns the block that broadcasts to a place of a larger grid.
    pub fn broadcast_at(&self, row: usize, column: usize) -> Option<Id> {
        let fit = |atoms: &[Atom], index: usize| if atoms == [Atom::ONE] { 0 } else { index };
        self.blocks.get(fit(&self.rows, row) * self.columns.len() + fit(&self.columns, column)).copied()
    }

    pub fn transpose(&self, graph: &mut Graph) -> Grid {
        let mut blocks = vec![];
        for column in 0..self.columns.len() {
            for row in 0..self.rows.len() {
                blocks.push(graph.transpose(self.at(row, column)));
            }
        }
        Grid { rows: self.columns.clone(), columns: self.rows.clone(), blocks }
    }

    /// Applies an element-wise operation block by block.
    pub fn elementwise(
        graph: &mut Graph,
        args: &[&Grid],
        mut operation: impl FnMut(&mut Graph, &[Id]) -> Id,
    ) -> Option<Grid> {
        let longest = |get: fn(&Grid) -> &Vec<Atom>| {
            args.iter()
                .map(|arg| get(arg))
                .find(|atoms| **atoms != [Atom::ONE])
                .or(args.first().map(|arg| get(arg)))
        };
        let (rows, columns) = (longest(|grid| &grid.rows)?.clone(), longest(|grid| &grid.columns)?.clone());
        let mut blocks = vec![];
        for row in 0..rows.len() {
            for column in 0..columns.len() {
                let ids: Vec<Id> =
                    args.iter().map(|arg| arg.broadcast_at(row, column)).collect::<Option<_>>()?;
                blocks.push(operation(graph, &ids));
            }
        }
        Some(Grid { rows, columns, blocks })
    }
}

/// Returns the row and the column of each block of a grid, in row-major order.
pub fn positions((rows, columns): (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

/// Returns the name of a block of a value with the given numbers of block rows and block columns:
/// the name of the value if it has one block, else a numbered one.
pub fn block_name(name: &str, blocks: (usize, usize), row: usize, column: usize) -> String {
    match blocks {
        (1, 1) => name.to_owned(),
        (_, 1) => format!("{name}_{row}"),
        (1, _) => format!("{name}_{column}"),
        _ => format!("{name}_{row}_{column}"),
    }
}

/// Returns the names of the fields that lead from a value to one of its blocks: `bottom`, `left`.
pub fn block_path(blocks: (usize, usize), row: usize, column: usize) -> Vec<&'static str> {
    let steps = |index: usize, count: usize, first: &'static str, rest: &'static str| {
        let mut path = vec![rest; index.min(count.saturating_sub(1))];
        if index + 1 < count {
            path.push(first);
        }
        path
    };
    let mut path = steps(row, blocks.0, "top", "bottom");
    path.extend(steps(column, blocks.1, "left", "right"));
    path
}
