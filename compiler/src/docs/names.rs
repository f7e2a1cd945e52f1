//! Names in mathematical notation: `W_f` is a letter with an index, `alpha` the Greek letter,
//! `h_tilde` a letter with an accent.

use crate::analysis::resolve::key;
use crate::syntax::ast::Cell;
use proc_macro2::Ident;
use std::collections::HashMap;

/// A name split into its parts for typesetting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    pub base: String,
    /// The accent above the base.
    pub accent: Option<char>,
    pub indices: Vec<String>,
}

impl Name {
    /// Splits a name. Only a single letter, of any alphabet, takes indices: `log_rate` is a word,
    /// not a logarithm.
    pub fn parse(text: &str) -> Self {
        Name::taken_apart(text).unwrap_or_else(|| Name::whole(text))
    }

    fn whole(text: &str) -> Self {
        Name { base: text.to_owned(), accent: None, indices: vec![] }
    }

    fn taken_apart(text: &str) -> Option<Self> {
        let mut parts = text.split('_');
        let first = parts.next()?;
        let digits = first.find(|c: char| c.is_ascii_digit()).unwrap_or(first.len());
        let (word, number) = first.split_at(digits);
        if !number.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
        let base = match greek(word) {
            Some(letter) => letter.to_owned(),
            None if word.chars().count() == 1 => word.to_owned(),
            None => return None,
        };
        let mut name = Name { base, accent: None, indices: vec![] };
        if !number.is_empty() {
            name.indices.push(number.to_owned());
        }
        for part in parts {
            match accent(part) {
                _ if part.is_empty() => return None,
                Some(accent) if name.accent.is_none() => name.accent = Some(accent),
                _ => name.indices.push(greek(part).unwrap_or(part).to_owned()),
            }
        }
        Some(name)
    }
}

fn accent(word: &str) -> Option<char> {
    match word {
        "tilde" => Some('~'),
        "hat" => Some('^'),
        "bar" => Some('¯'),
        "dot" => Some('˙'),
        _ => None,
    }
}

fn greek(word: &str) -> Option<&'static str> {
    const LETTERS: &[(&str, &str)] = &[
        ("alpha", "α"),
        ("beta", "β"),
        ("gamma", "γ"),
        ("delta", "δ"),
        ("epsilon", "ε"),
        ("zeta", "ζ"),
        ("eta", "η"),
        ("theta", "θ"),
        ("iota", "ι"),
        ("kappa", "κ"),
        ("lambda", "λ"),
        ("mu", "μ"),
        ("nu", "ν"),
        ("xi", "ξ"),
        ("pi", "π"),
        ("rho", "ρ"),
        ("sigma", "σ"),
        ("tau", "τ"),
        ("phi", "φ"),
        ("chi", "χ"),
        ("psi", "ψ"),
        ("omega", "ω"),
        ("Gamma", "Γ"),
        ("Delta", "Δ"),
        ("Theta", "Θ"),
        ("Lambda", "Λ"),
        ("Xi", "Ξ"),
        ("Pi", "Π"),
        ("Sigma", "Σ"),
        ("Phi", "Φ"),
        ("Psi", "Ψ"),
        ("Omega", "Ω"),
    ];
    LETTERS.iter().find(|(name, _)| *name == word).map(|(_, letter)| *letter)
}

/// The names of one cell. Two that would look alike (`h0` and `h_0`) are shown as written.
pub struct MathNames {
    names: HashMap<String, Name>,
}

impl MathNames {
    pub fn of(cell: &Cell) -> Self {
        let mut texts: Vec<String> = vec![];
        texts.extend(cell.dimensions.iter().map(key));
        texts.extend(cell.declarations.iter().map(|declaration| key(&declaration.name)));
        texts.extend(cell.equations.iter().flat_map(|equation| equation.targets.iter().map(key)));
        texts.extend(cell.functions.iter().flat_map(|function| function.arguments.iter().map(key)));
        texts.sort_unstable();
        texts.dedup();
        let mut alike: HashMap<Name, usize> = HashMap::new();
        for text in &texts {
            *alike.entry(Name::parse(text)).or_default() += 1;
        }
        let set = |text: String| {
            let name = Name::parse(&text);
            let name = if alike[&name] > 1 { Name::whole(&text) } else { name };
            (text, name)
        };
        MathNames { names: texts.into_iter().map(set).collect() }
    }

    pub fn get(&self, name: &Ident) -> Name {
        let text = key(name);
        self.names.get(&text).cloned().unwrap_or_else(|| Name::whole(&text))
    }
}

/// Escapes text for HTML, including attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A blank line would end the HTML within Markdown.
            '\n' | '\r' => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let Name { base, accent, indices } = Name::parse(text);
        format!("{base}{}|{}", accent.map(String::from).unwrap_or_default(), indices.join(","))
    }

    #[test]
    fn letters_take_indices_and_words_do_not() {
        for (name, expected) in [
            ("h", "h|"),
            ("W_f", "W|f"),
            ("W_h_x", "W|h,x"),
            ("h0", "h|0"),
            ("x_12", "x|12"),
            ("b_conv", "b|conv"),
            ("alpha", "α|"),
            ("Delta_t", "Δ|t"),
            ("W_alpha", "W|α"),
            ("h_tilde", "h~|"),
            ("c_hat_1", "c^|1"),
            ("log_rate", "log_rate|"),
            ("logits", "logits|"),
            ("_x", "_x|"),
            ("x_", "x_|"),
            ("x__y", "x__y|"),
            ("h1b", "h1b|"),
            ("ĥ", "ĥ|"),
            ("状態", "状態|"),
            ("状", "状|"),
        ] {
            assert_eq!(shown(name), expected);
        }
    }

    #[test]
    fn names_that_look_alike_are_shown_as_written() {
        let source = "cell C<H> { input h0: [H], h_0: [H], w_1: [H]; y = h0 * h_0 + w_1; output y; }";
        let cell = crate::testing::source::read(source).cell;
        let names = MathNames::of(&cell);
        let bases: Vec<String> =
            cell.declarations.iter().map(|declaration| names.get(&declaration.name).base).collect();
        assert_eq!(bases, ["h0", "h_0", "w"]);
    }
}
