//! Suggestions for names that are not known.

/// Returns the candidate closest to `name`: one that differs in letter case and underscores only,
/// or in a few typing mistakes.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(name);
    let allowed = allowed_distance(name);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| {
            if fold(candidate) == folded {
                return Some((0, candidate));
            }
            let distance = distance(name, candidate, allowed)?;
            Some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// Returns the allowed number of mistakes: one per three letters. A single letter allows none,
/// since any other letter would be one mistake away.
fn allowed_distance(name: &str) -> usize {
    match name.chars().count() {
        0 | 1 => 0,
        length => (length / 3).max(1),
    }
}

/// Returns the number of insertions, deletions, substitutions and swaps of neighbours between `a`
/// and `b`, the optimal string alignment distance. Returns `None` if it is more than `allowed`.
fn distance(a: &str, b: &str, allowed: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    // The work is quadratic, and nobody mistypes a very long name for another, so long names are
    // skipped.
    if allowed == 0 || a.len().abs_diff(b.len()) > allowed || a.len() > 64 || b.len() < 2 {
        return None;
    }
    // In a name of two letters, the first must be right: `x0` isn't `h0`.
    if a.len() == 2 && a[0] != b[0] {
        return None;
    }
    let mut before_last: Vec<usize>;
    let mut last: Vec<usize> = vec![];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        before_last = last;
        last = row;
        row = vec![i];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
    }
    // If every letter is replaced (`xt` for `ab`), the names have nothing in common.
    row.last().copied().filter(|distance| *distance <= allowed && *distance < a.len().min(b.len()).max(2))
}

/// The step that a name such as `h_prev` usually means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// `h_prev`, `h_t_1`, `hprev`, `prev_h`
    Previous,
    /// `h_t`, `h_new`
    Present,
}

/// Splits `h_prev` into `h` and [`Habit::Previous`]. The caller checks that `h` exists.
pub fn time_habit(name: &str) -> Option<(&str, Habit)> {
    const PREVIOUS: &[&str] = &[
        "_t_minus_1",
        "_tminus1",
        "_minus_1",
        "_previous",
        "_tm1",
        "_t_1",
        "_prev",
        "_last",
        "_old",
        "tm1",
        "prev",
        "Prev",
    ];
    let previous = PREVIOUS.iter().find_map(|suffix| name.strip_suffix(suffix)).or_else(|| {
        ["prev_", "previous_", "last_", "old_"].iter().find_map(|prefix| name.strip_prefix(prefix))
    });
    if let Some(base) = previous.filter(|base| !base.is_empty()) {
        return Some((base, Habit::Previous));
    }
    let present = ["_t", "_new", "_next", "_now"].iter().find_map(|suffix| name.strip_suffix(suffix));
    present.filter(|base| !base.is_empty()).map(|base| (base, Habit::Present))
}

/// Returns a help text for a function of another library or field.
pub fn foreign_function(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().replace('_', "").as_str() {
        "matmul" | "dot" | "mm" | "bmm" | "mv" | "linear" => "the matrix product is `W @ x`",
        "cat" | "concat" | "concatenate" | "append" => "`[h, x]` puts `h` above `x`",
        "outer" => "the outer product is `u @ v.T`",
        "inner" => "the inner product is `u.T @ v`",
        "mul" | "multiply" | "hadamard" => "the element-wise product is `u * v`",
        "neg" | "negative" => "write `-u`",
        "log" => "the natural logarithm is `ln(u)`",
        "logistic" | "sigm" | "expit" | "sgm" => "should this be `sigmoid`?",
        "swish" => "should this be `silu`?",
        "lrelu" => "should this be `leaky_relu`?",
        "htanh" => "should this be `hard_tanh`?",
        "hsigmoid" => "should this be `hard_sigmoid`?",
        "maximum" => "should this be `max`?",
        "minimum" => "should this be `min`?",
        "power" => "should this be `pow`?",
        "sq" | "sqr" => "should this be `square`?",
        "clip" => "should this be `clamp`?",
        "fabs" => "should this be `abs`?",
        "reciprocal" | "inv" => "should this be `recip`?",
        "detach" | "sg" | "stopgrad" => "should this be `stop_gradient`?",
        "select" | "cond" | "ifelse" => "should this be `where`?",
        "avg" | "average" => "should this be `mean`?",
        "sgn" | "signum" => "should this be `sign`?",
        "zeros" | "ones" => "a number fits every shape: write `0` or `1`",
        "dropout" | "rand" | "randn" => "noise is an input of the cell",
        _ => return None,
    })
}

/// Returns the name of the initialiser that matches one of another library.
pub fn foreign_initialiser(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().replace('_', "").as_str() {
        "glorotuniform" | "xavier" | "glorot" => "xavier_uniform",
        "glorotnormal" => "xavier_normal",
        "heuniform" | "kaiming" | "he" => "kaiming_uniform",
        "henormal" => "kaiming_normal",
        "lecun" | "lecununiform" => "lecun_normal",
        "eye" => "identity",
        "gaussian" | "randn" | "randomnormal" => "normal(0.1)",
        "rand" | "randomuniform" => "uniform(0.1)",
        "zero" => "zeros",
        "one" => "ones",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_prefers_letter_case_over_typing_mistakes() {
        assert_eq!(nearest("w_f", ["W_i", "W_f", "b_f"]), Some("W_f"));
        assert_eq!(nearest("sigmiod", ["sigmoid", "silu"]), Some("sigmoid"));
        assert_eq!(nearest("Sigmoid", ["sigmoid"]), Some("sigmoid"));
        assert_eq!(nearest("b_o", ["x", "b_f", "q"]), Some("b_f"));
        assert_eq!(nearest("H", ["h"]), Some("h"));
        assert_eq!(nearest("q", ["x"]), None);
        assert_eq!(nearest("ab", ["xy"]), None);
        assert_eq!(nearest("h0", ["h", "H", "x0"]), None);
        assert_eq!(nearest("h0", ["h1"]), Some("h1"));
        assert_eq!(nearest("gate", ["output_gate"]), None);
    }

    #[test]
    fn distance_counts_a_swap_once() {
        assert_eq!(distance("thna", "than", 1), Some(1));
        assert_eq!(distance("abc", "abd", 1), Some(1));
        assert_eq!(distance("abc", "axd", 1), None);
    }

    #[test]
    fn recognises_names_of_the_previous_step() {
        for name in ["h_prev", "hprev", "h_t_1", "h_tm1", "prev_h", "h_last", "h_old", "hPrev"] {
            assert_eq!(time_habit(name), Some(("h", Habit::Previous)), "{name}");
        }
        assert_eq!(time_habit("h_t"), Some(("h", Habit::Present)));
        assert_eq!(time_habit("prev"), None);
        assert_eq!(time_habit("gate"), None);
    }
}
