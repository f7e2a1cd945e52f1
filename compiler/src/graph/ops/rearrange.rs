//! Operations that move entries without arithmetic: `W.T`, `[a, b]`, `[a, b] = c`, `vec(W)`. Stacks
//! and splits along the terms of a dimension need no node, because the terms are blocks of a grid.
//! Literal rows are concatenated and sliced, and `vec` is a reshape.

use super::operation::{Operation, ShapeRule};
use super::primitive::{Primitive, broadcasts, nothing, same_cotangent};
use crate::dim::{Atom, Dim};
use crate::graph::grid::Grid;
use crate::graph::ir::{BlockShape, Graph, Id, Op};

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[Operation::whole(
    "vec",
    (1, 1),
    "vec(u)",
    ShapeRule::Vec,
    vec,
    "Returns the columns of a matrix `[n, s]`, one below the other: the vector `[s*n]`. `n` and `s` must be dimensions of the cell, not numbers. A vector is returned as it is, and a row transposed. `W @ vec(window(x, S))`, with `W: [O, S*I]`, is a convolution over the last `S` steps.",
)];

pub const TRANSPOSE: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| args.iter().all(|x| node.shape == x.transposed()),
    work: nothing,
    pull_back: |graph, _, y_bar, _| vec![Some(graph.transpose(y_bar))],
};

/// A vector as a row, the scalars of all heads as a vector, the columns of a matrix as heads, or
/// back: the entries keep their order.
pub const RESHAPE: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| {
        let order = |x: &BlockShape| {
            [x.rows, x.columns, x.heads].into_iter().filter(|size| *size != Atom::ONE).collect::<Vec<_>>()
        };
        args.iter().all(|x| order(x) == order(&node.shape))
    },
    work: nothing,
    pull_back: |graph, y, y_bar, _| {
        let shape = graph[graph[y].args[0]].shape;
        vec![Some(graph.reshape(y_bar, shape))]
    },
};

/// The argument, broadcast to the shape of the node.
pub const EXPAND: Primitive =
    Primitive { arity: Some(1), fits: broadcasts, work: nothing, pull_back: same_cotangent };

/// A copy of the argument.
pub const COPY: Primitive =
    Primitive { arity: Some(1), fits: broadcasts, work: nothing, pull_back: same_cotangent };

/// The arguments, stacked vertically.
pub const CONCAT: Primitive = Primitive {
    arity: None,
    fits: |node, parts| {
        let rows = Dim::sum(parts.iter().map(|part| part.rows));
        let fits = |part: &BlockShape| (part.heads, part.columns) == (node.shape.heads, node.shape.columns);
        rows.atoms() == [node.shape.rows] && parts.iter().all(fits)
    },
    work: nothing,
    pull_back: |graph, y, y_bar, _| {
        let parts = graph[y].args.clone();
        pull_back_concat(graph, &parts, y_bar)
    },
};

/// Some rows of the argument.
pub const SLICE: Primitive = Primitive {
    arity: Some(1),
    fits: |node, args| {
        let (Op::Slice { start, count }, [x]) = (&node.op, args) else { return false };
        let Atom::Literal(rows) = x.rows else { return false };
        let part = BlockShape { rows: Atom::Literal(*count), ..*x };
        start + count <= rows && (node.shape == part || part.is_row() && node.shape == part.transposed())
    },
    work: nothing,
    pull_back: |graph, y, y_bar, _| match (&graph[y].op, graph[y].args.as_slice()) {
        (&Op::Slice { start, count }, &[x]) => vec![Some(pull_back_slice(graph, x, start, count, y_bar))],
        _ => vec![None],
    },
};

/// Joins the columns of a matrix: they follow each other in memory.
fn vec(graph: &mut Graph, args: &[Grid]) -> Option<Grid> {
    let [matrix @ Grid { rows, columns, blocks }] = args else { return None };
    if columns[..] == [Atom::ONE] {
        return Some(matrix.clone());
    }
    if rows[..] == [Atom::ONE] {
        return Some(matrix.transpose(graph));
    }
    let (&[rows], &[columns], &[id]) = (&rows[..], &columns[..], &blocks[..]) else { return None };
    let rows = Atom::product(columns, rows)?;
    let value = graph.reshape(id, BlockShape::new(rows, Atom::ONE));
    Some(Grid { rows: vec![rows], columns: vec![Atom::ONE], blocks: vec![value] })
}

/// Returns the cotangents of the parts that are stacked in `y`.
fn pull_back_concat(graph: &mut Graph, parts: &[Id], y_bar: Id) -> Vec<Option<Id>> {
    let mut start = 0;
    let mut bars = vec![];
    for part in parts {
        let count = graph[*part].shape.rows.literal();
        bars.push(Some(graph.slice(y_bar, start, count)));
        start += count;
    }
    bars
}

/// Returns the cotangent of `x`, where `y` is `count` rows of `x` starting at `start`. It is zero
/// in the other rows.
fn pull_back_slice(graph: &mut Graph, x: Id, start: u64, count: u64, y_bar: Id) -> Id {
    let shape = graph[x].shape;
    // One row of a matrix is computed as the vector that shares its memory.
    let y_bar = graph.reshape(y_bar, BlockShape { rows: Atom::Literal(count), ..shape });
    let zero = graph.constant(0.0);
    let rest = shape.rows.literal().saturating_sub(start + count);
    let mut parts = vec![];
    if start > 0 {
        parts.push(graph.expand(zero, BlockShape { rows: Atom::Literal(start), ..shape }));
    }
    parts.push(y_bar);
    if rest > 0 {
        parts.push(graph.expand(zero, BlockShape { rows: Atom::Literal(rest), ..shape }));
    }
    graph.concat(parts)
}

