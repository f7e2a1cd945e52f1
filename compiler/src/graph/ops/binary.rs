//! Functions of two arguments that act element by element: derivative, emission, text.

use crate::graph::ir::{Binary, Comparison, Graph, Id, Unary};

impl Binary {
    /// Dear enough to keep the result rather than to compute it again in the backward pass.
    pub fn is_dear(self) -> bool {
        matches!(self, Binary::Pow | Binary::Div)
    }

    /// The cotangents of the arguments, at the shape and level of the result: `y = f(a, b)`.
    pub fn pull_back(self, graph: &mut Graph, a: Id, b: Id, y: Id, y_bar: Id) -> [Option<Id>; 2] {
        let g = graph;
        match self {
            Binary::Add => [Some(y_bar), Some(y_bar)],
            Binary::Sub => {
                let b_bar = g.neg(y_bar);
                [Some(y_bar), Some(b_bar)]
            }
            Binary::Mul => {
                let a_bar = g.mul(y_bar, b);
                let b_bar = g.mul(y_bar, a);
                [Some(a_bar), Some(b_bar)]
            }
            Binary::Div => {
                let a_bar = g.div(y_bar, b);
                let moved = g.mul(a_bar, y);
                let b_bar = g.neg(moved);
                [Some(a_bar), Some(b_bar)]
            }
            Binary::Pow => {
                let one = g.constant(1.0);
                let lower = g.sub(b, one);
                let power = g.binary(Binary::Pow, a, lower);
                let slope = g.mul(b, power);
                let a_bar = g.mul(y_bar, slope);
                let b_bar = (!g.is_constant(b)).then(|| {
                    // d/db a^b = a^b ln a, and 0 where a is not positive: a^b is constant in b at a = 0.
                    let zero = g.constant(0.0);
                    let one = g.constant(1.0);
                    let base = g.select(Comparison::Greater, [a, zero, a, one]);
                    let log = g.unary(Unary::Ln, base);
                    let slope = g.mul(y, log);
                    g.mul(y_bar, slope)
                });
                [Some(a_bar), b_bar]
            }
            Binary::Min | Binary::Max => {
                let chosen = if self == Binary::Max { Comparison::Greater } else { Comparison::Less };
                let (zero, half) = (g.constant(0.0), g.constant(0.5));
                let shared = g.mul(half, y_bar);
                let mut share = |x, other| {
                    let tie = g.select(Comparison::Equal, [x, other, shared, zero]);
                    g.select(chosen, [x, other, y_bar, tie])
                };
                let a_bar = share(a, b);
                let b_bar = share(b, a);
                [Some(a_bar), Some(b_bar)]
            }
        }
    }

    /// Returns the value for two constants, as `Unary::fold` does for one. Minimum and maximum
    /// follow the kernels: NaN if either argument is.
    pub fn fold(self, a: f64, b: f64) -> f64 {
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            Binary::Mul => a * b,
            Binary::Div => a / b,
            Binary::Pow => libm::pow(a, b),
            Binary::Min if a < b || a.is_nan() => a,
            Binary::Max if a > b || a.is_nan() => a,
            Binary::Min | Binary::Max => b,
        }
    }

    pub fn text(self, a: &str, b: &str) -> String {
        let bare = crate::graph::text::bare;
        match self {
            Binary::Add => format!("({a} + {b})"),
            Binary::Sub => format!("({a} - {b})"),
            Binary::Mul => format!("({a} * {b})"),
            Binary::Div => format!("({a} / {b})"),
            Binary::Pow => format!("pow({}, {})", bare(a), bare(b)),
            Binary::Min => format!("min({}, {})", bare(a), bare(b)),
            Binary::Max => format!("max({}, {})", bare(a), bare(b)),
        }
    }
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
            assert!(op.fold(f64::NAN, 1.0).is_nan() && op.fold(1.0, f64::NAN).is_nan(), "{op:?}");
        }
        assert_eq!((Binary::Min.fold(1.0, 2.0), Binary::Max.fold(1.0, 2.0)), (1.0, 2.0));
        assert_eq!((Binary::Min.fold(2.0, 1.0), Binary::Max.fold(2.0, 1.0)), (1.0, 2.0));
        // The same bits on every build machine.
        let power = |i| Binary::Pow.fold(f64::from(i) * 0.007, 2.3 - f64::from(i) * 0.002);
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
