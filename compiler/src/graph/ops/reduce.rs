//! Sums over entries: `sum`, `mean`, `row_sum`.

use super::operation::{Operation, ShapeRule};
use super::primitive::{Primitive, each_of_argument, no_cotangent, nothing};
use crate::dim::{Atom, Dim};
use crate::graph::grid::Grid;
use crate::graph::ir::{BlockShape, Graph, Id};

/// The sum over all entries.
pub const SUM: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| args.iter().all(|x| node.shape == BlockShape::SCALAR.with_heads(x.heads)),
    work: each_of_argument,
    pull_back: |graph, y, y_bar, _| {
        let x = graph[y].args[0];
        vec![Some(pull_back(graph, x, y_bar))]
    },
};

/// The sum over the columns.
pub const ROW_SUM: Primitive = Primitive {
    fits: |node, args| args.iter().all(|x| node.shape == BlockShape { columns: Atom::ONE, ..*x }),
    ..SUM
};

/// The sum over the rows, computed as the vector that shares the memory of the row.
pub const COLUMN_SUM: Primitive = Primitive {
    fits: |node, args| args.iter().all(|x| node.shape == BlockShape { columns: Atom::ONE, ..x.transposed() }),
    pull_back: |graph, y, y_bar, _| {
        let x = graph[y].args[0];
        vec![Some(pull_back_columns(graph, x, y_bar))]
    },
    ..SUM
};

/// The largest entry. It has no derivative: it is only used where the result does not depend on it.
pub const MAXIMUM: Primitive = Primitive { pull_back: no_cotangent, ..SUM };

/// The sum over the heads.
pub const HEAD_SUM: Primitive = Primitive {
    fits: |node, args| args.iter().all(|x| x.has_heads() && node.shape == x.of_one_head()),
    ..SUM
};

/// The sum over steps and samples. It has no derivative: only cotangents are accumulated.
pub const ACCUMULATE: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| args.iter().all(|x| node.shape == *x),
    work: nothing,
    pull_back: no_cotangent,
};

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::whole(
        "sum",
        (1, 1),
        "sum(u)",
        ShapeRule::Reduce,
        sum,
        "Computes the sum of all entries, a scalar.",
    ),
    Operation::whole(
        "mean",
        (1, 1),
        "mean(u)",
        ShapeRule::Reduce,
        mean,
        "Computes the mean of all entries, a scalar.",
    ),
    Operation::whole(
        "row_sum",
        (1, 1),
        "row_sum(u)",
        ShapeRule::RowSum,
        row_sum,
        "Computes the sum over the columns: maps `[n, s]` to a vector `[n]`.",
    ),
];

pub fn sum(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    let [u] = args else { return None };
    let total = sum_of(graph, u)?;
    Some(Grid::single(graph, total))
}

pub fn mean(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    let [u] = args else { return None };
    let mean = mean_of(graph, u)?;
    Some(Grid::single(graph, mean))
}

/// Returns the sum over the columns: one entry per row.
pub fn row_sum(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    let [u] = args else { return None };
    let mut blocks = vec![];
    for row in 0..u.rows.len() {
        let sums: Vec<Id> = (0..u.columns.len())
            .map(|column| {
                let sum = graph.row_sum(u.at(row, column));
                if u.columns[column].is_product() { graph.head_sum(sum) } else { sum }
            })
            .collect();
        blocks.push(sums.into_iter().reduce(|a, b| graph.add(a, b))?);
    }
    Some(Grid { rows: u.rows.clone(), columns: vec![Atom::ONE], blocks })
}

/// Returns the sum over all entries of all blocks.
pub fn sum_of(graph: &mut Graph, u: &Grid) -> Option<Id> {
    let sums: Vec<Id> = u
        .pieces()
        .map(|(row, column, id)| {
            let sum = graph.sum(id);
            if u.is_product(row, column) { graph.head_sum(sum) } else { sum }
        })
        .collect();
    sums.into_iter().reduce(|a, b| graph.add(a, b))
}

/// Returns the mean over all entries of all blocks.
pub fn mean_of(graph: &mut Graph, u: &Grid) -> Option<Id> {
    let total = sum_of(graph, u)?;
    let rows = graph.size(Dim::sum(u.rows.iter().copied()));
    let columns = graph.size(Dim::sum(u.columns.iter().copied()));
    let count = graph.mul(rows, columns);
    let one = graph.constant(1.0);
    let share = graph.div(one, count);
    Some(graph.mul(total, share))
}

/// Returns the cotangent of `x` in `sum(x)` and `row_sum(x)`: the cotangent of the sum, repeated
/// for every entry.
fn pull_back(graph: &mut Graph, x: Id, y_bar: Id) -> Id {
    let shape = graph[x].shape;
    graph.expand(y_bar, shape)
}

/// Returns the cotangent of `x` in a sum over its rows, which is computed as a vector.
fn pull_back_columns(graph: &mut Graph, x: Id, y_bar: Id) -> Id {
    let shape = graph[x].shape;
    let row = graph.reshape(y_bar, BlockShape { rows: Atom::ONE, ..shape });
    graph.expand(row, shape)
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, SHAPES, case, check_all};
    use crate::testing::matrix::Matrix;

    fn of_shapes(shapes: &[&'static str], name: &'static str, direct: fn(&Matrix) -> Matrix) -> Vec<Case> {
        let body = format!("y = {name}(u)");
        shapes
            .iter()
            .map(|shape| case(name, &body, &[shape], (-2.0, 2.0), move |args| direct(&args[0])))
            .collect()
    }

    fn total(u: &Matrix) -> f64 {
        u.entries.iter().sum()
    }

    pub fn cases() -> Vec<Case> {
        let mut cases = [
            of_shapes(&SHAPES, "sum", |u| Matrix::scalar(total(u))),
            of_shapes(&SHAPES, "mean", |u| Matrix::scalar(total(u) / u.entries.len() as f64)),
            of_shapes(&["[N, S]", "[1, S]", "[N + M, S + 1]", "[1, S + M]"], "row_sum", |u| {
                Matrix::from_fn(u.rows, 1, |r, _| u.row(r).iter().sum())
            }),
        ]
        .concat();
        // Sums that are products: of two vectors, and of a matrix with a row or a column.
        cases.push(case("sum", "y = sum(u * v)", &["[N]", "[N]"], (-2.0, 2.0), |args| {
            Matrix::scalar(args[0].dot(&args[1]))
        }));
        cases.push(case("row_sum", "y = row_sum(u * v)", &["[N, S]", "[1, S]"], (-2.0, 2.0), |args| {
            args[0].product(&args[1].transposed())
        }));
        cases.push(case("row_sum", "y = row_sum(u.T * v.T)", &["[N, S]", "[N]"], (-2.0, 2.0), |args| {
            args[0].transposed().product(&args[1])
        }));
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}
