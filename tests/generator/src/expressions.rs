//! Random expressions of a given shape.
//!
//! Every expression has a bound on the magnitude of its values, so that finite differences stay
//! accurate over chains of equations. The arguments of `ln`, `sqrt`, `pow`, `recip` and of
//! divisions are positive by construction.

use super::definition::Builder;
use super::shapes::{Dim, Shape};

/// The precedence of the outermost operator of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Binding {
    Sum,
    /// A chain of only `*` and `/`.
    Product,
    /// A chain of only `@`.
    MatrixProduct,
    Negation,
    Atom,
}

/// A random expression.
#[derive(Debug, Clone)]
pub struct Expression {
    /// The source text.
    pub text: String,
    /// A bound on the magnitude of all entries.
    pub bound: f64,
    binding: Binding,
}

impl Expression {
    /// Returns a name, a number or a call.
    pub fn atom(text: impl Into<String>, bound: f64) -> Self {
        Self { text: text.into(), bound, binding: Binding::Atom }
    }

    /// Returns a chain of `@`.
    pub fn product(text: String, bound: f64) -> Self {
        Self { text, bound, binding: Binding::MatrixProduct }
    }

    /// Returns the text as an operand of `+` or `-`. A sum on the right side needs parentheses.
    fn term(&self, first: bool) -> String {
        if self.binding == Binding::Sum && !first { format!("({})", self.text) } else { self.text.clone() }
    }

    /// Returns the text as an operand of `*`, `/` or `@`. Mixtures of `@` and `*` get parentheses
    /// because they would be ambiguous.
    fn factor(&self, chain: Option<Binding>) -> String {
        if self.binding == Binding::Atom || chain == Some(self.binding) {
            self.text.clone()
        } else {
            format!("({})", self.text)
        }
    }
}

const ANY: [&str; 13] = [
    "sigmoid",
    "tanh",
    "silu",
    "gelu",
    "elu",
    "softplus",
    "square",
    "sin",
    "cos",
    "relu",
    "leaky_relu",
    "hard_tanh",
    "abs",
];

impl Builder {
    /// Returns an expression of `shape` with a nesting of at most `depth` operators.
    pub fn expression(&mut self, shape: &Shape, depth: usize) -> Expression {
        if depth == 0 || self.random.chance(12) {
            return self.leaf(shape);
        }
        match self.random.below(10) {
            0..=2 => self.function(shape, depth),
            3..=5 => self.arithmetic(shape, depth),
            6 => self.choice(shape, depth),
            _ => self.structure(shape, depth),
        }
    }

    /// Returns an expression with values of at most about 3, for the right side of an equation.
    pub fn tame(&mut self, shape: &Shape, depth: usize) -> Expression {
        let value = self.expression(shape, depth);
        if value.bound <= 3.0 {
            value
        } else if self.random.chance(50) {
            Expression::atom(format!("tanh({})", value.text), 1.0)
        } else {
            let factor = 1.0 / (1.0 + value.bound.log2().floor()).exp2();
            let text = format!("{factor} * {}", value.factor(Some(Binding::Product)));
            Expression { text, bound: value.bound * factor, binding: Binding::Product }
        }
    }

    fn small(&mut self, shape: &Shape, depth: usize) -> Expression {
        let value = self.expression(shape, depth);
        if value.bound <= 2.0 { value } else { Expression::atom(format!("tanh({})", value.text), 1.0) }
    }

    /// Returns an expression with values of at least 0.5.
    fn positive(&mut self, shape: &Shape, depth: usize) -> Expression {
        let value = self.small(shape, depth);
        let text = match self.random.below(3) {
            0 => format!("0.5 + square({})", value.text),
            1 => format!("1 + exp({})", value.text),
            _ => format!("0.75 + abs({})", value.text),
        };
        Expression { text, bound: 1.0 + value.bound.exp().max(4.0), binding: Binding::Sum }
    }

