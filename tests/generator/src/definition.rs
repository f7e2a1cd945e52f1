//! Random definitions: declarations, equations, and the pool of values that expressions use.

use super::Random;
use super::expressions::Expression;
use super::shapes::{Dim, Shape};

/// A value that expressions can read.
#[derive(Debug, Clone)]
struct Value {
    /// The text of a reference to the value, such as `h[t-1]` or `e3`.
    text: String,
    shape: Shape,
    bound: f64,
    used: bool,
}

/// A random definition.
#[derive(Debug, Clone)]
pub struct Definition {
    /// The name of the cell.
    pub name: String,
    /// The names and values of the dimensions.
    pub dimensions: Vec<(&'static str, usize)>,
    /// The number of inputs.
    pub inputs: usize,
    /// The names of the inputs that are indices below 5.
    pub indices: Vec<&'static str>,
    /// The number of equations.
    pub equations: usize,
    /// The text of the definition, `pub cell Name<..> { .. }`.
    pub text: String,
}

/// The dimensions that definitions use, with their values in the tests.
const DIMENSIONS: [(&str, usize); 7] = [("H", 4), ("I", 3), ("E", 2), ("S", 3), ("V", 5), ("D", 3), ("K", 2)];

/// The user-defined functions that expressions can call.
const FUNCTIONS: [(&str, &str); 2] = [
    ("swish", "fn swish(u) = u * sigmoid(u);"),
    ("blend", "fn blend(a, u, v) = sigmoid(a) * u + (1 - sigmoid(a)) * v;"),
];

/// The state of the construction of a definition.
#[derive(Debug)]
pub struct Builder {
    pub(super) random: Random,
    pool: Vec<Value>,
    parameters: Vec<(String, Shape)>,
    equations: Vec<Equations>,
    /// The number of names that were given to parameters and equations.
    names: usize,
    /// True if the cell reads earlier steps.
    pub(super) reads_past: bool,
}

/// The text of one equation, or of a block of heads with several of them.
#[derive(Debug)]
struct Equations {
    parts: Vec<Equation>,
    line: String,
}

#[derive(Debug)]
struct Equation {
    targets: Vec<String>,
    value: String,
}

impl Definition {
    /// Returns the definition of a seed.
    pub fn new(seed: u64) -> Self {
        let mut builder = Builder {
            random: Random::new(seed),
            pool: Vec::new(),
            parameters: Vec::new(),
            equations: Vec::new(),
            names: 0,
            reads_past: false,
        };
        builder.reads_past = builder.random.chance(50);
        builder.define(format!("Random{seed}"))
    }
}

impl Builder {
    fn define(&mut self, name: String) -> Definition {
        let (h, i, e, s) = (Dim::of("H"), Dim::of("I"), Dim::of("E"), Dim::of("S"));
        let mut declarations = Vec::new();

        let mut inputs = vec![("x", Shape::vector(i))];
        for (name, shape, percent) in [
            ("k", Shape::vector(h.clone()), 40),
            ("X", Shape::matrix(e.clone(), s.clone()), 30),
            ("r", Shape::scalar(), 30),
        ] {
            if self.random.chance(percent) {
                inputs.push((name, shape));
            }
        }
        let indices = if self.random.chance(30) { vec!["w"] } else { vec![] };
        for (name, shape) in &inputs {
            declarations.push(format!("input {name}: {shape};"));
            self.offer(name, shape, 2.0);
        }
        for name in &indices {
            declarations.push(format!("input {name}: one_hot[V];"));
            let embedding = self.parameter(&Shape::matrix(h.clone(), Dim::of("V")));
            let value = format!("{} @ {name}", embedding.text);
            self.equation("embedded", &Shape::vector(h.clone()), &value, 0.6);
        }

        let mut has_context = false;
        for (name, shape) in [("M", Shape::matrix(e.clone(), s)), ("q", Shape::vector(h.clone()))] {
            if self.random.chance(35) {
                has_context = true;
                let default = if self.random.chance(20) { " = 0.5" } else { "" };
                declarations.push(format!("context {name}: {shape}{default};"));
                self.offer(name, &shape, 2.0);
            }
        }

        for (name, shape, percent, initial) in [
            ("R", Shape::matrix(h.clone(), h.clone()), 40, ["normal(0.3)", "identity"]),
            ("leak", Shape::scalar(), 40, ["0.4", "1 / (H + 1)"]),
        ] {
            if self.random.chance(percent) {
                let initial = *self.random.pick(&initial);
                declarations.push(format!("buffer {name}: {shape} = {initial};"));
                self.offer(name, &shape, 1.0);
            }
        }

        let mut states = Vec::new();
        for (name, shape, percent) in [
            ("h", Shape::vector(h.clone()), 100),
            ("c", Shape::vector(h.clone()), 70),
            ("P", Shape::matrix(h.clone(), e), 60),
            ("n", Shape::scalar(), 40),
        ] {
            if self.random.chance(percent) {
                let initial = self.initial_state(name, &shape, has_context);
                declarations.push(format!("state {name}: {shape}{initial};"));
                self.offer(&format!("{name}[t-1]"), &shape, 1.5);
                states.push((name, shape));
            }
        }

        let mut heads = None;
        if self.random.chance(40) {
            let has_stack = self.random.chance(60);
            if has_stack {
                declarations.push("state z: [K*D];".into());
            }
            heads = Some(has_stack);
        }
        let outputs = self.define_equations(&states, heads);
        // Expressions that were generated and discarded leave unused parameters.
        let mut used = self.used(&outputs);
        used.extend(
            declarations.iter().filter(|line| line.starts_with("state")).flat_map(|line| words(line)),
        );
        let mut parameters = std::mem::take(&mut self.parameters);
        parameters.retain(|(name, _)| used.contains(name));
        for (name, shape) in parameters {
            let initial = *self.random.pick(&["uniform(0.6)", "uniform(0.2, 0.6)", "normal(0.6 / sqrt(H))"]);
            declarations.push(format!("param {name}: {shape} = {initial};"));
        }
        for (name, definition) in FUNCTIONS {
            if self.parts().any(|equation| words(&equation.value).iter().any(|word| word == name)) {
                declarations.push(definition.into());
            }
        }

        let mut lines = declarations;
        self.random.shuffle(&mut self.equations);
        let equations = self.equations.len();
        lines.extend(self.equations.drain(..).map(|equation| equation.line));
        lines.push(format!("output {};", outputs.join(", ")));
        let dimensions = dimensions(&words(&lines.join("\n")));
        let list = dimensions.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let text = format!("pub cell {name}<{list}> {{\n    {}\n}}", lines.join("\n    "));
        let inputs = inputs.len() + indices.len();
        Definition { name, dimensions, inputs, indices, equations, text }
    }

