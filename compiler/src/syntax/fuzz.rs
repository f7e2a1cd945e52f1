//! Fuzz tests: the parser returns for random token streams and damaged definitions.

use super::ast::{Cell, Expr, ExprKind, Program};
use super::parse::parse;
use crate::diagnostics::Diagnostics;
use crate::testing::random::Random;
use crate::testing::samples::SAMPLES;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

const WORDS: [&str; 40] = [
    "cell", "pub", "input", "state", "param", "buffer", "context", "output", "fn", "t", "h", "x", "W", "H",
    "T", "I", "one_hot", "where", "tanh", "from_fn", "let", "if", "else", "for", "match", "const", "np",
    "self", "_", "type", "matmul", "cat", "lambda", "return", "params", "h_prev", "loop", "mut", "softmax",
    "and",
];

const LITERALS: [&str; 16] = [
    "0",
    "1",
    "2x",
    "1.",
    "1e-3",
    "1e999",
    "1e-999",
    "0x1f",
    "3usize",
    "\"a\"",
    "'c'",
    "1_000",
    "b\"a\"",
    "2_y",
    "99999999999999999999",
    "1.5f32",
];

const PUNCTUATION: &[u8] = b"+-*/%^!&|=<>@.,;:#$?~'";

fn token(random: &mut Random, depth: usize) -> TokenTree {
    match random.below(12) {
        0..4 => Ident::new(random.pick(&WORDS), Span::call_site()).into(),
        4 => random.pick(&LITERALS).parse::<Literal>().unwrap().into(),
        5 | 6 if depth < 6 => group(random, depth),
        _ => {
            let character = char::from(random.pick(PUNCTUATION));
            // An apostrophe begins a lifetime, so it is always joint.
            let joint = character == '\'' || random.below(2) == 0;
            Punct::new(character, if joint { Spacing::Joint } else { Spacing::Alone }).into()
        }
    }
}

fn group(random: &mut Random, depth: usize) -> TokenTree {
    let delimiter = random.pick(&[
        Delimiter::Parenthesis,
        Delimiter::Bracket,
        Delimiter::Bracket,
        Delimiter::Brace,
        Delimiter::None,
    ]);
    Group::new(delimiter, stream(random, depth + 1)).into()
}

fn stream(random: &mut Random, depth: usize) -> TokenStream {
    let length = random.below(24 >> depth.min(3)) + random.below(2);
    (0..length).map(|_| token(random, depth)).collect()
}

/// Returns a cell with a random body, so that the parser reaches the items.
fn cell(random: &mut Random) -> TokenStream {
    let mut tokens: Vec<TokenTree> =
        "pub cell Name<I, H>".parse::<TokenStream>().unwrap().into_iter().collect();
    tokens.push(Group::new(Delimiter::Brace, stream(random, 0)).into());
    tokens.into_iter().collect()
}

/// Removes, duplicates, swaps or replaces one token somewhere in the tree.
fn damage(random: &mut Random, tokens: TokenStream) -> TokenStream {
    let mut list: Vec<TokenTree> = tokens.into_iter().collect();
    if list.is_empty() {
        return TokenStream::from(token(random, 0));
    }
    let groups: Vec<usize> =
        (0..list.len()).filter(|index| matches!(list[*index], TokenTree::Group(_))).collect();
    if !groups.is_empty() && random.below(8) > 0 {
        let index = random.pick(&groups);
        if let TokenTree::Group(inner) = &list[index] {
            let delimiter = inner.delimiter();
            list[index] = Group::new(delimiter, damage(random, inner.stream())).into();
        }
        return list.into_iter().collect();
    }
    let index = random.below(list.len());
    match random.below(6) {
        0 => {
            list.remove(index);
        }
        1 => list.insert(index, list[index].clone()),
        2 => {
            let other = random.below(list.len());
            list.swap(index, other);
        }
        3 => list[index] = token(random, 3),
        4 => list.insert(index, token(random, 3)),
        _ => list.truncate(index),
    }
    list.into_iter().collect()
}

