//! Tests of items: unknown keywords, equations, splits, functions, outputs, missing `;`.

use super::*;

#[test]
fn unknown_keywords_are_reported() {
    let cell = mistake("params W: [H, I] = orthogonal;", &["unknown item `params`", "`param`"]);
    assert_eq!(cell.declarations.len(), 1);
    mistake("inputs x: [I];", &["unknown item `inputs`", "`input`"]);
    mistake("states h, c: [H];", &["unknown item `states`", "`state`"]);
    mistake("State h: [H];", &["unknown item `State`", "`state`"]);
    mistake("weights W: [H, I];", &["`param`"]);
    mistake("hidden h: [H];", &["`state`"]);
    mistake("const k: [] = 0.3;", &["`buffer`"]);
    let cell = mistake("return h;", &["unknown item `return`", "`output`"]);
    assert_eq!(cell.outputs.len(), 1);
    mistake("def f(u) = u;", &["unknown item `def`", "`fn`"]);
    let cell = mistake("zork q, r: [H];", &["unknown item `zork`", "`input`, `context`"]);
    assert_eq!(cell.poisoned.len(), 2);
}

#[test]
fn items_of_other_languages_are_reported() {
    mistakes(
        ("", ""),
        &[
            ("let f = tanh(x);", &["no `let`", "`f = ..;`"]),
            ("let mut f = tanh(x);", &["no `let`"]),
            ("let [a, b] = x;", &["no `let`"]),
            ("c += f * x;", &["no `+=`", "`c = c[t-1] + f * x`"]),
            ("c *= f + x;", &["no `*=`", "`c = c[t-1] * (f + x)`"]),
            ("c -= f;", &["no `-=`", "`c = c[t-1] - f`"]),
            ("f == tanh(x);", &["with `=`, not with `==`"]),
            ("f := tanh(x);", &["not with `:=`"]),
            ("f <- tanh(x);", &["not with `<-`"]),
            ("if x > 0 { y = x; } else { y = 0; }", &["there is no `if`", "where("]),
            ("for k in 0..3 { y = x; }", &["there are no loops"]),
            ("f = |u| u * sigmoid(u);", &["no closures", "`fn f(u) = ..;`"]),
            ("let f = |u, v| u * v;", &["no closures", "`fn f(u, v) = ..;`"]),
            ("a, b = x;", &["in brackets", "`[a, b] = ..;`"]),
            ("(a, b) = x;", &["in brackets", "`[a, b] = ..;`"]),
            ("a, b: [H];", &["kind before its names"]),
            ("y: [H];", &["`y` has a shape and no value"]),
            ("const N: usize = 3;", &["head of the cell", "N>"]),
            ("use std::fmt;", &["`use` isn't allowed in a cell"]),
            ("struct A { b: f32 }", &["`struct` isn't allowed in a cell"]),
            ("cell B<I> { input x: [I]; }", &["a cell can't contain another cell"]),
            ("pub param W: [H];", &["items have no visibility"]),
            ("self.y = x;", &["no `self`"]),
            ("tanh(x);", &["an expression alone"]),
            ("y;", &["expected `=` or `:` after `y`"]),
            ("y x;", &["expected `=` or `:` after `y`, found `x`"]),
            ("y(t) = x;", &["time index is written in brackets", "`y = ..;`"]),
            ("swish(u) = u * sigmoid(u);", &["expected `fn`", "`fn swish(u) = ..;`"]),
            ("y[t+1] = x;", &["value of the current step"]),
            ("y[t-1] = x;", &["can't change the previous step"]),
            ("y[0] = x;", &["no indexing", "initial value is part of the declaration"]),
            ("y[k] = x;", &["no indexing"]),
            ("# a comment", &["`#` does not begin a comment", "`//`"]),
            ("[] = x;", &["a split without names"]),
            ("[a, 2] = x;", &["expected a name, found `2`"]),
            ("[a b] = x;", &["expected `,`, found `b`"]),
            ("[a, b]: [H] = x;", &["no shape of its own"]),
            ("[a, _] = x;", &["`_` alone"]),
            ("* y = x;", &["expected a declaration or an equation, found `*`"]),
        ],
    );
}

