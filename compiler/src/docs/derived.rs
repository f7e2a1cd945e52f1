//! Derived equations as mathematics: the lines of the backward equations and of the Jacobian, which
//! `text` writes in the language of the definition, as MathML.
//!
//! A name has the time index of its line, and no other. `x_bar` is the letter with a bar above.
//! Only parentheses that the formula needs are written.

use super::math::{At, called, column, fraction, name, number_text, parentheses, row, time_index, word};
use super::names::{Name, escaped};

/// Returns the lines of a text as a table of formulas. A line that is not a formula remains text.
pub fn derived(text: &str) -> String {
    let mut out = String::from("<div class=\"rnn-scroll\"><div class=\"rnn-math\">\n");
    for line in text.lines() {
        match formula(line) {
            Some((left, right)) => {
                let set = |inner: &str| format!("<math displaystyle=\"true\"><mrow>{inner}</mrow></math>");
                let right = set(&format!("<mo>=</mo>{}", right.show()));
                out.push_str(&format!("<div>{}</div><div>{right}</div>\n", set(&left.show())));
            }
            None => out.push_str(&format!("<p>{}</p>\n", escaped(line))),
        }
    }
    out.push_str("</div></div>\n");
    out
}

/// Parses `left = right`. Returns `None` for any other text.
fn formula(line: &str) -> Option<(Formula<'_>, Formula<'_>)> {
    let mut parser = Parser { tokens: tokens(line)?, at: 0 };
    let left = parser.sum()?;
    parser.take("=").then_some(())?;
    let right = parser.sum()?;
    (parser.at == parser.tokens.len()).then_some((left, right))
}