    fn function(&mut self, shape: &Shape, depth: usize) -> Expression {
        match self.random.below(20) {
            0 => {
                let value = self.small(shape, depth - 1);
                Expression::atom(format!("exp({})", value.text), value.bound.exp())
            }
            1 => {
                let value = self.positive(shape, depth - 1);
                Expression::atom(format!("ln({})", value.text), value.bound.ln().max(0.7))
            }
            2 => {
                let value = self.positive(shape, depth - 1);
                Expression::atom(format!("sqrt({})", value.text), value.bound.sqrt())
            }
            3 => {
                let value = self.positive(shape, depth - 1);
                Expression::atom(format!("recip({})", value.text), 2.0)
            }
            4 => {
                let base = self.positive(shape, depth - 1);
                let exponent = if self.random.chance(50) {
                    Expression::atom(*self.random.pick(&["2", "1.5", "-1", "0.5"]), 2.0)
                } else {
                    self.small(shape, 0)
                };
                let bound = base.bound.max(2.0).powf(exponent.bound);
                Expression::atom(format!("pow({}, {})", base.text, exponent.text), bound)
            }
            5 => {
                let value = self.expression(shape, depth - 1);
                Expression::atom(format!("hard_sigmoid({})", value.text), 1.0)
            }
            6 => {
                // The derivatives are zero, and jumps are rare.
                let value = self.small(shape, depth - 1);
                let function = *self.random.pick(&["floor", "sign"]);
                Expression::atom(format!("{function}({})", value.text), value.bound + 1.0)
            }
            7 if !shape.is_row() && shape.is_vector() => {
                let value = self.small(shape, depth - 1);
                let gain = self.parameter(shape);
                if self.random.chance(50) {
                    let shift = self.parameter(shape);
                    // With so few entries, a normalised entry is at most 2.5.
                    let bound = 2.5 * gain.bound + shift.bound;
                    let text = format!("layer_norm({}, {}, {})", value.text, gain.text, shift.text);
                    Expression::atom(text, bound)
                } else {
                    Expression::atom(format!("rms_norm({}, {})", value.text, gain.text), 2.5 * gain.bound)
                }
            }
            8 | 9 if !shape.is_scalar() && (shape.is_row() || shape.is_vector()) => {
                let value = self.small(shape, depth - 1);
                let text = if self.reads_past && *shape == Shape::row(Dim::of("S")) && self.random.chance(90)
                {
                    format!("softmax({}, present(S))", value.text)
                } else if self.random.chance(40) {
                    let is_turned = self.random.chance(30);
                    let mask = self.leaf(&if is_turned { shape.transposed() } else { shape.clone() });
                    format!("softmax({}, where({} > 0.2, 1, 0))", value.text, mask.text)
                } else {
                    format!("softmax({})", value.text)
                };
                Expression::atom(text, 1.0)
            }
            10 | 11 => self.user_call(shape, depth),
            _ => {
                let value = self.expression(shape, depth - 1);
                let value = if value.bound > 6.0 { self.small(shape, depth - 1) } else { value };
                let name = *self.random.pick(&ANY);
                let bound = match name {
                    "sigmoid" | "tanh" | "sin" | "cos" | "hard_tanh" => 1.0,
                    "square" => value.bound * value.bound,
                    "softplus" => value.bound + 0.7,
                    _ => value.bound.max(1.0),
                };
                Expression::atom(format!("{name}({})", value.text), bound)
            }
        }
    }

    fn user_call(&mut self, shape: &Shape, depth: usize) -> Expression {
        let first = self.small(shape, depth - 1);
        if self.random.chance(50) {
            Expression::atom(format!("swish({})", first.text), first.bound)
        } else {
            let second = self.small(shape, 0);
            let third = self.small(&Shape::scalar(), 0);
            let text = format!("blend({}, {}, {})", third.text, first.text, second.text);
            Expression::atom(text, 2.0 * first.bound.max(second.bound))
        }
    }

