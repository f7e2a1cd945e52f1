//! The functions of the language, one file a family: shape rule, lowering, derivative, emission, test.
//!
//! To add one, write its file and add its row to [`TABLE`].

pub mod binary;
pub mod functions;
pub mod matmul;
pub mod unary;

/// How a function's result shape follows from its arguments'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeRule {
    /// Every argument broadcasts against the others; the result has the common shape.
    ElementWise,
    /// `where(a >= b, u, v)`: the comparison's two sides, `u` and `v` broadcast like element-wise arguments.
    Where,
    /// Any shape to a scalar: `sum`, `mean`.
    Reduce,
    /// `[n, s]` to `[n]`: `row_sum`.
    RowSum,
    /// A vector or a row `[1, s]` to its own shape; an optional mask has the same shape.
    Softmax,
    /// The first argument's shape; the others broadcast to it without enlarging it: `layer_norm`, `rms_norm`.
    Normalise,
    /// Its argument's shape: `stop_gradient`.
    Same,
}

/// One function of the language.
#[derive(Debug)]
pub struct Operation {
    pub name: &'static str,
    /// The least and the greatest number of arguments.
    pub arity: (usize, usize),
    /// For messages: `clamp(u, low, high)`.
    pub signature: &'static str,
    pub shape: ShapeRule,
}

/// The operation called `name`; `σ` is `sigmoid`.
pub fn find(name: &str) -> Option<&'static Operation> {
    let name = if name == "σ" { "sigmoid" } else { name };
    TABLE.iter().copied().find(|operation| operation.name == name)
}

/// Every name, for suggestions.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|operation| operation.name)
}

macro_rules! table {
    ($($name:ident $arity:expr, $signature:literal, $shape:ident;)*) => {
        const TABLE: &[&Operation] = &[$(&Operation {
            name: stringify!($name), arity: $arity, signature: $signature, shape: ShapeRule::$shape,
        }),*, WHERE];
    };
}

const WHERE: &Operation =
    &Operation { name: "where", arity: (3, 3), signature: "where(a >= b, u, v)", shape: ShapeRule::Where };

table! {
    sigmoid (1, 1), "sigmoid(u)", ElementWise;
    tanh (1, 1), "tanh(u)", ElementWise;
    relu (1, 1), "relu(u)", ElementWise;
    leaky_relu (1, 1), "leaky_relu(u)", ElementWise;
    elu (1, 1), "elu(u)", ElementWise;
    softplus (1, 1), "softplus(u)", ElementWise;
    silu (1, 1), "silu(u)", ElementWise;
    gelu (1, 1), "gelu(u)", ElementWise;
    hard_sigmoid (1, 1), "hard_sigmoid(u)", ElementWise;
    hard_tanh (1, 1), "hard_tanh(u)", ElementWise;
    exp (1, 1), "exp(u)", ElementWise;
    ln (1, 1), "ln(u)", ElementWise;
    sqrt (1, 1), "sqrt(u)", ElementWise;
    abs (1, 1), "abs(u)", ElementWise;
    square (1, 1), "square(u)", ElementWise;
    recip (1, 1), "recip(u)", ElementWise;
    pow (2, 2), "pow(u, p)", ElementWise;
    sin (1, 1), "sin(u)", ElementWise;
    cos (1, 1), "cos(u)", ElementWise;
    floor (1, 1), "floor(u)", ElementWise;
    sign (1, 1), "sign(u)", ElementWise;
    min (2, 2), "min(u, v)", ElementWise;
    max (2, 2), "max(u, v)", ElementWise;
    clamp (3, 3), "clamp(u, low, high)", ElementWise;
    stop_gradient (1, 1), "stop_gradient(u)", Same;
    sum (1, 1), "sum(u)", Reduce;
    mean (1, 1), "mean(u)", Reduce;
    row_sum (1, 1), "row_sum(u)", RowSum;
    softmax (1, 2), "softmax(e)` or `softmax(e, mask)", Softmax;
    layer_norm (3, 3), "layer_norm(u, gain, bias)", Normalise;
    rms_norm (2, 2), "rms_norm(u, gain)", Normalise;
}
