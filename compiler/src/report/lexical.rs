//! Mistakes in a text that is not a sequence of tokens: brackets that do not match, and characters
//! that begin no token. Within a macro, rustc reports these.

use super::mistake::Mistake;

/// Characters of formulas, with their replacements in the language.
const LIKELY: &[(&[char], &str)] = &[
    (&['×', '·', '⋅', '⊙', '∘', '∗'], "write `*` for the element-wise product, `@` for the matrix product"),
    (&['−', '–', '—'], "write `-`"),
    (&['ᵀ', '⊤'], "write `.T` for the transpose"),
    (&['≤'], "write `<=`"),
    (&['≥'], "write `>=`"),
    (&['≠'], "write `!=`"),
    (&['²'], "write `square(..)`"),
    (&['√'], "write `sqrt(..)`"),
    (&['∑', 'Σ'], "write `sum(..)`"),
    (
        &['“', '”', '‘', '’', '`', '"', '\''],
        "a definition contains no text but comments, which begin with `//`",
    ),
];

/// Returns the mistake in a text that cannot be split into tokens. `stop` is the byte at which
/// splitting stopped.
pub fn mistake(text: &str, stop: usize) -> Mistake {
    unmatched_bracket(text).unwrap_or_else(|| unknown_character(text, stop))
}

fn unknown_character(text: &str, stop: usize) -> Mistake {
    let Some(found) = text.get(stop..).and_then(|rest| rest.chars().next()) else {
        return Mistake {
            place: 0..text.len(),
            fact: "the text is not a sequence of tokens".to_owned(),
            notes: vec![],
            helps: vec![],
        };
    };
    let likely = LIKELY.iter().find(|(characters, _)| characters.contains(&found));
    Mistake {
        place: stop..stop + found.len_utf8(),
        fact: format!("unknown character `{found}`"),
        notes: vec![],
        helps: likely.iter().map(|(_, help)| (*help).to_owned()).collect(),
    }
}

/// An opening bracket that has not been closed yet.
struct Open {
    at: usize,
    bracket: char,
    /// The place of the first `;` within the brackets.
    semicolon: Option<usize>,
}

fn closing(opening: char) -> char {
    match opening {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// Finds the bracket that has no partner. A closing bracket that fits an outer opening one leaves
/// the inner ones unclosed. Otherwise it is the closing bracket itself that has no partner.
fn unmatched_bracket(text: &str) -> Option<Mistake> {
    let mut open: Vec<Open> = vec![];
    for (at, character) in code(text) {
        match character {
            '(' | '[' | '{' => open.push(Open { at, bracket: character, semicolon: None }),
            ')' | ']' | '}' => match open.iter().rposition(|other| closing(other.bracket) == character) {
                Some(partner) if partner + 1 == open.len() => {
                    open.pop();
                }
                Some(_) => return open.last().map(unclosed),
                None => {
                    return Some(Mistake {
                        place: at..at + 1,
                        fact: format!("`{character}` closes no bracket"),
                        notes: vec![],
                        helps: vec!["remove it, or open a bracket before it".to_owned()],
                    });
                }
            },
            ';' => {
                if let Some(innermost) = open.last_mut() {
                    innermost.semicolon.get_or_insert(at);
                }
            }
            _ => {}
        }
    }
    open.last().map(unclosed)
}

fn unclosed(open: &Open) -> Mistake {
    let close = closing(open.bracket);
    // A semicolon ends an equation, so it is within no parentheses.
    let help = match open.semicolon {
        Some(_) if open.bracket != '{' => format!("write `{close}` before the `;`"),
        _ => format!("write `{close}`"),
    };
    Mistake {
        place: open.at..open.at + 1,
        fact: format!("`{}` is not closed", open.bracket),
        notes: vec![],
        helps: vec![help],
    }
}

/// Returns the characters outside comments, with their places.
fn code(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, character) = rest.next()?;
            if text[at..].starts_with("//") {
                while rest.next_if(|(_, next)| *next != '\n').is_some() {}
            } else if text[at..].starts_with("/*") {
                let end = at + comment(&text[at..]);
                while rest.next_if(|(next, _)| *next < end).is_some() {}
            } else {
                return Some((at, character));
            }
        }
    })
}

/// Returns the length of the comment, which may contain others, at the start of a text.
fn comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += next.len_utf8();
        }
    }
    text.len()
}
