//! Tests of expressions: operators, operands, time indices, comparisons, nesting depth.

use super::*;
use crate::graph::ir::Comparison;

#[test]
fn notations_of_other_languages_are_reported() {
    mistakes(
        ("y = ", "; output y;"),
        &[
            ("W x", &["missing operator between `W` and `x`", "`W @ x`", "`W * x`"]),
            ("2x", &["missing operator between `2` and `x`", "`2 * x`"]),
            ("2h[t-1]", &["missing operator between `2` and `h[t-1]`"]),
            ("2 x", &["missing operator between `2` and `x`", "`2 * x`"]),
            ("2(a + b)", &["missing operator between `2` and `(a + b)`"]),
            ("(a + b)(c + d)", &["missing operator between `(a + b)` and `(c + d)`"]),
            ("a + p W @ x", &["missing operator between `p` and `W`"]),
            ("W [h[t-1], x]", &["missing operator between `W` and `[h[t-1], x]`", "`W @ [h[t-1], x]`"]),
            ("W.T x", &["missing operator between `W.T` and `x`"]),
            ("np.tanh(u)", &["no prefix and are not methods", "`tanh(u)`"]),
            ("torch.sigmoid(u)", &["no prefix and are not methods", "`sigmoid(u)`"]),
            ("torch.nn.functional.relu(u)", &["no prefix", "`relu(u)`"]),
            ("F.softmax(u)", &["no prefix", "`softmax(u)`"]),
            ("f32::tanh(u)", &["no prefix", "`tanh(u)`"]),
            ("np.matmul(W, x)", &["no function `matmul`", "`W @ x`"]),
            ("torch.cat((h, x))", &["no function `cat`", "`[h, x]`"]),
            ("u.tanh()", &["are not methods", "`tanh(u)`"]),
            ("h[t-1].tanh()", &["are not methods", "`tanh(h[t-1])`"]),
            ("u.clamp(0, 1)", &["are not methods", "`clamp(u, 0, 1)`"]),
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
            ("h ^ (t-1)", &["time index is written in brackets", "`h[t-1]`"]),
            ("h_{t-1}", &["time index is written in brackets", "`h[t-1]`"]),
            ("r#h_{t-1}", &["time index is written in brackets", "`h[t-1]`"]),
            ("r#match { t }", &["time index is written in brackets", "[t]`"]),
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
            ("vec![a]", &["macros aren't allowed"]),
            ("std::f64::consts::PI", &["Rust paths"]),
            ("{ a }", &["braces have no meaning"]),
            ("(h, x)", &["no tuples", "`[h, x]`"]),
            ("()", &["between the parentheses"]),
            ("[]", &["an empty stack"]),
            ("[a; b]", &["expected `,`, found `;`"]),
            ("+a", &["there is no prefix operator `+`"]),
            ("&a", &["there is no prefix operator `&`"]),
            ("a = b", &["a second `=`"]),
            ("softmax(a, axis = 1)", &["arguments have no names"]),
        ],
    );
}

#[test]
fn the_intended_expression_is_in_the_tree() {
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
fn names_in_failed_expressions_are_mentioned() {
    for source in ["a b", "a = b", "a ? b : 1", "h[a, b]", "if a { b } else { 1 }", "a % b", "[a] ] b"] {
        let Ok(_) = source.parse::<TokenStream>() else { continue };
        let (cell, messages) = items(&format!("y = {source};"));
        assert!(!messages.is_empty(), "{source}");
        for name in ["a", "b"] {
            assert!(
                cell.mentioned.iter().any(|mentioned| mentioned == name),
                "{source}: {:?}",
                cell.mentioned
            );
        }
    }
}

#[test]
fn invalid_time_indices_are_reported() {
    mistakes(
        ("y = ", "; output y;"),
        &[
            ("h(t-1)", &["time index is written in brackets", "`h[t-1]`"]),
            ("h(t)", &["time index is written in brackets", "`h[t]`"]),
            ("h(t-2)", &["time index is written in brackets", "`h[t-2]`"]),
            ("h[t+1]", &["`h[t+1]` is a later step", "`h[t-1]`"]),
            ("h[t+D]", &["`h[t+D]` is a later step", "`h[t-D]`"]),
            ("h[t-0]", &["a delay of zero steps", "`h`"]),
            ("h[t--2]", &["a negative delay"]),
            ("h[t-(-2)]", &["a negative delay"]),
            ("h[t-D*2]", &["the factor of a delay comes first", "`h[t-2*D]`"]),
            ("h[t-2D]", &["missing `*` in `2D`"]),
            ("h[t-(D+1)]", &["a delay cannot be a sum"]),
            ("h[t-D-1]", &["a delay cannot be a sum"]),
            ("h[t-1.5]", &["a whole number of steps"]),
            ("h[t*2]", &["invalid time index"]),
            ("h[0]", &["there is no indexing", "`[a, b] = h;`"]),
            ("h[i]", &["there is no indexing"]),
            ("W[0, 1]", &["there is no indexing"]),
            ("h[0..2]", &["there is no indexing"]),
            ("h[-1]", &["no indexing from the end", "`h[t-1]`"]),
            ("h[n - 1]", &["`n-1` is not a time index", "`h[t-1]`"]),
            ("h[]", &["there is no indexing"]),
            ("(a + b)[t-1]", &["can't follow `(a + b)`", "an equation `s = ..;`"]),
            ("tanh(c)[t-1]", &["can't follow `tanh(c)`"]),
            ("W.T[t-1]", &["can't follow `W.T`"]),
            ("2[t-1]", &["can't follow `2`"]),
            ("h[t-1][t-1]", &["can't follow `h[t-1]`"]),
        ],
    );
}

/// Writes a condition with parentheses around every `and` and `or`.
fn all_parentheses(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Logic { op, left, right } => {
            let word = crate::syntax::text::logic(*op);
            format!("({} {word} {})", all_parentheses(left), all_parentheses(right))
        }
        ExprKind::Not(inner) => format!("not {}", all_parentheses(inner)),
        ExprKind::Compare { op, left, right, .. } => {
            let [left, right] = [left, right].map(|side| crate::syntax::text::enclosed(side));
            format!("{left} {} {right}", crate::syntax::text::comparison(*op))
        }
        _ => panic!("not a condition"),
    }
}

