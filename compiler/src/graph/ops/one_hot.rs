//! `E @ w` for a one-hot input `w`: gathers a column of E. The cotangent of E is scattered.

use super::primitive::{Primitive, no_cotangent, nothing};
use crate::dim::{Atom, Dim};
use crate::graph::ir::{BlockShape, Graph, Id, Op};

/// The forward operation.
pub const GATHER: Primitive = Primitive {
    arity: Some(2),
    fits: |node, args| match args {
        [e, w] => w.is_scalar() && node.shape == BlockShape { columns: Atom::ONE, ..*e },
        _ => false,
    },
    work: nothing,
    pull_back: |graph, y, y_bar, _| match (graph[y].op.clone(), graph[y].args.as_slice()) {
        (Op::Gather { offset }, &[e, w]) => pull_back(graph, offset, [e, w], y_bar),
        _ => vec![None; 2],
    },
};

/// The cotangent of E in `E @ w`, which has no derivative of its own.
pub const SCATTER: Primitive = Primitive {
    arity: Some(2),
    fits: |node, args| match args {
        [y_bar, w] => w.is_scalar() && *y_bar == BlockShape { columns: Atom::ONE, ..node.shape },
        _ => false,
    },
    work: nothing,
    pull_back: no_cotangent,
};

/// Returns the cotangents of E and of the index, which has none.
fn pull_back(graph: &mut Graph, offset: Dim, [e, w]: [Id; 2], y_bar: Id) -> Vec<Option<Id>> {
    let shape = graph[e].shape;
    vec![Some(graph.scatter(offset, y_bar, w, shape)), None]
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, case, check_all};
    use crate::testing::matrix::Matrix;

    pub fn cases() -> Vec<Case> {
        let column = |args: &[Matrix]| {
            Matrix::from_fn(args[1].rows, 1, |r, _| args[1].at(r, args[0].at(0, 0) as usize))
        };
        let mut cases = vec![];
        // The index is drawn several times, so that each block and both ends of the range occur.
        for _ in 0..8 {
            cases.push(case("one_hot", "y = v @ u", &["one_hot[S]", "[N, S]"], (-2.0, 2.0), column));
            cases.push(case(
                "one_hot",
                "y = v @ u",
                &["one_hot[N + S + 2]", "[M + 1, N + S + 2]"],
                (-2.0, 2.0),
                column,
            ));
            cases.push(case("one_hot", "y = v @ u", &["one_hot[S]", "[1, S]"], (-2.0, 2.0), column));
            cases.push(case(
                "one_hot",
                "y = (2 * v).T @ u",
                &["one_hot[S]", "[S, N]"],
                (-2.0, 2.0),
                |args| {
                    Matrix::from_fn(args[1].columns, 1, |r, _| 2.0 * args[1].at(args[0].at(0, 0) as usize, r))
                },
            ));
        }
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}
