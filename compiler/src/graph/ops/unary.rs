//! Element-wise functions of one argument: their rows.

use super::operation::{Cost, Operation, Translation};
use super::primitive::{Primitive, broadcasts, each_entry};
use crate::graph::ir::{Graph, Id, Op, Unary};

/// A function of one value in the graph.
pub const UNARY: Primitive = Primitive {
    arity: Some(1),
    fits: broadcasts,
    work: each_entry,
    pull_back: |graph, y, y_bar, _| match (&graph[y].op, graph[y].args.as_slice()) {
        (Op::Unary(op), &[x]) => vec![(op.row().pull_back)(graph, x, y, y_bar)],
        _ => vec![None],
    },
};

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::elementwise(
        "sigmoid",
        "sigmoid(u)",
        Translation::Unary(Unary::Sigmoid),
        "Computes the logistic function, `1 / (1 + exp(-u))`. With `y` as its value, the \
         derivative is `y * (1 - y)`. Also written `σ`.",
    ),
    Operation::elementwise(
        "tanh",
        "tanh(u)",
        Translation::Unary(Unary::Tanh),
        "Computes the hyperbolic tangent. With `y` as its value, the derivative is `1 - y * y`.",
    ),
    Operation::elementwise(
        "softplus",
        "softplus(u)",
        Translation::Unary(Unary::Softplus),
        "Computes `ln(1 + exp(u))`. The derivative is `sigmoid(u)`.",
    ),
    Operation::elementwise(
        "exp",
        "exp(u)",
        Translation::Unary(Unary::Exp),
        "Computes the exponential, which is its own derivative.",
    ),
    Operation::elementwise(
        "ln",
        "ln(u)",
        Translation::Unary(Unary::Ln),
        "Computes the natural logarithm. The derivative is `1 / u`.",
    ),
    Operation::elementwise(
        "sqrt",
        "sqrt(u)",
        Translation::Unary(Unary::Sqrt),
        "Computes the square root. With `y` as its value, the derivative is `1 / (2 * y)`.",
    ),
    Operation::elementwise(
        "abs",
        "abs(u)",
        Translation::Unary(Unary::Abs),
        "Computes the absolute value. The derivative is `sign(u)`, which is 0 at 0.",
    ),
    Operation::elementwise(
        "recip",
        "recip(u)",
        Translation::Unary(Unary::Recip),
        "Computes `1 / u`. With `y` as its value, the derivative is `-y * y`.",
    ),
    Operation::elementwise(
        "sin",
        "sin(u)",
        Translation::Unary(Unary::Sin),
        "Computes the sine. The derivative is `cos(u)`.",
    ),
    Operation::elementwise(
        "cos",
        "cos(u)",
        Translation::Unary(Unary::Cos),
        "Computes the cosine. The derivative is `-sin(u)`.",
    ),
    Operation::elementwise(
        "floor",
        "floor(u)",
        Translation::Unary(Unary::Floor),
        "Returns the greatest integer not above `u`. The derivative is 0.",
    ),
    Operation::elementwise(
        "sign",
        "sign(u)",
        Translation::Unary(Unary::Sign),
        "Returns the sign: -1, 0 or 1. The derivative is 0.",
    ),
];

/// The properties of a function of one value, `y = f(x)`.
#[derive(Debug)]
pub struct Row {
    /// The name in the language and of the kernel, or the symbol of the operator.
    pub name: &'static str,
    pub cost: Cost,
    /// Computes the value in double precision, for constant folding and in the interpreter.
    ///
    /// Functions that IEEE 754 does not define exactly come from the crate `libm`. With the
    /// functions of the build machine, a cell would depend on where it was compiled. The results of
    /// the kernels can differ in the last bits.
    pub value: fn(f64) -> f64,
    /// Computes `x_bar` from `x`, `y` and `y_bar`. Returns `None` if the derivative is zero. The
    /// rule uses `y` where that is cheaper than `x`.
    pub pull_back: fn(&mut Graph, Id, Id, Id) -> Option<Id>,
}

