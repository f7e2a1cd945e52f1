//! Tests of the parser: every mistake with its message, and definitions without mistakes.

mod declarations;
mod expressions;
mod extents;
mod heads;
mod item_level;

use super::ast::*;
use super::parse::parse;
use crate::diagnostics::Diagnostics;
use crate::testing::samples::SAMPLES;
use proc_macro2::TokenStream;

fn read(source: &str) -> (Program, Vec<String>) {
    let tokens: TokenStream = source.parse().expect("the source consists of Rust tokens");
    let mut diagnostics = Diagnostics::default();
    let program = parse(tokens, &mut diagnostics);
    (program, diagnostics.messages())
}

/// Returns the only cell of a source without mistakes.
fn good(source: &str) -> Cell {
    let (mut program, messages) = read(source);
    assert!(messages.is_empty(), "{source}\n{messages:#?}");
    assert_eq!(program.cells.len(), 1, "{source}");
    program.cells.remove(0)
}

/// Returns the cell with these items, and the messages.
fn items(items: &str) -> (Cell, Vec<String>) {
    let (mut program, messages) = read(&format!("cell Test<I, H> {{ {items} }}"));
    (program.cells.remove(0), messages)
}

/// Asserts that there is exactly one mistake, whose message contains all `parts` in order.
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

/// Asserts that each of the items has one mistake whose message contains its parts.
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
    crate::syntax::text::short(&cell.equations[0].value)
}

#[test]
fn samples_have_no_mistakes() {
    for source in SAMPLES {
        let (program, messages) = read(source);
        assert!(messages.is_empty(), "{source}\n{messages:#?}");
        assert!(!program.cells.is_empty(), "{source}");
        for cell in &program.cells {
            assert!(
                !cell.outputs.is_empty() && cell.poisoned.is_empty() && cell.mentioned.is_empty(),
                "{source}"
            );
        }
    }
}

#[test]
fn parses_a_peephole_lstm() {
    let cell = good(SAMPLES[0]);
    assert_eq!(cell.name, "Peephole");
    assert_eq!(cell.attributes.len(), 1);
    assert!(matches!(cell.visibility, syn::Visibility::Public(_)));
    assert_eq!(cell.dimensions.len(), 2);
    let names: Vec<String> =
        cell.declarations.iter().map(|declaration| declaration.name.to_string()).collect();
    assert_eq!(names.join(" "), "x h c W_i W_f W_g W_o b_i b_g b_o b_f p_i p_f p_o");
    let with_initial = cell.declarations.iter().filter(|declaration| declaration.initial.is_some()).count();
    assert_eq!(with_initial, 5);
    assert_eq!(cell.equations.len(), 6);
    assert_eq!(value(&cell).len(), "..".len(), "long expressions are shortened");
    let ExprKind::Binary { op: BinaryOp::Add, left, .. } = &cell.equations[3].value.kind else { panic!() };
    assert_eq!(crate::syntax::text::short(left), "f * c[t-1]");
    // Every expression has its own id.
    let mut seen = vec![false; cell.expression_count];
    let mut visit = |expr: &Expr| {
        fn walk(expr: &Expr, seen: &mut [bool]) {
            assert!(!std::mem::replace(&mut seen[expr.id], true));
            expr.children().into_iter().for_each(|child| walk(child, seen));
        }
        walk(expr, &mut seen);
    };
    cell.equations.iter().for_each(|equation| visit(&equation.value));
    cell.declarations.iter().filter_map(|declaration| declaration.initial.as_ref()).for_each(visit);
}

#[test]
fn operators_have_their_precedence() {
    let shape_of = |source: &str| {
        let cell = good(&format!("cell T {{ y = {source}; output y; }}"));
        fn show(expr: &Expr) -> String {
            match &expr.kind {
                ExprKind::Neg(a) => format!("(-{})", show(a)),
                ExprKind::Transpose(a) => format!("{}'", show(a)),
                ExprKind::Binary { op, left, right, .. } => {
                    format!("({}{}{})", show(left), crate::syntax::text::binary(*op), show(right))
                }
                _ => crate::syntax::text::short(expr),
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
fn parses_time_indices_and_shapes() {
    let cell = good("cell T<H> { state h: [H]; h = h[t - 1] + g[t] + g; output h; }");
    let mut times = vec![];
    fn walk(expr: &Expr, times: &mut Vec<Time>) {
        match &expr.kind {
            ExprKind::Name { time, .. } => times.push(time.clone()),
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
fn parses_fragments_of_macro_rules() {
    // `$e:expr` and `$vis:vis` produce groups without delimiters.
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