    /// Returns an expression that can be broadcast to `shape`: of the same shape, a scalar, or a
    /// column or row of a matrix.
    fn broadcastable(&mut self, shape: &Shape, depth: usize) -> Expression {
        let is_matrix = !shape.is_row() && !shape.is_vector();
        match self.random.below(6) {
            0 if !shape.is_scalar() => self.expression(&Shape::scalar(), depth.min(1)),
            1 if is_matrix => self.expression(&Shape::vector(shape.rows.clone()), depth.min(1)),
            2 if is_matrix => self.expression(&Shape::row(shape.columns.clone()), depth.min(1)),
            3 => Expression::atom(*self.random.pick(&["0.5", "1/3", "2", "1e-1", "0.75"]), 2.0),
            _ => self.expression(shape, depth),
        }
    }

    fn arithmetic(&mut self, shape: &Shape, depth: usize) -> Expression {
        let mut left = self.expression(shape, depth - 1);
        let mut right = self.broadcastable(shape, depth - 1);
        match self.random.below(9) {
            0..=2 => {
                if self.random.chance(50) {
                    std::mem::swap(&mut left, &mut right);
                }
                let text = format!("{} + {}", left.term(true), right.term(false));
                Expression { text, bound: left.bound + right.bound, binding: Binding::Sum }
            }
            3 | 4 => {
                let text = format!("{} - {}", left.term(true), right.term(false));
                Expression { text, bound: left.bound + right.bound, binding: Binding::Sum }
            }
            5 | 6 => {
                if self.random.chance(50) {
                    std::mem::swap(&mut left, &mut right);
                }
                let text = format!("{} * {}", left.factor(Some(Binding::Product)), right.factor(None));
                Expression { text, bound: left.bound * right.bound, binding: Binding::Product }
            }
            7 => {
                let divisor = self.positive(shape, 1);
                let text = format!("{} / ({})", left.factor(Some(Binding::Product)), divisor.text);
                Expression { text, bound: 2.0 * left.bound, binding: Binding::Product }
            }
            _ => Expression {
                text: format!("-{}", left.factor(None)),
                bound: left.bound,
                binding: Binding::Negation,
            },
        }
    }

    /// Returns a `where`, `clamp`, `min` or `max`.
    fn choice(&mut self, shape: &Shape, depth: usize) -> Expression {
        let u = self.expression(shape, depth - 1);
        let v = self.broadcastable(shape, 0);
        let bound = u.bound.max(v.bound);
        match self.random.below(4) {
            0 => Expression::atom(format!("max({}, {})", u.text, v.text), bound),
            1 => Expression::atom(format!("min({}, {})", u.text, v.text), bound),
            2 => Expression::atom(format!("clamp({}, -0.8, 1.1)", u.text), 1.1),
            _ => {
                let condition = self.condition(shape, 2);
                Expression::atom(format!("where({condition}, {}, {})", u.text, v.text), bound)
            }
        }
    }

    /// Returns a condition on values that can be broadcast to `shape`, with at most `depth` nested
    /// operators.
    fn condition(&mut self, shape: &Shape, depth: usize) -> String {
        if depth > 0 && self.random.chance(40) {
            let left = self.condition(shape, depth - 1);
            return match self.random.below(5) {
                0 => format!("not ({left})"),
                1 => format!("{left} and {}", self.condition(shape, depth - 1)),
                2 => format!("{left} or {}", self.condition(shape, depth - 1)),
                3 => format!("({left}) and not ({})", self.condition(shape, depth - 1)),
                _ => format!("({left} or {}) and ({left})", self.condition(shape, depth - 1)),
            };
        }
        let comparison = *self.random.pick(&["<", "<=", ">", ">="]);
        let a = if self.random.chance(60) { self.leaf(shape) } else { self.broadcastable(shape, 0) };
        let b = self.broadcastable(shape, 0);
        format!("{} {comparison} {}", a.text, b.text)
    }