/// Splits a line into names, numbers, time indices with their brackets, and signs.
fn tokens(line: &str) -> Option<Vec<&str>> {
    let mut tokens = vec![];
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first.is_ascii_digit() {
            number_length(rest)
        } else if is_letter(first) && !matches!(first, 'Σ' | 'δ') {
            rest.find(|c: char| !is_letter(c) && !c.is_ascii_digit()).unwrap_or(rest.len())
        } else if rest.starts_with("[t]") || rest.starts_with("[t-") || rest.starts_with("[t+") {
            rest.find(']')? + 1
        } else if let Some(sign) = [".T", "<=", ">=", "==", "!="].iter().find(|sign| rest.starts_with(**sign))
        {
            sign.len()
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    Some(tokens)
}

fn is_letter(character: char) -> bool {
    character == '_' || character.is_alphabetic()
}

fn number_length(text: &str) -> usize {
    let mut previous = ' ';
    let is_end = |c: char| {
        let is_sign = matches!(c, '+' | '-') && previous == 'e';
        previous = c;
        !(c.is_ascii_digit() || c == '.' || c == 'e' || is_sign)
    };
    text.find(is_end).unwrap_or(text.len())
}

#[derive(Debug, Clone, PartialEq)]
enum Formula<'a> {
    Number(f64),
    /// A name and its time index.
    Name(&'a str, At),
    /// A small change of a state: `δh`.
    Change(&'a str),
    /// `∂a/∂b[t-1]`
    Ratio(Box<Formula<'a>>, Box<Formula<'a>>),
    /// A linear map and its argument: `∂S/∂S[t-1](δS)`.
    Applied(Box<Formula<'a>>, Box<Formula<'a>>),
    Neg(Box<Formula<'a>>),
    /// The sum over steps and samples of a product.
    Total(Box<Formula<'a>>),
    Transposed(Box<Formula<'a>>),
    /// An operator, of `+ - * / @`, between two operands.
    Binary(char, Box<Formula<'a>>, Box<Formula<'a>>),
    Stack(Vec<Formula<'a>>),
    Call(&'a str, Vec<Formula<'a>>),
    /// A comparison or a connective of a condition.
    Condition(&'a str, Box<Formula<'a>>, Box<Formula<'a>>),
    Not(Box<Formula<'a>>),
}

struct Parser<'a> {
    tokens: Vec<&'a str>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or_default()
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.peek() == token;
        self.at += usize::from(is_next);
        is_next
    }

    fn condition(&mut self) -> Option<Formula<'a>> {
        let mut left = self.comparison()?;
        while matches!(self.peek(), "and" | "or") {
            let sign = self.next();
            left = Formula::Condition(sign, left.into(), self.comparison()?.into());
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Formula<'a>> {
        if self.take("not") {
            return Some(Formula::Not(self.comparison()?.into()));
        }
        let left = self.sum()?;
        if matches!(self.peek(), "<" | "<=" | ">" | ">=" | "==" | "!=") {
            let sign = self.next();
            return Some(Formula::Condition(sign, left.into(), self.sum()?.into()));
        }
        Some(left)
    }

    fn sum(&mut self) -> Option<Formula<'a>> {
        self.binary(&["+", "-"], Parser::product)
    }

    fn product(&mut self) -> Option<Formula<'a>> {
        self.binary(&["*", "/", "@"], Parser::unary)
    }

    fn binary(
        &mut self,
        signs: &[&str],
        operand: fn(&mut Self) -> Option<Formula<'a>>,
    ) -> Option<Formula<'a>> {
        let mut left = operand(self)?;
        while signs.contains(&self.peek()) {
            let sign = self.next().chars().next()?;
            left = Formula::Binary(sign, left.into(), operand(self)?.into());
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Formula<'a>> {
        if self.take("-") {
            return Some(Formula::Neg(self.unary()?.into()));
        }
        if self.take("Σ") {
            return Some(Formula::Total(self.product()?.into()));
        }
        let mut value = self.primary()?;
        while self.take(".T") {
            value = Formula::Transposed(value.into());
        }
        Some(value)
    }

    fn primary(&mut self) -> Option<Formula<'a>> {
        let token = self.next();
        let first = token.chars().next()?;
        match token {
            "(" => {
                let inner = self.condition()?;
                self.take(")").then_some(inner)
            }
            "[" => Some(Formula::Stack(self.list("]")?)),
            "δ" => Some(Formula::Change(self.next())),
            "∂" => {
                let of = self.name()?;
                (self.take("/") && self.take("∂")).then_some(())?;
                let ratio = Formula::Ratio(of.into(), self.name()?.into());
                if !self.take("(") {
                    return Some(ratio);
                }
                let argument = self.sum()?;
                self.take(")").then_some(Formula::Applied(ratio.into(), argument.into()))
            }
            _ if first.is_ascii_digit() => Some(Formula::Number(token.parse().ok()?)),
            _ if is_letter(first) && self.take("(") => Some(Formula::Call(token, self.list(")")?)),
            _ if is_letter(first) => {
                self.at -= 1;
                self.name()
            }
            _ => None,
        }
    }

    /// Parses the rest of a list, up to its closing bracket.
    fn list(&mut self, end: &str) -> Option<Vec<Formula<'a>>> {
        let mut parts = vec![self.condition()?];
        while self.take(",") {
            parts.push(self.condition()?);
        }
        self.take(end).then_some(parts)
    }

    fn name(&mut self) -> Option<Formula<'a>> {
        let name = self.next();
        name.chars().next().filter(|first| is_letter(*first))?;
        let index = self.peek().strip_prefix("[t").and_then(|rest| rest.strip_suffix(']'));
        self.at += usize::from(index.is_some());
        let at = match index {
            None => At::Always,
            Some("") => At::Now,
            Some("-1") => At::Before,
            Some(other) => match other.strip_prefix('-') {
                Some(delay) => At::Earlier(delay.to_owned()),
                None => At::Later(other.strip_prefix('+')?.to_owned()),
            },
        };
        Some(Formula::Name(name, at))
    }
}

impl Formula<'_> {
    /// Returns how tightly the outermost operation binds: 0 for a condition, 1 for a sum, 2 for a
    /// product, 3 for a prefix, 4 for everything else.
    fn binding(&self) -> u8 {
        match self {
            Formula::Condition(..) | Formula::Not(_) => 0,
            Formula::Binary('+' | '-', ..) => 1,
            // A fraction sets its own brackets.
            Formula::Binary('*' | '@', ..) | Formula::Total(_) => 2,
            Formula::Neg(_) => 3,
            _ => 4,
        }
    }

    /// Writes a value within an operation that binds with a strength of at least `least`.
    fn within(&self, least: u8) -> String {
        if self.binding() < least { parentheses(&self.show()) } else { self.show() }
    }

    fn show(&self) -> String {
        match self {
            Formula::Number(value) => number_text(*value),
            Formula::Name(of, at) => barred(of, at, None),
            Formula::Change(of) => format!("<mi>δ</mi>{}", barred(of, &At::Always, None)),
            Formula::Ratio(of, by) => {
                let part = |formula: &Formula| format!("<mo form=\"prefix\">∂</mo>{}", formula.show());
                fraction(&part(of), &part(by))
            }
            Formula::Applied(map, argument) => called(&map.show(), &[argument.show()]),
            Formula::Neg(inner) => format!("<mo form=\"prefix\">−</mo>{}", inner.within(2)),
            Formula::Total(inner) => {
                format!(
                    "<mo form=\"prefix\" largeop=\"true\" movablelimits=\"false\">∑</mo>{}",
                    inner.within(2)
                )
            }
            Formula::Transposed(inner) => match &**inner {
                Formula::Name(of, at) => barred(of, at, Some("<mo>⊤</mo>")),
                inner => format!("<msup>{}<mo>⊤</mo></msup>", row(&inner.within(4))),
            },
            Formula::Binary('/', above, below) => fraction(&above.show(), &below.show()),
            Formula::Binary(sign @ ('+' | '-'), left, right) => {
                let sign_text = if *sign == '-' { "−" } else { "+" };
                // A difference of a sum needs parentheses on the right alone.
                let right = if *sign == '+' { right.within(1) } else { right.within(2) };
                format!("{}<mo>{sign_text}</mo>{right}", left.within(1))
            }
            Formula::Binary(sign, left, right) => {
                // `(A @ b) * c` differs from `A @ (b * c)`, so a product of another kind is
                // enclosed.
                let enclosed = |operand: &Formula, is_left: bool| match operand {
                    Formula::Binary(other @ ('*' | '@'), ..) if other != sign || !is_left && *sign == '*' => {
                        parentheses(&operand.show())
                    }
                    operand if is_left => operand.within(2),
                    operand => operand.within(3),
                };
                let is_number = |operand: &Formula| matches!(operand, Formula::Number(_));
                let between = match sign {
                    '@' => "<mspace width=\"0.17em\"></mspace>",
                    _ if is_number(left) || is_number(right) => "<mo>⋅</mo>",
                    _ => "<mo>⊙</mo>",
                };
                format!("{}{between}{}", enclosed(left, true), enclosed(right, false))
            }
            Formula::Stack(parts) => column(&parts.iter().map(Formula::show).collect::<Vec<_>>()),
            Formula::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Formula::show).collect();
                match (*function, arguments.as_slice()) {
                    ("sqrt", [u]) => format!("<msqrt>{u}</msqrt>"),
                    ("recip", [u]) => fraction("<mn>1</mn>", u),
                    ("sigmoid", _) => called("<mi mathvariant=\"normal\">σ</mi>", &arguments),
                    _ => called(&word(function), &arguments),
                }
            }
            Formula::Condition(sign @ ("and" | "or"), left, right) => {
                format!("{}<mtext>&#xa0;{sign}&#xa0;</mtext>{}", left.within(0), right.within(0))
            }
            Formula::Condition(sign, left, right) => {
                let sign = match *sign {
                    "<=" => "≤",
                    ">=" => "≥",
                    "==" => "=",
                    "!=" => "≠",
                    sign => sign,
                };
                format!("{}<mo>{}</mo>{}", left.within(1), escaped(sign), right.within(1))
            }
            Formula::Not(inner) => format!("<mtext>not&#xa0;</mtext>{}", inner.within(1)),
        }
    }
}

