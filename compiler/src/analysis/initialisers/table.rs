//! The table of the initialisers, for messages and for the reference of the language.

/// One initialiser of the language.
#[derive(Debug)]
pub struct Named {
    pub name: &'static str,
    /// The smallest and the largest number of arguments.
    pub arity: (usize, usize),
    /// The signature shown in messages: `normal(s)`.
    pub signature: &'static str,
    /// The meaning, in Markdown, for the reference of the language.
    #[cfg_attr(not(test), expect(dead_code, reason = "shown by the reference and by editors only"))]
    pub doc: &'static str,
}

const fn named(
    name: &'static str,
    arity: (usize, usize),
    signature: &'static str,
    doc: &'static str,
) -> Named {
    Named { name, arity, signature, doc }
}

pub const TABLE: &[Named] = &[
    named("zeros", (0, 0), "zeros", "0 everywhere"),
    named("ones", (0, 0), "ones", "1 everywhere"),
    named("constant", (1, 1), "constant(a)", "`a` everywhere; the same as the number alone"),
    named(
        "identity",
        (0, 1),
        "identity` or `identity(a)",
        "1 on the diagonal of a square matrix; `a` on the diagonal of any matrix; 0 elsewhere",
    ),
    named(
        "uniform",
        (1, 2),
        "uniform(a)` or `uniform(lo, hi)",
        "uniform between `-a` and `a`, or between `lo` and `hi`",
    ),
    named("normal", (1, 1), "normal(s)", "normal with mean 0 and standard deviation `s`"),
    named(
        "xavier_uniform",
        (0, 0),
        "xavier_uniform",
        "uniform with bounds ±sqrt(6 / (fan-in + fan-out)) (Glorot & Bengio 2010)",
    ),
    named(
        "xavier_normal",
        (0, 0),
        "xavier_normal",
        "normal with variance 2 / (fan-in + fan-out) (Glorot & Bengio 2010)",
    ),
    named(
        "kaiming_uniform",
        (0, 0),
        "kaiming_uniform",
        "uniform with bounds ±sqrt(6 / fan-in), for `relu` (He et al. 2015); PyTorch's \
         `kaiming_uniform_` with `nonlinearity=\"relu\"`",
    ),
    named(
        "kaiming_normal",
        (0, 0),
        "kaiming_normal",
        "normal with variance 2 / fan-in, for `relu` (He et al. 2015); PyTorch's \
         `kaiming_normal_` with `nonlinearity=\"relu\"`",
    ),
    named("lecun_normal", (0, 0), "lecun_normal", "normal with variance 1 / fan-in (LeCun et al. 1998)"),
    named(
        "orthogonal",
        (0, 0),
        "orthogonal",
        "orthonormal columns, or rows if there are fewer (Saxe et al. 2014)",
    ),
    named(
        "from_fn",
        (1, 1),
        "from_fn(path)",
        "the values of a Rust function, `fn(row: usize, column: usize) -> f64`",
    ),
];

/// Returns whether a name is that of an initialiser.
pub fn is_initialiser(name: &str) -> bool {
    TABLE.iter().any(|known| known.name == name)
}
