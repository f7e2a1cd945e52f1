//! Every mistake that the syntax shows, with its message; and definitions that have none.

use super::ast::*;
use super::parse::parse;
use super::samples::SAMPLES;
use crate::diagnostics::Diagnostics;
use proc_macro2::TokenStream;

fn read(source: &str) -> (Program, Vec<String>) {
    let tokens: TokenStream = source.parse().expect("the source is tokens of Rust");
    let mut diagnostics = Diagnostics::default();
    let program = parse(tokens, &mut diagnostics);
    (program, diagnostics.messages())
}

/// The only cell of a source without mistakes.
fn good(source: &str) -> Cell {
    let (mut program, messages) = read(source);
    assert!(messages.is_empty(), "{source}\n{messages:#?}");
    assert_eq!(program.cells.len(), 1, "{source}");
    program.cells.remove(0)
}

/// The cell and the messages of items in a cell.
fn items(items: &str) -> (Cell, Vec<String>) {
    let (mut program, messages) = read(&format!("cell Test<I, H> {{ {items} }}"));
    (program.cells.remove(0), messages)
}

/// Exactly one mistake, whose message holds all of `parts` in order.
#[track_caller]
fn mistake(source: &str, parts: &[&str]) -> Cell {
    let (cell, messages) = items(source);
    check(source, &messages, parts);
    cell
}

#[track_caller]
fn check(source: &str, messages: &[String], parts: &[&str]) {
    if let Err(why) = compare(source, messages, parts) {
        panic!("{why}");
    }
}

fn compare(source: &str, messages: &[String], parts: &[&str]) -> Result<(), String> {
    let [message] = messages else { return Err(format!("{source}\nnot one mistake: {messages:#?}")) };
    let mut rest = message.as_str();
    for part in parts {
        let Some(found) = rest.find(part) else {
            return Err(format!("{source}\nno `{part}` in\n{message}"));
        };
        rest = &rest[found + part.len()..];
    }
    Ok(())
}

