//! Entry-wise choice between two values: `where`, `clamp`.

use super::operation::{Lowering, Operation, ShapeRule};
use super::primitive::{Primitive, broadcasts, each_entry, no_cotangent, nothing};
use crate::graph::ir::{Comparison, Graph, Id, Op};

/// `a <comparison> b ? u : v`
pub const SELECT: Primitive = Primitive {
    arity: Some(4),
    fits: broadcasts,
    work: each_entry,
    pull_back: |graph, y, y_bar, _| match (&graph[y].op, graph[y].args.as_slice()) {
        (Op::Select(comparison), &[a, b, _, _]) => pull_back(graph, *comparison, [a, b], y_bar),
        _ => vec![None; 4],
    },
};

/// An argument that blocks its cotangent.
pub const STOP_GRADIENT: Primitive =
    Primitive { arity: Some(1), fits: broadcasts, work: nothing, pull_back: no_cotangent };

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::elementwise("clamp", "clamp(u, low, high)", Lowering::OfThree(clamp)),
    Operation {
        name: "stop_gradient",
        arity: (1, 1),
        signature: "stop_gradient(u)",
        shape: ShapeRule::Same,
        lowering: Lowering::OfOne(Graph::stop_gradient),
    },
    Operation {
        name: "where",
        arity: (3, 3),
        signature: "where(a >= b, u, v)",
        shape: ShapeRule::Where,
        lowering: Lowering::Where,
    },
];

/// Returns `u`, clamped to between `low` and `high`; its derivative is 1 at the bounds.
pub fn clamp(graph: &mut Graph, u: Id, low: Id, high: Id) -> Id {
    let below_high = graph.select(Comparison::Greater, [u, high, high, u]);
    graph.select(Comparison::Less, [u, low, low, below_high])
}

/// Returns the cotangents of `where(a >= b, u, v)`. Each entry of the cotangent goes to whichever
/// of `u` and `v` was selected; the compared values have none.
pub fn pull_back(graph: &mut Graph, op: Comparison, [a, b]: [Id; 2], y_bar: Id) -> Vec<Option<Id>> {
    let zero = graph.constant(0.0);
    let u_bar = graph.select(op, [a, b, y_bar, zero]);
    let v_bar = graph.select(op, [a, b, zero, y_bar]);
    vec![None, None, Some(u_bar), Some(v_bar)]
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, check_all, elementwise, slopes};

    pub fn cases() -> Vec<Case> {
        let comparison = |op: &str, holds: fn(&f64, &f64) -> bool| {
            let body = format!("y = where(u {op} v, w, z)");
            elementwise("where", &body, 4, (-2.0, 2.0), move |args| {
                if holds(&args[0], &args[1]) { args[2] } else { args[3] }
            })
        };
        [
            comparison("<", f64::lt),
            comparison("<=", f64::le),
            comparison(">", f64::gt),
            comparison(">=", f64::ge),
            comparison("==", f64::eq),
            comparison("!=", f64::ne),
            elementwise("clamp", "y = clamp(u, v, w)", 3, (-2.0, 2.0), |args| {
                if args[0] < args[1] { args[1] } else { args[0].min(args[2]) }
            }),
            elementwise("clamp", "y = clamp(u, -0.5, 0.7)", 1, (-2.0, 2.0), |args| args[0].clamp(-0.5, 0.7)),
        ]
        .concat()
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }

    #[test]
    fn derivatives_at_ties() {
        let taken = |op: &str| slopes(&format!("where(u {op} v, 3 * u, 5 * v)"), &[2.0, 2.0]);
        for op in ["<=", ">=", "=="] {
            assert_eq!(taken(op), [3.0, 0.0], "{op}");
        }
        for op in ["<", ">", "!="] {
            assert_eq!(taken(op), [0.0, 5.0], "{op}");
        }
        assert_eq!(slopes("clamp(u, -1, 1)", &[1.0]), [1.0]);
        assert_eq!(slopes("clamp(u, -1, 1)", &[-1.0]), [1.0]);
        assert_eq!(slopes("clamp(u, v, w)", &[3.0, -1.0, 2.0]), [0.0, 0.0, 1.0]);
    }

    /// The value that is not selected may be anything.
    #[test]
    fn the_unselected_value_has_no_effect() {
        assert_eq!(slopes("where(u > 0, ln(u), v)", &[-1.0, 2.0]), [0.0, 1.0]);
    }
}
