//! Tests of the extent that each message underlines: the shortest run of tokens that shows the
//! mistake.

use super::*;

/// Returns the text that the only message underlines, on one line.
fn underlined(source: &str) -> Option<String> {
    let tokens: TokenStream = format!("cell Test<I, H> {{\n{source}\n}}").parse().ok()?;
    let mut diagnostics = Diagnostics::default();
    parse(tokens, &mut diagnostics);
    let [[from, to]] = diagnostics.positions()[..] else { return None };
    // The definition begins on the second line of the source.
    let line: Vec<char> = source.lines().nth(from.0.checked_sub(2)?)?.chars().collect();
    (from.0 == to.0).then(|| line.get(from.1..to.1).map(|part| part.iter().collect()))?
}

#[test]
fn messages_underline_the_shortest_run_of_tokens() {
    for (source, text) in [
        ("y = W x + b;", "W x"),
        ("y = 2x + b;", "2x"),
        ("y = a + W[h, x];", "W[h, x]"),
        ("y = a\n    c;", "c"),
        ("y = np.tanh(u) + b;", "np.tanh"),
        ("y = u.tanh() + b;", ".tanh()"),
        ("y = W.t() + b;", ".t()"),
        ("y = matmul(W, x) + b;", "matmul"),
        ("y = u ** 2 + b;", "**"),
        ("y = a .* b;", ".*"),
        ("y = h(t-1) + b;", "(t-1)"),
        ("y = h[t+1] + b;", "[t+1]"),
        ("y = h[t + 2] + b;", "[t + 2]"),
        ("y = h[0] + b;", "[0]"),
        ("y = a > b;", "a > b"),
        ("y = where(a < b < c, u, v);", "<"),
        ("y = where(m, u, v);", "m"),
        ("c += f * x;", "+="),
        ("let f = x;", "let"),
        ("f == x;", "=="),
        ("f = |u| u;", "|u|"),
        ("y = if a { b } else { c };", "if"),
        ("y = (h, x);", "(h, x)"),
        ("y = W @ ;", "@"),
        ("y = 1f32;", "1f32"),
        ("# a comment", "#"),
        ("params W: [H];", "params"),
        ("param W;", "W"),
        ("state h, c;", "h, c"),
        ("state h c: [H];", "h c"),
        ("param W: (H, I);", "(H, I)"),
        ("param W: [H; I];", ";"),
        ("param W: [2H];", "2H"),
        ("param W: [H - 1];", "-"),
        ("param type: [H];", "type"),
        ("input x: [I] = 0;", "= 0"),
        ("output y = x;", "="),
        ("output tanh(c);", "(c)"),
        ("(a, b) = x;", "(a, b)"),
        // If a `;` is missing, the last token replaces the position behind it, which is only known
        // inside a compiler.
        ("i = x + b_i\nf = x;", "b_i"),
        ("i = tanh(x)\nf = x;", ")"),
        ("output x", "x"),
    ] {
        assert_eq!(underlined(source).as_deref(), Some(text), "{source}");
    }
}
