//! Functions of one argument that act element by element: derivative, emission, text.

use crate::ir::{Graph, Id};
use crate::syntax::ast::Comparison;
use proc_macro2::TokenStream;
use quote::quote;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    Neg,
    Sigmoid,
    Tanh,
    Exp,
    ExpM1,
    Ln,
    Sqrt,
    Abs,
    Recip,
    Sin,
    Cos,
    Floor,
    Sign,
    Softplus,
    /// The distribution function of the standard normal distribution: gelu(u) = u Φ(u).
    NormalCdf,
}

impl Unary {
    /// Dear enough to keep the result rather than to compute it again in the backward pass.
    pub fn is_dear(self) -> bool {
        !matches!(self, Unary::Neg | Unary::Abs | Unary::Sign)
    }

    /// The cotangent of the argument: `y = f(x)`, `y_bar` to `x_bar`. None where the derivative is zero.
    /// Written with `y` where that is cheaper than with `x`.
    pub fn pull_back(self, graph: &mut Graph, x: Id, y: Id, y_bar: Id) -> Option<Id> {
        let g = graph;
        Some(match self {
            Unary::Neg => g.neg(y_bar),
            Unary::Sigmoid => {
                let one = g.constant(1.0);
                let rest = g.sub(one, y);
                let slope = g.mul(y, rest);
                g.mul(y_bar, slope)
            }
            Unary::Tanh => {
                let one = g.constant(1.0);
                let square = g.mul(y, y);
                let slope = g.sub(one, square);
                g.mul(y_bar, slope)
            }
            Unary::Exp => g.mul(y_bar, y),
            Unary::ExpM1 => {
                let one = g.constant(1.0);
                let slope = g.add(y, one);
                g.mul(y_bar, slope)
            }
            Unary::Ln => g.div(y_bar, x),
            Unary::Sqrt => {
                let half = g.constant(0.5);
                let scaled = g.mul(half, y_bar);
                g.div(scaled, y)
            }
            Unary::Abs => {
                let sign = g.unary(Unary::Sign, x);
                g.mul(y_bar, sign)
            }
            Unary::Recip => {
                let square = g.mul(y, y);
                let slope = g.neg(square);
                g.mul(y_bar, slope)
            }
            Unary::Sin => {
                let slope = g.unary(Unary::Cos, x);
                g.mul(y_bar, slope)
            }
            Unary::Cos => {
                let sin = g.unary(Unary::Sin, x);
                let slope = g.neg(sin);
                g.mul(y_bar, slope)
            }
            Unary::Floor | Unary::Sign => return None,
            Unary::Softplus => {
                let slope = g.unary(Unary::Sigmoid, x);
                g.mul(y_bar, slope)
            }
            Unary::NormalCdf => {
                let square = g.mul(x, x);
                let minus_half = g.constant(-0.5);
                let exponent = g.mul(minus_half, square);
                let bell = g.unary(Unary::Exp, exponent);
                let scale = g.constant(0.398_942_280_401_432_7);
                let slope = g.mul(scale, bell);
                g.mul(y_bar, slope)
            }
        })
    }

    /// The value of a constant argument.
    pub fn fold(self, x: f64) -> Option<f64> {
        Some(match self {
            Unary::Neg => -x,
            Unary::Exp => x.exp(),
            Unary::ExpM1 => x.exp_m1(),
            Unary::Ln => x.ln(),
            Unary::Sqrt => x.sqrt(),
            Unary::Abs => x.abs(),
            Unary::Recip => 1.0 / x,
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Floor => x.floor(),
            Unary::Sign if x == 0.0 => 0.0,
            Unary::Sign if !x.is_nan() => x.signum(),
            Unary::Tanh => x.tanh(),
            Unary::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Unary::Sign | Unary::Softplus | Unary::NormalCdf => return None,
        })
    }

    fn kernel(self) -> &'static str {
        match self {
            Unary::Neg => "neg",
            Unary::Sigmoid => "sigmoid",
            Unary::Tanh => "tanh",
            Unary::Exp => "exp",
            Unary::ExpM1 => "exp_m1",
            Unary::Ln => "ln",
            Unary::Sqrt => "sqrt",
            Unary::Abs => "abs",
            Unary::Recip => "recip",
            Unary::Sin => "sin",
            Unary::Cos => "cos",
            Unary::Floor => "floor",
            Unary::Sign => "sign",
            Unary::Softplus => "softplus",
            Unary::NormalCdf => "normal_cdf",
        }
    }

    pub fn emit(self, kernels: &TokenStream, x: TokenStream) -> TokenStream {
        if self == Unary::Neg {
            return quote!((-#x));
        }
        let name = crate::emit::hygiene::local(self.kernel());
        quote!(#kernels::#name(isa, #x))
    }

    pub fn text(self, x: &str) -> String {
        match self {
            Unary::Neg => format!("-{x}"),
            _ => format!("{}({})", self.kernel(), crate::emit::text::bare(x)),
        }
    }
}

/// `max(u, 0)` with the derivative 0 at 0.
pub fn relu(graph: &mut Graph, u: Id) -> Id {
    let zero = graph.constant(0.0);
    graph.select(Comparison::Greater, [u, zero, u, zero])
}

/// The other activations, built from the primitive functions.
pub fn activation(graph: &mut Graph, name: &str, u: Id) -> Option<Id> {
    let g = graph;
    Some(match name {
        "sigmoid" => g.unary(Unary::Sigmoid, u),
        "tanh" => g.unary(Unary::Tanh, u),
        "exp" => g.unary(Unary::Exp, u),
        "ln" => g.unary(Unary::Ln, u),
        "sqrt" => g.unary(Unary::Sqrt, u),
        "abs" => g.unary(Unary::Abs, u),
        "recip" => g.unary(Unary::Recip, u),
        "sin" => g.unary(Unary::Sin, u),
        "cos" => g.unary(Unary::Cos, u),
        "floor" => g.unary(Unary::Floor, u),
        "sign" => g.unary(Unary::Sign, u),
        "softplus" => g.unary(Unary::Softplus, u),
        "square" => g.mul(u, u),
        "relu" => relu(g, u),
        "leaky_relu" => {
            let (zero, slope) = (g.constant(0.0), g.constant(0.01));
            let below = g.mul(slope, u);
            g.select(Comparison::Greater, [u, zero, u, below])
        }
        "elu" => {
            let zero = g.constant(0.0);
            // The exponential of a large positive argument would make 0 * inf of the branch not taken.
            let negative = g.select(Comparison::Greater, [u, zero, zero, u]);
            let below = g.unary(Unary::ExpM1, negative);
            g.select(Comparison::Greater, [u, zero, u, below])
        }
        "silu" => {
            let gate = g.unary(Unary::Sigmoid, u);
            g.mul(u, gate)
        }
        "gelu" => {
            let gate = g.unary(Unary::NormalCdf, u);
            g.mul(u, gate)
        }
        "hard_sigmoid" => {
            let (six, half) = (g.constant(6.0), g.constant(0.5));
            let scaled = g.div(u, six);
            let line = g.add(scaled, half);
            let (low, high) = (g.constant(0.0), g.constant(1.0));
            g.clamp(line, low, high)
        }
        "hard_tanh" => {
            let (low, high) = (g.constant(-1.0), g.constant(1.0));
            g.clamp(u, low, high)
        }
        _ => return None,
    })
}
