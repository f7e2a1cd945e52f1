//! Tests that the text can be checked with nothing but the equations.

use super::adjoints;
use crate::analysis::shapes::Shapes;
use crate::dim::Shape;
use crate::graph::grid::{block_name, positions};
use crate::lower::names::declared_name;
use crate::plan::Plan;
use crate::syntax::ast::DeclarationKind;
use crate::testing::samples::SAMPLES;
use crate::testing::source::{Definition, read, read_all, ready};
use std::collections::HashSet;

fn text(definition: &Definition, plan: &Plan) -> String {
    adjoints(definition.shaped(), &definition.past, plan)
}

/// Returns the names of the blocks of a declared or defined value.
fn blocks(name: &str, shape: &Option<Shape>) -> Vec<String> {
    let blocks = shape.as_ref().map_or((1, 1), Shape::blocks);
    positions(blocks).map(|(row, column)| block_name(name, blocks, row, column)).collect()
}

/// Returns the names that a reader of the equations knows: declarations, equations, and the
/// cotangents that the backward pass starts from.
fn known(definition: &Definition) -> HashSet<String> {
    let Definition { cell, shapes, .. } = definition;
    let Shapes { declarations, targets, .. } = shapes;
    // The step, a transpose, a sum over steps, and the value of excluded entries of a mask.
    let mut known: HashSet<String> = ["t", "T", "Σ", "inf"].map(str::to_owned).into();
    known.extend(cell.dimensions.iter().map(ToString::to_string));
    for (declaration, shape) in cell.declarations.iter().zip(declarations) {
        let names = blocks(&declaration.name.to_string(), shape);
        if declaration.kind == DeclarationKind::State {
            known.extend(names.iter().map(|name| format!("{name}_bar[t]")));
        }
        known.extend(names);
    }
    for (equation, shapes) in cell.equations.iter().zip(targets) {
        for (target, shape) in equation.targets.iter().zip(shapes) {
            let names = blocks(&target.to_string(), shape);
            if cell.outputs.contains(target) {
                known.extend(names.iter().map(|name| format!("{name}_out_bar")));
            }
            known.extend(names);
        }
    }
    known
}

/// Returns the names in an expression, except for functions and the words between conditions.
fn names(text: &str) -> Vec<String> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let mut names = vec![];
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let from = &rest[start..];
        let end = from.find(|character| !is_part(character)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        let is_word = ["and", "or", "not"].contains(&word);
        let is_name = !is_word && !word.starts_with(|first: char| first.is_ascii_digit());
        // A cotangent of a later step may have its line below.
        if is_name && !after.starts_with('(') && !after.starts_with("[t+") {
            // The cotangent of an old or a new state is named with its step.
            let of_step = ["[t]", "[t-1]"].into_iter().find(|step| after.starts_with(step));
            let is_cotangent = ["_bar", "_cotangent"].iter().any(|end| word.ends_with(end));
            names.push(format!("{word}{}", of_step.filter(|_| is_cotangent).unwrap_or_default()));
        }
        rest = after;
    }
    names
}

fn check(definition: &Definition) {
    let plan = definition.plan();
    let text = text(definition, &plan);
    let mut known = known(definition);
    for line in text.lines() {
        let (name, value) = line.split_once(" = ").expect("a line is an equation");
        for name in names(value) {
            assert!(known.contains(&name), "{name} is not defined before\n{line}\nin\n{text}");
        }
        assert!(!value.contains(".."), "cut short: {line}");
        assert!(known.insert(name.to_owned()), "{name} is defined twice in\n{text}");
    }
    // A parameter that no output depends on has no cotangent.
    for bound in plan.gradients.iter().chain(&plan.context_bars).chain(&plan.input_bars) {
        let of = declared_name(&definition.cell, &definition.shapes, bound.piece);
        let has_line = ["bar", "cotangent"].iter().any(|what| known.contains(&format!("{of}_{what}")));
        assert!(has_line, "no {of}_bar in\n{text}");
    }
}

#[test]
fn every_name_is_known_in_library_cells() {
    let cells = ready();
    assert!(cells.len() > 40);
    cells.iter().for_each(check);
}

#[test]
fn every_name_is_known_in_samples_and_random_cells() {
    SAMPLES.iter().flat_map(|source| read_all(source)).for_each(|definition| check(&definition));
    for seed in 1..60 {
        check(&read(&random_cells::Definition::new(seed).text));
    }
}

#[track_caller]
fn assert_reads(source: &str, expected: &[&str]) {
    let definition = read(source);
    let text = text(&definition, &definition.plan());
    for line in expected {
        assert!(text.lines().any(|found| found == *line), "{line} is not in\n{text}");
    }
}

/// A subexpression of an equation has no name: its cotangent is written in terms of the expression.
#[test]
fn short_values_are_written_out() {
    assert_reads(
        "cell Own<H> { input x, m: [H]; state h, c: [H]; param k: [H];
            o_pre = k * x; c = c[t-1] + x; h = sigmoid(o_pre) * tanh(c) * m; output h; }",
        &[
            "o_pre_bar = ((h_bar * m) * tanh(c)) * (sigmoid(o_pre) * (1 - sigmoid(o_pre)))",
            "m_bar = h_bar * (sigmoid(o_pre) * tanh(c))",
        ],
    );
}

#[test]
fn long_values_come_first() {
    assert_reads(
        "cell Leaky<I, H> { input x: [I]; state h: [H]; param W: [H, H], V: [H, I], k: [];
            h = (1 - k) * h[t-1] + k * tanh(W @ h[t-1] + V @ x); output h; }",
        &["value_5 = tanh(W @ h[t-1] + V @ x)"],
    );
}

/// `@` and `*` have the same precedence, so a product between them is parenthesised.
#[test]
fn products_are_parenthesised() {
    assert_reads(
        "cell Gated<H> { input x: [H]; state h: [H]; param U: [H, H];
            r = sigmoid(x); h = tanh(U @ (r * h[t-1])); output h; }",
        &["r_bar = (U.T @ h_pre_bar) * h[t-1]", "U_bar = Σ h_pre_bar @ (r * h[t-1]).T"],
    );
}

/// Two values that share a cotangent both have a line, and so does an input that is passed through
/// as an output.
#[test]
fn every_cotangent_has_a_line() {
    assert_reads(
        "cell Biases<H> { input x: [H]; state h: [H]; param a, b: [H];
            y = x + h[t-1]; h = tanh(a + b + h[t-1]); output y; }",
        &["a_bar = Σ h_pre_bar", "b_bar = a_bar", "x_bar = y_out_bar"],
    );
}

/// State-space models use such names.
#[test]
fn equations_with_names_like_cotangents() {
    assert_reads(
        "cell Bars<H> { input x: [H]; state h: [H]; param A, B: [H];
            B_bar = B / A; h = A * h[t-1] + B_bar * x; output h; }",
        &["B_bar_bar = Σ (h_bar * x)", "B_cotangent = B_bar_bar / A"],
    );
}

/// The user's `u_pre` keeps its name, although the argument of `u = tanh(..)` would get the same
/// one.
#[test]
fn names_of_users_take_precedence() {
    assert_reads(
        "cell Names<H> { input x: [H]; state h: [H]; param a: [H];
            u = tanh(a * x); u_pre = h[t-1] * a; h = u * u_pre; output h; }",
        &["u_bar = h_bar * u_pre"],
    );
}
