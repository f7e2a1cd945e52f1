//! Activations that are composed of other functions, as are their derivatives.

use super::operation::{Operation, Translation};
use crate::graph::ir::{Comparison, Graph, Id, Unary};
use crate::graph::ops::choice::clamp;

/// The functions of the language in this family.
pub const TABLE: &[Operation] = &[
    Operation::elementwise(
        "relu",
        "relu(u)",
        Translation::OfOne(relu),
        "Returns `u` where it is positive, 0 elsewhere. The derivative at 0 is 0.",
    ),
    Operation::elementwise(
        "leaky_relu",
        "leaky_relu(u)",
        Translation::OfOne(leaky_relu),
        "Returns `u` where it is positive, `0.01 * u` elsewhere. The derivative at 0 is 0.01.",
    ),
    Operation::elementwise(
        "elu",
        "elu(u)",
        Translation::OfOne(elu),
        "Returns `u` where it is positive, `exp(u) - 1` elsewhere (α = 1). The derivative at 0 is \
         1.",
    ),
    Operation::elementwise(
        "silu",
        "silu(u)",
        Translation::OfOne(silu),
        "Computes `u * sigmoid(u)`, also called swish.",
    ),
    Operation::elementwise(
        "gelu",
        "gelu(u)",
        Translation::OfOne(gelu),
        "Computes `u * Φ(u)`, exactly, with `Φ` the distribution function of the standard normal \
         distribution.",
    ),
    Operation::elementwise(
        "hard_sigmoid",
        "hard_sigmoid(u)",
        Translation::OfOne(hard_sigmoid),
        "Computes `u / 6 + 1 / 2`, limited to the range from 0 to 1. The derivative at the bounds, \
         `u = ±3`, is 1/6.",
    ),
    Operation::elementwise(
        "hard_tanh",
        "hard_tanh(u)",
        Translation::OfOne(hard_tanh),
        "Limits `u` to the range from -1 to 1. The derivative at the bounds is 1.",
    ),
    Operation::elementwise(
        "square",
        "square(u)",
        Translation::OfOne(square),
        "Computes `u * u`. The derivative is `2 * u`.",
    ),
];

/// Returns `u` where it is positive, `below` elsewhere. At 0 the derivative is that of `below`.
fn positive_or(g: &mut Graph, u: Id, below: Id) -> Id {
    let zero = g.constant(0.0);
    g.select(Comparison::Greater, &[u, zero, u, below])
}

/// Returns `max(u, 0)`; its derivative at 0 is 0.
pub fn relu(g: &mut Graph, u: Id) -> Id {
    let zero = g.constant(0.0);
    positive_or(g, u, zero)
}

pub fn leaky_relu(g: &mut Graph, u: Id) -> Id {
    let slope = g.constant(0.01);
    let below = g.mul(slope, u);
    positive_or(g, u, below)
}

/// Returns `exp(u) - 1` where `u` is negative, `u` elsewhere.
pub fn elu(g: &mut Graph, u: Id) -> Id {
    let zero = g.constant(0.0);
    // Without this, the exponential of a large positive argument would give 0 * inf in the branch
    // that is not taken.
    let negative = g.select(Comparison::Greater, &[u, zero, zero, u]);
    let below = g.unary(Unary::ExpM1, negative);
    positive_or(g, u, below)
}

/// Returns `u sigmoid(u)` (Elfwing et al. 2018).
pub fn silu(g: &mut Graph, u: Id) -> Id {
    let gate = g.unary(Unary::Sigmoid, u);
    g.mul(u, gate)
}

/// Returns `u Φ(u)`, without an approximation (Hendrycks & Gimpel 2016).
pub fn gelu(g: &mut Graph, u: Id) -> Id {
    let gate = g.unary(Unary::NormalCdf, u);
    g.mul(u, gate)
}

/// Returns `u / 6 + 1/2`, clamped to between 0 and 1.
pub fn hard_sigmoid(g: &mut Graph, u: Id) -> Id {
    let (six, half) = (g.constant(6.0), g.constant(0.5));
    let scaled = g.div(u, six);
    let line = g.add(scaled, half);
    let (low, high) = (g.constant(0.0), g.constant(1.0));
    clamp(g, line, low, high)
}

/// Returns `u`, clamped to between -1 and 1.
pub fn hard_tanh(g: &mut Graph, u: Id) -> Id {
    let (low, high) = (g.constant(-1.0), g.constant(1.0));
    clamp(g, u, low, high)
}

pub fn square(g: &mut Graph, u: Id) -> Id {
    g.mul(u, u)
}

#[cfg(test)]
pub mod tests {
    use crate::graph::ops::tests::{Case, check_all, elementwise, slopes};
    use crate::testing::normal_cdf;

    pub fn cases() -> Vec<Case> {
        let of_one = |name, f: fn(f64) -> f64| {
            elementwise(name, &format!("y = {name}(u)"), 1, (-3.0, 3.0), move |args| f(args[0]))
        };
        [
            of_one("relu", |u| u.max(0.0)),
            of_one("leaky_relu", |u| if u > 0.0 { u } else { 0.01 * u }),
            of_one("elu", |u| if u > 0.0 { u } else { u.exp() - 1.0 }),
            of_one("silu", |u| u / (1.0 + (-u).exp())),
            of_one("gelu", |u| u * normal_cdf(u)),
            of_one("hard_sigmoid", |u| (u / 6.0 + 0.5).clamp(0.0, 1.0)),
            of_one("hard_tanh", |u| u.clamp(-1.0, 1.0)),
            of_one("square", |u| u * u),
        ]
        .concat()
    }

    #[test]
    fn values_and_derivatives() {
        check_all(&cases());
    }

    #[test]
    fn derivatives_at_kinks() {
        assert_eq!(slopes("relu(u)", &[0.0]), [0.0]);
        assert_eq!(slopes("leaky_relu(u)", &[0.0]), [0.01]);
        assert_eq!(slopes("elu(u)", &[0.0]), [1.0]);
        assert_eq!(slopes("hard_tanh(u)", &[1.0]), [1.0]);
        assert_eq!(slopes("hard_tanh(u)", &[-1.0]), [1.0]);
        assert_eq!(slopes("hard_sigmoid(u)", &[3.0]), [1.0 / 6.0]);
        assert_eq!(slopes("hard_sigmoid(u)", &[-3.0]), [1.0 / 6.0]);
        assert_eq!(slopes("hard_sigmoid(u)", &[-3.1]), [0.0]);
    }

    /// The branch that is not taken must not affect the result.
    #[test]
    fn large_arguments() {
        assert_eq!(slopes("elu(u)", &[1e4]), [1.0]);
        assert_eq!(slopes("elu(u)", &[-1e4]), [0.0]);
        assert_eq!(slopes("silu(u)", &[1e4]), [1.0]);
        assert_eq!(slopes("silu(u)", &[-1e4]), [0.0]);
    }
}
