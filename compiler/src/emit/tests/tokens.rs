//! Tests of the words that an expansion uses.

use super::{LSTM, expand, parse};
use crate::testing::samples::SAMPLES;
use crate::testing::source::read_all;
use proc_macro2::{Spacing, TokenStream, TokenTree};

/// Collects all tokens in order, including those within brackets, without lifetimes and literals.
fn flat(tokens: TokenStream, into: &mut Vec<String>) {
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            // The first half of `::`, as opposed to `x: ::T`.
            TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint => {
                tokens.next();
                into.push("::".to_owned());
            }
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                tokens.next();
            }
            TokenTree::Group(group) => {
                into.push("(".to_owned());
                flat(group.stream(), into);
                into.push(")".to_owned());
            }
            TokenTree::Literal(_) => into.push("1".to_owned()),
            other => into.push(other.to_string()),
        }
    }
}

fn words(source: &str) -> Vec<String> {
    let expansion = expand(source);
    parse(&expansion);
    let mut words = vec![];
    flat(expansion, &mut words);
    words
}

fn all() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().copied().chain([LSTM])
}

#[test]
fn expansions_contain_no_unsafe_code() {
    for source in all() {
        let words = words(source);
        for word in ["unsafe", "unwrap", "expect", "panic", "todo", "unimplemented", "compile_error"] {
            assert!(!words.iter().any(|other| other == word), "`{word}` of {source}");
        }
    }
}

#[test]
fn expansions_are_deterministic() {
    for source in all() {
        assert_eq!(expand(source).to_string(), expand(source).to_string());
    }
}

/// A path starts at the root of a crate or at `Self`, so that no item of the user can shadow it.
/// Only names reserved for generated code (`__Step`) are used without a path.
#[test]
fn paths_are_absolute() {
    for source in all() {
        let words = words(source);
        for at in 1..words.len() - 1 {
            // A lifetime before a root (`&'p ::core::..`) does not belong to the path.
            let is_start = words[at + 1] == "::" && !["::", ".", "'"].contains(&words[at - 1].as_str());
            // The tokens that may precede a path from a crate's root, and those that need no root.
            // `crate` is the user's.
            let others = [
                "Self", "crate", "f64", "clippy", "rustdoc", "as", "dyn", "for", "if", "impl", "in", "let",
                "match", "mut", "return", "use",
            ];
            let word = words[at].as_str();
            let is_word = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
            if is_start && is_word && !others.contains(&word) && !word.starts_with("__") {
                let context = words[at.saturating_sub(12)..(at + 12).min(words.len())].join(" ");
                panic!("a path starts with `{word}`: {context}, in {source}");
            }
        }
    }
}

/// Names from the prelude may have another meaning where the macro is used.
#[test]
fn prelude_names_are_never_used_unqualified() {
    let prelude = [
        "Some",
        "None",
        "Ok",
        "Err",
        "Option",
        "Result",
        "Vec",
        "String",
        "Box",
        "Default",
        "Clone",
        "Copy",
        "Send",
        "Sync",
        "Sized",
        "Drop",
        "Fn",
        "FnMut",
        "FnOnce",
        "From",
        "Into",
        "AsRef",
        "AsMut",
        "Iterator",
        "IntoIterator",
        "PartialEq",
        "Eq",
        "PartialOrd",
        "Ord",
        "Debug",
        "ToOwned",
        "ToString",
        "drop",
        "vec",
        "format",
        "assert",
        "debug_assert",
        "assert_eq",
        "matches",
        "println",
    ];
    for source in all() {
        let words = words(source);
        for at in 1..words.len() {
            let is_alone = !["::", ".", "fn"].contains(&words[at - 1].as_str());
            // A type that the user derives is written as in the source.
            let is_derived = source.contains(&format!("derive({}", words[at]));
            let context = words[at.saturating_sub(8)..(at + 8).min(words.len())].join(" ");
            assert!(
                !is_alone || is_derived || !prelude.contains(&words[at].as_str()),
                "{context} in {source}"
            );
        }
    }
}

/// Generated names avoid those of the user and each other.
#[test]
fn names_are_unique() {
    let confusing = "cell Confusing<H> { input x: [H], h_prev_2: [H]; state h: [H]; param W: [H, H], h_prev: [H];
        i_pre = W @ h[t-1] + h_prev; i = sigmoid(i_pre + x); h = i * tanh(i) + h_prev_2; i_bar = h * i; output i_bar, h; }";
    for definition in all().chain([confusing]).flat_map(read_all) {
        let plan = definition.plan();
        let names = &plan.names;
        let mut texts: Vec<&str> = plan.graph.ids().map(|id| names.text(id)).collect();
        texts.sort_unstable();
        let twice = texts.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(twice, None, "{}", definition.cell.name);
    }
}