    /// Returns an expression of values of other shapes: a product, transpose, reduction or stack.
    fn structure(&mut self, shape: &Shape, depth: usize) -> Expression {
        if shape.is_scalar() {
            let other = self.any_shape();
            let u = self.expression(&other, depth - 1);
            return match self.random.below(4) {
                0 => Expression::atom(format!("sum({})", u.text), u.bound * 12.0),
                1 => {
                    let vector = self.any_vector();
                    let (u, v) = (self.leaf(&vector), self.small(&vector, depth - 1));
                    let text = format!("{}.T @ {}", u.factor(None), v.factor(None));
                    Expression { text, bound: 6.0 * u.bound * v.bound, binding: Binding::MatrixProduct }
                }
                _ => Expression::atom(format!("mean({})", u.text), u.bound),
            };
        }
        if shape.rows.terms().len() > 1 && self.random.chance(60) {
            return self.stack(shape, depth);
        }
        if self.reads_past && shape.columns == Dim::of("S") && self.random.chance(40) {
            let u = self.expression(&Shape::vector(shape.rows.clone()), depth - 1);
            let spacing = *self.random.pick(&["", ", 2", ", S"]);
            return Expression::atom(format!("window({}, S{spacing})", u.text), u.bound);
        }
        let inner = self.any_dim();
        match self.random.below(7) {
            0 if shape.is_vector() => {
                let matrix = Shape::matrix(shape.rows.clone(), inner);
                let u = self.expression(&matrix, depth - 1);
                Expression::atom(format!("row_sum({})", u.text), 5.0 * u.bound)
            }
            1 if self.reads_past && shape.is_vector() => {
                let u = self.expression(shape, depth - 1);
                Expression::atom(format!("row_sum(window({}, 3))", u.text), 3.0 * u.bound)
            }
            1 => {
                let u = self.expression(&shape.transposed(), depth - 1);
                Expression::atom(format!("{}.T", u.factor(None)), u.bound)
            }
            2 if !shape.is_vector() && !shape.is_row() => {
                let u = self.small(&Shape::vector(shape.rows.clone()), depth - 1);
                let v = self.small(&Shape::vector(shape.columns.clone()), 0);
                let text = format!("{} @ {}.T", u.factor(Some(Binding::MatrixProduct)), v.factor(None));
                Expression { text, bound: u.bound * v.bound, binding: Binding::MatrixProduct }
            }
            3 => {
                let left = self.small(&Shape::matrix(shape.rows.clone(), inner.clone()), depth - 1);
                let right = self.small(&Shape::matrix(inner, shape.columns.clone()), depth - 1);
                let text = format!("{} @ {}", left.factor(Some(Binding::MatrixProduct)), right.factor(None));
                Expression { text, bound: 5.0 * left.bound * right.bound, binding: Binding::MatrixProduct }
            }
            _ => {
                let weights = self.parameter(&Shape::matrix(shape.rows.clone(), inner.clone()));
                let right = self.small(&Shape::matrix(inner, shape.columns.clone()), depth - 1);
                let text = format!("{} @ {}", weights.text, right.factor(None));
                Expression { text, bound: 5.0 * weights.bound * right.bound, binding: Binding::MatrixProduct }
            }
        }
    }

    fn stack(&mut self, shape: &Shape, depth: usize) -> Expression {
        let mut bound: f64 = 0.0;
        let mut parts = Vec::new();
        for term in shape.rows.terms() {
            let rows = Dim::of(term);
            // In a stack of matrices, a vector is repeated in every column.
            let repeats = !shape.is_vector() && !parts.is_empty() && self.random.chance(30);
            let part = Shape::matrix(rows, if repeats { Dim::one() } else { shape.columns.clone() });
            let part = self.expression(&part, depth - 1);
            bound = bound.max(part.bound);
            parts.push(part.text);
        }
        Expression::atom(format!("[{}]", parts.join(", ")), bound)
    }
}