#[cfg(test)]
pub mod tests {
    use super::pull_back_slice;
    use crate::dim::Atom;
    use crate::graph::ir::{BlockShape, Graph, Level, Op, Piece};
    use crate::graph::ops::tests::{Case, SHAPES, case, check_all};
    use crate::testing::matrix::Matrix;

    /// Stacks the arguments vertically, repeating narrow ones in every column.
    fn stack(args: &[Matrix]) -> Matrix {
        let columns = args.iter().map(|arg| arg.columns).max().unwrap_or(1);
        let rows: Vec<(usize, usize)> = args
            .iter()
            .enumerate()
            .flat_map(|(arg, matrix)| (0..matrix.rows).map(move |row| (arg, row)))
            .collect();
        Matrix::from_fn(rows.len(), columns, |r, c| args[rows[r].0].at(rows[r].1, c))
    }

    fn rows(matrix: &Matrix, start: usize, count: usize) -> Matrix {
        Matrix::from_fn(count, matrix.columns, |r, c| matrix.at(start + r, c))
    }

    pub fn cases() -> Vec<Case> {
        let mut cases: Vec<Case> = SHAPES
            .iter()
            .map(|shape| case("T", "y = u.T", &[shape], (-2.0, 2.0), |args| args[0].transposed()))
            .collect();
        cases.push(case("T", "y = u.T * u.T", &["[N, S]"], (-2.0, 2.0), |args| {
            args[0].map(|x| x * x).transposed()
        }));

        for shapes in [
            ["[N]", "[S]", "[]"],
            ["[]", "[]", "[2]"],
            ["[]", "[]", "[]"],
            ["[2]", "[N]", "[3]"],
            ["[N, S]", "[1, S]", "[M]"],
            ["[3, S]", "[]", "[1, S]"],
            ["[1, S]", "[2]", "[2, S]"],
            ["[N + 1]", "[]", "[2 + M]"],
            ["[N, S + M]", "[]", "[2, S + M]"],
        ] {
            cases.push(case("stack", "y = [u, v, w]", &shapes, (-2.0, 2.0), stack));
        }
        cases.push(case("stack", "y = [u, 1, -2.5]", &["[2]"], (-2.0, 2.0), |args| {
            stack(&[args[0].clone(), Matrix::scalar(1.0), Matrix::scalar(-2.5)])
        }));
        cases.push(case("stack", "y = [u, 1]", &["[N, S]"], (-2.0, 2.0), |args| {
            stack(&[args[0].clone(), Matrix::scalar(1.0)])
        }));

        let product = |args: &[Matrix], rows_of: [(usize, usize); 2]| {
            let [a, b] = rows_of.map(|(start, count)| rows(&args[0], start, count));
            Matrix::elementwise(&[a, b], |args| args[0] * args[1])
        };
        cases.push(case("split", "[a, b] = u; y = a * b", &["[2*N]"], (-2.0, 2.0), move |args| {
            let half = args[0].rows / 2;
            product(args, [(0, half), (half, half)])
        }));
        for shape in ["[2*N, S]", "[2*N, S + M]"] {
            cases.push(case("split", "[a, b] = u; y = a * b", &[shape], (-2.0, 2.0), move |args| {
                let half = args[0].rows / 2;
                product(args, [(0, half), (half, half)])
            }));
        }
        for shape in ["[2]", "[2, S]", "[2, S + M]"] {
            cases.push(case("split", "[a, b] = u; y = a * b", &[shape], (-2.0, 2.0), move |args| {
                product(args, [(0, 1), (1, 1)])
            }));
        }
        for (body, shapes) in [
            ("y = v * vec(u)", &["[N, S]", "[S*N]"][..]),
            ("y = tanh(vec(u * u)) + vec(u)", &["[N, S]"]),
            ("y = v @ vec(u)", &["[N, S]", "[M, S*N]"]),
            ("y = [vec(u), v]", &["[N, S]", "[S*N]"]),
            ("y = vec(u)", &["[N + M]"]),
            ("y = vec(u)", &["[1, S + M]"]),
        ] {
            cases.push(case("vec", body, shapes, (-2.0, 2.0), move |args| {
                let column = |matrix: &Matrix| Matrix::new(matrix.entries.len(), 1, matrix.entries.clone());
                let u = column(&args[0]);
                match body {
                    "y = v * vec(u)" => Matrix::elementwise(&[args[1].clone(), u], |args| args[0] * args[1]),
                    "y = v @ vec(u)" => args[1].product(&u),
                    "y = [vec(u), v]" => stack(&[u, args[1].clone()]),
                    "y = vec(u)" => u,
                    _ => u.map(|x| (x * x).tanh() + x),
                }
            }));
        }
        // Only one of the three parts is used.
        for shape in ["[3]", "[3, S]"] {
            cases.push(case("split", "[_a, b, _c] = u; y = square(b)", &[shape], (-2.0, 2.0), |args| {
                rows(&args[0], 1, 1).map(|x| x * x)
            }));
        }
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }

    /// The cotangent has zeros only if there are rows for them.
    #[test]
    fn cotangents_of_slices() {
        let mut graph = Graph::default();
        let mut read = |of: usize, rows: u64| {
            let shape = BlockShape::new(Atom::Literal(rows), Atom::ONE);
            graph.read(Piece { of, row: 0, column: 0 }, shape, Level::Time)
        };
        let (x, y_bar) = (read(0, 3), read(1, 1));
        for (start, parts) in [(0, 2), (1, 3), (2, 2)] {
            let bar = pull_back_slice(&mut graph, x, start, 1, y_bar);
            assert_eq!((&graph[bar].op, graph[bar].args.len()), (&Op::Concat, parts), "{start}");
        }
    }
}