#[test]
fn the_intended_item_is_defined() {
    for source in [
        "let f = x;",
        "c += x;",
        "f == x;",
        "f := x;",
        "(a, b) = x;",
        "a, b = x;",
        "y(t) = x;",
        "y[t+1] = x;",
        "self.y = x;",
        "let [a, b] = x;",
    ] {
        let (cell, _) = items(source);
        assert_eq!(cell.equations.len(), 1, "{source}");
    }
    let (cell, _) = items("f = |u| u * k; swish(u) = u;");
    assert_eq!(cell.functions.len(), 2);
    assert!(cell.mentioned.iter().any(|name| name == "k"));
}

#[test]
fn missing_semicolons_are_reported() {
    let cell = mistake("i = tanh(x)\n f = sigmoid(x); output f;", &["expected `;`"]);
    assert_eq!(cell.equations.len(), 2);
    for source in [
        "input x: [I]\n state h: [H]; output h;",
        "input x: [I],\n state h: [H]; output h;",
        "i = W @ x\n [a, b] = i; output a;",
        "i = x\n output i;",
        "i = x\n let f = x; output i;",
        "output x\n f = x;",
        "output x, y\n state h: [H];",
        "output x,\n y = x;",
        "fn f(u) = u\n y = f(x);",
        "i = x\n /// doc\n f = x;",
        "i = x\n c += x;",
        "i = x\n f[t] = x;",
        "i = x\n f: [H] = x;",
        "output x",
        "y = x",
    ] {
        let (_, messages) = items(source);
        assert!(messages[0].starts_with("expected `;`"), "{source}\n{messages:#?}");
        assert!(
            messages.len() == 1 || source.contains("let") || source.contains("+="),
            "{source}\n{messages:#?}"
        );
    }
}

#[test]
fn invalid_functions_are_reported() {
    mistakes(
        ("", ""),
        &[
            ("fn f(u) { u * 2 }", &["expected `=` after the arguments", "`fn f(u) = ..;`"]),
            ("fn f(u) -> f32 { u * 2 }", &["expected `=` after the arguments"]),
            ("fn f() = 1;", &["`f` has no arguments"]),
            ("fn f(u: f32) = u;", &["an argument is just a name"]),
            ("fn f(2) = u;", &["expected an argument's name, found `2`"]),
            ("fn f = 1;", &["arguments after `f`"]),
            ("fn (u) = 1;", &["function's name after `fn`"]),
            ("fn while(u) = u;", &["reserved by Rust"]),
            ("fn f(t) = u;", &["`t` is the current step"]),
        ],
    );
    let (cell, _) = items("fn f(u) { u * 2 } y = f(x); output y;");
    assert_eq!((cell.functions.len(), cell.equations.len()), (1, 1));
}

#[test]
fn invalid_outputs_are_reported() {
    let cell = mistake("output y = tanh(x);", &["`output` names a value", "then `output y;`"]);
    assert_eq!((cell.outputs.len(), cell.equations.len()), (1, 1));
    mistakes(
        ("", ""),
        &[
            ("output y: [H];", &["no shape of its own"]),
            ("output h[t];", &["an output is just a name"]),
            ("output tanh(c);", &["an output is a name, found `(`", "`y = ..;`"]),
            ("output [h, y];", &["an output is a name, found `[`", "`output h, y;`"]),
            ("output;", &["expected a name after `output`"]),
            ("output\n y = x;", &["expected a name after `output`"]),
            ("output: h;", &["found `:`"]),
            ("output h y;", &["missing `,` between `h` and `y`"]),
            ("outputs h;", &["should this be `output`?"]),
            ("output h + x;", &["an output is a name, found `+`"]),
        ],
    );
}

#[test]
fn every_mistake_is_reported() {
    let (cell, messages) = items(
        "inputs x: [I]; state h [H]; params W: (H, I); \
         let f = W x; c += f; h = np.tanh(h(t-1)) + u ** 2 \
         output h = 3;",
    );
    assert_eq!(messages.len(), 12, "{messages:#?}");
    assert_eq!(cell.equations.len(), 4);
    assert_eq!(cell.declarations.len(), 3);
}
