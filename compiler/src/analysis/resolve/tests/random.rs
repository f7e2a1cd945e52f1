//! Tests with random definitions, most of them wrong: the checks terminate, and nothing is unknown
//! without a message.

use super::check;
use crate::testing::random::Random;
use std::fmt::Write;

const DIMENSIONS: &[&str] = &["H", "H", "I", "H + I", "2*H", "3", "1", "K", "K*H", "H*K"];

const NAMES: &[&str] = &[
    "x",
    "h",
    "h[t-1]",
    "c",
    "c[t-1]",
    "W",
    "W.T",
    "U",
    "b",
    "k",
    "w",
    "M",
    "z",
    "z[t-1]",
    "y",
    "g",
    "q",
    "H",
    "h_prev",
    "x[t-1]",
    "_u",
    "tanh",
    "h.head",
    "z.head",
    "c[t-2].head",
    "y[t-H]",
    "M[t-2]",
];

const FUNCTIONS: &[&str] = &[
    "tanh",
    "sum",
    "row_sum",
    "softmax",
    "layer_norm",
    "max",
    "clamp",
    "stop_gradient",
    "f",
    "g",
    "x",
    "where",
    "rms_norm",
    "window",
    "present",
    "blocks",
    "repeat_heads",
    "sum_heads",
    "vec",
    "nothing",
];

const INITIALISERS: &[&str] = &[
    "",
    "",
    " = 1",
    " = orthogonal",
    " = uniform(0.1)",
    " = b",
    " = tanh(k)",
    " = zeros",
    " = xavier",
    " = normal(H)",
];

fn expression(random: &mut Random, depth: usize, out: &mut String) {
    let kind = if depth > 4 { random.below(3) } else { random.below(11) };
    match kind {
        0..=1 => out.push_str(random.pick(NAMES)),
        2 => out.push_str(random.pick(&["1", "0.5", "2"])),
        3..=6 => {
            out.push('(');
            expression(random, depth + 1, out);
            out.push_str(random.pick(&[" + ", " - ", " * ", " / ", " @ ", " @ "]));
            expression(random, depth + 1, out);
            out.push(')');
        }
        7 => {
            out.push('[');
            list(random, depth, out);
            out.push(']');
        }
        8 => {
            out.push_str("-(");
            expression(random, depth + 1, out);
            out.push_str(").T");
        }
        9 => {
            out.push_str("where(");
            expression(random, depth + 1, out);
            out.push_str(" > ");
            list(random, depth, out);
            out.push(')');
        }
        _ => {
            out.push_str(random.pick(FUNCTIONS));
            out.push('(');
            list(random, depth, out);
            out.push(')');
        }
    }
}

fn list(random: &mut Random, depth: usize, out: &mut String) {
    let length = 1 + random.below(3);
    for index in 0..length {
        if index > 0 {
            out.push_str(", ");
        }
        expression(random, depth + 1, out);
    }
}

fn definition(random: &mut Random) -> String {
    let mut out = "<H, I, K> ".to_owned();
    items(random, &mut out);
    while random.below(3) == 0 {
        let _ = write!(out, "heads {} {{ ", random.pick(&["K", "K", "2", "1", "H", "x", ""]));
        items(random, &mut out);
        out.push_str("} ");
    }
    for _ in 0..random.below(3) {
        let _ = write!(out, "output {}; ", random.pick(&["h", "c", "y", "z", "x", "q"]));
    }
    out
}