    fn initial_state(&mut self, name: &str, shape: &Shape, has_context: bool) -> String {
        match self.random.below(8) {
            0 => " = 0.3".into(),
            1 => {
                self.parameters.push((format!("{name}_0"), shape.clone()));
                format!(" = {name}_0")
            }
            2 if has_context
                && self.pool.iter().any(|value| value.text == "q")
                && *shape == Shape::vector(Dim::of("H")) =>
            {
                let weights = self.parameter(&Shape::matrix(Dim::of("H"), Dim::of("H")));
                format!(" = tanh({} @ q)", weights.text)
            }
            _ => String::new(),
        }
    }

    /// Generates all equations and returns the names of the outputs. `heads` requests a block of
    /// heads, with or without a stack that its heads read.
    fn define_equations(&mut self, states: &[(&'static str, Shape)], mut heads: Option<bool>) -> Vec<String> {
        let count = 20 + self.random.below(18);
        // The equation of a state can have any position, so that later equations read its new
        // value.
        let mut places: Vec<usize> = states.iter().map(|_| 5 + self.random.below(15)).collect();
        let mut rest = states.to_vec();
        let mut named = Vec::new();
        while self.equations.len() < count || !rest.is_empty() {
            if let Some(has_stack) = heads.filter(|_| self.equations.len() >= 8) {
                self.heads(has_stack);
                heads = None;
            } else if let Some(place) = places.iter().position(|&place| place <= self.equations.len()) {
                places.swap_remove(place);
                let (name, shape) = rest.swap_remove(place);
                self.update(name, &shape);
            } else if self.random.chance(12) {
                self.split();
            } else {
                let shape = self.any_shape();
                let value = self.tame(&shape, 2);
                let name = self.name("e");
                self.equation(&name, &shape, &value.text, value.bound);
                named.push(name);
            }
        }
        let mut outputs = vec!["sink".to_string()];
        if self.random.chance(75) {
            outputs.push("h".into());
            for _ in 0..2 {
                let name = self.random.pick(&named).clone();
                if !outputs.contains(&name) {
                    outputs.push(name);
                }
            }
        }
        self.define_sink("sink", &outputs, "h", 0);
        outputs
    }

    /// Generates a block of heads with a state. Outside, its values are read as stacks.
    fn heads(&mut self, has_stack: bool) {
        let (values, parameters, equations) = (self.pool.len(), self.parameters.len(), self.equations.len());
        let vector = Shape::vector(Dim::of("D"));
        let initial = *self.random.pick(&["", " = 0.3", " = g_0"]);
        self.offer("g[t-1]", &vector, 1.5);
        if has_stack {
            self.offer("z[t-1].head", &vector, 1.5);
        }
        for _ in 0..3 + self.random.below(4) {
            let shape = if self.random.chance(50) { vector.clone() } else { self.any_shape() };
            let value = self.tame(&shape, 2);
            let name = self.name("e");
            self.equation(&name, &shape, &value.text, value.bound);
        }
        self.update("g", &vector);
        self.define_sink("inner", &["g".into()], "g", values);

        let inner = self.equations.split_off(equations);
        let read: Vec<String> = parts_of(&inner).flat_map(|equation| words(&equation.value)).collect();
        let mut lines = vec![format!("state g: [D]{initial};")];
        if initial == " = g_0" {
            lines.push("param g_0: [D] = normal(0.3);".into());
        }
        // The others are shared by all heads.
        for (name, shape) in self.parameters.split_off(parameters) {
            if !read.contains(&name) {
                continue;
            } else if self.random.chance(70) {
                lines.push(format!("param {name}: {shape} = uniform(0.6);"));
            } else {
                self.parameters.push((name, shape));
            }
        }
        lines.extend(inner.iter().map(|equation| equation.line.clone()));
        let line = format!("heads K {{\n        {}\n    }}", lines.join("\n        "));
        let parts = inner.into_iter().flat_map(|equation| equation.parts).collect();
        self.pool.truncate(values);
        self.equations.push(Equations { parts, line });

        if has_stack {
            self.equation("z", &Shape::vector(Dim::of("K*D")), "tanh(g + 0.5 * z[t-1])", 1.0);
            self.pool.truncate(values);
        }
        let shape = Shape::vector(Dim::of("H"));
        let projection = self.parameter(&Shape::matrix(Dim::of("H"), Dim::of("K*D")));
        let stack = if has_stack { "z" } else { "g" };
        let stack = match self.random.below(4) {
            0 if self.reads_past => format!("{stack}[t-2]"),
            1 if self.reads_past => format!("row_sum(window({stack}, 2))"),
            _ => stack.to_string(),
        };
        let name = self.name("e");
        self.equation(&name, &shape, &format!("tanh({} @ {stack})", projection.text), 1.0);
        let name = self.name("e");
        self.equation(&name, &Shape::scalar(), "mean(inner * inner) + mean(g)", 2.0);
    }

    /// Generates an output that reads all values from `first` on which no other output depends,
    /// since the compiler rejects unused values. If there are none, it reads the state.
    fn define_sink(&mut self, name: &str, outputs: &[String], state: &str, first: usize) {
        let mut used = self.used(outputs);
        let mut terms = Vec::new();
        // Later values depend on earlier ones, so the last are visited first.
        for value in self.pool[first..].iter().rev() {
            let name = words(&value.text).swap_remove(0);
            if !used.contains(&name) {
                let of = &value.text;
                terms.push(if value.shape.is_scalar() { of.clone() } else { format!("mean({of})") });
                used.extend(self.used(&[name]));
            }
        }
        if terms.is_empty() {
            terms.push(format!("sum({state})"));
        }
        self.equation(name, &Shape::scalar(), &format!("tanh(0.3 * ({}))", terms.join(" + ")), 1.0);
    }

    fn parts(&self) -> impl Iterator<Item = &Equation> {
        parts_of(&self.equations)
    }

    /// Returns the given names and all names on which they depend.
    fn used(&self, names: &[String]) -> Vec<String> {
        let mut used = names.to_vec();
        let mut next = 0;
        while let Some(name) = used.get(next).cloned() {
            next += 1;
            let defining = self.parts().filter(|equation| equation.targets.contains(&name));
            for word in defining.flat_map(|equation| words(&equation.value)) {
                if !used.contains(&word) {
                    used.push(word);
                }
            }
        }
        used
    }

    fn update(&mut self, name: &str, shape: &Shape) {
        let target = self.tame(shape, 2);
        let text = if self.random.chance(50) {
            let gate = self.expression(shape, 1);
            let keep = format!("sigmoid({})", gate.text);
            format!("{keep} * {name}[t-1] + (1 - {keep}) * tanh({})", target.text)
        } else {
            format!("tanh({})", target.text)
        };
        if let Some(value) = self.pool.iter_mut().find(|value| value.text == format!("{name}[t-1]")) {
            value.used |= text.contains(&format!("{name}[t-1]"));
        }
        self.equation(name, shape, &text, 1.0);
        // The new value of a state need not be read.
        self.pool.last_mut().expect("an equation adds its value to the pool").used = true;
    }

    fn split(&mut self) {
        let (a, b) = (self.name("a"), self.name("b"));
        let columns = if self.random.chance(30) { Dim::of("S") } else { Dim::one() };
        let (first, second) = if self.random.chance(20) {
            (Dim::one(), Dim::one())
        } else {
            (self.simple_dim(), self.simple_dim())
        };
        let literal = first == Dim::one();
        let rows = if literal { Dim::of("2") } else { Dim::sum([&first, &second]) };
        let columns = if literal { Dim::one() } else { columns };
        let value = self.tame(&Shape::matrix(rows, columns.clone()), 2);
        let line = format!("[{a}, {b}] = {};", value.text);
        let part = Equation { targets: vec![a.clone(), b.clone()], value: value.text };
        self.equations.push(Equations { parts: vec![part], line });
        self.offer(&a, &Shape::matrix(first, columns.clone()), value.bound);
        self.offer(&b, &Shape::matrix(second, columns), value.bound);
    }

    fn equation(&mut self, name: &str, shape: &Shape, text: &str, bound: f64) {
        let target = match self.random.below(6) {
            0 => format!("{name}: {shape}"),
            1 => format!("{name}[t]"),
            _ => name.to_string(),
        };
        let line = format!("{target} = {text};");
        let part = Equation { targets: vec![name.into()], value: text.into() };
        self.equations.push(Equations { parts: vec![part], line });
        self.offer(name, shape, bound);
    }

    fn offer(&mut self, text: &str, shape: &Shape, bound: f64) {
        self.pool.push(Value { text: text.to_string(), shape: shape.clone(), bound, used: false });
    }

    /// Returns a value of this shape, preferably an unused one. If there is none, returns a
    /// projection of another value.
    pub(super) fn leaf(&mut self, shape: &Shape) -> Expression {
        let fitting: Vec<usize> = (0..self.pool.len()).filter(|&k| self.pool[k].shape == *shape).collect();
        if self.random.chance(5) {
            return self.parameter(shape);
        }
        if fitting.is_empty() {
            return self.projection(shape);
        }
        let unused: Vec<usize> = fitting.iter().copied().filter(|&k| !self.pool[k].used).collect();
        let among = if unused.is_empty() || self.random.chance(35) { fitting } else { unused };
        let value = &mut self.pool[*self.random.pick(&among)];
        value.used = true;
        let (mut text, bound) = (value.text.clone(), value.bound);
        let is_matrix = !shape.is_vector() && !shape.is_row();
        let is_of_a_step = !["M", "q", "R", "leak"].contains(&text.as_str()) && !text.contains(['[', '.']);
        if self.reads_past && is_of_a_step && !is_matrix && self.random.chance(8) {
            const DELAYS: [&str; 4] = ["[t-1]", "[t-2]", "[t-S]", "[t-2*S]"];
            text.push_str(DELAYS[self.random.below(DELAYS.len())]);
        }
        Expression::atom(text, bound)
    }

    /// Returns an expression of this shape that combines a value of the pool with parameters, so
    /// that it depends on the step.
    fn projection(&mut self, shape: &Shape) -> Expression {
        let vectors = |value: &Value| value.shape.is_vector() && !value.shape.is_scalar();
        let among: Vec<usize> = (0..self.pool.len()).filter(|&k| vectors(&self.pool[k])).collect();
        let source = &mut self.pool[*self.random.pick(&among)];
        source.used = true;
        let (text, inner, bound) = (source.text.clone(), source.shape.rows.clone(), source.bound);
        let bound = 3.0 * bound;
        if shape.is_scalar() {
            return Expression::atom(format!("mean({text})"), bound);
        }
        if shape.is_row() {
            let weights = self.parameter(&Shape::matrix(inner, shape.columns.clone()));
            return Expression::product(format!("{text}.T @ {}", weights.text), bound);
        }
        let weights = self.parameter(&Shape::matrix(shape.rows.clone(), inner));
        if shape.is_vector() {
            return Expression::product(format!("{} @ {text}", weights.text), bound);
        }
        let spread = self.parameter(&Shape::row(shape.columns.clone()));
        Expression::product(format!("{} @ {text} @ {}", weights.text, spread.text), bound)
    }

    /// Returns an existing or a new parameter of this shape.
    pub(super) fn parameter(&mut self, shape: &Shape) -> Expression {
        let fitting: Vec<&(String, Shape)> =
            self.parameters.iter().filter(|(_, other)| other == shape).collect();
        if !fitting.is_empty() && self.random.chance(50) {
            return Expression::atom(self.random.pick(&fitting).0.clone(), 0.6);
        }
        let name = self.name("p");
        self.parameters.push((name.clone(), shape.clone()));
        Expression::atom(name, 0.6)
    }

    /// Returns a new name.
    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}{}", self.names)
    }