impl Unary {
    pub const fn row(self) -> &'static Row {
        match self {
            Unary::Neg => &Row {
                name: "-",
                cost: Cost::Low,
                value: |x| -x,
                pull_back: |g, _, _, y_bar| Some(g.neg(y_bar)),
            },
            Unary::Sigmoid => &Row {
                name: "sigmoid",
                cost: Cost::High,
                value: |x| 1.0 / (1.0 + libm::exp(-x)),
                pull_back: |g, _, y, y_bar| {
                    let one = g.constant(1.0);
                    let rest = g.sub(one, y);
                    let slope = g.mul(y, rest);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::Tanh => &Row {
                name: "tanh",
                cost: Cost::High,
                value: libm::tanh,
                pull_back: |g, _, y, y_bar| {
                    let one = g.constant(1.0);
                    let square = g.mul(y, y);
                    let slope = g.sub(one, square);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::Exp => &Row {
                name: "exp",
                cost: Cost::High,
                value: libm::exp,
                pull_back: |g, _, y, y_bar| Some(g.mul(y_bar, y)),
            },
            Unary::ExpM1 => &Row {
                name: "exp_m1",
                cost: Cost::High,
                value: libm::expm1,
                pull_back: |g, _, y, y_bar| {
                    let one = g.constant(1.0);
                    let slope = g.add(y, one);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::Ln => &Row {
                name: "ln",
                cost: Cost::High,
                value: libm::log,
                pull_back: |g, x, _, y_bar| Some(g.div(y_bar, x)),
            },
            Unary::Sqrt => &Row {
                name: "sqrt",
                cost: Cost::High,
                value: f64::sqrt,
                pull_back: |g, _, y, y_bar| {
                    let half = g.constant(0.5);
                    let scaled = g.mul(half, y_bar);
                    Some(g.div(scaled, y))
                },
            },
            Unary::Abs => &Row {
                name: "abs",
                cost: Cost::Low,
                value: f64::abs,
                pull_back: |g, x, _, y_bar| {
                    let sign = g.unary(Unary::Sign, x);
                    Some(g.mul(y_bar, sign))
                },
            },
            Unary::Recip => &Row {
                name: "recip",
                cost: Cost::High,
                value: |x| 1.0 / x,
                pull_back: |g, _, y, y_bar| {
                    let square = g.mul(y, y);
                    let slope = g.neg(square);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::Sin => &Row {
                name: "sin",
                cost: Cost::High,
                value: libm::sin,
                pull_back: |g, x, _, y_bar| {
                    let slope = g.unary(Unary::Cos, x);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::Cos => &Row {
                name: "cos",
                cost: Cost::High,
                value: libm::cos,
                pull_back: |g, x, _, y_bar| {
                    let sin = g.unary(Unary::Sin, x);
                    let slope = g.neg(sin);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::Floor => {
                &Row { name: "floor", cost: Cost::High, value: f64::floor, pull_back: |_, _, _, _| None }
            }
            Unary::Sign => &Row {
                name: "sign",
                cost: Cost::Low,
                value: |x| if x == 0.0 { 0.0 } else { x.signum() },
                pull_back: |_, _, _, _| None,
            },
            Unary::Softplus => &Row {
                name: "softplus",
                cost: Cost::High,
                value: |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
                pull_back: |g, x, _, y_bar| {
                    let slope = g.unary(Unary::Sigmoid, x);
                    Some(g.mul(y_bar, slope))
                },
            },
            Unary::NormalCdf => &Row {
                name: "normal_cdf",
                cost: Cost::High,
                value: |x| 0.5 * libm::erfc(-x * core::f64::consts::FRAC_1_SQRT_2),
                pull_back: |g, x, _, y_bar| {
                    let square = g.mul(x, x);
                    let minus_half = g.constant(-0.5);
                    let exponent = g.mul(minus_half, square);
                    let bell = g.unary(Unary::Exp, exponent);
                    let scale = g.constant(0.398_942_280_401_432_7);
                    let slope = g.mul(scale, bell);
                    Some(g.mul(y_bar, slope))
                },
            },
        }
    }
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ir::Unary;
    use crate::graph::ops::tests::{Case, check_all, digest, elementwise, slopes};

    pub fn cases() -> Vec<Case> {
        let of_one = |name, range, f: fn(f64) -> f64| {
            elementwise(name, &format!("y = {name}(u)"), 1, range, move |args| f(args[0]))
        };
        let near = (-3.0, 3.0);
        [
            elementwise("neg", "y = -u", 1, near, |args| -args[0]),
            of_one("sigmoid", near, |u| 1.0 / (1.0 + (-u).exp())),
            of_one("tanh", near, |u| u.sinh() / u.cosh()),
            of_one("exp", near, f64::exp),
            of_one("ln", (0.1, 3.0), f64::ln),
            of_one("sqrt", (0.1, 3.0), f64::sqrt),
            of_one("abs", near, f64::abs),
            of_one("recip", (0.2, 3.0), |u| 1.0 / u),
            of_one("sin", near, f64::sin),
            of_one("cos", near, f64::cos),
            of_one("floor", near, f64::floor),
            of_one("sign", near, f64::signum),
            of_one("softplus", near, |u| (1.0 + u.exp()).ln()),
        ]
        .concat()
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }

    #[test]
    fn derivatives_at_kinks() {
        assert_eq!(slopes("abs(u)", &[0.0]), [0.0]);
        assert_eq!(slopes("sign(u)", &[0.0]), [0.0]);
        assert_eq!(slopes("floor(u)", &[1.0]), [0.0]);
    }

    /// The bits of folded constants must be the same on every build machine. The recorded digests
    /// are those of `libm` 0.2.16.
    #[test]
    fn constants_have_the_same_bits_everywhere() {
        let of = |op: Unary| digest((1..2000).map(|i| (op.row().value)(f64::from(i) * 0.007)));
        assert_eq!(of(Unary::Exp), 0xab70_cf8f_a8fc_170d, "exp");
        assert_eq!(of(Unary::ExpM1), 0x007f_c901_f6b9_e235, "exp_m1");
        assert_eq!(of(Unary::Ln), 0x85d9_9d72_5600_5f63, "ln");
        assert_eq!(of(Unary::Sin), 0xf722_2176_e8c1_433a, "sin");
        assert_eq!(of(Unary::Cos), 0xa93f_3ab7_a6ce_0591, "cos");
        assert_eq!(of(Unary::Tanh), 0xd523_1541_72e7_90f6, "tanh");
        assert_eq!(of(Unary::Sigmoid), 0x5e74_bbd9_9522_dc55, "sigmoid");
    }
}
