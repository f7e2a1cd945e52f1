//! Small cells: each kind of input with each of the first things that one does with a value.
//!
//! Random cells are large, and nearly everything in them meets nearly everything else. Here each
//! kind of value is the only one of its cell.

use super::Definition;
use super::definition::{dimensions, words};

/// The declaration of the inputs, a value that they give, and its shape.
const VALUES: [(&str, &str, &str); 15] = [
    ("param p: [I];", "p", "[I]"),
    ("input x: [I];", "x", "[I]"),
    ("input s: [];", "s", "[]"),
    ("input r: [1, I];", "r", "[1, I]"),
    ("input X: [I, E];", "X", "[I, E]"),
    ("input w: one_hot[V]; param W: [I, V];", "W @ w", "[I]"),
    ("input w: one_hot[V], v: one_hot[V]; param W: [I, V];", "W @ w + W @ v", "[I]"),
    ("input x: [I], s: [];", "x * s", "[I]"),
    ("input x: [I], e: [E];", "[x, e]", "[I + E]"),
    ("input x: [I + E];", "x", "[I + E]"),
    ("input x: [2*I];", "x", "[2*I]"),
    ("context q: [I];", "q", "[I]"),
    ("context M: [I, E];", "M", "[I, E]"),
    ("input w: one_hot[V]; context M: [I, V];", "M @ w", "[I]"),
    ("input w: one_hot[V]; context M: [V, I]; param W: [V, I];", "(W * M).T @ w", "[I]"),
];

/// The uses of a value `{v}` of shape `{shape}`.
const USES: [&str; 37] = [
    "y = {v};",
    "y = tanh({v});",
    "y = ({v}).T;",
    "y = mean({v});",
    "y = sum(tanh({v}));",
    "u = {v}; y = u; z = u + 1; output z;",
    "u = {v}; y = u[t-1]; z = u; output z;",
    "param a: [] = 0.3; y = a; z = {v}; output z;",
    "u = {v}; y = u[t-1];",
    "u = tanh({v}); y = u[t-1] + u;",
    "u = mean({v}); y = u[t-S] * u;",
    "u = {v}; y = where(u > 0, u, 0);",
    "u = mean({v}); y = where(u > 0 and u < 1, u, -u);",
    "y = sum(window(mean({v}), S));",
    "u = mean({v}); y = mean(window(u, S)) * sum(present(S));",
    "param g: [3]; u = mean({v}); y = window(u, 3) @ (g * present(3).T);",
    "y = sum(present(3)) * {v};",
    "state n: []; n = n[t-1] + mean({v}); y = n;",
    "state h: {shape}; h = 0.5 * h[t-1] + {v}; y = h;",
    "state h: {shape}; h = 0.5 * h[t-1] + {v}; y = h + h[t-1];",
    "state h: {shape} = 0.2; param a: []; h = tanh({v}) * h[t-1] + a; y = sum(h);",
    "heads K { param a: []; y = a * mean({v}); }",
    "heads K { param a: []; state m: []; m = a * mean({v}) + m[t-1]; } y = m;",
    "heads K { param a: []; u = a * mean({v}); } y = u[t-1];",
    "heads K { param a: []; u = a * mean({v}); } y = mean(window(u, S));",
    "heads K { param a: []; u = a * mean({v}); y = u[t-1] + mean(window(u, 3)); }",
    "heads K { param a: [D]; u = tanh(a * mean({v})); } y = window(u, S);",
    "heads K { param a: [D]; u = tanh(a * mean({v})); } param g: [E, K*D]; y = g * u.T;",
    "heads 4 { param a: [4], b: [4, 2]; u = a * mean({v}); y = row_sum(b * blocks(u, 2)); }",
    "heads 4 { param a: [D]; u = tanh(a * mean({v})); } y = u * repeat_heads(sum_heads(u, 2), 4);",
    "y = vec({v});",
    "u = tanh({v}); y = vec(u[t-1]) * vec({v});",
    "param Q: [D, S*I]; y = Q @ vec(window({v}, S));",
    "u = {v}; y = u[t-2*S];",
    "u = {v}; y = u[t-1] * u[t-2] + u[t-S] + u;",
    "u = {v}; y = softmax(u);",
    "param a: {shape} = 1.0, b: {shape}; y = layer_norm({v}, a, b);",
];

impl Definition {
    /// Returns all small cells.
    pub fn small() -> Vec<Self> {
        let mut all = Vec::new();
        for (declarations, value, shape) in VALUES {
            for text in USES {
                if is_valid(shape, text) {
                    let text = text.replace("{v}", value).replace("{shape}", shape);
                    all.push(small(
                        format!("Small{}", all.len()),
                        &format!("{declarations} {text} output y;"),
                    ));
                }
            }
        }
        all
    }
}

/// Returns whether the language has this use of values of this shape.
fn is_valid(shape: &str, text: &str) -> bool {
    match shape {
        _ if text.contains("S*I") => shape == "[I]",
        "[]" => !text.contains("softmax") && !text.contains("layer_norm"),
        "[I, E]" => !text.contains("softmax") && !text.contains("[t-2*S]") && !text.contains("[t-2]"),
        _ => true,
    }
}

fn small(name: String, body: &str) -> Definition {
    let dimensions = dimensions(&words(body));
    let list = dimensions.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let text = format!("pub cell {name}<{list}> {{ {body} }}");
    let inputs = body.strip_prefix("input ").and_then(|rest| rest.split(';').next());
    let inputs = inputs.map_or(0, |list| list.matches(':').count());
    let indices = ["w", "v"].into_iter().filter(|name| body.contains(&format!("{name}: one_hot"))).collect();
    Definition { name, dimensions, inputs, indices, equations: body.matches(" = ").count(), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_hundreds_of_different_cells() {
        let all = Definition::small();
        assert_eq!(all.len(), VALUES.len() * USES.len() - 15);
        for (index, cell) in all.iter().enumerate() {
            let same =
                |other: &Definition| other.text.replace(&other.name, "") == cell.text.replace(&cell.name, "");
            assert!(!all[..index].iter().any(same), "{}", cell.text);
        }
    }

    #[test]
    fn inputs_are_counted() {
        let inputs = |text: &str| (small("A".into(), text).inputs, small("A".into(), text).indices);
        assert_eq!(inputs("input x: [I], s: []; output x;"), (2, vec![]));
        assert_eq!(inputs("input w: one_hot[V]; output w;"), (1, vec!["w"]));
        assert_eq!(inputs("context q: [I]; output q;"), (0, vec![]));
    }
}