#[test]
fn comparisons_are_only_allowed_in_where() {
    for (source, parts) in [
        ("a > b", &["only be the first argument of `where`", "where(a > b, 1, 0)"][..]),
        ("tanh(a > b)", &["only be the first argument of `where`"]),
        ("where(a < b < c, u, v)", &["can't be chained", "`a < b and b < c`"]),
        ("where(a < b and c > d >= e, u, v)", &["can't be chained", "`c > d and d >= e`"]),
        ("where(m, u, v)", &["must be a comparison", "where(m > 0, u, v)"]),
        ("where(a = b, u, v)", &["`=` is not a comparison", "`==`"]),
        ("where(a => b, u, v)", &["`=>` is not a comparison", "`>=`"]),
        ("where(a > b && c > d, u, v)", &["no operator `&&`", "write `and`"]),
        ("where(a > b & c > d, u, v)", &["no operator `&`", "write `and`"]),
        ("where(a > b || c > d, u, v)", &["no operator `||`", "write `or`"]),
        ("where((a > b) | (c > d), u, v)", &["no operator `|`", "write `or`"]),
        ("where(!(a > b), u, v)", &["no prefix operator `!`", "write `not`"]),
        ("where(a > b and !c > d, u, v)", &["no prefix operator `!`", "write `not`"]),
        ("where(~(a > b), u, v)", &["no prefix operator `~`", "write `not`"]),
        ("where(a > b xor c > d, u, v)", &["no operator `xor`", "`and`, `or` and `not`"]),
        ("where(a > b not c > d, u, v)", &["no operator `not`", "`and`, `or` and `not`"]),
        ("where(m and a > b, u, v)", &["operands of `and`, `or` and `not` must be comparisons", "`m > 0`"]),
        ("where(a > b or m, u, v)", &["operands of `and`, `or` and `not` must be comparisons", "`m > 0`"]),
        ("where(not (m), u, v)", &["operands of `and`, `or` and `not` must be comparisons", "`m > 0`"]),
        ("where((m) and a > b, u, v)", &["operands of `and`, `or` and `not` must be comparisons"]),
        ("where(not m, u, v)", &["operands of `and`, `or` and `not` must be comparisons", "`m > 0`"]),
        ("where(a > b and, u, v)", &["expected an expression"]),
        ("where(and a > b, u, v)", &["expected a comparison before `and` or `or`"]),
        ("where((a > b) == (c > d), u, v)", &["only be the first argument of `where`"]),
        ("a > b and c > d", &["only be the first argument of `where`", "where(a > b, 1, 0)"]),
        ("a and b", &["`and` can only be in the first argument of `where`", "where(a > b and c > d, u, v)"]),
        ("a || b", &["no operator `||`", "where(a > b or c > d, u, v)"]),
        ("not a", &["`not` can only be before a comparison"]),
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
    for (written, grouped) in [
        ("a > b or c < d and e == f", "(a > b or (c < d and e == f))"),
        ("a > b and c < d or e == f", "((a > b and c < d) or e == f)"),
        ("not a > b and not c < d", "(not a > b and not c < d)"),
        ("not (a > b and c < d) or e == f", "(not (a > b and c < d) or e == f)"),
        ("(a + b) > c and (d) <= e", "(a + b > c and d <= e)"),
        ("(a > b or c < d) and not not e != f", "((a > b or c < d) and not not e != f)"),
        ("a > b or c > d or e > f", "((a > b or c > d) or e > f)"),
    ] {
        let (cell, messages) = items(&format!("y = where({written}, u, v);"));
        assert!(messages.is_empty(), "{written}: {messages:?}");
        let ExprKind::Call { arguments, .. } = &cell.equations[0].value.kind else { panic!() };
        assert_eq!(all_parentheses(&arguments[0]), grouped);
        assert_eq!(crate::syntax::text::short(&arguments[0]), written);
    }
}

#[test]
fn invalid_numbers_are_reported() {
    mistakes(
        ("y = ", "; output y;"),
        &[
            ("1f32", &["numbers have no type: `f32`", "`1`"]),
            ("1.5_f64", &["numbers have no type: `f64`", "`1.5`"]),
            ("1e999", &["too large for a float"]),
            ("1e-999", &["too small for a float"]),
            ("0x1F", &["not a decimal number"]),
            ("\"a\"", &["expected a number, found `\"a\"`"]),
            ("'a'", &["expected a number"]),
        ],
    );
}

#[test]
fn missing_operands_are_reported() {
    mistakes(
        ("y = ", "; output y;"),
        &[
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
        ],
    );
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