    fn simple_dim(&mut self) -> Dim {
        const NAMES: [&str; 4] = ["H", "I", "E", "S"];
        Dim::of(NAMES[self.random.below(NAMES.len())])
    }

    /// Returns a random dimension, which is sometimes a sum.
    pub(super) fn any_dim(&mut self) -> Dim {
        let dim = self.simple_dim();
        match self.random.below(12) {
            0 => Dim::sum([&dim, &self.simple_dim()]),
            1 => Dim::sum([&dim, &Dim::one()]),
            2 => Dim::of("2"),
            _ => dim,
        }
    }

    /// Returns a random shape of a vector.
    pub(super) fn any_vector(&mut self) -> Shape {
        Shape::vector(self.any_dim())
    }

    /// Returns the shape of a value in the pool, or a random shape.
    pub(super) fn any_shape(&mut self) -> Shape {
        match self.random.below(10) {
            0..=5 => self.random.pick(&self.pool).shape.clone(),
            6 | 7 => self.any_vector(),
            8 => Shape::row(self.any_dim()),
            _ => Shape::matrix(self.any_dim(), self.simple_dim()),
        }
    }
}

fn parts_of(equations: &[Equations]) -> impl Iterator<Item = &Equation> {
    equations.iter().flat_map(|equations| &equations.parts)
}

/// Returns the dimensions that are among the words of a definition.
pub fn dimensions(words: &[String]) -> Vec<(&'static str, usize)> {
    DIMENSIONS.into_iter().filter(|(name, _)| words.iter().any(|word| word == name)).collect()
}

/// Splits a part of a definition into names, keywords and numbers.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_definitions() {
        assert_eq!(Definition::new(7).text, Definition::new(7).text);
        assert_ne!(Definition::new(7).text, Definition::new(8).text);
    }

    #[test]
    fn definitions_have_20_to_40_equations_and_cover_the_language() {
        let mut all = String::new();
        for seed in 0..400 {
            let definition = Definition::new(seed);
            assert!((20..=41).contains(&definition.equations), "{}", definition.text);
            all.push_str(&definition.text);
        }
        let words = [
            "sigmoid",
            "tanh",
            "relu",
            "leaky_relu",
            "elu",
            "softplus",
            "silu",
            "gelu",
            "hard_sigmoid",
            "hard_tanh",
            "exp",
            "ln",
            "sqrt",
            "abs",
            "square",
            "recip",
            "pow",
            "sin",
            "cos",
            "floor",
            "sign",
            "min",
            "max",
            "clamp",
            "where",
            "sum",
            "mean",
            "row_sum",
            "softmax",
            "layer_norm",
            "rms_norm",
            "swish",
            "blend",
            "one_hot",
            "context",
            "buffer",
            "window",
            "present",
            "heads",
            "head",
        ];
        for word in words {
            let uses = all
                .match_indices(word)
                .filter(|(at, _)| !all[..*at].ends_with(|c: char| c.is_alphabetic() || c == '_'));
            assert!(uses.count() > 5, "`{word}` is rarely used");
        }
        for operator in [
            " + ", " - ", " * ", " / ", " @ ", ".T", "[t-1]", "[t-2]", "[t-2*S]", "[t] = ", ": [H, E]", "= -",
        ] {
            assert!(all.contains(operator), "`{operator}` is not used");
        }
    }

    #[test]
    fn brackets_match() {
        for seed in 0..400 {
            let text = Definition::new(seed).text;
            for (open, close) in [('(', ')'), ('[', ']'), ('{', '}')] {
                assert_eq!(text.matches(open).count(), text.matches(close).count(), "{text}");
            }
        }
    }
}