/// Items of a cell with one mistake each, and the parts of its message.
#[track_caller]
fn mistakes(around: (&str, &str), table: &[(&str, &[&str])]) {
    let failures: Vec<String> = table
        .iter()
        .filter_map(|(source, parts)| {
            let source = format!("{}{source}{}", around.0, around.1);
            compare(&source, &items(&source).1, parts).err()
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

fn value(cell: &Cell) -> String {
    crate::resolve::text::short(&cell.equations[0].value)
}

#[test]
fn samples_have_no_mistakes() {
    for source in SAMPLES {
        let (program, messages) = read(source);
        assert!(messages.is_empty(), "{source}\n{messages:#?}");
        assert!(!program.cells.is_empty(), "{source}");
        for cell in &program.cells {
            assert!(!cell.outputs.is_empty() && cell.poisoned.is_empty() && cell.mentioned.is_empty(), "{source}");
        }
    }
}

#[test]
fn peephole() {
    let cell = good(SAMPLES[0]);
    assert_eq!(cell.name, "Peephole");
    assert_eq!(cell.attributes.len(), 1);
    assert!(matches!(cell.visibility, syn::Visibility::Public(_)));
    assert_eq!(cell.dimensions.len(), 2);
    let names: Vec<String> = cell.declarations.iter().map(|declaration| declaration.name.to_string()).collect();
    assert_eq!(names.join(" "), "x h c W_i W_f W_g W_o b_i b_g b_o b_f p_i p_f p_o");
    let with_initial = cell.declarations.iter().filter(|declaration| declaration.initial.is_some()).count();
    assert_eq!(with_initial, 5);
    assert_eq!(cell.equations.len(), 6);
    assert_eq!(value(&cell).len(), "..".len(), "long expressions are shortened");
    let ExprKind::Binary { op: BinaryOp::Add, left, .. } = &cell.equations[3].value.kind else { panic!() };
    assert_eq!(crate::resolve::text::short(left), "f * c[t-1]");
    // Every expression has a number of its own.
    let mut seen = vec![false; cell.expression_count];
    let mut visit = |expr: &Expr| {
        fn walk(expr: &Expr, seen: &mut [bool]) {
            assert!(!std::mem::replace(&mut seen[expr.id], true));
            match &expr.kind {
                ExprKind::Neg(a) | ExprKind::Transpose(a) => walk(a, seen),
                ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                    walk(left, seen);
                    walk(right, seen);
                }
                ExprKind::Stack(parts) | ExprKind::Call { arguments: parts, .. } => {
                    parts.iter().for_each(|part| walk(part, seen));
                }
                _ => {}
            }
        }
        walk(expr, &mut seen);
    };
    cell.equations.iter().for_each(|equation| visit(&equation.value));
    cell.declarations.iter().filter_map(|declaration| declaration.initial.as_ref()).for_each(visit);
}

#[test]
fn precedence() {
    let shape_of = |source: &str| {
        let cell = good(&format!("cell T {{ y = {source}; output y; }}"));
        fn show(expr: &Expr) -> String {
            match &expr.kind {
                ExprKind::Neg(a) => format!("(-{})", show(a)),
                ExprKind::Transpose(a) => format!("{}'", show(a)),
                ExprKind::Binary { op, left, right, .. } => {
                    format!("({}{}{})", show(left), crate::resolve::text::binary(*op), show(right))
                }
                _ => crate::resolve::text::short(expr),
            }
        }
        show(&cell.equations[0].value)
    };
    for (source, shown) in [
        ("a + b - c", "((a+b)-c)"),
        ("a + b * c", "(a+(b*c))"),
        ("a @ b * c / d", "(((a@b)*c)/d)"),
        ("-a * b", "((-a)*b)"),
        ("-a.T", "(-a')"),
        ("a - -b", "(a-(-b))"),
        ("a--b", "(a-(-b))"),
        ("a@-b.T*1.T", "((a@(-b'))*1')"),
        ("a * (b + c)", "(a*(b+c))"),
        ("a.T.T", "a''"),
        ("h.T@x", "(h'@x)"),
        ("2.5e-3 * a", "(0.0025*a)"),
    ] {
        assert_eq!(shape_of(source), shown, "{source}");
    }
}

#[test]
fn time_and_shapes() {
    let cell = good("cell T<H> { state h: [H]; h = h[t - 1] + g[t] + g; output h; }");
    let mut times = vec![];
    fn walk(expr: &Expr, times: &mut Vec<Time>) {
        match &expr.kind {
            ExprKind::Name { time, .. } => times.push(*time),
            ExprKind::Binary { left, right, .. } => {
                walk(left, times);
                walk(right, times);
            }
            _ => {}
        }
    }
    walk(&cell.equations[0].value, &mut times);
    assert_eq!(times, [Time::Offset(-1), Time::Offset(0), Time::Implicit]);

    let cell = good("cell T<H> { param W: [4*H + 1, 2 * 8], k: [], b: [H*2]; y = k; output y; }");
    let ShapeKind::Dense(dims) = &cell.declarations[0].shape.kind else { panic!() };
    let counts: Vec<Vec<(u64, bool)>> = dims
        .iter()
        .map(|dim| dim.terms.iter().map(|term| (term.count, term.name.is_some())).collect())
        .collect();
    assert_eq!(counts, [vec![(4, true), (1, false)], vec![(16, false)]]);
    assert!(matches!(&cell.declarations[1].shape.kind, ShapeKind::Dense(dims) if dims.is_empty()));
}

#[test]
fn fragments_of_macro_rules() {
    // What `$e:expr` and `$vis:vis` bring stands in groups without delimiters.
    use proc_macro2::{Delimiter, Group, TokenTree};
    let invisible = |source: &str| -> TokenTree {
        Group::new(Delimiter::None, source.parse::<TokenStream>().unwrap()).into()
    };
    let mut body: Vec<TokenTree> = "y = 2 *".parse::<TokenStream>().unwrap().into_iter().collect();
    body.push(invisible("a + b"));
    body.extend("; output y;".parse::<TokenStream>().unwrap());
    let mut tokens = vec![invisible("pub"), invisible("")];
    tokens.extend("cell T".parse::<TokenStream>().unwrap());
    tokens.push(Group::new(Delimiter::Brace, body.into_iter().collect()).into());
    let mut diagnostics = Diagnostics::default();
    let program = parse(tokens.into_iter().collect(), &mut diagnostics);
    assert_eq!(diagnostics.messages(), [""; 0]);
    assert!(matches!(program.cells[0].visibility, syn::Visibility::Public(_)));
    assert_eq!(value(&program.cells[0]), "2 * (a + b)");
}

mod heads {
    use super::*;

    #[track_caller]
    fn head(source: &str, parts: &[&str]) -> Program {
        let (program, messages) = read(source);
        check(source, &messages, parts);
        program
    }

    #[test]
    fn dimensions() {
        let rest = "{ input x: [I]; output x; }";
        let named = |program: &Program| {
            let names: Vec<String> = program.cells[0].dimensions.iter().map(ToString::to_string).collect();
            names.join(" ")
        };
        let p = head(&format!("cell A<const I: usize, const H: usize> {rest}"), &["names alone", "`<I, H>`"]);
        assert_eq!(named(&p), "I H");
        let p = head(&format!("cell A<I: usize> {rest}"), &["names alone", "write `I`"]);
        assert_eq!(named(&p), "I");
        let p = head(&format!("cell A(I, H) {rest}"), &["angle brackets", "`<I, H>`"]);
        assert_eq!(named(&p), "I H");
        head(&format!("cell A<I, 16> {rest}"), &["name of a dimension, found `16`", "`[16]`"]);
        head(&format!("cell A<I H> {rest}"), &["missing `,` between `I` and `H`"]);
        head(&format!("cell A<I, H {rest}"), &["expected `>`"]);
        head(&format!("cell A<t> {rest}"), &["`t` is the current step"]);
        head(&format!("cell A<I, type> {rest}"), &["`type` is reserved by Rust", "`type_`"]);
    }

    #[test]
    fn keywords_and_names() {
        let rest = "<I> { input x: [I]; output x; }";
        for source in [format!("pub struct Lstm{rest}"), format!("Lstm{rest}"), format!("Cell Lstm{rest}")] {
            let p = head(&source, &["expected `cell`", "cell Name<I, H>"]);
            assert_eq!(p.cells[0].name, "Lstm");
            assert_eq!(p.cells[0].outputs.len(), 1);
        }
        head("cell <I> { input x: [I]; }", &["expected the cell's name"]);
        head(&format!("cell match{rest}"), &["`match` is reserved by Rust"]);
        head("", &["expected a cell"]);
        head("pub", &["expected `cell`"]);
        head("cell A<I>", &["expected `{ .. }`"]);
        head("input x: [3]; output x;", &["an item outside of a cell"]);
        head("h = tanh(x);", &["an item outside of a cell"]);
        head("1 + 2", &["expected `cell`, found `1`"]);
        head(&format!("pub(sideways) cell A{rest}"), &["invisible visibility".split(' ').last().unwrap()]);
        let p = head("cell A where I: Sized { input x: [3]; output x; }", &["expected `{` after the head of `A`, found `where`"]);
        assert_eq!(p.cells[0].declarations.len(), 1);
    }

    #[test]
    fn attributes() {
        let rest = "cell A<I> { input x: [I]; output x; }";
        head(&format!("#[inline] {rest}"), &["`#[inline]` can't stand on a cell"]);
        head(&format!("//! inner\n {rest}"), &["inner attribute"]);
        head(&format!("#[=] {rest}"), &["invalid attribute"]);
        mistake("#[cfg(test)] input x: [I];", &["`#[cfg]` can't stand on an item"]);
        mistake("/// nothing\n", &["documents nothing"]);
        mistake("y = x + #[allow(dead_code)] 1;", &["expected an expression, found `#`"]);
        mistake("y = f(x #[allow(dead_code)]);", &["attribute can't stand in an expression"]);
    }

    #[test]
    fn several_cells_report_each_their_own() {
        let (program, messages) = read("cell A<I> { y = x z; } junk; cell B<I> { y = ; output y; }");
        assert_eq!(messages.len(), 3, "{messages:#?}");
        assert_eq!(program.cells.len(), 2);
    }
}

mod declarations {
    use super::*;

    #[test]
    fn without_shape() {
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
        mistake("input [x, m]: [I];", &["expected a name after `input`, found `[`", "names stand alone"]);
    }

    #[test]
    fn unknown_shapes() {
        mistakes(("", ""), &[
            ("state h: (H);", &["a shape stands in brackets", "`[H]`"]),
            ("param W: (H, I);", &["a shape stands in brackets", "`[H, I]`"]),
            ("param W: [H; I];", &["separated by `,`", "`[H, I]`"]),
            ("state h: H;", &["a shape stands in brackets", "`[H]`"]),
            ("state h: H + I;", &["a shape stands in brackets", "`[H + I]`"]),
            ("state h: 16;", &["a shape stands in brackets", "`[16]`"]),
            ("param W: [2H, I];", &["missing `*` between `2` and `H`", "`2*H`"]),
            ("param W: [2 H];", &["missing `*` between `2` and `H`"]),
            ("param W: [H I];", &["missing `,` or `+` between `H` and `I`", "`[H, I]`"]),
            ("param W: [H x I];", &["expected `,`, found `x`", "`[H, I]`"]),
            ("param W: [H * I];", &["product of two names"]),
            ("param W: [H - 1];", &["can't be computed with `-`"]),
            ("param W: [H / 2];", &["can't be computed with `/`"]),
            ("param W: [2*(H + I)];", &["no parentheses", "2*H + 2*I"]),
            ("param W: [H][I];", &["expected `;`, found `[`"]),
            ("param W: [[H, I]];", &["no parentheses or brackets"]),
            ("param W: [H, I, 3];", &["at most two dimensions"]),
            ("param W: [0];", &["a dimension of size 0"]),
            ("param W: [0*H];", &["a dimension of size 0"]),
            ("param W: [-1];", &["can't be negative"]),
            ("param W: [1.5];", &["`1.5` is no size"]),
            ("param W: [16usize];", &["sizes have no type: `usize`", "`16`"]),
            ("param W: [99999999999];", &["too large"]),
            ("param W: [99999999999999999999999999];", &["too large"]),
            ("param W: [1000*H];", &["a dimension of 1000 terms"]),
            ("param W: [,];", &["expected a dimension, found `,`"]),
            ("param k: f32;", &["unknown shape `f32`", "`[]`"]),
            ("param k: scalar;", &["unknown shape `scalar`", "`[]`"]),
            ("param v: vector(H);", &["unknown shape `vector`"]),
            ("param W: SMatrix<f32, H, I>;", &["no type of Rust"]),
            ("input w: onehot[H];", &["unknown shape `onehot`", "`one_hot[H]`"]),
            ("input w: one_hot(H);", &["in brackets", "`one_hot[H]`"]),
            ("input w: one_hot;", &["in brackets", "`one_hot[V]`"]),
            ("input w: one_hot[H, I];", &["one size"]),
            ("state w: one_hot[H];", &["only an input can be one-hot"]),
        ]);
    }

    #[test]
    fn recovered_shapes_are_known() {
        for source in ["param W: (H, I);", "param W: [H; I];", "param W: [2H, I];"] {
            let (cell, _) = items(source);
            assert!(matches!(&cell.declarations[0].shape.kind, ShapeKind::Dense(dims) if dims.len() == 2), "{source}");
        }
    }

    #[test]
    fn initial_values() {
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
    fn reserved_names() {
        for name in ["fn", "loop", "type", "self", "match", "gen", "box"] {
            let cell = mistake(&format!("param {name}: [H];"), &[name, "reserved by Rust"]);
            assert_eq!(cell.poisoned.len(), 1, "{name}");
        }
        for name in ["state", "output", "cell", "one_hot"] {
            mistake(&format!("param {name}: [H];"), &[name, "word of the language"]);
        }
        mistake("param r#type: [H];", &["raw name", "`type_`"]);
        mistake("param _: [H];", &["`_` alone"]);
        mistake("t = 1;", &["`t` is the current step"]);
        mistake("input = tanh(x);", &["word of the language"]);
        mistake("fn = tanh(x);", &["reserved by Rust"]);
        // once a name is enough
        mistake("state type: [H]; type = tanh(x);", &["`type` is reserved by Rust"]);
    }

    #[test]
    fn time_index() {
        mistake("state h[t]: [H];", &["no time index"]);
    }
}

mod item_level {
    use super::*;

    #[test]
    fn unknown_keywords() {
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
    fn habits() {
        mistakes(("", ""), &[
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
            ("use std::fmt;", &["`use` can't stand in a cell"]),
            ("struct A { b: f32 }", &["`struct` can't stand in a cell"]),
            ("cell B<I> { input x: [I]; }", &["a cell can't stand inside a cell"]),
            ("pub param W: [H];", &["items have no visibility"]),
            ("self.y = x;", &["no `self`"]),
            ("tanh(x);", &["an expression alone"]),
            ("y;", &["expected `=` or `:` after `y`"]),
            ("y x;", &["expected `=` or `:` after `y`, found `x`"]),
            ("y(t) = x;", &["time index stands in brackets", "`y = ..;`"]),
            ("swish(u) = u * sigmoid(u);", &["expected `fn`", "`fn swish(u) = ..;`"]),
            ("y[t+1] = x;", &["value of the current step"]),
            ("y[t-1] = x;", &["can't change the step before"]),
            ("y[0] = x;", &["no indexing", "first value stands in the declaration"]),
            ("y[k] = x;", &["no indexing"]),
            ("# a comment", &["`#` begins no comment", "`//`"]),
            ("[] = x;", &["a split without names"]),
            ("[a, 2] = x;", &["expected a name, found `2`"]),
            ("[a b] = x;", &["expected `,`, found `b`"]),
            ("[a, b]: [H] = x;", &["no shape of its own"]),
            ("[a, _] = x;", &["`_` alone"]),
            ("* y = x;", &["expected a declaration or an equation, found `*`"]),
        ]);
    }

    #[test]
    fn what_was_meant_is_defined() {
        for source in [
            "let f = x;", "c += x;", "f == x;", "f := x;", "(a, b) = x;", "a, b = x;", "y(t) = x;", "y[t+1] = x;",
            "self.y = x;", "let [a, b] = x;",
        ] {
            let (cell, _) = items(source);
            assert_eq!(cell.equations.len(), 1, "{source}");
        }
        let (cell, _) = items("f = |u| u * k; swish(u) = u;");
        assert_eq!(cell.functions.len(), 2);
        assert!(cell.mentioned.iter().any(|name| name == "k"));
    }

    #[test]
    fn missing_semicolons() {
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
            assert!(messages.len() == 1 || source.contains("let") || source.contains("+="), "{source}\n{messages:#?}");
        }
    }

    #[test]
    fn functions() {
        mistakes(("", ""), &[
            ("fn f(u) { u * 2 }", &["expected `=` after the arguments", "`fn f(u) = ..;`"]),
            ("fn f(u) -> f32 { u * 2 }", &["expected `=` after the arguments"]),
            ("fn f() = 1;", &["`f` has no arguments"]),
            ("fn f(u: f32) = u;", &["an argument is a name alone"]),
            ("fn f(2) = u;", &["expected an argument's name, found `2`"]),
            ("fn f = 1;", &["arguments after `f`"]),
            ("fn (u) = 1;", &["function's name after `fn`"]),
            ("fn while(u) = u;", &["reserved by Rust"]),
            ("fn f(t) = u;", &["`t` is the current step"]),
        ]);
        let (cell, _) = items("fn f(u) { u * 2 } y = f(x); output y;");
        assert_eq!((cell.functions.len(), cell.equations.len()), (1, 1));
    }

    #[test]
    fn outputs() {
        let cell = mistake("output y = tanh(x);", &["`output` names a value", "then `output y;`"]);
        assert_eq!((cell.outputs.len(), cell.equations.len()), (1, 1));
        mistakes(("", ""), &[
            ("output y: [H];", &["no shape of its own"]),
            ("output h[t];", &["an output is a name alone"]),
            ("output tanh(c);", &["an output is a name, found `(`", "`y = ..;`"]),
            ("output [h, y];", &["an output is a name, found `[`", "`output h, y;`"]),
            ("output;", &["expected a name after `output`"]),
            ("output: h;", &["found `:`"]),
            ("output h y;", &["missing `,` between `h` and `y`"]),
            ("outputs h;", &["should this be `output`?"]),
            ("output h + x;", &["an output is a name, found `+`"]),
        ]);
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
}

mod expressions {
    use super::*;

    #[test]
    fn habits() {
        mistakes(("y = ", "; output y;"), &[
            ("W x", &["missing operator between `W` and `x`", "`W @ x`", "`W * x`"]),
            ("2x", &["missing operator between `2` and `x`", "`2 * x`"]),
            ("2h[t-1]", &["missing operator between `2` and `h[t-1]`"]),
            ("2 x", &["missing operator between `2` and `x`", "`2 * x`"]),
            ("2(a + b)", &["missing operator between `2` and `(a + b)`"]),
            ("(a + b)(c + d)", &["missing operator between `(a + b)` and `(c + d)`"]),
            ("a + p W @ x", &["missing operator between `p` and `W`"]),
            ("W [h[t-1], x]", &["missing operator between `W` and `[h[t-1], x]`", "`W @ [h[t-1], x]`"]),
            ("W.T x", &["missing operator between `W.T` and `x`"]),
            ("np.tanh(u)", &["no prefix and are no methods", "`tanh(u)`"]),
            ("torch.sigmoid(u)", &["no prefix and are no methods", "`sigmoid(u)`"]),
            ("torch.nn.functional.relu(u)", &["no prefix", "`relu(u)`"]),
            ("F.softmax(u)", &["no prefix", "`softmax(u)`"]),
            ("f32::tanh(u)", &["no prefix", "`tanh(u)`"]),
            ("np.matmul(W, x)", &["no function `matmul`", "`W @ x`"]),
            ("torch.cat((h, x))", &["no function `cat`", "`[h, x]`"]),
            ("u.tanh()", &["are no methods", "`tanh(u)`"]),
            ("h[t-1].tanh()", &["are no methods", "`tanh(h[t-1])`"]),
            ("u.clamp(0, 1)", &["are no methods", "`clamp(u, 0, 1)`"]),
            ("u.clone()", &["values have no methods"]),
            ("W.dot(x)", &["values have no methods", "`W @ x`"]),
            ("a.mul(b)", &["values have no methods", "`a * b`"]),
            ("W.t()", &["values have no methods", "`W.T`"]),
            ("W.transpose()", &["values have no methods", "`W.T`"]),
            ("W.T()", &["values have no methods", "`W.T`"]),
            ("W.t", &["no fields", "`W.T`"]),
            ("h.0", &["no fields"]),
            ("h.rows", &["no fields", "`.T`"]),
            ("u.tanh", &["no fields", "`tanh(u)`"]),
            ("self.W", &["no `self`", "`W`"]),
            ("h.", &["expected `T` after `.`"]),
            ("tanh.(u)", &["without `.`", "`tanh(u)`"]),
            ("matmul(W, x)", &["no function `matmul`", "`W @ x`"]),
            ("dot(W, a + b)", &["no function `dot`", "`W @ (a + b)`"]),
            ("cat((h, x))", &["no function `cat`", "`[h, x]`"]),
            ("concatenate([h, x], 0)", &["no function `concatenate`", "`[h, x]`"]),
            ("transpose(W)", &["no function `transpose`", "`W.T`"]),
            ("u ** 2", &["no operator `**`", "`square(u)`"]),
            ("u ^ 2", &["no operator `^`", "`square(u)`"]),
            ("(a + b) ** 2", &["no operator `**`", "`square(a + b)`"]),
            ("u ^ 3", &["no operator `^`", "`pow(u, 3)`"]),
            ("u ** -a", &["no operator `**`", "`pow(u, -a)`"]),
            ("W ^ T", &["no operator `^`", "`W.T`"]),
            ("h ^ (t-1)", &["time index stands in brackets", "`h[t-1]`"]),
            ("h_{t-1}", &["time index stands in brackets", "`h[t-1]`"]),
            ("a .* b", &["no operator `.*`", "`a * b`"]),
            ("a ./ b", &["no operator `./`", "`a / b`"]),
            ("a % b", &["no operator `%`"]),
            ("a && b", &["no operator `&&`"]),
            ("a ? b : c", &["no operator `?`", "where("]),
            ("a if b else c", &["no operator `if`", "where("]),
            ("if a { b } else { c }", &["there is no `if`", "where("]),
            ("match a { _ => b }", &["there is no `match`"]),
            ("|u| u + 1", &["no closures", "`fn y(u) = ..;`"]),
            ("1 + |u, v| u + 1", &["no closures", "`fn f(u, v) = ..;`"]),
            ("map(|u| u + 1, x)", &["no closures"]),
            ("lambda u: u + 1", &["no closures"]),
            ("vec![a]", &["a macro can't"]),
            ("std::f64::consts::PI", &["a path of Rust"]),
            ("{ a }", &["braces have no meaning"]),
            ("(h, x)", &["no tuples", "`[h, x]`"]),
            ("()", &["between the parentheses"]),
            ("[]", &["an empty stack"]),
            ("[a; b]", &["expected `,`, found `;`"]),
            ("+a", &["`+` can't stand before an operand"]),
            ("&a", &["`&` can't stand before an operand"]),
            ("a = b", &["a second `=`"]),
            ("softmax(a, axis = 1)", &["arguments have no names"]),
        ]);
    }

    #[test]
    fn what_was_meant_is_in_the_tree() {
        for (source, meant) in [
            ("np.tanh(u)", "tanh(u)"),
            ("u.tanh()", "tanh(u)"),
            ("torch.nn.functional.relu(u)", "relu(u)"),
            ("W.dot(x)", "(W @ x)"),
            ("matmul(W, x)", "(W @ x)"),
            ("cat((h, x))", "[h, x]"),
            ("(h, x)", "[h, x]"),
            ("W.t()", "W.T"),
            ("u ** 2", "pow(u, 2)"),
            ("a .* b", "a * b"),
            ("h(t-1)", "h[t-1]"),
            ("self.W", "W"),
            ("1f32", "1"),
            ("h[n-1]", "h[t-1]"),
        ] {
            let (cell, messages) = items(&format!("y = {source};"));
            assert_eq!(messages.len(), 1, "{source}\n{messages:#?}");
            assert_eq!(value(&cell), meant, "{source}");
        }
    }

    #[test]
    fn names_in_what_failed_are_mentioned() {
        for source in ["a b", "a = b", "a ? b : 1", "h[a, b]", "if a { b } else { 1 }", "a % b", "[a] ] b"] {
            let Ok(_) = source.parse::<TokenStream>() else { continue };
            let (cell, messages) = items(&format!("y = {source};"));
            assert!(!messages.is_empty(), "{source}");
            for name in ["a", "b"] {
                assert!(cell.mentioned.iter().any(|mentioned| mentioned == name), "{source}: {:?}", cell.mentioned);
            }
        }
    }

    #[test]
    fn time_indices() {
        mistakes(("y = ", "; output y;"), &[
            ("h(t-1)", &["time index stands in brackets", "`h[t-1]`"]),
            ("h(t)", &["time index stands in brackets", "`h[t]`"]),
            ("h(t-2)", &["more than one step back"]),
            ("h[t+1]", &["`h[t+1]` is a later step", "`h[t-1]`"]),
            ("h[t-2]", &["`h[t-2]` is more than one step back", "`h_1 = h[t-1];`"]),
            ("h[t*2]", &["invalid time index"]),
            ("h[t-k]", &["invalid time index"]),
            ("h[0]", &["there is no indexing", "`[a, b] = h;`"]),
            ("h[i]", &["there is no indexing"]),
            ("W[0, 1]", &["there is no indexing"]),
            ("h[0..2]", &["there is no indexing"]),
            ("h[-1]", &["no indexing from the end", "`h[t-1]`"]),
            ("h[n - 1]", &["`n-1` is no time index", "`h[t-1]`"]),
            ("h[]", &["there is no indexing"]),
            ("(a + b)[t-1]", &["can't stand behind `(a + b)`", "state s"]),
            ("tanh(c)[t-1]", &["can't stand behind `tanh(c)`"]),
            ("W.T[t-1]", &["can't stand behind `W.T`"]),
            ("2[t-1]", &["can't stand behind `2`"]),
            ("h[t-1][t-1]", &["can't stand behind `h[t-1]`"]),
        ]);
    }

    #[test]
    fn comparisons() {
        for (source, parts) in [
            ("a > b", &["only be the first argument of `where`", "where(a > b, 1, 0)"][..]),
            ("tanh(a > b)", &["only be the first argument of `where`"]),
            ("where(a < b < c, u, v)", &["can't be chained", "where(a < b, where("]),
            ("where(m, u, v)", &["must be a comparison", "where(m > 0, u, v)"]),
            ("where(a = b, u, v)", &["`=` is no comparison", "`==`"]),
            ("where(a => b, u, v)", &["`=>` is no comparison", "`>=`"]),
            ("where(a > b && c > d, u, v)", &["no operator `&&`", "nest them"]),
            ("where(u, a > b, v)", &["must be a comparison"]),
            ("where(a > 0, u > 0, v)", &["only be the first argument of `where`"]),
            ("a < b", &["only be the first argument of `where`"]),
        ] {
            let (_, messages) = items(&format!("y = {source};"));
            let first = messages.first().cloned().unwrap_or_default();
            check(source, &[first], parts);
            assert!(messages.len() <= 2, "{source}\n{messages:#?}");
        }
        let (cell, messages) = items("y = where((a <= b), u, v);");
        assert!(messages.is_empty());
        let ExprKind::Call { arguments, .. } = &cell.equations[0].value.kind else { panic!() };
        assert!(matches!(arguments[0].kind, ExprKind::Compare { op: Comparison::LessEqual, .. }));
        assert!(arguments[0].parenthesised);
    }

    #[test]
    fn numbers() {
        mistakes(("y = ", "; output y;"), &[
            ("1f32", &["numbers have no type: `f32`", "`1`"]),
            ("1.5_f64", &["numbers have no type: `f64`", "`1.5`"]),
            ("1e999", &["too large for a float"]),
            ("1e-999", &["too small for a float"]),
            ("0x1F", &["no decimal number"]),
            ("\"a\"", &["expected a number, found `\"a\"`"]),
            ("'a'", &["expected a number"]),
        ]);
    }

    #[test]
    fn missing_operands() {
        mistakes(("y = ", "; output y;"), &[
            ("", &["expected an expression after `=`"]),
            ("W @", &["expected an expression after `@`"]),
            ("W @ * x", &["expected an expression, found `*`"]),
            ("* x", &["expected an expression, found `*`"]),
            ("a + ", &["expected an expression after `+`"]),
            ("tanh(a, , b)", &["expected an expression, found `,`"]),
            ("tanh(a +)", &["expected an expression after `+`"]),
            ("-", &["expected an expression after `-`"]),
            ("a + $", &["expected an expression, found `$`"]),
            ("a, b", &["expected `;`, found `,`"]),
        ]);
    }

    #[test]
    fn depth_is_limited() {
        let nested = |count: usize| format!("y = {}x{};", "(".repeat(count), ")".repeat(count));
        assert!(items(&nested(100)).1.is_empty());
        for source in [
            nested(200),
            nested(20_000),
            format!("y = {}x{};", "[".repeat(5000), "]".repeat(5000)),
            format!("y = {}x{};", "tanh(".repeat(5000), ")".repeat(5000)),
            format!("y = {}x;", "-".repeat(5_000)),
            format!("y = x{};", " + x".repeat(5_000)),
            format!("y = x{};", ".T".repeat(5_000)),
            format!("y = {}x;", "x @ ".repeat(5_000)),
        ] {
            let (_, messages) = items(&source);
            assert_eq!(messages.len(), 1, "{}", &source[..20]);
            assert!(messages[0].starts_with("the expression is nested too deeply"));
        }
        let (_, messages) = items(&format!("y = x{};", " ** -x".repeat(5000)));
        assert!(messages.iter().any(|message| message.starts_with("the expression is nested too deeply")));
    }
}
