//! Entry-wise choice between two values: `where`, `clamp`.

use super::operation::{Operation, ShapeRule, Translation};
use super::primitive::{Primitive, broadcasts, no_cotangent, nothing};
use crate::graph::ir::{Comparison, Condition, Graph, Id, Op};

/// `condition(a, b, ..) ? u : v`
pub const SELECT: Primitive = Primitive {
    arity: None,
    fits: |node, args| match &node.op {
        Op::Select(condition) => args.len() == condition.arity() + 2 && broadcasts(node, args),
        _ => false,
    },
    work: |_, node| match &node.op {
        Op::Select(condition) => {
            Some((condition.arity() as u64 / 2, vec![node.shape.rows, node.shape.columns]))
        }
        _ => None,
    },
    pull_back: |graph, y, y_bar, wanted| {
        let node = graph[y].clone();
        match (node.op, node.args.as_slice()) {
            (Op::Select(condition), [compared @ .., _, _]) => pull_back(graph, &condition, compared, y_bar),
            _ => vec![None; wanted.len()],
        }
    },
};

/// An argument that blocks its cotangent.
pub const STOP_GRADIENT: Primitive =
    Primitive { arity: Some(1), fits: broadcasts, work: nothing, pull_back: no_cotangent };

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::elementwise(
        "clamp",
        "clamp(u, low, high)",
        Translation::OfThree(clamp),
        "Limits `u` to the range from `low` to `high`. The derivative with respect to `u` is 1 at \
         the bounds and 0 beyond them.",
    ),
    Operation {
        name: "stop_gradient",
        doc: "Returns `u`, without passing a cotangent back to it.",
        arity: (1, 1),
        signature: "stop_gradient(u)",
        shape: ShapeRule::Same,
        translation: Translation::OfOne(Graph::stop_gradient),
    },
    Operation {
        name: "where",
        doc: "Returns `u` where the condition holds, `v` elsewhere, entry by entry. A condition is \
              a comparison (`<`, `<=`, `>`, `>=`, `==`, `!=`), or several with `and`, `or` and \
              `not`: `not` binds most tightly, then `and`, then `or`. Conditions are allowed \
              nowhere else. The compared values, `u` and `v` broadcast like the operands of `+`. \
              The compared values get no cotangent.",
        arity: (3, 3),
        signature: "where(a >= b, u, v)",
        shape: ShapeRule::Where,
        translation: Translation::Where,
    },
];

/// Returns `u`, limited to the range from `low` to `high`; its derivative is 1 at the bounds.
pub fn clamp(graph: &mut Graph, u: Id, low: Id, high: Id) -> Id {
    let below_high = graph.select(Comparison::Greater, &[u, high, high, u]);
    graph.select(Comparison::Less, &[u, low, low, below_high])
}

/// Returns the cotangents of the arguments of a selection. Each entry of the cotangent goes to
/// whichever of `u` and `v` was selected; the compared values have none.
pub fn pull_back(graph: &mut Graph, condition: &Condition, compared: &[Id], y_bar: Id) -> Vec<Option<Id>> {
    let zero = graph.constant(0.0);
    let mut bars = vec![None; compared.len()];
    for chosen in [[y_bar, zero], [zero, y_bar]] {
        bars.push(Some(graph.select(condition.clone(), &[compared, &chosen].concat())));
    }
    bars
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
            elementwise("where", "y = where(u > 0 and v < w, u * v, w)", 3, (-2.0, 2.0), |args| {
                if args[0] > 0.0 && args[1] < args[2] { args[0] * args[1] } else { args[2] }
            }),
            elementwise("where", "y = where(not u > v or w < 0.3 and z > u, w, z)", 4, (-2.0, 2.0), |args| {
                let [u, v, w, z] = args else { panic!("four arguments") };
                if u <= v || *w < 0.3 && z > u { *w } else { *z }
            }),
            elementwise(
                "where",
                "y = where(u > 0 and not (v > 0 or w > 0 and z < 1), u, z)",
                4,
                (-2.0, 2.0),
                |args| {
                    let [u, v, w, z] = args else { panic!("four arguments") };
                    if *u > 0.0 && *v <= 0.0 && (*w <= 0.0 || *z >= 1.0) { *u } else { *z }
                },
            ),
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

    /// A comparison with NaN is false, so its negation holds.
    #[test]
    fn conditions_of_nan() {
        for (condition, holds) in [
            ("u > 0", false),
            ("not u > 0", true),
            ("u <= 0 or v > 0", true),
            ("u == u and v > 0", false),
            ("not (u < 0 or u >= 0) and v > 0", true),
        ] {
            let expected = if holds { [0.0, 3.0] } else { [0.0, 5.0] };
            assert_eq!(
                slopes(&format!("where({condition}, 3 * v, 5 * v)"), &[f64::NAN, 2.0]),
                expected,
                "{condition}"
            );
        }
    }

    /// The value that is not selected may be anything.
    #[test]
    fn the_unselected_value_has_no_effect() {
        assert_eq!(slopes("where(u > 0, ln(u), v)", &[-1.0, 2.0]), [0.0, 1.0]);
    }
}