/// Checks the invariants that later stages rely on.
fn verify(program: &Program) {
    for cell in &program.cells {
        let mut seen = vec![false; cell.expression_count];
        for value in values(cell) {
            visit(value, 0, &mut seen);
        }
        assert!(cell.equations.iter().all(|equation| !equation.targets.is_empty()));
        assert!(cell.equations.iter().all(|equation| equation.is_split || equation.targets.len() == 1));
    }
}

fn values(cell: &Cell) -> impl Iterator<Item = &Expr> {
    let initials = cell.declarations.iter().filter_map(|declaration| declaration.initial.as_ref());
    let bodies = cell.functions.iter().map(|function| &function.body);
    cell.equations.iter().map(|equation| &equation.value).chain(initials).chain(bodies)
}

fn visit(expr: &Expr, depth: usize, seen: &mut [bool]) {
    assert!(depth <= 400, "the height of the tree is limited");
    assert!(!std::mem::replace(&mut seen[expr.id], true), "ids are unique");
    match &expr.kind {
        ExprKind::Neg(inner) | ExprKind::Transpose(inner) | ExprKind::Head(inner) => {
            visit(inner, depth + 1, seen)
        }
        ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
            visit(left, depth + 1, seen);
            visit(right, depth + 1, seen);
        }
        ExprKind::Stack(parts) | ExprKind::Call { arguments: parts, .. } => {
            parts.iter().for_each(|part| visit(part, depth + 1, seen));
        }
        ExprKind::Number(_) | ExprKind::Name { .. } | ExprKind::RustPath(_) | ExprKind::Error => {}
    }
}

fn run(tokens: TokenStream) -> usize {
    let mut diagnostics = Diagnostics::default();
    let program = parse(tokens, &mut diagnostics);
    verify(&program);
    assert_eq!(diagnostics.to_tokens().is_empty(), diagnostics.is_empty());
    diagnostics.len()
}

/// Returns the number of cases: the variable `RNN_CELL_FUZZ` if it is set, `usual` otherwise.
fn cases(usual: usize) -> usize {
    std::env::var("RNN_CELL_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

#[test]
fn the_parser_returns_for_random_tokens() {
    let mut random = Random::new(1);
    for case in 0..cases(20_000) {
        let tokens = if case % 4 == 0 { stream(&mut random, 0) } else { cell(&mut random) };
        let is_empty = tokens.is_empty();
        let found = run(tokens);
        assert!(found > 0 || !is_empty, "an empty macro defines no cell");
    }
}

#[test]
fn the_parser_returns_for_damaged_definitions() {
    let mut random = Random::new(2);
    let originals: Vec<TokenStream> = SAMPLES.iter().map(|source| source.parse().unwrap()).collect();
    let mut broken = 0;
    let total = cases(20_000);
    for _ in 0..total {
        let mut tokens = random.pick(&originals);
        for _ in 0..=random.below(3) {
            tokens = damage(&mut random, tokens);
        }
        broken += usize::from(run(tokens) > 0);
    }
    assert!(broken * 2 > total, "the parser reports most damage: {broken} of {total}");
}

#[test]
fn the_parser_returns_for_deeply_nested_groups() {
    for delimiter in [Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace, Delimiter::None] {
        let mut nest = TokenStream::new();
        for _ in 0..20_000 {
            nest = TokenTree::from(Group::new(delimiter, nest)).into();
        }
        let mut body: TokenStream = "y = ".parse().unwrap();
        body.extend([nest.clone()]);
        let mut tokens: TokenStream = "cell A".parse().unwrap();
        tokens.extend([TokenTree::from(Group::new(Delimiter::Brace, body))]);
        assert!(run(tokens) > 0);
        assert!(run(nest) > 0);
    }
}
