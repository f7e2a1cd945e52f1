//! The matrix product: its derivative.

use crate::ir::{Graph, Id};

/// `C = op(A) op(B)`: `A_bar` and `B_bar` from `C_bar`.
pub fn pull_back(
    graph: &mut Graph,
    (ta, tb): (bool, bool),
    a: Id,
    b: Id,
    c_bar: Id,
    wanted: &[bool],
) -> Vec<Option<Id>> {
    let a_bar = wanted[0].then(|| match ta {
        false => graph.matmul(false, !tb, c_bar, b),
        true => graph.matmul(tb, true, b, c_bar),
    });
    let b_bar = wanted[1].then(|| match tb {
        false => graph.matmul(!ta, false, a, c_bar),
        true => graph.matmul(true, ta, c_bar, a),
    });
    vec![a_bar, b_bar]
}
