//! The matrix product `A @ B`.

use super::primitive::Primitive;
use crate::graph::ir::{Graph, Id, Op};

/// `op(A) op(B)`, each transposed or not. If both have heads and the node has none, the products of
/// the heads add up.
pub const MATMUL: Primitive = Primitive {
    arity: Some(2),
    fits: |node, args| {
        let (Op::MatMul { ta, tb }, [a, b]) = (&node.op, args) else { return false };
        let (left, right) = (a.oriented(*ta), b.oriented(*tb));
        let heads = if left.has_heads() { left.heads } else { right.heads };
        let agree = !left.has_heads() || !right.has_heads() || left.heads == right.heads;
        let is_sum = !node.shape.has_heads() && left.has_heads() && right.has_heads();
        let fits = (node.shape.rows, node.shape.columns) == (left.rows, right.columns);
        left.columns == right.rows && agree && fits && (is_sum || node.shape.heads == heads)
    },
    work: |graph, node| {
        let Op::MatMul { ta, .. } = node.op else { return None };
        let [a, b] = [0, 1].map(|index: usize| graph[node.args[index]].shape);
        let heads = if a.has_heads() { a.heads } else { b.heads };
        let inner = a.oriented(ta).columns;
        Some((2, vec![heads, node.shape.rows, node.shape.columns, inner]))
    },
    pull_back: |graph, y, y_bar, wanted| match (&graph[y].op, graph[y].args.as_slice()) {
        (Op::MatMul { ta, tb }, &[a, b]) => pull_back(graph, (*ta, *tb), [a, b], y_bar, wanted),
        _ => vec![None; 2],
    },
};

/// Computes `A_bar` and `B_bar` from `C_bar`, for `C = op(A) op(B)`.
fn pull_back(
    graph: &mut Graph,
    (ta, tb): (bool, bool),
    [a, b]: [Id; 2],
    c_bar: Id,
    wanted: &[bool],
) -> Vec<Option<Id>> {
    let a_bar = wanted[0]
        .then(|| if ta { graph.matmul(tb, true, b, c_bar) } else { graph.matmul(false, !tb, c_bar, b) });
    let b_bar = wanted[1]
        .then(|| if tb { graph.matmul(true, ta, c_bar, a) } else { graph.matmul(!ta, false, a, c_bar) });
    vec![a_bar, b_bar]
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, case, check_all};
    use crate::testing::matrix::Matrix;

    pub fn cases() -> Vec<Case> {
        let product = |shapes: [&'static str; 2]| {
            case("@", "y = u @ v", &shapes, (-2.0, 2.0), |args| args[0].product(&args[1]))
        };
        let mut cases: Vec<Case> = [
            ["[N, S]", "[S]"],
            ["[N, S]", "[S, M]"],
            ["[1, S]", "[S, M]"],
            ["[1, S]", "[S]"],
            ["[N]", "[1, S]"],
            ["[N, 1]", "[]"],
            ["[]", "[1, S]"],
            ["[]", "[]"],
            ["[4*N, S + N + 1]", "[S + N + 1]"],
            ["[N + M, S + 2]", "[S + 2, N + 1]"],
        ]
        .map(product)
        .into();
        let transposed = |body, shapes: [&'static str; 2], direct: fn(&Matrix, &Matrix) -> Matrix| {
            case("@", body, &shapes, (-2.0, 2.0), move |args| direct(&args[0], &args[1]))
        };
        cases.extend([
            transposed("y = u.T @ v", ["[S, N]", "[S]"], |u, v| u.transposed().product(v)),
            transposed("y = u.T @ v", ["[S]", "[S]"], |u, v| u.transposed().product(v)),
            transposed("y = u.T @ v", ["[S]", "[S, M]"], |u, v| u.transposed().product(v)),
            transposed("y = u.T @ v", ["[S, N]", "[S, M]"], |u, v| u.transposed().product(v)),
            transposed("y = u @ v.T", ["[N]", "[S]"], |u, v| u.product(&v.transposed())),
            transposed("y = u @ v.T", ["[N, S]", "[M, S]"], |u, v| u.product(&v.transposed())),
            transposed("y = u @ v.T", ["[N, S]", "[1, S]"], |u, v| u.product(&v.transposed())),
            transposed("y = u.T @ v.T", ["[S, N]", "[M, S]"], |u, v| u.transposed().product(&v.transposed())),
            transposed("y = u.T @ v.T", ["[S]", "[M, S]"], |u, v| u.transposed().product(&v.transposed())),
            transposed("y = u.T @ v.T", ["[S, N + 1]", "[M + 2, S]"], |u, v| {
                u.transposed().product(&v.transposed())
            }),
            transposed("y = u @ (u @ v)", ["[S, S]", "[S]"], |u, v| u.product(&u.product(v))),
            transposed("y = u.T @ (u @ v)", ["[N, S]", "[S]"], |u, v| u.transposed().product(&u.product(v))),
        ]);
        cases
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }
}
