//! Tests of initialisers: explicit ones, defaults and mistakes.

use crate::analysis::resolve::tests::{check_valid, mistakes};

#[test]
fn every_initialiser_is_recognised() {
    for (written, found) in [
        ("0.5", "Constant(Number(0.5))"),
        ("-1/4", "Constant(Number(-0.25))"),
        ("3 * sqrt(4)", "Constant(Number(6.0))"),
        ("1 + 2 * 3 - 5", "Constant(Number(2.0))"),
        ("exp(0) + ln(1)", "Constant(Number(1.0))"),
        ("zeros", "Constant(Number(0.0))"),
        ("ones", "Constant(Number(1.0))"),
        ("identity(0.9)", "Identity(Number(0.9))"),
        ("uniform(0.1)", "Uniform(Number(-0.1), Number(0.1))"),
        ("uniform(-1, 2)", "Uniform(Number(-1.0), Number(2.0))"),
        ("normal(1/10)", "Normal(Number(0.1))"),
        ("xavier_uniform", "XavierUniform"),
        ("xavier_uniform()", "XavierUniform"),
        ("xavier_normal", "XavierNormal"),
        ("kaiming_uniform", "KaimingUniform"),
        ("kaiming_normal", "KaimingNormal"),
        ("lecun_normal", "LecunNormal"),
        ("constant(0.5)", "Constant(Number(0.5))"),
        ("H", "Constant(Size(1))"),
        ("(1/2 - 1) / I", "Constant(Binary(Div, [Number(-0.5), Size(0)]))"),
        ("constant(-H)", "Constant(Neg(Size(1)))"),
        (
            "uniform(1 / sqrt(H))",
            "Uniform(Neg(Binary(Div, [Number(1.0), Sqrt(Size(1))])), Binary(Div, [Number(1.0), Sqrt(Size(1))]))",
        ),
        ("uniform(-I, 2 * H)", "Uniform(Neg(Size(0)), Binary(Mul, [Number(2.0), Size(1)]))"),
        ("normal(sqrt(2 / I))", "Normal(Sqrt(Binary(Div, [Number(2.0), Size(0)])))"),
        ("orthogonal", "Orthogonal"),
    ] {
        for kind in ["param", "buffer"] {
            let cell = check_valid(&format!(
                "<I, H> input x: [I]; {kind} W: [H, I] = {written}; y = W @ x; output y;"
            ));
            assert_eq!(cell.initialiser("W"), found);
        }
    }
}

#[test]
fn identity_without_an_argument_is_for_square_matrices() {
    for (dimensions, shape) in
        [("<H>", "[H, H]"), ("<H, I>", "[H + I, H + I]"), ("<H>", "[2*H, H + H]"), ("", "[3, 3]")]
    {
        let cell = check_valid(&format!("{dimensions} param W: {shape} = identity; y = W; output y;"));
        assert_eq!(cell.initialiser("W"), "Identity(Number(1.0))");
    }
}

#[test]
fn a_rust_function_can_be_an_initialiser() {
    for path in ["legendre", "crate::init::legendre"] {
        let cell =
            check_valid(&format!("<H> input x: [H]; buffer b: [H] = from_fn({path}); y = x + b; output y;"));
        assert!(cell.initialiser("b").starts_with("FromFn("));
    }
}

#[test]
fn defaults_depend_on_shape_and_use() {
    let cell = check_valid(
        "<I, H> input x: [H], q: [I]; state h: [H]; \
         param U, V, P, Q: [H, H]; param W: [H, H + I]; param R: [H, H]; param b: [H]; param k: []; param C: [H, 1]; \
         param L: [H, H]; \
         z = tanh(L @ x); g = tanh(x + U @ h[t-1]); \
         h = g + 2 * V @ h[t-1] + (h[t-1].T @ P).T + R @ x + W @ [h[t-1], q] + b * k + C @ [1] + z; \
         y = Q.T @ g; output h, y;",
    );
    for name in ["U", "V", "P", "Q"] {
        assert_eq!(cell.initialiser(name), "Orthogonal", "{name}");
    }
    // A matrix that is not square, two that are applied to an input only, and a column that is
    // declared as a matrix.
    for name in ["W", "R", "L", "C"] {
        assert_eq!(cell.initialiser(name), "XavierUniform", "{name}");
    }
    for name in ["b", "k"] {
        assert_eq!(cell.initialiser(name), "Constant(Number(0.0))", "{name}");
    }
    for name in ["x", "h"] {
        assert_eq!(cell.initialiser(name), "none", "{name}");
    }
}