/// Writes a name; `x_bar` has a bar above its letter, or above all of it if that has an accent.
fn barred(of: &str, at: &At, raised: Option<&str>) -> String {
    let mut parsed = Name::parse(of);
    // Values without a name are numbered.
    if let Some((word, number)) = parsed.base.rsplit_once('_')
        && number.chars().all(|c| c.is_ascii_digit())
    {
        parsed = Name { base: word.to_owned(), accent: None, indices: vec![number.to_owned()] };
    }
    match of.strip_suffix("_bar").map(Name::parse) {
        Some(inner) if parsed.accent != Some('¯') => {
            let inner = name(&inner, &At::Always, None);
            // Few fonts stretch the sign of a bar.
            let style = "border-top:.06em solid;padding-top:.12em";
            let bar = format!("<mrow style=\"{style}\">{inner}</mrow>");
            match (time_index(at), raised) {
                (None, None) => bar,
                (None, Some(above)) => format!("<msup>{bar}{above}</msup>"),
                (Some(index), None) => format!("<msub>{bar}{}</msub>", row(&index)),
                (Some(index), Some(above)) => format!("<msubsup>{bar}{}{above}</msubsup>", row(&index)),
            }
        }
        _ => name(&parsed, at, raised),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text of a formula without its markup.
    fn plain(line: &str) -> String {
        let html = derived(line);
        assert!(!html.contains("<p>"), "{html}");
        let mut text = String::new();
        for part in html.replace("<mspace", " <mspace").split('<').skip(1) {
            text.push_str(part.split_once('>').expect("a tag").1.trim_end_matches('\n'));
        }
        text.replace("&#x2061;", "").replace("&#xa0;", " ")
    }

    #[test]
    fn only_necessary_parentheses_are_written() {
        for (line, expected) in [
            ("h_pre_bar = h_bar * (1 - (h * h))", "h¯pre=h¯⊙(1−h⊙h)"),
            ("W_bar = Σ h_pre_bar @ x.T", "W¯=∑h¯pre x⊤"),
            ("x_bar = (W.T @ a) + (U.T @ b)", "x¯=W⊤ a+U⊤ b"),
            ("r_bar = (U.T @ a) * h[t-1]", "r¯=(U⊤ a)⊙ht−1"),
            ("y = a @ (b * c)", "y=a (b⊙c)"),
            ("y = a * (b @ c)", "y=a⊙(b c)"),
            ("y = a - (b - c)", "y=a−(b−c)"),
            ("y = (a + b).T @ c", "y=(a+b)⊤ c"),
            ("y = -(a + b)", "y=−(a+b)"),
            ("value_10 = recip(a + b)", "value10=1a+b"),
            ("y = (a + b) / (2 * c)", "y=a+b2⋅c"),
            ("h_bar = h_bar[t] + x_bar[t+2*D]", "h¯=h¯t+x¯t+2⋅D"),
            ("h_tilde_bar = [a, zeros(3)]", "h˜=[azeros(3)]"),
            ("∂h/∂h[t-1] = diag(1 - (h * h)) @ U", "∂h∂ht−1=diag(1−h⊙h) U"),
            ("∂S/∂S[t-1](δS) = f * δS", "∂S∂St−1(δS)=f⊙δS"),
            ("y = where(a >= b and not c < 1e-5, a, b)", "y=where(a≥b and not (c&lt;10−5),a,b)"),
        ] {
            assert_eq!(plain(line).replace('~', "˜"), expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_is_no_formula_remains_text() {
        let text = "The cell reads earlier steps <b>.";
        assert!(derived(text).contains("<p>The cell reads earlier steps &lt;b&gt;.</p>"));
    }
}
