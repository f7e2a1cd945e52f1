//! Element-wise functions of two arguments: their rows.

use super::operation::{Cost, Operation, Translation};
use super::primitive::{Primitive, broadcasts, each_entry};
use crate::graph::ir::{Binary, Comparison, Graph, Id, Op, Unary};

/// A function of two values in the graph.
pub const BINARY: Primitive = Primitive {
    arity: Some(2),
    fits: broadcasts,
    work: each_entry,
    pull_back: |graph, y, y_bar, wanted| match (&graph[y].op, graph[y].args.as_slice()) {
        (Op::Binary(op), &[a, b]) => {
            let [a_bar, b_bar] = (op.row().pull_back)(graph, [a, b], y, y_bar);
            vec![a_bar.filter(|_| wanted[0]), b_bar.filter(|_| wanted[1])]
        }
        _ => vec![None; 2],
    },
};

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::elementwise(
        "pow",
        "pow(u, p)",
        Translation::Binary(Binary::Pow),
        "Computes `u` to the power of `p`, entry by entry. The derivative with respect to `u` is \
         `p * pow(u, p - 1)`, the one with respect to `p` is `pow(u, p) * ln(u)`, or 0 where `u` \
         isn't positive.",
    ),
    Operation::elementwise(
        "min",
        "min(u, v)",
        Translation::Binary(Binary::Min),
        "Returns the smaller of the two, entry by entry. Where they are equal, each gets half of \
         the cotangent.",
    ),
    Operation::elementwise(
        "max",
        "max(u, v)",
        Translation::Binary(Binary::Max),
        "Returns the greater of the two, entry by entry. Where they are equal, each gets half of \
         the cotangent.",
    ),
];

/// A function from `[a, b]`, `y` and `y_bar` to `a_bar` and `b_bar`.
type PullBack = fn(&mut Graph, [Id; 2], Id, Id) -> [Option<Id>; 2];

/// The properties of a function of two values, `y = f(a, b)`.
#[derive(Debug)]
pub struct Row {
    /// The name in the language and of the kernel, or the symbol of the operator.
    pub name: &'static str,
    pub cost: Cost,
    /// Computes the value in double precision, as in the rows of functions of one value. Minimum
    /// and maximum agree with the kernels: they are NaN if either argument is.
    pub value: fn(f64, f64) -> f64,
    /// Returns the cotangents of the arguments, at the shape and level of the result.
    pub pull_back: PullBack,
}

impl Binary {
    pub const fn row(self) -> &'static Row {
        match self {
            Binary::Add => &Row {
                name: "+",
                cost: Cost::Low,
                value: |a, b| a + b,
                pull_back: |_, _, _, y_bar| [Some(y_bar), Some(y_bar)],
            },
            Binary::Sub => &Row {
                name: "-",
                cost: Cost::Low,
                value: |a, b| a - b,
                pull_back: |g, _, _, y_bar| [Some(y_bar), Some(g.neg(y_bar))],
            },
            Binary::Mul => &Row {
                name: "*",
                cost: Cost::Low,
                value: |a, b| a * b,
                pull_back: |g, [a, b], _, y_bar| [Some(g.mul(y_bar, b)), Some(g.mul(y_bar, a))],
            },
            Binary::Div => &Row { name: "/", cost: Cost::Medium, value: |a, b| a / b, pull_back: division },
            Binary::Pow => &Row { name: "pow", cost: Cost::High, value: libm::pow, pull_back: power },
            Binary::Min => &Row {
                name: "min",
                cost: Cost::Low,
                value: |a, b| if a < b || a.is_nan() { a } else { b },
                pull_back: |g, args, _, y_bar| choice(g, Comparison::Less, args, y_bar),
            },
            Binary::Max => &Row {
                name: "max",
                cost: Cost::Low,
                value: |a, b| if a > b || a.is_nan() { a } else { b },
                pull_back: |g, args, _, y_bar| choice(g, Comparison::Greater, args, y_bar),
            },
        }
    }

    /// Returns whether the function is written between its arguments.
    pub fn is_operator(self) -> bool {
        matches!(self, Binary::Add | Binary::Sub | Binary::Mul | Binary::Div)
    }
}

fn division(g: &mut Graph, [_, b]: [Id; 2], y: Id, y_bar: Id) -> [Option<Id>; 2] {
    let a_bar = g.div(y_bar, b);
    let moved = g.mul(a_bar, y);
    [Some(a_bar), Some(g.neg(moved))]
}

