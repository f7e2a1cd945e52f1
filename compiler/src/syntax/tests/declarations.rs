//! Tests of declarations, shapes and reserved names.

use super::*;

#[test]
fn missing_shapes_are_reported() {
    let cell = mistake("param W;", &["`W` has no shape", "param W: [H]"]);
    assert!(matches!(cell.declarations[0].shape.kind, ShapeKind::Unknown));
    mistake("state h, c;", &["`h` and `c` have no shape", "state h, c: [H]"]);
    mistake("input x: [I], m;", &["`m` has no shape"]);
    let cell = mistake("param k = 0.3;", &["`k` has no shape", "`[]` for a scalar"]);
    assert!(cell.declarations[0].initial.is_some());
    mistake("input x [I];", &["missing `:` between `x` and its shape"]);
    mistake("input x: ;", &["expected a shape after `:`"]);
    mistake("input;", &["expected a name after `input`"]);
    mistake("input: x: [I];", &["expected a name after `input`, found `:`"]);
    mistake(
        "input [x, m]: [I];",
        &["expected a name after `input`, found `[`", "list the names before the shape"],
    );
}

#[test]
fn invalid_shapes_are_reported() {
    mistakes(
        ("", ""),
        &[
            ("state h: (H);", &["a shape is written in brackets", "`[H]`"]),
            ("param W: (H, I);", &["a shape is written in brackets", "`[H, I]`"]),
            ("param W: [H; I];", &["separated by `,`", "`[H, I]`"]),
            ("state h: H;", &["a shape is written in brackets", "`[H]`"]),
            ("state h: H + I;", &["a shape is written in brackets", "`[H + I]`"]),
            ("state h: 16;", &["a shape is written in brackets", "`[16]`"]),
            ("param W: [2H, I];", &["missing `*` between `2` and `H`", "`2*H`"]),
            ("param W: [2 H];", &["missing `*` between `2` and `H`"]),
            ("param W: [H I];", &["missing `,` or `+` between `H` and `I`", "`[H, I]`"]),
            ("param W: [H x I];", &["expected `,`, found `x`", "`[H, I]`"]),
            ("param W: [H * I * J];", &["product of three names"]),
            ("param W: [H - 1];", &["can't be computed with `-`"]),
            ("param W: [H / 2];", &["can't be computed with `/`"]),
            ("param W: [2*(H + I)];", &["no parentheses", "2*H + 2*I"]),
            ("param W: [H][I];", &["expected `;`, found `[`"]),
            ("param W: [[H, I]];", &["no parentheses or brackets"]),
            ("param W: [H, I, 3];", &["at most two dimensions"]),
            ("param W: [0];", &["a dimension of size 0"]),
            ("param W: [0*H];", &["a dimension of size 0"]),
            ("param W: [-1];", &["can't be negative"]),
            ("param W: [1.5];", &["`1.5` is not a size"]),
            ("param W: [16usize];", &["sizes have no type: `usize`", "`16`"]),
            ("param W: [99999999999];", &["too large"]),
            ("param W: [99999999999999999999999999];", &["too large"]),
            ("param W: [1000*H];", &["a dimension of 1000 terms"]),
            ("param W: [,];", &["expected a dimension, found `,`"]),
            ("param k: f32;", &["unknown shape `f32`", "`[]`"]),
            ("param k: scalar;", &["unknown shape `scalar`", "`[]`"]),
            ("param v: vector(H);", &["unknown shape `vector`"]),
            ("param W: SMatrix<f32, H, I>;", &["not a Rust type"]),
            ("input w: onehot[H];", &["unknown shape `onehot`", "`one_hot[H]`"]),
            ("input w: one_hot(H);", &["in brackets", "`one_hot[H]`"]),
            ("input w: one_hot;", &["in brackets", "`one_hot[V]`"]),
            ("input w: one_hot[H, I];", &["one size"]),
            ("state w: one_hot[H];", &["only an input can be one-hot"]),
        ],
    );
}

#[test]
fn the_intended_shape_is_recovered() {
    for source in ["param W: (H, I);", "param W: [H; I];", "param W: [2H, I];"] {
        let (cell, _) = items(source);
        assert!(
            matches!(&cell.declarations[0].shape.kind, ShapeKind::Dense(dims) if dims.len() == 2),
            "{source}"
        );
    }
}

#[test]
fn initial_values_are_checked() {
    mistake("input x: [I] = 0;", &["an input has no initial value"]);
    mistake("param W: [H, I] xavier_uniform;", &["expected `=`, `,` or `;`"]);
    mistake("param W: [H, I] = ;", &["expected an expression after `=`"]);
    mistake("param W: [H, I] = from_fn(|r, c| 0.0);", &["path of a function", "from_fn(first)"]);
    mistake("param W: [H, I] = normal(0.1) orthogonal, b: [H];", &["missing operator between"]);
    let cell = good("cell A<H> { param a, b: [H] = uniform(-1, 1), c: [H]; y = a; output y; }");
    assert!(cell.declarations[0].initial.is_some() && cell.declarations[1].initial.is_some());
    assert!(cell.declarations[2].initial.is_none());
}

#[test]
fn reserved_names_are_reported() {
    for name in ["fn", "loop", "type", "self", "match", "gen", "box"] {
        let cell = mistake(&format!("param {name}: [H];"), &[name, "reserved by Rust"]);
        assert!(cell.poisoned[0] == name, "{name}");
    }
    for name in ["state", "output", "cell", "one_hot"] {
        mistake(&format!("param {name}: [H];"), &[name, "word of the language"]);
    }
    mistake("param r#type: [H];", &["raw name", "`type_`"]);
    mistake("param _: [H];", &["`_` alone"]);
    mistake("t = 1;", &["`t` is the current step"]);
    mistake("input = tanh(x);", &["word of the language"]);
    mistake("fn = tanh(x);", &["reserved by Rust"]);
    // Each name is reported once.
    mistake("state type: [H]; type = tanh(x);", &["`type` is reserved by Rust"]);
}

#[test]
fn time_indices_of_declarations_are_reported() {
    mistake("state h[t]: [H];", &["no time index"]);
}
