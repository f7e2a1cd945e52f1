//! Tests of initialisers: explicit ones, defaults and mistakes.

use crate::analysis::resolve::tests::{check_valid, mistakes};

#[test]
fn every_initialiser_is_recognised() {
    for (written, found) in [
        ("0.5", "Constant(0.5)"),
        ("-1/4", "Constant(-0.25)"),
        ("3 * sqrt(4)", "Constant(6.0)"),
        ("1 + 2 * 3 - 5", "Constant(2.0)"),
        ("exp(0) + ln(1)", "Constant(1.0)"),
        ("zeros", "Constant(0.0)"),
        ("ones", "Constant(1.0)"),
        ("identity(0.9)", "Identity(0.9)"),
        ("uniform(0.1)", "Uniform(-0.1, 0.1)"),
        ("uniform(-1, 2)", "Uniform(-1.0, 2.0)"),
        ("normal(1/10)", "Normal(0.1)"),
        ("xavier_uniform", "XavierUniform"),
        ("xavier_uniform()", "XavierUniform"),
        ("xavier_normal", "XavierNormal"),
        ("kaiming_uniform", "KaimingUniform"),
        ("lecun_normal", "LecunNormal"),
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
        assert_eq!(cell.initialiser(name), "Constant(0.0)", "{name}");
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
    assert_eq!(cell.initialiser("m"), "Constant(1.0)");
    assert_eq!(cell.initialiser("n"), "none");
}

mistakes! {
    unknown_initialiser:
        "<H> input x: [H]; param W: [H, H] = frob; y = W @ x; output y;"
        => [
            "unknown initialiser `frob`\n\
             note: the initialisers are `zeros`, `ones`, `identity(a)`, `uniform(a)` or `uniform(lo, \
             hi)`, `normal(s)`, `xavier_uniform`, `xavier_normal`, `kaiming_uniform`, `lecun_normal`, \
             `orthogonal`, `from_fn(path)`",
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

    initialiser_of_a_dimension:
        "<H> input x: [H]; param W: [H, H] = uniform(1 / sqrt(H)); y = W @ x; output y;"
        => [
            "the argument of `uniform` is not a number\n\
             note: initialisers take numbers only; the `xavier`, `kaiming` and `lecun` ones \
             scale with the dimensions",
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
             note: the initialisers are `zeros`, `ones`, `identity(a)`, `uniform(a)` or `uniform(lo, \
             hi)`, `normal(s)`, `xavier_uniform`, `xavier_normal`, `kaiming_uniform`, `lecun_normal`, \
             `orthogonal`, `from_fn(path)`",
        ];

    parameter_from_an_expression:
        "<H> input x: [H]; param b0: [H]; param b: [H] = 2 * b0; y = x + b + b0; output y;"
        => [
            "a parameter starts from a number or an initialiser, not an expression\n\
             note: the initialisers are `zeros`, `ones`, `identity(a)`, `uniform(a)` or `uniform(lo, \
             hi)`, `normal(s)`, `xavier_uniform`, `xavier_normal`, `kaiming_uniform`, `lecun_normal`, \
             `orthogonal`, `from_fn(path)`",
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