/// Computes d/da a^b = b a^(b-1) and d/db a^b = a^b ln a. The latter is 0 where a is not positive:
/// a^b is constant in b at a = 0.
fn power(g: &mut Graph, [a, b]: [Id; 2], y: Id, y_bar: Id) -> [Option<Id>; 2] {
    let one = g.constant(1.0);
    let lower = g.sub(b, one);
    let power = g.binary(Binary::Pow, a, lower);
    let slope = g.mul(b, power);
    let a_bar = g.mul(y_bar, slope);
    let b_bar = (!g.is_constant(b)).then(|| {
        let zero = g.constant(0.0);
        let one = g.constant(1.0);
        let base = g.select(Comparison::Greater, &[a, zero, a, one]);
        let log = g.unary(Unary::Ln, base);
        let slope = g.mul(y, log);
        g.mul(y_bar, slope)
    });
    [Some(a_bar), b_bar]
}

/// Gives the cotangent to the argument that was chosen; equal arguments share it.
fn choice(g: &mut Graph, chosen: Comparison, [a, b]: [Id; 2], y_bar: Id) -> [Option<Id>; 2] {
    let (zero, half) = (g.constant(0.0), g.constant(0.5));
    let shared = g.mul(half, y_bar);
    let mut share = |x, other| {
        let tie = g.select(Comparison::Equal, &[x, other, shared, zero]);
        Some(g.select(chosen, &[x, other, y_bar, tie]))
    };
    [share(a, b), share(b, a)]
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ir::Binary;
    use crate::graph::ops::tests::{Case, check_all, digest, elementwise, slopes};

    pub fn cases() -> Vec<Case> {
        let (near, positive) = ((-2.0, 2.0), (0.3, 2.0));
        let power = |exponent: &str, f: fn(f64) -> f64| {
            elementwise("pow", &format!("y = pow(u, {exponent})"), 1, positive, move |args| f(args[0]))
        };
        [
            elementwise("+", "y = u + v", 2, near, |args| args[0] + args[1]),
            elementwise("-", "y = u - v", 2, near, |args| args[0] - args[1]),
            elementwise("*", "y = u * v", 2, near, |args| args[0] * args[1]),
            elementwise("/", "y = u / v", 2, positive, |args| args[0] / args[1]),
            elementwise("min", "y = min(u, v)", 2, near, |args| args[0].min(args[1])),
            elementwise("max", "y = max(u, v)", 2, near, |args| args[0].max(args[1])),
            elementwise("pow", "y = pow(u, v)", 2, positive, |args| args[0].powf(args[1])),
            power("0", |_| 1.0),
            power("0.5", f64::sqrt),
            power("1", |u| u),
            power("2", |u| u * u),
            power("3", |u| u * u * u),
            power("-1", f64::recip),
            power("2.5", |u| u.powf(2.5)),
            elementwise("pow", "y = pow(1.5, u)", 1, near, |args| 1.5f64.powf(args[0])),
            elementwise("-", "y = u - -v - (-u + v)", 2, near, |args| 2.0 * args[0]),
            elementwise("/", "y = u / 4 + 3 / u", 1, positive, |args| args[0] / 4.0 + 3.0 / args[0]),
        ]
        .concat()
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }

    #[test]
    fn constants() {
        for op in [Binary::Min, Binary::Max] {
            assert!(
                (op.row().value)(f64::NAN, 1.0).is_nan() && (op.row().value)(1.0, f64::NAN).is_nan(),
                "{op:?}"
            );
        }
        assert_eq!(((Binary::Min.row().value)(1.0, 2.0), (Binary::Max.row().value)(1.0, 2.0)), (1.0, 2.0));
        assert_eq!(((Binary::Min.row().value)(2.0, 1.0), (Binary::Max.row().value)(2.0, 1.0)), (1.0, 2.0));
        // The bits must be the same on every build machine.
        let power = |i| (Binary::Pow.row().value)(f64::from(i) * 0.007, 2.3 - f64::from(i) * 0.002);
        assert_eq!(digest((1..2000).map(power)), 0x1e7c_7b9c_99ff_b306, "pow");
    }

    #[test]
    fn derivatives_at_kinks() {
        assert_eq!(slopes("max(u, v)", &[1.0, 1.0]), [0.5, 0.5]);
        assert_eq!(slopes("min(u, v)", &[1.0, 1.0]), [0.5, 0.5]);
        assert_eq!(slopes("max(u, u)", &[1.0]), [1.0]);
        assert_eq!(slopes("pow(u, v)", &[0.0, 2.0]), [0.0, 0.0]);
        assert_eq!(slopes("pow(u, 2)", &[0.0]), [0.0]);
        assert_eq!(slopes("pow(u, 0)", &[0.0]), [0.0]);
        assert_eq!(slopes("pow(u, 3)", &[-2.0]), [12.0]);
    }
}
