//! The keywords of the language and of Rust, and words of other languages in their place.

use super::ast::DeclarationKind;
use crate::syntax::suggest::nearest;

/// The words that cannot be the name of a value or a dimension.
const LANGUAGE: [&str; 12] = [
    "cell", "input", "context", "state", "param", "buffer", "output", "one_hot", "heads", "and", "or", "not",
];

/// The words that begin an item of a cell.
const ITEMS: [&str; 7] = ["input", "context", "state", "param", "buffer", "output", "fn"];

const RUST: [&str; 53] = [
    "as", "break", "const", "continue", "crate", "else", "enum", "extern", "false", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "self", "Self",
    "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "where", "while", "async",
    "await", "dyn", "abstract", "become", "box", "do", "final", "macro", "override", "priv", "typeof",
    "unsized", "virtual", "yield", "try", "gen", "_",
];

pub fn declaration(word: &str) -> Option<DeclarationKind> {
    Some(match word {
        "input" => DeclarationKind::Input,
        "context" => DeclarationKind::Context,
        "state" => DeclarationKind::State,
        "param" => DeclarationKind::Param,
        "buffer" => DeclarationKind::Buffer,
        _ => return None,
    })
}

pub fn begins_item(word: &str) -> bool {
    ITEMS.contains(&word)
}

pub fn is_rust(word: &str) -> bool {
    RUST.contains(&word)
}

/// Returns the fact and the help text about a reserved name.
pub fn reserved(name: &str) -> Option<(String, String)> {
    if name == "_" {
        return Some((
            "`_` alone names nothing".to_owned(),
            "give it a name; one that begins with `_`, such as `_rest`, need not be used".to_owned(),
        ));
    }
    if let Some(plain) = name.strip_prefix("r#") {
        return Some((format!("`{name}` is a raw name"), other_name(plain)));
    }
    if name == "t" {
        return Some((
            "`t` is the current step and can't name anything else".to_owned(),
            "choose another name, such as `t_`".to_owned(),
        ));
    }
    if LANGUAGE.contains(&name) {
        return Some((format!("`{name}` is a word of the language and can't be a name"), other_name(name)));
    }
    is_rust(name).then(|| (format!("`{name}` is reserved by Rust and can't be a name"), other_name(name)))
}

fn other_name(name: &str) -> String {
    format!("choose another name, such as `{}_`", name.to_lowercase())
}

/// Returns the keyword that was probably meant by the first word of an item.
pub fn meant(word: &str) -> Option<&'static str> {
    let known = match word.to_lowercase().as_str() {
        "params" | "parameter" | "parameters" | "weight" | "weights" | "bias" | "biases" | "var"
        | "variable" | "learnable" | "trainable" | "matrix" | "vector" => "param",
        "inputs" | "in" | "feed" => "input",
        "states" | "hidden" | "memory" | "carry" | "recurrent" | "mem" => "state",
        "outputs" | "out" | "return" | "returns" | "yield" | "emit" => "output",
        "contexts" | "ctx" | "condition" | "conditioning" => "context",
        "buffers" | "const" | "constant" | "constants" | "static" | "fixed" | "hyper" | "hyperparameter" => {
            "buffer"
        }
        "function" | "func" | "def" | "fun" | "define" => "fn",
        _ => return nearest(word, ITEMS),
    };
    Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_misspelt_and_foreign_keywords() {
        for (written, meant_word) in [
            ("params", "param"),
            ("Input", "input"),
            ("inptu", "input"),
            ("outputs", "output"),
            ("Weights", "param"),
            ("hidden", "state"),
            ("def", "fn"),
            ("buffr", "buffer"),
        ] {
            assert_eq!(meant(written), Some(meant_word), "{written}");
        }
        assert_eq!(meant("x"), None);
        assert_eq!(meant("h_prev"), None);
    }
}
