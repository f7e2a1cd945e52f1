//! Tests of the length of an expansion, and of the time that it takes.

use super::{LSTM, expand, parse, within_bounds};
use std::fmt::Write;

/// Counts lines without documentation, as `cargo expand` shows them.
fn lines(source: &str) -> usize {
    let text = prettyplease::unparse(&parse(&expand(source)));
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//") && !line.starts_with("/*"))
        .count()
}

#[test]
fn lengths() {
    let elman = "cell Elman<I, H> { input x: [I]; state h: [H]; param W: [H, H+I]; param b: [H]; h = tanh(W @ [h[t-1], x] + b); output h; }";
    for (source, most) in [(elman, 500), (LSTM, 900)] {
        let count = lines(source);
        assert!((most / 2..=most).contains(&count), "{count} lines");
    }
}

fn expands_quickly(source: &str) {
    let head: String = source.chars().take(80).collect();
    let text = within_bounds(&head, || expand(source)).to_string();
    let mistake = text.find("compile_error").map(|at| text.chars().skip(at).take(300).collect::<String>());
    assert_eq!(mistake, None, "{head}");
}

/// Each function uses its argument twice: written out, the last one would have 2^60 terms.
#[test]
fn functions_that_double() {
    let mut functions = "fn f0(u) = u + 1;".to_owned();
    for level in 1..=60 {
        let _ = write!(functions, "fn f{level}(u) = f{0}(u) * f{0}(u) + u;", level - 1);
    }
    expands_quickly(&format!("cell Doubling<H> {{ input x: [H]; {functions} y = f60(x); output y; }}"));
}

#[test]
fn squares_of_squares() {
    let mut equations = "y0 = tanh(x);".to_owned();
    for level in 1..=60 {
        let _ = write!(equations, "y{level} = y{0} * y{0};", level - 1);
    }
    expands_quickly(&format!("cell Squares<H> {{ input x: [H]; {equations} output y60; }}"));
    // Nameless values, each level used twice.
    let mut nested = "x".to_owned();
    for _ in 0..60 {
        nested = format!("square(sin({nested}))");
    }
    expands_quickly(&format!("cell Nested<H> {{ input x: [H]; y = {nested}; output y; }}"));
}

#[test]
fn many_equations() {
    let mut equations = String::new();
    for index in 0..1000 {
        let _ = write!(
            equations,
            "v{index} = sigmoid(W @ h[t-1] * {index} + {}) * x;",
            if index == 0 { "h[t-1]".to_owned() } else { format!("v{}", index - 1) }
        );
    }
    expands_quickly(&format!(
        "cell Many<H> {{ input x: [H]; state h: [H]; param W: [H, H]; {equations} h = tanh(v999); output h; }}"
    ));
}

/// Every equation has its own product, which depends on the previous one.
#[test]
fn many_products_in_a_row() {
    let mut equations = "v0 = x;".to_owned();
    for index in 1..500 {
        let _ = write!(equations, "v{index} = tanh(W @ v{});", index - 1);
    }
    expands_quickly(&format!("cell Deep<H> {{ input x: [H]; param W: [H, H]; {equations} output v499; }}"));
}

#[test]
fn many_parameters() {
    let (mut parameters, mut equations) = (String::new(), "v0 = x;".to_owned());
    for index in 1..500 {
        let _ = write!(parameters, "param W{index}: [H, H], b{index}: [H];");
        let _ = write!(equations, "v{index} = v{} + tanh(W{index} @ h[t-1] + b{index});", index - 1);
    }
    expands_quickly(&format!(
        "cell Wide<H> {{ input x: [H]; state h: [H]; {parameters} {equations} h = v499; output h; }}"
    ));
}

/// Constants made of dimensions are written inline only while they are short.
#[test]
fn constants_that_double() {
    let mut equations = "k0 = sqrt(H);".to_owned();
    for level in 1..=60 {
        let _ = write!(equations, "k{level} = k{0} * k{0} / 2;", level - 1);
    }
    expands_quickly(&format!("cell Constants<H> {{ input x: [H]; {equations} y = k60 * x; output y; }}"));
}

/// Each function applies the previous one to its own result: the last one would have 2^60
/// operations, all different.
#[test]
fn functions_that_grow_without_bound() {
    let mut functions = "fn f0(u) = sin(u);".to_owned();
    for level in 1..=60 {
        let _ = write!(functions, "fn f{level}(u) = f{0}(f{0}(u));", level - 1);
    }
    let source = format!("cell Growing<H> {{ input x: [H]; {functions} y = f60(x); output y; }}");
    let text = within_bounds("functions", || expand(&source)).to_string();
    assert!(text.contains("more than 50000 operations"), "{}", &text[..300]);
}

/// A multiple of a dimension is that many blocks.
#[test]
fn multiples_of_dimensions() {
    expands_quickly("cell Tall<H> { input x: [64*H]; y = tanh(x); output y; }");
    let product =
        "cell Large<H> { input x: [H]; param W: [32*H, 32*H], U: [32*H, H]; y = W @ (U @ x); output y; }";
    expands_quickly(product);
}

/// A stack of stacks of itself: the last one would have 2^23 blocks.
#[test]
fn stacks_that_double() {
    let mut equations = "s0 = [x, x];".to_owned();
    for level in 1..=22 {
        let _ = write!(equations, "s{level} = [s{0}, s{0}];", level - 1);
    }
    let source = format!("cell Stacks<H> {{ input x: [H]; {equations} y = sum(s22); output y; }}");
    let text = within_bounds("stacks", || expand(&source)).to_string();
    assert!(text.contains("a stack of 512 blocks"), "{}", &text[..300]);
}