#[test]
fn a_matrix_of_one_column_has_a_fan_in_and_fan_out() {
    let cell = check_valid("<H> input x: []; param W: [H, 1] = xavier_normal; y = W @ x; output y;");
    assert_eq!(cell.initialiser("W"), "XavierNormal");
}

#[test]
fn a_context_can_have_a_default() {
    let cell = check_valid("<S> input x: [S]; context m: [S] = 1, n: [S]; y = x * m * n; output y;");
    assert_eq!(cell.initialiser("m"), "Constant(Number(1.0))");
    assert_eq!(cell.initialiser("n"), "none");
}

mistakes! {
    unknown_initialiser:
        "<H> input x: [H]; param W: [H, H] = frob; y = W @ x; output y;"
        => [
            "unknown initialiser `frob`\n\
             note: the initialisers are `zeros`, `ones`, `constant(a)`, `identity` or `identity(a)`, \
             `uniform(a)` or `uniform(lo, hi)`, `normal(s)`, `xavier_uniform`, `xavier_normal`, \
             `kaiming_uniform`, `kaiming_normal`, `lecun_normal`, `orthogonal`, `from_fn(path)`",
        ];

    unknown_initialiser_near:
        "<H> input x: [H]; param W: [H, H] = xavier_unifrom; y = W @ x; output y;"
        => [
            "unknown initialiser `xavier_unifrom`\n\
             help: should this be `xavier_uniform`?",
        ];

    initialiser_of_another_library:
        "<H> input x: [H]; param W: [H, H] = glorot_uniform; y = W @ x; output y;"
        => [
            "unknown initialiser `glorot_uniform`\n\
             help: should this be `xavier_uniform`?",
        ];

    initialiser_with_too_many_arguments:
        "<H> input x: [H]; param W: [H, H] = xavier_uniform(2); y = W @ x; output y;"
        => [
            "`xavier_uniform` takes no argument, not 1\n\
             help: `xavier_uniform`",
        ];

    initialiser_with_too_few_arguments:
        "<H> input x: [H]; param W: [H, H] = uniform; y = W @ x; output y;"
        => [
            "`uniform` takes 1 or 2 arguments, not 0\n\
             help: `uniform(a)` or `uniform(lo, hi)`",
        ];

    normal_with_two_arguments:
        "<H> input x: [H]; param W: [H, H] = normal(0, 1); y = W @ x; output y;"
        => [
            "`normal` takes 1 argument, not 2\n\
             help: `normal(s)`",
        ];

    initialiser_of_an_unknown_dimension:
        "<Hidden> input x: [Hidden]; param W: [Hidden, Hidden] = uniform(1 / sqrt(Hiden)); y = W @ x; output y;"
        => [
            "unknown dimension `Hiden`\n\
             help: should this be `Hidden`?",
        ];

    initialiser_of_values:
        "<H> input x: [H]; param b: [H]; param W: [H, H] = uniform(b, 1 + y); y = W @ x + b; output y;"
        => [
            "`b` is a parameter, not a dimension\n\
             note: initial values depend on numbers and dimensions alone, combined by `+`, `-`, `*`, `/` and `sqrt`",
            "`y` is an equation, not a dimension\n\
             note: initial values depend on numbers and dimensions alone, combined by `+`, `-`, `*`, `/` and `sqrt`",
        ];

    initialiser_of_an_infinite_number:
        "<H> input x: [H]; param W: [H, H] = normal(H + 1/0); y = W @ x; output y;"
        => [
            "`1 / 0` is not finite",
        ];

    initialiser_of_a_function_of_a_dimension:
        "<H> input x: [H]; param W: [H, H] = normal(tanh(H)), b: [H] = exp(H); y = W @ x + b; output y;"
        => [
            "the argument of `normal` can't contain `tanh(H)`\n\
             note: initial values depend on numbers and dimensions alone, combined by `+`, `-`, `*`, `/` and `sqrt`",
            "an initial value can't contain `exp(H)`\n\
             note: initial values depend on numbers and dimensions alone, combined by `+`, `-`, `*`, `/` and `sqrt`",
        ];

    identity_of_a_matrix_that_is_not_square:
        "<I, H> input x: [I]; param W: [H, I] = identity; y = W @ x; output y;"
        => [
            "`identity` is for square matrices\n\
             note: `W` is declared as `param W: [H, I]`\n\
             help: `identity(1)` sets the diagonal of any matrix to 1",
        ];

    constant_without_a_number:
        "<H> input x: [H]; param b: [H] = constant; y = x + b; output y;"
        => [
            "`constant` takes 1 argument, not 0\n\
             help: `constant(a)`",
        ];

    negative_bound:
        "<H> input x: [H]; param W: [H, H] = uniform(-0.1); y = W @ x; output y;"
        => [
            "`uniform(a)` of a negative number\n\
             help: `uniform(0.1)` is between -0.1 and 0.1",
        ];

    bounds_the_wrong_way_round:
        "<H> input x: [H]; param W: [H, H] = uniform(1, -1); y = W @ x; output y;"
        => [
            "the lower bound is above the upper\n\
             help: `uniform(-1, 1)`",
        ];

    negative_deviation:
        "<H> input x: [H]; param W: [H, H] = normal(-0.1); y = W @ x; output y;"
        => [
            "a negative standard deviation\n\
             help: `normal(0.1)`",
        ];

    orthogonal_vector:
        "<H> input x: [H]; param b: [H] = orthogonal; y = x + b; output y;"
        => [
            "`orthogonal` is for matrices\n\
             note: `b` is declared as `param b: [H]`\n\
             help: for a vector write a number, `uniform(a)` or `normal(s)`",
        ];

    identity_of_a_vector:
        "<H> input x: [H]; param b: [H] = identity(1); y = x + b; output y;"
        => [
            "`identity` is for matrices\n\
             note: `b` is declared as `param b: [H]`\n\
             help: for a vector write a number, `uniform(a)` or `normal(s)`",
        ];

    parameter_from_a_parameter:
        "<H> input x: [H]; param b0: [H]; param b: [H] = b0; y = x + b + b0; output y;"
        => [
            "`b0` is a parameter, not an initialiser\n\
             note: a parameter starts from a number or an initialiser\n\
             note: the initialisers are `zeros`, `ones`, `constant(a)`, `identity` or `identity(a)`, \
             `uniform(a)` or `uniform(lo, hi)`, `normal(s)`, `xavier_uniform`, `xavier_normal`, \
             `kaiming_uniform`, `kaiming_normal`, `lecun_normal`, `orthogonal`, `from_fn(path)`",
        ];

    parameter_from_an_expression:
        "<H> input x: [H]; param b0: [H]; param b: [H] = 2 * b0; y = x + b + b0; output y;"
        => [
            "a parameter starts from a number or an initialiser, not an expression\n\
             note: the initialisers are `zeros`, `ones`, `constant(a)`, `identity` or `identity(a)`, \
             `uniform(a)` or `uniform(lo, hi)`, `normal(s)`, `xavier_uniform`, `xavier_normal`, \
             `kaiming_uniform`, `kaiming_normal`, `lecun_normal`, `orthogonal`, `from_fn(path)`",
        ];

    parameter_from_an_infinite_number:
        "<H> input x: [H]; param b: [H] = 1/0; y = x + b; output y;"
        => [
            "`1 / 0` is not finite",
        ];

    input_with_an_initial_value:
        "<H> input x: [H] = 0; y = tanh(x); output y;"
        => [
            "an input has no initial value: it gets a value at every step\n\
             help: a fixed value is a `buffer`, or a `context` if each sequence has its own: `context x: ..`",
        ];

    context_from_an_initialiser:
        "<H> input x: [H]; context m: [H] = normal(1); y = x * m; output y;"
        => [
            "the default of context `m` is not a number\n\
             help: `context m: [H] = 1` fills it with ones",
        ];
}