/// Writes declarations, functions and equations.
fn items(random: &mut Random, out: &mut String) {
    for _ in 0..random.below(8) {
        let kind = random.pick(&["input", "state", "state", "param", "param", "buffer", "context"]);
        let name = random.pick(&["x", "h", "c", "W", "U", "b", "k", "w", "M", "z", "H"]);
        let shape = match random.below(6) {
            0 => String::new(),
            1..=3 => random.pick(DIMENSIONS).to_owned(),
            _ => format!("{}, {}", random.pick(DIMENSIONS), random.pick(DIMENSIONS)),
        };
        let one_hot = if kind == "input" && random.below(5) == 0 && !shape.is_empty() && !shape.contains(',')
        {
            "one_hot"
        } else {
            ""
        };
        let initial = if kind == "input" { "" } else { random.pick(INITIALISERS) };
        let _ = write!(out, "{kind} {name}: {one_hot}[{shape}]{initial}; ");
    }
    for _ in 0..random.below(3) {
        let _ =
            write!(out, "fn {}({}) = ", random.pick(&["f", "g", "tanh"]), random.pick(&["x", "u, v", "H"]));
        expression(random, 3, out);
        out.push_str("; ");
    }
    for _ in 0..random.below(8) {
        let target = random.pick(&[
            "h",
            "c",
            "z",
            "y",
            "g",
            "q",
            "[y, g]",
            "[h, z, q]",
            "x",
            "H",
            "_u",
            "y: [H]",
            "z: [K]",
        ]);
        let _ = write!(out, "{target} = ");
        expression(random, 0, out);
        out.push_str("; ");
    }
}

/// Valid definitions, split into words so that single ones can be replaced.
const VALID: [&str; 2] = [
    "<I, H, S> input x : [ I ] ; context M : [ H , S ] ; state h , c : [ H ] ; param W : [ 2*H , H + I ] ; \
    param U : [ H , H ] ; param b , g : [ H ] ; buffer k : [ ] = 0.5 ; fn f ( u , v ) = u * tanh ( v ) ; \
    [ i , o ] = sigmoid ( W @ [ h[t-1] , x ] ) ; e = softmax ( h[t-1] .T @ M ) ; q = M @ e .T ; \
    c = i * c[t-1] + ( 1 - k ) * f ( o , q ) ; n = layer_norm ( U @ c , g , b ) ; \
    h = where ( n > 0 , n , k * max ( n , c ) ) ; y = row_sum ( M ) + sum ( x ) * h ; output h , y ;",
    "<I, D, K> input x : [ I ] ; state z : [ K*D ] ; param A : [ D , I ] ; e = A @ x ; \
    heads K { param W : [ D , I ] , V : [ D , D ] ; state h : [ D ] , a : [ ] ; \
    q = W @ x + V @ h[t-1] + e ; p = softmax ( q .T @ window ( q , 3 ) , present ( 3 ) ) ; \
    h = window ( e , 3 ) @ p .T + q[t-2] * z[t-1].head ; a = 0.5 * a[t-1] + mean ( h ) ; } \
    param B : [ D , K*D ] ; z = tanh ( h + z[t-1] ) ; y = B @ ( z * h[t-1] ) + sum ( a ) * e ; output y , a ;",
];

#[test]
fn the_checks_terminate_for_random_definitions() {
    for seed in 0..1_000 {
        check(&definition(&mut Random::new(seed)));
    }
}

#[test]
fn the_checks_terminate_for_definitions_with_one_word_replaced() {
    for definition in VALID {
        assert!(check(definition).messages.is_empty(), "{:?}", check(definition).messages);
        let valid = with_one_word_replaced(definition);
        // Replacing a word by one of the same kind is often valid. Most other replacements are
        // wrong.
        assert!((50..1_000).contains(&valid), "{valid}");
    }
}

/// Returns the number of valid definitions among 2,000 with one word replaced.
fn with_one_word_replaced(definition: &str) -> usize {
    let words: Vec<&str> = definition.split(' ').collect();
    // The first three words, the dimensions, are kept.
    let exchanged: Vec<usize> = (3..words.len())
        .filter(|index| words[*index].chars().any(|c| c.is_alphanumeric() || "+-*/@".contains(c)))
        .collect();
    let mut valid = 0;
    for seed in 0..2_000 {
        let random = &mut Random::new(seed);
        let mut words = words.clone();
        let place = exchanged[random.below(exchanged.len())];
        words[place] = words[exchanged[random.below(exchanged.len())]];
        valid += usize::from(check(&words.join(" ")).messages.is_empty());
    }
    valid
}
